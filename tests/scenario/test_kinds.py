from __future__ import annotations

from typing import Any

import pytest

from shared.scenario.expressions import type_of_value
from shared.scenario.kinds import fits, in_words, kind_of
from shared.scenario.variables import name_of

VALUES: dict[str, list[Any]] = {
    "string": ["", "a", "2026-12-31"],
    "integer": [0, -(2**63), 2**63 - 1],
    "number": [0, 1.5, -2.0],
    "boolean": [True, False],
    "date": ["2026-12-31", "2026-12-31T08:30:00Z", "2026-12-31T08:30+02:00", "2026-12-31T08:30:00.000001Z"],
    "list": [[], [1, "a"]],
    "map": [{}, {"a": None}],
    "any": [None, 1, "a", [], {}],
}
MISFITS: dict[str, list[Any]] = {
    "string": [1, None, ["a"], {}],
    "integer": [1.0, True, "1", 2**63, None],
    "number": [True, "1", None],
    "boolean": [0, "true", None],
    "date": [
        "tomorrow",
        "31.12.2026",
        "20261231",
        "2026-W01-1",
        "2026-02-30",
        "2026-12-31T08:30:00",
        "2026-12-31T25:00Z",
        20261231,
        None,
    ],
    "list": [{}, "a", None],
    "map": [[], "a", None],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, v) for kind, values in VALUES.items() for v in values])
def test_a_value_fits_its_type(kind: str, value: Any) -> None:
    assert fits(value, kind)


@pytest.mark.parametrize(("kind", "value"), [(kind, v) for kind, values in MISFITS.items() for v in values])
def test_a_value_does_not_fit_another_type(kind: str, value: Any) -> None:
    assert not fits(value, kind)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "a", [1], {"a": 1}], ids=str)
def test_a_value_is_of_the_type_that_expressions_know_it_by(value: Any) -> None:
    assert kind_of(value) == name_of(type_of_value(value))


def test_types_have_their_article() -> None:
    assert [in_words(kind) for kind in ("integer", "any", "map")] == ["an integer", "an any", "a map"]
