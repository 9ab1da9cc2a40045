from __future__ import annotations

import logging
from typing import Any

import pytest

from shared.storage.credentials import DynamoCredentials
from tests.conftest import Aws
from tests.functions.admin.conftest import Api

TELEGRAM = {"bot_token": "123456789:AAF0-token_of_a_test"}
WHATSAPP = {
    "phone_number_id": "106540352242922",
    "access_token": "EAAG-access",
    "app_secret": "0123456789abcdef",
}
VIBER = {"auth_token": "4453b6ac12345678-e02c5f1217480589-9db9cbc7a8b2a2ba", "sender_name": "Parley"}
GIVEN: dict[str, dict[str, Any]] = {
    "telegram": TELEGRAM,
    "whatsapp": WHATSAPP | {"business_account_id": "102290129340398"},
    "viber": VIBER | {"sender_avatar": "https://www.example.com/a.png"},
    "webchat": {"allowed_origins": ["https://www.example.com", "http://localhost:8080"]},
}


def connect(api: Api, bot: str, platform: str, credentials: dict[str, Any] | None = None) -> dict[str, Any]:
    given = GIVEN[platform] if credentials is None else credentials
    return api.create(f"/api/bots/{bot}/platforms", {"platform": platform, "credentials": given})


def settings_of(account: Aws, bot: str, platform: str) -> dict[str, str]:
    revealed = DynamoCredentials(account.kms).reveal(bot, platform)
    assert revealed is not None
    return dict(revealed.settings)


def test_connection_shows_the_fields_of_the_contract(api: Api, bot: str) -> None:
    made = connect(api, bot, "telegram")
    answer = api("GET", f"/api/bots/{bot}/platforms/telegram")

    assert answer.json() == {
        "id": made["id"],
        "bot_id": bot,
        "platform": "telegram",
        "credentials": {
            "bot_token": "…test",
            "webhook_secret": "…" + made["credentials"]["webhook_secret"][-4:],
        },
        "is_active": True,
        "health": {},
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }


def test_location_leads_to_the_connection(api: Api, bot: str) -> None:
    body = {"platform": "viber", "credentials": VIBER}
    answer = api("POST", f"/api/bots/{bot}/platforms", json=body)

    assert answer.headers["location"] == f"/api/bots/{bot}/platforms/viber"
    assert api("GET", answer.headers["location"]).headers["etag"] == answer.headers["etag"]


SHOWN: dict[str, dict[str, Any]] = {
    "telegram": {"bot_token": "…test"},
    "whatsapp": {
        "phone_number_id": "106540352242922",
        "business_account_id": "102290129340398",
        "access_token": "…cess",
        "app_secret": "…cdef",
    },
    "viber": {
        "auth_token": "…a2ba",
        "sender_name": "Parley",
        "sender_avatar": "https://www.example.com/a.png",
    },
    "webchat": {"allowed_origins": ["https://www.example.com", "http://localhost:8080"]},
}


@pytest.mark.parametrize("platform", GIVEN)
def test_secrets_are_shown_by_their_last_characters(api: Api, bot: str, platform: str) -> None:
    connect(api, bot, platform)

    shown = api("GET", f"/api/bots/{bot}/platforms/{platform}").json()["credentials"]

    made_by_us = {"webhook_secret", "verify_token"}
    assert {name: value for name, value in shown.items() if name not in made_by_us} == SHOWN[platform]
    assert all(len(shown[name]) == 5 for name in made_by_us & shown.keys())


@pytest.mark.parametrize("platform", GIVEN)
def test_adapters_find_the_settings_as_they_were_given(
    api: Api, aws_account: Aws, bot: str, platform: str
) -> None:
    connect(api, bot, platform)

    settings = settings_of(aws_account, bot, platform)

    given = dict(GIVEN[platform])
    if platform == "webchat":
        given["allowed_origins"] = "https://www.example.com http://localhost:8080"
    assert settings.items() >= given.items()
    assert (
        settings.keys() - given.keys()
        == {
            "telegram": {"webhook_secret"},
            "whatsapp": {"verify_token"},
            "viber": set(),
            "webchat": {"token_secret"},
        }[platform]
    )


@pytest.mark.parametrize(("platform", "name"), [("telegram", "webhook_secret"), ("whatsapp", "verify_token")])
def test_secret_that_the_server_makes_is_shown_once(
    api: Api, aws_account: Aws, bot: str, platform: str, name: str
) -> None:
    made = connect(api, bot, platform)["credentials"][name]

    assert len(made) == 43
    assert settings_of(aws_account, bot, platform)[name] == made
    for path in (f"/api/bots/{bot}/platforms", f"/api/bots/{bot}/platforms/{platform}"):
        assert made not in api("GET", path).text


