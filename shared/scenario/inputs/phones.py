"""Phone numbers, typed or shared, in the one form that can be called from everywhere (E.164)."""

from __future__ import annotations

import re

from shared.dialog.events import SharedContact
from shared.scenario.inputs.figures import plain
from shared.scenario.inputs.limits import Limits, Surroundings

MAX_PHONE = 40
"""Characters; the longest number has 15 figures."""

_TYPED = re.compile(r"(?:tel:)?\+?[\d ()./-]+", re.ASCII)

_REGIONS = {
    "ar": "SA", "be": "BY", "bn": "BD", "ca": "ES", "cs": "CZ", "da": "DK", "el": "GR", "en": "US",
    "et": "EE", "eu": "ES", "fa": "IR", "fil": "PH", "ga": "IE", "gl": "ES", "gu": "IN", "he": "IL",
    "hi": "IN", "hy": "AM", "ja": "JP", "ka": "GE", "kk": "KZ", "km": "KH", "kn": "IN", "ko": "KR",
    "ky": "KG", "lo": "LA", "ml": "IN", "mr": "IN", "ms": "MY", "my": "MM", "nb": "NO", "ne": "NP",
    "nn": "NO", "pa": "IN", "ps": "AF", "sl": "SI", "sq": "AL", "sr": "RS", "sv": "SE", "sw": "TZ",
    "ta": "IN", "te": "IN", "tg": "TJ", "tk": "TM", "uk": "UA", "ur": "PK", "vi": "VN", "zh": "CN",
}  # fmt: skip
"""Where most speakers of a language live, where its own code is not that of the country."""


def phone(given: str | SharedContact, limits: Limits, surroundings: Surroundings) -> str | None:
    """The number in E.164; one without its country's code is of the `region`, or the language's."""
    region = limits.region or region_of(surroundings.language())
    return shared(given.phone, region) if isinstance(given, SharedContact) else typed(given, region)


def typed(text: str, region: str) -> str | None:
    """Read it as at home in the region, then as from abroad with its plus left out."""
    written = plain(text)
    return _e164(written, region) or _e164(f"+{written}", region)


def shared(number: str, region: str) -> str | None:
    """Messengers share numbers from abroad, often without the plus."""
    written = plain(number).strip()
    return _e164(f"+{written}", region) or _e164(written, region)


def region_of(language: str) -> str:
    """The country that a language tag names (`en-GB`), or where most of its speakers live."""
    primary, *parts = language.split("-")
    named = next((part.upper() for part in parts if len(part) == len("GB")), None)
    return named or _REGIONS.get(primary.lower(), primary.upper())


def _e164(written: str, region: str) -> str | None:
    from phonenumbers import (  # noqa: PLC0415 (55 ms and 7 MB, for scenarios that ask for a phone)
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        is_valid_number,
        parse,
    )

    if len(written) > MAX_PHONE or not _TYPED.fullmatch(written):
        return None
    try:
        number = parse(written, region)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None
