"""Times of day as people write them: `18:30`, `18.30`, `6 pm`, `18`."""

from __future__ import annotations

import re

from shared.scenario.inputs.figures import plain
from shared.scenario.inputs.limits import Limits, Surroundings

_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?: ?[:.hч ] ?(?P<minute>\d\d)(?::[0-5]\d)?| ?[hч]\.?)? ?(?P<half>[ap]\.? ?m\.?)?",
    re.ASCII,
)
_MILITARY = re.compile(r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<half>)", re.ASCII)
_HOURS = 24
_MINUTES = 60
_NOON = 12


def time_of_day(text: str, _limits: Limits, _surroundings: Surroundings) -> str | None:
    """The time as `HH:MM`; seconds are dropped."""
    return _time(text)


def _time(text: str) -> str | None:
    written = plain(text).casefold()
    match = _TIME.fullmatch(written) or _MILITARY.fullmatch(written)
    if match is None:
        return None
    hour, minute = _of_day(int(match["hour"]), match["half"] or ""), int(match["minute"] or 0)
    return f"{hour:02}:{minute:02}" if 0 <= hour < _HOURS and minute < _MINUTES else None


def _of_day(hour: int, half: str) -> int:
    """The hour of the day; -1 for one that its half of the day does not have."""
    if not half:
        return hour
    if not 1 <= hour <= _NOON:
        return -1
    return hour % _NOON + (_NOON if half.startswith("p") else 0)


def is_within(value: str, limits: Limits, surroundings: Surroundings) -> bool:
    """Whether it is neither before `min` nor after `max`."""
    low, high = (bound_of(surroundings.bound(limit)) for limit in (limits.min, limits.max))
    return (low is None or low <= value) and (high is None or value <= high)


def bound_of(bound: object) -> str | None:
    """A limit as a time of day; None for what is none."""
    return _time(bound) if isinstance(bound, str) else None
