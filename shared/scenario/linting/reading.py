"""What an expression reads, and what its outcome tells of the variables it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from shared.scenario.sources import blanked, variables_in

_NOTHING: frozenset[str] = frozenset()
_ANSWERED = re.compile(r"\s*answered\s*\.\s*([A-Za-z_]\w*)\s*")
_NOT_ANSWERED = re.compile(r"\s*!\s*answered\s*\.\s*([A-Za-z_]\w*)\s*")


@dataclass(frozen=True, slots=True)
class Reading:
    """`reads` are all names in an expression, `needs` those without whose values it is not decided.

    `if_true` surely have a value where it holds, `if_false` where it does not hold or is not decided.
    """

    reads: frozenset[str]
    needs: frozenset[str]
    if_true: frozenset[str]
    if_false: frozenset[str]


@lru_cache(maxsize=2048)
def reading(source: str) -> Reading:
    bare, asked = variables_in(source)
    return Reading(bare | asked, bare - asked, _if_true(source), _if_false(source))


def _if_true(source: str) -> frozenset[str]:
    source = _unwrapped(source)
    if len(parts := _split(source, "||")) > 1:
        return frozenset.intersection(*map(_if_true, parts))
    if len(parts := _split(source, "&&")) > 1:
        return frozenset().union(*map(_if_true, parts))
    if match := _ANSWERED.fullmatch(source):
        return frozenset(match.groups())
    bare, asked = variables_in(source)
    is_simple = not asked and not re.search(r"[?]|\|\||&&", blanked(source))
    return bare if is_simple else _NOTHING


def _if_false(source: str) -> frozenset[str]:
    source = _unwrapped(source)
    if len(parts := _split(source, "||")) > 1:
        return frozenset().union(*map(_if_false, parts))
    if len(parts := _split(source, "&&")) > 1:
        return frozenset.intersection(*map(_if_false, parts))
    match = _NOT_ANSWERED.fullmatch(source)
    return frozenset(match.groups()) if match else _NOTHING


def _split(source: str, operator: str) -> list[str]:
    """The operands of an operator that stands outside of all brackets; nothing binds looser but `? :`."""
    flat = blanked(source)
    places = list(_outside(flat))
    if any(flat[place] == "?" for place in places):
        return [source]
    cuts = [place for place in places if flat.startswith(operator, place)]
    starts, ends = [0, *(cut + len(operator) for cut in cuts)], [*cuts, len(source)]
    return [source[start:end] for start, end in zip(starts, ends, strict=True)]


def _outside(flat: str) -> Iterator[int]:
    """The places of signs that stand in no brackets."""
    depth = 0
    for place, sign in enumerate(flat):
        depth += (sign in "([{") - (sign in ")]}")
        if not depth and sign in "|&?":
            yield place


def _unwrapped(source: str) -> str:
    """Without the brackets around the whole of it."""
    stripped = source.strip()
    while stripped.startswith("(") and _closing(stripped) == len(stripped) - 1:
        stripped = stripped[1:-1].strip()
    return stripped


def _closing(source: str) -> int:
    """Where the bracket closes that the source opens with."""
    depth = 0
    for place, sign in enumerate(blanked(source)):
        depth += (sign in "([{") - (sign in ")]}")
        if not depth:
            return place
    return -1
