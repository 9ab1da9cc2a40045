"""Styles by marker characters, as WhatsApp and Viber read them; anything else stays what it is.

Neither has a way to escape a marker. Both open a style only where a marker is followed by something
other than a space (Viber documents that as the way out), so every marker that is not ours and might
open one gets a hair space behind it. A line that would become a bullet or a quotation gets an
invisible word joiner in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from shared.dialog.messages import Span
from shared.platforms.formatting import clipped, split, tail_start

HAIR_SPACE = "\u200a"
WORD_JOINER = "\u2060"

_MARKERS = "*_~`"
_ANYTHING_TO_DO = re.compile(r"[*_~`>-]")

# Addresses are left alone: a space would break them. An underscore within a word opens nothing.
_TO_GUARD = re.compile(
    r"https?://[^\W_][\w-]*(?:\.[\w-]+)+\S*"
    r"|([*~`](?=\S)|_(?=[^\w\s]|_)|(?<![^\W_])_(?=\S))",
    re.IGNORECASE,
)
_LISTED_LINE = re.compile(r"^(?=[^\S\n]*(?:>|[*-]\s))", re.MULTILINE)


class Markup(msgspec.Struct, frozen=True):
    """A messenger's marker for each style but links, and whether it makes lists of lines."""

    markers: Mapping[str, str]
    has_lists: bool


class _Styled(msgspec.Struct, frozen=True):
    start: int
    end: int
    marker: str
    is_code: bool


def marked_up(text: str, spans: Sequence[Span], markup: Markup) -> tuple[str, bool]:
    """The text in the messenger's markup, and whether every style could be shown."""
    if not spans and not _ANYTHING_TO_DO.search(text):
        return text, True
    styled, all_shown = _showable(text, spans, markup)
    result = _with_markers(text, styled, _guards(text, styled))
    return (_LISTED_LINE.sub(WORD_JOINER, result) if markup.has_lists else result), all_shown


def parts(
    text: str,
    spans: Sequence[Span],
    markup: Markup,
    limits: tuple[int, int],
    length: Callable[[str], int],
) -> tuple[list[str], bool]:
    """The text marked up in parts within `limits`: of every part but the last, and of the last.

    `length` measures what is sent. The second value says whether every style could be shown.
    """

    def size(start: int, end: int) -> int:
        return length(marked_up(text[start:end], clipped(spans, start, end), markup)[0])

    limit, last_limit = limits
    whole, all_shown = marked_up(text, spans, markup)
    if length(whole) <= last_limit:
        return [whole], all_shown
    tail = tail_start(text, last_limit, size) if last_limit < limit else len(text)
    ranges = split(text[:tail], limit, size)
    if tail < len(text):
        ranges.append((tail, len(text)))
    return [marked_up(text[a:b], clipped(spans, a, b), markup)[0] for a, b in ranges], all_shown


def _showable(text: str, spans: Sequence[Span], markup: Markup) -> tuple[list[_Styled], bool]:
    """What can be marked: one piece a line, nested or apart, outer pieces first."""
    pieces = [piece for span in spans for piece in _pieces(text, span, markup)]
    pieces.sort(key=lambda piece: (piece.start, -piece.end, piece.is_code))
    styled: list[_Styled] = []
    around: list[_Styled] = []
    for piece in pieces:
        while around and around[-1].end <= piece.start:
            around.pop()
        if _fits(text, piece, around):
            around.append(piece)
            styled.append(piece)
    return styled, len(styled) == len(pieces)


def _pieces(text: str, span: Span, markup: Markup) -> Iterator[_Styled]:
    """The span line by line, without the spaces at either end: markers do not work across those."""
    marker = markup.markers[span.style]
    start = span.start
    for line in text[span.start : span.end].splitlines(keepends=True):
        words = line.strip()
        if words:
            first = start + line.index(words)
            yield _Styled(first, first + len(words), marker, span.style == "code")
        start += len(line)


def _fits(text: str, piece: _Styled, around: Sequence[_Styled]) -> bool:
    """Whether markers here would be read as meant: at the edges of words, not muddled with others."""
    if around:
        outer = around[-1]
        if outer.is_code or outer.end < piece.end or outer.marker == piece.marker:
            return False
    before, after = text[piece.start - 1 : piece.start], text[piece.end : piece.end + 1]
    if before.isalnum() or after.isalnum():
        return False
    edges = {before, text[piece.start], text[piece.end - 1], after}
    return piece.marker[0] not in text[piece.start : piece.end] and edges.isdisjoint(_MARKERS)


def _guards(text: str, styled: Sequence[_Styled]) -> list[int]:
    """Where a hair space belongs. A marker that is alone in the text has nothing to pair with."""
    if not styled and all(text.count(marker) < 2 for marker in _MARKERS):  # noqa: PLR2004 (a pair)
        return []
    codes = [(s.start, s.end) for s in styled if s.is_code]
    places = (match.end() for match in _TO_GUARD.finditer(text) if match[1])
    return [place for place in places if not any(start < place <= end for start, end in codes)]


def _with_markers(text: str, styled: Sequence[_Styled], guards: Sequence[int]) -> str:
    inserts: dict[int, str] = dict.fromkeys(guards, HAIR_SPACE)
    for piece in reversed(styled):
        inserts[piece.start] = piece.marker + inserts.get(piece.start, "")
    for piece in styled:
        inserts[piece.end] = piece.marker + inserts.get(piece.end, "")
    result: list[str] = []
    at = 0
    for place in sorted(inserts):
        result += (text[at:place], inserts[place])
        at = place
    return "".join([*result, text[at:]])
