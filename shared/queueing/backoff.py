"""How long to wait before another try."""

from __future__ import annotations

import random
from collections.abc import Callable


def backoff_seconds(
    failures: int, jitter: Callable[[], float] = random.random, *, longest: float = 60.0
) -> float:
    """1 to 2 s after the first failure, twice that after each further one, up to `longest`.

    The random half keeps those that failed together from coming back together.
    """
    whole = min(2.0 ** min(failures, 64), longest)
    return whole * (0.5 + jitter() / 2)
