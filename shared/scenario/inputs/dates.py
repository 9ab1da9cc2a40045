"""Days as people write them: `2026-12-31`, `31.12.2026`, `31/12`, `tomorrow`, `10 December`.

Figures are read by strict forms here. Only words reach the library, which finds a day in almost anything,
and only when somebody writes some: importing it takes a third of a second.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.scenario.inputs.figures import plain
from shared.scenario.inputs.limits import Limits, Surroundings
from shared.scenario.moments import loaded, saved
from shared.scenario.words import FALLBACKS

_YEAR_FIRST = re.compile(r"(\d{4}) ?([-./]) ?(\d{1,2}) ?\2 ?(\d{1,2})\.?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})(?: ?([-./]) ?| )(\d{1,2})(?:(?: ?\2 ?| )(\d{4}|\d\d))?\.?", re.ASCII)
_WITH_SIGNS = re.compile(r"(?:(\d{4}) ?[年년] ?)?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日号일]?", re.ASCII)

_MONTH_FIRST = frozenset("en-us en-ph en-pr en-gu en-vi en-as en-mp fil zh ja ko hu lt mn".split())
"""Languages, or languages of a country, that write the month before the day."""

_DAYS_AHEAD = {"today": 0, "сегодня": 0, "tomorrow": 1, "завтра": 1, "послезавтра": 2}
"""What people write most in the shipped languages, so that it needs no library."""

_YEARS_BACK = 80
"""A year of two figures lies up to so many years back, and less than twenty ahead."""

MAX_WORDS = 60
FEWEST_LETTERS = 2
"""Characters of a day in words, beyond which it is not looked for, and letters that it must have."""

_NO_WORDS = re.compile(r"[^\w\s.,'/-]|_")
_SHORT_YEAR = re.compile(r"(\D*\d{1,2}\D*(?:[^\W\d_]|,)\D*)(\d\d)((?: ?г(?:\.|ода?)?)?)")


def day(text: str, _limits: Limits, surroundings: Surroundings) -> str | None:
    """The day as `YYYY-MM-DD`. Without a year, or by its weekday, it is the next such day, or today."""
    today, language = surroundings.today(), surroundings.language()
    written = " ".join(plain(text).casefold().split())
    if written in _DAYS_AHEAD:
        found = _later(today, _DAYS_AHEAD[written])
    else:
        found = _in_figures(written, language, today) or _in_words(written, language, today)
    return found.isoformat() if found else None


def _later(today: date, days: int) -> date | None:
    try:
        return today + timedelta(days)
    except OverflowError:
        return None


# --- figures ---------------------------------------------------------------------------------------


def _in_figures(written: str, language: str, today: date) -> date | None:
    if match := _YEAR_FIRST.fullmatch(written):
        return _date(int(match[1]), int(match[3]), int(match[4]))
    if match := _WITH_SIGNS.fullmatch(written):
        return _dated(int(match[3]), int(match[2]), match[1], today)
    if match := _YEAR_LAST.fullmatch(written):
        return _year_last(match, language, today)
    return None


def _year_last(match: re.Match[str], language: str, today: date) -> date | None:
    """Of two readings the language's own; the other one where only that is a day. Dots mean day first."""
    first, second, year = int(match[1]), int(match[3]), match[4]
    if match[2] in (".", None):
        return _dated(first, second, year, today)
    if _is_month_first(language):
        first, second = second, first
    return _dated(first, second, year, today) or _dated(second, first, year, today)


def _is_month_first(language: str) -> bool:
    tag = language.lower()
    return tag in _MONTH_FIRST or tag.partition("-")[0] in _MONTH_FIRST


def _dated(of_month: int, month: int, year: str | None, today: date) -> date | None:
    if year is None:
        return _next(of_month, month, today)
    return _date(_full_year(int(year), today) if len(year) == len("26") else int(year), month, of_month)


def _full_year(year: int, today: date) -> int:
    earliest = today.year - _YEARS_BACK
    return earliest + (year - earliest) % 100


def _next(of_month: int, month: int, today: date) -> date | None:
    """The next such day, or today; the 29th of February may be eight years off."""
    days = (_date(year, month, of_month) for year in range(today.year, today.year + 9))
    return next((each for each in days if each and each >= today), None)


def _date(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None


# --- words -----------------------------------------------------------------------------------------


def _in_words(written: str, language: str, today: date) -> date | None:
    """A day in words of the dialog's language, or of a shipped one."""
    if len(written) > MAX_WORDS or sum(map(str.isalpha, written)) < FEWEST_LETTERS:
        return None
    if _NO_WORDS.search(written):
        return None
    if short := _SHORT_YEAR.fullmatch(written):
        written = f"{short[1]}{_full_year(int(short[2]), today)}{short[3]}"
    languages = dict.fromkeys((language.partition("-")[0].lower(), *FALLBACKS))
    readings = (_read(written, each, language, today) for each in languages)
    return next((each for each in readings if each), None)


def _read(written: str, words_of: str, language: str, today: date) -> date | None:
    """Read `in 3 days`, `10 December`, or `Friday`; the latter two as today, or a day to come."""
    order = "MDY" if _is_month_first(language) else "DMY"
    settings = {"DATE_ORDER": order, "PREFER_DATES_FROM": "future", "TIMEZONE": "UTC"}
    relative = settings | {"PARSERS": ["relative-time"], "RELATIVE_BASE": _midnight(today)}
    if ahead := _parse(written, words_of, relative):
        return ahead
    yesterday = _later(today, -1) or today
    absolute = settings | {"PARSERS": ["absolute-time"], "RELATIVE_BASE": _midnight(yesterday)}
    dated = _parse(written, words_of, absolute | {"REQUIRE_PARTS": ["day", "month"]})
    if dated or not written.replace(" ", "").isalpha():
        return dated
    weekday = _parse(written, words_of, absolute)  # or a month alone, which is read as a day far off
    return weekday if weekday and 0 < (weekday - yesterday).days <= len("MTWTFSS") else None


def _midnight(of: date) -> datetime:
    return datetime.combine(of, time())


def _parse(written: str, words_of: str, settings: dict[str, Any]) -> date | None:
    """Ask the library. What it finds more than a day in (`in 2 hours`) is no day."""
    from dateparser import parse  # noqa: PLC0415 (a third of a second, and 26 MB)

    try:
        found = parse(written, languages=[words_of], settings=settings)
    except Exception:  # noqa: BLE001 (what a library for loose texts trips over is no day either)
        return None
    return found.date() if found and found.time() == time() else None


# --- limits ----------------------------------------------------------------------------------------


def is_within(value: str, limits: Limits, surroundings: Surroundings) -> bool:
    """Whether it is neither before `min` nor after `max`."""
    low, high = (bound_of(surroundings.bound(limit)) for limit in (limits.min, limits.max))
    return (low is None or low <= value) and (high is None or value <= high)


def bound_of(bound: object) -> str | None:
    """A limit as `YYYY-MM-DD`, of a point in time its day in UTC; None for what is none."""
    if isinstance(bound, datetime):
        return saved(bound)[: len("2026-12-31")]
    try:
        return bound_of(loaded(bound)) if isinstance(bound, str) else None
    except (ValueError, OverflowError):
        return None
