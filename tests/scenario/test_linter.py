"""What the linter refuses, what it warns of, and what it lets through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shared.platforms.base import MediaLimits
from shared.platforms.telegram import TelegramAdapter
from shared.platforms.viber import ViberAdapter
from shared.platforms.whatsapp import WhatsAppAdapter
from shared.scenario.document import read
from shared.scenario.linter import (
    CODES,
    ERRORS,
    MAX_FINDINGS,
    WARNINGS,
    Capabilities,
    Finding,
    Library,
    LibraryFile,
    lint,
)
from tests.scenario.documents import COMPLETED, EVERYTHING, MISSION, Document, ask, choose, say, scenario

ROOT = Path(__file__).parents[2]
ADAPTERS = (TelegramAdapter(), ViberAdapter(), WhatsAppAdapter())


def findings(document: Document) -> tuple[Finding, ...]:
    read(document)
    return lint(document)


def found(document: Document) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in findings(document)]


def errors(document: Document) -> list[tuple[str, str]]:
    return [(f.code, f.pointer) for f in findings(document) if f.severity == "error"]


def warnings(document: Document) -> list[tuple[str, str]]:
    return [(f.code, f.pointer) for f in findings(document) if f.severity == "warning"]


def test_the_mission_example_lacks_three_steps_and_a_variable() -> None:
    assert [(f.severity, f.code, f.pointer, f.message) for f in findings(MISSION)] == [
        ("error", "unknown_step", "/conditions/0/then", "there is no step “show_rf_docs”"),
        ("error", "unknown_step", "/conditions/0/else", "there is no step “show_sng_docs”"),
        ("error", "unknown_step", "/steps/2/next_step", "there is no step “ask_project”"),
        ("error", "unknown_name", "/conditions/0/if", "nothing sets or declares “citizenship” (character 1)"),
    ]


def test_the_mission_example_with_its_steps_is_fine() -> None:
    assert findings(COMPLETED) == ()


def test_a_finding_names_its_step_and_the_shortest_way_there() -> None:
    (finding,) = (each for each in findings(MISSION) if each.pointer == "/steps/2/next_step")
    assert (finding.step_id, finding.path) == (
        "ask_position",
        ("welcome", "ask_lastname", "ask_position"),
    )


SHOWN = {"show_if": "n > 1"}
EACH = {"for_each": "names", "text": "{{ item }}", "value": "item"}
NAMES = {"names": {"type": "list", "initial": ["x"]}}
N = {"n": {"type": "integer", "initial": 1}}
TO_X = {"after": "1h", "next_step": "x"}
INPUT = "/steps/0/expected_input"
VALIDATION = f"{INPUT}/validation"


CALL = "/steps/0/scenario"
TEXT = {"en": "x"}


def reminding(**timeout: Any) -> Document:
    return scenario(ask("a", expected_input={"timeout": {"remind": "?", **timeout}}))


def limited(kind: str, **validation: Any) -> Document:
    return scenario(ask("a", "v", expected_input={"type": kind, "validation": validation}))


def several(*choices: Any, **validation: Any) -> Document:
    return scenario(choose("a", "v", *choices, expected_input={"type": "buttons", "validation": validation}))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (scenario(say("a", next_step="x")), [("unknown_step", "/steps/0/next_step")]),
        (scenario(say("a"), start="x"), [("unknown_step", "/start")]),
        (scenario(say("a"), after_end="x"), [("unknown_step", "/after_end")]),
        (scenario(say("a"), defaults={"on_failure": "x"}), [("unknown_step", "/defaults/on_failure")]),
        (
            scenario(ask("a", expected_input={"max_attempts": 2, "on_failure": "x"})),
            [("unknown_step", "/steps/0/expected_input/on_failure")],
        ),
        (
            scenario(choose("a", "v", {"text": "x", "value": 1, "next_step": "x"})),
            [("unknown_step", "/steps/0/buttons/0/next_step")],
        ),
        (
            scenario(choose("a", "v", {"text": "x", "value": 1} | SHOWN, when_empty="x"), variables=N),
            [("unknown_step", "/steps/0/when_empty")],
        ),
        (
            scenario(say("a", conditions=[{"if": "true", "then": "x", "else": "y"}])),
            [("unknown_step", "/steps/0/conditions/0/then"), ("unknown_step", "/steps/0/conditions/0/else")],
        ),
        (
            scenario(say("a"), conditions=[{"if": "true", "then": "a", "after": "x"}]),
            [("unknown_step", "/conditions/0/after")],
        ),
        (scenario(say("a"), say("a")), [("duplicate_step", "/steps/1/id")]),
        (scenario(say("a", "{{ zz }}")), [("unknown_name", "/steps/0/message/text")]),
        (scenario(say("a", "{{ 1 + }}")), [("bad_expression", "/steps/0/message/text")]),
        (scenario(say("a", "{{ secret('x') }}")), [("bad_expression", "/steps/0/message/text")]),
        (scenario(say("a", "{{ timestamp('x') }}")), [("bad_expression", "/steps/0/message/text")]),
        (scenario(say("a", set={"n": "n + 1"})), [("bad_expression", "/steps/0/set/n")]),
        (
            scenario(choose("a", "v", {"text": "x", "value": 1, "show_if": "v"})),
            [
                ("bad_expression", "/steps/0/buttons/0/show_if"),
                ("when_empty_missing", "/steps/0"),
            ],
        ),
        (
            scenario(ask("a", "v", next_step="b"), choose("b", "v", 1)),
            [("type_conflict", "/steps/1/expected_input/variable")],
        ),
        (
            scenario(ask("a", "v", set={"v": "size(v)"})),
            [("type_conflict", "/steps/0/set/v")],
        ),
        (
            scenario(say("a", set={"v": "1"}, next_step="b"), say("b", set={"v": "1.5"})),
            [("type_conflict", "/steps/1/set/v")],
        ),
        (
            scenario(choose("a", "v", 1, "x"), variables={"v": {"type": "string"}}),
            [("type_conflict", "/steps/0/expected_input/variable")],
        ),
        (
            scenario(say("a", set={"start_payload": "1"})),
            [("type_conflict", "/steps/0/set/start_payload")],
        ),
        (
            scenario(say("a"), variables={"v": {"type": "integer", "initial": "1"}}),
            [("bad_initial", "/variables/v/initial")],
        ),
        (
            scenario(say("a"), variables={"v": {"type": "integer", "initial": 1.5}}),
            [("bad_initial", "/variables/v/initial")],
        ),
        (
            scenario(say("a"), variables={"v": {"type": "any", "initial": "x" * 40_000}}),
            [("too_large", "/variables")],
        ),
        (
            scenario({"id": "a", "expected_input": {"type": "button"}}),
            [("no_buttons", "/steps/0/expected_input")],
        ),
        (
            scenario(choose("a", "v", {"text": "x", "value": 1} | SHOWN), variables=N),
            [("when_empty_missing", "/steps/0")],
        ),
        (
            scenario(choose("a", "v", "Cook", {"text": "👨‍🍳 COOK!", "value": "chef"})),
            [("ambiguous_choices", "/steps/0/buttons/1")],
        ),
        (
            scenario(
                choose(
                    "a",
                    "v",
                    {"text": {"en": "No", "ru": "Нет"}, "value": 1},
                    {"text": {"en": "Yes", "ru": "no"}, "value": 2},
                )
            ),
            [("ambiguous_choices", "/steps/0/buttons/1")],
        ),
        (
            scenario(choose("a", "v", {"text": "A", "value": 1}, {"text": "B", "value": "1"})),
            [("ambiguous_choices", "/steps/0/buttons/1")],
        ),
        (
            scenario(
                choose("a", "v", {"text": "A", "value": 1} | SHOWN, {"text": "A", "value": 2}), variables=N
            ),
            [("ambiguous_choices", "/steps/0/buttons/1")],
        ),
        (scenario(choose("a", "v", "/start", "x")), [("choice_is_command", "/steps/0/buttons/0")]),
        (scenario(choose("a", "v", "/START now", "x")), [("choice_is_command", "/steps/0/buttons/0")]),
        (scenario(choose("a", "v", "x", "/start@bot")), [("choice_is_command", "/steps/0/buttons/1")]),
        (
            scenario(ask("a", expected_input={"max_attempts": 2})),
            [("on_failure_missing", "/steps/0/expected_input/max_attempts")],
        ),
        (
            scenario(ask("a", next_step="b"), ask("b"), defaults={"max_attempts": 2}),
            [("on_failure_missing", "/defaults/max_attempts")],
        ),
        (
            scenario(ask("a", expected_input={"validation": {"pattern": "("}})),
            [("bad_pattern", "/steps/0/expected_input/validation/pattern")],
        ),
        (
            scenario(ask("a", expected_input={"validation": {"pattern": "a)|(b"}})),
            [("bad_pattern", "/steps/0/expected_input/validation/pattern")],
        ),
        (
            scenario(ask("a", expected_input={"validation": {"min_length": 3, "max_length": 2}})),
            [("bad_range", "/steps/0/expected_input/validation")],
        ),
        (
            scenario(say("a", buttons=[{"text": "x", "url": "example.com"}])),
            [("bad_link", "/steps/0/buttons/0/url")],
        ),
        (
            scenario(
                say("a", buttons=[{"text": "x", "url": {"en": "https://x", "ru": "javascript:alert(1)"}}])
            ),
            [("bad_link", "/steps/0/buttons/0/url/ru")],
        ),
        (
            scenario(say("a", buttons=[{"text": "x", "url": "https://{{ platform }}"}])),
            [("bad_link", "/steps/0/buttons/0/url")],
        ),
        (
            scenario(say("a", http={"method": "GET", "url": "{{ platform }}"})),
            [("bad_link", "/steps/0/http/url")],
        ),
        (
            scenario({"id": "a", "message": {"media": [{"url": "x.png", "type": "image"}]}}),
            [("bad_link", "/steps/0/message/media/0/url")],
        ),
        (scenario(ask("a"), defaults={"timeout": TO_X}), [("unknown_step", "/defaults/timeout/next_step")]),
        (
            scenario(ask("a", expected_input={"timeout": TO_X})),
            [("unknown_step", "/steps/0/expected_input/timeout/next_step")],
        ),
        (
            scenario(say("a"), commands={"/x": {"next_step": "x"}}),
            [("unknown_step", "/commands/~1x/next_step")],
        ),
        (
            scenario(say("a", llm={"prompt": "?", "on_error": "x"})),
            [("unknown_step", "/steps/0/llm/on_error")],
        ),
        (
            scenario(say("a", llm={"prompt": "?", "routes": {"r": {"step": "x", "when": "?"}}})),
            [("unknown_step", "/steps/0/llm/routes/r/step")],
        ),
        (
            scenario(say("a", http={"method": "GET", "url": "https://x", "on_error": "x"})),
            [("unknown_step", "/steps/0/http/on_error")],
        ),
        (
            scenario(say("a", handoff={"timeout": "1h", "next_step": "x"})),
            [("unknown_step", "/steps/0/handoff/next_step")],
        ),
        (
            scenario(ask("a", expected_input={"timeout": {"after": "1h", "next_step": "a", "times": 2}})),
            [("remind_missing", f"{INPUT}/timeout/times"), ("endless_cycle", "/steps/0")],
        ),
        (
            scenario(
                ask("a"), say("b"), defaults={"timeout": {"after": "1h", "next_step": "b", "every": "2h"}}
            ),
            [("remind_missing", "/defaults/timeout/every")],
        ),
        (
            scenario(ask("a", "v", expected_input={"type": "buttons"})),
            [("no_buttons", INPUT)],
        ),
        (scenario(choose("a", "v", EACH), variables=NAMES), [("when_empty_missing", "/steps/0")]),
        (
            scenario(choose("a", "v", EACH, {"text": "y", "value": "y"} | SHOWN), variables=NAMES | N),
            [("when_empty_missing", "/steps/0")],
        ),
        (several(1, 2, min=3), [("bad_range", f"{VALIDATION}/min")]),
        (several(1, 2, max=3), [("bad_range", f"{VALIDATION}/max")]),
        (
            several(1, {"text": "None", "value": 0, "next_step": "a"}, max=2),
            [("bad_range", f"{VALIDATION}/max")],
        ),
        (several(1, 2, min=2, max=1), [("bad_range", VALIDATION)]),
        (several(1, 2, min="1"), [("bad_limit", f"{VALIDATION}/min")]),
        (limited("number", min=2, max=1.5), [("bad_range", VALIDATION)]),
        (limited("integer", min="'x'"), [("bad_limit", f"{VALIDATION}/min")]),
        (limited("integer", min="1 +"), [("bad_expression", f"{VALIDATION}/min")]),
        (limited("date", min="2026-02-29"), [("bad_limit", f"{VALIDATION}/min")]),
        (limited("date", min=2026), [("bad_limit", f"{VALIDATION}/min")]),
        (limited("date", max="now > today"), [("bad_limit", f"{VALIDATION}/max")]),
        (limited("date", min="2026-12-31", max="2026-12-30"), [("bad_range", VALIDATION)]),
        (limited("date", min="date('2026-13-01')"), [("bad_expression", f"{VALIDATION}/min")]),
        (limited("time", max="24:00"), [("bad_limit", f"{VALIDATION}/max")]),
        (limited("time", min="18:00", max="09:00"), [("bad_range", VALIDATION)]),
        (limited("media", max="2"), [("bad_limit", f"{VALIDATION}/max")]),
        (
            scenario(ask("a", "v", expected_input={"understand": {"fill": ["w"]}}), variables={"w": {}}),
            [("fill_unasked", f"{INPUT}/understand/fill/0")],
        ),
        (
            scenario(choose("a", "v", "Menu", "x"), commands={"MENU!": {"next_step": "a"}}),
            [("choice_is_command", "/steps/0/buttons/0")],
        ),
        (
            scenario(say("a"), commands={"/x": {"next_step": "a"}, "/X": {"next_step": "a"}}),
            [("ambiguous_commands", "/commands/~1X")],
        ),
        (
            scenario(say("a"), commands={"/start": {"next_step": "a"}}),
            [("ambiguous_commands", "/commands/~1start")],
        ),
        (
            scenario(say("a", llm={"prompt": "?", "output": {"type": "choice", "options": ["x", "x", " "]}})),
            [
                ("ambiguous_options", "/steps/0/llm/output/options/1"),
                ("ambiguous_options", "/steps/0/llm/output/options/2"),
            ],
        ),
        (
            scenario(
                say("a", llm={"prompt": "?", "output": {"type": "object", "schema": {"type": "objekt"}}})
            ),
            [("bad_schema", "/steps/0/llm/output/schema")],
        ),
        (
            scenario(
                say(
                    "a",
                    http={
                        "method": "GET",
                        "url": "https://x.example",
                        "schema": {"$ref": "https://x.example"},
                    },
                )
            ),
            [("bad_schema", "/steps/0/http/schema")],
        ),
        (
            scenario(
                say("a", llm={"prompt": "?", "output": {"type": "choice", "options": ["{{ platform }}"]}})
            ),
            [("not_printed", "/steps/0/llm/output/options/0")],
        ),
        (
            scenario(
                say("a", llm={"prompt": "?", "routes": {"r/s": {"step": "b", "when": "{{ n }}"}}}), say("b")
            ),
            [("not_printed", "/steps/0/llm/routes/r~1s/when")],
        ),
        (
            scenario(choose("a", "v", {"text": "x", "value": "{{ platform }}"})),
            [("not_printed", "/steps/0/buttons/0/value")],
        ),
        (
            scenario(say("a"), variables={"v": {"type": "date", "initial": "31.12.2026"}}),
            [("bad_initial", "/variables/v/initial")],
        ),
        (
            scenario(say("a"), variables={"v": {"type": "list", "initial": {}, "scope": "person"}}),
            [("bad_initial", "/variables/v/initial")],
        ),
        (
            scenario(ask("a", "v", expected_input={"type": "date"}, set={"v": "1"})),
            [("type_conflict", "/steps/0/set/v")],
        ),
        (
            scenario(
                ask("a", "v"), say("b", llm={"prompt": "?", "output": {"type": "object"}, "variable": "v"})
            ),
            [],
        ),
        (
            scenario(
                ask("a", "v", next_step="b"),
                say("b", http={"method": "GET", "url": "https://x", "variable": "v"}),
            ),
            [("type_conflict", "/steps/1/http/variable")],
        ),
    ],
)
def test_errors(document: Document, expected: list[tuple[str, str]]) -> None:
    assert errors(document) == expected


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(scenario(choose("a", "v", "Start", "Stop", "/started")), id="a button called Start"),
        pytest.param(scenario(choose("a", "v", "👍", "👎")), id="labels of nothing but emoji"),
        pytest.param(scenario(choose("a", "v", -1, 1)), id="values that differ in their minus"),
        pytest.param(scenario(choose("a", "v", *[1, 2, 3, 4, 5])), id="labels that are numbers"),
        pytest.param(
            scenario(choose("a", "v", *({"text": str(6 - n), "value": n} for n in range(1, 6)))),
            id="a reversed scale",
        ),
        pytest.param(
            scenario(
                choose(
                    "a",
                    "v",
                    {"text": "A", "value": 1, "show_if": "n == 1"},
                    {"text": "A", "value": 2, "show_if": "n != 1"},
                    when_empty="b",
                ),
                say("b"),
                variables=N,
            ),
            id="two conditional choices that look alike",
        ),
        pytest.param(
            scenario(
                choose("a", "n", {"text": "Free", "value": 0}, {"text": "Paid", "value": 10}, next_step="b"),
                say("b", "{{ rate * n }}", set={"rate": "rate + 1"}),
                variables={"rate": {"type": "number", "initial": 2}},
            ),
            id="whole and fractional numbers",
        ),
        pytest.param(
            scenario(say("a", set={"v": "2"}), variables={"v": {"type": "number", "initial": 1}}),
            id="a whole number for a fractional variable",
        ),
        pytest.param(
            scenario(
                ask("a", "v", set={"v": "anything"}),
                variables={"anything": {"type": "any"}, "v": {"type": "string"}},
            ),
            id="a dynamic value for a variable of a type",
        ),
        pytest.param(
            scenario(choose("a", "v", 1, "two", next_step="b"), say("b", "{{ v }}")),
            id="mixed values of one question",
        ),
        pytest.param(
            scenario(
                choose(
                    "menu",
                    "pick",
                    {"text": "Hours", "value": "hours", "next_step": "hours"},
                    {"text": "Address", "value": "address", "next_step": "address"},
                    {"text": "Bye", "value": "bye", "next_step": "bye"},
                ),
                say("hours", "9-18", next_step="menu"),
                say("address", "Here", next_step="menu"),
                say("bye", end=True),
            ),
            id="a menu that is returned to",
        ),
        pytest.param(
            scenario(
                ask("a", "code", next_step="check"),
                say("check", conditions=[{"if": "code == '42'", "then": "ok", "else": "a"}]),
                say("ok", end=True),
            ),
            id="a question that is asked until it is right",
        ),
        pytest.param(
            scenario(
                choose(
                    "a", "pet", "cat", "none", conditions=[{"if": "pet == 'cat'", "then": "b", "else": "c"}]
                ),
                ask("b", "name", next_step="c"),
                say("c", "Your cat: {{ answered.name ? name : 'none' }}"),
            ),
            id="a variable of one branch, asked about in the other",
        ),
        pytest.param(
            scenario(
                say("a", before={"n": "n + 1"}, conditions=[{"if": "n < 3", "then": "a"}]),
                variables=N,
            ),
            id="a counted loop",
        ),
        pytest.param(
            scenario(ask("a", "v", conditions=[{"if": "v == 'x'", "then": "b"}]), say("b")),
            id="a condition on the answer of its own step",
        ),
        pytest.param(
            scenario(ask("a", "v", expected_input={"max_attempts": 3, "on_failure": "a"})),
            id="a question that leads to itself when it fails",
        ),
        pytest.param(
            scenario(ask("a", "v", next_step="b"), say("b", "{{ v }}", next_step="a")),
            id="a conversation without an end",
        ),
        pytest.param(
            scenario(say("a", buttons=[{"text": "x", "url": "https://x.example/{{ platform }}"}])), id="link"
        ),
        pytest.param(
            scenario(choose("a", "v", EACH, when_empty="b"), say("b"), variables=NAMES),
            id="choices of a list",
        ),
        pytest.param(several("x", "y", min=1, max=2), id="one or two of two"),
        pytest.param(
            limited("integer", min=1, max="n * 2") | {"variables": N}, id="a limit that is computed"
        ),
        pytest.param(limited("date", min="today", max="2999-12-31"), id="a day from today on"),
        pytest.param(limited("date", min="today", max="today + days(60)"), id="a day of the next two months"),
        pytest.param(limited("time", min="09:00", max="18:30"), id="a time within opening hours"),
        pytest.param(limited("media", max=5, accept=["image"]), id="up to five pictures"),
        pytest.param(
            scenario(
                ask("a", "v", next_step="b"),
                say("b"),
                say("help", next_step="more"),
                say("more"),
                commands={"/help": {"next_step": "help", "resume": True}, "/back": {"back": True}},
                conditions=[{"if": "v == 'x'", "then": "b"}],
            ),
            id="help that one comes back from",
        ),
        pytest.param(
            scenario(
                say(
                    "a",
                    http={"method": "GET", "url": "https://x", "variable": "r", "on_error": "sorry"},
                    next_step="b",
                ),
                say("b", "{{ r.status }}"),
                ask("sorry", "v", "Send anything to try again", next_step="a"),
            ),
            id="a request that is tried again when the person says so",
        ),
        pytest.param(
            scenario(
                ask("a", "v", expected_input={"understand": {"fill": ["day", "guests"]}}, next_step="b"),
                ask("b", "day", expected_input={"type": "date", "skip_if_set": True}, next_step="c"),
                ask("c", "guests", expected_input={"type": "integer", "skip_if_set": True}, next_step="d"),
                say("d", "{{ day }}, {{ guests }}"),
            ),
            id="an answer that is understood, and asked for where it is not",
        ),
        pytest.param(
            scenario(
                ask(
                    "a",
                    "v",
                    expected_input={
                        "timeout": {"after": "1h", "remind": "?", "every": "2h", "next_step": "b"}
                    },
                ),
                say("b", "Bye"),
            ),
            id="a question that is given up in the end",
        ),
        pytest.param(
            scenario(
                say(
                    "a",
                    llm={
                        "prompt": "?",
                        "reply": True,
                        "routes": {
                            "book": {"step": "b", "when": "to book"},
                            "leave": {"step": "c", "when": "to go"},
                        },
                        "on_error": "c",
                    },
                    expected_input={"type": "text", "variable": "v"},
                    next_step="a",
                ),
                say("b"),
                say("c"),
            ),
            id="a model that talks until it knows",
        ),
    ],
)
def test_what_is_sane_gives_no_error(document: Document) -> None:
    assert errors(document) == []


GET = {"method": "GET", "url": "https://x.example"}


def loop(**fields: Any) -> Document:
    return scenario(say("a", next_step="b"), say("b", **fields), variables=N)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (loop(next_step="a"), [("endless_cycle", "/steps/0")]),
        (loop(conditions=[{"if": "n > 1", "then": "a"}]), [("endless_cycle", "/steps/0")]),
        (loop(conditions=[{"if": "random < 0.5", "then": "a"}]), [("endless_cycle", "/steps/0")]),
        (loop(set={"m": "1"}, conditions=[{"if": "n > 1", "then": "a"}]), [("endless_cycle", "/steps/0")]),
        (loop(set={"n": "n + 1"}, conditions=[{"if": "n < 5", "then": "a"}]), [("cycle", "/steps/0")]),
        (loop(before={"n": "n + 1"}, conditions=[{"if": "n < 5", "then": "a"}]), [("cycle", "/steps/0")]),
        (
            scenario(say("a"), conditions=[{"if": "true", "then": "a", "after": "a"}]),
            [("endless_cycle", "/steps/0")],
        ),
        (scenario(say("a"), conditions=[{"if": "true", "then": "a"}]), []),
        (
            scenario(ask("a", "v", expected_input={"skip_if_set": True}, next_step="a")),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(
                ask("a", "v", expected_input={"skip_if_set": True}, next_step="b"),
                say("b", set={"v": "null"}, next_step="a"),
            ),
            [("cycle", "/steps/0")],
        ),
        (scenario(ask("a", expected_input={"skip_if_set": True}, next_step="a")), []),
        (
            scenario(
                choose("a", "v", {"text": "x", "value": 1} | SHOWN, when_empty="b"),
                say("b", next_step="a"),
                variables=N,
            ),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(
                choose("a", "v", {"text": "x", "value": 1} | SHOWN, when_empty="b"),
                say("b", set={"n": "n + 1"}, next_step="a"),
                variables=N,
            ),
            [("cycle", "/steps/0")],
        ),
        (
            scenario(
                say("a", conditions=[{"if": "n > 1", "then": "b"}], next_step="c"),
                say("b", next_step="a"),
                say("c", set={"m": "m + 1"}, conditions=[{"if": "m < 3", "then": "a"}]),
                variables=N | {"m": {"type": "integer", "initial": 0}},
            ),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(
                say("a", set={"v": "'x'"}, conditions=[{"if": "answered.v", "then": None, "else": "a"}]),
            ),
            [("cycle", "/steps/0")],
        ),
        (scenario(say("a", wait="1h", next_step="a")), [("endless_cycle", "/steps/0")]),
        (scenario(say("a", sync={}, next_step="a")), [("endless_cycle", "/steps/0")]),
        (scenario(say("a", llm={"prompt": "?"}, next_step="a")), [("endless_cycle", "/steps/0")]),
        (
            scenario(say("a", http=GET, next_step="a")),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(
                say("a", http=GET | {"variable": "r"}, conditions=[{"if": "r.status == 202", "then": "a"}])
            ),
            [("cycle", "/steps/0")],
        ),
        (
            scenario(
                say("a", http=GET | {"on_error": "b"}, next_step="c"),
                say("b", wait="1m", next_step="a"),
                say("c"),
            ),
            [("cycle", "/steps/0")],
        ),
        (
            scenario(say("a", http=GET | {"on_error": "a"}, next_step="a")),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(say("a", wait="1h", conditions=[{"if": "random < 0.5", "then": "a"}])),
            [("cycle", "/steps/0")],
        ),
        (
            scenario(say("a", wait="1h", conditions=[{"if": "now < at(today, '09:00')", "then": "a"}])),
            [("cycle", "/steps/0")],
        ),
        (
            scenario(ask("a", "v", expected_input={"timeout": {"after": "1h", "next_step": "a"}})),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(ask("a", "v"), ask("b"), defaults={"timeout": {"after": "1h", "next_step": "b"}}),
            [("endless_cycle", "/steps/1")],
        ),
        (
            scenario(
                ask(
                    "a",
                    "v",
                    before={"n": "n + 1"},
                    expected_input={"timeout": {"after": "1h", "next_step": "b"}},
                ),
                say("b", conditions=[{"if": "n < 3", "then": "a"}]),
                variables=N,
            ),
            [("cycle", "/steps/0")],
        ),
        (scenario(say("a", handoff={"timeout": "1h"}, next_step="a")), [("endless_cycle", "/steps/0")]),
        (
            scenario(
                choose("a", "v", {"text": "x", "value": 1, "show_if": None}, next_step="a", when_empty="a"),
            ),
            [],
        ),
        (
            scenario(
                choose("a", "v", EACH | {"show_if": None}, when_empty="b"),
                say("b", set={"names": "['x']"}, next_step="a"),
                variables=NAMES,
            ),
            [("cycle", "/steps/0")],
        ),
        (scenario(say("a", handoff={}, next_step="a")), []),
        (scenario(ask("a", "v", wait="1h", next_step="a")), []),
        (
            scenario(
                say("a", conditions=[{"if": "n < 3", "then": "b"}], next_step="c"),
                say("b", set={"n": "n + 1"}, next_step="a"),
                say("c", set={"m": "m + 1"}, conditions=[{"if": "m < 3", "then": "a"}]),
                variables=N | {"m": {"type": "integer", "initial": 0}},
            ),
            [("cycle", "/steps/0")],
        ),
        (
            scenario(
                say("a", set={"n": "n + 1"}, conditions=[{"if": "n > 1", "then": "b"}], next_step="b"),
                say("b", next_step="a"),
                variables=N,
            ),
            [("endless_cycle", "/steps/0")],
        ),
    ],
)
def test_circles_without_a_word_from_the_person(document: Document, expected: list[tuple[str, str]]) -> None:
    assert [each for each in found(document) if "cycle" in each[0]] == expected


def test_a_circle_is_told_in_the_order_it_goes() -> None:
    (finding,) = findings(scenario(say("a", next_step="c"), say("b", next_step="a"), say("c", next_step="b")))
    assert finding.message == "a → c → b → a goes round without a word from the person"


BRANCHES = [
    choose("a", "pet", "cat", "none", conditions=[{"if": "pet == 'cat'", "then": "b", "else": "c"}]),
    ask("b", "name", next_step="c"),
]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (scenario(*BRANCHES, say("c", "{{ name }}")), ("a", "c")),
        (scenario(*BRANCHES, say("c", buttons=[{"text": "{{ name }}", "url": "https://x"}])), ("a", "c")),
        (scenario(*BRANCHES, say("c", buttons=[{"text": "x", "url": "https://x/{{ name }}"}])), ("a", "c")),
        (scenario(*BRANCHES, ask("c", expected_input={"error_message": "{{ name }}?"})), ("a", "c")),
        (scenario(*BRANCHES, say("c", conditions=[{"if": "name == 'x'", "then": "b"}])), ("a", "c")),
        (scenario(ask("a", "v", "{{ v }}")), ("a",)),
        (
            scenario(
                say("a", conditions=[{"if": "name == 'x'", "then": "b", "else": "c"}]),
                ask("b", "name", next_step="c"),
                say("c", "{{ name }}"),
            ),
            ("a", "c"),
        ),
        (
            scenario(
                say("a", conditions=[{"if": "name == 'x'", "then": "c", "else": "b"}]),
                ask("b", "name", next_step="c"),
                say("c", "{{ name }}"),
            ),
            None,
        ),
        (scenario(ask("a", "v", "Say it"), conditions=[{"if": "w == 1", "then": "b"}]), None),
        (
            scenario(
                ask("a", "v", next_step="b", expected_input={"max_attempts": 1, "on_failure": "b"}),
                say("b", "{{ v }}"),
            ),
            ("a", "b"),
        ),
        (
            scenario(
                ask("a", "v", buttons=[{"text": "Skip", "value": "-", "next_step": "b"}], next_step="b"),
                say("b", "{{ v }}"),
            ),
            ("a", "b"),
        ),
        (
            scenario(
                ask(
                    "a",
                    "v",
                    set={"w": "v"},
                    expected_input={"max_attempts": 1, "on_failure": "b"},
                    next_step="b",
                ),
                say("b", "{{ w }}"),
            ),
            ("a", "b"),
        ),
        (
            scenario(
                choose("a", "x", "one", "two", conditions=[{"if": "x == 'one'", "then": "b"}], next_step="c"),
                choose("b", "citizenship", "РФ", "СНГ"),
                say("c"),
                conditions=[{"if": "citizenship == 'РФ'", "then": "d", "after": "c"}],
            )
            | {},
            ("a", "c"),
        ),
        (
            scenario(say("a", http=GET | {"variable": "v"}, next_step="b"), say("b", "{{ v.status }}")),
            ("a", "b"),
        ),
        (
            scenario(
                say("a", http=GET | {"variable": "v", "on_error": "b"}, next_step="b"),
                say("b", "{{ v.status }}"),
            ),
            ("a", "b"),
        ),
        (
            scenario(
                say(
                    "a",
                    llm={
                        "prompt": "?",
                        "variable": "v",
                        "on_error": "d",
                        "routes": {"r": {"step": "b", "when": "?"}},
                    },
                ),
                say("b", "{{ v }}"),
            ),
            ("a", "b"),
        ),
        (
            scenario(
                ask("a", "v", expected_input={"timeout": {"after": "1h", "next_step": "b"}}, next_step="b"),
                say("b", "{{ v }}"),
            ),
            ("a", "b"),
        ),
        (
            scenario(ask("a", "v", expected_input={"timeout": {"after": "1h", "remind": "{{ v }}?"}})),
            ("a",),
        ),
        (
            scenario(
                ask(
                    "a",
                    "v",
                    expected_input={"validation": {"rules": [{"reject_if": "false", "message": "{{ v }}"}]}},
                )
            ),
            ("a",),
        ),
        (
            scenario(ask("a", "v", next_step="b"), say("b", "{{ v }}"), commands={"/b": {"next_step": "b"}}),
            ("b",),
        ),
        (scenario(*BRANCHES, say("c", http=GET | {"body": {"a": ["{{ name }}"]}})), ("a", "c")),
        (scenario(*BRANCHES, say("c", llm={"prompt": "{{ name }}"})), ("a", "c")),
        (scenario(*BRANCHES, say("c", handoff={"reason": "{{ name }}"})), ("a", "c")),
        (
            scenario(ask("a", "v", set={"v": "null"}, next_step="b"), say("b", "{{ w }}", set={"w": "v"})),
            ("a", "b"),
        ),
    ],
)
def test_a_value_that_may_be_missing_where_it_matters(
    document: Document, path: tuple[str, ...] | None
) -> None:
    document = document | {"steps": [*document["steps"], say("d", end=True)]}
    paths = [f.path for f in findings(document) if f.code == "maybe_unset"]
    assert paths == ([path] if path else [])


@pytest.mark.parametrize(
    "document",
    [
        scenario(ask("a", "v", next_step="b"), say("b", "{{ v }}")),
        scenario(say("a", "{{ v }}", before={"v": "1"})),
        scenario(say("a", "{{ user.first_name }} {{ start_payload }}")),
        scenario(say("a", "{{ v }}"), variables={"v": {"type": "integer", "initial": 0}}),
        scenario(say("a", "{{ v }}"), variables={"v": {"type": "integer"}}),
        scenario(*BRANCHES, say("c", "{{ answered.name ? name : '' }}")),
        scenario(
            *BRANCHES,
            say("c", conditions=[{"if": "answered.name", "then": "d", "else": "a"}]),
            say("d", "{{ name }}"),
        ),
        scenario(
            *BRANCHES,
            say("c", conditions=[{"if": "!answered.name", "then": "b"}], next_step="d"),
            say("d", "{{ name }}"),
        ),
        scenario(
            *BRANCHES,
            say("c", conditions=[{"if": "(answered.name) && name != ''", "then": "d", "else": "a"}]),
            say("d", "{{ name }}"),
        ),
        scenario(
            *BRANCHES,
            say("c", conditions=[{"if": "name == 'x' || name == 'y'", "then": "d", "else": "a"}]),
            say("d", "{{ name }}"),
        ),
        scenario(
            say("a", http=GET | {"variable": "v", "on_error": "c"}, next_step="b"),
            say("b", "{{ v.status }}"),
            say("c"),
        ),
        scenario(
            ask("a", "v", next_step="b"),
            say("b"),
            say("help"),
            conditions=[{"if": "v == 'x'", "then": "b", "after": "b"}],
            commands={"/help": {"next_step": "help", "resume": True}},
        ),
        scenario(*BRANCHES, say("c", conditions=[{"if": "name == 'x'", "then": "b", "else": "a"}])),
        scenario(*BRANCHES, say("c", conditions=[{"if": "name == 'x'", "then": "b"}], next_step="a")),
        COMPLETED,
    ],
)
def test_a_value_that_is_there_gives_no_warning(document: Document) -> None:
    assert [f for f in findings(document) if f.code == "maybe_unset"] == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (scenario(say("a"), say("b"), say("c", next_step="b")), ["/steps/1", "/steps/2"]),
        (scenario(say("a", end=True, next_step="b"), say("b")), ["/steps/1"]),
        (scenario(say("a"), say("b"), after_end="b"), []),
        (
            scenario(
                say("a", conditions=[{"if": "true", "then": None, "else": None}], next_step="b"), say("b")
            ),
            ["/steps/1"],
        ),
        (scenario(ask("a", expected_input={"on_failure": "b"}), say("b")), ["/steps/1"]),
    ],
)
def test_a_step_that_cannot_be_reached(document: Document, expected: list[str]) -> None:
    assert [f.pointer for f in findings(document) if f.code == "unreachable_step"] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"languages": ["en", "ru"]}, ["/steps/0/message/text", "/fallbacks/ended"]),
        ({"languages": ["en"], "default_language": "ru"}, ["/steps/0/message/text", "/fallbacks/ended"]),
        ({"languages": ["en"]}, []),
        ({}, []),
    ],
)
def test_a_missing_language(fields: Document, expected: list[str]) -> None:
    document = scenario(
        say("a", {"en": "Hi"}, next_step="b"), say("b", "Plain"), fallbacks={"ended": {"en": "Bye"}}, **fields
    )
    assert [f.pointer for f in findings(document) if f.code == "missing_language"] == expected


@pytest.mark.parametrize(("steps", "is_too_long"), [(20, False), (21, True), (130, True)])
def test_too_many_messages_in_a_row(steps: int, *, is_too_long: bool) -> None:
    chain = [say(f"s{n}", next_step=f"s{n + 1}") for n in range(steps - 1)] + [say(f"s{steps - 1}")]
    expected = [("long_turn", "/steps/0")] if is_too_long else []
    assert [each for each in warnings(scenario(*chain)) if each[0] == "long_turn"][:1] == expected


def test_too_many_steps_in_a_row() -> None:
    chain: list[Document] = [{"id": f"s{n}", "next_step": f"s{n + 1}"} for n in range(101)]
    assert found(scenario(*chain, ask("s101"))) == [("long_turn", "/steps/0")]
    assert found(scenario(*chain[2:], ask("s101"))) == []


def test_a_question_ends_a_turn() -> None:
    steps = [ask(f"s{n}", next_step=f"s{n + 1}") for n in range(60)]
    assert found(scenario(*steps, say("s60"))) == []


def test_errors_come_first() -> None:
    document = scenario(say("a", "{{ zz }}"), say("b"))
    assert [f.severity for f in findings(document)] == ["error", "warning"]


def test_findings_have_an_end() -> None:
    texts = [{"text": f"{{{{ zz{n} }}}}"} for n in range(20)]
    document = scenario(*({"id": f"s{n}", "message": texts} for n in range(100)))
    assert len(findings(document)) == MAX_FINDINGS


# --- what a scenario is given, and given to ----------------------------------------------------------

CHILD_ID = "22222222-2222-4222-8222-222222222222"
OTHER_ID = "33333333-3333-4333-8333-333333333333"
CHILD = scenario(
    say("hello", "Hello, {{ who }}", set={"words": "'Hello, ' + who"}), variables={"who": {"type": "string"}}
)


def calling(scenario_id: str = CHILD_ID, **call: Any) -> Document:
    return scenario(
        say("a", scenario={"id": scenario_id, **call}, next_step="b"),
        say("b"),
        variables={"n": {"type": "integer"}},
    )


def found_with(library: Library, document: Document) -> list[tuple[str, str]]:
    read(document)
    return [(finding.code, finding.pointer) for finding in lint(document, library)]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (calling(inputs={"who": "'Ann'"}, outputs={"greeting": "words"}), []),
        (calling(CHILD_ID.upper(), inputs={"who": "'Ann'"}), []),
        (calling(OTHER_ID), [("unknown_scenario", f"{CALL}/id")]),
        (calling(), [("missing_input", CALL)]),
        (calling(inputs={"who": "'x'", "whom": "'Ann'"}), [("unknown_input", f"{CALL}/inputs/whom")]),
        (calling(inputs={"who": "1"}), [("type_conflict", f"{CALL}/inputs/who")]),
        (calling(inputs={"who": "zz"}), [("unknown_name", f"{CALL}/inputs/who")]),
        (calling(inputs={"who": "'x'"}, outputs={"x": "greeting"}), [("unknown_name", f"{CALL}/outputs/x")]),
        (calling(inputs={"who": "'x'"}, outputs={"x": "words +"}), [("bad_expression", f"{CALL}/outputs/x")]),
        (calling(inputs={"who": "'x'"}, outputs={"n": "words"}), [("type_conflict", f"{CALL}/outputs/n")]),
    ],
)
def test_what_goes_into_a_call_and_comes_out(document: Document, expected: list[tuple[str, str]]) -> None:
    assert found_with(Library(scenarios={CHILD_ID: CHILD}), document) == expected


def test_nothing_is_said_of_scenarios_that_nobody_knows() -> None:
    assert found_with(Library(), calling(OTHER_ID, inputs={"x": "1"}, outputs={"y": "zz"})) == []


def test_what_is_wrong_with_a_called_scenario_is_told_where_it_is_called() -> None:
    broken = scenario(say("x", next_step="gone"), say("y", scenario={"id": OTHER_ID}))
    library = Library(scenarios={CHILD_ID: broken, OTHER_ID: scenario(say("z", "{{ zz }}"))})
    assert [(f.severity, f.code, f.pointer, f.step_id, f.message) for f in lint(calling(), library)] == [
        (
            "error",
            "unknown_step",
            CALL,
            "a",
            f"in the scenario {CHILD_ID} at /steps/0/next_step: there is no step “gone”",
        ),
        (
            "error",
            "unknown_name",
            CALL,
            "a",
            f"in the scenario {OTHER_ID} at /steps/0/message/text: "  # noqa: ISC004
            "nothing sets or declares “zz” (character 4)",
        ),
        (
            "warning",
            "unreachable_step",
            CALL,
            "a",
            f"in the scenario {CHILD_ID} at /steps/1: no way leads to the step “y”",
        ),
    ]


@pytest.mark.parametrize("scenario_id", ["", OTHER_ID])
def test_a_scenario_that_comes_to_call_itself(scenario_id: str) -> None:
    library = Library({CHILD_ID: calling(OTHER_ID), OTHER_ID: calling(CHILD_ID)}, scenario_id=scenario_id)
    assert ("scenario_recursion", f"{CALL}/id") in found_with(library, calling(CHILD_ID))


@pytest.mark.parametrize(("depth", "is_too_deep"), [(8, False), (9, True)])
def test_calls_have_a_depth(depth: int, *, is_too_deep: bool) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(depth)]
    below = {own: calling(other) for own, other in pairwise(ids)} | {ids[-1]: scenario(say("z"))}
    codes = [code for code, _ in found_with(Library(below), calling(ids[0]))]
    assert codes == ["too_deep"] * is_too_deep


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (scenario(say("x")), [("endless_cycle", "/steps/0")]),
        (scenario(ask("x")), []),
        (scenario(say("x", next_step="y"), ask("y")), []),
        (scenario(say("x", wait="1h")), [("endless_cycle", "/steps/0")]),
        (
            scenario(ask("x", expected_input={"timeout": {"after": "1h", "next_step": "y"}}), say("y")),
            [("endless_cycle", "/steps/0")],
        ),
        (
            scenario(say("x"), ask("y"), conditions=[{"if": "true", "then": "y"}]),
            [("endless_cycle", "/steps/0")],
        ),
    ],
)
def test_a_circle_through_a_call(child: Document, expected: list[tuple[str, str]]) -> None:
    document = scenario(say("a", scenario={"id": CHILD_ID}, next_step="a"))
    found = found_with(Library({CHILD_ID: child}), document)
    assert [each for each in found if "cycle" in each[0]] == expected


@pytest.mark.parametrize(("said", "is_too_long"), [(18, False), (19, True)])
def test_a_long_turn_through_a_call(said: int, *, is_too_long: bool) -> None:
    child = scenario({"id": "x", "message": [{"text": "x"}] * said})
    document = scenario(say("a", scenario={"id": CHILD_ID}, next_step="b"), say("b"))
    assert (
        "long_turn" in [code for code, _ in found_with(Library({CHILD_ID: child}), document)]
    ) is is_too_long


MEDIA = "/steps/0/message/1/media/0"
FILES = {
    "logo": LibraryFile("image"),
    "film": LibraryFile("video"),
    "late": LibraryFile("image", is_ready=False),
}


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"media_id": "logo"}, []),
        ({"media_id": "logo", "type": "image"}, []),
        ({"media_id": "logo", "type": "file"}, []),
        ({"media_id": "gone"}, [("unknown_media", f"{MEDIA}/media_id")]),
        ({"media_id": "late"}, [("media_not_ready", f"{MEDIA}/media_id")]),
        ({"media_id": "film", "type": "image"}, [("wrong_media_type", f"{MEDIA}/type")]),
    ],
    ids=str,
)
def test_files_of_the_library(media: dict[str, str], expected: list[tuple[str, str]]) -> None:
    document = scenario({"id": "a", "message": [{"text": "One"}, {"media": [media]}], "end": True})

    assert found_with(Library(media=FILES), document) == expected
    assert found_with(Library(), document) == []


# --- messengers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Messenger:
    max_text: int = 4096
    max_buttons: int = 10
    max_button_label: int = 20
    link_buttons: bool = True
    shares: frozenset[str] = frozenset({"phone"})
    edits_in_place: bool = False
    media: Mapping[str, MediaLimits] = field(default_factory=dict)

    def shown_as(
        self, file_type: str, content_type: str = "", size: int = 0, width: int = 0, height: int = 0
    ) -> str:
        raise NotImplementedError


TEMPLATE = {"whatsapp_template": {"name": "hello", "language": "en"}}
LATE = {"text": "Still there?"}


def given_up(after: str, **message: Any) -> Document:
    timeout = {"after": after, "next_step": "b"}
    return scenario(
        ask("a", "v", expected_input={"timeout": timeout}, next_step="b"),
        {"id": "b", "message": LATE | message},
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (given_up("24h"), ["/steps/1/message"]),
        (given_up("24h", **TEMPLATE), []),
        (given_up("23h"), []),
        (given_up("1439m", delay="1m"), ["/steps/1/message"]),
        (
            scenario(say("a", wait="12h", next_step="b"), say("b", wait="12h", next_step="c"), say("c")),
            ["/steps/2/message"],
        ),
        (scenario(say("a", wait="12h", next_step="b"), ask("b", wait="12h", next_step="c"), say("c")), []),
        (
            scenario(
                say("a", wait="1h", set={"n": "n + 1"}, conditions=[{"if": "n < 100", "then": "a"}]),
                variables=N,
            ),
            ["/steps/0/message"],
        ),
        (reminding(after="24h"), [f"{INPUT}/timeout/remind"]),
        (reminding(after="20h"), []),
        (reminding(after="20h", every="4h", times=2), [f"{INPUT}/timeout/remind"]),
        (reminding(after="12h", times=2), [f"{INPUT}/timeout/remind"]),
        (
            scenario(ask("a"), defaults={"timeout": {"after": "2d", "remind": "?"}}),
            ["/defaults/timeout/remind"],
        ),
        (scenario(say("a", handoff={"timeout": "2d", "next_step": "b"}), say("b")), ["/steps/1/message"]),
        (scenario(say("a", handoff={}, next_step="b"), say("b")), []),
    ],
)
def test_what_whatsapp_takes_only_as_a_template(document: Document, expected: list[str]) -> None:
    read(document)
    library = Library(messengers={"whatsapp": Messenger(), "telegram": Messenger()})
    assert [f.pointer for f in lint(document, library) if f.code == "template_missing"] == expected
    assert [
        f
        for f in lint(document, Library(messengers={"telegram": Messenger()}))
        if f.code == "template_missing"
    ] == []
    assert [f for f in findings(document) if f.code == "template_missing"] == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (scenario(choose("a", "v", *range(10))), []),
        (scenario(choose("a", "v", *range(11))), [("/steps/0/buttons", "has room for 10 buttons")]),
        (several(*range(5)), [("/steps/0/buttons", "cannot mark several choices")]),
        (scenario(ask("a", "v", expected_input={"type": "contact"})), []),
        (
            scenario(ask("a", "v", expected_input={"type": "location"})),
            [("/steps/0/expected_input/type", "has no button to share a location")],
        ),
        (
            scenario(choose("a", "v", "x", "y" * 21)),
            [("/steps/0/buttons/1/text", "shows 20 characters of a button")],
        ),
        (scenario(say("a", "x" * 4097)), [("/steps/0/message/text", "shows at most 4096 characters")]),
        (
            scenario(say("a", {"en": "x", "ru": "x" * 4097})),
            [("/steps/0/message/text/ru", "shows at most 4096 characters")],
        ),
        (
            scenario(say("a", buttons=[{"text": "x", "url": "https://x"}])),
            [("/steps/0/buttons", "has no links as buttons")],
        ),
    ],
)
def test_what_a_messenger_shows_in_another_way(document: Document, expected: list[tuple[str, str]]) -> None:
    read(document)
    library = Library(messengers={"viber": Messenger(link_buttons=False)})
    told = [f for f in lint(document, library) if f.code == "cannot_show"]
    assert [f.pointer for f in told] == [pointer for pointer, _ in expected]
    assert all(f.message.startswith(f"viber {words}") for f, (_, words) in zip(told, expected, strict=True))


def test_the_messengers_adapters_say_what_the_linter_asks() -> None:
    messengers: dict[str, Capabilities] = {each.platform: each.capabilities for each in ADAPTERS}
    document = scenario(choose("a", "v", *range(100)))
    told = [f.message for f in lint(document, Library(messengers=messengers)) if f.code == "cannot_show"]
    assert any(words.startswith("whatsapp has room for 10 buttons") for words in told)


TOO_WIDE = (
    "telegram shows a picture of 10000 pixels, both sides together, and this has more: it goes as a file"
)
TOO_LONG = "telegram shows a picture up to 20 times as long as wide, and this is longer: it goes as a file"
JPEG = {"file_type": "image", "content_type": "image/jpeg", "size": 900_000, "width": 800, "height": 600}


@pytest.mark.parametrize(
    ("facts", "media", "expected"),
    [
        pytest.param({}, {}, [], id="what all show"),
        pytest.param(
            {"size": 5_200_000},
            {},
            [
                "viber shows a picture of up to 1 MB, and this has 5.2 MB: it goes as a file",
                "whatsapp shows a picture of up to 5 MB, and this has 5.2 MB: it goes as a file",
            ],
            id="a picture too large for two",
        ),
        pytest.param(
            {"size": 5_200_000, "fitted": frozenset({"viber", "whatsapp"})}, {}, [], id="made smaller"
        ),
        pytest.param({"size": 5_200_000}, {"type": "file"}, [], id="as a file all take it"),
        pytest.param({"size": 5_200_000, "is_ready": False}, {}, [], id="not there yet"),
        pytest.param(
            {"width": 9_000, "height": 2_000},
            {},
            [TOO_WIDE],
            id="a picture too wide",
        ),
        pytest.param({"width": 1_280, "height": 63}, {}, [TOO_LONG], id="a strip"),
        pytest.param(
            {"content_type": "image/gif"},
            {},
            [
                "viber does not show image/gif as a picture: it goes as a file",
                "whatsapp does not show image/gif as a picture: it goes as a file",
            ],
            id="a picture that moves",
        ),
        pytest.param(
            {"file_type": "audio", "content_type": "audio/mpeg"},
            {},
            ["viber has no place for a sound: it goes as a file"],
            id="a sound",
        ),
        pytest.param(
            {"file_type": "video", "content_type": "video/mp4", "size": 52_000_000},
            {},
            [
                "telegram shows a video of up to 50 MB, and this has 52 MB: its address is told instead",
                "viber shows a video of up to 26 MB, and this has 52 MB: its address is told instead",
                "whatsapp shows a video of up to 16 MB, and this has 52 MB: it goes as a file",
            ],
            id="a video too large altogether",
        ),
    ],
)
def test_what_a_messenger_makes_of_a_file_of_the_library(
    facts: dict[str, Any], media: dict[str, str], expected: list[str]
) -> None:
    messengers: dict[str, Capabilities] = {each.platform: each.capabilities for each in ADAPTERS}
    files = {"logo": LibraryFile(**{**JPEG, **facts})}
    message = {"text": "Look", "media": [{"media_id": "logo", **media}]}
    document = scenario({"id": "a", "message": message, "end": True})
    read(document)
    told = [f for f in lint(document, Library(media=files, messengers=messengers)) if f.code == "cannot_show"]
    assert [f.message for f in told] == expected
    assert {f.pointer for f in told} <= {"/steps/0/message/media/0"}
    assert [f for f in lint(document, Library(messengers=messengers)) if f.code == "cannot_show"] == []


# --- tests and languages -----------------------------------------------------------------------------


def reading(expression: str, **fields: Any) -> Document:
    return scenario(say("a", next_step="b"), say("b", "<{{ " + expression + " }}>"), **fields)


RECORD: dict[str, str] = {"name": "string", "hired": "date"}
PRINTED = "/steps/1/message/text"


@pytest.mark.parametrize(
    ("document", "contact", "expected"),
    [
        (reading("contact.name"), RECORD, []),
        (reading("contact.hired < today"), RECORD, []),
        (reading("answered.contact"), RECORD, []),
        (reading("contact.nmae"), RECORD, [("unknown_name", PRINTED)]),
        (reading("contact"), RECORD, [("bad_expression", PRINTED)]),
        (reading("contact.hired > 5"), RECORD, [("bad_expression", PRINTED)]),
        (reading("contact.name"), {}, [("contact_unset", "/steps/1")]),
        (reading("answered.contact"), {}, [("contact_unset", "/steps/1")]),
        (reading("1", conditions=[{"if": "contact.age > 1", "then": "a"}]), {}, [("contact_unset", "")]),
        (reading("1"), {}, []),
        (reading("contact.anything"), None, []),
        (reading("contact.nmae", tests=[]), RECORD, [("unknown_name", PRINTED)]),
    ],
)
def test_what_is_known_of_people(
    document: Document, contact: dict[str, str] | None, expected: list[tuple[str, str]]
) -> None:
    assert found_with(Library(contact=contact), document) == expected


def test_a_field_that_is_misspelt_is_told_with_the_one_that_was_meant() -> None:
    (finding,) = lint(reading("contact.nmae"), Library(contact=RECORD))
    assert (
        finding.message
        == "nothing sets or declares “contact.nmae”; did you mean “contact.name”? (character 5)"
    )


@pytest.mark.parametrize(
    ("contact", "expected"),
    [(RECORD, ["/tests/0/given/contact/nm~1e"]), ({}, []), (None, [])],
    ids=["fields", "none", "nobody knows"],
)
def test_a_test_that_knows_of_people_what_nobody_does(
    contact: dict[str, str] | None, expected: list[str]
) -> None:
    test = {"name": "t", "given": {"contact": {"name": "Ann", "nm/e": 1}}, "turns": [{"send": "/start"}]}
    told = lint(reading("1", tests=[test]), Library(contact=contact))
    assert [finding.pointer for finding in told] == expected


def test_a_called_scenario_reads_what_is_known_of_people_by_the_same_fields() -> None:
    library = Library(scenarios={CHILD_ID: reading("contact.nmae")}, contact=RECORD)
    assert [finding.code for finding in lint(calling(), library)] == ["unknown_name"]


def with_test(*turns: Document, **fields: Any) -> Document:
    return scenario(
        ask("a", "v"),
        commands={"/help": {"next_step": "a"}},
        tests=[{"name": "x", "turns": list(turns), **fields}],
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            with_test({"send": "/help"}, {"send": "/start ref"}, {"send": "1/2"}, {"expect": {"step": "a"}}),
            [],
        ),
        (with_test({"send": "/halp"}), ["/tests/0/turns/0/send"]),
        (with_test({"expect": {"step": "b"}}), ["/tests/0/turns/0/expect/step"]),
        (with_test({"give_back": "b"}), ["/tests/0/turns/0/give_back"]),
        (with_test({"give_back": True}, given={"v": 1, "w": 2}), ["/tests/0/given/w"]),
    ],
)
def test_what_a_test_names_and_nothing_is(document: Document, expected: list[str]) -> None:
    assert [f.pointer for f in findings(document) if f.code == "unknown_in_test"] == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (scenario(choose("a", "language", "en", "de", "pt-BR")), ["/steps/0/buttons/1/value"]),
        (scenario(say("a", set={"language": "'de'"})), ["/steps/0/set/language"]),
        (scenario(say("a", set={"language": "'d' + 'e'"})), []),
        (
            scenario(say("a"), variables={"language": {"type": "string", "initial": "de"}}),
            ["/variables/language/initial"],
        ),
    ],
)
def test_a_language_that_the_scenario_lacks(document: Document, expected: list[str]) -> None:
    document = document | {"languages": ["en", "pt"]}
    assert [f.pointer for f in findings(document) if f.code == "unknown_language"] == expected
    assert [f for f in findings(document | {"languages": None}) if f.code == "unknown_language"] == []


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (
            scenario(ask("a", expected_input={"timeout": {"after": "1h", "remind": TEXT}})),
            f"{INPUT}/timeout/remind",
        ),
        (
            scenario(
                ask("a", expected_input={"validation": {"rules": [{"reject_if": "true", "message": TEXT}]}})
            ),
            f"{VALIDATION}/rules/0/message",
        ),
        (scenario(say("a", llm={"prompt": TEXT})), "/steps/0/llm/prompt"),
        (
            scenario(say("a"), commands={"/x": {"next_step": "a", "description": TEXT}}),
            "/commands/~1x/description",
        ),
        (scenario(say("a", handoff={"reason": TEXT})), "/steps/0/handoff/reason"),
    ],
)
def test_a_language_is_missed_wherever_words_stand(document: Document, pointer: str) -> None:
    document = document | {"languages": ["en", "ru"]}
    assert [f.pointer for f in findings(document) if f.code == "missing_language"] == [pointer]


def test_a_body_of_a_request_has_no_languages() -> None:
    document = scenario(
        say("a", http=GET | {"method": "POST", "body": {"text": {"en": "x"}}}), languages=["en", "ru"]
    )
    assert [f for f in findings(document) if f.code == "missing_language"] == []


# --- what would never be said, filled or kept ---------------------------------------------------------


def finishing(*labels: Any, done: Any = None, **fields: Any) -> Document:
    choices = [{"text": label, "value": n} for n, label in enumerate(labels)]
    expected = {"expected_input": {"type": "buttons"}}
    own = {"fallbacks": {"done": done}} if done else {}
    return scenario(choose("a", "v", *choices, **expected), **own, **fields)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (finishing("One", "✅ DONE!"), [1]),
        (finishing({"en": "Ready", "ru": "готово"}), [0]),
        (finishing({"en": "Done", "ru": "Готово"}), [0, 0]),
        (finishing("Done", done="That is all"), []),
        (finishing("That is all", "One", done={"en": "Enough", "ru": "That is all"}), [0]),
        (finishing("Готово", languages=["en"]), []),
        (finishing("Готово", languages=["en", "ru"]), [0]),
        (finishing("Done", languages=["de"]), [0]),
        (finishing("Done", done="{{ user.first_name }}", languages=["en"]), []),
        (scenario(choose("a", "v", "Done")), []),
    ],
)
def test_a_choice_that_reads_like_the_button_that_finishes(document: Document, expected: list[int]) -> None:
    told = [f for f in findings(document) if f.code == "choice_is_done"]
    assert [(f.severity, f.pointer) for f in told] == [("error", f"/steps/0/buttons/{n}") for n in expected]


@pytest.mark.parametrize(
    ("sensitive", "expected"),
    [
        ((), []),
        (("other",), []),
        (("said",), [f"{INPUT}/understand"]),
        (("day",), [f"{INPUT}/understand/fill/0"]),
        (("said", "day"), [f"{INPUT}/understand"]),
    ],
)
def test_what_a_model_must_not_read(sensitive: tuple[str, ...], expected: list[str]) -> None:
    document = scenario(
        ask("a", "said", expected_input={"understand": {"fill": ["day"]}}, next_step="b"),
        ask("b", "day"),
        variables={name: {"type": "string", "sensitive": True} for name in sensitive},
    )
    assert warnings(document) == [("understand_sensitive", pointer) for pointer in expected]


def test_a_variable_of_a_called_scenario_does_not_survive_runs() -> None:
    child = scenario(say("x", set={"n": "n + 1"}), variables={"n": N["n"] | {"scope": "person"}})
    parent = scenario(say("y", scenario={"id": CHILD_ID}))
    library = Library(scenarios={CHILD_ID: child, OTHER_ID: parent})
    assert found_with(library, calling()) == [("scope_in_call", CALL)]
    assert found_with(library, calling(OTHER_ID)) == [("scope_in_call", CALL)]
    assert found_with(library, child) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": ""} | TEMPLATE, ["/text"]),
        ({"text": {"en": "Hello", "ru": " "}} | TEMPLATE, ["/text/ru"]),
        ([LATE, {"text": ""} | TEMPLATE], ["/1/text"]),
        (LATE | TEMPLATE, []),
        ({"text": "{{ user.first_name }}"} | TEMPLATE, []),
        ({"media": [{"url": "https://example.com/a.png", "type": "image"}]} | TEMPLATE, []),
        ({"text": ""}, []),
    ],
)
def test_a_message_that_is_only_a_template(message: Any, expected: list[str]) -> None:
    told = [f for f in findings(scenario({"id": "a", "message": message})) if f.code == "template_only"]
    assert [(f.severity, f.pointer) for f in told] == [
        ("warning", f"/steps/0/message{at}") for at in expected
    ]


# --- the index ---------------------------------------------------------------------------------------


def test_every_code_is_in_the_index_and_every_one_of_the_index_is_told() -> None:
    sources = [path.read_text() for path in (ROOT / "shared/scenario/linting").glob("*.py")]
    told = {code for source in sources for code in re.findall(r'"([a-z]+_[a-z_]+|cycle)"', source)}
    assert [code for code in CODES if code not in told] == []
    assert {f.code for f in lint(EVERYTHING)} <= set(CODES)
    assert not ERRORS.keys() & WARNINGS.keys()


@pytest.mark.parametrize(("turns", "is_too_silent"), [(50, False), (51, True)])
def test_too_many_turns_without_a_word_from_the_person(turns: int, *, is_too_silent: bool) -> None:
    chain = [say(f"s{n}", wait="1m", next_step=f"s{n + 1}") for n in range(turns)]
    codes = [code for code, _ in found(scenario(*chain, say(f"s{turns}")))]
    assert codes == ["long_silence"] * is_too_silent
