"""Dialogs and history entries as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from shared.admin_api.fields import ONE_LINE, Draft, View
from shared.admin_api.paging import Listing
from shared.dialog.history import Author, DeliveryStatus, ReceiptStatus
from shared.dialog.sealing import masked
from shared.dialog.state import Dialog, Status
from shared.scenario.caps import MAX_INITIAL_BYTES

Platform = Literal["telegram", "whatsapp", "viber", "webchat"]

MAX_WORDS: Final = 4000
"""Characters of what an operator writes at once; the shortest messenger takes them in few messages."""


def _small_enough(variables: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(msgspec.json.encode(variables))
    except (OverflowError, RecursionError):
        raise ValueError("a number is too large, or a list too deep") from None
    if size > MAX_INITIAL_BYTES:
        raise ValueError(f"the variables take {size} bytes; {MAX_INITIAL_BYTES} are the most")
    return variables


VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Variables = Annotated[dict[VariableName, Any], AfterValidator(_small_enough)]


class OperatorMessage(Draft):
    """What a person of the account writes."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_WORDS)]


class Handover(Draft):
    """Why a person of the account takes a dialog over."""

    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class Resumption(Draft):
    """Where a dialog goes on that is given back: at its open question, unless a step is named."""

    step: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None


class Beginning(Draft):
    """A new run, with these variables set."""

    variables: Variables = Field(default_factory=dict)


class DialogDraft(Beginning):
    """A run with somebody on a platform; it begins a dialog, or a new run of theirs."""

    platform: Platform
    platform_chat_id: Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]


class Accepted(View):
    """An act that is on its way; logs know it by its trace, and the dialog shows what came of it."""

    dialog_id: UUID
    trace_id: str


def _shown(dialog: Any) -> Any:
    """A dialog without the values that nobody should read by the way."""
    if not isinstance(dialog, Dialog):
        return dialog
    return msgspec.structs.replace(dialog, variables=masked(dialog.variables, dialog.sensitive))


class DialogView(View):
    """A dialog; `collected_data` are the variables of its run, `revision` the one it runs on."""

    _without_secrets = model_validator(mode="before")(_shown)

    id: UUID
    bot_id: UUID
    platform: str
    platform_chat_id: str
    status: Status
    run: int
    scenario_id: UUID | None
    revision: int | None
    current_step: str | None
    collected_data: Annotated[dict[str, Any], Field(validation_alias="variables")]
    last_interaction_at: datetime
    created_at: datetime
    updated_at: datetime


class ReceiptView(View):
    """What the messenger has told of a message since it took it."""

    status: ReceiptStatus
    at: datetime
    reason: str


class DeliveryView(View):
    """How far a message of the bot's has come, by all that is known."""

    status: Annotated[DeliveryStatus, Field(validation_alias="reached")]
    message_ids: tuple[str, ...]
    attempts: int
    in_doubt: bool
    possibly_doubled: bool
    reason: Annotated[str, Field(validation_alias="explained")]
    degradations: tuple[str, ...]
    receipt: ReceiptView | None


def _readable(data: Any) -> Any:
    """An entry's data without what nobody should read, and what leads to a file on its messenger."""
    readable = _without("sealed", data)
    if "masked" in readable:  # its spans are of other words, and its template has the same
        readable["text"] = readable.pop("masked")
        readable.pop("spans", None)
        if template := readable.get("template"):
            readable["template"] = _without("parameters", template)
    if file := (readable.get("event") or {}).get("file"):
        readable["event"] = {**readable["event"], "file": _without("reference", file)}
    return readable


def _without(name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != name}


class HistoryEntryView(View):
    """One thing said or done; `delivery` is null but for what the bot said."""

    id: UUID
    dialog_state_id: Annotated[UUID, Field(validation_alias="dialog_id")]
    message_type: Author
    message_data: Annotated[dict[str, Any], BeforeValidator(_readable)]
    timestamp: datetime
    created_at: datetime
    delivery: DeliveryView | None


class HistoryListing(Listing[HistoryEntryView]):
    """A page of a history. `previous_cursor` leads to the page before this one, null where there is none.

    Newest first, it is never null after an entry: asked later, it leads to what has been said since.
    """

    previous_cursor: str | None
