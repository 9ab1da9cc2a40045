"""What type each variable of a document has."""

from __future__ import annotations

from typing import Any

import pytest
from cel_expr_python import cel

from shared.scenario.errors import ExpressionError
from shared.scenario.expressions import Environment
from shared.scenario.variables import as_saved, environment_of, name_of, type_of_answer, writers_of

T = cel.Type
LIST, MAP = T.List(T.DYN), T.Map(T.STRING, T.DYN)


def environment(*steps: dict[str, Any], **document: Any) -> tuple[Environment, list[str]]:
    reports: list[str] = []

    def report(pointer: str, error: ExpressionError) -> None:
        reports.append(f"{pointer}: {error.message}")

    given = [{"id": f"step{index}", **step} for index, step in enumerate(steps)]
    return environment_of({"version": "1", "steps": given, **document}, report), reports


def choice(value: Any) -> dict[str, Any]:
    return {"text": "x", "value": value}


DYNAMIC = {"for_each": "[1]", "text": "x", "value": "item"}
LINK = {"text": "x", "url": "https://example.com"}


@pytest.mark.parametrize(
    ("kind", "step", "expected"),
    [
        ("text", {}, T.STRING),
        ("number", {}, T.DOUBLE),
        ("integer", {}, T.INT),
        ("date", {}, T.TIMESTAMP),
        ("time", {}, T.STRING),
        ("email", {}, T.STRING),
        ("phone", {}, T.STRING),
        ("url", {}, T.STRING),
        ("location", {}, MAP),
        ("contact", {}, MAP),
        ("media", {}, MAP),
        ("media", {"validation": {"max": 1}}, MAP),
        ("media", {"validation": {"max": 5}}, T.List(MAP)),
        ("any", {}, T.DYN),
        ("button", {"buttons": [choice("a"), LINK, choice("b")]}, T.STRING),
        ("button", {"buttons": [choice(1), choice(2)]}, T.INT),
        ("button", {"buttons": [choice(value=True)]}, T.BOOL),
        ("button", {"buttons": [choice(1), choice("1")]}, T.DYN),
        ("button", {"buttons": [choice("a"), DYNAMIC]}, T.DYN),
        ("button", {}, T.DYN),
        ("buttons", {"buttons": [choice("a"), choice("b")]}, T.List(T.STRING)),
        ("buttons", {"buttons": [choice(1), choice(value=True)]}, LIST),
        ("buttons", {"buttons": [DYNAMIC]}, LIST),
    ],
)
def test_an_answer_has_the_type_of_its_input(kind: str, step: dict[str, Any], expected: cel.Type) -> None:
    expected_input = {"type": kind, "variable": "x", "validation": step.get("validation")}
    asked = {**step, "expected_input": expected_input}
    assert type_of_answer(asked) == expected
    assert environment(asked)[0].variables["x"] == expected


def test_a_step_with_buttons_alone_asks_for_one_of_them() -> None:
    assert type_of_answer({"buttons": [choice(1)]}) == T.INT


@pytest.mark.parametrize(
    ("declared", "expected", "name"),
    [
        ({"type": "string"}, T.STRING, "string"),
        ({"type": "integer"}, T.INT, "integer"),
        ({"type": "number"}, T.DOUBLE, "number"),
        ({"type": "boolean"}, T.BOOL, "boolean"),
        ({"type": "date"}, T.TIMESTAMP, "date"),
        ({"type": "list"}, LIST, "list"),
        ({"type": "map"}, MAP, "map"),
        ({"type": "any"}, T.DYN, "any"),
        ({}, T.DYN, "any"),
    ],
)
def test_a_declaration_decides(declared: dict[str, Any], expected: cel.Type, name: str) -> None:
    asked = {"expected_input": {"type": "text", "variable": "x"}, "set": {"x": "1"}}
    found = environment(asked, variables={"x": declared})[0].variables["x"]
    assert (found, name_of(found)) == (expected, name)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"llm": {"prompt": "p", "variable": "x"}}, T.STRING),
        ({"llm": {"prompt": "p", "variable": "x", "output": {"type": "text"}}}, T.STRING),
        ({"llm": {"prompt": "p", "variable": "x", "output": {"type": "choice", "options": ["a"]}}}, T.STRING),
        ({"llm": {"prompt": "p", "variable": "x", "output": {"type": "object"}}}, T.DYN),
        (
            {
                "llm": {
                    "prompt": "p",
                    "variable": "x",
                    "output": {"type": "object", "schema": {"type": "object"}},
                }
            },
            MAP,
        ),
        (
            {
                "llm": {
                    "prompt": "p",
                    "variable": "x",
                    "output": {"type": "object", "schema": {"type": ["a"]}},
                }
            },
            T.DYN,
        ),
        ({"http": {"method": "GET", "url": "u", "variable": "x"}}, MAP),
        ({"scenario": {"id": "i", "outputs": {"x": "y"}}}, T.DYN),
    ],
)
def test_an_action_gives_its_variable_a_type(step: dict[str, Any], expected: cel.Type) -> None:
    assert list(writers_of(step)) == [("x", [expected])]
    assert environment(step)[0].variables["x"] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("now", T.TIMESTAMP),
        ("today + days(1)", T.TIMESTAMP),
        ("hours(3)", T.STRING),
        ("b'x'", T.STRING),
        ("1u", T.INT),
        ("null", T.DYN),
        ("type(1)", T.DYN),
        ("[1, 2]", T.List(T.INT)),
        ("[today]", LIST),
        ("{'a': 1}", MAP),
        ("{1: 'a'}", MAP),
        ("random * 10", T.DOUBLE),
        ("true ? 1 : 1.5", T.DOUBLE),
        ("contact.name", T.DYN),
        ("lower('A') + format(1, '0')", T.STRING),
    ],
)
def test_what_is_assigned_has_the_type_in_which_it_is_saved(source: str, expected: cel.Type) -> None:
    found, reports = environment({"set": {"x": source}})
    assert (found.variables["x"], reports) == (expected, [])
    assert as_saved(expected) == expected


def test_types_follow_from_one_another_across_steps() -> None:
    found, reports = environment(
        {"set": {"c": "b + days(1)"}},
        {"before": {"b": "at(a, '10:00')"}},
        {"expected_input": {"type": "date", "variable": "a"}},
    )
    assert (found.variables["b"], found.variables["c"], reports) == (T.TIMESTAMP, T.TIMESTAMP, [])


def test_only_a_circle_needs_a_declaration() -> None:
    found, reports = environment({"set": {"a": "a + 1", "b": "a", "c": "b > 1"}})
    assert reports == ["/steps/0/set/a: the type of “a” follows only from itself; declare it in variables"]
    assert {name: found.variables[name] for name in "abc"} == {"a": T.DYN, "b": T.DYN, "c": T.DYN}


def test_a_label_is_asked_of_what_buttons_fill() -> None:
    found, _ = environment(
        {"buttons": [choice("a")], "expected_input": {"type": "button", "variable": "one"}},
        {"buttons": [choice("a")], "expected_input": {"type": "buttons", "variable": "several"}},
        {"expected_input": {"type": "text", "variable": "text"}},
    )
    assert found.compile("label(one) + label(several)").type == T.STRING
    with pytest.raises(ExpressionError, match="a variable that a button fills"):
        found.compile("label(text)")
