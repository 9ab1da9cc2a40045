"""A body's JSON, read so that every string in it can be written again."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


_quick = msgspec.json.Decoder().decode


class NotJson(ValueError):
    """The bytes are no JSON text in UTF-8."""


def decode(body: bytes) -> Any:
    """The JSON value. Half a surrogate pair, which UTF-8 cannot write, is replaced by U+FFFD.

    Raises `NotJson`; for JSON that is well-formed but beyond us, whatever breaks: `RecursionError`
    for endless nesting, `ValueError` for a number of thousands of digits.
    """
    try:
        return _quick(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _thorough(body)


def _thorough(body: bytes) -> Any:
    """For the few that the quick decoder refuses: half pairs, huge numbers, and what is no JSON."""
    try:
        text = body.decode("utf-8")
        value = _loads(text)
        return _loads(_writable(value)) if _ESCAPED_SURROGATE.search(text) else value
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotJson(type(error).__name__) from None


def _writable(value: Any) -> str:
    return _LONE_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False))


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity; JSON has neither."""
    raise NotJson(name)


_loads = json.JSONDecoder(parse_constant=_refuse_constant).decode
