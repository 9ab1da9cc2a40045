"""Holds over DynamoDB: what senders tell one another about a bot. Keys: `hold#{bot_id}#{platform}`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

import msgspec

from shared.delivery.holds import Hold
from shared.storage.clock import Clock, utc_now
from shared.storage.tables import Cache

CACHED_SECONDS = 2.0
_REMEMBERED = 4096
"""How many bots a container may know of; beyond that it forgets all, and reads anew."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Hold)


class DynamoHolds:
    """Holds on bots, shared by all senders; each looks at a bot's every two seconds at most."""

    def __init__(self, clock: Clock = utc_now, ticks: Callable[[], float] = time.time) -> None:
        """`ticks` goes on while the Lambda is frozen."""
        self._clock = clock
        self._ticks = ticks
        self._seen: dict[str, tuple[float, Hold | None]] = {}
        self._lock = Lock()

    def get(self, bot_id: str, platform: str) -> Hold | None:
        """The hold that is on the bot, as it was at most two seconds ago."""
        key = _hold_key(bot_id, platform)
        read_at, hold = self._seen.get(key, (0.0, None))
        if self._ticks() - read_at >= CACHED_SECONDS:
            hold = self._read(key)
            self._remember(key, hold)
        return hold if hold and hold.until > self._clock() else None

    def put(self, bot_id: str, platform: str, hold: Hold) -> None:
        """Let the bot wait. Of two holds at once the later written stands: both are of this moment."""
        key = _hold_key(bot_id, platform)
        Cache(key, value=_encoder.encode(hold).decode(), expires_at=hold.until + timedelta(minutes=1)).save()
        self._remember(key, hold)

    def _read(self, key: str) -> Hold | None:
        item = Cache.find(key)
        return _decoder.decode(item.value) if item else None

    def _remember(self, key: str, hold: Hold | None) -> None:
        with self._lock:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[key] = (self._ticks(), hold)


def _hold_key(bot_id: str, platform: str) -> str:
    return f"hold#{bot_id}#{platform}"
