"""Platforms of a bot as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from functions.admin.platforms.credentials import Platform, shown
from shared.admin_api.fields import Draft, View
from shared.storage.credentials import StoredCredential


class PlatformDraft(Draft):
    """A platform to connect; what `credentials` holds depends on it."""

    platform: Platform
    credentials: dict[str, Any]
    is_active: bool = True


class PlatformChange(Draft):
    """All of a connection that its owner writes. Whether it is active stays as it is unless named."""

    server_fields = frozenset({"id", "bot_id", "health", "created_at", "updated_at"})

    platform: Platform | None = None
    credentials: dict[str, Any]
    is_active: bool | None = None


class PlatformView(View):
    """A connection. Of a secret only the last characters are shown."""

    id: UUID
    bot_id: UUID
    platform: Platform
    credentials: dict[str, str | list[str]]
    is_active: bool
    health: dict[str, Any]
    created_at: datetime
    updated_at: datetime


def view_of(stored: StoredCredential) -> PlatformView:
    return PlatformView.model_validate(
        {
            "id": stored.id,
            "bot_id": stored.bot_id,
            "platform": stored.platform,
            "credentials": shown(stored.platform, stored.public, stored.hints),
            "is_active": stored.is_active,
            "health": stored.health,
            "created_at": stored.created_at,
            "updated_at": stored.updated_at,
        }
    )
