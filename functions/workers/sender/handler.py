"""The sender: turns from `outbound` become messages at the messenger, each recorded in the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import msgspec

from shared import aws
from shared.delivery.sender import Sender
from shared.delivery.transport import HttpTransport
from shared.observability import logger
from shared.platforms import adapter_for
from shared.platforms.base import PlatformAdapter
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_outbound
from shared.queueing.giving_up import DeadLetters, giving_up
from shared.settings import SenderSettings
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.storage.history import DynamoHistory

THREADS = 5
"""Dialogs of a batch that are worked on at once; they mostly wait for messengers."""


_settings = SenderSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.outbound_queue_url)
_dead_letters = DeadLetters(_sqs, _settings.outbound_dlq_url)
_history = DynamoHistory()
_credentials = CredentialCache(DynamoCredentials(aws.client("kms")).reveal)
_transport = HttpTransport()


@cache
def _adapter_of(platform: str) -> PlatformAdapter:
    return adapter_for(platform, _settings)


def lambda_handler(event: Mapping[str, Any], context: Context) -> BatchAnswer:
    """Answer which messages of the batch are to be kept."""
    sender = _sender(lambda: context.get_remaining_time_in_millis() / 1000)
    deliver = giving_up(partial(_deliver, sender), _bury, "outbound")
    return consume(event, deliver, _visibility, threads=THREADS, leave=partial(_leave, sender))


def _sender(seconds_left: Callable[[], float]) -> Sender:
    now = partial(datetime.now, UTC)
    return Sender(
        _history, _credentials.get, _adapter_of, _transport, now, seconds_left, _credentials.refresh
    )


def _deliver(sender: Sender, record: Record) -> None:
    envelope = read_outbound(record.body)
    given_up = sender.deliver(envelope, is_repeat=record.receive_count > 1)
    about = {"trace_id": envelope.trace_id, "bot_id": envelope.bot_id, "dialog_id": envelope.dialog_id}
    logger.info("turn delivered", extra={**about, "turn": envelope.turn, "given_up": len(given_up)})
    if given_up:
        _dead_letters.put(envelope, "; ".join(given_up))


def _leave(sender: Sender, record: Record) -> None:
    """A turn that waits behind another one of its dialog; received before, it may have been begun then."""
    if record.receive_count == 1:
        sender.leave(read_outbound(record.body))


def _bury(record: Record, error: Exception) -> None:
    try:
        _dead_letters.put(read_outbound(record.body), error)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
