"""One answer taken through its stages, as the engine does it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from shared.dialog.events import MessageReceived
from shared.scenario.expressions import Expression, Undecided
from shared.scenario.inputs import NO_LIMITS, Limits, Surroundings, Unfit, accept

TODAY = date(2026, 11, 22)
"""A Sunday."""


def message(text: str = "", **fields: Any) -> MessageReceived:
    return MessageReceived(id="1", occurred_at=datetime(2026, 11, 22, 12, tzinfo=UTC), text=text, **fields)


def surroundings(language: str = "en", today: date = TODAY) -> Surroundings:
    return Surroundings(lambda: today, lambda: language, _evaluate)


def _evaluate(expression: Expression) -> Any:
    """No name that an expression of these tests may use has a value."""
    try:
        return expression.evaluate(dict[str, Any]().__getitem__)
    except Undecided:
        return None


def take(
    kind: str,
    text: str = "",
    language: str = "en",
    limits: Limits = NO_LIMITS,
    today: date = TODAY,
    **fields: Any,
) -> Any:
    """The value that is stored; for an answer that does not fit `!` and the name of the bot's words."""
    try:
        return accept(kind, limits, message(text, **fields), surroundings(language, today))
    except Unfit as unfit:
        return f"!{unfit.words}"
