"""`agreed ? 1 : 1.5`: whole numbers made fractional where a choice offers both."""

from __future__ import annotations

import re
from collections.abc import Callable

from cel_expr_python import cel

from shared.scenario.sources import blanked, offset_of

MAX_MENDINGS = 20
"""Choices of one expression that are mended."""

_MIXED = re.compile(
    r"<input>:(\d+):(\d+): found no matching overload for '_\?_:_' applied to "
    r"'\(bool, (int, double|double, int)\)'"
)


def mended(text: str, error: str, compile_: Callable[[str], cel.Expression]) -> cel.Expression | None:
    """Compile it with the whole operand of each such choice wrapped in `double(…)`."""
    for _ in range(MAX_MENDINGS):
        match = _MIXED.search(error)
        if match is None:
            return None
        text = _with_fraction(text, offset_of(text, int(match[1]), int(match[2])), match[3])
        try:
            return compile_(text)
        except RuntimeError as next_error:
            error = str(next_error)
    return None


def _with_fraction(text: str, question: int, kinds: str) -> str:
    flat = blanked(text)
    middle = _end_of_operand(flat, question + 1)
    if kinds == "int, double":
        start, end = question + 1, middle
    else:
        start, end = middle + 1, _end_of_operand(flat, middle + 1)
    return f"{text[:start]} double({text[start:end]}) {text[end:]}"


def _end_of_operand(flat: str, start: int) -> int:
    """Where the operand of a choice ends: at its colon, its bracket, a comma, or the end."""
    depth = choices = 0
    for at in range(start, len(flat)):
        sign = flat[at]
        if not depth and (sign in ")]}," or (sign == ":" and not choices)):
            return at
        depth += (sign in "([{") - (sign in ")]}")
        choices += ((sign == "?") - (sign == ":")) if not depth else 0
    return len(flat)
