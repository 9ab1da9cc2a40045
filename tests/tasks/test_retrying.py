"""Trying again within one piece of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from shared.errors import TaskFailed
from shared.tasks.performing import Attempt
from shared.tasks.retrying import LONGEST_BACKOFF_SECONDS, TRIES, TryAgain, retried


@dataclass
class Time:
    """Goes on only while somebody sleeps."""

    left: float = 60.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.left -= seconds

    @property
    def attempt(self) -> Attempt:
        return Attempt(1, lambda: self.left)


def failing(*faults: Exception) -> Callable[[], str]:
    """Raises one after the other, then answers."""
    waiting = list(faults)

    def call() -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return call


def answer(time: Time, *faults: Exception) -> str:
    return retried(failing(*faults), time.attempt, sleep=time.sleep, jitter=lambda: 1.0)


def test_what_succeeds_at_once_is_not_waited_for() -> None:
    time = Time()
    assert answer(time) == "done"
    assert time.slept == []


def test_the_waits_between_tries_grow() -> None:
    time = Time()
    assert answer(time, *[TryAgain("It is down.")] * (TRIES - 1)) == "done"
    assert time.slept == [1.0, 2.0, 4.0]


def test_the_random_half_of_a_wait_keeps_callers_apart() -> None:
    time = Time()
    retried(failing(TryAgain("")), time.attempt, sleep=time.sleep, jitter=lambda: 0.0)
    assert time.slept == [0.5]


@pytest.mark.parametrize(("asked", "waited"), [(0.1, 1.0), (20.0, 20.0), (None, 1.0)])
def test_whoever_asks_to_be_left_alone_is(asked: float | None, waited: float) -> None:
    time = Time()
    assert answer(time, TryAgain("Too many calls.", asked)) == "done"
    assert time.slept == [waited]


def test_no_backoff_of_our_own_is_long() -> None:
    time = Time(left=1000)
    faults = [TryAgain("It is down.")] * 9
    retried(failing(*faults), time.attempt, tries=10, sleep=time.sleep, jitter=lambda: 1.0)
    assert max(time.slept) == LONGEST_BACKOFF_SECONDS


def test_after_enough_tries_the_last_reason_is_told() -> None:
    time = Time()
    with pytest.raises(TaskFailed, match=r"^It is still down\.$"):
        answer(time, *[TryAgain("It is down.")] * (TRIES - 1), TryAgain("It is still down."))
    assert len(time.slept) == TRIES - 1


@pytest.mark.parametrize(("left", "asked"), [(0.9, None), (19.0, 20.0), (20.0, 20.0)])
def test_nobody_waits_for_a_try_that_comes_too_late(left: float, asked: float | None) -> None:
    time = Time(left)
    with pytest.raises(TaskFailed, match="It is down"):
        answer(time, TryAgain("It is down.", asked))
    assert time.slept == []


def test_any_other_fault_is_not_tried_again() -> None:
    time = Time()
    with pytest.raises(KeyError):
        answer(time, KeyError("ours"))
    assert time.slept == []
