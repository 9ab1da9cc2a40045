"""What cannot be done is put where a person will find it, so that the rest of its group can go on.

A fault outside of us (AWS, a queue, a lost race) is never a reason: such a message is retried until it
succeeds, for what it asks for may be half done. Anything else is a fault of ours or of the message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from shared.errors import Again, Later
from shared.observability import count, describe, logger
from shared.queueing.consumer import Handle, Record
from shared.queueing.envelopes import Deletion, OrderedEnvelope, ReceiptEnvelope
from shared.queueing.producer import body_of, dead_letter, told_as_not_accepted

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

TRIES = 5
"""How often a message is received before it is given up."""

_OUTSIDE = (Later, Again, BotoCoreError, ClientError, PynamoDBException)

Bury = Callable[[Record, Exception], None]
"""Puts a message, with the reason, into a dead-letter queue; raises if that fails: then it stays."""


def giving_up(
    handle: Handle, bury: Bury, queue: str, tries_of: Callable[[Exception], int] = lambda _error: TRIES
) -> Handle:
    """The handler, but burying what still fails on its fifth receive; `queue` names it in the counter.

    `tries_of` may say of an error that another receive is the last.
    """

    def handle_or_bury(record: Record) -> None:
        try:
            handle(record)
        except _OUTSIDE:
            raise
        except Exception as error:
            if record.receive_count < tries_of(error):
                raise
            bury(record, error)
            logger.error("message given up", extra={"dialog_id": record.group, **describe(error)})
            count("given_up", queue=queue)

    return handle_or_bury


class DeadLetters:
    """A dead-letter queue, for envelopes with their reason and for bodies that are none."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, record: Record, envelope: OrderedEnvelope, error: Exception | str) -> None:
        """What the record holds. Put in twice, it is there once; redriven, and given up for the same reason a
        minute later, it is there again. Raises `NotAccepted`.
        """
        reason = error if isinstance(error, str) else _reason_of(error)
        given_up = msgspec.structs.replace(envelope, failure=reason)
        dead_letter(self._client, self._queue_url, given_up, record.message_id)

    def put_unread(self, record: Record) -> None:
        """A body that is no envelope of ours, as it came."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=record.body,
            MessageGroupId=record.group,
            MessageDeduplicationId=record.message_id,
        )


class UnorderedDeadLetters:
    """The dead-letter queue of what keeps no order: receipts, deletions."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, envelope: ReceiptEnvelope | Deletion, error: Exception) -> None:
        """Raises `NotAccepted`."""
        self._send(body_of(msgspec.structs.replace(envelope, failure=_reason_of(error))))

    def put_unread(self, record: Record) -> None:
        """A body that is no envelope of ours, as it came. Raises `NotAccepted`."""
        self._send(record.body)

    def _send(self, body: str) -> None:
        with told_as_not_accepted(self._queue_url):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)


def _reason_of(error: Exception) -> str:
    """A kind and a place, never what a person wrote."""
    described = describe(error)
    return f"{described['error']}: {described.get('says', '')} ({described['at']})"
