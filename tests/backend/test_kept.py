from __future__ import annotations

import pytest

from shared.backend.kept import Kept, Patience
from shared.errors import Unavailable


class Source:
    """A value that can fail, and counts how often it was asked."""

    def __init__(self) -> None:
        self.value: str | None = "first"
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.value is None:
            raise OSError("down")
        return self.value


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(source: Source, clock: Clock) -> Kept[str]:
    patience = Patience(fresh_seconds=60, stale_seconds=600, pause_seconds=10)
    return Kept("the value", source, patience, clock)


def test_fresh_value_is_fetched_once(kept: Kept[str], source: Source, clock: Clock) -> None:
    for _ in range(5):
        clock.now += 11
        assert kept.get() == "first"

    assert source.asked == 1


def test_value_is_fetched_again_when_no_longer_fresh(kept: Kept[str], source: Source, clock: Clock) -> None:
    kept.get()
    source.value = "second"
    clock.now += 60

    assert kept.get() == "second"


def test_old_value_serves_while_its_source_is_down(kept: Kept[str], source: Source, clock: Clock) -> None:
    kept.get()
    source.value = None
    clock.now += 599

    assert kept.get() == "first"


def test_value_that_is_too_old_is_unavailable(kept: Kept[str], source: Source, clock: Clock) -> None:
    kept.get()
    source.value = None
    clock.now += 600

    with pytest.raises(Unavailable) as caught:
        kept.get()

    assert caught.value.retry_after_seconds == 10


def test_failing_source_is_asked_once_in_a_pause(kept: Kept[str], source: Source, clock: Clock) -> None:
    source.value = None
    for _ in range(50):
        with pytest.raises(Unavailable):
            kept.get()
    assert source.asked == 1

    source.value = "back"
    clock.now += 10
    assert kept.get() == "back"


def test_newer_fetches_once_in_a_pause(kept: Kept[str], source: Source, clock: Clock) -> None:
    kept.get()
    clock.now += 10
    source.value = "second"

    assert [kept.newer() for _ in range(50)] == ["second"] * 50
    assert source.asked == 2


def test_newer_does_not_pass_off_an_old_value(kept: Kept[str], source: Source, clock: Clock) -> None:
    kept.get()
    clock.now += 10
    source.value = None

    with pytest.raises(Unavailable):
        kept.newer()
    assert kept.get() == "first"
