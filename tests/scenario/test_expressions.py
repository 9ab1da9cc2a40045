"""Expressions: what compiles, to which type; what they mean; what a slip is told."""

from __future__ import annotations

from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.caps import MAX_NESTING
from shared.scenario.expressions import (
    RESERVED_NAMES,
    Environment,
    ExpressionError,
    Undecided,
    nesting,
)

TYPES = {
    "name": cel.Type.STRING,
    "position": cel.Type.STRING,
    "count": cel.Type.INT,
    "other": cel.Type.INT,
    "score": cel.Type.DOUBLE,
    "agreed": cel.Type.BOOL,
    "whatever": cel.Type.DYN,
}
VALUES: dict[str, Any] = {
    "name": "Иван",
    "position": "cook",
    "label.position": "Повар",
    "count": 3,
    "other": 4,
    "score": 2.5,
    "agreed": True,
    "whatever": 7,
    "answered.name": True,
    "user.first_name": "Ada",
    "platform": "telegram",
    "input.value": "x",
}
ENVIRONMENT = Environment(TYPES, ["position"])


def value_of(name: str) -> Any:
    return VALUES[name]


def nothing(name: str) -> Any:
    raise KeyError(name)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("name == 'Иван'", True),
        ("name + ' ' + position", "Иван cook"),
        ("answered.name && agreed", True),
        ("user.first_name", "Ada"),
        ("user . first_name", "Ada"),
        (".count + 1", 4),
        ("position in ['cook', 'manager']", True),
        ("name.matches('И.+')", True),
        ("size(name) > 3 ? 'long' : 'short'", "long"),
        ("whatever == 7", True),
        ("count > 2 // nobody reads this: zzz", True),
        ("label(position)", "Повар"),
        ("label( position ) + '!'", "Повар!"),
        ("'label(position)'", "label(position)"),
        ("'''it's label(position)'''", "it's label(position)"),
        (r"r'\d' + name", r"\dИван"),
        ("'count'", "count"),
    ],
)
def test_an_expression_has_its_value(source: str, value: Any) -> None:
    assert ENVIRONMENT.compile(source).evaluate(value_of) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("score > 2", True),
        ("score>2", True),
        ("2 < score", True),
        ("score == 3", False),
        ("score != count", True),
        ("score + 1", 3.5),
        ("1 + score", 3.5),
        ("count * score", 7.5),
        ("score > -count", True),
        ("-count < score", True),
        ("(count + other) * score", 17.5),
        ("count + other > score", True),
        ("count * 2 + 1 <= score * 2", False),
        ("size(name) + 1 > score", True),
        ("name.size() > score", True),
        ("score > 1 && score < 10 && score != 5", True),
        ("[1, 2, 3][0] + score", 3.5),
        ("score - (count - 1)", 0.5),
        ("'1 > score' != name && 1 < score", True),
    ],
)
def test_whole_and_fractional_numbers_meet_as_people_expect(source: str, value: Any) -> None:
    assert ENVIRONMENT.compile(source).evaluate(value_of) == value


def test_a_fractional_variable_may_hold_a_whole_number() -> None:
    assert ENVIRONMENT.compile("score + 1").evaluate({"score": 2}.__getitem__) == 3.0


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("name", cel.Type.STRING),
        ("count + 1", cel.Type.INT),
        ("score + 1", cel.Type.DOUBLE),
        ("agreed || count > 1", cel.Type.BOOL),
        ("now", cel.Type.TIMESTAMP),
        ("whatever", cel.Type.DYN),
        ("label(position)", cel.Type.STRING),
    ],
)
def test_an_expression_has_a_static_type(source: str, kind: cel.Type) -> None:
    assert ENVIRONMENT.compile(source).type == kind


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("name == 'count' && user.first_name != position", ("name", "user.first_name", "position")),
        ("user . first_name", ("user.first_name",)),
        ('answered.name ? label(position) : "it\'s name"', ("answered.name", "label.position")),
        ("size(name) + count + count", ("name", "count")),
        ("name.startsWith(position)", ("name", "position")),
        ("whatever.count + whatever.list[0].other", ("whatever",)),
        ("'name' + r'\\' + '''count''' // other", ()),
        ("1.5 + 2e3 + 0xA1", ()),
        (".count", ("count",)),
    ],
)
def test_an_expression_knows_the_names_it_refers_to(source: str, names: tuple[str, ...]) -> None:
    assert ENVIRONMENT.names_in(source) == names


