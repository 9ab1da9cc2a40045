"""Steps that an author may have made endless, and yet end in time.

While one expression is evaluated inside its library no signal or thread of Python's gets a word in. It is
bounded there, and between two expressions a step can be broken off; where a bound should not hold, only the
end of its process stops it. In a worker that would be the end of the whole batch.
"""

from __future__ import annotations

import math
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from signal import ITIMER_REAL, setitimer
from threading import current_thread, get_ident, main_thread
from time import monotonic
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

TICK_SECONDS = 0.25

AGAIN_SECONDS = 0.5
"""To the next time that a step is broken off, should it have taken the first for something else: so does what
the expression library calls, for a mistake of the author. What tidies up after a step is done long before.
"""


class TookTooLong(Exception):
    """The step was broken off."""


class _Watch:
    """Looks now and then whether the step under way should have ended, and breaks it off."""

    thread: int | None = None
    ends_at = math.inf
    has_broken_off = False

    def look(self, _signal: int, _frame: FrameType | None) -> None:
        if monotonic() > self.ends_at:
            self.has_broken_off = True
            self.ends_at = monotonic() + AGAIN_SECONDS
            raise TookTooLong


_watch = _Watch()


@contextmanager
def watched(tick_seconds: float = TICK_SECONDS) -> Iterator[None]:
    """Meanwhile steps are held to their time, in the main thread, as no other hears signals.

    Meant for a whole batch: an alarm set for each step and taken back would cost a turn a twentieth more.
    """
    if current_thread() is not main_thread():
        yield
        return
    former = signal.signal(signal.SIGALRM, _watch.look)
    _watch.thread = get_ident()
    setitimer(ITIMER_REAL, tick_seconds, tick_seconds)
    try:
        yield
    finally:
        setitimer(ITIMER_REAL, 0)
        _watch.thread = None
        signal.signal(signal.SIGALRM, former)


def within(seconds: float, step: Callable[[], T]) -> T:
    """What the step returns, which must be pure. Raises what it raises, and `TookTooLong` while watched."""
    if _watch.thread != get_ident():
        return step()
    try:
        return _timed(seconds, step)
    finally:
        _watch.ends_at = math.inf  # the first time may have been broken off itself


def _timed(seconds: float, step: Callable[[], T]) -> T:
    _watch.has_broken_off, _watch.ends_at = False, monotonic() + seconds
    try:
        made = step()
    finally:
        _watch.ends_at = math.inf
    if _watch.has_broken_off:
        raise TookTooLong  # though the step has taken that for something else, and gone on
    return made


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
