"""Texts of a scenario: `{{ expressions }}` and the author's markup, compiled once.

`*bold*`, `_italic_`, `` `code` `` and `[words](url)` are markup only in what the author wrote; what an
expression prints is always literal. A backslash makes `{{` and any markup sign literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from typing import Any, TypeVar

from shared.dialog.messages import Span, Style
from shared.scenario.addresses import in_address
from shared.scenario.caps import MAX_EXPRESSIONS_IN_TEXT, MAX_PRINTED
from shared.scenario.errors import ExpressionError, Undecided
from shared.scenario.expressions import LITERAL, Environment, Expression
from shared.scenario.functions import ZONE, surrounding, zone_of
from shared.scenario.printing import DECIMAL_COMMA, UNSAFE, printed

__all__ = [
    "DECIMAL_COMMA",
    "Piece",
    "Template",
    "Text",
    "Url",
    "expression_places",
    "parts_of",
    "printed",
    "value_in",
    "words_of",
]

_PLACEHOLDER = 0xF0000  # a private-use plane: stands for an expression while markup is read
_MARKUP = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\[(?P<words>[^\[\]\n]+)\]\((?P<url>[^()\s]+)\)"
    r"|(?<![\w*])\*(?P<bold>(?=\S)[^*\n]*[^*\s])\*(?![\w*])"
    r"|(?<!\w)_(?P<italic>(?=\S)[^_\n]*[^_\s])_(?!\w)"
)
_ESCAPED = {"\\*": "\ue000", "\\_": "\ue001", "\\`": "\ue002", "\\[": "\ue003"}
_UNESCAPE = str.maketrans({sign: escape[1] for escape, sign in _ESCAPED.items()})
_PLACEHOLDERS = re.compile("([\U000f0000-\U000ffffd])")
_PRIVATE = re.compile("[\ue000-\ue003\U000f0000-\U000ffffd]")

Printed = tuple[str, tuple[Span, ...]]
Compiled = TypeVar("Compiled")


class Piece:
    """A literal or an expression, in a style."""

    __slots__ = ("expression", "literal")

    def __init__(self, literal: str, expression: Expression | None = None) -> None:
        self.literal = literal
        self.expression = expression


class _Styled:
    """Pieces `first` to `last` (exclusive) of a template are shown in a style."""

    __slots__ = ("first", "last", "style", "url")

    def __init__(self, first: int, last: int, style: Style, url: tuple[Piece, ...] = ()) -> None:
        self.first = first
        self.last = last
        self.style = style
        self.url = url


class Template:
    """One text in one language, ready to print."""

    __slots__ = ("_constant", "_pieces", "_styles", "expressions")

    def __init__(self, source: str, environment: Environment, *, markup: bool = True) -> None:
        """Raises `ExpressionError` for the first expression in it that does not compile."""
        skeleton, self.expressions = _take_expressions(source, environment)
        pieces: list[Piece] = []
        styles: list[_Styled] = []
        if markup:
            for escape, sign in _ESCAPED.items():
                skeleton = skeleton.replace(escape, sign)
            self._read_markup(skeleton, pieces, styles)
        else:
            pieces.extend(self._split(skeleton))
        self._pieces = tuple(pieces)
        self._styles = tuple(styles)
        self._constant: Printed | None = None
        if not self.expressions:
            self._constant = self._print(_no_value, "", [])

    def _split(self, skeleton: str) -> list[Piece]:
        pieces = []
        for part in _PLACEHOLDERS.split(skeleton):
            number = ord(part) - _PLACEHOLDER if len(part) == 1 else -1
            if 0 <= number < len(self.expressions):
                pieces.append(Piece("", self.expressions[number]))
            elif part:
                pieces.append(Piece(part.translate(_UNESCAPE)))
        return pieces

    def _read_markup(self, skeleton: str, pieces: list[Piece], styles: list[_Styled]) -> None:
        position = 0
        for match in _MARKUP.finditer(skeleton):
            pieces.extend(self._split(skeleton[position : match.start()]))
            position = match.end()
            first = len(pieces)
            kind = match.lastgroup or ""
            url: tuple[Piece, ...] = ()
            style: Style = "link" if kind == "url" else kind  # type: ignore[assignment]
            if style == "link":
                url = tuple(self._split(match["url"]))
                self._read_markup(match["words"], pieces, styles)
            elif style == "code":
                pieces.extend(self._split(match["code"]))
            else:
                self._read_markup(match[kind], pieces, styles)
            styles.append(_Styled(first, len(pieces), style, url))
        pieces.extend(self._split(skeleton[position:]))

    def show(self, value_of: Callable[[str], Any], language: str, notes: list[str]) -> Printed:
        """The text and its styled spans; what went wrong in an expression is added to `notes`."""
        return self._constant or self._print(value_of, language, notes)

    def _print(self, value_of: Callable[[str], Any], language: str, notes: list[str]) -> Printed:
        printed = [piece.literal or _evaluated(piece, value_of, language, notes) for piece in self._pieces]
        if not self._styles:
            return "".join(printed), ()
        starts = [0]
        for part in printed:
            starts.append(starts[-1] + len(part))
        spans = [
            Span(starts[s.first], starts[s.last], s.style, _address(s.url, value_of, language, notes))
            for s in self._styles
        ]
        return "".join(printed), tuple(sorted((s for s in spans if s.end > s.start), key=_place))


def _place(span: Span) -> tuple[int, int]:
    return span.start, -span.end


def _no_value(name: str) -> Any:
    raise KeyError(name)


def _evaluated(piece: Piece, value_of: Callable[[str], Any], language: str, notes: list[str]) -> str:
    return words_of(piece.expression, value_of, language, notes) if piece.expression else ""


def words_of(expression: Expression, value_of: Callable[[str], Any], language: str, notes: list[str]) -> str:
    """What an expression prints; nothing where it is not decided."""
    value = value_in(expression, value_of, notes)
    if isinstance(value, str):
        return UNSAFE.sub("", value[:MAX_PRINTED])
    zone = _zone(value, value_of)
    try:
        return (printed(value, language, zone) if zone else printed(value, language))[:MAX_PRINTED]
    except RecursionError:
        notes.append(f"{{{{ {expression.source} }}}}: nested too deep to be shown")
        return ""


def value_in(expression: Expression, value_of: Callable[[str], Any], notes: list[str]) -> Any:
    """The value of a text's expression; None where it is not decided, with a note of what went wrong."""
    try:
        return expression.evaluate(value_of)
    except Undecided as undecided:
        if undecided.reason:
            notes.append(f"{{{{ {expression.source} }}}}: {undecided.reason}")
        return None


