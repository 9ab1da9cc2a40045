"""Timers: what a turn wants to hear of again comes back to `inbound` when it is due.

Up to 15 minutes it waits in the queue of delays, to the second, and a relay passes it on; beyond that it
is a schedule of EventBridge Scheduler's, which keeps to the minute. Both carry the very envelope that
will lie in `inbound`, and it is the same however often a timer is set: it has its own trace, named like
itself, since the turn's may be another one when the turn is emitted again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from shared.dialog.events import TimerFired
from shared.dialog.state import Dialog, Timer
from shared.observability import logger
from shared.queueing.envelopes import InboundEnvelope
from shared.queueing.producer import body_of, code_of, told_as_not_accepted

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY_SECONDS = 15 * 60
"""SQS delays a message for no longer."""


LATEST = 100
"""Timers and tasks of a dialog among which those are that may not have fired yet; one that is older and was
not needed any more fires into nothing.
"""


class Delays:
    """The queue that holds a message back for seconds or minutes."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, envelope: InboundEnvelope, seconds: int) -> None:
        """Put it in, to come out after that time. Raises `NotAccepted`."""
        with told_as_not_accepted(self._queue_url):
            self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=body_of(envelope), DelaySeconds=seconds
            )


class ScheduleTarget(msgspec.Struct, frozen=True):
    """Where schedules lie, whom they act as, where they send to and what becomes of those that fail.

    `group` is a name; the others are ARNs: of a role, a FIFO queue, and a standard queue.
    """

    group: str
    role: str
    queue: str
    dead_letters: str


class Schedules:
    """One-time schedules, each of which puts one message into a FIFO queue, and is then gone."""

    def __init__(self, client: Callable[[], EventBridgeSchedulerClient], target: ScheduleTarget) -> None:
        """`client` gives the client when it is first needed: few turns set a timer this long."""
        self._client = client
        self._target = target

    def put(self, name: str, envelope: InboundEnvelope, due: datetime) -> None:
        """Make the schedule, unless there is one of this name. Raises `NotAccepted`."""
        with told_as_not_accepted(self._target.group):
            try:
                self._create(name, envelope, due)
            except ClientError as error:
                if code_of(error) != "ConflictException":
                    raise

    def _create(self, name: str, envelope: InboundEnvelope, due: datetime) -> None:
        target = self._target
        self._client().create_schedule(
            Name=name,
            ClientToken=name,
            GroupName=target.group,
            ScheduleExpression=f"at({_whole_second(due):%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={
                "Arn": target.queue,
                "RoleArn": target.role,
                "Input": body_of(envelope),
                "SqsParameters": {"MessageGroupId": envelope.dialog_id},
                "DeadLetterConfig": {"Arn": target.dead_letters},
            },
        )


class SetSchedules:
    """Takes back the schedules that a dialog has set, if they have not fired yet."""

    def __init__(self, client: EventBridgeSchedulerClient, group: str) -> None:
        self._client = client
        self._group = group

    def remove(self, dialog_id: str, epoch: str, serial: int) -> Iterator[None]:
        """Those of the last timers up to the number `serial`, one after the other: their names are known."""
        for number in range(max(1, serial - LATEST + 1), serial + 1):
            self._delete(_name(dialog_id, epoch, number))
            yield

    def _delete(self, name: str) -> None:
        try:
            self._client.delete_schedule(GroupName=self._group, Name=name)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise


class Timers:
    """Sets timers; fulfils `ports.TimerQueue`."""

    def __init__(self, delays: Delays, schedules: Schedules, now: Callable[[], datetime]) -> None:
        self._delays = delays
        self._schedules = schedules
        self._now = now

    def set(self, timer: Timer, dialog: Dialog, trace_id: str) -> None:
        """Let it fire when it is due, never sooner; at once if that is past. Raises `NotAccepted`."""
        name = name_of(timer, dialog)
        envelope = _envelope(timer, dialog, name)
        seconds = math.ceil((timer.due - self._now()).total_seconds())
        if seconds <= LONGEST_DELAY_SECONDS:
            self._delays.put(envelope, max(seconds, 0))
        else:
            self._schedules.put(name, envelope, timer.due)
        about = {"trace_id": trace_id, "bot_id": dialog.bot_id, "dialog_id": dialog.id}
        logger.info("timer set", extra={**about, "timer": name, "seconds": seconds})


def name_of(timer: Timer, dialog: Dialog) -> str:
    """The same for the same timer, and at most 64 characters, as schedules may have."""
    return _name(dialog.id, dialog.epoch, timer.number)


def _name(dialog_id: str, epoch: str, number: int) -> str:
    return f"{dialog_id}-{epoch}-{number}"


def _envelope(timer: Timer, dialog: Dialog, name: str) -> InboundEnvelope:
    event_id = f"timer/{dialog.epoch}/{timer.number}"
    return InboundEnvelope(
        dialog_id=dialog.id,
        bot_id=dialog.bot_id,
        platform=dialog.platform,
        platform_chat_id=dialog.platform_chat_id,
        event=TimerFired(id=event_id, occurred_at=timer.due, epoch=dialog.epoch, timer=timer.number),
        received_at=timer.due,
        trace_id=name,
    )


def _whole_second(due: datetime) -> datetime:
    """Not before it: schedules know no parts of a second."""
    whole = due.astimezone(UTC).replace(microsecond=0)
    return whole if whole == due else whole + timedelta(seconds=1)
