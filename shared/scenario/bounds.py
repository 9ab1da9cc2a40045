"""How much work an expression may be: the library itself would go on for minutes.

What can be told from the text is refused when it is compiled. What depends on the values is looked at
before each evaluation, of those few expressions that go through lists or match patterns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from cel_expr_python import cel

from shared.scenario.errors import ExpressionError
from shared.scenario.patterns import weight
from shared.scenario.sources import RAW_LITERAL, Call, blanked, calls_in, names_listed

MAX_LOOPS = 4
"""How often one expression may go through a list, by `all`, `exists`, `exists_one`, `filter` or `map`."""
MAX_LOOPS_NESTED = 2
MAX_SUMS = 50
"""Signs + of one expression, each of which may copy a long text."""
MAX_CALLS = 100
"""Calls of one expression, each of which may search a long text."""

MAX_ITERATIONS = 10_000
"""The library breaks off by itself beyond these."""
MAX_MADE = 250_000
"""Squares of the items that are gone through, for that is what making a list takes the library."""
MAX_COMPARED = 1_000_000
"""Items that may be met in going through lists, estimated from above."""
MAX_LOOPED = 5_000_000
"""The same of characters."""
MAX_MATCHED = 2_000_000
"""Characters of a text times the weight of its pattern."""
MAX_SEARCHED = 20_000_000_000
"""Characters of a text times those that are looked for in it, by `contains`, estimated from above."""
MAX_COPIED = 2_000_000
"""Items of values times the names in lists and maps that are written out, each of which may copy them all."""
FEW_COPIES = 8
"""Names that a list or a map may have without anybody looking at their values."""

_PLAIN = cel.NewEnv()

LOOPS = frozenset({"all", "exists", "exists_one", "filter", "map"})


class Work(msgspec.Struct, frozen=True):
    """What an expression does to its values: how it goes through them, joins them, matches them."""

    loops: int
    depth: int
    sums_in_loops: int
    sums_outside: int
    items: int
    characters: int
    weight: int
    searches: int
    copies: int

    def refusal(self, values: Collection[Any]) -> str:
        """Why these values are too much for it, or ""."""
        size = _Size(self.items, self.characters)
        for value in values:
            size.add(value)
        if self.weight * size.longest > MAX_MATCHED:
            return "a text is too long for the pattern"
        items = size.most * (1 + self.sums_outside)
        iterations = min(items**self.depth, MAX_ITERATIONS)
        refusal = self._refusal_of_loops(size, items, iterations) if self.loops else ""
        return refusal or self._refusal_of_copies(size, iterations)

    def _refusal_of_loops(self, size: _Size, items: int, iterations: int) -> str:
        growth = (1 + self.sums_in_loops + self.copies) ** self.loops
        if items**2 * self.loops > MAX_MADE or size.items * iterations > MAX_COMPARED:
            return "the lists are too long to be gone through"
        if size.longest * iterations * growth > MAX_LOOPED:
            return "the texts are too long to be gone through with the lists"
        return ""

    def _refusal_of_copies(self, size: _Size, iterations: int) -> str:
        """`iterations` are 1 where nothing is gone through."""
        if self.copies * size.items * iterations > MAX_COPIED:
            return "the lists are too long to be written into others"
        text = size.longest * (1 + self.sums_outside) * (1 + self.sums_in_loops) ** self.loops
        if self.searches * iterations * (text // 2) ** 2 > MAX_SEARCHED:
            return "the texts are too long to be searched"
        return ""


class _Size:
    """How much there is of values: the longest text, the longest list, the items of all lists and maps."""

    __slots__ = ("items", "longest", "most")

    def __init__(self, items: int, characters: int) -> None:
        self.items = self.most = items
        self.longest = characters

    def add(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, str):
                self.longest = max(self.longest, len(each))
            elif isinstance(each, list | tuple | dict):
                self.items += len(each)
                self.most = max(self.most, len(each))
                waiting += _inside(each)


def _inside(value: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> Iterable[Any]:
    return (each for pair in value.items() for each in pair) if isinstance(value, dict) else value


def work_of(source: str) -> Work | None:
    """What to look at before each evaluation; mostly nothing. Raises `ExpressionError`."""
    if "(" not in source and source.count("+") <= MAX_SUMS and source.count(",") <= FEW_COPIES:
        return None
    flat, calls = blanked(source), calls_in(source)
    loops = [call for call in calls if call.is_method and call.name in LOOPS]
    _check(flat, calls, loops)
    heaviest, searches = max(_weights(source, calls), default=0), _searches(source, calls)
    copies = names_listed(source)
    if not (loops or heaviest or searches or copies > FEW_COPIES):
        return None
    inside = _sums_in(flat, loops)
    return Work(
        loops=len(loops),
        depth=_depth(loops),
        sums_in_loops=inside,
        sums_outside=flat.count("+") - inside,
        items=flat.count(","),
        characters=_longest_literal(flat),
        weight=heaviest,
        searches=searches,
        copies=copies,
    )


def _check(flat: str, calls: Sequence[Call], loops: list[Call]) -> None:
    if len(loops) > MAX_LOOPS:
        raise ExpressionError(
            f"an expression goes through lists at most {MAX_LOOPS} times", loops[MAX_LOOPS].start + 1
        )
    for loop in loops:
        if _depth_at(loop, loops) > MAX_LOOPS_NESTED:
            raise ExpressionError(f"lists are gone through at most {MAX_LOOPS_NESTED} deep", loop.start + 1)
    if flat.count("+") > MAX_SUMS:
        raise ExpressionError(f"an expression has at most {MAX_SUMS} signs +")
    if len(calls) > MAX_CALLS:
        raise ExpressionError(
            f"an expression calls at most {MAX_CALLS} functions", calls[MAX_CALLS].start + 1
        )


def _depth(loops: list[Call]) -> int:
    return max((_depth_at(loop, loops) for loop in loops), default=0)


def _depth_at(loop: Call, loops: list[Call]) -> int:
    return sum(_is_in(loop.start, other) for other in loops) + 1


def _is_in(offset: int, call: Call) -> bool:
    return call.arguments[0][0] <= offset < call.end


def _sums_in(flat: str, loops: list[Call]) -> int:
    sums = (offset for offset, sign in enumerate(flat) if sign == "+")
    return sum(any(_is_in(offset, loop) for loop in loops) for offset in sums)


def _searches(source: str, calls: Sequence[Call]) -> int:
    """How often a text is looked for that is not written out: it may be as long as the other."""
    sought = (call.arguments[-1] for call in calls if call.name == "contains")
    return sum(RAW_LITERAL.fullmatch(source, start, end) is None for start, end in sought)


def _longest_literal(flat: str) -> int:
    return max((len(part) for part in flat.split() if '"' in part), default=0)


def _weights(source: str, calls: Sequence[Call]) -> Iterator[int]:
    for call in calls:
        if call.name == "matches":
            start, end = call.arguments[-1]
            if not RAW_LITERAL.fullmatch(source, start, end):
                raise ExpressionError("a pattern must be written out, in quotes", start + 1)
            yield _weight_of(source[start:end])


def _weight_of(literal: str) -> int:
    try:
        return weight(str(_PLAIN.compile(literal).eval(data={}).plain_value()))
    except RuntimeError:
        return 0  # it does not compile in its expression either
