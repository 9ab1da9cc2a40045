"""What an answer is held against: the author's limits, and the surroundings it was given in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec

from shared.scenario.expressions import Expression


class Unfit(Exception):
    """The answer does not fit; `words` is the name of what the bot then says."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Limits(msgspec.Struct, frozen=True):
    """What an author demands of an answer, beyond its type; rules are the engine's.

    `min` and `max` are numbers, days or times of day as the type has them, numbers of choices or files,
    or expressions of such.
    """

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    min: Any = None
    max: Any = None
    region: str | None = None
    own: bool | None = None
    accept: Sequence[str] | None = None
    max_bytes: int | None = None


NO_LIMITS = Limits()


class Surroundings(msgspec.Struct, frozen=True):
    """Where and when the person answers; what only some types of answers ask for is found out then.

    `today` is in the scenario's time zone, `language` the tag the dialog is held in; `evaluate` gives an
    expression's value, or None where it is not decided.
    """

    today: Callable[[], date]
    language: Callable[[], str]
    evaluate: Callable[[Expression], Any]

    def bound(self, limit: Any) -> Any:
        """A limit's value: itself, or what its expression gives now."""
        return self.evaluate(limit) if isinstance(limit, Expression) else limit
