"""Choices that a person typed, instead of pressing their buttons."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from shared.dialog.state import Choice


def choice_typed(text: str, choices: Sequence[Choice], *, by_position: bool = True) -> int | None:
    """The index of the choice a person typed: by its words in any language, its value, its position.

    Positions count from 1 as shown, and are off where a label or a value is itself a number.
    """
    typed = comparable(text)
    if not typed:
        return None
    for index, choice in enumerate(choices):
        if any(typed == comparable(label) for label in (choice.label, *choice.labels)):
            return index
    for index, choice in enumerate(choices):
        if typed == comparable(as_typed(choice.value)):
            return index
    return _position(typed, choices) if by_position else None


def _position(typed: str, choices: Sequence[Choice]) -> int | None:
    if not typed.isdecimal() or len(typed) > len("100") or any(_is_number(choice) for choice in choices):
        return None
    return int(typed) - 1 if 1 <= int(typed) <= len(choices) else None


def _is_number(choice: Choice) -> bool:
    words = (choice.label, *choice.labels, as_typed(choice.value))
    return any(_NUMBER.fullmatch(comparable(text)) for text in words)


def as_typed(value: Any) -> str:
    """A choice's value as a person would type it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def comparable(text: str) -> str:
    """A text reduced to what people compare by: NFC, case folded, no emoji, no edge punctuation.

    Digits of any alphabet count as 0-9, and a number keeps its minus. What is nothing but emoji or
    punctuation stays what it is.
    """
    folded = _normal(_normal(text).casefold())
    if folded.replace(" ", "").isalpha():
        return folded.strip()
    kept = _normal("".join(_plain(character) for character in folded))
    left = kept.lstrip(_EDGES)
    is_negative = left[:1].isdecimal() and kept[: -len(left)][-1:] in _MINUS
    bare = ("-" if is_negative else "") + left.rstrip(_EDGES)
    return bare or kept.strip() or _VARIANTS.sub("", folded).strip() or folded.strip()


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _KEYCAPS or unicodedata.category(character) in _EMOJI:
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


_NUMBER = re.compile(r"-?\d[\d\s.,]*")
_EMOJI = frozenset({"So", "Sk", "Cs", "Cf"})
_KEYCAPS = "\ufe0e\ufe0f\u20e3"  # what turns a plain sign into an emoji
_VARIANTS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # of one emoji: its looks and skin tones
_MINUS = ("-", "−")
_EDGES = " \t\r\n.,!?;:…\"'«»“”„()[]{}-–—−*_`"
