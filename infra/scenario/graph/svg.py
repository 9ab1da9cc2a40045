"""A picture of a scenario as an SVG that needs nothing else: no script, no font, no style from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from infra.scenario.graph.layout import Grid, Place, places_of
from infra.scenario.graph.picture import Box, Document, Picture, Way, clean, picture_of
from shared.scenario.findings import Finding

WIDTH, GAP, ROW_GAP, MARGIN = 280, 50, 60, 40
LINE, PADDING = 18, 10
MAX_TITLE, MAX_LINE, MAX_LABEL, MAX_TARGET = 32, 36, 24, 16
LANES = 5
"""How many arrows run beside one another before the next is drawn over the first."""
MAX_LISTED = 20
"""Findings of no step that are listed above the picture."""

_STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2937}
.title{font-weight:600}.words{fill:#4b5563}.note{font-size:12px}
.box{fill:#fff;stroke:#6b7280}.start{stroke:#1c64f2;stroke-width:3}
.anytime,.conditions{fill:#f3f4f6;stroke-dasharray:2 3}
.missing{fill:#fde8e8;stroke:#c81e1e;stroke-dasharray:6 4}
.error{fill:#fde8e8;stroke:#c81e1e;stroke-width:3}.warning{fill:#fdf6b2;stroke:#c27803;stroke-width:3}
path{fill:none;stroke:#9ca3af;stroke-width:1.5}path.choice{stroke:#1c64f2}path.condition{stroke:#057a55}
path.trouble{stroke:#c27803;stroke-dasharray:5 4}path:hover{stroke-width:4}
text.choice{fill:#1c64f2}text.condition{fill:#057a55}text.trouble{fill:#92400e}
"""
_ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:#6b7280;stroke:none"/></marker>'
)


def svg(document: Document, findings: Sequence[Finding] = ()) -> str:
    """Steps as boxes, each way out as a line of its box with an arrow; findings in red and yellow."""
    picture = picture_of(document, findings)
    ways = {
        box.id: list(dict.fromkeys(way.target for way in box.ways if way.target)) for box in picture.boxes
    }
    heights = {box.id: _height(box) for box in picture.boxes}
    places = places_of(ways, Grid(WIDTH, heights, GAP, ROW_GAP))
    return "\n".join(_lines(picture, places, heights)) + "\n"


def _lines(picture: Picture, places: Mapping[str, Place], heights: Mapping[str, float]) -> Iterator[str]:
    listed = list(_listed(picture.findings))
    top = MARGIN + LINE * len(listed)
    width = max(place.x for place in places.values()) + WIDTH + 2 * MARGIN + GAP
    height = max(place.y + heights[box] for box, place in places.items()) + top + MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
    yield f' width="{width:.0f}" height="{height:.0f}">'
    yield f"<style>{_STYLE}</style><defs>{_ARROW}</defs>"
    yield '<rect width="100%" height="100%" style="fill:#fff"/>'
    yield from listed
    yield f'<g transform="translate({MARGIN},{top})">'
    rows = {y: row for row, y in enumerate(sorted({place.y for place in places.values()}))}
    for box in picture.boxes:
        yield from _arrows(box, places, heights[box.id], rows)
    for box in picture.boxes:
        yield from _box(box, places[box.id], heights[box.id])
    yield "</g></svg>"


def _listed(findings: Sequence[Finding]) -> Iterator[str]:
    for number, finding in enumerate(findings[:MAX_LISTED]):
        words = _shown(f"{finding.severity}: {clean(finding.message)}", 150)
        yield f'<text class="note" x="{MARGIN}" y="{LINE * (number + 1)}">{words}</text>'


# --- boxes -----------------------------------------------------------------------------------------


def _height(box: Box) -> float:
    return 2 * PADDING + LINE * (1 + bool(box.words) + len(box.ways))


def _box(box: Box, place: Place, height: float) -> Iterator[str]:
    yield f'<g id="step-{escape(box.id.strip())}" transform="translate({place.x:.0f},{place.y:.0f})">'
    yield f"<title>{_tip(box)}</title>"
    yield f'<rect class="box {box.kind} {box.severity}" width="{WIDTH}" height="{height:.0f}" rx="8"/>'
    yield _line(0, "title", _shown(box.title, MAX_TITLE))
    if box.words:
        yield _line(1, "words", _shown(box.words, MAX_LINE))
    first = 1 + bool(box.words)
    for number, way in enumerate(box.ways):
        yield _line(first + number, f"note {way.tone}", _in_words(way))
    yield "</g>"


def _tip(box: Box) -> str:
    findings = [f"{finding.severity}: {clean(finding.message)}" for finding in box.findings]
    return escape("\n".join([box.title, *([box.words] if box.words else []), *findings]))


def _line(number: int, name: str, words: str) -> str:
    return f'<text class="{name}" x="{PADDING}" y="{PADDING + LINE * number + 13}">{words}</text>'


def _in_words(way: Way) -> str:
    label = _shown(way.label, MAX_LABEL)
    return f"{label} → {_shown(way.target.strip(), MAX_TARGET)}" if way.target else f"{label} ■"


def _shown(text: str, longest: int) -> str:
    """The text cut to length and kept apart from its neighbours, whichever way it is written."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return f"\u2068{escape(cut)}\u2069"


# --- arrows ----------------------------------------------------------------------------------------


def _arrows(box: Box, places: Mapping[str, Place], height: float, rows: Mapping[float, int]) -> Iterator[str]:
    here = places[box.id]
    for number, way in enumerate(box.ways):
        if way.target:
            there = places[way.target]
            is_next = rows[there.y] == rows[here.y] + 1 and abs(there.x - here.x) < WIDTH
            line = PADDING + LINE * (1 + bool(box.words) + number) + LINE / 2
            curve = _down(here, height, number, there) if is_next else _aside(here, line, number, there)
            title = escape(f"{box.title} → {way.target.strip()}: {way.label}")
            yield f'<path class="{way.tone}" d="{curve}" marker-end="url(#arrow)">'
            yield f"<title>{title}</title></path>"


def _down(source: Place, height: float, number: int, target: Place) -> str:
    """From the bottom of a box to the top of one just below."""
    start = Place(source.x + WIDTH / 2 + 12 * (number % LANES), source.y + height)
    end = Place(target.x + WIDTH / 2, target.y)
    return _bezier(start, Place(start.x, start.y + ROW_GAP / 2), Place(end.x, end.y - ROW_GAP / 2), end)


def _aside(source: Place, line: float, number: int, target: Place) -> str:
    """From the side of a box, at the line that tells of it, to the top or the side of another."""
    out = 1 if target.x >= source.x else -1
    start = Place(source.x + (WIDTH if out > 0 else 0), source.y + line)
    is_over = abs(target.x - source.x) < WIDTH
    if target.y > source.y and not is_over:
        end = Place(target.x + WIDTH / 2, target.y)
        return _bezier(start, Place(start.x + GAP * out, start.y), Place(end.x, end.y - ROW_GAP), end)
    near = target.y == source.y and not is_over
    end = Place(target.x + (WIDTH if (out > 0) != near else 0), target.y + PADDING + LINE / 2)
    away = (25 if near else 30 + 8 * (number % LANES)) * out
    before_end = Place(end.x + (-away if near else away), end.y)
    return _bezier(start, Place(start.x + away, start.y), before_end, end)


def _bezier(*points: Place) -> str:
    first, *others = (f"{point.x:.0f} {point.y:.0f}" for point in points)
    return f"M{first}C{' '.join(others)}"
