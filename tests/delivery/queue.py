"""A FIFO queue in memory that keeps SQS' promises, and the handlers that take from it in parallel.

Its clock runs faster than ours: a wait of a minute is over soon.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.delivery.sender import Sender
from shared.queueing.consumer import Record, consume
from shared.queueing.envelopes import OutboundEnvelope, read_outbound

BATCH = 10
IDLE_SECONDS = 0.002


class FastClock:
    """So many seconds pass in each of ours."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._begun = time.monotonic()

    def passed(self) -> float:
        return (time.monotonic() - self._begun) * self._speed

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.passed())


@dataclass
class _Lying:
    message_id: str
    group: str
    body: str
    receive_count: int = 0
    visible_at: float = 0.0


@dataclass
class FifoQueue:
    """Of a group, nothing comes out while one of it is being worked on, or hidden."""

    clock: FastClock
    _groups: dict[str, deque[_Lying]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, envelope: OutboundEnvelope) -> None:
        message_id = f"{envelope.dialog_id}/{envelope.turn}"
        lying = _Lying(message_id, envelope.dialog_id, msgspec.json.encode(envelope).decode())
        self._groups.setdefault(envelope.dialog_id, deque()).append(lying)

    def is_empty(self) -> bool:
        with self._lock:
            return not any(self._groups.values())

    def receive(self) -> list[_Lying]:
        """Up to a batch, of as many groups as it takes; the groups that waited longest come first."""
        batch: list[_Lying] = []
        with self._lock:
            now = self.clock.passed()
            for name, group in list(self._groups.items()):
                if len(batch) == BATCH:
                    break
                if name in self._taken or not group or group[0].visible_at > now:
                    continue
                batch += self._take(name, group, room=min(BATCH - len(batch), 2))
        return batch

    def _take(self, name: str, group: deque[_Lying], room: int) -> list[_Lying]:
        self._taken.add(name)
        self._groups[name] = self._groups.pop(name)
        taken = list(group)[:room]
        for each in taken:
            each.receive_count += 1
        return taken

    def settle(self, batch: Sequence[_Lying], kept: set[str]) -> None:
        """Take out what is not kept, and let the groups go on."""
        with self._lock:
            for each in batch:
                if each.message_id not in kept:
                    self._groups[each.group].remove(each)
                self._taken.discard(each.group)

    def hide(self, records: Sequence[Record], seconds: float) -> None:
        with self._lock:
            until = self.clock.passed() + seconds
            for record in records:
                for lying in self._groups[record.group]:
                    if lying.message_id == record.message_id:
                        lying.visible_at = until


def work(queue: FifoQueue, sender: Sender, handlers: int, threads: int = 5) -> None:
    """Let so many handlers run at once until the queue is empty. Raises what any of them raises."""
    broken: list[BaseException] = []

    def handle() -> None:
        try:
            while not queue.is_empty() and not broken:
                _handle_batch(queue, sender, threads)
        except BaseException as error:  # noqa: BLE001 (told by the thread that waits)
            broken.append(error)

    running = [threading.Thread(target=handle) for _ in range(handlers)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if broken:
        raise broken[0]


def _handle_batch(queue: FifoQueue, sender: Sender, threads: int) -> None:
    batch = queue.receive()
    if not batch:
        time.sleep(IDLE_SECONDS)
        return

    def deliver(record: Record) -> None:
        sender.deliver(read_outbound(record.body), is_repeat=record.receive_count > 1)

    def leave(record: Record) -> None:
        if record.receive_count == 1:
            sender.leave(read_outbound(record.body))

    answer = consume(_event_of(batch), deliver, queue, threads=threads, leave=leave)
    queue.settle(batch, {failure["itemIdentifier"] for failure in answer["batchItemFailures"]})


def _event_of(batch: Sequence[_Lying]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": each.message_id,
                "receiptHandle": each.message_id,
                "body": each.body,
                "attributes": {
                    "ApproximateReceiveCount": str(each.receive_count),
                    "MessageGroupId": each.group,
                },
            }
            for each in batch
        ]
    }
