"""Days, as people of many countries write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.expressions import Environment
from shared.scenario.inputs import Limits
from shared.scenario.inputs.dates import bound_of
from shared.scenario.moments import day
from shared.scenario.printing import printed
from tests.scenario.inputs.answers import TODAY, take


@pytest.mark.parametrize(
    "written",
    [
        "", "10", "2026", "12.2026", "31.12.206", "0/0", "99/99", "31.02", "30.02.2028", "29.02.2027",
        "2026-13-01", "2026-00-10", "2026-12/31", "31.12-2026", "0000-01-01", "12.31", "12.31.2026",
        "31122026", "1/2/3/4", "a", "December", "week", "call me tomorrow", "tomorrow?!", "in 2 hours",
        "tomorrow at 7pm", "5 pm", "30 February", "in 99999999999 days", "{{ now }}", "<b>tomorrow</b>",
        "tomorrow 🙂", "T", "-1.-1", "1.5 kg", "x" * 20_000, "1" * 20_000, "\u202etomorrow", "never",
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(written: str) -> None:
    assert take("date", written) == "!not_date"


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-31", "2026/12/31", "2026.12.31", "2026. 12. 31.", "31.12.2026", "31.12.2026.", "31.12.26",
        "31/12/2026", "31-12-2026", "31 12 2026", "31 . 12 . 2026", "31.12", "31.12.", "31/12", "31-12",
        "12/31/2026", "12/31", "٣١/١٢/٢٠٢٦", "３１．１２．２０２６", "३१.१२.२०२६", "2026年12月31日",
        "12月31日", "2026년 12월 31일", "\x0031.12.2026", " 31.12.2026\n",
        "31 December", "31 Dec 2026", "December 31", "Dec 31, 26", "31st of December 2026",
        "31 декабря", "31 декабря 2026 г.", "31 дек 26",
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "en-US", "ru"])
def test_a_day_that_reads_only_one_way(written: str, language: str) -> None:
    assert take("date", written, language) == "2026-12-31"


@pytest.mark.parametrize(
    ("written", "language", "value"),
    [
        ("05/06/2027", "en", "2027-06-05"),
        ("05/06/2027", "en-GB", "2027-06-05"),
        ("05/06/2027", "ru", "2027-06-05"),
        ("05/06/2027", "en-US", "2027-05-06"),
        ("05-06-2027", "EN-us", "2027-05-06"),
        ("05.06.2027", "en-US", "2027-06-05"),
        ("05/06", "ja", "2027-05-06"),
        ("05/06", "", "2027-06-05"),
    ],
)
def test_the_day_comes_first_unless_the_language_says_otherwise(
    written: str, language: str, value: str
) -> None:
    assert take("date", written, language) == value


@pytest.mark.parametrize(
    ("written", "language", "value"),
    [
        ("today", "en", "2026-11-22"),
        ("Tomorrow", "en", "2026-11-23"),
        ("the day after tomorrow", "en", "2026-11-24"),
        ("in 3 days", "en", "2026-11-25"),
        ("yesterday", "en", "2026-11-21"),
        ("Friday", "en", "2026-11-27"),
        ("on friday", "en", "2026-11-27"),
        ("sunday", "en", "2026-11-22"),
        ("monday", "en", "2026-11-23"),
        ("сегодня", "ru", "2026-11-22"),
        ("Завтра", "en", "2026-11-23"),
        ("послезавтра", "ru", "2026-11-24"),
        ("через 3 дня", "ru", "2026-11-25"),
        ("в пятницу", "ru", "2026-11-27"),
        ("10 декабря", "en", "2026-12-10"),
        ("mañana", "es-MX", "2026-11-23"),
        ("demain", "fr", "2026-11-23"),
        ("Übermorgen", "de", "2026-11-24"),
        ("10. Dezember", "de", "2026-12-10"),
        ("明日", "ja", "2026-11-23"),
        ("غدا", "ar", "2026-11-23"),
        ("कल", "hi", "2026-11-23"),
        ("tomorrow", "xx", "2026-11-23"),
        ("10 December", "not a language", "2026-12-10"),
    ],
)
def test_a_day_in_words(written: str, language: str, value: str) -> None:
    assert take("date", written, language) == value


@pytest.mark.parametrize(
    ("written", "today", "value"),
    [
        ("22.11", TODAY, "2026-11-22"),
        ("22 November", TODAY, "2026-11-22"),
        ("21.11", TODAY, "2027-11-21"),
        ("21 November", TODAY, "2027-11-21"),
        ("29.02", TODAY, "2028-02-29"),
        ("29 February", TODAY, "2028-02-29"),
        ("29.02", date(2097, 1, 1), "2104-02-29"),
        ("29.02", date(2028, 2, 29), "2028-02-29"),
        ("tomorrow", date(2028, 2, 28), "2028-02-29"),
        ("tomorrow", date(2026, 12, 31), "2027-01-01"),
        ("tomorrow", date.max, "!not_date"),
        ("31.12", date.max, "9999-12-31"),
        ("1.1", date.max, "!not_date"),
        ("Friday", date.min, "0001-01-05"),
    ],
)
def test_without_a_year_it_is_the_next_such_day(written: str, today: date, value: str) -> None:
    assert take("date", written, today=today) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.1.26", "2026-01-01"),
        ("1.1.45", "2045-01-01"),
        ("1.1.46", "1946-01-01"),
        ("1.1.85", "1985-01-01"),
        ("1.1.00", "2000-01-01"),
        ("10 December 25", "2025-12-10"),
        ("10 декабря 85 г.", "1985-12-10"),
        ("29.02.28", "2028-02-29"),
        ("1.1.0085", "0085-01-01"),
    ],
)
def test_a_year_of_two_figures_is_near(written: str, value: str) -> None:
    assert take("date", written) == value


IN_A_WEEK = Environment({"today": cel.Type.TIMESTAMP}).compile("timestamp('2026-11-29T00:00:00Z')")
AS_TEXT = Environment({}).compile("'2026-11-29'")
UNDECIDED = Environment({"last": cel.Type.STRING}).compile("last")


@pytest.mark.parametrize(
    ("limits", "fitting", "refused"),
    [
        (Limits(min="2026-11-29"), ["29.11.2026", "31.12.9999"], ["28.11.2026"]),
        (Limits(max="2026-11-29"), ["29.11.2026", "1.1.1970"], ["30.11.2026"]),
        (Limits(max=IN_A_WEEK), ["29.11"], ["30.11"]),
        (Limits(max=AS_TEXT), ["29.11"], ["30.11"]),
        (Limits(max=UNDECIDED), ["31.12.9999"], []),
        (Limits(max=7), ["31.12.9999"], []),
        (Limits(max="no day"), ["31.12.9999"], []),
    ],
)
def test_limits_of_a_day(limits: Limits, fitting: list[str], refused: list[str]) -> None:
    assert all(take("date", each, limits=limits) != "!not_date" for each in fitting)
    assert all(take("date", each, limits=limits) == "!not_date" for each in refused)


@pytest.mark.parametrize(
    ("bound", "value"),
    [
        (day(date(2026, 12, 31)), "2026-12-31"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "2026-12-31"),
        ("2026-12-31T23:30:00Z", "2026-12-31"),
        ("2026-02-30", None),
        ("tomorrow", None),
        (None, None),
        (True, None),
    ],
)
def test_a_limit_is_a_day(bound: object, value: str | None) -> None:
    assert bound_of(bound) == value


@given(st.dates(), st.sampled_from(["en", "en-US", "ru", "ja"]))
def test_a_day_as_printed_can_be_typed_again(of: date, language: str) -> None:
    for shown in (of.isoformat(), f"{of:%d.%m.}{of.year:04}", printed(day(of), language)):
        assert take("date", shown, language) == of.isoformat()


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)), st.integers(0, 364))
def test_a_day_without_its_year_lies_within_a_year(today: date, ahead: int) -> None:
    of = today + timedelta(ahead)
    if (of.month, of.day) != (2, 29):
        assert take("date", f"{of.day}.{of.month}", today=today) == of.isoformat()
