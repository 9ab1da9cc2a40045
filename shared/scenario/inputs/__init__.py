"""Answers, in four named stages: extract → normalise → validate → store.

`accept` runs the first three; the engine stores.
"""

from __future__ import annotations

from shared.scenario.inputs.choices import as_typed, choice_typed, choices_typed, comparable
from shared.scenario.inputs.limits import NO_LIMITS, Limits, Surroundings, Unfit
from shared.scenario.inputs.stages import accept
from shared.scenario.inputs.texts import extract, is_pattern

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
]
