"""Leases over DynamoDB. Keys: `lease#{name}`; the value is the owner."""

from __future__ import annotations

from datetime import timedelta

from pynamodb.exceptions import DeleteError, PutError

from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused
from shared.storage.tables import Cache


class DynamoLeases:
    """Fulfils `shared.media.leases.Leases`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def take(self, name: str, owner: str, seconds: float) -> bool:
        now = self._clock()
        is_free = Cache.key.does_not_exist() | (Cache.expires_at <= now) | (Cache.value == owner)
        try:
            Cache(_key(name), value=owner, expires_at=now + timedelta(seconds=seconds)).save(is_free)
        except PutError as error:
            if is_refused(error):
                return False
            raise
        return True

    def release(self, name: str, owner: str) -> None:
        try:
            Cache(_key(name)).delete(Cache.value == owner)
        except DeleteError as error:
            if not is_refused(error):
                raise


def _key(name: str) -> str:
    return f"lease#{name}"
