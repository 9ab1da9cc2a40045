"""Steps that an author may have made endless, and yet end in time.

While one expression is evaluated inside its library no signal or thread of Python's gets a word in. It is
bounded there, and between two expressions a step can be broken off; where a bound should not hold, only the
end of its process stops it. In a worker that would be the end of the whole batch.
"""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from functools import cache
from select import select
from signal import ITIMER_REAL, setitimer
from threading import current_thread, main_thread
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

_AGAIN_SECONDS = 0.5
"""To the next alarm: in what the expression library calls, one is taken for a mistake of the author."""


class TookTooLong(Exception):
    """The step was broken off."""


def within(seconds: float, step: Callable[[], T]) -> T:
    """What the step returns, which must be pure. Raises what it raises, and `TookTooLong`.

    Only a main thread hears of the time. The others of ours are threads of tests.
    """
    if current_thread() is not main_thread():
        return step()
    _hear_the_alarm()
    try:
        return _timed(seconds, step)
    except TookTooLong:
        setitimer(ITIMER_REAL, 0)  # it may have come while the timer was being stopped
        raise


def _timed(seconds: float, step: Callable[[], T]) -> T:
    _alarm.has_rung = False
    setitimer(ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        made = step()
    finally:
        setitimer(ITIMER_REAL, 0)
    if _alarm.has_rung:
        raise TookTooLong  # though the step has taken that for something else, and gone on
    return made


class _Alarm:
    has_rung = False

    def ring(self, _signal: int, _frame: FrameType | None) -> None:
        self.has_rung = True
        raise TookTooLong


_alarm = _Alarm()


@cache
def _hear_the_alarm() -> None:
    """Once and for all: without a timer there is none to hear, and each turn would take longer for it."""
    signal.signal(signal.SIGALRM, _alarm.ring)


def ends_within(seconds: float, step: Callable[[], object]) -> bool:
    """Whether the step, which must be pure, returns or fails within the time, in a process of its own.

    So it is found out at no risk, and at the price of a process.
    """
    ends_with_child, held_by_child = os.pipe()
    with warnings.catch_warnings():
        # of locks that other threads may hold at this moment; the child takes none
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _run_and_exit(step)
    os.close(held_by_child)
    try:
        return bool(select([ends_with_child], [], [], seconds)[0])
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ends_with_child)


def _run_and_exit(step: Callable[[], object]) -> None:
    """Nothing of the parent's is tidied up, flushed or told: it will make the step itself."""
    try:
        step()
    finally:
        os._exit(0)
