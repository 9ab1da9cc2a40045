"""What does not pass for JSON, whatever is around it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.expected import Expected, Unfit, json_in

ROUTES = {"cake": "it is about cake"}


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n{"a": 1}\n ', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": "```"}\n```\n', {"a": "```"}),
        ('{"a": {"b": null}}', {"a": {"b": None}}),
    ],
)
def test_json_is_found_also_between_fences(words: str, value: Any) -> None:
    assert json_in(words) == value


@pytest.mark.parametrize(
    "words",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"a"',
        '{"a": Infinity}',
        "```json\n```",
        "{} {}",
        '{"a": "\\ud800"}',
        '{"a": 1e999}',
        "\ud800",
        "[" * 100_000,
        pytest.param("```json" + "\n" * 100_000, id="a model that cannot stop"),
    ],
)
def test_nothing_else_passes_for_json(words: str) -> None:
    with pytest.raises(Unfit):
        json_in(words)


def test_of_options_that_look_alike_the_very_one_is_taken() -> None:
    expected = Expected("choice", ("Polish", "polish"))
    assert expected.read('{"choice": "polish"}') == {"choice": "polish"}
    assert expected.read('{"choice": "POLISH"}') == {"choice": "Polish"}


EXPECTED = (
    Expected("text"),
    Expected("choice", ("a", "B")),
    Expected("object", schema={"properties": {"n": {"type": "integer"}}}),
    Expected("text", routes=ROUTES),
    Expected("choice", ("a",), routes=ROUTES),
    Expected("object", routes=ROUTES),
    Expected("text", routes=ROUTES, only_route=True),
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["a", "cake", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["text", "choice", "object", "route", "n"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(EXPECTED), JSON)
def test_whatever_a_model_answers_is_read_or_refused(expected: Expected, value: Any) -> None:
    try:
        found = expected.read(json.dumps(value))
    except Unfit:
        return
    assert found.keys() <= {expected.output, "route"}
    assert found.get("choice") in (None, *expected.options)
    assert found.get("route") in (None, *(expected.routes or ()))
    assert isinstance(found.get("object", {}), dict)
    assert isinstance(found.get("text", ""), str)
