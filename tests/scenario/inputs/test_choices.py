"""Choices that a person typed: one, or several."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.dialog.state import Choice
from shared.scenario.inputs import NO_LIMITS, Limits, as_typed, choice_typed, choices_typed, comparable
from tests.scenario.inputs.answers import take


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


MEALS = (
    Choice("Soup", "soup"),
    Choice("Fish, chips and peas", "fish"),
    Choice("Tea", "tea", labels=("Tea", "Чай")),
    Choice("Iced tea", "iced"),
    Choice("Salt & pepper", "salt"),
)
NUMBERS = (Choice("1", 10), Choice("2", 20), Choice("3", 30))


@pytest.mark.parametrize(
    ("choices", "typed", "taken"),
    [
        (MEALS, "1,3", (0, 2)),
        (MEALS, "1, 3", (0, 2)),
        (MEALS, "3 1", (0, 2)),
        (MEALS, "1; 3.", (0, 2)),
        (MEALS, "1\n3", (0, 2)),
        (MEALS, "1 and 3", (0, 2)),
        (MEALS, "1 и 3", (0, 2)),
        (MEALS, "1 + 3", (0, 2)),
        (MEALS, "١،٣", (0, 2)),
        (MEALS, "١, ٣", (0, 2)),
        (MEALS, "1,1,1", (0,)),
        (MEALS, "2", (1,)),
        (MEALS, "soup", (0,)),
        (MEALS, "Soup, Tea", (0, 2)),
        (MEALS, "1、3", (0, 2)),
        (MEALS, "суп, чай", None),
        (MEALS, "SOUP чай", (0, 2)),
        (MEALS, "iced tea", (3,)),
        (MEALS, "iced tea and tea", (2, 3)),
        (MEALS, "fish, chips and peas", (1,)),
        (MEALS, "Soup, fish, chips and peas, tea", (0, 1, 2)),
        (MEALS, "salt & pepper & soup", (0, 4)),
        (MEALS, "1, soup", (0,)),
        (MEALS, "1,9", None),
        (MEALS, "1,0", None),
        (MEALS, "soup please", None),
        (MEALS, "and", None),
        (MEALS, "and 1", None),
        (MEALS, "1 and", None),
        (MEALS, "1-3", None),
        (MEALS, "", None),
        (MEALS, ",;, ", None),
        (MEALS, "{{ 1 }}", (0,)),
        (MEALS, "1 " * 500, None),
        (NUMBERS, "1, 3", (0, 2)),
        (NUMBERS, "10 30", (0, 2)),
        (NUMBERS, "4", None),
        ((), "1", None),
    ],
)
def test_several_choices_are_typed(
    choices: tuple[Choice, ...], typed: str, taken: tuple[int, ...] | None
) -> None:
    assert choices_typed(typed, choices, NO_LIMITS) == taken


@pytest.mark.parametrize(
    ("limits", "typed", "taken"),
    [
        (Limits(min=2), "1", None),
        (Limits(min=2), "1,1", None),
        (Limits(min=2), "1,2", (0, 1)),
        (Limits(max=2), "1,2,3", None),
        (Limits(max=2), "1,2", (0, 1)),
        (Limits(min=1, max=1), "1", (0,)),
        (Limits(min="no number"), "1", (0,)),
    ],
)
def test_limits_count_choices(limits: Limits, typed: str, taken: tuple[int, ...] | None) -> None:
    assert choices_typed(typed, MEALS, limits) == taken


@given(
    st.lists(st.sampled_from(MEALS), min_size=1, unique=True), st.sampled_from([", ", "; ", "\n", " and "])
)
def test_labels_as_shown_are_always_understood_together(shown: list[Choice], between: str) -> None:
    typed = between.join(choice.label for choice in shown)
    taken = choices_typed(typed, MEALS, NO_LIMITS)
    assert taken is not None
    assert {MEALS[index] for index in taken} == set(shown)


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=8), max_size=5))
@example("1," * 100, ["1"] * 5)
def test_any_text_and_any_labels_can_be_compared(text: str, labels: list[str]) -> None:
    choices = tuple(Choice(label, label) for label in labels)
    taken = choices_typed(text, choices, NO_LIMITS)
    assert taken is None or all(0 <= index < len(choices) for index in taken)


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("cook", "cook"),
        (True, "true"),
        (False, "false"),
        (-1, "-1"),
        (1.5, "1.5"),
        (5.0, "5.0"),
        (1.125, "1.1250"),
    ],
)
def test_a_value_as_typed(value: Any, typed: str) -> None:
    assert as_typed(value) == typed


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(-1e15, 1e15), st.sampled_from(["en", "ru", "de"]))
def test_the_value_of_a_quick_reply_is_read_as_it_is(value: Any, language: str) -> None:
    kind = "number" if isinstance(value, float) else "integer"
    if "e" not in str(value):
        assert take(kind, as_typed(value), language) == value
