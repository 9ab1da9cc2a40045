"""Dead letters go back where they came from, in order, and say why they were there."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from infra.redrive import NOT_SAID, QUEUES, Redriving
from shared.queueing.consumer import Record
from shared.queueing.envelopes import read_outbound
from shared.queueing.giving_up import DeadLetters
from tests.conftest import Aws, Call
from tests.delivery.stage import envelope
from tests.infra.template import Template


def turn(number: int, failure: str = "") -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(envelope(["Hello!"], turn=number, failure=failure))
    return told


def bury(account: Aws, body: str, group: str = "d") -> None:
    account.sqs.send_message(QueueUrl=account.outbound_dlq, MessageBody=body, MessageGroupId=group)


def redrive(account: Aws, **how: Any) -> list[tuple[str, str]]:
    letters = Redriving(account.sqs, account.outbound_dlq, account.outbound, **how).run()
    return [(letter.reason, letter.outcome) for letter in letters]


def give_up(account: Aws, reason: str) -> None:
    """As the sender does with what it has received."""
    received = account.sqs.receive_message(QueueUrl=account.outbound, MessageSystemAttributeNames=["All"])
    (message,) = received["Messages"]
    record = Record(message["MessageId"], message["ReceiptHandle"], "d", 1, message["Body"])
    DeadLetters(account.sqs, account.outbound_dlq).put(record, read_outbound(record.body), reason)
    account.sqs.delete_message(QueueUrl=account.outbound, ReceiptHandle=record.receipt_handle)


def lying_in(account: Aws, url: str) -> list[Any]:
    found = []
    while messages := account.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(message["Body"])
            account.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_all_go_back_in_the_order_of_their_dialog(aws_account: Aws) -> None:
    for number in range(1, 24):
        bury(aws_account, json.dumps(turn(number, "500")))
    assert redrive(aws_account) == [("500", "sent back")] * 23
    assert [read_outbound(body).turn for body in lying_in(aws_account, aws_account.outbound)] == [
        *range(1, 24)
    ]
    assert lying_in(aws_account, aws_account.outbound_dlq) == []


def test_what_sqs_has_moved_itself_is_marked_as_one_that_may_have_been_begun(aws_account: Aws) -> None:
    bury(aws_account, json.dumps(turn(1)))
    assert redrive(aws_account) == [(NOT_SAID, "sent back")]
    (body,) = lying_in(aws_account, aws_account.outbound)
    assert read_outbound(body).failure == NOT_SAID


def test_what_fails_again_at_once_for_the_same_reason_is_not_lost(
    aws_account: Aws, aws_calls: list[Call]
) -> None:
    """For five minutes SQS drops what has the name of a message that it has seen, deleted or not."""
    aws_account.sqs.send_message(
        QueueUrl=aws_account.outbound, MessageBody=json.dumps(turn(1)), MessageGroupId="d"
    )
    for _ in range(3):
        give_up(aws_account, "500")
        assert redrive(aws_account) == [("500", "sent back")]
    put = [call.params for call in aws_calls if call.params.get("QueueUrl") == aws_account.outbound_dlq]
    names = [params["MessageDeduplicationId"] for params in put if "MessageBody" in params]
    assert len(set(names)) == 3


def test_looking_moves_nothing(aws_account: Aws) -> None:
    bury(aws_account, json.dumps(turn(1, "500")))
    assert redrive(aws_account, only_look=True) == [("500", "looked at")]
    assert lying_in(aws_account, aws_account.outbound) == []


@pytest.mark.parametrize("body", ["nonsense", "[]", "{}"])
def test_what_is_no_envelope_stays(aws_account: Aws, body: str) -> None:
    bury(aws_account, body)
    assert redrive(aws_account) == [(NOT_SAID, "left: it is no envelope of ours")]
    assert lying_in(aws_account, aws_account.outbound) == []


def test_a_schedule_s_failure_is_told_in_the_scheduler_s_words(aws_account: Aws) -> None:
    aws_account.sqs.send_message(
        QueueUrl=aws_account.receipts_dlq,
        MessageBody='{"type": "event.v1"}',
        MessageAttributes={"ERROR_MESSAGE": {"DataType": "String", "StringValue": "no such queue"}},
    )
    (letter,) = Redriving(aws_account.sqs, aws_account.receipts_dlq, aws_account.delays).run()
    assert (letter.reason, letter.outcome) == ("no such queue", "sent back")
    assert lying_in(aws_account, aws_account.delays) == ['{"type": "event.v1"}']


@pytest.mark.parametrize("queue", QUEUES)
def test_the_stack_tells_where_every_queue_and_its_dead_letters_are(template: Template, queue: str) -> None:
    name = queue.capitalize()
    outputs = template.document["Outputs"]
    assert outputs[f"{name}QueueUrl"]["Value"] == {"Ref": name}
    assert outputs[f"{name}DeadLettersUrl"]["Value"] == {"Ref": f"{name}DeadLetters"}
