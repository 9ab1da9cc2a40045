"""What the linter refuses, what it warns of, and what it lets through."""

from __future__ import annotations

from typing import Any

import pytest

from shared.scenario.document import read
from shared.scenario.linter import MAX_FINDINGS, Finding, lint
from tests.scenario.documents import COMPLETED, MISSION, Document, ask, choose, say, scenario


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
N = {"n": {"type": "integer", "initial": 1}}


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
    ],
)
def test_what_is_sane_gives_no_error(document: Document) -> None:
    assert errors(document) == []


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
