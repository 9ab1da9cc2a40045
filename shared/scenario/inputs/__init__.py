"""Answers, in four named stages: extract → normalise → validate → store.

`accept` runs the first three; the engine stores.
"""

from __future__ import annotations

from typing import Any

from shared.dialog.events import MessageReceived
from shared.scenario.inputs.choices import as_typed, choice_typed, comparable
from shared.scenario.inputs.limits import NO_LIMITS, Limits, Surroundings, Unfit
from shared.scenario.inputs.texts import extract, is_pattern, is_text, matches

__all__ = [
    "NO_LIMITS",
    "Limits",
    "Surroundings",
    "Unfit",
    "accept",
    "as_typed",
    "choice_typed",
    "choices_typed",
    "comparable",
    "extract",
    "is_pattern",
    "is_text",
    "matches",
]


def accept(kind: str, limits: Limits, event: MessageReceived, surroundings: Surroundings) -> Any:
    text = extract(event.text)
    if kind != "text" or not is_text(text, limits):
        raise Unfit(f"not_{kind}")
    return text


def choices_typed(text: str, choices: Any, limits: Limits) -> tuple[int, ...] | None:
    index = choice_typed(text, choices)
    return None if index is None else (index,)
