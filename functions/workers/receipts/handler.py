"""Receipts: what messengers tell of messages afterwards goes to the history.

That somebody cannot be reached, or a credential is refused, is told as the sender tells it. What can be said
in another way goes to the sender once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared import aws
from shared.delivery.failures import Failures
from shared.delivery.receipts import ReceiptBook
from shared.delivery.reports import Reports
from shared.observability import count, logger
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import ReceiptEnvelope, read_receipt
from shared.queueing.giving_up import UnorderedDeadLetters, giving_up
from shared.queueing.producer import SqsInbound, SqsOutbound
from shared.settings import ReceiptsSettings
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.names import DynamoMessageNames

THREADS = 5
"""Receipts of a batch that are put down at once; each waits for one call."""

_settings = ReceiptsSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.receipts_queue_url)
_dead_letters = UnorderedDeadLetters(_sqs, _settings.receipts_dlq_url)
_reports = Reports(SqsInbound(_sqs, _settings.inbound_queue_url), DynamoCredentials(aws.client("kms")))
_history = DynamoHistory()
_outbound = SqsOutbound(_sqs, _settings.outbound_queue_url)
_failures = Failures(DynamoDialogs(), _history, _outbound, _reports)
_book = ReceiptBook(_history, DynamoMessageNames(), _failures)


def lambda_handler(event: Mapping[str, Any], _context: Context) -> BatchAnswer:
    """Answer which messages of the batch are to be kept."""
    return consume(event, giving_up(_put, _bury, "receipts"), _visibility, threads=THREADS)


def _put(record: Record) -> None:
    envelope = read_receipt(record.body)
    is_found = _book.put(envelope, record.receive_count)
    _tell(envelope, is_found=is_found)


def _tell(envelope: ReceiptEnvelope, *, is_found: bool) -> None:
    about = {"trace_id": envelope.trace_id, "bot_id": envelope.bot_id, "platform": envelope.platform}
    logger.info("receipt taken in", extra={**about, "status": envelope.status, "found": is_found})
    if not is_found:
        count("unmatched_receipts", bot_id=envelope.bot_id, platform=envelope.platform)
    elif envelope.status == "failed":
        count("failed_receipts", bot_id=envelope.bot_id, platform=envelope.platform)


def _bury(record: Record, error: Exception) -> None:
    try:
        _dead_letters.put(read_receipt(record.body), error)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
