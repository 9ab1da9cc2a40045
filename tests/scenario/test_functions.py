"""The language's own functions: days across leap years and changes of the clocks, patterns, letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario import moments
from shared.scenario.expressions import Environment, Undecided

TYPES = {
    "day": cel.Type.TIMESTAMP,
    "when": cel.Type.TIMESTAMP,
    "text": cel.Type.STRING,
    "n": cel.Type.INT,
    "x": cel.Type.DOUBLE,
    "any": cel.Type.DYN,
    "days": cel.Type.INT,
    "at": cel.Type.STRING,
}
ENVIRONMENT = Environment(TYPES)


def value(source: str, zone: str = "UTC", tongue: str = "en", **values: Any) -> Any:
    known = {"bot.zone": zone, "bot.tongue": tongue, **values}
    return ENVIRONMENT.compile(source).evaluate(known.__getitem__)


def day(text: str) -> datetime:
    return moments.loaded(text)


def instant(text: str) -> datetime:
    return moments.point(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("date('2026-12-31') + days(1)", "2027-01-01"),
        ("date('2028-02-28') + days(1)", "2028-02-29"),
        ("date('2027-02-28') + days(1)", "2027-03-01"),
        ("date('2026-03-28') + days(1)", "2026-03-29"),
        ("date('2026-03-29') + days(1)", "2026-03-30"),
        ("date('2026-10-25') + days(7)", "2026-11-01"),
        ("date('2026-01-01') - days(1)", "2025-12-31"),
        ("date('2026-01-01') + days(n)", "2026-01-04"),
        ("date('2026-01-01') + days(x)", "2026-01-03"),
        ("date('2026-01-01') + days(-365)", "2025-01-01"),
        ("date('0001-01-02')", "0001-01-02"),
        ("date('9999-12-30') + days(1)", "9999-12-31"),
        ("date(text)", "2024-02-29"),
        ("date('2026-01-01') + hours(24)", "2026-01-02"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_days_are_counted_by_the_calendar(source: str, expected: str, zone: str) -> None:
    found = value(source, zone, n=3, x=2.0, text="2024-02-29")
    assert moments.is_day(found)
    assert moments.saved(found) == expected


@pytest.mark.parametrize(
    ("on", "clock", "zone", "expected"),
    [
        ("2026-11-22", "10:00", "UTC", "2026-11-22T10:00:00+00:00"),
        ("2026-11-22", "9:05", "UTC", "2026-11-22T09:05:00+00:00"),
        ("2026-11-22", "10:00:30", "UTC", "2026-11-22T10:00:30+00:00"),
        ("2026-01-15", "10:00", "Europe/Berlin", "2026-01-15T09:00:00+00:00"),
        ("2026-07-15", "10:00", "Europe/Berlin", "2026-07-15T08:00:00+00:00"),
        ("2026-03-29", "01:59", "Europe/Berlin", "2026-03-29T00:59:00+00:00"),
        ("2026-03-29", "02:30", "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
        ("2026-03-29", "03:00", "Europe/Berlin", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25", "02:30", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25", "03:00", "Europe/Berlin", "2026-10-25T02:00:00+00:00"),
        ("2026-03-08", "02:30", "America/New_York", "2026-03-08T07:30:00+00:00"),
        ("2026-11-01", "01:30", "America/New_York", "2026-11-01T05:30:00+00:00"),
        ("2026-11-22", "00:00", "Asia/Kolkata", "2026-11-21T18:30:00+00:00"),
        ("2026-11-22", "00:15", "Asia/Kathmandu", "2026-11-21T18:30:00+00:00"),
        ("2028-02-29", "23:59", "Pacific/Kiritimati", "2028-02-29T09:59:00+00:00"),
        ("2026-11-22", "10:00", "Nowhere/At_All", "2026-11-22T10:00:00+00:00"),
        ("2026-11-22", "00:00", "UTC", "2026-11-22T00:00:00+00:00"),
    ],
)
def test_a_time_on_a_day_is_the_time_on_the_wall(on: str, clock: str, zone: str, expected: str) -> None:
    found = value("at(day, text)", zone, day=day(on), text=clock)
    assert found == instant(expected)
    assert not moments.is_day(found)


def test_what_falls_on_midnight_by_reckoning_is_no_day() -> None:
    source = "format(at(day, '23:00') + hours(2), 'DD.MM HH:mm')"
    assert value(source, "Europe/Berlin", day=day("2026-12-31")) == "01.01 01:00"


def test_a_time_on_the_day_of_a_point_in_time_is_of_its_day_in_the_zone() -> None:
    late = moments.point(instant("2026-11-22T23:30:00+00:00"))
    assert value("at(when, '08:00')", "Europe/Berlin", when=late) == instant("2026-11-23T07:00:00+00:00")
    assert value("at(when, '08:00')", "America/New_York", when=late) == instant("2026-11-22T13:00:00+00:00")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hours(3)", timedelta(hours=3)),
        ("hours(1.5)", timedelta(minutes=90)),
        ("minutes(n) + days(2)", timedelta(days=2, minutes=5)),
        ("at(day, '10:00') - at(day, '8:30')", timedelta(minutes=90)),
        ("day - date('2026-11-20')", timedelta(days=2)),
        ("at(day, '22:00') + hours(3)", instant("2026-11-23T01:00:00+00:00")),
        ("format(at(day, '22:00') + hours(2), 'YYYY-MM-DD HH:mm')", "2026-11-23 00:00"),
        ("now + minutes(1.5)", instant("2026-11-22T12:01:30+00:00")),
        ("at(day, at)", instant("2026-11-22T07:00:00+00:00")),
        ("day + days(days) == date('2026-11-24') && day < today + days(1) && now < at(today, '18:00')", True),
        ("[at(day, '10:00'), at(day + days(1), '10:00')].exists(t, t > now)", True),
    ],
)
def test_days_and_times_are_reckoned_with(source: str, expected: Any) -> None:
    values: dict[str, Any] = {
        "day": day("2026-11-22"),
        "today": day("2026-11-22"),
        "n": 5,
        "days": 2,
        "at": "07:00",
    }
    assert value(source, now=instant("2026-11-22T12:00:00+00:00"), **values) == expected


@pytest.mark.parametrize(
    "source",
    [
        *["date(text)", "at(day, text)", "format(text, 'DD.MM')", "format(any, 'DD')", "format(day, text)"],
        *[
            "days(1.5)",
            "days(9223372036854775807)",
            "hours(1e300)",
            "minutes(x / 0.0)",
            "day + days(4000000)",
        ],
        *["date('9999-12-31') + days(2)", "format(1e20, '0.00')", "format(n, text)", "days(x - x / 0.0)"],
    ],
)
@pytest.mark.parametrize(
    "text",
    ["", "2026-02-30", "31.12.2026", "25:00", "10:60", "hush", "٢٠٢٦-١٢-٣١", "١٠:٠٠", "{{", "\x00", "😀"],
)
def test_what_has_no_value_is_undecided_and_says_why(source: str, text: str) -> None:
    with pytest.raises(Undecided, match=r"\S") as caught:
        value(source, text=text, any={"a": 1}, day=day("2026-12-31"), n=3, x=1.0)
    assert not text.strip() or text not in caught.value.reason


def is_undecided(source: str, **values: Any) -> bool:
    try:
        value(source, **values)
    except Undecided:
        return True
    return False


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_makes_a_function_fail_otherwise(text: str, pattern: str) -> None:
    known = {"text": text, "at": pattern, "day": day("2026-12-31")}
    for source in ("date(text)", "at(day, text)", "format(text, at)", "format(day, at)"):
        assert is_undecided(source, **known) in (True, False)
    assert not is_undecided("lower(text) + upper(text)", text=text)


@pytest.mark.parametrize(
    ("source", "tongue", "expected"),
    [
        ("format(day, 'DD.MM.YYYY')", "en", "05.03.2026"),
        ("format(day, 'D/M/YY')", "en", "5/3/26"),
        ("format(day, 'YYYY-MM-DD HH:mm:ss')", "en", "2026-03-05 00:00:00"),
        ("format(when, 'H:mm')", "en", "10:35"),
        ("format(when, 'DD.MM HH:mm:ss')", "ru", "05.03 10:35:09"),
        ("format(day, 'D MMMM YYYY')", "en", "5 March 2026"),
        ("format(day, 'D MMMM YYYY')", "ru", "5 марта 2026"),
        ("format(day, 'ddd, D MMM')", "ru-RU", "чт, 5 мар"),
        ("format(day, 'dddd')", "de", "Donnerstag"),
        ("format(day, 'dddd')", "zz", "Thursday"),
        ("format(day, 'dddd')", "zh-Hant-TW", "星期四"),
        ("format(day, 'dddd')", "", "Thursday"),
        ("format(day, \"D 'of' MMMM\")", "en", "5 of March"),
        ("format(day, \"DD''MM\")", "en", "05'03"),
        ("format('2026-03-05', 'DD.MM')", "en", "05.03"),
        ("format('2026-03-05T08:35:09Z', 'DD.MM HH:mm')", "en", "05.03 10:35"),
        ("format(any, 'DD.MM.YYYY')", "en", "31.12.2026"),
        ("format(2.5, '0.00')", "en", "2.50"),
        ("format(2.5, '0.00')", "ru", "2,50"),
        ("format(2.5, '0')", "ru", "3"),
        ("format(-0.005, '0.00')", "en", "-0.01"),
        ("format(1234567.891, '# ##0.0')", "ru", "1\u00a0234\u00a0567,9"),
        ("format(1234567, '#,##0.00')", "en", "1,234,567.00"),
        ("format(0.1 + 0.2, '0.000')", "en", "0.300"),
    ],
)
def test_a_value_is_shown_by_a_pattern(source: str, tongue: str, expected: str) -> None:
    known = {"day": day("2026-03-05"), "when": instant("2026-03-05T08:35:09+00:00"), "any": "2026-12-31"}
    assert value(source, "Africa/Cairo", tongue, **known) == expected


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        ("Иван Ёлкин", "иван ёлкин", "ИВАН ЁЛКИН"),
        ("Straße", "straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("مرحبا 😀 {{ x }}", "مرحبا 😀 {{ x }}", "مرحبا 😀 {{ X }}"),
        ("", "", ""),
    ],
)
def test_letters_of_all_alphabets_change_their_case(text: str, lower: str, upper: str) -> None:
    assert (value("lower(text)", text=text), value("upper(text)", text=text)) == (lower, upper)


@pytest.mark.parametrize("source", ["at(day, '10:00')", "format(day, 'DD')", "date(text)", "upper(text)"])
def test_a_missing_value_is_no_mistake(source: str) -> None:
    with pytest.raises(Undecided) as caught:
        value(source)
    assert caught.value.reason == ""


def test_what_the_place_is_not_told_of_is_utc_and_english() -> None:
    shown = ENVIRONMENT.compile("format(at(day, '10:00'), 'ddd HH:mm')")
    assert shown.evaluate({"day": day("2026-03-05")}.__getitem__) == "Thu 10:00"
    assert shown.names == ("day",)


def test_only_what_depends_on_the_place_asks_for_it() -> None:
    asked: list[str] = []

    def value_of(name: str) -> Any:
        asked.append(name)
        raise KeyError(name)

    for source in (
        "day == date('2026-12-31') || text == \"at(day, '10:00')\"",
        "upper(text) + at",
        "days(n)",
    ):
        with pytest.raises(Undecided):
            ENVIRONMENT.compile(source).evaluate(value_of)
    assert set(asked) == {"day", "text", "at", "n"}


def test_a_moment_where_the_type_is_open_is_its_text() -> None:
    assert value("any == '2026-12-31'", any=datetime(2026, 12, 31, tzinfo=UTC)) is True
