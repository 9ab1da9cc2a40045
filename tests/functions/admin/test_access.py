"""Who may do what: every route, for every kind of caller."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from infra.openapi.routes import PUBLIC, admin_routes
from tests.backend.tokens import claims, signed, unsigned
from tests.functions.admin.conftest import (
    ACCOUNT,
    MODEL,
    NAMED_SECRET,
    OTHER_ACCOUNT,
    SCENARIO,
    SYNC,
    TELEGRAM,
    Api,
    token_of,
)


@dataclass(frozen=True)
class Entry:
    """What a route answers to those who may, and the least role that may.

    None: anybody with a token; "public": anybody at all.
    """

    status: int
    role: str | None
    body: Any = None


ROUTES: dict[str, Entry] = {
    "GET /api/openapi.json": Entry(200, "public"),
    "GET /api/accounts/{account_id}/bots": Entry(200, "viewer"),
    "POST /api/accounts/{account_id}/bots": Entry(201, "editor", {"name": "Bot"}),
    "GET /api/bots/{id}": Entry(200, "viewer"),
    "PUT /api/bots/{id}": Entry(200, "editor", {"name": "Bot"}),
    "DELETE /api/bots/{id}": Entry(202, "admin"),
    "POST /api/bots/{id}/activate": Entry(200, "editor"),
    "POST /api/bots/{id}/deactivate": Entry(200, "editor"),
    "GET /api/bots/{bot_id}/llm": Entry(200, "viewer"),
    "PUT /api/bots/{bot_id}/llm": Entry(200, "admin", MODEL),
    "DELETE /api/bots/{bot_id}/llm": Entry(204, "admin"),
    "GET /api/bots/{bot_id}/secrets": Entry(200, "viewer"),
    "PUT /api/bots/{bot_id}/secrets/{name}": Entry(200, "admin", {"value": NAMED_SECRET}),
    "DELETE /api/bots/{bot_id}/secrets/{name}": Entry(204, "admin"),
    "GET /api/bots/{bot_id}/sync": Entry(200, "viewer"),
    "PUT /api/bots/{bot_id}/sync": Entry(200, "admin", SYNC),
    "DELETE /api/bots/{bot_id}/sync": Entry(204, "admin"),
    "POST /api/bots/{bot_id}/sync/test": Entry(202, "admin"),
    "GET /api/bots/{bot_id}/sync/refused": Entry(200, "viewer"),
    "POST /api/bots/{bot_id}/sync/refused/redrive": Entry(202, "admin"),
    "GET /api/bots/{bot_id}/usage": Entry(200, "viewer"),
    "GET /api/bots/{bot_id}/platforms": Entry(200, "viewer"),
    "POST /api/bots/{bot_id}/platforms": Entry(201, "admin", {"platform": "webchat", "credentials": {}}),
    "GET /api/bots/{bot_id}/platforms/{platform}": Entry(200, "viewer"),
    "PUT /api/bots/{bot_id}/platforms/{platform}": Entry(200, "admin", {"credentials": TELEGRAM}),
    "DELETE /api/bots/{bot_id}/platforms/{platform}": Entry(204, "admin"),
    "POST /api/bots/{bot_id}/platforms/{platform}/connect": Entry(200, "admin"),
    "GET /api/bots/{bot_id}/scenarios": Entry(200, "viewer"),
    "POST /api/bots/{bot_id}/scenarios": Entry(201, "editor", {"name": "S", "scenario_data": SCENARIO}),
    "POST /api/scenarios/validate": Entry(200, None, {"scenario_data": SCENARIO}),
    "GET /api/scenarios/{id}": Entry(200, "viewer"),
    "PUT /api/scenarios/{id}": Entry(200, "editor", {"name": "S", "scenario_data": SCENARIO}),
    "DELETE /api/scenarios/{id}": Entry(409, "editor"),  # it is the active one, which stays
    "POST /api/scenarios/{id}/activate": Entry(200, "editor"),
    "POST /api/scenarios/{id}/simulate": Entry(200, "viewer", {"acts": [{"send": "/start"}]}),
    "POST /api/scenarios/{id}/preview": Entry(200, "viewer", {"step": "ask_name"}),
    "POST /api/scenarios/{id}/test": Entry(200, "viewer"),
    "GET /api/scenarios/{id}/revisions": Entry(200, "viewer"),
    "GET /api/scenarios/{id}/revisions/{revision}": Entry(200, "viewer"),
    "GET /api/bots/{bot_id}/dialogs": Entry(200, "viewer"),
    "GET /api/bots/{bot_id}/platforms/{platform}/dialogs": Entry(200, "viewer"),
    "POST /api/bots/{bot_id}/dialogs": Entry(
        202, "editor", {"platform": "telegram", "platform_chat_id": "42"}
    ),
    "GET /api/bots/{bot_id}/results": Entry(200, "viewer"),
    "POST /api/bots/{bot_id}/exports": Entry(202, "viewer", {"format": "csv"}),
    "GET /api/exports/{id}": Entry(200, "viewer"),
    "POST /api/dialogs/{id}/messages": Entry(202, "editor", {"text": "Hello"}),
    "POST /api/dialogs/{id}/handoff": Entry(202, "editor"),
    "POST /api/dialogs/{id}/resume": Entry(202, "editor"),
    "POST /api/dialogs/{id}/restart": Entry(202, "editor"),
    "GET /api/bots/{bot_id}/media": Entry(200, "viewer"),
    "POST /api/bots/{bot_id}/media": Entry(201, "editor", {"file_name": "a.png", "size": 3}),
    "GET /api/media/{id}": Entry(200, "viewer"),
    "POST /api/media/{id}/complete": Entry(200, "editor"),
    "DELETE /api/media/{id}": Entry(204, "editor"),
    "GET /media/{media_id}/{key}/{file_name}": Entry(302, "public"),
    "GET /api/dialogs/{id}": Entry(200, "viewer"),
    "DELETE /api/dialogs/{id}": Entry(202, "editor"),
    "GET /api/dialogs/{id}/history": Entry(200, "viewer"),
}

OPEN = [route for route, entry in ROUTES.items() if entry.role == "public"]
CLOSED = [route for route in ROUTES if route not in OPEN]
WITHIN_AN_ACCOUNT = [route for route in CLOSED if ROUTES[route].role is not None]

KINDS = ("account", "bot", "scenario", "dialog", "export", "media")
"""What the id in a route's path may be of."""

