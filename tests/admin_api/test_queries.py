"""What an address does not take in its query is refused: a filter that is misspelt would filter nothing."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, Depends

from shared.admin_api.access import Public
from shared.admin_api.app import Guard, create_app
from shared.admin_api.json_route import JsonRoute
from tests.admin_api.gateway import client_of


@pytest.mark.parametrize(
    ("method", "path", "pointers", "words"),
    [
        ("GET", "/things?limit=1&statsu=active", ["/statsu"], "this address takes cursor, limit, status."),
        ("GET", "/things/7?a=1&b/c=2&a=3", ["/a", "/b~1c"], "this address takes nothing there."),
        ("POST", "/things?dry=1", ["/dry"], "this address takes nothing there."),
        ("GET", "/others?Limit=1", ["/Limit"], "this address takes cursor, limit."),
        ("GET", "/others?=1", ["/"], "this address takes cursor, limit."),
    ],
)
def test_parameter_that_an_address_does_not_take_is_refused(
    client: httpx.Client, method: str, path: str, pointers: list[str], words: str
) -> None:
    answer = client.request(method, path, json={"name": "a"})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert {error["message"] for error in answer.json()["errors"]} == {
        f"In the query: there is no such parameter here; {words}"
    }


def test_caller_without_a_good_token_is_told_only_that(client: httpx.Client) -> None:
    assert client.get("/things?a=1", headers={"Authorization": "Bearer bad"}).status_code == 401


def test_public_link_takes_whatever_others_have_hung_on_it(guard: Guard) -> None:
    router = APIRouter(route_class=JsonRoute, dependencies=[Depends(Public())])
    router.get("/shown")(lambda: "it")

    assert client_of(create_app(router, guard)).get("/shown?utm_source=mail").status_code == 200
