"""Days and points in time, as values of the language.

A *moment* is an aware datetime in UTC. A *day* is one too: midnight exactly, whatever the time zone. A
point in time that happens to fall on that instant is a microsecond later, so that the two stay apart.
Saved, a day reads `2026-12-31` and a point in time `2026-12-31T08:30:00Z`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_MIDNIGHT = time(0)
_A_LITTLE = timedelta(microseconds=1)


def day(of: date) -> datetime:
    """The day as a value."""
    return datetime(of.year, of.month, of.day, tzinfo=UTC)


def point(moment: datetime) -> datetime:
    """The point in time as a value; `moment` is aware."""
    in_utc = moment.astimezone(UTC)
    return in_utc + _A_LITTLE if is_day(in_utc) else in_utc


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
    return in_utc.isoformat().replace("+00:00", "Z")


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
