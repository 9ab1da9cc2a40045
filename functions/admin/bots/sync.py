"""Routes of the main system that a bot's runs go to, and that knows its people."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Annotated, Final
from uuid import uuid4

from fastapi import APIRouter, Depends, Response

from functions.admin.bots.main_systems import CHECKING, MainSystems
from functions.admin.bots.settings import AdministeredBot, Editing, ReadableBot, settings_in_path
from functions.admin.bots.sync_schemas import (
    RedriveView,
    RefusalView,
    SyncChange,
    SyncView,
    WebhookSent,
    sync_view_of,
)
from shared.admin_api.access import Reach
from shared.admin_api.collaborators import collaborator, handed_to
from shared.admin_api.hints import sent_anew
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.problems import pointer
from shared.admin_api.versions import tag
from shared.backend.accounts import Role
from shared.backend.sync.settings import SECRETS
from shared.backend.sync.webhook import PREFIX
from shared.queueing.envelopes import SyncRedriveEnvelope
from shared.queueing.producer import SqsSyncs
from shared.storage.bot_settings import SYNC, StoredSettings
from shared.storage.clock import utc_now
from shared.storage.refusals import DynamoRefusals

router = APIRouter(route_class=JsonRoute)

_SECRET_BYTES: Final = 32

Syncs = Annotated[SqsSyncs, Depends(collaborator("syncs"))]
Refusals = Annotated[DynamoRefusals, Depends(collaborator("refusals"))]
Systems = Annotated[MainSystems, Depends(collaborator("main_systems"))]
Readable = Annotated[StoredSettings, Depends(Reach(Role.VIEWER, "sync", settings_in_path(SYNC)))]
Administered = Annotated[StoredSettings, Depends(Reach(Role.ADMIN, "sync", settings_in_path(SYNC)))]


@router.get("/api/bots/{bot_id}/sync")
def read_sync(stored: Readable, response: Response) -> SyncView:
    return _tagged(response, stored)


@router.put("/api/bots/{bot_id}/sync", responses={201: {"model": SyncView}})
def set_sync(
    bot: AdministeredBot, change: SyncChange, edit: Editing, systems: Systems, response: Response
) -> SyncView:
    """All of it at once; then the main system is looked at, and `health` tells what was found.

    A secret that is left out, or sent as it is shown, stays as it is; where it would go to another address,
    it is needed anew.
    """
    current = edit.settings.find(bot.id, SYNC)
    edit.check(current, sync_view_of)
    systems.require_right(change, bot)
    secret, made = _secret(change, current)
    stored = edit.put((bot.id, SYNC), current, change.public(), secret, CHECKING)
    systems.follow(bot.id)
    view = _tagged(response, systems.ask_if_possible(stored))
    return view.model_copy(update={"sink": {**view.sink, **made}})


@router.delete("/api/bots/{bot_id}/sync", status_code=204)
def forget_sync(stored: Administered, edit: Editing, systems: Systems) -> None:
    """Send nothing more; runs that are on their way already are dropped."""
    edit.check(stored, sync_view_of)
    edit.delete(stored)
    systems.follow(stored.bot_id)


@router.post("/api/bots/{bot_id}/sync/test", status_code=202)
def check_sync(stored: Administered, systems: Systems, response: Response) -> SyncView:
    """Look at the main system without leaving anything there: read `health` until it is found out.

    A webhook gets a signed message of the type `sync.test`.
    """
    with handed_to("the queue of syncs"):
        return _tagged(response, systems.ask(stored))


@router.get("/api/bots/{bot_id}/sync/refused")
def list_refused_runs(bot: ReadableBot, refusals: Refusals, page: PageAsked) -> Listing[RefusalView]:
    """Runs that the main system did not take, the latest first."""
    found = refusals.of_bot(bot.id, page.limit, page.start)
    return Listing(**page.answer([RefusalView.model_validate(each) for each in found.items], found.next))


@router.post("/api/bots/{bot_id}/sync/refused/redrive", status_code=202)
def redrive_refused_runs(stored: Administered, syncs: Syncs) -> RedriveView:
    """Send them once more, after their reasons were put right. Twice does no harm."""
    asked = SyncRedriveEnvelope(bot_id=stored.bot_id, asked_at=utc_now(), trace_id=str(uuid4()))
    with handed_to("the queue of syncs"):
        syncs.send(asked)
    return RedriveView.model_validate(asked)


def _secret(
    change: SyncChange, current: StoredSettings | None
) -> tuple[dict[str, str] | None, dict[str, str]]:
    """What is to be sealed, None for what is kept; and what was made here, to be shown once."""
    name = SECRETS[change.sink.type]
    stays = current is not None and change.sink.goes_where(current.public["sink"])
    hint = current.hints[name] if current is not None and stays else None
    if hint is None and change.sink.secret() is None and isinstance(change.sink, WebhookSent):
        made = {name: PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}
        return made, made
    anew = sent_anew(change.sink.secret(), hint, pointer(["sink", name]))
    return (None if anew is None else {name: anew}), {}


def _tagged(response: Response, stored: StoredSettings) -> SyncView:
    view = sync_view_of(stored)
    tag(response, view)
    return view
