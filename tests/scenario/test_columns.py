from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from shared.scenario.columns import MAX_LABEL, Column, columns_of, union
from shared.scenario.variables import environment_of, name_of
from tests.scenario.documents import COMPLETED, EVERYTHING, MISSION, ask, choose, say, scenario
from tests.scenario.strategies import scenarios

EXAMPLES = sorted((Path(__file__).parents[2] / "infra" / "examples").glob("*.json"))
DOCUMENTS = [MISSION, COMPLETED, EVERYTHING, *(msgspec.json.decode(path.read_bytes()) for path in EXAMPLES)]


def known_to_expressions(document: dict[str, Any]) -> dict[str, str]:
    """What the compiler knows, but for what is there in every scenario."""
    variables = environment_of(document, lambda pointer, error: None).variables
    return {name: name_of(kind) for name, kind in variables.items() if name != "start_payload"}


def agrees_with_the_compiler(document: dict[str, Any]) -> None:
    known, told = known_to_expressions(document), {each.name: each.type for each in columns_of(document)}
    assert told.keys() - {"start_payload"} == known.keys()
    assert {n: kind for n, kind in told.items() if kind not in ("any", known.get(n))} == {}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_columns_are_the_variables_that_the_compiler_knows(document: dict[str, Any]) -> None:
    agrees_with_the_compiler(document)


@given(scenarios())
@settings(max_examples=50)
def test_columns_are_those_of_any_document(document: dict[str, Any]) -> None:
    agrees_with_the_compiler(document)


def test_declared_variables_come_first_and_then_as_steps_fill_them() -> None:
    document = scenario(
        ask("b", "b", before={"a": "1"}, set={"c": "2"}),
        ask("z", "z"),
        variables={"z": {"type": "integer"}, "passport": {"type": "string", "sensitive": True}},
    )
    assert [(c.name, c.type, c.sensitive) for c in columns_of(document)] == [
        ("z", "integer", False),
        ("passport", "string", True),
        ("a", "any", False),
        ("b", "string", False),
        ("c", "any", False),
    ]


def buttons(values: list[Any]) -> list[dict[str, Any]]:
    return [{"text": "x", "value": value} for value in values]


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"expected_input": {"type": "integer", "variable": "x"}}, "integer"),
        ({"expected_input": {"type": "phone", "variable": "x"}}, "string"),
        ({"expected_input": {"type": "contact", "variable": "x"}}, "map"),
        ({"expected_input": {"type": "media", "variable": "x"}}, "map"),
        ({"expected_input": {"type": "media", "variable": "x", "validation": {"max": 3}}}, "list"),
        ({"expected_input": {"type": "button", "variable": "x"}, "buttons": buttons(["a", "b"])}, "string"),
        ({"expected_input": {"type": "button", "variable": "x"}, "buttons": buttons([1, "b"])}, "any"),
        (
            {"expected_input": {"type": "button", "variable": "x"}, "buttons": buttons([True, False])},
            "boolean",
        ),
        ({"expected_input": {"type": "buttons", "variable": "x"}, "buttons": buttons([1, 2])}, "list"),
        ({"http": {"method": "GET", "url": "u", "variable": "x"}}, "map"),
        ({"llm": {"prompt": "p", "variable": "x"}}, "any"),
        ({"scenario": {"id": "i", "outputs": {"x": "y"}}}, "any"),
    ],
    ids=str,
)
def test_a_step_types_what_it_fills(step: dict[str, Any], kind: str) -> None:
    (column,) = columns_of({"steps": [{"id": "s", **step}]})
    assert (column.name, column.type) == ("x", kind)


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ({"text": " Name? "}, "Name?"),
        ([{"text": "Hello."}, {"text": "Name?"}, {"media": []}], "Name?"),
        ({"text": {"ru": "Имя?", "en": "Name?"}}, "Имя?"),
        ({"text": "x" * 500}, "x" * MAX_LABEL),
        ({"media": []}, ""),
        ([], ""),
    ],
    ids=str,
)
def test_a_column_is_labelled_by_its_question(message: Any, label: str) -> None:
    step = {"id": "s", "message": message, "expected_input": {"type": "text", "variable": "x"}}
    again = ask("t", "x", "Again?") if label else say("t")
    (column,) = columns_of({"languages": ["ru", "en"], "steps": [step, again]})
    assert column.label == label


def test_columns_of_several_revisions_are_one_table() -> None:
    newer = [Column("a", "string"), Column("b", "integer", "B?"), Column("pin", "string", sensitive=True)]
    older = [
        Column("old", "any"),
        Column("b", "string"),
        Column("a", "string", "A?"),
        Column("pin", "string"),
    ]

    assert union([newer, older]) == (
        Column("a", "string", "A?"),
        Column("b", "any", "B?"),
        Column("pin", "string", sensitive=True),
        Column("old", "any"),
    )


def test_a_choice_of_no_step_is_no_column() -> None:
    assert columns_of(scenario(choose("s", "x", "a", "b"), say("t")))[0].name == "x"
