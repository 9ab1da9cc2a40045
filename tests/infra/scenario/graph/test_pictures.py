"""Pictures of scenarios: every step, every way and its reason, every finding; and no way out for a label."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.scenario.graph import mermaid, svg
from infra.scenario.graph.picture import ANYTIME, CONDITIONS, Box, picture_of
from shared.scenario.findings import Finding
from shared.scenario.linter import lint

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    *[
        "</text><script>alert(1)</script>",
        '"] --> x; click x "javascript:1"',
        "a\nb\x00\x08\ud800\uffff",
        "]]>",
    ],
    *["&lt;b&gt; &amp;", "\u202egnitirw \u2066", "مرحبا", "x" * 10_000, "%% --- ``` ::: ~~~ #59;", "😀", ""],
]


def ask(step_id: str, text: Any = "?", **fields: Any) -> dict[str, Any]:
    return {"id": step_id, "message": {"text": text}, "expected_input": {"type": "text"}, **fields}


def document(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"version": "1", "steps": list(steps), **fields}


def box(scenario: dict[str, Any], box_id: str, *findings: Finding) -> Box:
    return next(each for each in picture_of(scenario, findings).boxes if each.id == box_id)


@pytest.mark.parametrize(
    ("fields", "way"),
    [
        ({"next_step": "b"}, ("then", "b", "plain")),
        ({}, ("end", None, "plain")),
        ({"end": True}, ("end", None, "plain")),
        ({"conditions": [{"if": "x > 1", "then": "b"}]}, ("if x > 1", "b", "condition")),
        (
            {"conditions": [{"if": "x > 1", "then": None, "else": "b"}]},
            ("else (not x > 1)", "b", "condition"),
        ),
        (
            {"buttons": [{"text": {"ru": "Да", "en": "Yes"}, "value": 1, "next_step": "b"}]},
            ("Да", "b", "choice"),
        ),
        (
            {"expected_input": {"type": "text", "timeout": {"after": "24h", "next_step": "b"}}},
            ("no answer in 24h", "b", "trouble"),
        ),
        (
            {"expected_input": {"type": "text", "max_attempts": 3, "on_failure": "b"}},
            ("after 3 attempts", "b", "trouble"),
        ),
        (
            {
                "buttons": [{"text": "x", "value": 1, "show_if": "false"}],
                "when_empty": "b",
                "expected_input": {"type": "button"},
            },
            ("no choice left", "b", "trouble"),
        ),
        (
            {
                "http": {"method": "GET", "url": "https://example.com", "on_error": "b"},
                "expected_input": None,
            },
            ("failed", "b", "trouble"),
        ),
        (
            {"llm": {"prompt": "p", "routes": {"a/b": {"step": "b", "when": "w"}}}, "expected_input": None},
            ("route a/b", "b", "choice"),
        ),
        (
            {"handoff": {"timeout": "2h", "next_step": "b"}, "expected_input": None},
            ("nobody in 2h", "b", "trouble"),
        ),
    ],
)
def test_a_way_tells_why_it_is_taken(fields: dict[str, Any], way: tuple[str, str | None, str]) -> None:
    scenario = document({**ask("a"), **fields}, ask("b"))
    assert way in [(each.label, each.target, each.tone) for each in box(scenario, "a").ways]


def test_defaults_of_the_scenario_lead_out_of_its_questions() -> None:
    defaults = {"max_attempts": 2, "on_failure": "b", "timeout": {"after": "1h", "next_step": "b"}}
    labels = [way.label for way in box(document(ask("a"), ask("b"), defaults=defaults), "a").ways]
    assert labels == ["no answer in 1h", "after 2 attempts", "end"]


def test_what_holds_at_every_step_stands_in_boxes_of_its_own() -> None:
    scenario = document(
        ask("a"),
        ask("b", next_step="a"),
        conditions=[{"if": "x", "then": "b", "else": "gone"}, {"if": "y", "then": "b", "after": "a"}],
        commands={"/b": {"next_step": "b"}, "/back": {"back": True}},
        after_end="a",
    )
    anytime, conditions = box(scenario, ANYTIME), box(scenario, CONDITIONS)
    assert [(way.label, way.target) for way in anytime.ways] == [("/b", "b"), ("after the end", "a")]
    assert [(way.label, way.target) for way in conditions.ways] == [
        ("if x", "b"),
        ("else (not x)", "gone"),
        ("if none is decided", None),
    ]
    assert [(way.label, way.target) for way in box(scenario, "a").ways] == [
        ("if nothing follows", CONDITIONS),
        ("if y", "b"),
    ]
    assert box(scenario, "gone").kind == "missing"


def finding(severity: Any, pointer: str, step_id: str | None = None, message: str = "mend me") -> Finding:
    return Finding(severity=severity, code="x", message=message, pointer=pointer, step_id=step_id)


def test_findings_stand_where_they_belong() -> None:
    scenario = document(ask("a"), ask("b"), conditions=[{"if": "x", "then": "b"}])
    findings = [
        finding("warning", "/steps/0", "a"),
        finding("error", "/steps/0/message", "a"),
        finding("warning", "/conditions/0/if"),
        finding("error", "/variables/x"),
        finding("error", "/steps/9", "gone"),
    ]
    picture = picture_of(scenario, findings)
    assert {each.id: each.severity for each in picture.boxes} == {
        "a": "error",
        "b": "",
        CONDITIONS: "warning",
    }
    assert picture.findings == tuple(findings[3:])


def test_an_svg_shows_steps_ways_and_findings() -> None:
    scenario = document(ask("a", "*Hello* & welcome", next_step="b"), ask("b", next_step="gone"))
    root = ET.fromstring(svg(scenario, lint(scenario)))
    groups = {group.get("id"): group for group in root.iter(f"{SVG}g") if group.get("id")}
    assert list(groups) == ["step-a", "step-b", "step-gone"]
    words = "".join(groups["step-a"].itertext())
    assert "*Hello* & welcome" in words
    assert "then\u2069 → \u2068b" in words
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert "a → b: then" in titles
    assert any("error: there is no step" in title for title in titles)
    assert (groups["step-b"].find(f"{SVG}rect").get("class") or "").split() == ["box", "step", "error"]  # type: ignore[union-attr]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_leaves_its_place(text: str) -> None:
    scenario = document(
        ask("a", text, buttons=[{"text": text or "x", "value": 1, "next_step": "b"}], next_step="b"),
        ask("b", {"ru": text}),
        commands={text or "x": {"next_step": "b"}},
        conditions=[{"if": text or "x", "then": "b"}],
    )
    findings = [finding("error", "/steps/0", "a", text), finding("error", "", None, text)]
    drawn = svg(scenario, findings)
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(drawn).iter()}
    assert tags == {"svg", "style", "defs", "marker", "path", "rect", "text", "g", "title"}
    for line in mermaid(scenario, findings).splitlines():
        assert MERMAID_LINE.fullmatch(line), line


_QUOTED = r'"(?:[^"\[\]{}<>;#`]|#\d+;|<br/>|</?b>)*"'
MERMAID_LINE = re.compile(
    rf"flowchart TD|  %% (?:error|warning): [^\n]*|  classDef [^\n]*|  class b\d+ \w+"
    rf"|  b\d+(?:\[|\(\[|\{{\{{|\[/){_QUOTED}(?:\]|\]\)|\}}\}}|/\])"
    rf"|  b\d+ -\.?-?>(?:\|{_QUOTED}\|)? b\d+(?:e\d+\(\(\"end\"\)\))?"
)


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_words_can_be_drawn(text: str) -> None:
    scenario = document(ask("a", text, next_step="b"), ask("b", text))
    ET.fromstring(svg(scenario))
    assert all(MERMAID_LINE.fullmatch(line) for line in mermaid(scenario).splitlines())


def test_mermaid_names_steps_ways_and_findings() -> None:
    scenario = document(ask("a", "Hello", next_step="b"), ask("b", end=True))
    lines = mermaid(scenario, [finding("warning", "/steps/1", "b", "say more")]).splitlines()
    assert lines[:7] == [
        "flowchart TD",
        '  b0(["<b>a</b><br/>Hello"])',
        '  b1["<b>b</b><br/>?<br/>warning: say more"]',
        '  b0 -->|"then"| b1',
        '  b1 -->|"end"| b1e0(("end"))',
        "  class b1 warning",
        "  classDef error fill:#fde8e8,stroke:#c81e1e,stroke-width:3px",
    ]


def test_the_largest_scenario_can_be_drawn() -> None:
    steps = [ask(f"s{n}", f"Question {n}", next_step=f"s{(n * 7 + 1) % 500}") for n in range(500)]
    drawn = svg(document(*steps))
    assert drawn.count('<g id="step-') == 500
    assert drawn.count("marker-end") == 500
