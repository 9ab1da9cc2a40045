"""Expressions: what compiles, to which type; what they mean; what a slip is told."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
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
        ("agreed ? 1 : score", 1.0),
        ("(agreed ? count : score) / 2", 1.5),
        ("!agreed ? score : agreed ? count : score", 3.0),
        ("(agreed ? {'a': 1}['a'] : 2.5) + 1", 2.0),
        ("[agreed ? 1 : 1.5, agreed ? 2.5 : 2]", [1.0, 2.5]),
        ("count % 2 > score", False),
        ("score % 2 == 0.5", True),
        ("score % 2.0 == 0.5", True),
        ("-count % 2.0 == -1.0", True),
        ("count in [1.5, 3.0]", True),
        ("score in [1, 2, 3]", False),
        ("3.0 in [1, 2, 3]", True),
        ("count in [1, score]", False),
        ("[1, 2, 3].exists(i, i == 3.0)", True),
        ("[1, 2, 3].map(i, i * 0.5)", [0.5, 1.0, 1.5]),
        ("size([count, score]) + score", 4.5),
        ("whatever + 1.5", 8.5),
        ("whatever * score", 17.5),
        ("whatever > 6.5", True),
        ("{'price': count}['price'] * 1.2 > 3", True),
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
        ("value > 3", "“value” means something only in the rules of an answer", 1, ""),
        ("item", "“item” means something only in buttons with for_each", 1, ""),
        ("secret('x')", "secret(…) stands only in an http action, as {{ secret('name') }}", 1, ""),
        ("count & 1", "write && for “and”", 7, ""),
        ("agreed | agreed", "write || for “or”", 8, ""),
        ("agreed и agreed", "write && for “и”", 8, ""),
        ("agreed или agreed", "write || for “или”", 8, ""),
        ("не agreed", "write ! for “не”", 1, ""),
        ("if agreed then 1 else 2", "write a ? b : c for “if a then b else c”", 1, ""),
        ("name is 'x'", "write == for “is”", 6, ""),
        ("name is None", "write null, or ask answered.name whether a variable has a value", 6, ""),
        ("count === 1", "write == and != to compare", 9, ""),
        ("count => 1", "write >= and <=", 7, ""),
        ("count ** 2", "there is no sign for powers; multiply", 8, ""),
        ("$name", "a variable stands by its name alone", 1, ""),
        ("{{ name }}", "an expression stands without {{ }} here", 1, ""),
        ("count += 1", "an expression changes nothing; assign with set", 8, ""),
        ("1,5 > score", "write a fraction with a dot: 1.5", 2, ""),
        ("name ?? 'x'", "write answered.x ? x : 'something else'", 7, ""),
        ("f'{name}'", "join texts with +: 'Hello, ' + name", 2, ""),
        ("agreed == TRUE", "write true and false in small letters", 11, ""),
        ("len(name)", "there is no function “len” here; write size(…)", 1, ""),
        ("name.length", "there is no “length” here; write size(…)", 5, ""),
        ("name.part", "there is no “part” here; only a map has parts", 5, ""),
        ("name.toLowerCase()", "there is no function “toLowerCase” here; write lower(…)", 6, ""),
        ("contains(name, 'x')", "there is no function “contains” here; write text.contains('part')", 1, ""),
        ("lowr(name)", "there is no function “lowr” that takes this; did you mean “lower”?", 1, ""),
        ("lower(count)", "“lower” does not take (integer)", 6, ""),
        ("at(now)", "at(day, 'HH:MM') takes a day and a time", 1, ""),
        ("at(now, 10)", "“at” does not take (date, integer)", 3, ""),
        ("at(now, zz)", "nothing sets or declares “zz”", 9, "zz"),
        ("at(now, '10:00') > zz", "nothing sets or declares “zz”", 20, "zz"),
        ("format(now, DD)", "nothing sets or declares “DD”; a text needs quotes: 'DD'", 13, "DD"),
        ("today > '2026-12-31'", "a day is compared with a day: date('2026-12-31')", 7, ""),
        ("today + 7", "write days(7) or hours(3) for what is added to a day", 7, ""),
        ("name in 'abc'", "write text.contains('part')", 6, ""),
        ("['a'].contains('x')", "write value in list", 15, ""),
        ("answered(name)", "write answered.name, with a dot", 1, ""),
        ("answered", "“answered” stands before a dot: answered.name", 1, ""),
        (
            "answered.nme",
            "nothing sets or declares “answered.nme”; did you mean “answered.name”?",
            1,
            "answered.nme",
        ),
        ("name.matches(position)", "a pattern must be written out, in quotes", 14, ""),
        ("size(name, 2)", "there is no function “size” that takes this", 1, ""),
        ("name > 3", "“>” does not take (string, integer)", 6, ""),
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
        ("name.matches('(')", 6),
        ("name == 'x' && name . matches( r'[' )", 23),
        ("matches(name, 'a**b)')", 1),
        ("date('2026-02-30') < now", 1),
        ("today > date('31.12.2026')", 9),
        ("now > at(today, '25:00')", 7),
        ("at(today, '9.00') > now", 1),
        ("format(now, 'soon')", 1),
        ("format(score, '%.2f')", 1),
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
        "duration(name) > duration('1s')",
        "date('2028-02-29') < date(name)",
        "at(today, '23:59:59') > at(today, name)",
        "format(score, '0.00') == format(now, \"D MMMM 'at' HH:mm\")",
        "format(now, name) == format(date(name), 'YYYY') || \"date('2026-02-30')\" == name",
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
        ("timestamp(name)", "conversion failed"),
        ("[1][count]", "index"),
        ("{'a': 1}[name]", "Key not found"),
        ("whatever + 'x'", "No matching overloads"),
        ("score % 0", "modulus by zero"),
        ("score / 0", "division by zero"),
        ("1.5 / 0.0", "not a number"),
        ("whatever.part", ""),
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


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'a' in ['a', 'b']", True),
        ("'a' in {'a': 1}", True),
        ("1 in {1: 'x'}", True),
        ("true in [false]", False),
        ("[1] in [[1], [2]]", True),
        ("{'a': 1} in [{'a': 1}]", True),
        ("null in [null]", True),
        ("name in whatever", None),
        ("now in [now]", True),
        ("duration('1s') < duration('1m') && b'a' < b'b' && 'a' < 'b' && false < true && 1u < 2u", True),
    ],
)
def test_what_is_declared_anew_means_what_it_meant(source: str, value: Any) -> None:
    values = VALUES | {"now": datetime(2026, 11, 22, 10, tzinfo=UTC), "whatever": {"a": 1}}
    expression = ENVIRONMENT.compile(source)
    assert expression.type == cel.Type.BOOL
    assert expression.evaluate(values.__getitem__) == (False if value is None else value)


@pytest.mark.parametrize("source", ["1 in ['a']", "'a' in [1.5]", "'a' < 1", "true < 1.5", "'a' == 1.5"])
def test_what_never_compares_does_not_compile(source: str) -> None:
    with pytest.raises(ExpressionError, match="does not take"):
        ENVIRONMENT.compile(source)


def test_names_that_mean_something_here_only() -> None:
    narrow = ENVIRONMENT.with_names(value=cel.Type.DOUBLE)
    assert narrow.compile("value % 2.0 == 1.0 && answered.name").evaluate((VALUES | {"value": 3}).__getitem__)
    assert ENVIRONMENT.with_names(value=cel.Type.DOUBLE) is narrow
    assert narrow.with_names(item=cel.Type.DYN).compile("value > 1 || item == 1").names == ("value", "item")
    assert narrow.variables == ENVIRONMENT.variables == TYPES
    with pytest.raises(ExpressionError):
        ENVIRONMENT.compile("value > 1")


def test_a_reason_repeats_nothing_that_a_person_wrote() -> None:
    for source in (
        "{'a': 1}[name]",
        "whatever.part[name]",
        "date(name)",
        "timestamp(name)",
        "format(name, 'DD')",
    ):
        with pytest.raises(Undecided) as caught:
            ENVIRONMENT.compile(source).evaluate({"name": "hush", "whatever": {"part": {}}}.__getitem__)
        assert caught.value.reason
        assert "hush" not in f"{caught.value!r} {caught.value.__cause__!r}"


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


def test_nulls_do_not_use_up_none() -> None:
    code = (
        "from shared.scenario.expressions import Environment; null = Environment({}).compile('[null, null]');"
        "print(len([null.evaluate({}.__getitem__) for _ in range(10_000)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "10000\n", "")
