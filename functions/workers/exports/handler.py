"""The worker of exports: carries one on for as long as it may run, and sees to it that another does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from shared import aws
from shared.errors import NotFound
from shared.media.store import S3Store
from shared.observability import logger
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_export
from shared.queueing.giving_up import DeadLetters, giving_up
from shared.queueing.producer import SqsExports
from shared.results.columns import ResultColumns
from shared.results.exporting import Exporter
from shared.results.uploads import S3Uploads
from shared.settings import ExportsSettings
from shared.storage.bots import DynamoBots
from shared.storage.clock import utc_now
from shared.storage.exports import DynamoExports
from shared.storage.results import DynamoResults
from shared.storage.scenarios import DynamoScenarios

LAST_STEP_SECONDS: Final = 60
"""What a step may take at most: none is begun with less time left."""

_FAILED: Final = "A fault of the server, which has been recorded; ask for the export again."

_settings = ExportsSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.exports_queue_url)
_dead_letters = DeadLetters(_sqs, _settings.exports_dlq_url)
_queue = SqsExports(_sqs, _settings.exports_queue_url)
_connect = partial(aws.store_client, "", "", None)
_bots = DynamoBots()


def _is_there(bot_id: str) -> bool:
    try:
        _bots.get(bot_id)
    except NotFound:
        return False
    return True


_exporter = Exporter(
    results=DynamoResults(),
    columns=ResultColumns(DynamoScenarios()),
    exports=DynamoExports(),
    files=S3Store(_connect, _settings.media_bucket),
    uploads=S3Uploads(_connect, _settings.media_bucket),
    is_there=_is_there,
    now=utc_now,
)


def lambda_handler(event: Mapping[str, Any], context: Context) -> BatchAnswer:
    """Answer whether the export's message is to be kept."""
    return consume(event, giving_up(partial(_carry_on, context), _bury, "exports"), _visibility)


def _carry_on(context: Context, record: Record) -> None:
    envelope = read_export(record.body)
    step = _exporter.carry_on(envelope.export_id, partial(_has_time, context))
    if step is not None:
        _queue.send(msgspec.structs.replace(envelope, step=step, failure=""))
    about = {"trace_id": envelope.trace_id, "bot_id": envelope.bot_id, "export_id": envelope.export_id}
    logger.info("export carried on", extra={**about, "goes_on": step is not None})


def _has_time(context: Context) -> bool:
    return context.get_remaining_time_in_millis() > LAST_STEP_SECONDS * 1000


def _bury(record: Record, error: Exception) -> None:
    try:
        envelope = read_export(record.body)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
        return
    _exporter.fail(envelope.export_id, _FAILED)
    _dead_letters.put(record, envelope, error)