@pytest.mark.parametrize(
    ("source", "message", "column", "undeclared"),
    [
        ("count = 2", "write == to compare", 7, ""),
        ("count == 2 and agreed", "write && for “and”", 12, ""),
        ("count == 2 OR agreed", "write || for “or”", 12, ""),
        ("not agreed", "write ! for “not”", 5, ""),
        ("agreed == True", "write true and false in small letters", 11, ""),
        ("name == None", "write null, or ask answered.name whether a variable has a value", 9, ""),
        ("count <> 2", "write != for “is not”", 8, ""),
        ("name == “cook”", "write straight quotes: ' or \"", 9, ""),
        ("name == РФ", "a text needs quotes: 'like this'", 9, ""),
        ("РФ == name", "a text needs quotes: 'like this'", 1, ""),
        ("name == cook", "nothing sets or declares “cook”; a text needs quotes: 'cook'", 9, "cook"),
        ("citizenship == 'РФ'", "nothing sets or declares “citizenship”", 1, "citizenship"),
        ("nme == 'x'", "nothing sets or declares “nme”; did you mean “name”?", 1, "nme"),
        (
            "1 == 1 && user.firstname == 'x'",
            "nothing sets or declares “user.firstname”; did you mean “user.first_name”?",
            11,
            "user.firstname",
        ),
        ("label( position ) + zz", "nothing sets or declares “zz”", 21, "zz"),
        ("'😀' + '\\n' +\n  zz", "nothing sets or declares “zz”", 16, "zz"),
        ("label(name)", "label(…) takes a variable that a button fills", 1, ""),
        ("lower(name) == 'x'", "“lower” is not supported yet", 1, ""),
        ("today", "“today” is not supported yet", 1, ""),
        ("value > 3", "“value” is not supported yet", 1, ""),
        ("size(name, 2)", "there is no function “size” that takes this", 1, ""),
        ("name > 3", "“>” does not take (string, int)", 6, ""),
        (
            "agreed ? 1 : score",
            "a whole and a fractional number meet here; wrap the whole one in double(…)",
            8,
            "",
        ),
        (
            "count % 2 > score",
            "a whole and a fractional number meet here; wrap the whole one in double(…)",
            11,
            "",
        ),
        ("count ==", "the expression ends too early", 8, ""),
        ("(count", "the expression ends too early", 6, ""),
        ("", "the expression ends too early", 1, ""),
        ("count)", "“)” does not fit here", 6, ""),
        ("count count", "“count” does not fit here", 7, ""),
        ("'open", "“'open” does not fit here", 1, ""),
        ("+".join(["1"] * 40), "an expression nests at most 30 deep", 1, ""),
    ],
)
def test_a_slip_is_told_at_its_character(source: str, message: str, column: int, undeclared: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        ENVIRONMENT.compile(source)
    assert (caught.value.message, caught.value.column, caught.value.undeclared) == (
        message,
        column,
        undeclared,
    )


@given(st.text())
def test_a_text_alone_is_given_back_as_it_is(text: str) -> None:
    for source in ("name", " name ", "label(position)", "label(position) "):
        assert ENVIRONMENT.compile(source).evaluate(lambda _: text) == text


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("name.matches('(')", 5),
        ("name == 'x' && name . matches( r'[' )", 21),
        ("timestamp('31.12.2026') < now", 1),
        ("now + duration('1 day') > now", 7),
    ],
)
def test_a_wrong_constant_is_told_before_it_runs(source: str, column: int) -> None:
    with pytest.raises(ExpressionError, match="is wrong, and never has a value") as caught:
        ENVIRONMENT.compile(source)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "source",
    [
        "name.matches('И.*') && timestamp('2026-12-31T00:00:00Z') > now - duration('36h')",
        "name == \"timestamp('x')\"",
        "name.matches(name) || duration(name) > duration('1s')",
    ],
)
def test_a_constant_that_is_right_compiles(source: str) -> None:
    assert ENVIRONMENT.compile(source).type == cel.Type.BOOL


