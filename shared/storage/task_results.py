"""Results of tasks over DynamoDB. Keys: `task#{dialog_id}:{epoch}:{number}`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
from pynamodb.exceptions import PutError

from shared.queueing.envelopes import task_id_of
from shared.storage.batches import deleting
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused
from shared.storage.tables import Cache
from shared.tasks.results import TaskResult

KEPT = timedelta(days=1)
"""For longer than a task's message comes back to its queue."""

LATEST = 100
"""Timers and tasks of a dialog among which those are that may have a result still."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(TaskResult)


class DynamoTaskResults:
    """Fulfils `shared.tasks.results.TaskResults`; one that is there stands until DynamoDB deletes it."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def find(self, task_id: str) -> TaskResult | None:
        item = Cache.find(_key(task_id))
        return _decoder.decode(item.value) if item else None

    def keep(self, task_id: str, result: TaskResult) -> TaskResult:
        value, expires_at = _encoder.encode(result).decode(), self._clock() + KEPT
        try:
            Cache(_key(task_id), value=value, expires_at=expires_at).save(Cache.key.does_not_exist())
        except PutError as error:
            if is_refused(error):
                return self.find(task_id) or self.keep(task_id, result)
            raise
        return result

    def remove(self, dialog_id: str, epoch: str, serial: int) -> Iterator[None]:
        """Those of a dialog's last tasks up to the number `serial`, one call for each step."""
        numbers = range(max(1, serial - LATEST + 1), serial + 1)
        ids = (task_id_of(dialog_id, epoch, number) for number in numbers)
        yield from deleting(Cache, (Cache(_key(task_id)) for task_id in ids))


def _key(task_id: str) -> str:
    return f"task#{task_id}"
