"""Texts of a scenario: `{{ expressions }}` and the author's markup, compiled once.

`*bold*`, `_italic_`, `` `code` `` and `[words](url)` are markup only in what the author wrote; what an
expression prints is always literal. A backslash makes `{{` and any markup sign literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from shared.dialog.messages import Span, Style
from shared.scenario.caps import MAX_EXPRESSIONS_IN_TEXT, MAX_PRINTED
from shared.scenario.expressions import LITERAL, Environment, Expression, ExpressionError, Undecided

MAX_PLAIN_NUMBER = 1e16
"""From here on a fractional number is printed with its exponent."""

DECIMAL_COMMA = frozenset(
    """be bg bs ca cs da de el es et fi fr hr hu id is it ka kk ky lt lv mk nb nl nn no pl pt ro ru sk sl
    sq sr sv tg tk tr uk uz vi""".split()
)
"""Languages that write 1,5 and put the day first: 31.12.2026."""

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
_UNSAFE = re.compile("[\x00\ud800-\udfff]")

Printed = tuple[str, tuple[Span, ...]]


class _Piece:
    """A literal or an expression, in a style."""

    __slots__ = ("expression", "literal")

    def __init__(self, literal: str, expression: Expression | None = None) -> None:
        self.literal = literal
        self.expression = expression


class _Styled:
    """Pieces `first` to `last` (exclusive) of a template are shown in a style."""

    __slots__ = ("first", "last", "style", "url")

    def __init__(self, first: int, last: int, style: Style, url: tuple[_Piece, ...] = ()) -> None:
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
        pieces: list[_Piece] = []
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

    def _split(self, skeleton: str) -> list[_Piece]:
        pieces = []
        for part in _PLACEHOLDERS.split(skeleton):
            number = ord(part) - _PLACEHOLDER if len(part) == 1 else -1
            if 0 <= number < len(self.expressions):
                pieces.append(_Piece("", self.expressions[number]))
            elif part:
                pieces.append(_Piece(part.translate(_UNESCAPE)))
        return pieces

    def _read_markup(self, skeleton: str, pieces: list[_Piece], styles: list[_Styled]) -> None:
        position = 0
        for match in _MARKUP.finditer(skeleton):
            pieces.extend(self._split(skeleton[position : match.start()]))
            position = match.end()
            first = len(pieces)
            kind = match.lastgroup or ""
            url: tuple[_Piece, ...] = ()
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


def _evaluated(piece: _Piece, value_of: Callable[[str], Any], language: str, notes: list[str]) -> str:
    if piece.expression is None:
        return ""
    try:
        return printed(piece.expression.evaluate(value_of), language)[:MAX_PRINTED]
    except Undecided as undecided:
        if undecided.reason:
            notes.append(f"{{{{ {piece.expression.source} }}}}: {undecided.reason}")
        return ""


def _address(
    pieces: tuple[_Piece, ...], value_of: Callable[[str], Any], language: str, notes: list[str]
) -> str:
    return "".join(
        piece.literal or quote(_evaluated(piece, value_of, language, notes), safe="") for piece in pieces
    )


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
        for language in languages:
            if template := self.by_language.get(language):
                return template.show(value_of, language, notes)
        return next(iter(self.by_language.values())).show(value_of, languages[0], notes)


def printed(value: Any, language: str) -> str:
    """How a value reads for a person: `1,5` in Russian, `a, b` for a list."""
    match value:
        case str():
            return _UNSAFE.sub("", value)
        case bool():
            return _YES_NO.get(_primary(language), _YES_NO["en"])[value]
        case float() | datetime():
            return _as_written(value, has_comma=_primary(language) in DECIMAL_COMMA)
        case list() | tuple():
            return ", ".join(printed(item, language) for item in value)
        case dict():
            pairs = (f"{printed(key, language)}: {printed(item, language)}" for key, item in value.items())
            return ", ".join(sorted(pairs))  # CEL's maps have no order of their own
        case None:
            return ""
        case _:
            return str(value)


def _as_written(value: float | datetime, *, has_comma: bool) -> str:
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y %H:%M}" if has_comma else f"{value:%Y-%m-%d %H:%M}"
    if value.is_integer() and abs(value) < MAX_PLAIN_NUMBER:
        return str(int(value))
    return repr(value).replace(".", "," if has_comma else ".")


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


_YES_NO = {"en": ("no", "yes"), "ru": ("нет", "да")}


def _take_expressions(source: str, environment: Environment) -> tuple[str, list[Expression]]:
    """The source with a placeholder for each expression, and the expressions."""
    skeleton: list[str] = []
    expressions: list[Expression] = []
    position = 0
    places = expression_places(source)
    if len(places) > MAX_EXPRESSIONS_IN_TEXT:
        raise ExpressionError(f"a text holds at most {MAX_EXPRESSIONS_IN_TEXT} expressions")
    for start, end in places:
        skeleton.append(_literal(source[position:start]))
        inner = source[start + 2 : end - 2]
        try:
            expressions.append(environment.compile(inner.strip()))
        except ExpressionError as error:
            lead = start + 2 + len(inner) - len(inner.lstrip())
            raise ExpressionError(error.message, lead + error.column, error.undeclared) from error
        skeleton.append(chr(_PLACEHOLDER + len(expressions) - 1))
        position = end
    skeleton.append(_literal(source[position:]))
    return "".join(skeleton), expressions


def _literal(text: str) -> str:
    return _PRIVATE.sub("", _UNSAFE.sub("", text)).replace("\\{{", "{{")


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
