"""A picture of a scenario as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.scenario.graph.picture import Box, Document, Picture, picture_of
from shared.scenario.findings import Finding

MAX_LABEL = 60
_SHAPES = {
    "step": ("[", "]"),
    "start": ("([", "])"),
    "anytime": ("{{", "}}"),
    "conditions": ("{{", "}}"),
    "missing": ("[/", "/]"),
}
_PLAIN = frozenset(" .,!?:+-/()_…'")
_STYLES = [
    "classDef error fill:#fde8e8,stroke:#c81e1e,stroke-width:3px",
    "classDef warning fill:#fdf6b2,stroke:#c27803,stroke-width:3px",
    "classDef missing fill:#fde8e8,stroke:#c81e1e,stroke-dasharray:5",
]


def mermaid(document: Document, findings: Sequence[Finding] = ()) -> str:
    """The steps as boxes, the ways as arrows with their reasons, the findings in their boxes."""
    return "\n".join(_lines(picture_of(document, findings))) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    names = {box.id: f"b{number}" for number, box in enumerate(picture.boxes)}
    yield "flowchart TD"
    for finding in picture.findings:
        yield f"  %% {finding.severity}: {_escaped(finding.message)}"
    for box in picture.boxes:
        opening, closing = _SHAPES[box.kind]
        yield f'  {names[box.id]}{opening}"{_words(box)}"{closing}'
    for box in picture.boxes:
        yield from (f"  {line}" for line in _arrows(box, names))
    for box in picture.boxes:
        if name := box.severity or ("missing" if box.kind == "missing" else ""):
            yield f"  class {names[box.id]} {name}"
    yield from (f"  {style}" for style in _STYLES)


def _words(box: Box) -> str:
    lines = [f"<b>{_escaped(box.title)}</b>"]
    if box.words:
        lines.append(_escaped(box.words))
    lines += [f"{finding.severity}: {_escaped(finding.message)}" for finding in box.findings]
    return "<br/>".join(lines)


def _arrows(box: Box, names: dict[str, str]) -> Iterator[str]:
    here = names[box.id]
    for number, way in enumerate(box.ways):
        label = _escaped(way.label[:MAX_LABEL])
        arrow = "-.->" if way.tone == "trouble" else "-->"
        target = names[way.target] if way.target else f'{here}e{number}(("end"))'
        yield f'{here} {arrow}|"{label}"| {target}' if label else f"{here} {arrow} {target}"


def _escaped(text: str) -> str:
    """Anything that might mean something to Mermaid or HTML, as the number of its character."""
    return "".join(sign if sign.isalnum() or sign in _PLAIN else f"#{ord(sign)};" for sign in text)
