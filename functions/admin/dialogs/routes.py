"""Routes of dialogs."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime

from functions.admin.dialogs.schemas import DialogView, HistoryEntryView
from functions.admin.dialogs.selection import Selection, select
from shared.admin_api.access import Reach, bot_in_path, bots_of, id_in_path
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.backend.accounts import Role
from shared.dialog.state import Dialog, Status
from shared.errors import NotFound
from shared.storage.bots import Bot
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory

router = APIRouter(route_class=JsonRoute)

Platform = Literal["telegram", "whatsapp", "viber", "webchat"]


def _dialogs_of(request: Request) -> DynamoDialogs:
    dialogs: DynamoDialogs = request.app.state.dialogs
    return dialogs


def _history_of(request: Request) -> DynamoHistory:
    history: DynamoHistory = request.app.state.history
    return history


def _dialog_in_path(request: Request) -> tuple[str, Dialog]:
    dialog = _dialogs_of(request).load(id_in_path(request, "id"))
    if dialog is None:
        raise NotFound("dialog")
    return bots_of(request).get(dialog.bot_id).account_id, dialog


def _selection(
    platform: Platform | None = None,
    status: Status | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Selection:
    return Selection(platform, status, since, until)


Dialogs = Annotated[DynamoDialogs, Depends(_dialogs_of)]
History = Annotated[DynamoHistory, Depends(_history_of)]
ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("bot_id")))]
ReadableDialog = Annotated[Dialog, Depends(Reach(Role.VIEWER, "dialog", _dialog_in_path))]
Selected = Annotated[Selection, Depends(_selection)]


@router.get("/api/bots/{bot_id}/dialogs")
@router.get("/api/bots/{bot_id}/platforms/{platform}/dialogs")
def list_dialogs(
    bot: ReadableBot, selected: Selected, dialogs: Dialogs, page: PageAsked
) -> Listing[DialogView]:
    found = select(dialogs, bot.id, selected, page.limit, page.start)
    return Listing(**page.answer([DialogView.model_validate(dialog) for dialog in found.items], found.next))


@router.get("/api/dialogs/{id}")
def read_dialog(dialog: ReadableDialog) -> DialogView:
    return DialogView.model_validate(dialog)


@router.get("/api/dialogs/{id}/history")
def read_history(dialog: ReadableDialog, history: History, page: PageAsked) -> Listing[HistoryEntryView]:
    after = (page.start or {}).get("after", "")
    found = history.after(dialog.id, dialog.epoch, after, page.limit + 1)
    entries = found[: page.limit]
    end = {"after": entries[-1].key} if len(found) > page.limit else None
    return Listing(**page.answer([HistoryEntryView.model_validate(entry) for entry in entries], end))
