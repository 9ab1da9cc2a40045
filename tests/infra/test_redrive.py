"""Dead letters go back where they came from, in order, and say why they were there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from botocore.stub import Stubber

from infra.redrive import LOOK_SECONDS, NOT_SAID, QUEUES, Redriving
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
    redriving = Redriving(account.sqs, account.outbound_dlq, account.outbound, look_seconds=0, **how)
    return [(letter.reason, letter.outcome) for letter in redriving.run()]


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


def test_the_sender_can_tell_one_redrive_from_another(aws_account: Aws) -> None:
    names: set[str] = set()
    for _ in range(2):
        bury(aws_account, json.dumps(turn(1, "500")), group=str(len(names)))
        redrive(aws_account)
        (body,) = lying_in(aws_account, aws_account.outbound)
        names.add(read_outbound(body).redrive)
    assert len(names - {""}) == 2


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


def test_what_was_looked_at_or_left_can_be_redriven_at_once(aws_account: Aws) -> None:
    for number in range(1, 13):
        bury(aws_account, json.dumps(turn(number, "500")), group=f"d{number}")
    bury(aws_account, "nonsense")
    assert len(redrive(aws_account, only_look=True)) == len(redrive(aws_account, only_look=True)) == 13
    assert [outcome for _, outcome in redrive(aws_account)].count("sent back") == 12
    assert redrive(aws_account) == [(NOT_SAID, "left: it is no envelope of ours")]


def test_what_has_come_back_meanwhile_does_not_keep_what_was_there(aws_account: Aws) -> None:
    in_an_hour = str(int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000))
    came_back, was_there = ({**_letter(turn(1, "500")), "MessageId": name} for name in ("new", "old"))
    came_back["Attributes"] = {**came_back["Attributes"], "SentTimestamp": in_an_hour}
    sqs = Stubber(aws_account.sqs)
    sqs.add_response("receive_message", {"Messages": [came_back]})
    sqs.add_response("receive_message", {"Messages": [was_there]})
    sqs.add_response("send_message", {"MessageId": "sent"})
    sqs.add_response("delete_message", {})
    sqs.add_response("receive_message", {"Messages": [came_back]})
    sqs.add_response("change_message_visibility", {})
    with sqs:
        assert redrive(aws_account) == [("500", "sent back")]
        sqs.assert_no_pending_responses()


def _letter(envelope: dict[str, Any]) -> dict[str, Any]:
    return {
        "Attributes": {"MessageGroupId": "d", "SentTimestamp": "0"},
        "ReceiptHandle": "handle",
        "Body": json.dumps(envelope),
    }


def test_a_queue_without_order_is_looked_through(aws_account: Aws, aws_calls: list[Call]) -> None:
    """Asked without waiting, SQS answers for some of its servers, and there may be more than it says."""
    list(Redriving(aws_account.sqs, aws_account.receipts_dlq, aws_account.receipts).run())
    assert [call.params["WaitTimeSeconds"] for call in aws_calls] == [LOOK_SECONDS]
    assert LOOK_SECONDS > 0


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
    (letter,) = Redriving(aws_account.sqs, aws_account.receipts_dlq, aws_account.delays, look_seconds=0).run()
    assert (letter.reason, letter.outcome) == ("no such queue", "sent back")
    assert lying_in(aws_account, aws_account.delays) == ['{"type": "event.v1"}']


@pytest.mark.parametrize("queue", QUEUES)
def test_the_stack_tells_where_every_queue_and_its_dead_letters_are(template: Template, queue: str) -> None:
    name = queue.capitalize()
    outputs = template.document["Outputs"]
    assert outputs[f"{name}QueueUrl"]["Value"] == {"Ref": name}
    assert outputs[f"{name}DeadLettersUrl"]["Value"] == {"Ref": f"{name}DeadLetters"}
