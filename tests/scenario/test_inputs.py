"""The stages of an answer: what is extracted, what fits, which choice was typed."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.dialog.state import Choice
from shared.scenario.caps import MAX_ANSWER
from shared.scenario.inputs import Limits, choice_typed, comparable, extract, is_pattern, is_text, matches


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
    ("text", "reduced"),
    [
        ("Cook", "cook"),
        ("  COOK!!! ", "cook"),
        ("«Повар».", "повар"),
        ("👨\u200d🍳 Cook", "cook"),
        ("Cook 👍🏻", "cook"),
        ("❤️ love", "love"),
        ("1️⃣", "1"),
        ("2.", "2"),
        ("(3)", "3"),
        ("№ 4", "4"),
        ("٣", "3"),
        ("१२ items", "12 items"),
        ("１", "1"),
        ("-1", "-1"),
        ("−1", "-1"),
        ("- 1", "1"),
        ("— yes", "yes"),
        ("-yes-", "yes"),
        ("1-2", "1-2"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("Cafe\u0301", "café"),
        ("\u200eنعم\u200f", "نعم"),
        ("👍", "👍"),
        ("👍🏿", "👍"),
        ("❤️", "❤"),
        ("…", "…"),
        ("😀 ?", "?"),
        ("rock'n'roll", "rock'n'roll"),
        ("/start", "/start"),
        ("C++", "c++"),
        ("", ""),
        ("  ", ""),
        ("\u200b", "\u200b"),
    ],
)
def test_people_compare_by_less_than_they_write(text: str, reduced: str) -> None:
    assert comparable(text) == reduced


@given(st.text(max_size=30))
@example("e\u200d\u0301")
@example("ΐ")
@example("🏿")
@example("--1")
def test_reducing_twice_changes_nothing(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)


YES_NO = (Choice("Yes", value=True, labels=("Yes", "Да")), Choice("No", value=False, labels=("No", "Нет")))
CITIES = (Choice("Москва", "msk"), Choice("Kazan", "kzn"), Choice("Omsk", "2"))
SCORES = (Choice("5", 1), Choice("4", 2), Choice("Skip", -1))
THUMBS = (Choice("👍", "good"), Choice("👎", "bad"))
NAMES = (Choice("Ann", "a"), Choice("Bob", "b"), Choice("Cid", "c"))


@pytest.mark.parametrize(
    ("choices", "typed", "index"),
    [
        (YES_NO, "yes", 0),
        (YES_NO, "Нет!", 1),
        (YES_NO, "true", 0),
        (YES_NO, "2", 1),
        (YES_NO, "3", None),
        (YES_NO, "0", None),
        (YES_NO, "-1", None),
        (YES_NO, "perhaps", None),
        (YES_NO, "", None),
        (NAMES, "٢", 1),
        (NAMES, "2)", 1),
        (NAMES, "c", 2),
        (NAMES, "1000000000000", None),
        (CITIES, "KZN", 1),
        (CITIES, "москва 🏙", 0),
        (CITIES, "2", 2),
        (CITIES, "1", None),
        (SCORES, "5", 0),
        (SCORES, "٥", 0),
        (SCORES, "1", 0),
        (SCORES, "-1", 2),
        (SCORES, "3", None),
        (THUMBS, "👍🏽", 0),
        (THUMBS, "👎", 1),
        (THUMBS, "👎👎", None),
        (THUMBS, "1", 0),
        ((), "1", None),
    ],
)
def test_a_choice_is_typed_by_label_then_value_then_position(
    choices: tuple[Choice, ...], typed: str, index: int | None
) -> None:
    assert choice_typed(typed, choices) == index


def test_a_label_wins_over_a_value() -> None:
    reversed_scale = (Choice("1", 3), Choice("2", 2), Choice("3", 1))
    assert [choice_typed(typed, reversed_scale) for typed in "123"] == [0, 1, 2]


def test_positions_can_be_off() -> None:
    assert choice_typed("2", NAMES, by_position=False) is None
    assert choice_typed("bob", NAMES, by_position=False) == 1


@pytest.mark.parametrize("number", [7, "7", "1 000", "2,5", "-3", "7."])
def test_positions_are_off_beside_a_number(number: Any) -> None:
    assert choice_typed("1", (Choice("A", "a"), Choice("B", number))) is None
    assert choice_typed("1", (Choice("A", "a"), Choice(str(number), "b"))) is None


@given(st.lists(st.text(min_size=1, max_size=8).filter(comparable), min_size=1, max_size=5), st.data())
def test_a_label_as_shown_is_always_understood(labels: list[str], data: st.DataObject) -> None:
    choices = tuple(Choice(label, f"value {n}") for n, label in enumerate(labels))
    label = data.draw(st.sampled_from(labels))
    index = choice_typed(label, choices)
    assert index is not None
    assert comparable(labels[index]) == comparable(label)
