"""What a bot has beside a scenario, as far as the linter has something to say of it."""

from __future__ import annotations

from collections.abc import Mapping

from functions.admin.scenarios.calling import Called
from shared.platforms import PLATFORMS, adapter_for
from shared.platforms.base import Capabilities
from shared.scenario.linter import Library
from shared.storage.bots import Bot
from shared.storage.credentials import is_connected


def library_of(bot: Bot, called: Called, scenario_id: str = "") -> Library:
    """What is called, and what the connected messengers can show; there is no library of media yet."""
    return Library(
        scenarios=called.documents,
        media={},
        messengers=_messengers_of(bot),
        scenario_id=scenario_id,
    )


def _messengers_of(bot: Bot) -> Mapping[str, Capabilities]:
    connected = (platform for platform in PLATFORMS if is_connected(bot.id, platform))
    return {platform: adapter_for(platform).capabilities for platform in connected}
