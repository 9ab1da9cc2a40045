"""The relay: a timer goes from the queue of delays, which keeps no order, to `inbound`, which does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import aws
from shared.observability import logger
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_inbound
from shared.queueing.producer import SqsInbound
from shared.settings import RelaySettings

_settings = RelaySettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.delays_queue_url)
_inbound = SqsInbound(_sqs, _settings.inbound_queue_url)


def lambda_handler(event: Mapping[str, Any], _context: Context) -> BatchAnswer:
    """Answer which messages of the batch are to be kept."""
    return consume(event, _pass_on, _visibility)


def _pass_on(record: Record) -> None:
    """Under the event's own name, so that what is passed on twice arrives once."""
    envelope = read_inbound(record.body)
    _inbound.send([envelope])
    about = {"trace_id": envelope.trace_id, "bot_id": envelope.bot_id, "dialog_id": envelope.dialog_id}
    logger.info("timer passed on", extra=about)
