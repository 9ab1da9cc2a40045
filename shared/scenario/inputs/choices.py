"""Choices that a person typed, instead of pressing their buttons."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

from shared.dialog.state import Choice
from shared.scenario.inputs.limits import Limits

MAX_WORDS = 200
MAX_WORDS_OF_CHOICE = 12
"""Of an answer that names several choices, and of one choice in it."""

_WORD = re.compile(r"[^\s,;،؛、，；]+")
_Words = Sequence[tuple[int, int]]
_JOINERS = frozenset("and y e et und и й та & + ja og och i ve و".split())


def choice_typed(text: str, choices: Sequence[Choice], *, by_position: bool = True) -> int | None:
    """The index of the choice a person typed: by its words in any language, its value, its position.

    Positions count from 1 as shown, and are off where a label or a value is itself a number.
    """
    return _Offered(choices, by_position=by_position).index_of(text)


def choices_typed(text: str, choices: Sequence[Choice], limits: Limits) -> tuple[int, ...] | None:
    """The indices of the choices a person typed, in the order shown: `1,3`, `1 3`, `Tea and fruit cake`.

    None where a part of the text is no choice, or where they are fewer or more than the limits allow.
    """
    offered = _Offered(choices, by_position=True)
    whole = offered.index_of(text)
    found = _several(text, offered) if whole is None else {whole}
    return tuple(sorted(found)) if found and is_count(len(found), limits) else None


def is_count(count: int, limits: Limits) -> bool:
    """Whether so many choices may be taken."""
    low, high = limits.min, limits.max
    return not (isinstance(low, int) and count < low) and not (isinstance(high, int) and count > high)


def _several(text: str, offered: _Offered) -> set[int] | None:
    """The choices that the words of a text name one after another, each read as the longest it can be."""
    words = [match.span() for match in _WORD.finditer(text)]
    if len(words) > MAX_WORDS:
        return None
    named: list[set[int] | None] = [*(None for _ in words), set()]  # by the words from each one on
    for first in reversed(range(len(words))):
        named[first] = _named_from(first, text, words, named, offered)
    return named[0]


def _named_from(
    first: int, text: str, words: _Words, named: Sequence[set[int] | None], offered: _Offered
) -> set[int] | None:
    """What the words from this one on name, as it is known already for all later ones."""
    for end in range(min(first + MAX_WORDS_OF_CHOICE, len(words)), first, -1):
        rest = named[end]
        if rest is None:
            continue
        index = offered.index_of(text[words[first][0] : words[end - 1][1]])
        if index is not None:
            return rest | {index}
    joins = 0 < first < len(words) - 1 and text[slice(*words[first])].casefold() in _JOINERS
    return named[first + 1] if joins else None


class _Offered:
    """Choices, as a person may name them."""

    def __init__(self, choices: Sequence[Choice], *, by_position: bool) -> None:
        self._choices = choices
        self._by_position = by_position
        self._by_name: dict[str, int] = {}
        for index, choice in enumerate(choices):
            for label in (choice.label, *choice.labels):
                self._by_name.setdefault(_name(label), index)
        for index, choice in enumerate(choices):
            self._by_name.setdefault(_name(as_typed(choice.value)), index)

    def index_of(self, text: str) -> int | None:
        typed = comparable(text)
        if not typed:
            return None
        index = self._by_name.get(typed)
        return self._position(typed) if index is None and typed.isdecimal() else index

    def _position(self, typed: str) -> int | None:
        if not self._has_positions or len(typed) > len("1000"):
            return None
        return int(typed) - 1 if 1 <= int(typed) <= len(self._choices) else None

    @cached_property
    def _has_positions(self) -> bool:
        return self._by_position and not any(_NUMBER.fullmatch(name) for name in self._by_name)


def as_typed(value: Any) -> str:
    """A choice's value as a person would type it, so that it is read the same in every language."""
    text = str(value)
    if isinstance(value, bool):
        return text.lower()
    if isinstance(value, float) and _THREE_FIGURES.search(text):
        return f"{text}0"  # 1.125 might be read as a thousand and more
    return text


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


_name = lru_cache(maxsize=1024)(comparable)
"""What a choice goes by; most are the same in every dialog."""


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character in _KEYCAPS or unicodedata.category(character) in _EMOJI:
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


_THREE_FIGURES = re.compile(r"\.\d{3}\Z")
_NUMBER = re.compile(r"-?\d[\d\s.,]*")
_EMOJI = frozenset({"So", "Sk", "Cs", "Cf"})
_KEYCAPS = "\ufe0e\ufe0f\u20e3"  # what turns a plain sign into an emoji
_VARIANTS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # of one emoji: its looks and skin tones
_MINUS = ("-", "−")
_EDGES = " \t\r\n.,!?;:…\"'«»“”„()[]{}-–—−*_`"
