"""How far rows have come on their way to main systems, over DynamoDB. Keys: `synced#{place}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused
from shared.storage.tables import Cache
from shared.tasks.sync_records import Turn

KEPT: Final = timedelta(days=100)
"""Longer than anything refused is kept."""


class _Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """The serial of the row that is there; and of the one that is being put, until when it may be."""

    serial: int = 0
    putting: int = 0
    until: datetime | None = None


class DynamoSyncMarks:
    """Fulfils `shared.tasks.sync_records.Marks`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def begin(self, place: str, serial: int, seconds: float) -> Turn:
        found, mark = _read(place)
        now = self._clock()
        if mark.serial > serial:
            return "late"
        if mark.until is not None and mark.until > now:
            return "taken"
        until = now + timedelta(seconds=seconds)
        taken = msgspec.structs.replace(mark, putting=serial, until=until)
        return "ours" if self._save(place, taken, found) else "taken"

    def end(self, place: str, serial: int, *, is_put: bool) -> None:
        found, mark = _read(place)
        if mark.putting == serial:
            there = max(mark.serial, serial) if is_put else mark.serial
            self._save(place, _Mark(there), found)

    def _save(self, place: str, mark: _Mark, found: Cache | None) -> bool:
        value = msgspec.json.encode(mark).decode()
        try:
            Cache(_key(place), value=value, expires_at=self._clock() + KEPT).save(_unchanged(found))
        except PutError as error:
            if is_refused(error):
                return False
            raise
        return True


def _read(place: str) -> tuple[Cache | None, _Mark]:
    found = Cache.find(_key(place))
    return found, msgspec.json.decode(found.value, type=_Mark) if found else _Mark()


def _unchanged(found: Cache | None) -> Condition:
    return Cache.key.does_not_exist() if found is None else Cache.value == found.value


def _key(place: str) -> str:
    return f"synced#{place}"
