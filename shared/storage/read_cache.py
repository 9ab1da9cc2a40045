"""What was read a moment ago, kept in memory, so that the warm path of a Lambda reads it no more."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_Key = tuple[str, str]


class _Entry(msgspec.Struct, Generic[T], frozen=True):
    value: T | None
    loaded_at: float


class _Recent(Generic[T]):
    """The entries used last; safe between threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[_Key, _Entry[T]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: _Key) -> _Entry[T] | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: _Key, entry: _Entry[T]) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def drop(self, key: _Key) -> None:
        with self._lock:
            self._entries.pop(key, None)


class ReadCache(Generic[T]):
    """What bots have under a name, each for `seconds`; that there is none, for `unknown_seconds`.

    What exists and what does not are kept apart, so that a flood of made-up bot ids pushes nothing real
    out.
    """

    def __init__(
        self,
        load: Callable[[str, str], T | None],
        seconds: float = 30,
        *,
        unknown_seconds: float = 5,
        capacity: int = 256,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` goes on while the Lambda is frozen."""
        self._load = load
        self._seconds = seconds
        self._unknown_seconds = unknown_seconds
        self._known = _Recent[T](capacity)
        self._unknown = _Recent[T](capacity)
        self._clock = clock

    def get(self, bot_id: str, name: str) -> T | None:
        """What was read, at most `seconds` ago, or None if there is none."""
        key = (bot_id, name)
        entry = self._known.get(key)
        if entry is not None and entry.value is not None and self._age(entry) < self._lifetime(entry.value):
            return entry.value
        return self._unless_unknown(key)

    def refresh(self, bot_id: str, name: str) -> T | None:
        """What is read anew, for a proof that failed: the secret may have been changed.

        The last one read is good enough while younger than `unknown_seconds`: whoever forges proofs
        cannot make us read more often than that.
        """
        entry = self._known.get((bot_id, name))
        if entry is not None and self._age(entry) < self._unknown_seconds:
            return entry.value
        return self._unless_unknown((bot_id, name))

    def _unless_unknown(self, key: _Key) -> T | None:
        entry = self._unknown.get(key)
        if entry is not None and self._age(entry) < self._unknown_seconds:
            return None
        return self._read(key)

    def _read(self, key: _Key) -> T | None:
        entry = _Entry(self._load(*key), self._clock())
        gained, lost = (self._unknown, self._known) if entry.value is None else (self._known, self._unknown)
        gained.put(key, entry)
        lost.drop(key)
        return entry.value

    def _lifetime(self, _value: T) -> float:
        return self._seconds

    def _age(self, entry: _Entry[T]) -> float:
        return self._clock() - entry.loaded_at