@pytest.mark.parametrize(
    "source",
    ["name == 'x'", "name", "score > 5", "!agreed", "label(position)", "whatever + 1", "user.last_name"],
)
def test_a_missing_value_is_undecided_without_a_reason(source: str) -> None:
    with pytest.raises(Undecided) as caught:
        ENVIRONMENT.compile(source).evaluate(nothing)
    assert caught.value.reason == ""


@pytest.mark.parametrize(("source", "value"), [("name == 'x' || true", True), ("false && agreed", False)])
def test_the_decided_side_suffices(source: str, value: Any) -> None:
    assert ENVIRONMENT.compile(source).evaluate(nothing) is value


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("count / 0", "divide by zero"),
        ("9223372036854775807 + count", "overflow"),
        ("name.matches('(' + name)", "regular expression"),
        ("timestamp(name)", "conversion failed"),
        ("[1][count]", "index"),
        ("{'a': 1}[name]", "Key not found"),
        ("whatever + 1.5", "No matching overloads"),
        ("whatever.part", ""),
        ("[1, 2, 3].map(a, [1, 2, 3].map(b, " * 6 + "1" + "))" * 6, "budget"),
    ],
)
def test_a_failure_is_undecided_with_a_reason(source: str, reason: str) -> None:
    with pytest.raises(Undecided) as caught:
        ENVIRONMENT.compile(source).evaluate(value_of)
    assert caught.value.reason
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 10**30),
        ("count", "three"),
        ("count", 1.5),
        ("name", None),
        ("name", 5),
        ("agreed", "yes"),
        ("whatever", object()),
        ("whatever", 10**30),
        ("name", "half \ud800"),
    ],
)
def test_a_value_of_another_type_never_raises_anything_else(name: str, value: Any) -> None:
    expression = ENVIRONMENT.compile(f"{name} == {name}")
    with pytest.raises(Undecided, match=r"\S"):
        expression.evaluate({name: value}.__getitem__)


def complaint(source: str) -> ExpressionError | None:
    try:
        ENVIRONMENT.compile(source)
    except ExpressionError as error:
        return error
    return None


_PIECES = st.sampled_from(
    r"""name count score whatever 'x' " ' label( ) ( [ ] { } == && 1 . answered. user. zz РФ 😀 // and = > -
    ? : in \ r' 1.5 double( , !""".split(" ")
)


@given(st.text(max_size=60) | st.lists(_PIECES, max_size=12).map("".join))
def test_any_source_compiles_or_is_explained_at_a_character_of_it(source: str) -> None:
    error = complaint(source)
    assert error is None or (error.message and 1 <= error.column <= max(len(source), 1))


@pytest.mark.parametrize(
    ("source", "depth"),
    [("a", 0), ("(a)", 1), ("([{a}])", 3), ("'((('", 0), ("(')')", 1), ("(" * 40, 40), ("// (((", 0)],
)
def test_nesting_counts_brackets_outside_of_literals(source: str, depth: int) -> None:
    assert nesting(source) == depth


def test_as_deep_as_allowed_compiles() -> None:
    assert ENVIRONMENT.compile("(" * (MAX_NESTING - 1) + "1" + ")" * (MAX_NESTING - 1)).evaluate(nothing) == 1


def test_a_source_is_compiled_once() -> None:
    assert ENVIRONMENT.compile("count + 41") is ENVIRONMENT.compile("count + 41")


@pytest.mark.parametrize(
    "name", ["size", "filter", "all", "has", "date", "format", "matches", "optional", "any"]
)
def test_a_variable_may_be_called_like_a_function(name: str) -> None:
    assert name not in RESERVED_NAMES
    environment = Environment({name: cel.Type.STRING})
    expression = environment.compile(f"{name} == 'x' && size({name}) == 1 && [1].all(x, x > 0)")
    assert expression.names == (name,)
    assert expression.evaluate({name: "x"}.__getitem__) is True


@pytest.mark.parametrize(
    "name", ["map", "list", "int", "string", "type", "bool", "in", "user", "label", "value"]
)
def test_a_name_that_means_something_else_is_reserved(name: str) -> None:
    assert name in RESERVED_NAMES
