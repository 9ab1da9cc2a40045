"""A value that somebody else keeps for us, fetched when needed and not too often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from threading import Lock
from typing import Generic, TypeVar

from shared.errors import Unavailable
from shared.observability import describe

T = TypeVar("T")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a value is fresh, how old it may get while its source fails, and the pause between tries."""

    fresh_seconds: float = 600
    stale_seconds: float = 3600
    pause_seconds: float = 15


class Kept(Generic[T]):
    """The value of `fetch`, which raises `OSError` (in words fit for the log) where it cannot be had.

    A source that fails is not asked again before a pause; until then the last value serves.
    """

    def __init__(
        self,
        what: str,
        fetch: Callable[[], T],
        patience: Patience = Patience(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._fetch = fetch
        self._patience = patience
        self._clock = clock
        self._lock = Lock()
        self._value: T | None = None
        self._fetched_at = self._tried_at = -inf
        self._failed = False

    def get(self) -> T:
        """The value, never older than it may get. Raises `Unavailable`."""
        with self._lock:
            if self._age() >= self._patience.fresh_seconds:
                self._try()
            if self._value is None or self._age() >= self._patience.stale_seconds:
                raise self._unavailable()
            return self._value

    def newer(self) -> T:
        """As `get`, but fetched anew unless that was tried a moment ago.

        Raises `Unavailable` also when a value is at hand but the last fetch failed: the caller knows
        that value, and asks what the source says now.
        """
        with self._lock:
            self._try()
            if self._value is None or self._failed:
                raise self._unavailable()
            return self._value

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _try(self) -> None:
        now = self._clock()
        if now - self._tried_at < self._patience.pause_seconds:
            return
        self._tried_at = now
        try:
            self._value = self._fetch()
        except OSError as error:
            _logger.warning("%s could not be fetched: %s", self._what, error, extra=describe(error))
            self._failed = True
        else:
            self._fetched_at, self._failed = now, False

    def _unavailable(self) -> Unavailable:
        return Unavailable(self._what, retry_after_seconds=round(self._patience.pause_seconds))
