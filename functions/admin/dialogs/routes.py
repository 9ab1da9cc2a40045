"""Routes of dialogs."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from functions.admin.dialogs import results
from functions.admin.dialogs.acts import Acts, Chat, require_connected, require_known, require_open
from functions.admin.dialogs.reading import Order, Reading, read_page
from functions.admin.dialogs.results import Columns, ReadableBot
from functions.admin.dialogs.schemas import (
    Accepted,
    Beginning,
    DialogDraft,
    DialogView,
    Handover,
    HistoryEntryView,
    HistoryListing,
    OperatorMessage,
    Platform,
    Resumption,
)
from functions.admin.dialogs.selection import Selection, select
from shared.admin_api.access import Reach, bot_in_path, bots_of, id_in_path
from shared.admin_api.collaborators import collaborator
from shared.admin_api.fields import Moment
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.principal import principal_of
from shared.backend.accounts import Role
from shared.dialog.events import DeletionRequested, GivenBack, HandedOff, OperatorWrote, RunRequested
from shared.dialog.history import Author
from shared.dialog.state import Dialog, Status
from shared.errors import NotFound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.clock import utc_now
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory

router = APIRouter(route_class=JsonRoute)
router.routes.extend(results.router.routes)


_dialogs_of: Callable[[Request], DynamoDialogs] = collaborator("dialogs")
_history_of: Callable[[Request], DynamoHistory] = collaborator("history")


def _dialog_in_path(request: Request) -> tuple[str, Dialog]:
    dialog = _dialogs_of(request).load(id_in_path(request, "id"))
    if dialog is None:
        raise NotFound("dialog")
    return bots_of(request).get(dialog.bot_id).account_id, dialog


def _selection(
    platform: Platform | None = None,
    status: Status | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Selection:
    return Selection(platform, status, since, until)


def _reading(
    order: Order = "asc",
    message_type: Annotated[list[Author] | None, Query()] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Reading:
    return Reading(order, frozenset(message_type or ()), since, until)


def _acts_of(request: Request) -> Acts:
    return Acts(request.app.state.inbound, principal_of(request).user.id)


Bots = Annotated[DynamoBots, Depends(bots_of)]
Dialogs = Annotated[DynamoDialogs, Depends(_dialogs_of)]
History = Annotated[DynamoHistory, Depends(_history_of)]
ReadableDialog = Annotated[Dialog, Depends(Reach(Role.VIEWER, "dialog", _dialog_in_path))]
WritableBot = Annotated[Bot, Depends(Reach(Role.EDITOR, "bot", bot_in_path("bot_id")))]
WritableDialog = Annotated[Dialog, Depends(Reach(Role.EDITOR, "dialog", _dialog_in_path))]
ActsOfCaller = Annotated[Acts, Depends(_acts_of)]
Selected = Annotated[Selection, Depends(_selection)]


@router.get("/api/bots/{bot_id}/dialogs")
@router.get("/api/bots/{bot_id}/platforms/{platform}/dialogs")
def list_dialogs(
    bot: ReadableBot, selected: Selected, dialogs: Dialogs, page: PageAsked
) -> Listing[DialogView]:
    """Those with the latest activity first; `since` and `until` are by that."""
    found = select(dialogs, bot.id, selected, page.limit, page.start)
    return Listing(**page.answer([DialogView.model_validate(dialog) for dialog in found.items], found.next))


@router.get("/api/dialogs/{id}")
def read_dialog(dialog: ReadableDialog) -> DialogView:
    return DialogView.model_validate(dialog)


@router.delete("/api/dialogs/{id}", status_code=202)
def delete_dialog(dialog: WritableDialog, acts: ActsOfCaller) -> Accepted:
    """It goes with its history and the files that its person has sent; their next word begins a new one."""
    return acts.send(Chat.of(dialog), DeletionRequested, epoch=dialog.epoch)


@router.get("/api/dialogs/{id}/history")
def read_history(
    dialog: ReadableDialog,
    history: History,
    reading: Annotated[Reading, Depends(_reading)],
    page: PageAsked,
) -> HistoryListing:
    """What was said and done since the dialog began, or began anew after it was deleted."""
    found = read_page(history, dialog, reading, page.limit, page.start)
    entries = [HistoryEntryView.model_validate(entry) for entry in found.entries]
    return HistoryListing(**page.answer(entries, found.next), previous_cursor=page.cursor(found.previous))


@router.post("/api/bots/{bot_id}/dialogs", status_code=202)
def start_dialog(
    bot: WritableBot, draft: DialogDraft, acts: ActsOfCaller, columns: Columns, response: Response
) -> Accepted:
    """Begin a run with somebody, who need not have written yet where their messenger allows that."""
    require_connected(bot, draft.platform)
    require_known(draft.variables, bot, columns)
    chat = Chat.at(bot.id, draft.platform, draft.platform_chat_id)
    accepted = acts.send(chat, RunRequested, variables=draft.variables)
    response.headers["Location"] = f"/api/dialogs/{accepted.dialog_id}"
    return accepted


@router.post("/api/dialogs/{id}/messages", status_code=202)
def write_message(
    dialog: WritableDialog, message: OperatorMessage, acts: ActsOfCaller, bots: Bots
) -> Accepted:
    """Say something in the bot's place; the history tells how far it came."""
    require_connected(bots.get(dialog.bot_id), dialog.platform)
    require_open(dialog, utc_now())
    return acts.send(Chat.of(dialog), OperatorWrote, text=message.text)


@router.post("/api/dialogs/{id}/handoff", status_code=202)
def hand_off(dialog: WritableDialog, acts: ActsOfCaller, handover: Handover | None = None) -> Accepted:
    """Take the dialog over: the bot is silent until it is given back."""
    return acts.send(Chat.of(dialog), HandedOff, reason=(handover or Handover()).reason)


@router.post("/api/dialogs/{id}/resume", status_code=202)
def give_back(dialog: WritableDialog, acts: ActsOfCaller, resumption: Resumption | None = None) -> Accepted:
    """Let the bot go on after a hand-off."""
    return acts.send(Chat.of(dialog), GivenBack, step_id=(resumption or Resumption()).step)


@router.post("/api/dialogs/{id}/restart", status_code=202)
def restart(
    dialog: WritableDialog,
    acts: ActsOfCaller,
    bots: Bots,
    columns: Columns,
    beginning: Beginning | None = None,
) -> Accepted:
    """Begin a new run of the active scenario; one that is under way is abandoned."""
    bot, variables = bots.get(dialog.bot_id), (beginning or Beginning()).variables
    require_connected(bot, dialog.platform)
    require_known(variables, bot, columns)
    return acts.send(Chat.of(dialog), RunRequested, variables=variables)
