"""HTTP requests of a scenario: texts whose values are encoded for the place they stand in.

A secret is never among the values. `{{ secret('name') }}` leaves a mark beside the text, which says where
in it the secret belongs; nothing that a person writes can make such a mark.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.scenario import moments
from shared.scenario.addresses import in_called_address
from shared.scenario.errors import ExpressionError
from shared.scenario.expressions import Environment, Expression
from shared.scenario.headers import OURS
from shared.scenario.printing import UNSAFE, printed
from shared.scenario.sources import blanked
from shared.scenario.texts import parts_of, value_in, words_of

Report = Callable[[str, ExpressionError], None]
ValueOf = Callable[[str], Any]

_SECRET = re.compile(r"""secret\s*\(\s*(?:'([A-Za-z0-9_.-]{1,64})'|"([A-Za-z0-9_.-]{1,64})")\s*\)""")
_MENTIONED = re.compile(r"(?<![\w.])secret\b")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _Secret(msgspec.Struct, frozen=True):
    name: str


_Parts = tuple[str | Expression | _Secret, ...]


class _Showing(msgspec.Struct, frozen=True):
    """One request under way; `secrets` are the marks found so far."""

    value_of: ValueOf
    languages: tuple[str, ...]
    notes: list[str]
    secrets: list[dict[str, Any]] = []

    @property
    def language(self) -> str:
        return self.languages[0] if self.languages else ""

    def line(self, parts: _Parts, at: str, encode: Callable[[str, str], str]) -> str:
        """The parts in one text; `encode` gets what a value prints, and the text before it."""
        shown = ""
        for part in parts:
            if isinstance(part, _Secret):
                self.secrets.append({"at": at, "offset": len(shown), "name": part.name})
            elif isinstance(part, Expression):
                shown += encode(words_of(part, self.value_of, self.language, self.notes), shown)
            else:
                shown += part
        return shown


def secret_in(source: str) -> str:
    """The name of the secret that an expression stands for; "" for any other expression."""
    secret = _SECRET.fullmatch(source)
    return (secret[1] or secret[2]) if secret else ""


class RequestTemplate:
    """The http action of a step, ready to be filled in."""

    __slots__ = ("_body", "_headers", "_method", "_schema", "_url")

    def __init__(self, http: Mapping[str, Any], environment: Environment, report: Report, at: str) -> None:
        """What does not compile is told to `report`, and left empty."""
        reader = _Reader(environment, report)
        self._method: str = http["method"]
        self._url = reader.text(http["url"], f"{at}/url")
        self._headers = dict(reader.headers(http.get("headers", {}), f"{at}/headers"))
        self._body = reader.body(http.get("body"), f"{at}/body")
        self._schema: Mapping[str, Any] | None = http.get("schema")

    def show(self, value_of: ValueOf, languages: tuple[str, ...], notes: list[str]) -> dict[str, Any]:
        """The request as JSON.

        Each of its `secrets` names the text `at` which it belongs (a JSON pointer into the request), how
        many characters of that text stand before it, and the secret. Of two in one text the earlier comes
        first. In the address a secret is to be percent-encoded like any value.
        """
        showing = _Showing(value_of, languages, notes)
        return {
            "method": self._method,
            "url": showing.line(_in(self._url, languages), "/url", in_called_address),
            "headers": {
                name: showing.line(_in(text, languages), f"/headers/{_token(name)}", _in_header)
                for name, text in self._headers.items()
            },
            "body": _filled(self._body, "/body", showing),
            "secrets": showing.secrets,
            "schema": self._schema,
        }


# --- reading ---------------------------------------------------------------------------------------


class _Reader(msgspec.Struct, frozen=True):
    environment: Environment
    report: Report

    def text(self, text: str | Mapping[str, str], at: str) -> dict[str, _Parts]:
        by_language = {"": text} if isinstance(text, str) else text
        return {
            language: self.parts(words, f"{at}/{language}" if language else at)
            for language, words in by_language.items()
        }

    def headers(self, headers: Mapping[str, Any], at: str) -> Iterator[tuple[str, dict[str, _Parts]]]:
        for name, text in headers.items():
            pointer = f"{at}/{_token(name)}"
            if flaw := _flaw_of_header(name):
                self.report(pointer, ExpressionError(flaw))
            else:
                yield name, _without_controls(self.text(text, pointer))

    def body(self, value: Any, at: str) -> Any:
        """The body with its texts taken apart; whatever else is in it stays as it is."""
        if isinstance(value, str):
            return self.parts(value, at)
        if isinstance(value, Mapping):
            return {key: self.body(each, f"{at}/{_token(key)}") for key, each in value.items()}
        if isinstance(value, list):
            return [self.body(each, f"{at}/{index}") for index, each in enumerate(value)]
        return value

    def parts(self, words: str, at: str) -> _Parts:
        try:
            return tuple(part for part in parts_of(words, self._compiled) if part != "")
        except ExpressionError as error:
            self.report(at, error)
            return ()

    def _compiled(self, source: str) -> Expression | _Secret:
        if name := secret_in(source):
            return _Secret(name)
        if mentioned := _MENTIONED.search(blanked(source)):
            message = "a secret stands alone, with its name in quotes: {{ secret('name') }}"
            raise ExpressionError(message, mentioned.start() + 1)
        return self.environment.compile(source)


def _flaw_of_header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        return "the name of a header is letters, digits and -"
    return f"“{name}” is set where the request is sent" if name.lower() in OURS else ""


def _without_controls(text: Mapping[str, _Parts]) -> dict[str, _Parts]:
    return {
        language: tuple(_CONTROLS.sub("", part) if isinstance(part, str) else part for part in parts)
        for language, parts in text.items()
    }


def _token(key: str) -> str:
    """A key as one token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


# --- filling in ------------------------------------------------------------------------------------


def _in(text: Mapping[str, _Parts], languages: tuple[str, ...]) -> _Parts:
    """The text in the first language that it has."""
    known = (language for language in languages if language in text)
    return text[next(known, next(iter(text)))] if text else ()


def _in_header(value: str, _before: str) -> str:
    return _CONTROLS.sub("", value)


def _as_it_is(value: str, _before: str) -> str:
    return value


def _filled(body: Any, at: str, showing: _Showing) -> Any:
    if isinstance(body, tuple):
        return _leaf(body, at, showing)
    if isinstance(body, dict):
        return {key: _filled(each, f"{at}/{_token(key)}", showing) for key, each in body.items()}
    if isinstance(body, list):
        return [_filled(each, f"{at}/{index}", showing) for index, each in enumerate(body)]
    return body


def _leaf(parts: _Parts, at: str, showing: _Showing) -> Any:
    """A text, or the value itself where it is exactly one expression; null where that has none."""
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return _value(parts[0], showing)
    return showing.line(parts, at, _as_it_is)


def _value(expression: Expression, showing: _Showing) -> Any:
    try:
        return _as_json(value_in(expression, showing.value_of, showing.notes))
    except RecursionError:
        showing.notes.append(f"{{{{ {expression.source} }}}}: nested too deep to be sent")
        return None


def _as_json(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case bool() | int() | float() | None:
            return value
        case datetime():
            return moments.saved(value)
        case timedelta():
            return value.total_seconds()
        case list() | tuple():
            return [_as_json(each) for each in value]
        case dict():
            return {_as_key(key): _as_json(each) for key, each in value.items()}
    return printed(value, "en")


def _as_key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else UNSAFE.sub("", str(key))
