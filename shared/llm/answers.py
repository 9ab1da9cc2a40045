"""Answers that may be given again: under a hash of all that the model would be asked with."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

import msgspec

from shared.llm.base import Question
from shared.llm.expected import Expected
from shared.llm.settings import ModelSettings

MAX_SECONDS = 30 * 24 * 3600
"""However long an author would keep one: it may tell something of who asked."""


class KnownAnswer(msgspec.Struct, frozen=True):
    """What came of a question, who answered it, and the tokens that it took."""

    result: dict[str, Any]
    model: str
    tokens: int


class KnownAnswers(Protocol):
    """Answers by name, each for a while; `shared.storage.answers` has them."""

    def find(self, name: str) -> KnownAnswer | None: ...

    def keep(self, name: str, answer: KnownAnswer, seconds: int) -> None: ...


def name_of(bot_id: str, settings: ModelSettings, question: Question, expected: Expected) -> str:
    """The same for the same question of the same bot to the same model, and for no other."""
    asked = [bot_id, settings.provider, settings.base_url, settings.api_version, question, expected]
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()
