"""What an author probably meant by an expression that does not compile; imported only where one is met."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from shared.scenario.caps import MAX_NESTING
from shared.scenario.expressions import ExpressionError, offset_of

COMING = frozenset("today contact value item index secret date days hours at format lower upper".split())
"""Names and functions of the language that this version does not have yet."""

_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")


def explained(source: str, error: str, declared: Iterable[str]) -> ExpressionError:
    """CEL's complaint about a source, in an author's words and at a character of theirs."""
    match = _POSITION.search(error)
    if not match:
        return ExpressionError(_without_position(error))
    offset = offset_of(source, int(match[1]), int(match[2]))
    if message := hint(source, offset):
        return ExpressionError(message, offset + 1)
    if undeclared := _UNDECLARED.search(match[3]):
        return _undeclared(source, undeclared[1], offset, declared)
    return ExpressionError(_in_plain_words(match[3]), offset + 1)


def _without_position(error: str) -> str:
    if "recursion" in error:
        return f"an expression nests at most {MAX_NESTING} deep"
    return error.splitlines()[0][:300]


def _undeclared(source: str, name: str, offset: int, declared: Iterable[str]) -> ExpressionError:
    family = name.partition(".")[0]
    is_call = source[offset] == "("
    start = source.rfind(family, 0, offset) if source[offset] in ".(" else offset
    if family in COMING:
        return ExpressionError(f"“{family}” is not supported yet", start + 1)
    if family == "label" and is_call:
        return ExpressionError("label(…) takes a variable that a button fills", start + 1)
    if is_call:
        return ExpressionError(f"there is no function “{name}” that takes this", start + 1)
    message = f"nothing sets or declares “{name}”" + _suggestion(source[:start], name, declared)
    return ExpressionError(message, start + 1, undeclared=name)


def _suggestion(before: str, name: str, declared: Iterable[str]) -> str:
    if close := difflib.get_close_matches(name, declared, n=1, cutoff=0.75):
        return f"; did you mean “{close[0]}”?"
    looks_like_text = name[0].isupper() or re.search(r"[=!]=\s*$", before)
    return f"; a text needs quotes: '{name}'" if looks_like_text else ""


def hint(source: str, position: int) -> str:
    """What was probably meant by a usual slip at this character of the source, or nothing."""
    places = [position]
    if not re.match(r"\w", source[position : position + 1]):
        places.append(max(0, position - 1))
    if negated := re.search(r"\bnot\s+$", source[:position]):
        places.append(negated.start())
    return next((cure for slip, cure in _SLIPS if any(slip.match(source, place) for place in places)), "")


_SLIPS = [
    (re.compile(r"and\b", re.IGNORECASE), "write && for “and”"),
    (re.compile(r"or\b", re.IGNORECASE), "write || for “or”"),
    (re.compile(r"not\b", re.IGNORECASE), "write ! for “not”"),
    (re.compile(r"True\b|False\b"), "write true and false in small letters"),
    (re.compile(r"None\b"), "write null, or ask answered.name whether a variable has a value"),
    (re.compile(r"(?<![=!<>])=(?![=~])"), "write == to compare"),
    (re.compile(r"<>"), "write != for “is not”"),
    (re.compile(r"[“”„«»‘’]"), "write straight quotes: ' or \""),
    (re.compile(r"[^\W\da-zA-Z_]"), "a text needs quotes: 'like this'"),
]

_IN_PLAIN_WORDS = [
    (
        re.compile(r".*applied to '\((?:.*double.*\bint\b.*|.*\bint\b.*double.*)\)'.*"),
        "a whole and a fractional number meet here; wrap the whole one in double(…)",
    ),
    (
        re.compile(r"found no matching overload for '_?@?([^_@].*?)_?' applied to '(.*)'.*"),
        r"“\1” does not take \2",
    ),
    (re.compile(r".*'<EOF>'.*"), "the expression ends too early"),
    (re.compile(r"(?:mismatched|extraneous) input '(.+)' expecting.*"), r"“\1” does not fit here"),
    (re.compile(r"(?:token recognition error at:|no viable.* input) '(.+)'"), r"“\1” does not fit here"),
]


def _in_plain_words(message: str) -> str:
    """CEL's words in an author's."""
    for pattern, words in _IN_PLAIN_WORDS:
        if match := pattern.fullmatch(message):
            return match.expand(words)
    return message.replace(" (in container '')", "")
