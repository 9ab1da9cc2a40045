from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.storage.bots import DynamoBots
from tests.functions.admin.conftest import ACCOUNT, OTHER_ACCOUNT, Api, token_of

BOTS = f"/api/accounts/{ACCOUNT}/bots"


def test_bot_is_made_and_can_be_read_at_its_location(api: Api) -> None:
    made = api(
        "POST", BOTS, json={"name": "Onboarding", "description": "New people", "timezone": "Europe/Riga"}
    )
    read = api("GET", made.headers["location"])

    assert made.status_code == 201
    assert made.headers["location"] == f"/api/bots/{made.json()['id']}"
    assert read.json() == made.json()
    assert read.headers["etag"] == made.headers["etag"]


def test_bot_shows_the_fields_of_the_contract(api: Api) -> None:
    shown = api.create(BOTS, {"name": "Bot"})

    assert UUID(shown["id"]).version == 4
    assert shown["created_at"].endswith("Z")
    assert shown == {
        "id": shown["id"],
        "account_id": ACCOUNT,
        "name": "Bot",
        "description": "",
        "timezone": "UTC",
        "is_active": True,
        "active_scenario_id": None,
        "active_revision": None,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": "Bot", "timezone": "Mars/Olympus"}, "/timezone"),
        ({"name": "Bot", "timezone": "../../etc/passwd"}, "/timezone"),
        ({"name": "Bot", "timezone": "Europe"}, "/timezone"),
        ({"name": "Bot", "timezone": ""}, "/timezone"),
        ({"name": "Bot", "timezone": "a" * 5000}, "/timezone"),
        ({"name": "Bot", "timezone": "UTC\0"}, "/timezone"),
        ({"name": "Bot", "is_active": "yes"}, "/is_active"),
        ({"name": "Bot", "account_id": OTHER_ACCOUNT}, "/account_id"),
        ({"name": "Bot", "id": "1"}, "/id"),
    ],
    ids=repr,
)
def test_bot_that_is_not_valid_is_not_made(api: Api, body: dict[str, Any], pointer: str) -> None:
    answer = api("POST", BOTS, json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert api("GET", BOTS).json()["items"] == []


def test_a_long_description_is_told_in_characters(api: Api) -> None:
    (error,) = api("POST", BOTS, json={"name": "Bot", "description": "x" * 4001}).json()["errors"]
    assert error == {
        "pointer": "/description",
        "message": "String should have at most 4000 characters.",
        "code": "string_too_long",
    }


def test_null_is_no_description(api: Api) -> None:
    assert api.create(BOTS, {"name": "Bot", "description": None})["description"] == ""


def test_put_replaces_what_the_owner_writes(api: Api) -> None:
    bot = api.create(BOTS, {"name": "Bot", "description": "Words", "timezone": "Europe/Riga"})

    changed = api("PUT", f"/api/bots/{bot['id']}", json={"name": "Renamed"}).json()

    assert changed == bot | {
        "name": "Renamed",
        "description": "",
        "timezone": "UTC",
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > bot["updated_at"]


def test_what_was_read_can_be_put_back(api: Api, bot: str) -> None:
    shown = api("GET", f"/api/bots/{bot}").json()

    answer = api("PUT", f"/api/bots/{bot}", json=shown | {"name": "Renamed", "account_id": OTHER_ACCOUNT})

    assert answer.status_code == 200
    assert answer.json() | {"updated_at": None} == shown | {"name": "Renamed", "updated_at": None}


def test_put_leaves_the_switch_alone_unless_it_is_named(api: Api, bot: str) -> None:
    api("POST", f"/api/bots/{bot}/deactivate")

    assert api("PUT", f"/api/bots/{bot}", json={"name": "Bot"}).json()["is_active"] is False
    assert api("PUT", f"/api/bots/{bot}", json={"name": "Bot", "is_active": True}).json()["is_active"] is True


def test_bot_is_switched_off_and_on_however_often(api: Api, bot: str) -> None:
    for act, is_active in (
        ("deactivate", False),
        ("deactivate", False),
        ("activate", True),
        ("activate", True),
    ):
        answer = api("POST", f"/api/bots/{bot}/{act}")

        assert answer.status_code == 200
        assert answer.json()["is_active"] is is_active
        assert DynamoBots().is_active(bot) is is_active


def test_change_that_was_overtaken_is_refused(api: Api, bot: str) -> None:
    path = f"/api/bots/{bot}"
    seen = {"If-Match": api("GET", path).headers["etag"]}

    first = api("PUT", path, json={"name": "First"}, headers=seen)
    second = api("PUT", path, json={"name": "Second"}, headers=seen)

    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["type"] == "urn:parley:problem:changed"
    assert api("GET", path).json()["name"] == "First"
    again = {"If-Match": first.headers["etag"]}
    assert api("PUT", path, json={"name": "Second"}, headers=again).status_code == 200


def test_list_holds_the_bots_of_the_account_the_newest_first(api: Api) -> None:
    ours = [api.bot(name=f"Bot {n}") for n in range(5)]
    api.bot(OTHER_ACCOUNT, name="Not ours")

    pages: list[list[str]] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = api("GET", BOTS, params={"limit": 2, **more}).json()
        pages.append([item["id"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [bot for page in pages for bot in page] == ours[::-1]


def test_cursor_of_another_account_is_refused(api: Api) -> None:
    for _ in range(2):
        api.bot(OTHER_ACCOUNT)
    other = api("GET", f"/api/accounts/{OTHER_ACCOUNT}/bots?limit=1", token=token_of("viewer", OTHER_ACCOUNT))

    assert api("GET", BOTS, params={"cursor": other.json()["next_cursor"]}).status_code == 422
