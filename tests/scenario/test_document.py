"""The form of a document: what can be saved, and what is told where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.scenario.caps import MAX_DEPTH, MAX_DOCUMENT_BYTES
from shared.scenario.document import COMING, COMING_FALLBACKS, COMING_INPUTS, read
from tests.scenario.documents import EVERYTHING
from tests.scenario.strategies import mutated

ROOT = Path(__file__).parents[2]


def scenario(**fields: Any) -> dict[str, Any]:
    return {"version": "1", "steps": [{"id": "a", "message": {"text": "Hi"}}]} | fields


def with_step(**fields: Any) -> dict[str, Any]:
    return scenario(steps=[{"id": "a", **fields}])


def violations(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read(document)
    assert {violation.code for violation in caught.value.violations} == {"schema"}
    return [(violation.pointer, violation.message) for violation in caught.value.violations]


def test_every_field_of_the_language_is_taken() -> None:
    assert read(EVERYTHING).steps[0].buttons[0].text == "Text"


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        ([], "", "a scenario is a JSON object"),
        ({"steps": [{"id": "a"}]}, "/version", "this field is required"),
        (scenario(steps=[]), "/steps", "at least 1 item"),
        (scenario(steps=[{"id": f"s{n}"} for n in range(501)]), "/steps", "at most 500 items"),
        (scenario(version=1), "/version", "valid string"),
        (scenario(langages=["en"]), "/langages", "unknown field “langages”; did you mean “languages”?"),
        (scenario(languages=["English"]), "/languages/0", "not the tag of a language"),
        (scenario(after_end=None), "/after_end", "valid string"),
        (scenario(first_message="ask"), "/first_message", "'start' or 'answer'"),
        (scenario(fallbacks={"bye": "x"}), "/fallbacks/bye", "'choose_button'"),
        (scenario(conditions=[{"if": "true"}]), "/conditions/0/then", "this field is required"),
        (
            scenario(variables={"list": {"type": "any"}}),
            "/variables/list",
            "a word of the expression language",
        ),
        (scenario(variables={"2x": {"type": "any"}}), "/variables/2x", "not starting with a digit"),
        (scenario(variables={"x" * 65: {"type": "any"}}), f"/variables/{'x' * 65}", "1 to 64 letters"),
        (scenario(variables={"x": {"type": "text"}}), "/variables/x/type", "'string', 'integer'"),
        (scenario(variables={"a/b~c": {"type": "any"}}), "/variables/a~1b~0c", "1 to 64 letters"),
        (scenario(steps=[{"id": "two words"}]), "/steps/0/id", "the id of a step is"),
        (scenario(steps=[{"id": "a\n"}]), "/steps/0/id", "the id of a step is"),
        (scenario(steps=[{"id": "шаг"}]), "/steps/0/id", "the id of a step is"),
        (scenario(steps=[{"id": "x" * 65}]), "/steps/0/id", "the id of a step is"),
        (with_step(message={}), "/steps/0/message/text", "this field is required"),
        (with_step(message=None), "/steps/0/message", "valid list"),
        (
            with_step(message={"text": None}),
            "/steps/0/message/text",
            "a text is a string, or a map of languages",
        ),
        (with_step(message={"text": {}}), "/steps/0/message/text", "a map of languages"),
        (
            with_step(message={"text": {"en": 1}}),
            "/steps/0/message/text",
            "the text of every language is a string",
        ),
        (
            with_step(message={"text": {"EN": "x"}}),
            "/steps/0/message/text",
            "“EN” is not the tag of a language",
        ),
        (
            with_step(message={"text": "x", "media": [{"url": "u"}]}),
            "/steps/0/message/media",
            "media in messages",
        ),
        (with_step(message=[{"text": "x"}] * 21), "/steps/0/message", "at most 20 items"),
        (with_step(buttons=[{"text": "x"}]), "/steps/0/buttons/0/value", "this field is required"),
        (with_step(buttons=[{"value": 1}]), "/steps/0/buttons/0/text", "this field is required"),
        (with_step(buttons=[{"text": "x", "value": 1.5}]), "/steps/0/buttons/0/value", "a whole number"),
        (with_step(buttons=[{"text": "x", "value": None}]), "/steps/0/buttons/0/value", "a whole number"),
        (
            with_step(buttons=[{"text": "x", "url": "u", "value": 1}]),
            "/steps/0/buttons/0/value",
            "does not belong",
        ),
        (with_step(buttons=[{"text": "x", "value": 1}] * 101), "/steps/0/buttons", "at most 100 items"),
        (with_step(next_step=""), "/steps/0/next_step", "the id of a step is"),
        (with_step(end="yes"), "/steps/0/end", "valid boolean"),
        (with_step(set={"x": ""}), "/steps/0/set/x", "an expression cannot be empty"),
        (with_step(set={"x": 1}), "/steps/0/set/x", "valid string"),
        (with_step(set={"user": "1"}), "/steps/0/set/user", "a word of the expression language"),
        (with_step(set={"x": "(" * 31 + ")" * 31}), "/steps/0/set/x", "nests at most 30 deep"),
        (with_step(set={"x": "'" + "x" * 10_000 + "'"}), "/steps/0/set/x", "at most 10000 characters"),
        (with_step(expected_input={"type": "txt"}), "/steps/0/expected_input/type", "'text' or 'button'"),
        (
            with_step(expected_input={"variable": "x"}),
            "/steps/0/expected_input/type",
            "this field is required",
        ),
        (
            with_step(expected_input={"type": "text", "max_attempts": 0}),
            "/steps/0/expected_input/max_attempts",
            "greater than or equal to 1",
        ),
        (
            with_step(expected_input={"type": "text", "max_attempts": True}),
            "/steps/0/expected_input/max_attempts",
            "valid integer",
        ),
        (
            with_step(expected_input={"type": "text", "validation": {"min_length": -1}}),
            "/steps/0/expected_input/validation/min_length",
            "greater than or equal to 0",
        ),
        (
            with_step(message={"text": "nul \x00"}),
            "/steps/0/message/text",
            "a NUL or half of a surrogate pair",
        ),
        (with_step(message={"text": "\ud800"}), "/steps/0/message/text", "a NUL or half of a surrogate pair"),
        (with_step(**{"nul \x00": 1}), "/steps/0", "a NUL or half of a surrogate pair"),
        (with_step(buttons=[{"text": "x", "value": 2**63}]), "/steps/0/buttons/0/value", "at most 64 bits"),
        (
            scenario(variables={"x": {"type": "any", "initial": float("nan")}}),
            "/variables/x/initial",
            "64 bits",
        ),
        (scenario(variables={"x": {"type": "any", "initial": [1e999]}}), "/variables/x/initial/0", "64 bits"),
        (scenario(version="x" * MAX_DOCUMENT_BYTES), "", "at most 1000000 bytes"),
    ],
)
def test_what_is_no_scenario_is_told_with_its_place(document: Any, pointer: str, message: str) -> None:
    found = violations(document)
    assert pointer in [each for each, _ in found]
    assert any(message in words for each, words in found if each == pointer), found


def test_every_violation_is_told_at_once() -> None:
    document = {"steps": [{"id": "a b"}, {"id": "b", "next_step": 1}], "first_message": "x"}
    assert [pointer for pointer, _ in violations(document)] == [
        "/version",
        "/steps/0/id",
        "/steps/1/next_step",
        "/first_message",
    ]


def test_nesting_has_a_bottom() -> None:
    document: dict[str, Any] = {}
    here = document
    for _ in range(MAX_DEPTH + 5):
        here["x"] = here = {}
    assert violations(document) == [("/x" * (MAX_DEPTH + 1), "nested deeper than 32 levels")]


@pytest.mark.parametrize("name", sorted(COMING - {"min", "max", "url"}))
def test_a_word_of_the_language_that_does_not_run_yet_is_told_as_such(name: str) -> None:
    inside = {"type": "text", name: "x"}
    document = with_step(expected_input=inside, **{name: "x"})
    assert violations(scenario(**{name: "x"}))[0] == (f"/{name}", f"“{name}” is not supported yet")
    assert ("/steps/0/" + name, f"“{name}” is not supported yet") in violations(document)


@pytest.mark.parametrize("name", ["min", "max", "rules"])
def test_a_limit_that_does_not_run_yet_is_told_as_such(name: str) -> None:
    document = with_step(expected_input={"type": "text", "validation": {name: 1}})
    assert violations(document) == [
        (f"/steps/0/expected_input/validation/{name}", f"“{name}” is not supported yet")
    ]


@pytest.mark.parametrize("name", sorted(COMING_INPUTS))
def test_an_input_that_does_not_run_yet_is_told_as_such(name: str) -> None:
    assert violations(with_step(expected_input={"type": name})) == [
        ("/steps/0/expected_input/type", f"input type “{name}” is not supported yet; use text or button")
    ]


@pytest.mark.parametrize("name", sorted(COMING_FALLBACKS))
def test_a_fallback_that_is_not_said_yet_is_told_as_such(name: str) -> None:
    assert violations(scenario(fallbacks={name: "x"})) == [
        (f"/fallbacks/{name}", f"“{name}” is not supported yet")
    ]


@given(st.data())
def test_whatever_is_sent_is_read_or_refused(data: st.DataObject) -> None:
    document = mutated(EVERYTHING, data)
    try:
        read(document)
    except Invalid as refused:
        error: Invalid | None = refused
    else:
        error = None
    assert error is None or all(each.message and "\x00" not in each.message for each in error.violations)


def test_the_shipped_examples_are_in_form() -> None:
    examples = sorted((ROOT / "infra" / "examples").glob("*.json"))
    assert examples
    for path in examples:
        read(msgspec.json.decode(path.read_bytes()))
