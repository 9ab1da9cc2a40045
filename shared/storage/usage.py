"""What language models cost a bot, counted by the day in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from shared.llm.usage import COUNTERS, Usage
from shared.storage.clock import Clock, utc_now
from shared.storage.tables import BotUsage

KEPT = timedelta(days=400)
"""A year back can be told on any day."""


class DynamoUsage:
    """Counters over DynamoDB: whoever adds at the same time loses nothing."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def add(self, bot_id: str, used: Usage) -> Usage:
        """Count it to today; what today has come to."""
        today = self._clock().astimezone(UTC).date()
        item = BotUsage(bot_id, today.isoformat())
        counted = [getattr(BotUsage, name).add(getattr(used, name)) for name in COUNTERS]
        item.update([*counted, BotUsage.expires_at.set(expiry_of(today))])
        return _usage_of(item)

    def of_day(self, bot_id: str, day: date) -> Usage:
        """What the day has come to by now (a consistent read)."""
        item = BotUsage.find(bot_id, day.isoformat())
        return _usage_of(item) if item else Usage()

    def days(self, bot_id: str, since: date, until: date) -> dict[date, Usage]:
        """The days from one to the other, both of them too, on which something was counted, in order."""
        if since > until:
            return {}
        within = BotUsage.day.between(since.isoformat(), until.isoformat())
        return {date.fromisoformat(item.day): _usage_of(item) for item in BotUsage.query(bot_id, within)}


def expiry_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC) + KEPT


def _usage_of(item: BotUsage) -> Usage:
    return Usage(**{name: int(getattr(item, name)) for name in COUNTERS})
