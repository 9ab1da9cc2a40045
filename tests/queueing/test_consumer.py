from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from shared.errors import ConcurrentTurn, Wait
from shared.queueing.backoff import backoff_seconds
from shared.queueing.consumer import (
    LONGEST_WAIT_SECONDS,
    Record,
    Visibility,
    consume,
    records_of,
)
from tests.conftest import Aws, Call


@dataclass
class Hidden:
    """A queue's visibility, as a list of what was asked of it."""

    asked: list[tuple[list[str], float]] = field(default_factory=list)

    def hide(self, records: Sequence[Record], seconds: float) -> None:
        self.asked.append(([record.body for record in records], seconds))


def batch(*messages: tuple[str, str], receive_count: int = 1) -> dict[str, Any]:
    """A Lambda event with messages of (group, body)."""
    return {
        "Records": [
            {
                "messageId": f"id-{body}",
                "receiptHandle": f"handle-{body}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receive_count),
                    "MessageGroupId": group,
                    "SequenceNumber": str(place),
                },
                "eventSource": "aws:sqs",
            }
            for place, (group, body) in enumerate(messages)
        ]
    }


TWO_GROUPS = batch(("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2"), ("a", "a3"))


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize(
    ("event", "failing", "handled", "kept"),
    [
        (batch(("a", "a1"), ("a", "a2")), {}, {"a": "a1 a2"}, ""),
        (TWO_GROUPS, {}, {"a": "a1 a2 a3", "b": "b1 b2"}, ""),
        (TWO_GROUPS, {"a2": ValueError()}, {"a": "a1 a2", "b": "b1 b2"}, "a2 a3"),
        (TWO_GROUPS, {"a1": ValueError(), "b2": ValueError()}, {"a": "a1", "b": "b1 b2"}, "a1 a2 a3 b2"),
        (TWO_GROUPS, {"a3": ConcurrentTurn("a")}, {"a": "a1 a2 a3", "b": "b1 b2"}, "a3"),
        (TWO_GROUPS, {"b1": Wait(7, "told so")}, {"a": "a1 a2 a3", "b": "b1"}, "b1 b2"),
    ],
    ids=["all well", "two groups", "one fails in the middle", "both fail", "the last fails", "one waits"],
)
def test_a_failure_keeps_the_rest_of_its_group_only(
    event: dict[str, Any], failing: dict[str, Exception], handled: dict[str, str], kept: str, threads: int
) -> None:
    seen: dict[str, list[str]] = {}

    def handle(record: Record) -> None:
        seen.setdefault(record.group, []).append(record.body)
        if record.body in failing:
            raise failing[record.body]

    answer = consume(event, handle, Hidden(), threads=threads)

    assert {group: " ".join(bodies) for group, bodies in seen.items()} == handled
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
        f"id-{body}" for body in kept.split()
    ]


def fail_with(error: Exception) -> Any:
    def handle(record: Record) -> None:
        raise error

    return handle


def test_what_is_kept_comes_back_after_a_backoff() -> None:
    hidden = Hidden()

    consume(batch(("a", "a1"), ("a", "a2"), receive_count=3), fail_with(ValueError()), hidden)

    ((bodies, seconds),) = hidden.asked
    assert bodies == ["a1", "a2"]
    assert 4 <= seconds <= 8


@pytest.mark.parametrize("seconds", [0, 0.2, 30, 3600])
def test_a_handler_may_name_the_wait(seconds: float) -> None:
    hidden = Hidden()

    consume(batch(("a", "a1"), ("a", "a2")), fail_with(Wait(seconds, "told so")), hidden)

    assert hidden.asked == [(["a1", "a2"], seconds)]


def test_backoffs_grow_to_a_limit_and_differ() -> None:
    assert [backoff_seconds(n, lambda: 1.0) for n in (1, 2, 3, 6, 5000)] == [
        2,
        4,
        8,
        60,
        60,
    ]
    assert [backoff_seconds(n, lambda: 0.0) for n in (1, 2, 3)] == [1, 2, 4]
    assert len({backoff_seconds(5) for _ in range(20)}) > 1


def test_groups_are_worked_on_at_the_same_time() -> None:
    together = Barrier(3, timeout=10)

    answer = consume(
        batch(("a", "a1"), ("b", "b1"), ("c", "c1")), lambda _: void(together.wait()), Hidden(), threads=3
    )

    assert answer == {"batchItemFailures": []}


def void(_: object) -> None:
    """For a call whose answer is of no interest."""


def test_a_worker_that_is_killed_answers_nothing() -> None:
    with pytest.raises(KeyboardInterrupt):
        consume(TWO_GROUPS, kill, Hidden(), threads=2)


def kill(record: Record) -> None:
    raise KeyboardInterrupt


