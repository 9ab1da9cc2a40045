"""The worker of deletions: what belongs to deleted bots and dialogs is removed, a time-slice at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from shared import aws
from shared.connecting.registrar import Registrar
from shared.deletion.bots import BotRemoval
from shared.deletion.connections import Connections
from shared.deletion.deadline import Deadline
from shared.deletion.dialogs import DialogRemoval
from shared.deletion.files import Files
from shared.deletion.folders import Folders
from shared.deletion.performing import Remover
from shared.media.store import S3Store, media_store
from shared.observability import logger
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_deletion
from shared.queueing.giving_up import UnorderedDeadLetters, giving_up
from shared.queueing.producer import SqsDeletions
from shared.queueing.timers import SetSchedules
from shared.settings import DeletionSettings, MediaSettings, MessengerSettings
from shared.storage.batches import ItemsOfBots
from shared.storage.bots import DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios
from shared.storage.tables import BotSettings, BotUsage, SyncRefusal
from shared.storage.task_results import DynamoTaskResults

_settings = DeletionSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.deletions_queue_url)
_dead_letters = UnorderedDeadLetters(_sqs, _settings.deletions_dlq_url)
_credentials = DynamoCredentials(aws.client("kms"))
_registrar = Registrar(MessengerSettings.from_environment(), _credentials)
_store = media_store(MediaSettings.from_environment())
_files = Files(DynamoMedia(), _store)
_schedules = SetSchedules(aws.client("scheduler"), _settings.schedule_group)
_of_dialog = DialogRemoval(DynamoHistory(), _files, _schedules, DynamoTaskResults())
_remover = Remover(
    BotRemoval(
        bots=DynamoBots(),
        connections=Connections(_credentials, _registrar, partial(datetime.now, UTC)),
        dialogs=DynamoDialogs(),
        of_dialog=_of_dialog,
        files=_files,
        belongings=(
            DynamoScenarios(),
            *map(ItemsOfBots, (BotSettings, BotUsage, SyncRefusal)),
            Folders(_store, S3Store(lambda: aws.client("s3"), _settings.unparsed_bucket)),
        ),
    ),
    _of_dialog,
    SqsDeletions(_sqs, _settings.deletions_queue_url),
)


def lambda_handler(event: Mapping[str, Any], context: Context) -> BatchAnswer:
    """Answer which messages of the batch are to be kept."""
    return consume(event, giving_up(partial(_remove, context), _bury, "deletions"), _visibility)


def _remove(context: Context, record: Record) -> None:
    deletion = read_deletion(record.body)
    deadline = Deadline(lambda: context.get_remaining_time_in_millis() / 1000)
    is_done = _remover.perform(deletion, deadline)
    about = {"trace_id": deletion.trace_id, "bot_id": deletion.bot_id}
    logger.info("deletion worked on", extra={**about, "done": is_done})


def _bury(record: Record, error: Exception) -> None:
    try:
        _dead_letters.put(read_deletion(record.body), error)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
