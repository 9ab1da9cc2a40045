"""Messengers' names of messages over DynamoDB, for receipts that know no other.

Keys: `message#{bot_id}#{platform}#{message_id}`.
"""

from __future__ import annotations

from datetime import timedelta

from shared.storage.clock import Clock, utc_now
from shared.storage.tables import Cache

RECEIPTS_COME_WITHIN = timedelta(days=14)
"""A message that is not opened in that time stays as delivered."""


class DynamoMessageNames:
    """Which delivery a messenger means by its own name of a message, for those that know no other."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def put(self, bot_id: str, platform: str, message_id: str, delivery_id: str) -> None:
        expires_at = self._clock() + RECEIPTS_COME_WITHIN
        Cache(_message_key(bot_id, platform, message_id), value=delivery_id, expires_at=expires_at).save()

    def get(self, bot_id: str, platform: str, message_id: str) -> str | None:
        """The delivery id, or None."""
        item = Cache.find(_message_key(bot_id, platform, message_id))
        return item.value if item and item.expires_at > self._clock() else None


def _message_key(bot_id: str, platform: str, message_id: str) -> str:
    return f"message#{bot_id}#{platform}#{message_id}"
