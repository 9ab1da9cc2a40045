"""Credentials in memory, so that the warm path of a webhook or a send reads none."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from shared.credential import Credential

Load = Callable[[str, str], Credential | None]

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    credential: Credential | None
    loaded_at: float


class _Recent:
    """The entries used last; safe between threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._lock = Lock()

    def get(self, key: _Key) -> _Entry | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: _Key, entry: _Entry) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def drop(self, key: _Key) -> None:
        with self._lock:
            self._entries.pop(key, None)


class CredentialCache:
    """Credentials by bot and platform, each for `seconds`; that there is none, or that it is switched off,
    for `unknown_seconds`: what comes meanwhile is dropped, also just after somebody switches it on.

    What exists and what does not are kept apart, so that a flood of made-up bot ids pushes no real
    credential out. `load` is `DynamoCredentials.reveal` or the like.
    """

    def __init__(
        self,
        load: Load,
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
        self._known = _Recent(capacity)
        self._unknown = _Recent(capacity)
        self._clock = clock

    def get(self, bot_id: str, platform: str) -> Credential | None:
        """The credential, at most `seconds` old, or None if there is none."""
        key = (bot_id, platform)
        entry = self._known.get(key)
        if entry is not None and self._age(entry) < self._lifetime(entry):
            return entry.credential
        return self._unless_unknown(key)

    def refresh(self, bot_id: str, platform: str) -> Credential | None:
        """The credential read anew, for a signature that failed: the secret may have been changed.

        The last one read is good enough while younger than `unknown_seconds`: whoever forges signatures
        cannot make us read more often than that.
        """
        entry = self._known.get((bot_id, platform))
        if entry is not None and self._age(entry) < self._unknown_seconds:
            return entry.credential
        return self._unless_unknown((bot_id, platform))

    def _unless_unknown(self, key: _Key) -> Credential | None:
        entry = self._unknown.get(key)
        if entry is not None and self._age(entry) < self._unknown_seconds:
            return None
        return self._read(key)

    def _read(self, key: _Key) -> Credential | None:
        entry = _Entry(self._load(*key), self._clock())
        gained, lost = (self._known, self._unknown) if entry.credential else (self._unknown, self._known)
        gained.put(key, entry)
        lost.drop(key)
        return entry.credential

    def _lifetime(self, entry: _Entry) -> float:
        is_active = entry.credential is not None and entry.credential.is_active
        return self._seconds if is_active else self._unknown_seconds

    def _age(self, entry: _Entry) -> float:
        return self._clock() - entry.loaded_at
