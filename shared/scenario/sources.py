"""An expression as text: its names, calls and brackets, found without parsing it.

The library tells what is wrong with an expression and what type it has, but not what it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

import msgspec

LITERAL = re.compile(
    r"""\'{3} (?: \\. | [^\\] )*? \'{3} | \"{3} (?: \\. | [^\\] )*? \"{3}
    | ' (?: \\. | [^'\\] )* ' | " (?: \\. | [^"\\] )* " """,
    re.DOTALL | re.VERBOSE,
)
"""A text in quotes, in any of CEL's ways to write one."""

RAW_LITERAL = re.compile(rf"\s*(?P<raw>[rR])?(?P<quoted>{LITERAL.pattern})\s*", LITERAL.flags)
"""Such a text alone, whose backslashes may mean nothing (`r'\\d'`)."""

_RAW = r"""[rR](?: \'{3}.*?\'{3} | \"{3}.*?\"{3} | '[^']*' | "[^"]*" )"""
_QUOTED = re.compile(rf"(?P<comment>//[^\n]*) | (?<!\w){_RAW} | {LITERAL.pattern}", LITERAL.flags)
REMEMBERED = 64
"""Sources whose parts are remembered: one is looked at several times while it is compiled."""

_AROUND_DOT = re.compile(r"(?<!\s)\s*\.\s*")
_CHAIN = re.compile(r'(?<![\w.)\]}"])\.?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(\s*\()?')
_CALL = re.compile(r"(?P<dot>\.\s*)?(?<!\w)(?P<name>[A-Za-z_]\w*)\s*\(")


class Call(msgspec.Struct, frozen=True):
    """A function or method called: where its name starts, and where each argument starts and ends."""

    name: str
    start: int
    arguments: tuple[tuple[int, int], ...]
    is_method: bool

    @property
    def end(self) -> int:
        """Where the closing bracket stands."""
        return self.arguments[-1][1]


@lru_cache(maxsize=REMEMBERED)
def blanked(source: str) -> str:
    """The expression with comments and literals blotted out, so that signs in them count for nothing."""
    return _QUOTED.sub(lambda found: (" " if found["comment"] else '"') * len(found[0]), source)


@lru_cache(maxsize=REMEMBERED)
def calls_in(source: str) -> tuple[Call, ...]:
    """Every call, in the order of their names; one whose brackets do not close is left out."""
    flat = blanked(source)
    return tuple(
        Call(match["name"], match.start("name"), arguments, match["dot"] is not None)
        for match in _CALL.finditer(flat)
        if (arguments := _arguments(flat, match.end()))
    )


def _arguments(flat: str, position: int) -> tuple[tuple[int, int], ...]:
    """The arguments of the call whose opening bracket is just before; () if it never closes."""
    found: list[tuple[int, int]] = []
    start, depth = position, 0
    for at in range(position, len(flat)):
        sign = flat[at]
        if sign in "([{":
            depth += 1
        elif sign in ")]}" and depth:
            depth -= 1
        elif sign in ")]}":
            return (*found, (start, at)) if sign == ")" else ()
        elif sign == "," and not depth:
            found.append((start, at))
            start = at + 1
    return ()


_PATH = re.compile(r"\s*\.?[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*\s*")


def chain_alone(source: str) -> bool:
    """Whether it is one name, with or without dots, and nothing else."""
    return bool(_PATH.fullmatch(source))


def receiver_of(source: str, call: Call) -> tuple[int, int]:
    """Where that starts and ends which a method is called of: what stands before its dot."""
    flat = blanked(source)
    end = at = len(flat[: call.start].rstrip()[:-1].rstrip())
    while True:
        start = _start_of_operand(flat, at)
        before = flat[:start].rstrip()
        if not before.endswith("."):
            return start, end
        at = len(before[:-1].rstrip())
        if not _ends_operand(flat, at):
            return len(before) - 1, end


def _start_of_operand(flat: str, end: int) -> int:
    """Where a name, a literal or something in brackets starts, with what is called or indexed by these."""
    start = end
    while start and flat[start - 1] in ")]}":
        start = _opening(flat, start)
        before = len(flat[:start].rstrip())
        if not _ends_operand(flat, before):
            return start
        start = before
    return _start_of_word(flat, start)


def _ends_operand(flat: str, end: int) -> bool:
    is_operator = flat[_start_of_word(flat, end) : end] == "in"
    return bool(end) and (flat[end - 1].isalnum() or flat[end - 1] in '_")]}') and not is_operator


def _start_of_word(flat: str, end: int) -> int:
    while end and (flat[end - 1].isalnum() or flat[end - 1] in '_"'):
        end -= 1
    return end


def _opening(flat: str, end: int) -> int:
    """Where the bracket opens that closes just before a place."""
    depth = 0
    for at in range(end - 1, -1, -1):
        depth += (flat[at] in ")]}") - (flat[at] in "([{")
        if not depth:
            return at
    return 0


def chains_in(source: str) -> Iterator[list[str]]:
    """The names with dots in an expression, taken apart; the name of a function or method is left out."""
    for match in _CHAIN.finditer(_AROUND_DOT.sub(".", blanked(source))):
        yield match[1].split(".")[: -1 if match[2] else None]


def names_listed(source: str) -> int:
    """How many names stand within square or curly brackets, mostly those of a list or a map."""
    flat = _AROUND_DOT.sub(".", blanked(source))
    depths = list(accumulate((sign in "[{") - (sign in "]}") for sign in flat))
    return sum(depths[match.start()] > 0 for match in _CHAIN.finditer(flat))


def variables_in(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The bare names that an expression reads the values of, and those it asks about by `answered.x`."""
    chains = [parts for parts in chains_in(source) if parts]
    asked = frozenset(name for family, *names in chains if family == "answered" for name in names[:1])
    return frozenset(parts[0] for parts in chains if parts[0] != "answered"), asked


def nesting(source: str) -> int:
    """How deep the brackets of an expression go."""
    depth = deepest = 0
    for character in blanked(source):
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def offset_of(source: str, line: int, column: int) -> int:
    """A line and a column, both from 1, as characters from the start."""
    before = sum(len(part) + 1 for part in source.split("\n")[: line - 1])
    return min(before + column - 1, max(len(source) - 1, 0))
