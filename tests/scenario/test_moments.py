"""Days and points in time stay apart, as values and as saved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario import moments

ZONES = st.sampled_from(
    [UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/New_York")]
)


@given(st.dates())
def test_a_day_is_loaded_as_it_was_saved(of: date) -> None:
    value = moments.day(of)
    assert moments.is_day(value)
    assert moments.saved(value) == of.isoformat()
    assert moments.loaded(moments.saved(value)) == value


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES))  # noqa: DTZ001 (bounds)
def test_a_point_in_time_is_loaded_as_it_was_saved(moment: datetime) -> None:
    value = moments.point(moment)
    assert not moments.is_day(value)
    assert abs(value - moment) <= timedelta(microseconds=1)
    assert moments.loaded(moments.saved(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31T08:30:00Z", datetime(2026, 12, 31, 8, 30, 0, 1, tzinfo=UTC)),
        ("2026-12-31T08:30:00+05:30", datetime(2026, 12, 31, 3, 0, 0, 1, tzinfo=UTC)),
        ("2026-12-31T08:30", datetime(2026, 12, 31, 8, 30, 0, 1, tzinfo=UTC)),
        ("2026-12-31T08:30:00.25Z", datetime(2026, 12, 31, 8, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-12-31T00:00:00Z", datetime(2026, 12, 31, 0, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_what_others_write_is_loaded(text: str, value: datetime) -> None:
    assert moments.loaded(text) == value


@pytest.mark.parametrize("hours", range(-48, 49))
def test_whole_hours_make_no_day_of_a_point_in_time(hours: int) -> None:
    later = moments.point(datetime(2026, 12, 31, 22, tzinfo=UTC)) + timedelta(hours=hours)
    assert not moments.is_day(later)
    assert moments.saved(later).endswith(":00:00Z")


@pytest.mark.parametrize(
    "text", ["", "2026-02-29", "31.12.2026", "today", "2026-12-31T25:00", "9999-12-31T23:00:00-05:00"]
)
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        moments.loaded(text)


def test_the_edges_of_the_calendar_are_shown_without_a_zone() -> None:
    first = datetime(1, 1, 1, 1, tzinfo=UTC)
    assert moments.local(first, timezone(-timedelta(hours=5))) == first
