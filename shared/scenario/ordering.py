"""The order of maps: the library has none, and goes through their keys in another order each time.

`m.map(k, …)` and `m.filter(k, …)` get their keys sorted as text, and so do maps that are results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cel_expr_python import cel

from shared.scenario.sources import Call, calls_in, chain_alone, receiver_of

KEYS = "bot.keys"
"""A hidden function: the keys of a map, sorted. One of known type has it in its name."""

_KEYED = {kind.name(): kind for kind in (cel.Type.STRING, cel.Type.INT, cel.Type.BOOL)}
_MAKING_LISTS = ("map", "filter")
_LOOPS = (*_MAKING_LISTS, "all", "exists", "exists_one")

TypeOf = Callable[[str], cel.Type | None]
"""The type of an expression; None of one that does not compile."""


def _as_text(key: Any) -> tuple[str, str]:
    return str(key), type(key).__name__


def _keys(of: Iterable[Any]) -> list[Any]:
    return sorted(of, key=_as_text)


def _declared(name: str, key: cel.Type) -> cel.FunctionDecl:
    overload = cel.Overload(
        f"parley_{name}",
        return_type=cel.Type.List(key),
        parameters=[cel.Type.Map(key, cel.Type.DYN)],
        impl=_keys,
    )
    return cel.FunctionDecl(name, [overload])


FUNCTIONS = [
    _declared(KEYS, cel.Type.DYN),
    *(_declared(f"{KEYS}_{name}", kind) for name, kind in _KEYED.items()),
]


def in_order(value: Any) -> Any:
    """A fresh value of the library's, each map of it put in the order of its keys."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            pairs = sorted(each.items(), key=lambda pair: _as_text(pair[0]))
            each.clear()
            each.update(pairs)
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return value


# --- going through maps ----------------------------------------------------------------------------


def ordered(text: str, type_of: TypeOf) -> str:
    """The expression, with the keys sorted of what is or may be a map and is made a list of."""
    if not any(name in text for name in _MAKING_LISTS):
        return text
    loops = [call for call in calls_in(text) if call.is_method and call.name in _LOOPS]
    parts = [
        part
        for call in loops
        if call.name in _MAKING_LISTS
        for part in _around(text, receiver_of(text, call), _kind(text, call, loops, type_of))
    ]
    return _with_parts(text, parts)


def _with_parts(text: str, parts: Iterable[tuple[int, int, str]]) -> str:
    """What is put in, by place; of what is put in at one place, that around most comes first."""
    for place, _, part in sorted(parts, key=lambda part: (-part[0], part[1])):
        text = text[:place] + part + text[place:]
    return text


def _around(text: str, receiver: tuple[int, int], kind: str) -> Iterator[tuple[int, int, str]]:
    start, end = receiver
    family, _, key = kind.removesuffix(">").partition("<")
    if family not in ("MAP", "DYN"):
        return
    before, after = _of_map(key.partition(",")[0]) if family == "MAP" else _of_any(text[start:end])
    yield start, end - start, before
    yield end, 0, after


def _of_map(key: str) -> tuple[str, str]:
    if key == "UINT":
        return f"{KEYS}(", ").map(key, uint(key))"  # Python knows only one kind of whole numbers
    return f"{KEYS}_{key}(" if key in _KEYED else f"{KEYS}(", ")"


def _of_any(receiver: str) -> tuple[str, str]:
    """What may be a list as well, which stays as it is. Only a name is cheap enough to be looked at twice."""
    if chain_alone(receiver):
        return f"(type({receiver}) == map ? {KEYS}({receiver}) : ", ")"
    return "[", f"].map(each, type(each) == map ? {KEYS}(each) : each)[0]"


def _kind(text: str, call: Call, loops: Iterable[Call], type_of: TypeOf) -> str:
    """The name of the type of what a call goes through; "" if it is none.

    It may name what the loops around it go through. So these are built around it again, as lists of it.
    """
    start, end = receiver_of(text, call)
    around = [each for each in loops if each.arguments[0][0] <= call.start < each.end]
    probe = text[start:end]
    for each in reversed(around):
        (outer, its_end), (name, name_end) = receiver_of(text, each), each.arguments[0]
        probe = f"{text[outer:its_end]}.map({text[name:name_end]}, {probe})"
    found = type_of(probe) if end > start else None
    return found.name()[len("LIST<") * len(around) :][: -len(around) or None] if found else ""
