"""Dialogs and history entries as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.admin_api.fields import View
from shared.dialog.history import Author, DeliveryStatus
from shared.dialog.state import Status


class DialogView(View):
    """A dialog; `collected_data` are the variables of its run, `revision` the one it runs on."""

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


class DeliveryView(View):
    """How far a message of the bot's has come."""

    status: DeliveryStatus
    message_ids: tuple[str, ...]
    attempts: int
    in_doubt: bool
    possibly_doubled: bool
    reason: str
    degradations: tuple[str, ...]


class HistoryEntryView(View):
    """One thing said or done; `delivery` is null but for what the bot said."""

    id: UUID
    dialog_state_id: Annotated[UUID, Field(validation_alias="dialog_id")]
    message_type: Author
    message_data: dict[str, Any]
    timestamp: datetime
    created_at: datetime
    delivery: DeliveryView | None
