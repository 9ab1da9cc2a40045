"""What is drawn, whatever it is drawn with: boxes, and in each box the ways that lead out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from shared.scenario.findings import Finding
from shared.scenario.graph import Edge, Graph, Node

Document = Mapping[str, Any]
Kind = Literal["step", "start", "anytime", "conditions", "missing"]
Tone = Literal["plain", "choice", "condition", "trouble"]

ANYTIME, CONDITIONS = " anytime", " conditions"
"""Boxes that are no steps; no id of a step has a space."""

MAX_WORDS = 120
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a box: why it is taken, and the box it leads to; None where the run ends."""

    label: str
    target: str | None
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Box:
    id: str
    title: str
    words: str
    kind: Kind
    ways: tuple[Way, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> str:
        """`error`, `warning`, or "" where there is nothing to mend."""
        found = {finding.severity for finding in self.findings}
        return "error" if "error" in found else "warning" if found else ""


@dataclass(frozen=True, slots=True)
class Picture:
    """The boxes, the first step first; `findings` are those of no box."""

    boxes: tuple[Box, ...]
    findings: tuple[Finding, ...]


def picture_of(document: Document, findings: Sequence[Finding]) -> Picture:
    graph = Graph(document)
    by_box: dict[str, list[Finding]] = {}
    for finding in findings:
        by_box.setdefault(_box_of(finding, graph), []).append(finding)
    steps = sorted(graph.nodes.values(), key=lambda node: node.id != graph.start)
    drawn = [_step(document, graph, node) for node in steps]
    drawn += [*_anytime(document), *_conditions(document)]
    boxes = [replace(box, findings=tuple(by_box.pop(box.id, ()))) for box in drawn]
    named = {box.id for box in boxes}
    missing = {
        way.target: None for box in boxes for way in box.ways if way.target and way.target not in named
    }
    boxes += [Box(target, target, "there is no such step", "missing", ()) for target in missing]
    return Picture(tuple(boxes), tuple(each for others in by_box.values() for each in others))


def _box_of(finding: Finding, graph: Graph) -> str:
    if finding.step_id in graph.nodes:
        return finding.step_id or ""
    places = {"conditions": CONDITIONS, "commands": ANYTIME, "after_end": ANYTIME}
    return places.get(finding.pointer.split("/")[1] if finding.pointer else "", "")


def _anytime(document: Document) -> Iterator[Box]:
    """What the person may do at every step."""
    ways = [
        Way(clean(word), command.get("next_step"), "choice")
        for word, command in document.get("commands", {}).items()
        if command.get("next_step")
    ]
    after_end = document.get("after_end", "tell")
    if after_end not in ("tell", "restart", "ignore"):
        ways.append(Way("after the end", after_end, "choice"))
    if ways:
        yield Box(ANYTIME, "at every step", "", "anytime", tuple(ways))


def _conditions(document: Document) -> Iterator[Box]:
    """Scenario-level conditions, which steps without a next one come to."""
    ways = [
        Way(_label(document, {}, f"/conditions/{index}/{branch}")[0], condition.get(branch), "condition")
        for index, condition in enumerate(document.get("conditions", []))
        for branch in ("then", "else")
        if branch in condition and condition.get("after") is None
    ]
    if ways:
        yield Box(
            CONDITIONS, "where no step follows", "", "conditions", (*ways, Way("if none is decided", None))
        )


def _step(document: Document, graph: Graph, node: Node) -> Box:
    step = document["steps"][node.index]
    ways = dict.fromkeys(_way(document, step, edge) for edge in node.edges)
    if node.ends and CONDITIONS not in {way.target for way in ways}:
        decides = any(way.tone == "condition" for way in ways)
        ways[Way("else" if decides else "end", None)] = None
    kind: Kind = "start" if node.id == graph.start else "step"
    return Box(node.id, node.id, _words(step), kind, tuple(ways))


def _way(document: Document, step: Document, edge: Edge) -> Way:
    if edge.once:
        return Way("if nothing follows", CONDITIONS)
    label, tone = _label(document, step, edge.pointer)
    return Way(label, edge.target, tone)


# --- words -----------------------------------------------------------------------------------------


def _words(step: Document) -> str:
    """The first words that a step says, or what it does."""
    messages = step.get("message") or []
    first = messages if isinstance(messages, Mapping) else (messages or [{}])[0]
    if text := _text(first.get("text", "")):
        return text
    if first.get("media"):
        return f"[{clean(first['media'][0].get('type') or 'file')}]"
    return next(
        (f"[{name}]" for name in ("llm", "http", "scenario", "handoff", "sync", "wait") if name in step), ""
    )


def _text(text: Any) -> str:
    return clean(next(iter(text.values()), "") if isinstance(text, Mapping) else text)


def clean(text: Any) -> str:
    """Words of an author as they may stand in a picture: one line, not too long, nothing invisible."""
    line = " ".join(_CONTROLS.sub(" ", str(text)).split())
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def _label(document: Document, step: Document, pointer: str) -> tuple[str, Tone]:
    """Why a way is taken, told from where the document says so."""
    *_, field, key, last = ("", "", *pointer.split("/"))
    if "conditions" in (field, key):
        level = pointer.startswith("/conditions/")
        conditions = document["conditions"] if level else step["conditions"]
        words = clean(conditions[int(key)]["if"])
        return (f"if {words}" if last == "then" else f"else (not {words})"), "condition"
    if field == "buttons":
        return _text(step["buttons"][int(key)]["text"]), "choice"
    if field == "routes":
        return f"route {clean(key.replace('~1', '/').replace('~0', '~'))}", "choice"
    for name, label in _LABELS.items():
        if name in (key, last):
            return label(document, step), "plain" if name == "next_step" else "trouble"
    return "then", "plain"


_LABELS: Mapping[str, Callable[[Document, Document], str]] = {
    "timeout": lambda document, step: f"no answer in {_of(document, step, 'timeout').get('after', '')}",
    "on_failure": lambda document, step: f"after {_of(document, step, 'max_attempts')} attempts",
    "on_error": lambda _document, _step: "failed",
    "when_empty": lambda _document, _step: "no choice left",
    "handoff": lambda _document, step: f"nobody in {step['handoff'].get('timeout', '')}",
    "next_step": lambda _document, _step: "then",
}
"""By the field of the document that names the step."""


def _of(document: Document, step: Document, name: str) -> Any:
    expected = step.get("expected_input") or {}
    return expected.get(name) or (document.get("defaults") or {}).get(name) or {}
