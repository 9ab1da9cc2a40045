"""Routes of the secrets that a bot's scenarios may name: `{{ secret('name') }}`."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator

from functions.admin.bots.settings import Editing, ReadableBot, Settings, settings_of
from shared.admin_api.access import Reach, bot_in_path
from shared.admin_api.fields import Draft, View
from shared.admin_api.hints import masked, sent_anew
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.versions import tag
from shared.backend.accounts import Role
from shared.errors import Invalid, NotFound, Violation
from shared.storage.bot_settings import VALUE, StoredSettings, name_of_secret, secret_name_of
from shared.storage.bots import Bot

MAX_BYTES: Final = 4096

_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}", re.ASCII)
_NOT_A_NAME: Final = (
    "In the path: a secret's name has 1 to 64 letters, digits, dots, hyphens and underscores."
)

router = APIRouter(route_class=JsonRoute)


def _as_it_is_sent_on(value: str) -> str:
    """Text with nothing around it: what is pasted with a line break at its end would fail far from here."""
    if not value or value != value.strip():
        raise ValueError("a secret has a first and a last character that are neither spaces nor line breaks")
    if "\0" in value or len(value.encode(errors="replace")) > MAX_BYTES:
        raise ValueError(f"a secret has no NUL in it, and at most {MAX_BYTES} bytes")
    return value


class SecretChange(Draft):
    """A secret's value: a key, a token, a password."""

    value: Annotated[str, AfterValidator(_as_it_is_sent_on)]


class SecretView(View):
    """A secret. Of its value only the last characters are shown."""

    name: str
    value: str
    created_at: datetime
    updated_at: datetime


def _secret_in_path(request: Request) -> tuple[str, tuple[Bot, str, StoredSettings | None]]:
    """The bot, the secret's name, and the secret if there is one."""
    account_id, bot = bot_in_path("bot_id")(request)
    name = request.path_params["name"]
    found = settings_of(request).find(bot.id, name_of_secret(name)) if _NAME.fullmatch(name) else None
    return account_id, (bot, name, found)


Place = Annotated[
    tuple[Bot, str, StoredSettings | None], Depends(Reach(Role.ADMIN, "secret", _secret_in_path))
]


@router.get("/api/bots/{bot_id}/secrets")
def list_secrets(bot: ReadableBot, settings: Settings, page: PageAsked) -> Listing[SecretView]:
    found = settings.secrets(bot.id, page.limit, page.start)
    return Listing(**page.answer([_view(secret) for secret in found.items], found.next))


@router.put("/api/bots/{bot_id}/secrets/{name}", responses={201: {"model": SecretView}})
def set_secret(place: Place, change: SecretChange, edit: Editing, response: Response) -> SecretView:
    """Keep a value under the name, in the place of any other. Steps use it within half a minute."""
    bot, name, current = place
    if not _NAME.fullmatch(name):
        raise Invalid("The secret cannot have this name.", [Violation("/name", _NOT_A_NAME)])
    edit.check(current, _view)
    value = sent_anew(change.value, current.hints[VALUE] if current else None, "/value")
    secrets = None if value is None else {VALUE: value}
    view = _view(edit.put((bot.id, name_of_secret(name)), current, {}, secrets))
    tag(response, view)
    return view


@router.delete("/api/bots/{bot_id}/secrets/{name}", status_code=204)
def delete_secret(place: Place, edit: Editing) -> None:
    """Forget the secret; steps that name it go on at their `on_error`."""
    _, _, current = place
    if current is None:
        raise NotFound("secret")
    edit.check(current, _view)
    edit.delete(current)


def _view(stored: StoredSettings) -> SecretView:
    return SecretView(
        name=secret_name_of(stored.name),
        value=masked(stored.hints[VALUE]),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
