"""How much work a pattern (RE2) may be on a long text."""

from __future__ import annotations

import re

MAX_WEIGHT = 1_000_000
"""Beyond this the exact weight does not matter."""

_PART = re.compile(
    r"(?P<repeat>\{(?P<least>\d{1,4})(?P<most>,\d{0,4})?\})"
    r"|(?P<sign>[*+?])|(?P<open>\((?:\?[^:)]*:)?)|(?P<close>\))"
    r"|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.",
    re.DOTALL | re.ASCII,
)


def weight(pattern: str) -> int:
    """How long the pattern is with its repetitions written out, as the library does.

    On a bad day each character of a text meets each part of the pattern.
    """
    totals, last = [0], 0
    for part in _PART.finditer(pattern):
        if part["open"]:
            totals.append(1)
        elif part["repeat"]:
            totals[-1] += last * (_times(part) - 1)
            last *= _times(part)
        elif not part["sign"]:
            last = totals.pop() if part["close"] and len(totals) > 1 else 1
            totals[-1] += last
        totals[-1], last = min(totals[-1], MAX_WEIGHT), min(last, MAX_WEIGHT)
    return min(sum(totals), MAX_WEIGHT)


def _times(repeat: re.Match[str]) -> int:
    return max(int(repeat["least"]) + 1, int((repeat["most"] or "").lstrip(",") or 0))
