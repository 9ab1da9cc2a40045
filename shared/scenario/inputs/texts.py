"""Text: how it is extracted from what a person wrote, and held against an author's limits."""

from __future__ import annotations

import re
import unicodedata

from cel_expr_python import cel

from shared.scenario.bounds import MAX_MATCHED
from shared.scenario.caps import MAX_ANSWER
from shared.scenario.inputs.limits import Limits
from shared.scenario.patterns import weight

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_MATCHES = cel.NewEnv(variables={"value": cel.Type.STRING, "pattern": cel.Type.STRING}).compile(
    "value.matches(pattern)"
)


def extract(text: str) -> str:
    """What a person wrote as NFC text, without NUL, half surrogate pairs and edge spaces."""
    if text.isascii() and "\0" not in text:
        return text.strip()[:MAX_ANSWER].rstrip()
    return unicodedata.normalize("NFC", _UNSAFE.sub("", text)).strip()[:MAX_ANSWER].rstrip()


def is_text(value: str, limits: Limits) -> bool:
    """Whether a text fits; a pattern that is no RE2 admits all (the linter refuses it)."""
    if not value or (limits.min_length is not None and len(value) < limits.min_length):
        return False
    if limits.max_length is not None and len(value) > limits.max_length:
        return False
    return limits.pattern is None or matches(value, limits.pattern) is not False


def matches(value: str, pattern: str) -> bool | None:
    """Whether the whole value matches; None where the pattern is no RE2.

    A text that is too long for a heavy pattern does not: the library might be busy with it for minutes.
    """
    if len(value) * weight(pattern) > MAX_MATCHED:
        return False
    result = _MATCHES.eval(data={"value": value, "pattern": rf"\A(?:{pattern})\z"}).plain_value()
    return result if isinstance(result, bool) else None


def is_pattern(pattern: str) -> bool:
    """Whether it is an RE2, alone and within what makes it match a whole answer."""
    alone = _MATCHES.eval(data={"value": "", "pattern": pattern}).plain_value()
    return isinstance(alone, bool) and matches("", pattern) is not None
