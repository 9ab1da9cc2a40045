"""What the routes of a bot's settings have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from shared.admin_api.access import Find, Reach, bot_in_path
from shared.admin_api.collaborators import collaborator
from shared.admin_api.outside import Outside
from shared.admin_api.versions import IfMatch, IfMatchSent
from shared.backend.accounts import Role
from shared.storage.bot_settings import DynamoBotSettings, StoredSettings
from shared.storage.bots import Bot

settings_of: Callable[[Request], DynamoBotSettings] = collaborator("settings")

Settings = Annotated[DynamoBotSettings, Depends(settings_of)]
Addresses = Annotated[Outside, Depends(collaborator("outside"))]
ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("bot_id")))]
AdministeredBot = Annotated[Bot, Depends(Reach(Role.ADMIN, "bot", bot_in_path("bot_id")))]


def settings_in_path(name: str) -> Find[StoredSettings]:
    """The settings of that name, of the bot that the path names."""

    def find(request: Request) -> tuple[str, StoredSettings]:
        account_id, bot = bot_in_path("bot_id")(request)
        return account_id, settings_of(request).get(bot.id, name)

    return find


@dataclass(frozen=True, slots=True)
class Edit:
    """A PUT or a DELETE of settings, as far as all of them are alike."""

    settings: DynamoBotSettings
    if_match: IfMatch
    path: str
    response: Response

    def check(self, current: StoredSettings | None, view_of: Callable[[StoredSettings], BaseModel]) -> None:
        """Refuse a change that was meant for another version."""
        self.if_match.check(None if current is None else view_of(current))

    def put(
        self,
        place: tuple[str, str],
        current: StoredSettings | None,
        public: Mapping[str, Any],
        secrets: Mapping[str, str] | None,
        health: Mapping[str, Any] | None = None,
    ) -> StoredSettings:
        """Write settings at a bot's id and a name, and tell the caller where they are new."""
        met = None if current is None else current.updated_at
        with self.if_match.guard():
            stored = self.settings.put(*place, public, secrets, health=health, met=met)
        if current is None:
            self.response.status_code = 201
            self.response.headers["Location"] = self.path
        return stored

    def delete(self, stored: StoredSettings) -> None:
        met = stored.updated_at if self.if_match else None
        with self.if_match.guard():
            self.settings.delete(stored.bot_id, stored.name, met=met)


def _edit(request: Request, response: Response, settings: Settings, if_match: IfMatchSent) -> Edit:
    return Edit(settings, if_match, request.url.path, response)


Editing = Annotated[Edit, Depends(_edit)]
