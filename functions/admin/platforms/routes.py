"""Routes of the platforms of a bot."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from functions.admin.platforms.connecting import Connections
from functions.admin.platforms.credentials import CREDENTIALS, Prepared, identity_of, prepare
from functions.admin.platforms.schemas import (
    ConnectionView,
    PlatformChange,
    PlatformDraft,
    PlatformView,
    connection_view_of,
    view_of,
)
from shared.admin_api.access import Reach, bot_in_path
from shared.admin_api.address import base_url_of
from shared.admin_api.collaborators import collaborator
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.versions import IfMatchSent, changed, tag
from shared.backend.accounts import Role
from shared.credential import Credential
from shared.errors import Conflict, Invalid, NotFound, Violation
from shared.storage.bots import Bot
from shared.storage.credentials import DynamoCredentials, StoredCredential

router = APIRouter(route_class=JsonRoute)

_TAKEN = (
    "Another bot is connected to this account of {}. Disconnect that one first, or connect another account."
)
_EXISTS = "The bot is connected to {} already. Change the connection with PUT, or DELETE it first."
_OVERTAKEN = "The connection was changed by somebody else at the same time. Read it again, then change that."


_credentials_of: Callable[[Request], DynamoCredentials] = collaborator("credentials")
_connections_of: Callable[[Request], Connections] = collaborator("connections")


def _connected_bot_in_path(request: Request) -> tuple[str, tuple[Bot, StoredCredential]]:
    account_id, bot = bot_in_path("bot_id")(request)
    platform = request.path_params["platform"]
    if platform not in CREDENTIALS:
        raise NotFound("platform")
    return account_id, (bot, _credentials_of(request).get(bot.id, platform))


def _connection_in_path(request: Request) -> tuple[str, StoredCredential]:
    account_id, (_, stored) = _connected_bot_in_path(request)
    return account_id, stored


BaseUrl = Annotated[str, Depends(base_url_of)]
Connecting = Annotated[Connections, Depends(_connections_of)]
Stored = Annotated[DynamoCredentials, Depends(_credentials_of)]
ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("bot_id")))]
AdministeredBot = Annotated[Bot, Depends(Reach(Role.ADMIN, "bot", bot_in_path("bot_id")))]
Readable = Annotated[StoredCredential, Depends(Reach(Role.VIEWER, "platform", _connection_in_path))]
Administered = Annotated[StoredCredential, Depends(Reach(Role.ADMIN, "platform", _connection_in_path))]
AdministeredWithBot = Annotated[
    tuple[Bot, StoredCredential], Depends(Reach(Role.ADMIN, "platform", _connected_bot_in_path))
]


@router.get("/api/bots/{bot_id}/platforms")
def list_platforms(bot: ReadableBot, stored: Stored, page: PageAsked) -> Listing[PlatformView]:
    after = (page.start or {}).get("platform", "")
    rest = [view_of(found) for found in stored.of_bot(bot.id) if found.platform > after]
    items = rest[: page.limit]
    return Listing(**page.answer(items, {"platform": items[-1].platform} if items != rest else None))


@router.post("/api/bots/{bot_id}/platforms", status_code=201)
def connect_platform(
    bot: AdministeredBot, draft: PlatformDraft, stored: Stored, response: Response
) -> PlatformView:
    """Keep a credential. The messenger hears of it by `…/connect`."""
    ready = prepare(draft.platform, draft.credentials, kept={}, hints={})
    try:
        made = stored.create(
            bot.id, draft.platform, ready.settings, ready.secret_fields, draft.is_active, ready.identity
        )
    except Conflict:
        words = _EXISTS if draft.platform in _platforms_of(bot, stored) else _TAKEN
        raise Conflict(words.format(draft.platform)) from None
    response.headers["Location"] = f"/api/bots/{bot.id}/platforms/{draft.platform}"
    return _with_what_was_made(_tagged(response, made), ready)


@router.get("/api/bots/{bot_id}/platforms/{platform}")
def read_platform(connection: Readable, response: Response) -> PlatformView:
    return _tagged(response, connection)


@router.put("/api/bots/{bot_id}/platforms/{platform}")
def replace_platform(
    met: Administered,
    change: PlatformChange,
    if_match: IfMatchSent,
    connections: Connecting,
    response: Response,
) -> PlatformView:
    """All that its owner writes at once. A secret that is sent as it is shown stays as it is."""
    if_match.check(view_of(met))
    stored = connections.credentials
    before, ready = _prepared(met, change, stored)
    is_active = met.is_active if change.is_active is None else change.is_active
    place = (met.bot_id, met.platform)
    try:
        replaced = stored.replace(
            *place, ready.settings, ready.secret_fields, is_active, ready.identity, met=met.updated_at
        )
    except Conflict:
        if stored.get(*place).updated_at == met.updated_at:
            raise Conflict(_TAKEN.format(met.platform)) from None
        raise (changed() if if_match else Conflict(_OVERTAKEN)) from None
    if ready.identity != identity_of(before) or (met.is_active and not is_active):
        connections.leave(before)
        replaced = stored.get(*place)
    return _with_what_was_made(_tagged(response, replaced), ready)


@router.delete("/api/bots/{bot_id}/platforms/{platform}", status_code=204)
def disconnect_platform(connection: Administered, if_match: IfMatchSent, connections: Connecting) -> None:
    """Forget the credential, and have the messenger call the bot no more."""
    if_match.check(view_of(connection))
    connections.delete(connection)


@router.post("/api/bots/{bot_id}/platforms/{platform}/connect")
def register_webhook(
    found: AdministeredWithBot, connections: Connecting, base_url: BaseUrl
) -> ConnectionView:
    """Check the credential with the messenger, and have it call the bot. Twice does no harm."""
    bot, stored = found
    return connection_view_of(*connections.connect(bot, stored.platform, base_url))


def _prepared(
    met: StoredCredential, change: PlatformChange, stored: DynamoCredentials
) -> tuple[Credential, Prepared]:
    """The credential as it was, and the settings that take the place of its own."""
    if change.platform not in {None, met.platform}:
        words = f"This is the address of {met.platform}; a connection cannot become one of another platform."
        raise Invalid("The platform is not the one in the address.", [Violation("/platform", words)])
    revealed = stored.reveal(met.bot_id, met.platform)
    if revealed is None:
        raise NotFound("platform")
    return revealed, prepare(met.platform, change.credentials, revealed.settings, met.hints)


def _platforms_of(bot: Bot, stored: DynamoCredentials) -> set[str]:
    return {found.platform for found in stored.of_bot(bot.id)}


def _tagged(response: Response, stored: StoredCredential) -> PlatformView:
    view = view_of(stored)
    tag(response, view)
    return view


def _with_what_was_made(view: PlatformView, ready: Prepared) -> PlatformView:
    """The one answer that shows secrets of the server's making."""
    made = {name: ready.settings[name] for name in ready.made}
    return view.model_copy(update={"credentials": {**view.credentials, **made}})
