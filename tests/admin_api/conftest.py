"""A small app of the factory's making, with a route for each way that things can go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, Response
from pydantic import Field

from shared.admin_api.access import SignedIn
from shared.admin_api.app import Guard, create_app
from shared.admin_api.fields import Description, Draft, Name
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.backend.accounts import ClaimedMemberships, User
from shared.backend.tokens import TokenVerifier
from shared.errors import (
    ConcurrentTurn,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Violation,
)
from tests.admin_api.gateway import client_of

GOOD = "good token"
ERRORS: dict[str, Exception] = {
    "not-found": NotFound("bot"),
    "unauthenticated": Unauthenticated("who?"),
    "forbidden": Forbidden("no"),
    "conflict": Conflict("there is one"),
    "invalid": Invalid("wrong", [Violation("/a/0", "is bad", "bad"), Violation("/b", "is worse")]),
    "too-large": TooLarge(10),
    "unavailable": Unavailable("the source", 15),
    "again": ConcurrentTurn("d"),
    "bug": RuntimeError("the password is hunter2"),
}


class Thing(Draft):
    server_fields = frozenset({"id"})

    name: Name
    note: Description = ""
    size: int = 0
    parts: list[dict[str, int]] = Field(default_factory=list)


class Verifier(TokenVerifier):
    """Knows one token; the issuer of another is silent."""

    def __init__(self) -> None:
        super().__init__({})

    def verify(self, token: str) -> User:
        match token:
            case "good token":
                return User("u", {})
            case "token of a silent issuer":
                raise Unavailable("the issuer's key set", 15)
        raise Unauthenticated("The token is not valid here.")


def routes() -> APIRouter:
    router = APIRouter(route_class=JsonRoute, dependencies=[Depends(SignedIn())])

    @router.post("/things")
    def make(thing: Thing) -> dict[str, Any]:
        return thing.model_dump()

    @router.get("/things")
    def things(page: PageAsked, status: str | None = None) -> Listing[int]:
        first = (page.start or {"next": 0})["next"]
        return Listing(**page.answer(list(range(first, first + page.limit)), {"next": first + page.limit}))

    @router.get("/things/{number}")
    def thing(number: int) -> int:
        return number

    @router.get("/tagged")
    def tagged(response: Response) -> str:
        response.headers["ETag"] = '"v1"'
        return "seen"

    @router.get("/others")
    def others(page: PageAsked) -> Listing[int]:
        return Listing(**page.answer([], None))

    @router.get("/errors/{name}")
    def error(name: str) -> None:
        raise ERRORS[name]

    return router


@pytest.fixture
def guard() -> Guard:
    return Guard(Verifier(), ClaimedMemberships(), lambda: b"a key of tests")


@pytest.fixture
def client(guard: Guard) -> Iterator[httpx.Client]:
    with client_of(create_app(routes(), guard)) as client:
        client.headers["Authorization"] = f"Bearer {GOOD}"
        yield client
