"""What a button carries: `p:{epoch}:{run}:{ask}:{choice}`, at most 40 bytes.

It names the one ask it was shown with, so a press on anything older, of another run, or of a dialog
that was deleted since, is recognised as stale. Numbers are in base 36.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_FORM = re.compile(r"p:([0-9a-z]{8}):([0-9a-z]{1,7}):([0-9a-z]{1,7}):([0-9a-z]{1,2})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Press(msgspec.Struct, frozen=True, gc=False):
    """A press read back; `choice` counts from 0."""

    epoch: str
    run: int
    ask: int
    choice: int


def write(epoch: str, run: int, ask: int, choice: int) -> str:
    return beginning(epoch, run, ask) + _base36(choice)


def write_all(epoch: str, run: int, ask: int, choices: int) -> list[str]:
    """What each button of one ask carries, in order."""
    of_ask = beginning(epoch, run, ask)
    return [of_ask + _base36(choice) for choice in range(choices)]


def beginning(epoch: str, run: int, ask: int) -> str:
    """What all buttons of one ask carry first."""
    return f"p:{epoch}:{_base36(run)}:{_base36(ask)}:"


def read(data: str) -> Press | None:
    """The press, or None if the data is none of ours."""
    match = _FORM.fullmatch(data)
    if match is None:
        return None
    return Press(match[1], int(match[2], 36), int(match[3], 36), int(match[4], 36))


@lru_cache(maxsize=1024)
def _base36(number: int) -> str:
    digits = ""
    while number >= len(_DIGITS):
        number, rest = divmod(number, len(_DIGITS))
        digits = _DIGITS[rest] + digits
    return _DIGITS[number] + digits
