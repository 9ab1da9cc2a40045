"""A connected account on a platform, with its secrets in the clear: for memory only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """What a webhook needs to know its messenger, and the sender to speak as the bot.

    `settings` holds the fields of the platform (`bot_token`, `app_secret`, …), secrets included,
    and is kept out of `repr` so that no log line can print it. `is_active` is true when both the
    credential and its bot are.
    """

    id: str
    bot_id: str
    platform: str
    is_active: bool
    settings: Mapping[str, str] = field(repr=False)
