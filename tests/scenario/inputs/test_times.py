"""Times of day, as people write them."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.expressions import Environment
from shared.scenario.inputs import Limits
from tests.scenario.inputs.answers import take


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("18:30", "18:30"),
        ("18.30", "18:30"),
        ("18 30", "18:30"),
        ("18h30", "18:30"),
        ("18ч30", "18:30"),
        ("1830", "18:30"),
        ("0000", "00:00"),
        ("18", "18:00"),
        ("18 h", "18:00"),
        ("18 ч.", "18:00"),
        ("6", "06:00"),
        ("6:05", "06:05"),
        ("00:00", "00:00"),
        ("23:59:59", "23:59"),
        ("6 pm", "18:00"),
        ("6PM", "18:00"),
        ("6:30 p.m.", "18:30"),
        ("6:30 a. m.", "06:30"),
        ("12 am", "00:00"),
        ("12:30 pm", "12:30"),
        ("٦:٣٠", "06:30"),
        ("１８：３０", "18:30"),
        ("१८:३०", "18:30"),
        (" 18:30\x00 ", "18:30"),
    ],
)
def test_a_time(written: str, value: str) -> None:
    assert take("time", written) == value


@pytest.mark.parametrize(
    "written",
    [
        "", "24:00", "18:60", "6:5", "18:30:60", "18-30", "18-20", "-1", "183", "18300", "13 pm", "0 am",
        "6 xm", "noon", "half past six", "at 6", "6 o'clock", "{{ 6 }}", "<b>6</b>", "6️⃣", "6" * 20_000,
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(written: str) -> None:
    assert take("time", written) == "!not_time"


@pytest.mark.parametrize(
    ("limits", "fitting", "refused"),
    [
        (Limits(min="12:00", max="22:30"), ["12", "18:30", "10:30 pm"], ["11:59", "22:31", "0:00"]),
        (Limits(min="9:00"), ["9", "10"], ["8:59"]),
        (Limits(max=Environment({}).compile("'18:00'")), ["18"], ["18:01"]),
        (Limits(max=Environment({}).compile("18")), ["23:59"], []),
        (Limits(min="late"), ["0:00"], []),
    ],
)
def test_limits_of_a_time(limits: Limits, fitting: list[str], refused: list[str]) -> None:
    assert all(take("time", each, limits=limits) != "!not_time" for each in fitting)
    assert all(take("time", each, limits=limits) == "!not_time" for each in refused)


@given(st.times())
def test_a_time_as_printed_can_be_typed_again(of: time) -> None:
    assert take("time", f"{of:%H:%M}") == f"{of:%H:%M}"
