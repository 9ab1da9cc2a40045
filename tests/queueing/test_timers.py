from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.stub import Stubber

from shared import aws
from shared.dialog.events import TimerFired
from shared.dialog.state import Dialog, Timer
from shared.errors import NotAccepted
from shared.queueing.envelopes import InboundEnvelope, read_inbound
from shared.queueing.timers import Delays, Schedules, ScheduleTarget, Timers, name_of
from tests.conftest import Aws, Call

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
GROUP = "parley-timers"
TARGET = ScheduleTarget(
    group=GROUP,
    role="arn:aws:iam::123456789012:role/parley-schedules",
    queue="arn:aws:sqs:eu-central-1:123456789012:parley-inbound.fifo",
    dead_letters="arn:aws:sqs:eu-central-1:123456789012:parley-delays-dead",
)
DIALOG = Dialog(
    id="3f2c4d1e-0000-5000-8000-000000000001",
    bot_id="bot-1",
    platform="telegram",
    platform_chat_id="42",
    epoch="0a1b2c3d",
    created_at=NOON,
    updated_at=NOON,
    last_interaction_at=NOON,
)
NAME = "3f2c4d1e-0000-5000-8000-000000000001-0a1b2c3d-7"


@pytest.fixture
def scheduler(aws_account: Aws) -> Iterator[EventBridgeSchedulerClient]:
    """With the group of timers, empty."""
    client = aws.client("scheduler")
    client.create_schedule_group(Name=GROUP)
    yield client
    client.delete_schedule_group(Name=GROUP)


def set_timer(account: Aws, due: datetime, *, now: datetime = NOON, trace_id: str = "t") -> None:
    """As a worker does that needs a schedule for the first time."""
    delays = Delays(account.sqs, account.delays)
    schedules = Schedules(lambda: aws.client("scheduler"), TARGET)
    Timers(delays, schedules, lambda: now).set(Timer(7, due), DIALOG, trace_id)


def fired(due: datetime) -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id=DIALOG.id,
        bot_id="bot-1",
        platform="telegram",
        platform_chat_id="42",
        event=TimerFired(id="timer/0a1b2c3d/7", occurred_at=due, epoch="0a1b2c3d", timer=7),
        received_at=due,
        trace_id=NAME,
    )


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (timedelta(seconds=30), 30),
        (timedelta(milliseconds=1), 1),
        (timedelta(minutes=14, seconds=59, milliseconds=500), 900),
        (timedelta(minutes=15), 900),
        (timedelta(0), 0),
        (timedelta(hours=-3), 0),
    ],
    ids=str,
)
def test_a_timer_of_up_to_15_minutes_is_delayed_to_the_second_and_never_early(
    wait: timedelta, seconds: int, aws_account: Aws, aws_calls: list[Call]
) -> None:
    set_timer(aws_account, NOON + wait)
    (call,) = aws_calls
    assert (call.name, call.params["QueueUrl"]) == ("sqs:SendMessage", aws_account.delays)
    assert call.params["DelaySeconds"] == seconds
    assert read_inbound(call.params["MessageBody"]) == fired(NOON + wait)


def test_a_timer_that_is_emitted_late_is_still_due_when_it_was(
    aws_account: Aws, aws_calls: list[Call]
) -> None:
    due = NOON + timedelta(minutes=10)
    set_timer(aws_account, due, now=NOON + timedelta(minutes=4))
    assert aws_calls[0].params["DelaySeconds"] == 360


