"""Platforms of a bot as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from functions.admin.platforms.credentials import Platform, shown
from shared.admin_api.fields import Draft, View
from shared.connecting.performing import Report
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


class StepView(View):
    """One thing that was done at the messenger, or not; `detail` says why not."""

    name: str
    answered: str
    detail: str


class ConnectionView(View):
    """What the messenger was asked to do; `account` is how it calls the account."""

    webhook_url: str
    account: dict[str, str]
    steps: list[StepView]
    health: dict[str, Any]


def connection_view_of(report: Report, health: dict[str, Any]) -> ConnectionView:
    steps = [
        StepView(name=step.name, answered=reading.answered, detail=reading.detail)
        for step, reading in ((each.step, each.reading) for each in report.taken)
    ]
    return ConnectionView(
        webhook_url=health["webhook_url"], account=report.account, steps=steps, health=health
    )


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
