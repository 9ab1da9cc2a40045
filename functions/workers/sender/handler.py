"""The sender: turns from `outbound` become messages at the messenger, each recorded in the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import msgspec

from shared import aws
from shared.deletion.fence import Fence
from shared.delivery.files import Files
from shared.delivery.reports import Reports
from shared.delivery.sender import Sender
from shared.delivery.transport import HttpTransport
from shared.media.library import Library
from shared.media.links import addresses_below
from shared.observability import logger
from shared.platforms import adapter_for
from shared.platforms.base import PlatformAdapter
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_outbound
from shared.queueing.giving_up import DeadLetters, giving_up
from shared.queueing.producer import SqsInbound, SqsTasks
from shared.settings import SenderSettings
from shared.storage.bots import DynamoBots
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.holds import DynamoHolds
from shared.storage.leases import DynamoLeases
from shared.storage.media import DynamoMedia
from shared.storage.names import DynamoMessageNames

THREADS = 5
"""Dialogs of a batch that are worked on at once; they mostly wait for messengers."""


_settings = SenderSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.outbound_queue_url)
_dead_letters = DeadLetters(_sqs, _settings.outbound_dlq_url)
_history = DynamoHistory()
_stored_credentials = DynamoCredentials(aws.client("kms"))
_credentials = CredentialCache(_stored_credentials.reveal)
_fence = Fence(_credentials.get, DynamoBots(), DynamoDialogs())
_holds = DynamoHolds()
_reports = Reports(SqsInbound(_sqs, _settings.inbound_queue_url), _stored_credentials)
_transport = HttpTransport()
_now = partial(datetime.now, UTC)
_media = DynamoMedia()
_library = Library(_media, addresses_below(_settings.media_url), _now)
_files = Files(_library, _media, SqsTasks(_sqs, _settings.tasks_queue_url), DynamoLeases(), _now)


@cache
def _adapter_of(platform: str) -> PlatformAdapter:
    return adapter_for(platform, _settings)


def lambda_handler(event: Mapping[str, Any], context: Context) -> BatchAnswer:
    """Answer which messages of the batch are to be kept."""
    sender = _sender(lambda: context.get_remaining_time_in_millis() / 1000)
    deliver = giving_up(partial(_deliver, sender), _bury, "outbound")
    return consume(event, deliver, _visibility, threads=THREADS, leave=partial(_leave, sender))


def _sender(seconds_left: Callable[[], float]) -> Sender:
    return Sender(
        history=_history,
        credential_of=_credentials.get,
        fresh_credential_of=_credentials.refresh,
        adapter_of=_adapter_of,
        transport=_transport,
        now=_now,
        seconds_left=seconds_left,
        holds=_holds,
        names=DynamoMessageNames(),
        findings=_reports,
        files=_files,
        hint=_transport.hint,
    )


def _deliver(sender: Sender, record: Record) -> None:
    envelope, is_repeat = read_outbound(record.body), record.receive_count > 1
    about = {"trace_id": envelope.trace_id, "bot_id": envelope.bot_id, "dialog_id": envelope.dialog_id}
    if _fence.is_gone(envelope, is_repeat=is_repeat):
        logger.info("turn of something deleted", extra=about)
        return
    given_up = sender.deliver(envelope, is_repeat=is_repeat)
    logger.info("turn delivered", extra={**about, "turn": envelope.turn, "given_up": len(given_up)})
    if given_up:
        _dead_letters.put(record, envelope, "; ".join(given_up))


def _leave(sender: Sender, record: Record) -> None:
    """A turn that waits behind another one of its dialog; received before, it may have been begun then."""
    if record.receive_count == 1:
        sender.leave(read_outbound(record.body))


def _bury(record: Record, error: Exception) -> None:
    try:
        _dead_letters.put(record, read_outbound(record.body), error)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