@pytest.mark.parametrize(
    ("wait", "at"),
    [
        (timedelta(minutes=15, milliseconds=1), "at(2026-11-22T12:15:01)"),
        (timedelta(hours=24, milliseconds=750), "at(2026-11-23T12:00:01)"),
        (timedelta(days=365), "at(2027-11-22T12:00:01)"),
    ],
    ids=str,
)
def test_a_longer_timer_is_a_schedule_that_ends_with_it(
    wait: timedelta, at: str, aws_account: Aws, scheduler: EventBridgeSchedulerClient
) -> None:
    set_timer(aws_account, NOON + wait)
    made = scheduler.get_schedule(GroupName=GROUP, Name=NAME)
    assert (made["ScheduleExpression"], made["ScheduleExpressionTimezone"]) == (at, "UTC")
    assert made["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert made["ActionAfterCompletion"] == "DELETE"
    target = made["Target"]
    assert (target["Arn"], target["RoleArn"]) == (TARGET.queue, TARGET.role)
    assert target["DeadLetterConfig"] == {"Arn": TARGET.dead_letters}
    assert target["SqsParameters"] == {"MessageGroupId": DIALOG.id}
    assert read_inbound(target["Input"]) == fired(NOON + wait)


def test_the_time_of_a_schedule_is_told_in_utc(
    aws_account: Aws, scheduler: EventBridgeSchedulerClient
) -> None:
    elsewhere = NOON.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:30").tzinfo)
    set_timer(aws_account, elsewhere + timedelta(hours=2))
    made = scheduler.get_schedule(GroupName=GROUP, Name=NAME)
    assert made["ScheduleExpression"] == "at(2026-11-22T14:00:01)"


@pytest.mark.usefixtures("scheduler")
@pytest.mark.parametrize("wait", [timedelta(seconds=5), timedelta(hours=5)], ids=["delay", "schedule"])
def test_what_is_set_twice_is_the_same_to_the_byte(
    wait: timedelta, aws_account: Aws, aws_calls: list[Call]
) -> None:
    """Also when a turn is emitted again for an update that came once more, with a trace of its own."""
    for trace_id in ("one", "two"):
        set_timer(aws_account, NOON + wait, trace_id=trace_id)
    first, second = aws_calls
    assert first == second


def test_a_schedule_that_is_there_already_is_as_good_as_made(
    aws_account: Aws, scheduler: EventBridgeSchedulerClient
) -> None:
    for _ in range(2):
        set_timer(aws_account, NOON + timedelta(hours=5))
    assert [s["Name"] for s in scheduler.list_schedules(GroupName=GROUP)["Schedules"]] == [NAME]


def test_a_name_is_one_that_schedules_may_have() -> None:
    longest = name_of(Timer(10**9, NOON), DIALOG)
    assert len(longest) <= 64


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ResourceNotFoundException", "AccessDeniedException"]
)
def test_a_schedule_that_was_not_made_is_told(code: str) -> None:
    client = aws.client("scheduler")
    with Stubber(client) as stubber:
        stubber.add_client_error("create_schedule", code, "text of theirs")
        with pytest.raises(NotAccepted, match=code) as caught:
            Schedules(lambda: client, TARGET).put(NAME, fired(NOON), NOON)
    assert "text of theirs" not in str(caught.value)


def test_a_delay_that_was_not_taken_is_told(aws_account: Aws) -> None:
    with Stubber(aws_account.sqs) as stubber:
        stubber.add_client_error("send_message", "RequestThrottled", "text of theirs")
        with pytest.raises(NotAccepted, match="RequestThrottled"):
            set_timer(aws_account, NOON)


def test_a_scheduler_is_not_called_into_being_for_a_delay(aws_account: Aws) -> None:
    def forbidden() -> Any:
        raise AssertionError("no schedule is needed")

    Timers(Delays(aws_account.sqs, aws_account.delays), Schedules(forbidden, TARGET), lambda: NOON).set(
        Timer(7, NOON), DIALOG, "t"
    )


def test_what_no_queue_takes_is_escaped(aws_account: Aws, aws_calls: list[Call]) -> None:
    odd = msgspec.structs.replace(DIALOG, platform_chat_id="4\ufffe2\uffff")
    Timers(
        Delays(aws_account.sqs, aws_account.delays),
        Schedules(lambda: aws.client("scheduler"), TARGET),
        lambda: NOON,
    ).set(Timer(7, NOON), odd, "t")
    body = aws_calls[0].params["MessageBody"]
    assert not {"\ufffe", "\uffff"} & set(body)
    assert read_inbound(body).platform_chat_id == "4\ufffe2\uffff"
