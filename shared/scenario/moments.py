"""Days and points in time, as values of the language.

A *moment* is an aware datetime in UTC. A *day* is one too: midnight exactly, whatever the time zone. A
point in time is never on a whole second: there it is a microsecond later, so that it stays a point
wherever whole hours and minutes take it. Saved, a day reads `2026-12-31` and a point in time
`2026-12-31T08:30:00Z`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo

_MIDNIGHT = time(0)


def day(of: date) -> datetime:
    """The day as a value."""
    return datetime(of.year, of.month, of.day, tzinfo=UTC)


def point(moment: datetime) -> datetime:
    """The point in time as a value; `moment` is aware."""
    in_utc = moment.astimezone(UTC)
    return in_utc if in_utc.microsecond else in_utc.replace(microsecond=1)


def is_day(value: datetime) -> bool:
    return value.time() == _MIDNIGHT


def local(value: datetime, zone: tzinfo) -> datetime:
    """What calendar and clock show in a zone; a day is the same everywhere."""
    try:
        return value if is_day(value) else value.astimezone(zone)
    except OverflowError:
        return value  # an hour before the first day of all, or after the last


def saved(value: datetime) -> str:
    """The value as it stands in a dialog's variables."""
    in_utc = value.astimezone(UTC)
    if is_day(in_utc):
        return in_utc.date().isoformat()
    seconds = in_utc.replace(microsecond=0) if in_utc.microsecond == 1 else in_utc
    return seconds.isoformat().replace("+00:00", "Z")


def loaded(text: str) -> datetime:
    """The value back. Raises ValueError for a text that is neither a day nor a point in time."""
    moment = datetime.fromisoformat(text)
    if len(text) == len("2026-12-31"):
        return day(moment.date())
    try:
        return point(_aware(moment))
    except OverflowError:
        raise ValueError("the calendar ends before this") from None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
