"""What a button carries, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dialog.presses import Press, read, write

NUMBERS = st.integers(0, 36**7 - 1)


@given(st.from_regex(r"[0-9a-f]{8}", fullmatch=True), NUMBERS, NUMBERS, st.integers(0, 36**2 - 1))
def test_what_is_written_is_read(epoch: str, run: int, ask: int, choice: int) -> None:
    data = write(epoch, run, ask, choice)
    assert len(data.encode()) <= 40
    assert read(data) == Press(epoch, run, ask, choice)


def test_the_form_is_as_documented() -> None:
    assert write("0123abcd", 1, 35, 36) == "p:0123abcd:1:z:10"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "p",
        "p:0123abcd:1:1",
        "p:0123abcd:1:1:1:1",
        "p:0123ABCD:1:1:1",
        "p:0123abc:1:1:1",
        "p:0123abcde:1:1:1",
        "p:0123abcd:-1:1:1",
        "p:0123abcd:12345678:1:1",
        "p:0123abcd:1:1:100",
        "p:0123abcd::1:1",
        "p:0123abcd:1:1:1\n",
        " p:0123abcd:1:1:1",
        "p:0123abcd:1:1:１",
        "p:0123abcd:١:1:1",
        "cook",
        "\x00",
        "\ud800",
        "🙂" * 1000,
        "p:" + "0" * 100_000,
    ],
)
def test_what_is_none_of_ours_is_not_read(data: str) -> None:
    assert read(data) is None


@given(st.text())
def test_anything_can_be_read(data: str) -> None:
    press = read(data)
    assert press is None or write(press.epoch, press.run, press.ask, press.choice).count(":") == 4
