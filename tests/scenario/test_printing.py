"""How values read for a person: by type, language and time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.scenario import moments
from shared.scenario.printing import printed

BERLIN, NEW_YORK, KOLKATA = (ZoneInfo(n) for n in ("Europe/Berlin", "America/New_York", "Asia/Kolkata"))


def point(text: str) -> datetime:
    return moments.point(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("value", "english", "russian"),
    [
        (moments.day(datetime(2026, 12, 31)), "2026-12-31", "31.12.2026"),  # noqa: DTZ001 (a calendar day)
        (moments.day(datetime(2028, 2, 29)), "2028-02-29", "29.02.2028"),  # noqa: DTZ001 (a calendar day)
        (moments.day(datetime(987, 1, 2)), "0987-01-02", "02.01.0987"),  # noqa: DTZ001 (a calendar day)
        (point("2026-12-31T23:30:00Z"), "2027-01-01 00:30", "01.01.2027 00:30"),
        (point("2026-12-31T00:00:00Z"), "2026-12-31 01:00", "31.12.2026 01:00"),
        (0.1 + 0.2, "0.3", "0,3"),
        (1 / 3, "0.333333333333333", "0,333333333333333"),
        (-0.0, "0", "0"),
        (timedelta(minutes=-90), "-1:30:00", "-1:30:00"),
        ([True, None, 1.5, "x"], "yes, , 1.5, x", "да, , 1,5, x"),
        ({"b": 1.5, "a": [False]}, "a: no, b: 1.5", "a: нет, b: 1,5"),
        (b"\xd0\x81", "Ё", "Ё"),
        ([point("2026-06-30T22:30:00Z")], "2026-07-01 00:30", "01.07.2026 00:30"),
    ],
)
def test_a_value_reads_by_its_type_and_language(value: Any, english: str, russian: str) -> None:
    assert (printed(value, "en", BERLIN), printed(value, "ru", BERLIN)) == (english, russian)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [(BERLIN, "2026-03-29 03:30"), (NEW_YORK, "2026-03-28 21:30"), (KOLKATA, "2026-03-29 07:00")],
)
def test_a_point_in_time_is_shown_in_the_zone_and_a_day_in_none(zone: ZoneInfo, shown: str) -> None:
    assert printed(point("2026-03-29T01:30:00Z"), "en", zone) == shown
    assert printed(moments.loaded("2026-03-29"), "en", zone) == "2026-03-29"


@pytest.mark.parametrize(
    ("language", "no", "yes"), [("de", "nein", "ja"), ("pt-BR", "não", "sim"), ("zz", "no", "yes")]
)
def test_yes_and_no_have_their_words(language: str, no: str, yes: str) -> None:
    assert printed([False, True], language) == f"{no}, {yes}"


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from([BERLIN, NEW_YORK, KOLKATA, ZoneInfo("Pacific/Kiritimati")]),
)
def test_every_point_in_time_can_be_shown(moment: datetime, zone: ZoneInfo) -> None:
    assert len(printed(moments.point(moment) if moment.year < 9999 else moment, "en", zone)) >= len(
        "2026-12-31"
    )


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_every_json_value_can_be_shown(value: Any) -> None:
    assert not set(printed(value, "ru")) & {"\x00", "\ud800"}