def test_failures_are_logged_without_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    consume(batch(("a", "a1")), lambda _: void(int("my password")), Hidden())

    (line,) = caplog.records
    assert (line.dialog_id, line.receive_count, line.error) == ("a", 1, "ValueError")  # type: ignore[attr-defined]
    assert "my password" not in str(vars(line))


def test_messages_of_a_standard_queue_do_not_hold_up_one_another() -> None:
    event = batch(("a", "a1"), ("a", "a2"))
    for raw in event["Records"]:
        del raw["attributes"]["MessageGroupId"]

    assert [record.group for record in records_of(event)] == ["id-a1", "id-a2"]


class TestVisibilityOverSqs:
    """Over a real queue's rules: who comes back, and when."""

    def test_a_shorter_time_lets_messages_come_back_sooner(self, aws_account: Aws) -> None:
        records = put_and_receive(aws_account, 1)

        Visibility(aws_account.sqs, aws_account.inbound).hide(records, 0.3)

        assert bodies_in(aws_account) == []
        time.sleep(1.1)
        assert bodies_in(aws_account) == ["0"]

    def test_no_time_at_all_lets_them_come_back_at_once(self, aws_account: Aws) -> None:
        records = put_and_receive(aws_account, 2)

        Visibility(aws_account.sqs, aws_account.inbound).hide(records, -3)

        assert bodies_in(aws_account) == ["0", "1"]

    def test_a_wait_longer_than_sqs_allows_is_cut(self, aws_account: Aws, aws_calls: list[Call]) -> None:
        records = put_and_receive(aws_account, 1)

        Visibility(aws_account.sqs, aws_account.inbound).hide(records, timedelta(days=2).total_seconds())

        (call,) = [call for call in aws_calls if call.operation == "ChangeMessageVisibilityBatch"]
        assert [entry["VisibilityTimeout"] for entry in call.params["Entries"]] == [LONGEST_WAIT_SECONDS]

    def test_more_than_a_call_takes_are_several_calls(self, aws_account: Aws, aws_calls: list[Call]) -> None:
        records = [Record(str(n), "handle", "a", 1, "") for n in range(12)]

        Visibility(aws_account.sqs, aws_account.inbound).hide(records, 1)

        assert [len(call.params["Entries"]) for call in aws_calls] == [10, 2]

    @pytest.mark.parametrize("queue", ["parley-inbound.fifo", "no-such-queue.fifo"])
    def test_a_refusal_is_logged_and_no_more(
        self, aws_account: Aws, caplog: pytest.LogCaptureFixture, queue: str
    ) -> None:
        url = aws_account.inbound.replace("parley-inbound.fifo", queue)

        Visibility(aws_account.sqs, url).hide([Record("1", "no such handle", "a", 1, "")], 1)

        assert [line.message for line in caplog.records] == ["visibility not changed"]


def put_and_receive(account: Aws, messages: int) -> list[Record]:
    for n in range(messages):
        account.sqs.send_message(QueueUrl=account.inbound, MessageBody=str(n), MessageGroupId="a")
    received = account.sqs.receive_message(QueueUrl=account.inbound, MaxNumberOfMessages=10)["Messages"]
    return [Record(m["MessageId"], m["ReceiptHandle"], "a", 1, m["Body"]) for m in received]


def bodies_in(account: Aws) -> list[str]:
    received = account.sqs.receive_message(QueueUrl=account.inbound, MaxNumberOfMessages=10)
    return [message["Body"] for message in received.get("Messages", [])]


def test_the_rest_of_a_group_is_heard_of_before_it_is_put_back() -> None:
    story: list[str] = []

    class Telling:
        def hide(self, records: Sequence[Record], seconds: float) -> None:
            story.append(f"hide {' '.join(record.body for record in records)}")

    def handle(record: Record) -> None:
        story.append(f"handle {record.body}")
        if record.body == "a2":
            raise Wait(3, "told so")

    def leave(record: Record) -> None:
        story.append(f"leave {record.body}")

    consume(batch(*[("a", f"a{n}") for n in range(1, 5)], ("b", "b1")), handle, Telling(), leave=leave)

    assert story == ["handle a1", "handle a2", "leave a3", "leave a4", "hide a2 a3 a4", "handle b1"]


def test_what_cannot_be_heard_of_is_put_back_all_the_same() -> None:
    hidden, heard = Hidden(), []

    def leave(record: Record) -> None:
        heard.append(record.body)
        raise ValueError

    kept = consume(batch(("a", "a1"), ("a", "a2"), ("a", "a3")), fail_with(ValueError()), hidden, leave=leave)

    assert len(kept["batchItemFailures"]) == 3
    assert heard == ["a2"], "the others would meet the same"
    assert [bodies for bodies, _ in hidden.asked] == [["a1", "a2", "a3"]]
