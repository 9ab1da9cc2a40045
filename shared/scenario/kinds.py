"""The types of variables by their names, for whoever needs no expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.scenario import moments

ANSWERS: Final[Mapping[str, str]] = {
    "text": "string",
    "number": "number",
    "integer": "integer",
    "date": "date",
    "time": "string",
    "email": "string",
    "phone": "string",
    "url": "string",
    "location": "map",
    "contact": "map",
    "any": "any",
}
"""What a question puts into its variable, by the type of its input, where that alone decides."""

_INTEGERS: Final = range(-(2**63), 2**63)
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?", re.ASCII
)


def kind_of(value: Any) -> str:
    """The type that a JSON value has by itself: a date is a string."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "list"
        case dict():
            return "map"
    return "any"


def fits(value: Any, wanted: str) -> bool:
    """Whether a variable of that type can hold the JSON value. A date is a day, or a time with its zone."""
    match wanted, value:
        case "any", _:
            return True
        case "number", int() | float():
            return not isinstance(value, bool)
        case "integer", int():
            return not isinstance(value, bool) and value in _INTEGERS
        case "date", str():
            return _is_moment(value)
    return kind_of(value) == wanted


def in_words(kind: str) -> str:
    """The type with its article."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _is_moment(text: str) -> bool:
    try:
        moments.loaded(text)
    except ValueError:
        return False
    return _MOMENT.fullmatch(text) is not None
