"""JSON Schema of authors: bounded, offline, and told in words that quote no value."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import BadSchema
from shared.json_schema import MAX_DEPTH, MAX_FLAW, MAX_FLAWS, JsonSchema, depth_of

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z]"},
        "age": {"type": "integer", "minimum": 0},
        "born": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def nested(levels: int, key: str = "a") -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = {key: value}
    return value


def test_what_fits_has_no_flaws() -> None:
    assert JsonSchema(PERSON).flaws({"name": "Ann", "age": 3, "born": "2001-02-03", "tags": ["a"]}) == []


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ([], 'the value is not of type "object"'),
        ({}, '"name" is a required property'),
        ({"name": "Ann", "age": "old"}, '/age: the value is not of type "integer"'),
        ({"name": "Ann", "age": -1}, "/age: the value is less than the minimum of 0"),
        ({"name": "ann"}, '/name: the value does not match "^[A-Z]"'),
        ({"name": "Ann", "born": "yesterday"}, '/born: the value is not a "date"'),
        ({"name": "Ann", "tags": ["a", "c"]}, '/tags/1: the value is not one of "a" or "b"'),
        ({"name": "Ann", "x": 1}, "it has properties that its schema does not know"),
        ({"name": "A\ud800"}, "it is not JSON"),
        ({"name": "Ann", "tags": nested(MAX_DEPTH)}, f"it is nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_a_flaw_is_told_with_its_place(value: Any, flaw: str) -> None:
    assert JsonSchema(PERSON).flaws(value) == [flaw]


def test_a_flaw_never_quotes_the_value() -> None:
    flaws = JsonSchema({"type": "object", "additionalProperties": {"type": "integer", "maximum": 5}}).flaws(
        {"a": "my secret word", "b": 987654}
    )
    assert len(flaws) == 2
    assert "secret" not in str(flaws)
    assert "987654" not in str(flaws)


@pytest.mark.parametrize(
    ("schema", "flaw"),
    [
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            "it has properties that its schema does not know",
        ),
        ({"unevaluatedProperties": False}, "it has properties that its schema does not know"),
        ({"propertyNames": {"maxLength": 3}}, "a property has a name that its schema does not take"),
        ({"additionalProperties": {"items": {"type": "null"}}}, '/*/0: the value is not of type "null"'),
        ({"patternProperties": {"^my": {"minItems": 2}}}, "/*: the value has less than 2 items"),
    ],
)
def test_a_flaw_quotes_no_name_that_the_schema_does_not_have(schema: dict[str, Any], flaw: str) -> None:
    assert JsonSchema(schema).flaws({"my secret": [1]}) == [flaw]


def test_names_in_a_pointer_are_escaped() -> None:
    flaws = JsonSchema({"properties": {"a/b~c": {"type": "null"}}}).flaws({"a/b~c": 1})
    assert flaws == ['/a~1b~0c: the value is not of type "null"']


def test_flaws_are_few_and_short() -> None:
    flaws = JsonSchema({"items": {"enum": ["x" * 1000]}}).flaws([1] * 100)
    assert len(flaws) == MAX_FLAWS
    assert max(map(len, flaws)) == MAX_FLAW


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "wat"}, "/type"),
        ({"properties": {"guests": {"type": "wat"}}}, "/properties/guests/type"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "Retrieval is disabled"),
        ({"$ref": "https://example.com/schema"}, "Retrieval is disabled"),
        ({"$ref": "file:///etc/hostname"}, "Retrieval is disabled"),
        ({"$ref": "other.json"}, "is not present"),
        ({"$ref": "#/$defs/missing"}, "does not exist"),
        ({"$schema": "https://example.com/meta"}, "Unknown meta-schema"),
        ({"pattern": "(?=a)b"}, "/pattern"),
        ({"pattern": r"(a)\1"}, "/pattern"),
        ({"pattern": "a{1000}{1000}{1000}"}, "/pattern"),
        (nested(MAX_DEPTH + 1, "not"), "nested deeper"),
        ({"enum": ["x" * 70_000]}, "larger than 64 KB"),
        ({"anyOf": [{"$ref": "#"}] * 41}, "more than 40 references"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(BadSchema, match=why) as refused:
        JsonSchema(schema)
    assert len(str(refused.value)) <= MAX_FLAW


def test_an_older_draft_is_what_it_says() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    assert JsonSchema(schema).flaws([1]) == ['/0: the value is not of type "string"']


CHAIN = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(18)}
TREE = {"type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 50_000 + "b"),
        ({"$ref": "#/$defs/a0", "$defs": {**CHAIN, "a18": {"type": "string"}}}, {}),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [{"type": "null"}, TREE, TREE]}}}, nested(30)),
    ],
    ids=["a pattern", "a chain of alternatives", "alternatives at every level"],
)
def test_no_schema_takes_long(schema: dict[str, Any], value: Any) -> None:
    began = time.process_time()
    flaws = JsonSchema(schema).flaws(value if isinstance(value, str) else {**value, "a": 1})
    assert flaws
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("wrap", [lambda of: of, lambda of: {"anyOf": [of, {"type": "null"}]}])
def test_no_explanation_takes_much_room(wrap: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    schema = wrap({"items": {"enum": list(range(5_000))}})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert JsonSchema(schema).flaws([-1] * 5_000) == ["it does not fit its schema"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_references_within_a_schema_hold() -> None:
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"left": {"$ref": "#/$defs/node"}, "word": {"type": "string"}},
            }
        },
    }
    assert JsonSchema(schema).flaws({"left": {"left": {"word": 1}}}) == [
        '/left/left/word: the value is not of type "string"'
    ]


def test_a_depth_is_counted_without_recursion() -> None:
    value: Any = json.loads("[" * 500 + "]" * 500)
    assert depth_of(value, 600) == 500
    assert depth_of(value, 32) == 33
    assert depth_of("text", 32) == 0
