from __future__ import annotations

import pytest

from tests.benchmarks.against_aiogram import Comparison, compare


@pytest.mark.parametrize("press", [False, True], ids=["typed", "pressed"])
def test_both_bots_hold_the_same_conversation(*, press: bool) -> None:
    comparison = compare(press=press, chats=8, rounds=1)
    assert comparison.parley_us > 0
    assert comparison.aiogram_us > 0


@pytest.mark.parametrize(("parley_us", "is_missed"), [(100, False), (101, True)])
def test_the_limit_is_an_eighth(parley_us: float, *, is_missed: bool) -> None:
    comparison = Comparison("typed", parley_us, 800, median_ratio=0.2)
    assert comparison.is_missed is is_missed
    assert ("MISSED" in comparison.line()) is is_missed
