"""Requests that are carried out once, over DynamoDB. Keys: `idempotency#{digest of the request}`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from pynamodb.exceptions import DeleteError, PutError

from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused
from shared.storage.tables import Cache

LEASE: Final = timedelta(seconds=40)
"""Longer than a Lambda behind the API may run: what is not done by then never will be."""

KEPT: Final = timedelta(hours=24)


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try at a request with that `body` (a digest); `answer` is what came of it, sealed, "" before."""

    id: str
    body: str
    answer: str = ""


class DynamoAttempts:
    """Attempts, of which one at a time has a request's name, for a lease or with its answer for a day."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def begin(self, name: str, attempt: Attempt) -> Attempt | None:
        """Take the name. None if that is done; else the attempt that has it."""
        now = self._clock()
        is_free = Cache.key.does_not_exist() | (Cache.expires_at <= now)
        if _is_done(lambda: _item(name, attempt, now + LEASE).save(is_free)):
            return None
        found = Cache.find(_key(name))
        return attempt if found is None else msgspec.json.decode(found.value, type=Attempt)

    def finish(self, name: str, begun: Attempt, answer: str) -> None:
        """Keep the answer, unless the lease ran out and the name is another attempt's."""
        done = msgspec.structs.replace(begun, answer=answer)
        item = _item(name, done, self._clock() + KEPT)
        _is_done(lambda: item.save(Cache.value == _written(begun)))

    def give_up(self, name: str, begun: Attempt) -> None:
        """Free the name, unless it is another attempt's."""
        _is_done(lambda: Cache(_key(name)).delete(Cache.value == _written(begun)))


def _is_done(write: Callable[[], object]) -> bool:
    """Whether the condition of the write held."""
    try:
        write()
    except (PutError, DeleteError) as error:
        if not is_refused(error):
            raise
        return False
    return True


def _item(name: str, attempt: Attempt, expires_at: datetime) -> Cache:
    return Cache(_key(name), value=_written(attempt), expires_at=expires_at)


def _written(attempt: Attempt) -> str:
    return msgspec.json.encode(attempt).decode()


def _key(name: str) -> str:
    return f"idempotency#{name}"
