"""The form of a document: what can be saved, and what is told where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.errors import Invalid
from shared.scenario import models
from shared.scenario.caps import MAX_DEPTH, MAX_DOCUMENT_BYTES
from shared.scenario.document import json_schema, read
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


def fields_in(part: Any) -> set[tuple[str, str]]:
    """The fields that are given in a document, each with the model it belongs to."""
    if isinstance(part, BaseModel):
        own = {(type(part).__name__, name) for name in part.model_fields_set}
        return own.union(*(fields_in(value) for _, value in part))
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return set().union(*map(fields_in, parts))


def test_every_field_of_the_language_is_taken() -> None:
    parts = [
        each for each in vars(models).values() if isinstance(each, type) and issubclass(each, models.Part)
    ]
    known = {(part.__name__, name) for part in parts for name in part.model_fields}
    assert known - fields_in(read(EVERYTHING)) == set()


def test_every_type_of_input_is_taken() -> None:
    asked = {step.expected_input.type for step in read(EVERYTHING).steps if step.expected_input}
    assert asked == set(get_args(models.InputType))


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
        (with_step(message={}), "/steps/0/message", "a message has a text, or media"),
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
            "/steps/0/message/media/0",
            "media at a url needs its type",
        ),
        (
            with_step(message={"media": [{"url": "u", "media_id": "m", "type": "image"}]}),
            "/steps/0/message/media/0",
            "either a media_id, or a url",
        ),
        (with_step(message={"text": "x", "delay": "16m"}), "/steps/0/message", "delayed by 15m at most"),
        (with_step(wait="1.5h"), "/steps/0/wait", "a duration is a whole number and s, m, h or d"),
        (with_step(wait="0s"), "/steps/0/wait", "a duration is"),
        (with_step(wait="366d"), "/steps/0/wait", "365d at most"),
        (with_step(llm={"prompt": "x", "timeout": "10m"}), "/steps/0/llm/timeout", "may take 90s at most"),
        (
            with_step(http={"method": "GET", "url": "https://example.com", "timeout": "91s"}),
            "/steps/0/http/timeout",
            "may take 90s at most",
        ),
        (with_step(wait="1h", sync={}), "/steps/0", "this does sync and wait"),
        (with_step(scenario={"id": "x"}), "/steps/0/scenario/id", "a scenario is named by its id, a UUID"),
        (
            with_step(llm={"prompt": "x", "output": {"type": "choice"}}),
            "/steps/0/llm/output",
            "a choice has options",
        ),
        (
            with_step(llm={"prompt": "x", "output": {"type": "text", "schema": {}}}),
            "/steps/0/llm/output",
            "only an object has a schema",
        ),
        (with_step(http={"method": "GET"}), "/steps/0/http/url", "this field is required"),
        (
            with_step(expected_input={"type": "text", "timeout": {"after": "1h"}}),
            "/steps/0/expected_input/timeout",
            "a timeout has remind, next_step, or both",
        ),
        (
            with_step(expected_input={"type": "text", "validation": {"min": 1}}),
            "/steps/0/expected_input",
            "an input of type “text” has no limit min",
        ),
        (
            with_step(expected_input={"type": "date", "understand": {"fill": ["x"]}}),
            "/steps/0/expected_input",
            "understand needs an input of type “text”",
        ),
        (scenario(timezone="Mars/Base"), "/timezone", "is not a time zone"),
        (scenario(commands={"/a": {}}), "/commands/~1a", "either leads to its next_step, or goes back"),
        (
            scenario(commands={"/a": {"back": True, "resume": True}}),
            "/commands/~1a",
            "has nothing to resume",
        ),
        (scenario(commands={" x": {"back": True}}), "/commands/ x", "a command is 1 to 64 characters"),
        (
            scenario(tests=[{"name": "x", "turns": [{"send": "x", "expect": "y"}]}]),
            "/tests/0/turns/0",
            "a turn of a test is one thing",
        ),
        (
            scenario(tests=[{"name": "x", "turns": [{"send": "x", "ask": -1}]}]),
            "/tests/0/turns/0",
            "belongs to a press",
        ),
        (
            scenario(tests=[{"name": "x", "turns": [{"respond": {}}]}]),
            "/tests/0/turns/0/respond",
            "respond answers one task",
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
        (with_step(expected_input={"type": "txt"}), "/steps/0/expected_input/type", "'text', 'button'"),
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


def test_the_schema_for_editors_knows_every_field() -> None:
    schema = msgspec.json.encode(json_schema()).decode()
    fields = {
        f.alias or n
        for p in vars(models).values()
        if isinstance(p, type) and issubclass(p, models.Part)
        for n, f in p.model_fields.items()
    }
    assert [name for name in fields if f'"{name}":' not in schema] == []


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
