"""Trying again within one piece of work: somebody waits for it, so it does not go back to the queue."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from shared.errors import TaskFailed
from shared.queueing.backoff import backoff_seconds
from shared.tasks.performing import Attempt

T = TypeVar("T")

TRIES = 4
"""With somebody outside of us who does not answer as they should."""

LONGEST_BACKOFF_SECONDS = 8.0
"""What somebody asks for themselves may be longer."""


class TryAgain(Exception):
    """Somebody outside of us has a passing fault; says which, for people.

    `after_seconds` is how long they ask to be left alone, where they do.
    """

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


def retried(
    call: Callable[[], T],
    attempt: Attempt,
    *,
    tries: int = TRIES,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """What the call returns, made anew after each `TryAgain` as long as there is time for that.

    Raises `TaskFailed` with the last reason once there is none, and whatever else the call raises.
    """
    failures = 0
    while True:
        try:
            return call()
        except TryAgain as fault:
            failures += 1
            wait = _wait(fault, failures, jitter)
            if failures >= tries or wait >= attempt.seconds_left():
                raise TaskFailed(fault.reason) from None
        sleep(wait)


def _wait(fault: TryAgain, failures: int, jitter: Callable[[], float]) -> float:
    backoff = backoff_seconds(failures - 1, jitter, longest=LONGEST_BACKOFF_SECONDS)
    return max(backoff, fault.after_seconds or 0.0)
