"""Text: what is extracted of it, and what fits an author's limits."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.caps import MAX_ANSWER
from shared.scenario.inputs import Limits, extract, is_pattern
from shared.scenario.inputs.texts import is_text, matches
from tests.scenario.inputs.answers import take


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Ivan", "Ivan"),
        ("  Ivan \n", "Ivan"),
        ("\u00a0Иван\u2003", "Иван"),
        ("Cafe\u0301", "Café"),
        ("a\x00b", "ab"),
        ("ы\x00", "ы"),
        ("half \ud83d pair", "half  pair"),
        ("\ud800", ""),
        ("\u202eمرحبا", "\u202eمرحبا"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("{{ name }}", "{{ name }}"),
        ("<script>", "<script>"),
        ("   ", ""),
        ("", ""),
        ("x" * 20_000, "x" * MAX_ANSWER),
        ("я" * 20_000, "я" * MAX_ANSWER),
    ],
)
def test_extraction(written: str, text: str) -> None:
    assert extract(written) == text


@given(st.text(st.characters(), max_size=40))
def test_what_is_extracted_is_clean(written: str) -> None:
    text = extract(written)
    assert text == text.strip()
    assert "\x00" not in text
    assert unicodedata.is_normalized("NFC", text)
    assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("value", "limits", "fits"),
    [
        ("", Limits(), False),
        ("x", Limits(), True),
        ("x", Limits(min_length=2), False),
        ("xy", Limits(min_length=2, max_length=2), True),
        ("xyz", Limits(max_length=2), False),
        ("😀😀", Limits(max_length=2), True),
        ("12-34", Limits(pattern=r"\d+-\d+"), True),
        ("see 12-34", Limits(pattern=r"\d+-\d+"), False),
        ("12-34\nmore", Limits(pattern=r"\d+-\d+"), False),
        ("b", Limits(pattern="a|b"), True),
        ("ab", Limits(pattern="a|b"), False),
        ("ИВАН", Limits(pattern="(?i)иван"), True),
        ("a" * 5000, Limits(pattern="(a+)+b"), False),
        ("anything", Limits(pattern="("), True),
        ("a" * 16_000, Limits(pattern="[a-z]+"), True),
        ("ab" * 8_000, Limits(pattern=".*[ab]" + "[a-z]{0,1000}" * 60 + "x?"), False),
    ],
)
def test_limits(value: str, limits: Limits, fits: Any) -> None:
    assert is_text(value, limits) is fits


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?<=a)b", r"\1", "*", r"\Qa"])
def test_what_is_no_re2_matches_neither_way(pattern: str) -> None:
    assert matches("x", pattern) is None
    assert not is_pattern(pattern)


def test_a_pattern_must_be_whole_by_itself() -> None:
    assert not is_pattern("a)|(b")
    assert is_pattern("(?i)a|b")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Ivan", "Ivan"),
        (" Ивaн ", "Ивaн"),
        ("", "!not_text"),
        (" \n\u2003", "!not_text"),
        ("\x00\ud800", "!not_text"),
        ("😀", "😀"),
        ("{{ secret('key') }}", "{{ secret('key') }}"),
        ("x" * 20_000, "x" * MAX_ANSWER),
    ],
)
def test_a_text_is_stored_as_extracted(written: str, value: str) -> None:
    assert take("text", written) == value


def test_a_caption_answers_a_question_for_text() -> None:
    assert take("text", "It is mine", content="image") == "It is mine"


def test_a_cut_answer_ends_with_no_space() -> None:
    assert extract("x" * (MAX_ANSWER - 1) + "  y") == "x" * (MAX_ANSWER - 1)
