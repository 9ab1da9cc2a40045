"""Whether a step ends in time, found out at no risk.

An author's expression can take minutes inside the expression library, where no signal or thread of Python's
gets a word in: only the end of its process stops it. In a worker that would be the end of the whole batch.
"""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from select import select


def ends_within(seconds: float, step: Callable[[], object]) -> bool:
    """Whether the step, which must be pure, returns or fails within the time, in a process of its own."""
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
