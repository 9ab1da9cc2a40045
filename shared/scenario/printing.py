"""How values read for a person, by language; and by a pattern of the author's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from shared.scenario import moments

MAX_PLAIN_NUMBER = 1e16
"""From here on a fractional number is printed with its exponent."""

DECIMAL_COMMA = frozenset(
    """be bg bs ca cs da de el es et fi fr hr hu id is it ka kk ky lt lv mk nb nl nn no pl pt ro ru sk sl
    sq sr sv tg tk tr uk uz vi""".split()
)
"""Languages that write 1,5 and put the day first: 31.12.2026."""

UNSAFE = re.compile("[\x00\ud800-\udfff]")
"""What no database and no messenger takes."""

_YES_NO = {
    "de": ("nein", "ja"),
    "en": ("no", "yes"),
    "es": ("no", "sí"),
    "fr": ("non", "oui"),
    "it": ("no", "sì"),
    "kk": ("жоқ", "иә"),
    "nl": ("nee", "ja"),
    "pl": ("nie", "tak"),
    "pt": ("não", "sim"),
    "ru": ("нет", "да"),
    "tr": ("hayır", "evet"),
    "uk": ("ні", "так"),
}
_UTC = ZoneInfo("UTC")


def printed(value: Any, language: str, zone: tzinfo = _UTC) -> str:
    """How a value reads for a person: `1,5` in Russian, `a, b` for a list, points in time in the zone."""
    match value:
        case str():
            return UNSAFE.sub("", value)
        case bool():
            return _YES_NO.get(_primary(language), _YES_NO["en"])[value]
        case float() | datetime():
            return _as_written(value, zone, has_comma=_primary(language) in DECIMAL_COMMA)
        case list() | tuple():
            return ", ".join(printed(item, language, zone) for item in value)
        case dict():
            pairs = [f"{printed(k, language, zone)}: {printed(v, language, zone)}" for k, v in value.items()]
            return ", ".join(sorted(pairs))  # CEL's maps have no order of their own
        case None:
            return ""
    return _rarely_printed(value)


def _rarely_printed(value: Any) -> str:
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        hours, rest = divmod(abs(seconds), 3600)
        return f"{'-' if seconds < 0 else ''}{hours}:{rest // 60:02}:{rest % 60:02}"
    if isinstance(value, bytes | bytearray):
        return UNSAFE.sub("", bytes(value).decode(errors="ignore"))
    return str(value)


def _as_written(value: float | datetime, zone: tzinfo, *, has_comma: bool) -> str:
    if isinstance(value, datetime):
        return _moment(value, zone, "{d}.{m}.{y}" if has_comma else "{y}-{m}-{d}")
    if value.is_integer() and abs(value) < MAX_PLAIN_NUMBER:
        return str(int(value))
    return f"{value:.15g}".replace(".", "," if has_comma else ".")


def _moment(value: datetime, zone: tzinfo, form: str) -> str:
    local = moments.local(value, zone)
    day = form.format(d=f"{local.day:02}", m=f"{local.month:02}", y=f"{local.year:04}")
    return day if moments.is_day(value) else f"{day} {local:%H:%M}"


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


# --- patterns --------------------------------------------------------------------------------------

_TOKEN = re.compile(r"'(?P<quoted>[^']*)'|(?P<token>YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|mm|ss)")
_NUMBER = re.compile(r"(?P<grouped># ?,?##)?0(?:\.(?P<digits>0{1,15}))?")
MAX_FORMAT = 200
"""Characters of a pattern."""


def in_pattern(value: float | datetime, pattern: str, zone: tzinfo, language: str) -> str:
    """A day or point in time like `DD.MM.YYYY HH:mm`, a number like `0.00`.

    Raises ValueError where the pattern says nothing of the value.
    """
    if len(pattern) > MAX_FORMAT:
        raise ValueError("the pattern is too long")
    if isinstance(value, datetime):
        return _moment_in_pattern(value, pattern, zone, language)
    return _number_in_pattern(value, pattern, language)


def _moment_in_pattern(value: datetime, pattern: str, zone: tzinfo, language: str) -> str:
    local = moments.local(value, zone)
    if not any(match["token"] for match in _TOKEN.finditer(pattern)):
        raise ValueError("the pattern has none of YYYY, MM, DD, HH, mm and their like")

    def shown(match: re.Match[str]) -> str:
        token = match["token"]
        if not token:
            return match["quoted"] or "'"
        if token in _FIELDS:
            return _FIELDS[token](local)
        return _name(local, token, language)

    return _TOKEN.sub(shown, pattern)


_FIELDS: Mapping[str, Callable[[datetime], str]] = {
    "YYYY": lambda moment: f"{moment.year:04}",
    "YY": lambda moment: f"{moment.year % 100:02}",
    "MM": lambda moment: f"{moment.month:02}",
    "M": lambda moment: str(moment.month),
    "DD": lambda moment: f"{moment.day:02}",
    "D": lambda moment: str(moment.day),
    "HH": lambda moment: f"{moment.hour:02}",
    "H": lambda moment: str(moment.hour),
    "mm": lambda moment: f"{moment.minute:02}",
    "ss": lambda moment: f"{moment.second:02}",
}


def _name(moment: date, token: str, language: str) -> str:
    """The name of a month as it stands beside a day, or of a weekday."""
    words = _words_of(language)
    is_whole = len(token) == len("MMMM")
    if token.startswith("M"):
        name = words.month_name if is_whole else words.month_abbreviation
        return str(name(moment.month))
    name = words.day_name if is_whole else words.day_abbreviation
    return str(name(moment.isoweekday()))


def _words_of(language: str) -> Any:
    from arrow.locales import get_locale  # noqa: PLC0415 (seldom needed, and takes a tenth of a second)

    for tag in (language, _primary(language)):
        try:
            return get_locale(tag)
        except ValueError:
            continue
    return get_locale("en")


def _number_in_pattern(value: float, pattern: str, language: str) -> str:
    form = _NUMBER.fullmatch(pattern)
    if not form:
        raise ValueError("the pattern of a number is like 0, 0.00 or # ##0.00")
    if abs(value) >= MAX_PLAIN_NUMBER:
        raise ValueError("the number is too large for a pattern")
    from decimal import ROUND_HALF_UP, Decimal  # noqa: PLC0415 (seldom needed)

    digits = len(form["digits"] or "")
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    text = f"{rounded:{',' if form['grouped'] else ''}.{digits}f}"
    return text.translate(_COMMA_STYLE) if _primary(language) in DECIMAL_COMMA else text


_COMMA_STYLE = str.maketrans({",": "\u00a0", ".": ","})
