"""Taking a batch from a queue: the dialogs in it side by side, the messages of a dialog in order.

After a failure, the rest of its dialog is left for later as well, and all of that comes back after a
short backoff rather than after the queue's visibility timeout.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import Wait
from shared.observability import describe, logger
from shared.queueing.backoff import backoff_seconds

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_WAIT_SECONDS = 11 * 3600
"""SQS hides a message for at most 12 hours, counted from when it was received."""

_MAX_BATCH = 10


class Record(msgspec.Struct, frozen=True):
    """One message of a batch. `receive_count` is 1 the first time; `group` is the dialog's id."""

    message_id: str
    receipt_handle: str
    group: str
    receive_count: int
    body: str


class Failure(TypedDict):
    itemIdentifier: str


class BatchAnswer(TypedDict):
    """What Lambda wants to know of a batch: which messages to keep in the queue."""

    batchItemFailures: list[Failure]


Handle = Callable[[Record], None]
"""Works on one message: returns when it is done with, raises `Wait` or anything else if it is not."""


class Context(Protocol):
    """What Lambda tells about this invocation."""

    def get_remaining_time_in_millis(self) -> int: ...


class HidesRecords(Protocol):
    """Says when messages that were not done with come back."""

    def hide(self, records: Sequence[Record], seconds: float) -> None: ...


class Visibility:
    """The visibility timeouts of the messages of a queue."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def hide(self, records: Sequence[Record], seconds: float) -> None:
        """Let the records come back after that time, rounded up.

        Where SQS does not heed, they come back after the queue's visibility timeout: late, not lost.
        """
        whole_seconds = math.ceil(min(max(seconds, 0), LONGEST_WAIT_SECONDS))
        for start in range(0, len(records), _MAX_BATCH):
            try:
                self._hide(records[start : start + _MAX_BATCH], whole_seconds)
            except (ClientError, BotoCoreError) as error:
                logger.warning("visibility not changed", extra=describe(error))

    def _hide(self, records: Sequence[Record], seconds: int) -> None:
        answer = self._client.change_message_visibility_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": record.receipt_handle, "VisibilityTimeout": seconds}
                for place, record in enumerate(records)
            ],
        )
        for failed in answer.get("Failed", []):
            logger.warning("visibility not changed", extra={"code": failed["Code"]})


def consume(
    event: Mapping[str, Any],
    handle: Handle,
    visibility: HidesRecords,
    *,
    threads: int = 1,
    leave: Handle = lambda _record: None,
) -> BatchAnswer:
    """Handle every message of a Lambda event; answer which of them are to be kept.

    Up to `threads` groups are worked on at once, each in order. When a message fails, it and the rest of
    its group are kept, and come back after a backoff, or after what `Wait` says; `leave` hears of each of
    that rest before.
    """
    groups = _groups_of(event)

    def work(group: Sequence[Record]) -> Sequence[Record]:
        kept, seconds = _work(group, handle)
        if kept:
            _leave(kept[1:], leave)
            visibility.hide(kept, seconds)
        return kept

    if threads == 1 or len(groups) <= 1:
        kept = [work(group) for group in groups]
    else:
        with ThreadPoolExecutor(min(threads, len(groups))) as pool:
            kept = list(pool.map(work, groups))
    return {"batchItemFailures": [{"itemIdentifier": r.message_id} for records in kept for r in records]}


def records_of(event: Mapping[str, Any]) -> list[Record]:
    """The messages of a Lambda event from SQS. Those of a standard queue are a group each."""
    return [
        Record(
            message_id=raw["messageId"],
            receipt_handle=raw["receiptHandle"],
            group=raw["attributes"].get("MessageGroupId", raw["messageId"]),
            receive_count=int(raw["attributes"]["ApproximateReceiveCount"]),
            body=raw["body"],
        )
        for raw in event["Records"]
    ]


def _groups_of(event: Mapping[str, Any]) -> list[list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in records_of(event):
        groups.setdefault(record.group, []).append(record)
    return list(groups.values())


def _work(group: Sequence[Record], handle: Handle) -> tuple[Sequence[Record], float]:
    """Handle the group up to its first failure; what is left of it, and for how many seconds."""
    for place, record in enumerate(group):
        try:
            handle(record)
        except Wait as wait:
            _tell(record, "message waits", wait)
            return group[place:], wait.seconds
        except Exception as error:  # noqa: BLE001 - the outermost door of a worker
            _tell(record, "message failed", error)
            return group[place:], backoff_seconds(record.receive_count)
    return (), 0.0


def _leave(records: Sequence[Record], leave: Handle) -> None:
    """Up to the first that cannot be told: whatever hinders that will not be gone for the next one."""
    for record in records:
        try:
            leave(record)
        except Exception as error:  # noqa: BLE001 - the outermost door of a worker
            _tell(record, "message left unnoted", error)
            return


def _tell(record: Record, what: str, error: Exception) -> None:
    level = logging.INFO if isinstance(error, Wait) else logging.ERROR
    about = {
        "dialog_id": record.group,
        "message_id": record.message_id,
        "receive_count": record.receive_count,
    }
    logger.log(level, what, extra={**about, **describe(error)})