@pytest.mark.parametrize(("platform", "name"), [("telegram", "webhook_secret"), ("whatsapp", "verify_token")])
def test_secret_of_ones_own_is_taken_and_not_shown(
    api: Api, aws_account: Aws, bot: str, platform: str, name: str
) -> None:
    made = connect(api, bot, platform, GIVEN[platform] | {name: "a-secret-of-my-own"})

    assert made["credentials"][name] == "…-own"
    assert settings_of(aws_account, bot, platform)[name] == "a-secret-of-my-own"


def test_secret_of_the_web_chat_is_shown_to_nobody(api: Api, aws_account: Aws, bot: str) -> None:
    answers = [
        api("POST", f"/api/bots/{bot}/platforms", json={"platform": "webchat", "credentials": {}}),
        api("PUT", f"/api/bots/{bot}/platforms/webchat", json={"credentials": {}}),
        api("GET", f"/api/bots/{bot}/platforms/webchat"),
        api("GET", f"/api/bots/{bot}/platforms"),
    ]

    secret = settings_of(aws_account, bot, "webchat")["token_secret"]
    assert len(secret) == 43
    for answer in answers:
        assert "token_secret" not in answer.text
        assert secret[-4:] not in answer.text.replace(bot, "")


FORMS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("telegram", {}, ["/bot_token"]),
    ("telegram", {"bot_token": ""}, ["/bot_token"]),
    ("telegram", {"bot_token": "no colon"}, ["/bot_token"]),
    ("telegram", {"bot_token": "0123:abc"}, ["/bot_token"]),
    ("telegram", {"bot_token": "123:a/b"}, ["/bot_token"]),
    ("telegram", {"bot_token": " 123:abc"}, ["/bot_token"]),
    ("telegram", {"bot_token": "123:abc\n"}, ["/bot_token"]),
    ("telegram", {"bot_token": "١٢٣:abc"}, ["/bot_token"]),
    ("telegram", {"bot_token": "123:" + "a" * 77}, ["/bot_token"]),
    ("telegram", {"bot_token": 123}, ["/bot_token"]),
    ("telegram", {"bot_token": "…test"}, ["/bot_token"]),
    ("telegram", TELEGRAM | {"webhook_secret": "with space"}, ["/webhook_secret"]),
    ("telegram", TELEGRAM | {"webhook_secret": "a" * 257}, ["/webhook_secret"]),
    ("telegram", TELEGRAM | {"webhook_secret": ""}, ["/webhook_secret"]),
    ("telegram", TELEGRAM | {"token": "x"}, ["/token"]),
    ("telegram", TELEGRAM | {"token_secret": "x"}, ["/token_secret"]),
    ("whatsapp", {}, ["/phone_number_id", "/access_token", "/app_secret"]),
    ("whatsapp", WHATSAPP | {"phone_number_id": "+49 170"}, ["/phone_number_id"]),
    ("whatsapp", WHATSAPP | {"phone_number_id": 106540352242922}, ["/phone_number_id"]),
    ("whatsapp", WHATSAPP | {"access_token": "two words"}, ["/access_token"]),
    ("whatsapp", WHATSAPP | {"app_secret": "é"}, ["/app_secret"]),
    ("whatsapp", WHATSAPP | {"business_account_id": "x"}, ["/business_account_id"]),
    ("viber", VIBER | {"sender_name": ""}, ["/sender_name"]),
    ("viber", VIBER | {"sender_name": "x" * 29}, ["/sender_name"]),
    ("viber", VIBER | {"sender_name": "a\0"}, ["/sender_name"]),
    ("viber", VIBER | {"sender_avatar": "javascript:alert(1)"}, ["/sender_avatar"]),
    ("webchat", {"allowed_origins": "https://a.example"}, ["/allowed_origins"]),
    ("webchat", {"allowed_origins": ["https://a.example/path"]}, ["/allowed_origins/0"]),
    ("webchat", {"allowed_origins": ["https://a.example", "*"]}, ["/allowed_origins/1"]),
    ("webchat", {"allowed_origins": ["https://a.example https://b.example"]}, ["/allowed_origins/0"]),
    ("webchat", {"allowed_origins": ["https://user@a.example"]}, ["/allowed_origins/0"]),
    ("webchat", {"allowed_origins": ["null"]}, ["/allowed_origins/0"]),
    ("webchat", {"token_secret": "x" * 43}, ["/token_secret"]),
]


