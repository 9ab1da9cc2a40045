"""Routes of bots."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response

from functions.admin.bots import llm, named_secrets, sync, usage
from functions.admin.bots.connections import Connections
from functions.admin.bots.deleting import Deleting
from functions.admin.bots.schemas import BotChange, BotDraft, BotView, Deletion
from shared.admin_api.access import Public, Reach, account_in_path, bot_in_path, bots_of
from shared.admin_api.address import base_url_of
from shared.admin_api.collaborators import collaborator
from shared.admin_api.document import document_response
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.versions import AS_KNOWN, IfMatchSent, tag
from shared.backend.accounts import Role
from shared.storage.bots import Bot, DynamoBots
from shared.storage.clock import utc_now

router = APIRouter(route_class=JsonRoute)
for _part in (llm, named_secrets, sync, usage):
    router.routes.extend(_part.router.routes)

Switch = Callable[[Bot, Bot], Bot]


def _switch_of(request: Request) -> Switch:
    """Tells the messengers of a bot that it was switched on or off, and gives the bot as it is now."""
    connections: Connections = request.app.state.switching

    def follow(before: Bot, after: Bot) -> Bot:
        connections.follow(before, after, partial(base_url_of, request))
        return after

    return follow


_deleting_of: Callable[[Request], Deleting] = collaborator("deleting")

Bots = Annotated[DynamoBots, Depends(bots_of)]
BotsDeleting = Annotated[Deleting, Depends(_deleting_of)]
Switching = Annotated[Switch, Depends(_switch_of)]
ReadableAccount = Annotated[str, Depends(Reach(Role.VIEWER, "account", account_in_path))]
WritableAccount = Annotated[str, Depends(Reach(Role.EDITOR, "account", account_in_path))]
ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("id")))]
WritableBot = Annotated[Bot, Depends(Reach(Role.EDITOR, "bot", bot_in_path("id")))]
AdministeredBot = Annotated[Bot, Depends(Reach(Role.ADMIN, "bot", bot_in_path("id")))]


@router.get("/api/openapi.json", dependencies=[Depends(Public())], responses=AS_KNOWN)
def read_openapi_document() -> Response:
    """This document."""
    return document_response()


@router.get("/api/accounts/{account_id}/bots")
def list_bots(account: ReadableAccount, bots: Bots, page: PageAsked) -> Listing[BotView]:
    found = bots.of_account(account, page.limit, page.start)
    return Listing(**page.answer([_view(bot) for bot in found.items], found.next))


@router.post("/api/accounts/{account_id}/bots", status_code=201)
def create_bot(account: WritableAccount, draft: BotDraft, bots: Bots, response: Response) -> BotView:
    now = utc_now()
    bot = Bot(id=str(uuid4()), account_id=account, **draft.model_dump(), created_at=now, updated_at=now)
    bots.create(bot)
    response.headers["Location"] = f"/api/bots/{bot.id}"
    return _tagged(response, bot)


@router.get("/api/bots/{id}")
def read_bot(bot: ReadableBot, response: Response) -> BotView:
    return _tagged(response, bot)


@router.put("/api/bots/{id}")
def replace_bot(
    bot: WritableBot,
    change: BotChange,
    if_match: IfMatchSent,
    bots: Bots,
    switch: Switching,
    response: Response,
) -> BotView:
    """All that its owner writes at once: what is not named takes its default, but for `is_active`."""
    if_match.check(_view(bot))
    fields: dict[str, Any] = change.model_dump(exclude_none=True)
    with if_match.guard():
        changed = bots.change(bot.id, met=bot.updated_at if if_match else None, **fields)
    return _tagged(response, switch(bot, changed))


@router.post("/api/bots/{id}/activate")
def activate_bot(bot: WritableBot, bots: Bots, switch: Switching, response: Response) -> BotView:
    """Let it answer; the webhooks that its deactivation took away are registered again."""
    return _tagged(response, switch(bot, bots.change(bot.id, is_active=True)))


@router.post("/api/bots/{id}/deactivate")
def deactivate_bot(bot: WritableBot, bots: Bots, switch: Switching, response: Response) -> BotView:
    """Let it answer nobody, and take its webhooks away at the messengers."""
    return _tagged(response, switch(bot, bots.change(bot.id, is_active=False)))


@router.delete("/api/bots/{id}", status_code=202)
def delete_bot(bot: AdministeredBot, if_match: IfMatchSent, deleting: BotsDeleting) -> Deletion:
    """The bot is gone at once, and cannot be brought back; what it has is removed within the hour or so."""
    if_match.check(_view(bot))
    with if_match.guard():
        return Deletion.model_validate(deleting.delete(bot.id, bot.updated_at if if_match else None))


def _view(bot: Bot) -> BotView:
    return BotView.model_validate(bot)


def _tagged(response: Response, bot: Bot) -> BotView:
    view = _view(bot)
    tag(response, view)
    return view
