"""Bots as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from shared.admin_api.fields import Description, Draft, Name, View


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError("this has to be a time zone of the IANA database, such as Europe/Berlin") from None
    return name


Timezone = Annotated[str, AfterValidator(_known_zone)]


class BotDraft(Draft):
    """A new bot."""

    name: Name
    description: Description = ""
    timezone: Timezone = "UTC"
    is_active: bool = True


class BotChange(Draft):
    """All of a bot that its owner writes. Whether it is active stays as it is unless named."""

    server_fields = frozenset(
        {"id", "account_id", "active_scenario_id", "active_revision", "created_at", "updated_at"}
    )

    name: Name
    description: Description = ""
    timezone: Timezone = "UTC"
    is_active: bool | None = None


class BotView(View):
    """A bot; `active_scenario_id` and `active_revision` are what its new runs follow."""

    id: UUID
    account_id: UUID
    name: str
    description: str
    timezone: str
    is_active: bool
    active_scenario_id: UUID | None
    active_revision: int | None
    created_at: datetime
    updated_at: datetime


class Deletion(View):
    """A bot that is gone, and whose things are being removed; logs know that by its trace."""

    bot_id: UUID
    trace_id: str
