"""No expression goes on for long: what is refused when compiled, and what before it is evaluated."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from cel_expr_python import cel

from shared.scenario.bounds import MAX_CALLS, MAX_LOOPS, MAX_SUMS, work_of
from shared.scenario.expressions import Environment, ExpressionError, Undecided
from shared.scenario.patterns import MAX_WEIGHT, weight

ENVIRONMENT = Environment(
    {
        "text": cel.Type.STRING,
        "texts": cel.Type.List(cel.Type.STRING),
        "many": cel.Type.List(cel.Type.INT),
        "any": cel.Type.DYN,
    }
)
PATIENCE = 2.0
"""Seconds; what is let through takes some hundredths, and the machine may be busy."""


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("any.map(a, any.map(b, any.map(c, c)))", "at most 2 deep", 27),
        ("any.all(a, true)" + " && any.all(a, true)" * MAX_LOOPS, "at most 4 times", 85),
        ("+".join(["(text + text)"] * 28), f"at most {MAX_SUMS} signs +", 1),
        ("[" + ",".join(["size(text)"] * (MAX_CALLS + 1)) + "]", f"at most {MAX_CALLS} functions", 1102),
        ("text.matches(text)", "must be written out", 14),
        ("matches(text, 'a' + text)", "must be written out", 14),
    ],
)
def test_what_may_go_on_for_long_does_not_compile(source: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        ENVIRONMENT.compile(source)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("many.map(a, a)", {"many": list(range(20_000))}),
        ("many.all(a, a >= 0)", {"many": list(range(501))}),
        ("any.x.all(a, a.y.all(b, b > 0))", {"any": {"x": [{"y": list(range(500))}] * 30}}),
        ("texts.map(a, a + a + a + a).map(a, a + a + a + a)", {"texts": ["x" * 16_000] * 20}),
        ("texts.map(a, a + text)", {"texts": ["x"] * 400, "text": "x" * 16_000}),
        ("texts.all(a, !text.contains(a))", {"texts": ["x" * 8_000 + "y"] * 400, "text": "x" * 16_000}),
        ("text.matches('(x?){1000}y')", {"text": "x" * 16_000}),
        ("any.text.matches('((x{0,30}){0,30}y)|z')", {"any": {"text": "x" * 16_000}}),
        ("(many + many + many).map(a, a)", {"many": list(range(400))}),
        ("[" + ",".join("1" * 600) + "].map(a, a)", {}),
        (" || ".join(["text.contains(any)"] * 99), {"text": "x" * 60_000, "any": "x" * 30_000 + "y"}),
        (
            f"({'+'.join(['text'] * 20)}).contains({'+'.join(['any'] * 10)} + 'y')",
            {"text": "x" * 60_000, "any": "x" * 60_000},
        ),
        ("[" + ",".join(["many"] * 2000) + "]", {"many": list(range(3000))}),
        ("{" + ",".join(f"'{n}': many" for n in range(800)) + "}", {"many": list(range(3000))}),
        ("many.map(a, [" + ",".join(["many"] * 300) + "])", {"many": list(range(150))}),
        ("many.map(a, [" + ",".join(["text"] * 90) + "])", {"many": list(range(300)), "text": "x" * 4000}),
    ],
)
def test_too_much_for_an_expression_is_undecided_at_once(source: str, values: dict[str, Any]) -> None:
    expression = ENVIRONMENT.compile(source)
    with pytest.raises(Undecided, match="too long"):
        expression.evaluate(values.__getitem__)


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("many.map(a, a * 2)[499]", {"many": list(range(500))}, 998),
        ("many.filter(a, a > 5).map(a, a).exists(b, b == 20)", {"many": list(range(200))}, True),
        (
            "any.goods.filter(g, g.price < 5).map(g, g.name)",
            {"any": {"goods": [{"price": 1, "name": "Ё"}] * 300}},
            ["Ё"] * 300,
        ),
        ("any.all(o, o.goods.exists(g, g == 'x'))", {"any": [{"goods": ["x", "y"]}] * 30}, True),
        ("text.matches('[a-z]+')", {"text": "x" * 16_000}, True),
        ("text.matches('.{1,500}')", {"text": "x" * 300}, True),
        ("text + text + text", {"text": "x" * 16_000}, "x" * 48_000),
        ("texts.all(a, size(a) < 100)", {"texts": ["x" * 50] * 400}, True),
        (" || ".join(["text.contains('word')"] * 99), {"text": "x" * 60_000}, False),
        ("text.contains(any) || any.contains(text)", {"text": "x" * 16_000, "any": "x" * 8_000}, True),
        ("texts.exists(a, text.contains(a))", {"texts": ["xy"] * 300, "text": "x" * 16_000}, False),
        ("any.map(o, [o.name, o.price])[299]", {"any": [{"name": "Ё", "price": 5}] * 300}, ["Ё", 5]),
        ("[" + ",".join(["text"] * 50) + "].exists(a, a == 'y')", {"text": "x" * 1000}, False),
        ("[" + ",".join(["text"] * 50) + "] == []", {"text": "x" * 16_000}, False),
    ],
)
def test_what_authors_write_is_let_through_and_soon_done(
    source: str, values: dict[str, Any], expected: Any
) -> None:
    started = perf_counter()
    assert ENVIRONMENT.compile(source).evaluate(values.__getitem__) == expected
    assert perf_counter() - started < PATIENCE


def test_most_expressions_are_not_looked_at_again() -> None:
    for source in ("text == 'x'", "size(text) > 1 && text.startsWith('a')", "'map(a, b)' + text"):
        assert work_of(source) is None


def test_what_is_nested_deep_is_looked_through() -> None:
    deep: list[Any] = list(range(600))
    for _ in range(3000):
        deep = [deep]
    assert work_of("any.map(a, a)").refusal([deep])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        ("", 0),
        ("abc", 3),
        ("[a-z0-9]+", 1),
        (r"\d{6}", 6),
        ("(ab){100}", 200),
        ("(x?){1000}", 1000),
        ("((x{1,10}){1,10}){1,10}", 1000),
        ("(?:a|b){50}", 100),
        ("x{2}{30}", 60),
        ("x{3,}", 4),
        (r"\{1000\}", 6),
        ("((x{1000}){1000}){1000}", MAX_WEIGHT),
    ],
)
def test_the_weight_of_a_pattern_counts_its_repetitions(pattern: str, least: int) -> None:
    assert least <= weight(pattern) <= max(2 * least + 10, 1)


@pytest.mark.parametrize("pattern", ["(", ")", "((", "))", "[", "{", "{5}", "a{", "\\", "(?", "[^]"])
def test_a_pattern_that_is_none_has_a_weight(pattern: str) -> None:
    assert weight(pattern) >= 0


def test_a_repetition_cannot_be_hidden_in_an_escape() -> None:
    hidden = ENVIRONMENT.compile(r"text.matches('(x?)\x7b1000\x7d')")
    with pytest.raises(Undecided, match="too long"):
        hidden.evaluate({"text": "x" * 16_000}.__getitem__)