@pytest.mark.parametrize(("platform", "credentials", "pointers"), FORMS, ids=lambda value: str(value)[:60])
def test_credentials_of_another_form_are_refused_where_they_stand(
    api: Api, bot: str, platform: str, credentials: dict[str, Any], pointers: list[str]
) -> None:
    answer = api(
        "POST", f"/api/bots/{bot}/platforms", json={"platform": platform, "credentials": credentials}
    )

    assert answer.status_code == 422
    found = [error["pointer"] for error in answer.json()["errors"]]
    assert found == ["/credentials" + pointer for pointer in pointers]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"credentials": {}}, "/platform"),
        ({"platform": "icq", "credentials": {}}, "/platform"),
        ({"platform": "telegram"}, "/credentials"),
        ({"platform": "telegram", "credentials": [TELEGRAM]}, "/credentials"),
        ({"platform": "telegram", "credentials": TELEGRAM, "health": {}}, "/health"),
    ],
    ids=repr,
)
def test_body_of_another_form_is_refused(api: Api, bot: str, body: dict[str, Any], pointer: str) -> None:
    answer = api("POST", f"/api/bots/{bot}/platforms", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_longest_secrets_that_are_taken_fit_the_key(api: Api, bot: str) -> None:
    longest = WHATSAPP | dict.fromkeys(("access_token", "app_secret", "verify_token"), "x" * 1024)
    assert connect(api, bot, "whatsapp", longest)["id"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://WWW.Example.com", "https://www.example.com"),
        ("https://www.example.com/", "https://www.example.com"),
        ("https://www.example.com:443", "https://www.example.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_origins_are_kept_as_browsers_write_them(api: Api, bot: str, given: str, kept: str) -> None:
    assert connect(api, bot, "webchat", {"allowed_origins": [given]})["credentials"] == {
        "allowed_origins": [kept]
    }


def test_platform_connected_already_says_what_to_do(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")

    answer = api("POST", f"/api/bots/{bot}/platforms", json={"platform": "telegram", "credentials": TELEGRAM})

    assert answer.status_code == 409
    assert "Change the connection with PUT, or DELETE it first" in answer.json()["detail"]


SAME: dict[str, dict[str, Any]] = {
    "telegram": {"bot_token": "123456789:another_token_of_the_same_bot"},
    "whatsapp": WHATSAPP | {"access_token": "another"},
    "viber": VIBER | {"sender_name": "Another"},
}


@pytest.mark.parametrize("platform", SAME)
def test_account_of_a_platform_belongs_to_one_bot(api: Api, bot: str, platform: str) -> None:
    connect(api, bot, platform)
    other = api.bot()
    body = {"platform": platform, "credentials": SAME[platform]}

    answer = api("POST", f"/api/bots/{other}/platforms", json=body)
    assert answer.status_code == 409
    assert "Disconnect that one first" in answer.json()["detail"]
    assert bot not in answer.text

    assert api("DELETE", f"/api/bots/{bot}/platforms/{platform}").status_code == 204
    assert api("POST", f"/api/bots/{other}/platforms", json=body).status_code == 201


def test_every_bot_may_have_a_web_chat(api: Api, bot: str) -> None:
    connect(api, bot, "webchat")
    connect(api, api.bot(), "webchat")


def test_put_takes_no_account_from_another_bot(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")
    other = api.bot()
    connect(api, other, "telegram", {"bot_token": "987654321:other"})
    path = f"/api/bots/{other}/platforms/telegram"

    headers: dict[str, str]
    for headers in ({}, {"If-Match": "*"}):
        answer = api("PUT", path, json={"credentials": TELEGRAM}, headers=headers)

        assert answer.status_code == 409
        assert "Another bot is connected" in answer.json()["detail"]


@pytest.mark.parametrize(("platform", "name"), [("telegram", "webhook_secret"), ("whatsapp", "verify_token")])
def test_put_keeps_the_secret_that_the_server_made(
    api: Api, aws_account: Aws, bot: str, platform: str, name: str
) -> None:
    made = connect(api, bot, platform)["credentials"][name]
    path = f"/api/bots/{bot}/platforms/{platform}"

    for credentials in (GIVEN[platform], GIVEN[platform] | {name: None}):
        answer = api("PUT", path, json={"credentials": credentials})

        assert answer.status_code == 200
        assert answer.json()["credentials"][name] == "…" + made[-4:]
        assert settings_of(aws_account, bot, platform)[name] == made


def test_put_keeps_the_secret_of_the_web_chat(api: Api, aws_account: Aws, bot: str) -> None:
    connect(api, bot, "webchat")
    before = settings_of(aws_account, bot, "webchat")

    api("PUT", f"/api/bots/{bot}/platforms/webchat", json={"credentials": {}})

    assert settings_of(aws_account, bot, "webchat") == {"token_secret": before["token_secret"]}


def test_put_replaces_all_other_settings(api: Api, aws_account: Aws, bot: str) -> None:
    connect(api, bot, "whatsapp")
    new = WHATSAPP | {"access_token": "EAAG-renewed"}

    shown = api("PUT", f"/api/bots/{bot}/platforms/whatsapp", json={"credentials": new}).json()

    assert "business_account_id" not in shown["credentials"]
    assert settings_of(aws_account, bot, "whatsapp")["access_token"] == "EAAG-renewed"


@pytest.mark.parametrize("platform", GIVEN)
def test_what_was_read_can_be_put_back(api: Api, aws_account: Aws, bot: str, platform: str) -> None:
    connect(api, bot, platform)
    path = f"/api/bots/{bot}/platforms/{platform}"
    before = settings_of(aws_account, bot, platform)
    read = api("GET", path)

    answer = api(
        "PUT", path, json=read.json() | {"is_active": False}, headers={"If-Match": read.headers["etag"]}
    )

    assert answer.status_code == 200
    assert answer.json()["is_active"] is False
    assert answer.json()["credentials"] == read.json()["credentials"]
    assert settings_of(aws_account, bot, platform) == before


def test_put_without_a_secret_that_only_the_owner_knows_is_refused(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")

    answer = api("PUT", f"/api/bots/{bot}/platforms/telegram", json={"credentials": {}})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/credentials/bot_token"]


def test_put_leaves_the_switch_alone_unless_it_is_named(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")
    path = f"/api/bots/{bot}/platforms/telegram"

    api("PUT", path, json={"credentials": TELEGRAM, "is_active": False})
    assert api("PUT", path, json={"credentials": TELEGRAM}).json()["is_active"] is False


def test_connection_does_not_become_one_of_another_platform(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")
    path = f"/api/bots/{bot}/platforms/telegram"

    assert api("PUT", path, json={"platform": "viber", "credentials": VIBER}).status_code == 422
    assert api("PUT", path, json={"platform": "telegram", "credentials": TELEGRAM}).status_code == 200


def test_change_that_was_overtaken_is_refused(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")
    path = f"/api/bots/{bot}/platforms/telegram"
    seen = {"If-Match": api("GET", path).headers["etag"]}
    api("PUT", path, json={"credentials": TELEGRAM, "is_active": False})

    assert api("PUT", path, json={"credentials": TELEGRAM}, headers=seen).status_code == 412
    assert api("DELETE", path, headers=seen).status_code == 412
    assert api("GET", path).status_code == 200


def test_disconnected_platform_is_gone(api: Api, bot: str) -> None:
    connect(api, bot, "telegram")
    path = f"/api/bots/{bot}/platforms/telegram"

    answer = api("DELETE", path)

    assert (answer.status_code, answer.content) == (204, b"")
    assert api("GET", path).status_code == 404
    assert api("DELETE", path).status_code == 404
    assert api("PUT", path, json={"credentials": TELEGRAM}).status_code == 404


def test_list_holds_the_platforms_of_the_bot(api: Api, bot: str) -> None:
    for platform in GIVEN:
        connect(api, bot, platform)
    path = f"/api/bots/{bot}/platforms"

    first = api("GET", path, params={"limit": 3}).json()
    rest = api("GET", path, params={"limit": 3, "cursor": first["next_cursor"]}).json()

    assert [item["platform"] for item in first["items"]] == ["telegram", "viber", "webchat"]
    assert [item["platform"] for item in rest["items"]] == ["whatsapp"]
    assert rest["next_cursor"] is None
    assert api("GET", f"/api/bots/{api.bot()}/platforms").json() == {"items": [], "next_cursor": None}


def test_no_secret_is_in_any_answer_or_log(api: Api, bot: str, caplog: pytest.LogCaptureFixture) -> None:
    given = {
        "telegram": TELEGRAM | {"webhook_secret": "secret-of-telegram"},
        "whatsapp": WHATSAPP | {"verify_token": "secret-of-whatsapp"},
        "viber": VIBER,
    }
    secrets = [
        *(TELEGRAM["bot_token"], "secret-of-telegram"),
        *(WHATSAPP["access_token"], WHATSAPP["app_secret"], "secret-of-whatsapp"),
        VIBER["auth_token"],
    ]
    answers = []
    with caplog.at_level(logging.DEBUG):
        for platform, credentials in given.items():
            path = f"/api/bots/{bot}/platforms"
            body = {"platform": platform, "credentials": credentials}
            answers += [
                api("POST", path, json=body),
                api("POST", path, json=body),
                api("POST", path, json=body | {"credentials": credentials | {"odd": 1}}),
                api("POST", path, json=body | {"platform": credentials}),
                api("PUT", f"{path}/{platform}", json={"credentials": credentials}),
                api("GET", f"{path}/{platform}"),
                api("GET", path),
            ]

    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("botocore")]
    for secret in secrets:
        assert not [answer.text for answer in answers if secret in answer.text]
        assert not [line for line in ours if secret in line]
