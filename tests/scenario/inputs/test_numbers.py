"""Numbers and whole numbers, as people of many countries write them."""

from __future__ import annotations

import math

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.expressions import Environment
from shared.scenario.inputs import Limits
from shared.scenario.printing import printed
from tests.scenario.inputs.answers import take

AWKWARD = (
    "", " ", "one", "nan", "inf", "-inf", "Infinity", "1e5", "1e999", "0x10", "1_000", "--5", "5-", "+", "-",
    ".", ",", "1 2", "12 34", "1,2,3", "1.2.3", "1,2345,678", "5 kg", "$5", "50%", "½", "²", "五", "{{ 1 }}",
    "<b>1</b>", "1\n2", "1; DROP", "9" * 400, "9" * 20_000, "👍", "1️⃣",
)  # fmt: skip


@pytest.mark.parametrize("written", AWKWARD)
@pytest.mark.parametrize("language", ["en", "ru", "de", "xx", ""])
def test_what_is_no_number_is_refused(written: str, language: str) -> None:
    assert take("number", written, language) == "!not_number"
    assert take("integer", written, language) == "!not_integer"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5.0),
        ("+5", 5.0),
        ("-5", -5.0),
        ("−5", -5.0),
        ("- 5", -5.0),
        ("-0", 0.0),
        ("007", 7.0),
        ("5.", 5.0),
        (".5", 0.5),
        (",5", 0.5),
        ("0,234", 0.234),
        ("1234.5", 1234.5),
        ("1234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u00a0234,5", 1234.5),
        ("1\u2009234,5", 1234.5),
        ("1\u202f234\u202f567,5", 1234567.5),
        ("1,234.56", 1234.56),
        ("1.234,56", 1234.56),
        ("1,234,567", 1234567.0),
        ("1.234.567", 1234567.0),
        ("1'234.5", 1234.5),
        ("1’234", 1234.0),
        ("12,34,567.5", 1234567.5),
        ("١٢٣٤٫٥", 1234.5),
        ("١٬٢٣٤", 1234.0),
        ("１２３．５", 123.5),
        ("१२.५", 12.5),
        ("\x005\x00", 5.0),
        ("9" * 300, float("9" * 300)),
    ],
)
def test_a_number_reads_the_same_in_every_language(written: str, value: float) -> None:
    for language in ("en", "ru", "de", "xx"):
        found = take("number", written, language)
        assert (found, type(found)) == (value, float)
        assert math.copysign(1, found) == math.copysign(1, value)


@pytest.mark.parametrize(
    ("written", "language", "value"),
    [
        ("1,234", "en", 1234.0),
        ("1,234", "ru", 1.234),
        ("1,234", "de-AT", 1.234),
        ("-1,234", "ru", -1.234),
        ("1.234", "en", 1.234),
        ("1.234", "ru", 1.234),
        ("1.234", "de", 1234.0),
        ("1.234", "pt-BR", 1234.0),
    ],
)
def test_the_language_decides_what_a_sign_before_three_figures_is(
    written: str, language: str, value: float
) -> None:
    assert take("number", written, language) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("5.0", 5),
        ("5,00", 5),
        ("1 234,00", 1234),
        ("1,234", 1234),
        ("1.234", 1234),
        ("١٢", 12),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        (str(2**63), "!not_integer"),
        (str(-(2**63) - 1), "!not_integer"),
        ("5.5", "!not_integer"),
        ("0,123", "!not_integer"),
        ("1234,567", "!not_integer"),
    ],
)
def test_a_whole_number(written: str, value: int | str) -> None:
    for language in ("en", "ru", "de"):
        found = take("integer", written, language)
        assert (found, type(found)) == (value, type(value))


TEN = Environment({}).compile("4 + 6")
UNDECIDED = Environment({"score": cel.Type.INT}).compile("score + 1")
NO_NUMBER = Environment({}).compile("true")


@pytest.mark.parametrize(
    ("limits", "fitting", "refused"),
    [
        (Limits(min=1), ["1", "1.5"], ["0.99", "-5"]),
        (Limits(max=1.5), ["1.5", "-5"], ["1.51"]),
        (Limits(min=1, max=1), ["1"], ["0", "2"]),
        (Limits(min=0), ["0", "-0"], ["-0.1"]),
        (Limits(max=TEN), ["10"], ["10.1"]),
        (Limits(min=UNDECIDED), ["-100"], []),
        (Limits(min=NO_NUMBER), ["-100"], []),
    ],
)
def test_limits_of_a_number(limits: Limits, fitting: list[str], refused: list[str]) -> None:
    assert all(isinstance(take("number", each, limits=limits), float) for each in fitting)
    assert all(take("number", each, limits=limits) == "!not_number" for each in refused)


def test_limits_of_a_whole_number() -> None:
    limits = Limits(min=1, max=TEN)
    answers = [take("integer", each, limits=limits) for each in ("0", "1", "10", "11")]
    assert answers == ["!not_integer", 1, 10, "!not_integer"]


@given(st.floats(-1e15, 1e15), st.sampled_from(["en", "ru", "de"]))
def test_a_number_as_printed_can_be_typed_again(number: float, language: str) -> None:
    """Printing may round; what has an exponent nobody types."""
    shown = printed(number, language)
    if "e" not in shown:
        assert printed(take("number", shown, language), language) == shown


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["en", "ru", "de"]))
def test_a_whole_number_as_printed_can_be_typed_again(number: int, language: str) -> None:
    assert take("integer", printed(number, language), language) == number
