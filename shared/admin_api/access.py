"""Authorization: every route names the role it takes, and how to find the account it concerns.

A route without either does not start (`app.create_app`). An object that is not there, one of a foreign
account and an id that is none are answered alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from uuid import UUID

from fastapi import Request

from shared.admin_api.principal import Principal, principal_of
from shared.backend.accounts import Role
from shared.errors import NotFound
from shared.storage.bots import Bot, DynamoBots

T = TypeVar("T")
Find = Callable[[Request], tuple[str, T]]
"""Finds what a request's path names: the id of its account, and the object. Raises `NotFound`."""


class Admission:
    """The base of what admits to a route, for `create_app` to look for."""


class Reach(Admission, Generic[T]):
    """A dependency: the object that the path names, for members of its account in that role or above."""

    def __init__(self, role: Role, what: str, find: Find[T]) -> None:
        self.role = role
        self._what = what
        self._find = find

    def __call__(self, request: Request) -> T:
        try:
            account_id, found = self._find(request)
        except NotFound:
            raise NotFound(self._what) from None
        principal_of(request).require(self.role, account_id, self._what)
        return found


class Public(Admission):
    """A dependency of routes that take no token: what they show is no secret, or has an unguessable name."""

    def __call__(self) -> None:
        return None


class SignedIn(Admission):
    """A dependency of routes that concern no account: whoever has a good token may come."""

    def __call__(self, request: Request) -> Principal:
        return principal_of(request)


def admitted_bot(principal: Principal, bots: DynamoBots, bot_id: str, role: Role) -> Bot:
    """The bot that something else than the path names, checked in the same way."""
    try:
        bot = bots.get(canonical(bot_id))
    except NotFound:
        raise NotFound("bot") from None
    principal.require(role, bot.account_id, "bot")
    return bot


def canonical(text: str) -> str:
    """A UUID in its usual spelling. Raises `NotFound` for what is none: nothing has such an id."""
    try:
        found = str(UUID(text))
    except ValueError:
        raise NotFound("it") from None
    if found != text.lower():
        raise NotFound("it")
    return found


def id_in_path(request: Request, parameter: str) -> str:
    return canonical(request.path_params[parameter])


def account_in_path(request: Request) -> tuple[str, str]:
    account_id = id_in_path(request, "account_id")
    return account_id, account_id


def bot_in_path(parameter: str) -> Find[Bot]:
    def find(request: Request) -> tuple[str, Bot]:
        bot = bots_of(request).get(id_in_path(request, parameter))
        return bot.account_id, bot

    return find


def bots_of(request: Request) -> DynamoBots:
    """The repository of bots, which every admin app has."""
    bots: DynamoBots = request.app.state.bots
    return bots
