"""Which model a bot asks, and what it may spend."""

from __future__ import annotations

from typing import Literal

import msgspec

ProviderName = Literal["openai", "azure"]

MAX_TOKENS_PER_DAY = 200_000
"""What a bot may spend in a day (UTC), where its settings do not say."""


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The model of a bot, with its key in the clear: for memory only.

    `openai` is OpenAI, or whoever speaks its protocol at `base_url`. For `azure`, `base_url` is the
    resource's endpoint, `model` the name of a deployment, and `api_version` is needed. `temperature` and
    `max_tokens` are those of steps that name none.
    """

    provider: ProviderName
    model: str
    api_key: str
    base_url: str = ""
    api_version: str = ""
    max_tokens_per_day: int = MAX_TOKENS_PER_DAY
    temperature: float | None = None
    max_tokens: int | None = None

    def __repr__(self) -> str:
        """Without the key, so that no log line can print it."""
        return f"ModelSettings({self.provider}, {self.model})"