ROLES = ("viewer", "editor", "admin")

SPELLINGS = (
    "{path}/",
    "/{path}",
    "{path}//",
    "{path}%2F",
    "{path}%00",
    "{path}/%2e",
    "{path}?x=/api/openapi.json",
    "{path}%3F/api/openapi.json",
    "{path};/api/openapi.json",
    "{path}%23/api/openapi.json",
    "{path}/openapi.json",
    "/api/openapi.json/%2e%2e/%2e%2e{path}",
    "/api/openapi.json%00{path}",
    "/media/%2e%2e{path}",
    "/media/1/2/%2e%2e%2F%2e%2e%2F%2e%2e{path}",
    "/media/1/2/3{path}",
)
"""Addresses that something on the way, or careless code, could take for that path, or for a public one."""

STRANGERS: dict[str, dict[str, str]] = {
    "no token": {},
    "another scheme": {"Authorization": "Basic YWRtaW46YWRtaW4="},
    "no token after Bearer": {"Authorization": "Bearer "},
    "garbage": {"Authorization": "Bearer garbage"},
    "expired": {"Authorization": f"Bearer {signed(claims({ACCOUNT: 'admin'}, exp=int(time.time()) - 1))}"},
    "wrong signature": {"Authorization": f"Bearer {signed(claims({ACCOUNT: 'admin'}), 'x' * 40)}"},
    "none": {"Authorization": f"Bearer {unsigned(claims({ACCOUNT: 'admin'}))}"},
    "wrong audience": {"Authorization": f"Bearer {signed(claims({ACCOUNT: 'admin'}, aud='anon'))}"},
}


def path_of(route: str, ids: dict[str, str]) -> str:
    """The route's path with things in it that there are."""
    path = route.partition(" ")[2]
    kind = path.split("/")[2].removesuffix("s")
    places = {"account_id": ids["account"], "bot_id": ids["bot"], "platform": "telegram", "revision": "1"}
    link = {"media_id": ids["media"], "key": "k", "file_name": "a.png", "name": "crm_token"}
    return path.format(id=ids.get(kind, ""), **places, **link)


def ask(api: Api, route: str, path: str, **more: Any) -> Any:
    entry = ROUTES[route]
    body = {} if entry.body is None else {"json": entry.body}
    return api(route.partition(" ")[0], path, None, **body, **more)


