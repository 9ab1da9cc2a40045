"""Phone numbers, typed and shared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dialog.events import SharedContact
from shared.scenario.inputs import Limits
from shared.scenario.inputs.phones import region_of
from tests.scenario.inputs.answers import take


@pytest.mark.parametrize(
    ("written", "language", "value"),
    [
        ("+79990000000", "en", "+79990000000"),
        ("+7 (999) 000-00-00", "en", "+79990000000"),
        ("+7 999 000‑00‑00", "", "+79990000000"),
        ("79990000000", "en", "+79990000000"),
        ("tel:+79990000000", "en", "+79990000000"),
        ("+٧٩٩٩٠٠٠٠٠٠٠", "ar", "+79990000000"),
        ("＋７９９９０００００００", "en", "+79990000000"),
        ("\u00a0+7\u2009999\u202f000 00 00", "en", "+79990000000"),
        ("8 (999) 000-00-00", "ru", "+79990000000"),
        ("8 999 000 00 00", "ru-RU", "+79990000000"),
        ("9990000000", "ru", "+79990000000"),
        ("8 701 123 45 67", "kk", "+77011234567"),
        ("(202) 555-0123", "en", "+12025550123"),
        ("020 7946 0958", "en-GB", "+442079460958"),
        ("030/123456", "de", "+4930123456"),
        ("0049 30 123456", "de", "+4930123456"),
        ("٠٥٠١٢٣٤٥٦٧", "ar-AE", "+971501234567"),
        ("050 123 4567", "zh-Hant-AE", "+971501234567"),
    ],
)
def test_a_number_typed(written: str, language: str, value: str) -> None:
    assert take("phone", written, language) == value


@pytest.mark.parametrize(
    "written",
    [
        "", "+", "8 999 000 00 00", "112", "123", "+1", "+7 999 000 00", "+999 123456789", "1-800-FLOWERS",
        "call +79990000000", "+79990000000 Ivan", "202-555-0123 ext. 5", "202-555-0123 x5", "202-555-0123#5",
        "+7{{ 9 }}", "<b>", "0" * 41, "1" * 20_000, "👍", "tel:", "+7+79990000000",
        "+79990000000, +79990000001", "+79990000000;phone-context=+7",
    ],
)  # fmt: skip
def test_what_is_no_number_here_is_refused(written: str) -> None:
    assert take("phone", written, "en") == "!not_phone"


def test_the_region_says_where_a_number_is_from() -> None:
    in_russia = Limits(region="RU")
    assert take("phone", "8 999 000 00 00", "en", in_russia) == "+79990000000"
    assert take("phone", "+1 202 555 0123", "en", in_russia) == "+12025550123"
    assert take("phone", "(202) 555-0123", "en", in_russia) == "!not_phone"


@pytest.mark.parametrize("shared", ["79990000000", "+79990000000", "8 999 000 00 00", " +7 999 000-00-00"])
def test_the_button_that_shares_a_number_answers(shared: str) -> None:
    contact = SharedContact(shared, "Ivan", own=True)
    assert take("phone", language="ru", content="contact", contact=contact) == "+79990000000"


@pytest.mark.parametrize("shared", ["", "Ivan", "112", "\ud800", "9" * 20_000])
def test_a_contact_without_a_number_does_not_answer(shared: str) -> None:
    assert take("phone", content="contact", contact=SharedContact(shared)) == "!not_phone"


@pytest.mark.parametrize(
    ("language", "region"),
    [
        ("ru", "RU"), ("de", "DE"), ("de-AT", "AT"), ("en", "US"), ("en-gb", "GB"), ("zh-Hant-TW", "TW"),
        ("zh-Hans", "CN"), ("uk", "UA"), ("KK", "KZ"), ("", ""), ("tlh", "TLH"), ("es-419", "ES"),
    ],
)  # fmt: skip
def test_a_language_tells_a_region(language: str, region: str) -> None:
    assert region_of(language) == region


@given(st.from_regex(r"\+[1-9][0-9 ()-]{5,18}", fullmatch=True), st.sampled_from(["en", "ru", "tlh", ""]))
def test_a_number_that_was_taken_is_taken_again(written: str, language: str) -> None:
    value = take("phone", written, language)
    assert value == "!not_phone" or take("phone", value, "fr") == value
