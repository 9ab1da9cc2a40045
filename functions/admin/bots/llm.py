"""Routes of the language model that a bot asks."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from functions.admin.bots.llm_schemas import ModelChange, ModelView, model_view_of
from functions.admin.bots.settings import Addresses, AdministeredBot, Editing, settings_in_path
from shared.admin_api.access import Reach
from shared.admin_api.hints import sent_anew
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.outside import Outside
from shared.admin_api.versions import tag
from shared.backend.accounts import Role
from shared.errors import Invalid, Violation
from shared.storage.bot_settings import LLM, StoredSettings

router = APIRouter(route_class=JsonRoute)

Readable = Annotated[StoredSettings, Depends(Reach(Role.VIEWER, "model", settings_in_path(LLM)))]
Administered = Annotated[StoredSettings, Depends(Reach(Role.ADMIN, "model", settings_in_path(LLM)))]


@router.get("/api/bots/{bot_id}/llm")
def read_model(stored: Readable, response: Response) -> ModelView:
    return _tagged(response, stored)


@router.put("/api/bots/{bot_id}/llm", responses={201: {"model": ModelView}})
def set_model(
    bot: AdministeredBot, change: ModelChange, edit: Editing, addresses: Addresses, response: Response
) -> ModelView:
    """All of it at once. A key that is left out, or sent as it is shown, stays as it is.

    With another `provider` or `base_url` it is needed anew.
    """
    current = edit.settings.find(bot.id, LLM)
    edit.check(current, model_view_of)
    _require_outside(change, addresses)
    secrets = _secrets(change, current)
    return _tagged(response, edit.put((bot.id, LLM), current, change.public(), secrets))


@router.delete("/api/bots/{bot_id}/llm", status_code=204)
def forget_model(stored: Administered, edit: Editing) -> None:
    """Forget the model and its key; steps that ask one go on at their `on_error`."""
    edit.check(stored, model_view_of)
    edit.delete(stored)


def _require_outside(change: ModelChange, addresses: Outside) -> None:
    flaw = change.base_url and addresses.flaw_of_url(change.base_url)
    if flaw:
        raise Invalid("The model cannot be reached.", [Violation("/base_url", flaw, "address")])


def _secrets(change: ModelChange, current: StoredSettings | None) -> dict[str, str] | None:
    """None for the key that is kept. It goes nowhere else: who names another address may not know it."""
    hint = None
    if current is not None and change.destination() == ModelChange.destination_of(current.public):
        hint = current.hints["api_key"]
    key = sent_anew(change.api_key, hint, "/api_key")
    return None if key is None else {"api_key": key}


def _tagged(response: Response, stored: StoredSettings) -> ModelView:
    view = model_view_of(stored)
    tag(response, view)
    return view
