"""The tasks worker: what is slow or outside, one piece of work at a time.

Over a queue of its own it is also the worker of syncs, for main systems that may be down for days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from functions.workers.tasks.collaborators import Collaborators
from functions.workers.tasks.rows import Rows
from shared import aws
from shared.observability import logger
from shared.queueing.consumer import BatchAnswer, Context, Record, Visibility, consume
from shared.queueing.envelopes import read_work
from shared.queueing.giving_up import DeadLetters, giving_up
from shared.queueing.producer import SqsInbound
from shared.settings import TasksSettings
from shared.storage.task_results import DynamoTaskResults
from shared.tasks.performing import Attempt, TaskWorker, about, lost_after, tries_of

_settings = TasksSettings.from_environment()
_sqs = aws.client("sqs")
_visibility = Visibility(_sqs, _settings.tasks_queue_url)
_dead_letters = DeadLetters(_sqs, _settings.tasks_dlq_url)
_collaborators = Collaborators(_settings)
_worker = TaskWorker(
    Rows(_collaborators),
    SqsInbound(_sqs, _settings.inbound_queue_url),
    DynamoTaskResults(),
    partial(datetime.now, UTC),
    is_awaited=_collaborators.is_awaited,
    showing=_collaborators.typing_for,
)


def lambda_handler(event: Mapping[str, Any], context: Context) -> BatchAnswer:
    """Answer whether the work is to be kept."""
    perform = giving_up(partial(_perform, context), _bury, "tasks", tries_of)
    return consume(event, perform, _visibility)


def _perform(context: Context, record: Record) -> None:
    work = read_work(record.body)
    if seconds := lost_after(work):
        _visibility.hide([record], seconds)
    attempt = Attempt(record.receive_count, lambda: context.get_remaining_time_in_millis() / 1000)
    _worker.perform(work, attempt)
    logger.info("work done", extra={**about(work), "attempt": attempt.number})


def _bury(record: Record, error: Exception) -> None:
    try:
        work = read_work(record.body)
    except msgspec.DecodeError:
        _dead_letters.put_unread(record)
        return
    _worker.give_up(work, error)
    _dead_letters.put(record, work, error)
