"""What one account was given is of no use elsewhere: the cursors of its lists, and its idempotency keys."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from shared.admin_api.app import Guard
from shared.admin_api.document import DOCUMENT
from shared.admin_api.paging import Cursors
from tests.backend.tokens import claims, signed
from tests.functions.admin.conftest import ACCOUNT, OTHER_ACCOUNT, SCENARIO, TELEGRAM, Api, Talk, token_of
from tests.functions.admin.test_access import path_of

DESCRIBED: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
LISTS = [
    f"GET {path}"
    for path, item in DESCRIBED["paths"].items()
    if any(parameter.get("name") == "cursor" for parameter in item.get("get", {}).get("parameters", ()))
]
OTHER_ADMIN = token_of("admin", OTHER_ACCOUNT)
BOTH_ADMIN = signed(claims({ACCOUNT: "admin", OTHER_ACCOUNT: "admin"}))


@pytest.fixture
def other_ids(api: Api, ids: dict[str, str], talk: Talk) -> dict[str, str]:
    """As `ids`, of the other account."""
    bot = api.bot(OTHER_ACCOUNT)
    body = {"name": "Theirs", "scenario_data": SCENARIO}
    scenario = api("POST", f"/api/bots/{bot}/scenarios", token=OTHER_ADMIN, json=body).json()["id"]
    theirs = {"account": OTHER_ACCOUNT, "bot": bot, "scenario": scenario, "dialog": talk(bot).id}
    return ids | theirs


@pytest.mark.parametrize("route", LISTS)
def test_cursor_leads_on_in_its_own_list_alone(
    api: Api, guard: Guard, ids: dict[str, str], other_ids: dict[str, str], route: str
) -> None:
    path, their_path = path_of(route, ids), path_of(route, other_ids)
    cursor = Cursors(guard.signing_key).write(f"{path}?", {})
    asked = {"cursor": cursor}

    assert api("GET", path, token=OTHER_ADMIN, params=asked).status_code == 404
    assert api("GET", path, token=OTHER_ADMIN).content == (
        api("GET", path, token=OTHER_ADMIN, params=asked).content
    )
    for other in [their_path, *(path_of(other, ids) for other in LISTS if other != route)]:
        assert pointers_of(api("GET", other, token=BOTH_ADMIN, params=asked)) == ["/cursor"]
    for name, value in [("status", "active"), ("since", "2026-11-01T00:00:00Z")]:
        answer = api("GET", path, token=BOTH_ADMIN, params={**asked, name: value})
        assert pointers_of(answer) in (["/cursor"], [f"/{name}"])  # the latter where it is no filter


def pointers_of(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422
    return [error["pointer"] for error in answer.json()["errors"]]


def test_there_are_lists() -> None:
    assert len(LISTS) >= 7


def test_key_of_one_account_s_request_is_another_request_s_in_another(api: Api) -> None:
    body = {"name": "A bot"}
    headers = {"Idempotency-Key": "0c8d2f5e-3d43-4bd0-9a9c-0d6ff1f0b7a1"}
    paths = [f"/api/accounts/{account}/bots" for account in (ACCOUNT, OTHER_ACCOUNT)]
    made = [api("POST", path, token=BOTH_ADMIN, headers=headers, json=body) for path in paths]

    assert [answer.status_code for answer in made] == [201, 201]
    assert [answer.json()["account_id"] for answer in made] == [ACCOUNT, OTHER_ACCOUNT]
    assert all("idempotent-replayed" not in answer.headers for answer in made)


def test_key_tells_a_stranger_nothing_of_what_it_brought_about(api: Api, bot: str) -> None:
    path = f"/api/bots/{bot}/platforms"
    body = {"platform": "telegram", "credentials": TELEGRAM}
    headers = {"Idempotency-Key": "0c8d2f5e-3d43-4bd0-9a9c-0d6ff1f0b7a1"}
    first, again = (api("POST", path, headers=headers, json=body) for _ in range(2))
    foreign = api("POST", path, token=OTHER_ADMIN, headers=headers, json=body)
    demoted = api("POST", path, "editor", headers=headers, json=body)

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (foreign.status_code, demoted.status_code) == (404, 403)
    for answer in (foreign, demoted):
        assert first.json()["credentials"]["webhook_secret"] not in answer.text
