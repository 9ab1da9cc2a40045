from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, Response

from shared.admin_api.access import Public, SignedIn
from shared.admin_api.app import Guard, create_app
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.principal import Principal
from tests.admin_api.gateway import client_of


def nothing() -> None:
    """A route that admits whoever comes."""


def of_a_principal(principal: Annotated[Principal, Depends(SignedIn())]) -> None:
    """A route that says whom it admits."""


def test_app_with_a_route_that_admits_whoever_comes_does_not_start(guard: Guard) -> None:
    router = APIRouter(route_class=JsonRoute)
    router.get("/said")(of_a_principal)
    router.get("/forgotten")(nothing)

    with pytest.raises(TypeError, match="/forgotten does not say whom it admits"):
        create_app(router, guard)


def test_app_with_a_route_of_another_class_does_not_start(guard: Guard) -> None:
    router = APIRouter()
    router.get("/said")(of_a_principal)

    with pytest.raises(TypeError, match="not an ApiRoute"):
        create_app(router, guard)


def test_app_with_a_route_that_is_public_and_not_does_not_start(guard: Guard) -> None:
    router = APIRouter(route_class=JsonRoute, dependencies=[Depends(Public())])
    router.get("/torn")(of_a_principal)

    with pytest.raises(TypeError, match="/torn is public, and yet asks"):
        create_app(router, guard)


def test_public_route_takes_no_token_and_opens_no_other(guard: Guard) -> None:
    router = APIRouter(route_class=JsonRoute)

    @router.get("/shown/{name}", dependencies=[Depends(Public())])
    def show(name: str, response: Response) -> str:
        response.headers["Cache-Control"] = "public, max-age=60"
        return name

    router.post("/shown/{name}")(of_a_principal)
    client = client_of(create_app(router, guard))
    shown = client.get("/shown/it", headers={"Authorization": "Bearer bad"})

    assert (shown.status_code, shown.json(), shown.headers["cache-control"]) == (
        200,
        "it",
        "public, max-age=60",
    )
    for method, path in [("POST", "/shown/it"), ("HEAD", "/shown/it"), ("GET", "/shown/it/more")]:
        assert client.request(method, path).status_code == 401


def test_public_route_opens_no_other_that_takes_the_same_address(guard: Guard) -> None:
    router = APIRouter(route_class=JsonRoute)
    router.get("/things/{name}")(of_a_principal)
    router.get("/things/shown", dependencies=[Depends(Public())])(nothing)

    assert client_of(create_app(router, guard)).get("/things/shown").status_code == 401


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/things/", "/"])
def test_app_has_no_routes_of_its_own(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:parley:problem:not-found"


def test_method_that_an_address_does_not_take_is_told_which_it_does(client: httpx.Client) -> None:
    answer = client.delete("/things")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert answer.json()["detail"] == "This address takes GET, POST."


def test_answers_are_not_kept_by_caches(client: httpx.Client) -> None:
    for answer in (client.get("/things"), client.get("/nowhere")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
