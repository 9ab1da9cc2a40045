from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from cel_expr_python import cel

from shared.scenario.expressions import Environment, Undecided
from shared.scenario.shortcuts import shortcut_of

TYPES = {
    "city": cel.Type.STRING,
    "label.city": cel.Type.STRING,
    "home": cel.Type.STRING,
    "age": cel.Type.INT,
    "any": cel.Type.DYN,
}

SHORT = [
    "city",
    " city ",
    "city == 'Рим'",
    "'Rome' != city",
    'city=="it\'s"',
    "city == home",
    "'' == city",
    "city + ' ' + home",
    "'a' + \"b\"",
    "label.city + '+' + city + '=='",
    "'same' + 'same'",
]

LONG = [
    "age",
    "any",
    "any == 'x'",
    "age == 3",
    "age + age",
    "city == 'a' + home",
    "city == r'a'",
    r"city == '\n'",
    "city == 'a' || home == 'b'",
    "(city == 'a')",
    "city.size() + age",
    "city < home",
    "'''a'''",
    "unknown",
    "true",
]


@pytest.mark.parametrize("source", SHORT)
def test_texts_joined_or_compared_take_the_shortcut_to_what_the_library_says(source: str) -> None:
    shortcut = shortcut_of(source, TYPES)
    assert shortcut is not None
    expression = cel.NewEnv(variables=TYPES).compile(source)
    for city, home in product(["", "Rome", "Рим", "it's", "rome", "e\u0301", "\u00e9", "🎉"], repeat=2):
        data = {"city": city, "home": home, "label.city": home.upper()}
        assert shortcut.value(data.__getitem__) == expression.eval(data=data).plain_value()


@pytest.mark.parametrize("source", LONG)
def test_all_else_is_the_librarys(source: str) -> None:
    assert shortcut_of(source, TYPES) is None


@pytest.mark.parametrize("value", [None, 3, True, ["Rome"], "half \ud800"])
def test_a_value_that_is_no_whole_text_is_the_librarys(value: Any) -> None:
    shortcut = shortcut_of("city == 'Rome'", TYPES)
    assert shortcut is not None
    assert shortcut.value({"city": value}.__getitem__) is None
    assert shortcut.value(dict[str, Any]().__getitem__) is None


@pytest.mark.parametrize("source", ["city", "city == 'Rome'", "city + '!'"])
def test_a_name_without_a_value_leaves_it_undecided(source: str) -> None:
    expression = Environment({"city": cel.Type.STRING}).compile(source)
    with pytest.raises(Undecided):
        expression.evaluate(dict[str, Any]().__getitem__)
