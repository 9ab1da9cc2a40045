"""The dialog worker: events from `inbound` become turns, whose messages go to `outbound`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from shared import aws
from shared.dialog.manager import DialogManager, Outside
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.dialog.rehearsal import watched
from shared.errors import EventNotApplicable, Wait
from shared.observability import count, logger
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_inbound
from shared.queueing.giving_up import DeadLetters, giving_up
from shared.queueing.producer import SqsDeletions, SqsOutbound, SqsTurnTasks
from shared.queueing.timers import Delays, Schedules, ScheduleTarget, Timers
from shared.settings import DialogSettings
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.scenarios import DynamoScenarios
from shared.storage.sealing import KmsSealer

SECONDS_NEEDED = 10.0
"""Time that a rehearsal, its turn and the calls around it may take; with less left, the rest goes back."""

REHEARSAL_SECONDS = 3.0
"""For an event that was received before: its turn may be what killed the worker that had it."""


_settings = DialogSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.inbound_queue_url)
_dead_letters = DeadLetters(_sqs, _settings.inbound_dlq_url)
_outside = Outside(now=partial(datetime.now, UTC), random=random.random)
_target = ScheduleTarget(
    group=_settings.schedule_group,
    role=_settings.schedule_role_arn,
    queue=_settings.schedule_target_arn,
    dead_letters=_settings.schedule_dlq_arn,
)
_manager = DialogManager(
    dialogs=DynamoDialogs(),
    history=DynamoHistory(),
    active=ActiveScenarios(DynamoBots()),
    scenarios=CompiledScenarios(DynamoScenarios()),
    outbound=SqsOutbound(_sqs, _settings.outbound_queue_url),
    timers=Timers(
        Delays(_sqs, _settings.delays_queue_url),
        Schedules(lambda: aws.client("scheduler"), _target),
        _outside.now,
    ),
    tasks=SqsTurnTasks(_sqs, _settings.tasks_queue_url, _settings.syncs_queue_url),
    deletions=SqsDeletions(_sqs, _settings.deletions_queue_url),
    sealer=KmsSealer(lambda: aws.client("kms"), _settings.history_key_id),
    outside=_outside,
    tell_mistakes=lambda bot_id, notes: count("scenario_mistakes", bot_id=bot_id, mistakes=len(notes)),
)
_careful = replace(_manager, rehearsal_seconds=REHEARSAL_SECONDS)


def lambda_handler(event: Mapping[str, Any], context: Context) -> BatchAnswer:
    """Answer which messages of the batch are to be kept."""
    with watched():
        return consume(event, giving_up(partial(_apply, context), _bury, "inbound"), _visibility)


def _apply(context: Context, record: Record) -> None:
    if context.get_remaining_time_in_millis() / 1000 < SECONDS_NEEDED:
        raise Wait(0, "no time left in this invocation")
    envelope = read_inbound(record.body)
    manager = _manager if record.receive_count == 1 else _careful
    applied = manager.handle(envelope)
    about = {"trace_id": envelope.trace_id, "bot_id": envelope.bot_id, "dialog_id": envelope.dialog_id}
    logger.info("event handled", extra={**about, "applied": applied})


def _bury(record: Record, error: Exception) -> None:
    """With the turn it met: should the dialog go on meanwhile, the event is not applied when redriven."""
    try:
        envelope = read_inbound(record.body)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
        return
    met_turn = error.turn if isinstance(error, EventNotApplicable) else None
    _dead_letters.put(record, msgspec.structs.replace(envelope, met_turn=met_turn), error)
