"""Numbers as people write them: `1 234,5`, `1234.5`, `−7`."""

from __future__ import annotations

import math
import re
from typing import Any

from shared.scenario.inputs.figures import plain
from shared.scenario.inputs.limits import Limits, Surroundings
from shared.scenario.printing import DECIMAL_COMMA

LARGEST_INTEGER = 2**63 - 1
MAX_FIGURES = 400
"""Characters; the largest number there is has 309 figures before its point."""

_POINT = "[.,٫]"
_FIGURES = re.compile(rf"(?P<sign>[+-]?) ?(?P<whole>\d*)(?:{_POINT}(?P<part>\d*))?", re.ASCII)
_GROUPED = re.compile(
    r"(?P<sign>[+-]?) ?(?P<whole>[1-9]\d{0,2}(?P<by>[ .,'٬])\d{3}(?:(?P=by)\d{3})*)"
    rf"(?:(?!(?P=by)){_POINT}(?P<part>\d*))?",
    re.ASCII,
)
_INDIAN = re.compile(r"(?P<sign>[+-]?) ?(?P<whole>[1-9]\d?(?:,\d\d)+,\d{3})(?:\.(?P<part>\d*))?", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]? ?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)

_GROUPS_BY_DOT = frozenset("bs ca da de el es hr id is it nl pt ro sl sq sr tr vi".split())
"""Of the languages with a decimal comma those that write a thousand 1.000; the others leave a space."""


def number(text: str, _limits: Limits, surroundings: Surroundings) -> float | None:
    """The number, always fractional. `1,234` is 1.234 where the language has a decimal comma, else 1234."""
    language = surroundings.language().partition("-")[0].lower()
    grouping = "," if language not in DECIMAL_COMMA else "." if language in _GROUPS_BY_DOT else ""
    if (parts := _parts(text, grouping)) is None:
        return None
    value = float("{}{}.{}".format(*parts))
    return value + 0.0 if math.isfinite(value) else None  # adding 0.0 makes a zero of -0.0


def integer(text: str, _limits: Limits, _surroundings: Surroundings) -> int | None:
    """The whole number of 64 bits. `5,00` is 5; `1,234` and `1.234` can but be 1234."""
    parts = _parts(text, grouping=".,")
    if parts is None or parts[2].strip("0"):
        return None
    value = int(parts[0] + parts[1])
    return value if -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER else None


def _parts(text: str, grouping: str) -> tuple[str, str, str] | None:
    """Sign, whole and fractional figures; `grouping` are the signs that group where they may do either."""
    written = plain(text)
    if len(written) > MAX_FIGURES:
        return None
    ambiguous = _AMBIGUOUS.fullmatch(written)
    is_grouped = ambiguous is None or ambiguous[1] in grouping
    grouped = (_GROUPED.fullmatch(written) or _INDIAN.fullmatch(written)) if is_grouped else None
    match = grouped or _FIGURES.fullmatch(written)
    if match is None or not (match["whole"] or match["part"]):
        return None
    return match["sign"], re.sub(r"\D", "", match["whole"]) or "0", match["part"] or "0"


def is_within(value: float, limits: Limits, surroundings: Surroundings) -> bool:
    """Whether it is neither below `min` nor above `max`."""
    low, high = surroundings.bound(limits.min), surroundings.bound(limits.max)
    return not (_is_number(low) and value < low) and not (_is_number(high) and value > high)


def _is_number(bound: Any) -> bool:
    return isinstance(bound, int | float) and not isinstance(bound, bool)