def _zone(value: Any, value_of: Callable[[str], Any]) -> tzinfo | None:
    """The time zone, where something in the value is printed by it."""
    if isinstance(value, bool | int | float | None):
        return None
    return zone_of(surrounding(ZONE, value_of))


def _address(pieces: Iterable[Piece], value_of: Callable[[str], Any], language: str, notes: list[str]) -> str:
    shown = ""
    for piece in pieces:
        shown += piece.literal or in_address(_evaluated(piece, value_of, language, notes), shown)
    return shown


class Url(Template):
    """An address: no markup, and what an expression prints is percent-encoded."""

    __slots__ = ()

    def __init__(self, source: str, environment: Environment) -> None:
        super().__init__(source, environment, markup=False)

    def address(self, value_of: Callable[[str], Any], language: str, notes: list[str]) -> str:
        return _address(self._pieces, value_of, language, notes)


class Text:
    """A text in all its languages."""

    __slots__ = ("by_language", "words")

    def __init__(self, by_language: Mapping[str, Template]) -> None:
        """`words` are its constant wordings in every language, for comparing with what a person typed."""
        self.by_language = by_language
        shown = (t.show(_no_value, "", [])[0] for t in by_language.values() if not t.expressions)
        self.words = tuple(dict.fromkeys(shown))

    def show(self, value_of: Callable[[str], Any], languages: tuple[str, ...], notes: list[str]) -> Printed:
        """Print it in the first of `languages` that it has; it has at least one."""
        by_language = self.by_language
        for language in languages:
            if language in by_language:
                return by_language[language].show(value_of, language, notes)
        return next(iter(by_language.values())).show(value_of, languages[0], notes)


def _take_expressions(source: str, environment: Environment) -> tuple[str, list[Expression]]:
    """The source with a placeholder for each expression, and the expressions."""
    skeleton: list[str] = []
    expressions: list[Expression] = []
    for part in parts_of(source, environment.compile):
        if isinstance(part, str):
            skeleton.append(part)
        else:
            skeleton.append(chr(_PLACEHOLDER + len(expressions)))
            expressions.append(part)
    return "".join(skeleton), expressions


def parts_of(source: str, compile_: Callable[[str], Compiled]) -> list[str | Compiled]:
    """The literal words of a text, and between them what is made of each of its expressions."""
    parts: list[str | Compiled] = []
    position = 0
    places = expression_places(source)
    if len(places) > MAX_EXPRESSIONS_IN_TEXT:
        raise ExpressionError(f"a text holds at most {MAX_EXPRESSIONS_IN_TEXT} expressions")
    for start, end in places:
        parts += _literal(source[position:start]), _compiled(source[start + 2 : end - 2], start + 2, compile_)
        position = end
    return [*parts, _literal(source[position:])]


def _compiled(inner: str, offset: int, compile_: Callable[[str], Compiled]) -> Compiled:
    try:
        return compile_(inner.strip())
    except ExpressionError as error:
        lead = offset + len(inner) - len(inner.lstrip())
        raise ExpressionError(error.message, lead + error.column, error.undeclared) from error


def _literal(text: str) -> str:
    return _PRIVATE.sub("", UNSAFE.sub("", text)).replace("\\{{", "{{")


def expression_places(source: str) -> list[tuple[int, int]]:
    """Where each `{{ … }}` starts and ends. Raises `ExpressionError` for one that is not closed."""
    places = []
    start = source.find("{{")
    while start >= 0:
        if start and source[start - 1] == "\\":
            start = source.find("{{", start + 2)
            continue
        end = _closing(source, start + 2)
        places.append((start, end))
        start = source.find("{{", end)
    return places


def _closing(source: str, position: int) -> int:
    """The end of the `{{ … }}` whose inside starts here; braces of maps and in literals do not count."""
    opening, depth = position - 1, 0
    while position < len(source):
        if literal := LITERAL.match(source, position):
            position = literal.end()
            continue
        if source.startswith("}}", position) and not depth:
            return position + 2
        depth += (source[position] == "{") - (source[position] == "}")
        position += 1
    raise ExpressionError("“{{” is not closed by “}}”; write \\{{ to show two braces", opening)
