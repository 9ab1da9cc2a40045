"""Answers, in four named stages: extract → normalise → validate → store.

Each stage is a small function; `accept` runs the first three, the engine stores.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from shared.dialog.state import Choice

MAX_ANSWER = 16_000
"""Characters of an answer that are kept; no messenger lets a person send more."""

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_MATCHES = cel.NewEnv(variables={"value": cel.Type.STRING, "pattern": cel.Type.STRING}).compile(
    "value.matches(pattern)"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an author demands of a text; `pattern` is RE2 and must match the whole answer."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def admit(self, value: str) -> bool:
        """Whether the value fits; a pattern that is no RE2 admits all (the linter refuses it)."""
        if self.min_length is not None and len(value) < self.min_length:
            return False
        if self.max_length is not None and len(value) > self.max_length:
            return False
        return self.pattern is None or matches(value, self.pattern) is not False


NO_LIMITS = Limits()


def matches(value: str, pattern: str) -> bool | None:
    """Whether the whole value matches; None where the pattern is no RE2."""
    result = _MATCHES.eval(data={"value": value, "pattern": rf"\A(?:{pattern})\z"}).plain_value()
    return result if isinstance(result, bool) else None


def extract(text: str) -> str:
    """What a person wrote as NFC text, without NUL, half surrogate pairs and edge spaces."""
    if text.isascii() and "\0" not in text:
        return text.strip()[:MAX_ANSWER]
    return unicodedata.normalize("NFC", _UNSAFE.sub("", text)).strip()[:MAX_ANSWER]


def is_text(value: str, limits: Limits) -> bool:
    return bool(value) and limits.admit(value)


def choice_typed(text: str, choices: Sequence[Choice]) -> int | None:
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
        if typed == comparable(_as_text(choice.value)):
            return index
    position = _position(typed)
    if position is None or any(_is_number(choice) for choice in choices):
        return None
    return position - 1 if 1 <= position <= len(choices) else None


def comparable(text: str) -> str:
    """A text reduced to what people compare by: NFC, case folded, no emoji, no edge punctuation."""
    folded = unicodedata.normalize("NFC", text).casefold()
    if folded.isalnum():
        return folded
    kept = "".join(c for c in folded if c not in _KEYCAPS and unicodedata.category(c) not in _EMOJI)
    bare = kept.strip(_EDGES)
    return bare or kept.strip() or folded.strip()


_EMOJI = frozenset({"So", "Sk", "Cs", "Cf"})
_KEYCAPS = "\ufe0e\ufe0f\u20e3"  # what turns a plain sign into an emoji
_EDGES = " \t\r\n.,!?;:…\"'«»“”„()[]{}-–—*_`"


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _position(typed: str) -> int | None:
    return int(typed) if typed.isdecimal() and len(typed) <= len("100") else None


def _is_number(choice: Choice) -> bool:
    return any(
        comparable(text).isdecimal() for text in (choice.label, *choice.labels, _as_text(choice.value))
    )
