"""The admin API of a deployment whose memberships are in the account's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.admin_api.app import Guard
from shared.backend.configured_http import ConfiguredHttp
from shared.backend.kept import Kept, Patience
from shared.backend.keys import SharedSecret
from shared.backend.memberships import MembershipTable, StoredMemberships
from shared.backend.postgrest import PostgRest
from shared.backend.tokens import TokenVerifier
from shared.settings import AdminSettings
from tests.backend.tokens import SECRET, claims, signed
from tests.functions.admin.conftest import ACCOUNT, OTHER_ACCOUNT, Api
from tests.standins.postgrest import PostgRestServer, Table

TOKEN = signed(claims({OTHER_ACCOUNT: "admin"}))
"""It claims what the table does not say."""


@pytest.fixture
def server() -> Iterator[PostgRestServer]:
    row = {"user_id": claims()["sub"], "account_id": ACCOUNT, "role": "editor"}
    with PostgRestServer() as server:
        columns = {"user_id": "uuid", "account_id": "uuid", "role": "text"}
        server.tables["members"] = Table(columns, [row])
        yield server


@pytest.fixture
def guard(server: PostgRestServer) -> Guard:
    """Nothing is remembered, so that every request asks."""
    verifier = TokenVerifier({"HS256": SharedSecret(Kept("the secret", SECRET.encode))})
    rest = PostgRest(ConfiguredHttp(), server.url, server.key)
    table = MembershipTable.of(AdminSettings("bots", "cache", memberships_table="members"))
    every_time = Patience(fresh_seconds=0, stale_seconds=60, pause_seconds=0)
    return Guard(verifier, StoredMemberships(lambda: rest, table, every_time), lambda: b"a key of tests")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/api/accounts/{ACCOUNT}/bots", 200),
        ("GET", f"/api/accounts/{OTHER_ACCOUNT}/bots", 404),
    ],
)
def test_the_table_says_who_may_come_in(api: Api, method: str, path: str, status: int) -> None:
    assert api(method, path, token=TOKEN).status_code == status


def test_the_table_says_in_which_role(api: Api, server: PostgRestServer) -> None:
    made = api("POST", f"/api/accounts/{ACCOUNT}/bots", token=TOKEN, json={"name": "A bot"})
    assert made.status_code == 201
    bot = f"/api/bots/{made.json()['id']}"
    assert api("DELETE", bot, token=TOKEN).status_code == 403
    server.tables["members"].rows.clear()
    assert api("GET", bot, token=TOKEN).status_code == 404


def test_a_database_that_is_down_opens_no_door(api: Api, server: PostgRestServer) -> None:
    server.fail_next(503, {"message": "down"})
    answer = api("GET", f"/api/accounts/{OTHER_ACCOUNT}/bots", token=TOKEN)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 0