def test_every_route_of_the_code_has_an_entry() -> None:
    roles = {each.key: each.role for each in admin_routes()}

    assert roles.keys() == ROUTES.keys()
    assert {route for route, role in roles.items() if role == PUBLIC} == set(OPEN)


@pytest.mark.parametrize("route", OPEN)
def test_public_route_answers_whoever_comes(api: Api, ids: dict[str, str], route: str) -> None:
    answers = [ask(api, route, path_of(route, ids), headers=headers) for headers in STRANGERS.values()]

    assert {answer.status_code for answer in answers} == {ROUTES[route].status}


@pytest.mark.parametrize("route", CLOSED)
def test_no_route_answers_a_stranger(api: Api, route: str) -> None:
    ids = dict.fromkeys(KINDS, str(uuid4()))
    for headers in STRANGERS.values():
        answer = ask(api, route, path_of(route, ids), headers=headers)

        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_no_way_of_writing_an_address_opens_it_to_a_stranger(api: Api) -> None:
    ids = dict.fromkeys(KINDS, str(uuid4()))
    for path in (path_of(route, ids) for route in CLOSED if route.startswith("GET")):
        client = api.client_for(path)
        for spelling in SPELLINGS:
            assert client.get(spelling.format(path=path)).status_code == 401, (path, spelling)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "TRACE", "QUERY"])
def test_no_other_method_opens_an_address_to_a_stranger(api: Api, method: str) -> None:
    overridden = {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/api/openapi.json"}
    ids = dict.fromkeys(KINDS, str(uuid4()))
    for path in (path_of(route, ids) for route in OPEN + CLOSED[::6]):
        answer = api.client_for(path).request(method, path, headers=overridden)

        assert answer.status_code == 401, path


@pytest.mark.parametrize("route", CLOSED)
def test_route_takes_its_role_or_a_higher_one(api: Api, ids: dict[str, str], route: str) -> None:
    entry, path = ROUTES[route], path_of(route, ids)
    least = ROLES.index(entry.role or "viewer")
    statuses = {role: ask(api, route, path, token=token_of(role)).status_code for role in ROLES}

    assert [statuses[role] for role in ROLES[:least]] == [403] * least
    assert statuses[ROLES[least]] == entry.status
    assert not {401, 403} & {statuses[role] for role in ROLES[least:]}


@pytest.mark.parametrize("route", WITHIN_AN_ACCOUNT)
def test_foreign_account_looks_as_if_it_were_not_there(api: Api, ids: dict[str, str], route: str) -> None:
    token = token_of("admin", OTHER_ACCOUNT)
    unknown = dict.fromkeys(ids, str(uuid4()))

    foreign_answer = ask(api, route, path_of(route, ids), token=token)
    unknown_answer = ask(api, route, path_of(route, unknown), token=token)

    assert foreign_answer.status_code == unknown_answer.status_code == 404
    assert foreign_answer.content == unknown_answer.content


@pytest.mark.parametrize("route", [route for route in ROUTES if "id}" in route])
def test_id_that_is_none_is_not_found(api: Api, route: str) -> None:
    for odd in (
        "1",
        "%00",
        "{7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a001}",
        "%C3%A9",
        "%ED%A0%80",
        "a" * 5000,
        "''",
    ):
        path = path_of(route, dict.fromkeys(KINDS, odd))

        assert ask(api, route, path, token=token_of("admin")).status_code == 404


@pytest.mark.parametrize("route", [route for route in ROUTES if route.endswith("{platform}")])
def test_platform_that_is_none_is_not_found(api: Api, ids: dict[str, str], route: str) -> None:
    path = path_of(route, ids).replace("telegram", "icq")

    assert ask(api, route, path, token=token_of("admin")).status_code == 404


def test_member_without_a_role_that_is_known_is_a_stranger(api: Api, bot: str) -> None:
    assert api("GET", f"/api/bots/{bot}", token=token_of("owner")).status_code == 404


def test_bot_named_in_a_body_is_checked_like_one_in_a_path(api: Api, bot: str) -> None:
    body = {"scenario_data": SCENARIO, "bot_id": bot}
    path = "/api/scenarios/validate"

    assert api("POST", path, "viewer", json=body).status_code == 200
    assert api("POST", path, token=token_of("admin", OTHER_ACCOUNT), json=body).status_code == 404
    assert api("POST", path, json={**body, "bot_id": str(uuid4())}).status_code == 404
    assert api("POST", path, json={**body, "bot_id": "x"}).status_code == 404
