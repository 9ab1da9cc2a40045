"""Secrets that scenarios may name: kept, listed by name and hint, and shown to nobody."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from shared.scenario import requests
from shared.storage.bot_settings import VALUE, DynamoBotSettings, name_of_secret
from shared.storage.sealing import KmsSealer
from tests.conftest import ENVIRONMENT, Aws
from tests.functions.admin.conftest import MODEL, Api

KEY = "-----BEGIN KEY-----\nMIIB\n-----END KEY-----"


def put(api: Api, bot: str, name: str, value: Any, **more: Any) -> httpx.Response:
    return api("PUT", f"/api/bots/{bot}/secrets/{name}", json={"value": value}, **more)


def listed(api: Api, bot: str, query: str = "") -> list[tuple[str, str]]:
    answer = api("GET", f"/api/bots/{bot}/secrets{query}", "viewer")
    return [(item["name"], item["value"]) for item in answer.json()["items"]]


def value_of(account: Aws, bot: str, name: str) -> str | None:
    """As the tasks worker reads it."""
    sealer = KmsSealer(lambda: account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])
    found = DynamoBotSettings(sealer).reveal(bot, name_of_secret(name))
    return None if found is None else found.secrets[VALUE]


@pytest.mark.parametrize("value", ["12345678", "short", KEY, "пароль с пробелами", "x" * 4096])
def test_secret_is_kept_whole_and_hinted_at(api: Api, aws_account: Aws, bot: str, value: str) -> None:
    made = put(api, bot, "crm_token", value)

    assert (made.status_code, made.headers["location"]) == (201, f"/api/bots/{bot}/secrets/crm_token")
    hint = value[-4:] if len(value) >= 8 else ""
    assert listed(api, bot) == [("crm_token", f"…{hint}")]
    assert made.json() == api("GET", f"/api/bots/{bot}/secrets").json()["items"][0]
    assert value_of(aws_account, bot, "crm_token") == value


def test_secret_is_replaced_under_its_name(api: Api, aws_account: Aws, bot: str) -> None:
    first = put(api, bot, "crm_token", "the-first-value")
    second = put(api, bot, "crm_token", "the-second-VALUE")

    assert (second.status_code, second.json()["value"]) == (200, "…ALUE")
    assert second.json()["created_at"] == first.json()["created_at"]
    assert value_of(aws_account, bot, "crm_token") == "the-second-VALUE"


def test_secret_that_is_sent_as_it_is_shown_stays(api: Api, aws_account: Aws, bot: str) -> None:
    put(api, bot, "crm_token", "the-first-value")

    assert put(api, bot, "crm_token", "…alue").status_code == 200
    assert put(api, bot, "crm_token", "…VALUE").status_code == 422
    assert put(api, bot, "other", "…alue").status_code == 422
    assert value_of(aws_account, bot, "crm_token") == "the-first-value"


WRONG = {
    "empty": "",
    "blank": "  ",
    "a space before": " value",
    "a line break after": "value\n",
    "NUL": "a\0b",
    "too long": "x" * 4097,
    "too long in UTF-8": "я" * 2049,
    "no text": 5,
    "null": None,
}


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_what_is_no_secret_is_refused(api: Api, bot: str, value: Any) -> None:
    answer = put(api, bot, "crm_token", value)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/value"]
    assert listed(api, bot) == []


@pytest.mark.parametrize("name", ["a", "CRM.token-2_x", "x" * 64, "..."])
def test_name_is_one_that_a_scenario_can_say(api: Api, bot: str, name: str) -> None:
    assert requests._SECRET.fullmatch(f"secret('{name}')")
    assert put(api, bot, name, "a-value").status_code == 201
    assert api("DELETE", f"/api/bots/{bot}/secrets/{name}").status_code == 204


@pytest.mark.parametrize("name", ["x" * 65, "a b", "ключ", "a'b", "a%00", "secret%23a"])
def test_name_that_no_scenario_can_say_is_refused(api: Api, bot: str, name: str) -> None:
    answer = put(api, bot, name, "a-value")

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]
    assert api("DELETE", f"/api/bots/{bot}/secrets/{name}").status_code == 404


def test_list_is_by_name_and_comes_a_page_at_a_time(api: Api, bot: str) -> None:
    api("PUT", f"/api/bots/{bot}/llm", json=MODEL)
    put(api, api.bot(), "of_another_bot", "a-value")
    for name in ("c", "a", "b"):
        put(api, bot, name, f"the-value-of-{name}")

    page = api("GET", f"/api/bots/{bot}/secrets?limit=2").json()
    rest = api("GET", f"/api/bots/{bot}/secrets?limit=2&cursor={page['next_cursor']}").json()

    assert [item["name"] for item in page["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None


def test_secret_that_was_deleted_is_gone(api: Api, aws_account: Aws, bot: str) -> None:
    put(api, bot, "crm_token", "a-value")

    assert api("DELETE", f"/api/bots/{bot}/secrets/crm_token").status_code == 204
    assert api("DELETE", f"/api/bots/{bot}/secrets/crm_token").status_code == 404
    assert listed(api, bot) == []
    assert value_of(aws_account, bot, "crm_token") is None


def test_change_of_a_version_that_is_no_more_is_refused(api: Api, aws_account: Aws, bot: str) -> None:
    seen = put(api, bot, "crm_token", "the-first-value").headers["etag"]
    put(api, bot, "crm_token", "the-second-value")

    stale = {"If-Match": seen}
    assert put(api, bot, "crm_token", "the-third-value", headers=stale).status_code == 412
    assert api("DELETE", f"/api/bots/{bot}/secrets/crm_token", headers=stale).status_code == 412
    assert value_of(aws_account, bot, "crm_token") == "the-second-value"
