from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import ANY, Stubber

from shared.dialog.events import ButtonPressed, ConversationStarted, Event, MessageReceived
from shared.dialog.messages import Message
from shared.dialog.state import Dialog, Task, TaskKind
from shared.errors import GiveUp, NotAccepted
from shared.queueing.envelopes import (
    BotDeletionEnvelope,
    DialogDeletionEnvelope,
    FirstSendEnvelope,
    InboundEnvelope,
    MenuEnvelope,
    OrderedEnvelope,
    OutboundEnvelope,
    Resend,
    SyncCheckEnvelope,
    TaskEnvelope,
    UploadEnvelope,
    read_deletion,
    read_outbound,
    read_work,
)
from shared.queueing.producer import (
    MAX_BATCH_BYTES,
    MAX_MESSAGE_BYTES,
    MessageTooLarge,
    SqsDeletions,
    SqsInbound,
    SqsOutbound,
    SqsSyncs,
    SqsTurnTasks,
    dead_letter,
    group_of,
)
from tests.conftest import Aws, Call

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(event_id: str = "1", text: str = "hello") -> MessageReceived:
    return MessageReceived(id=event_id, occurred_at=NOON, text=text)


def inbound(
    event: Event, dialog: str = "dialog-1", bot: str = "bot-1", platform: str = "telegram"
) -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id=dialog,
        bot_id=bot,
        platform=platform,
        platform_chat_id="42",
        event=event,
        received_at=NOON,
        trace_id="trace-1",
    )


def outbound(turn: int = 7, *, reemitted: bool = False) -> OutboundEnvelope:
    return OutboundEnvelope(
        dialog_id="dialog-1",
        epoch="e1",
        turn=turn,
        bot_id="bot-1",
        platform="telegram",
        platform_chat_id="42",
        messages=(Message("hi"),),
        trace_id="trace-1",
        reemitted=reemitted,
    )


def received(account: Aws, url: str) -> list[dict[str, Any]]:
    """All messages of a queue; of a FIFO group, SQS gives further ones only once the first are deleted."""
    messages: list[Any] = []
    while batch := account.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        messages += batch
        for message in batch:
            account.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def events_in(account: Aws) -> list[Event]:
    messages = received(account, account.inbound)
    return [msgspec.json.decode(message["Body"], type=InboundEnvelope).event for message in messages]


def test_one_call_takes_the_events_of_an_update(aws_account: Aws, aws_calls: list[Call]) -> None:
    SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(said("1")), inbound(said("2"))])

    assert [call.name for call in aws_calls] == ["sqs:SendMessageBatch"]
    assert events_in(aws_account) == [said("1"), said("2")]


def test_nothing_to_send_is_no_call(aws_account: Aws, aws_calls: list[Call]) -> None:
    SqsInbound(aws_account.sqs, aws_account.inbound).send([])

    assert not aws_calls


def test_more_than_ten_events_keep_their_order(aws_account: Aws, aws_calls: list[Call]) -> None:
    events = [said(str(n)) for n in range(25)]

    SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(event) for event in events])

    assert [len(call.params["Entries"]) for call in aws_calls] == [10, 10, 5]
    assert events_in(aws_account) == events


def test_a_call_carries_no_more_bytes_than_sqs_takes(aws_account: Aws, aws_calls: list[Call]) -> None:
    events = [said(str(n), "я" * 30_000) for n in range(5)]

    SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(event) for event in events])

    for call in aws_calls:
        assert sum(len(entry["MessageBody"].encode()) for entry in call.params["Entries"]) <= MAX_BATCH_BYTES
    assert [len(call.params["Entries"]) for call in aws_calls] == [3, 2]
    assert events_in(aws_account) == events


def test_a_body_over_the_size_of_a_batch_goes_alone(aws_account: Aws, aws_calls: list[Call]) -> None:
    texts = ["a", "b" * (MAX_BATCH_BYTES + 1), "c"]

    SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(said(text[0], text)) for text in texts])

    assert [len(call.params["Entries"]) for call in aws_calls] == [1, 1, 1]


def test_an_event_no_queue_can_hold_is_given_up_before_any_is_sent(
    aws_account: Aws, aws_calls: list[Call]
) -> None:
    envelopes = [inbound(said("1")), inbound(said("2", "x" * MAX_MESSAGE_BYTES))]

    with pytest.raises(MessageTooLarge) as caught:
        SqsInbound(aws_account.sqs, aws_account.inbound).send(envelopes)

    assert isinstance(caught.value, GiveUp)
    assert "xxx" not in str(caught.value)
    assert not aws_calls


@pytest.mark.parametrize(
    "text", ["\x00\x08\x1f\x7f", "a\ufffeb\uffffc", "😀\U0001fffe", '\\uffff"\\'], ids=ascii
)
def test_every_character_a_person_can_send_gets_through(
    aws_account: Aws, aws_calls: list[Call], text: str
) -> None:
    SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(said("1", text))])

    (entry,) = aws_calls[0].params["Entries"]
    assert all(is_taken_by_sqs(character) for character in entry["MessageBody"])
    assert events_in(aws_account) == [said("1", text)]


def is_taken_by_sqs(character: str) -> bool:
    """#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF (SQS API, SendMessage)."""
    code = ord(character)
    return code in {9, 10, 13} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def test_an_event_sent_again_is_dropped(aws_account: Aws) -> None:
    queue = SqsInbound(aws_account.sqs, aws_account.inbound)

    for _ in range(50):
        queue.send([inbound(said("1"))])

    assert events_in(aws_account) == [said("1")]


@pytest.mark.parametrize(
    "other",
    [
        inbound(said("1"), dialog="dialog-2", bot="bot-2"),
        inbound(said("1"), bot="bot-2"),
        inbound(said("1"), platform="viber"),
        inbound(ButtonPressed(id="1", occurred_at=NOON, data="x")),
        inbound(ConversationStarted(id="1", occurred_at=NOON)),
        inbound(said("2")),
    ],
    ids=["another bot", "another bot, same group", "another platform", "a press", "a start", "another id"],
)
def test_equal_ids_of_different_things_do_not_meet(aws_account: Aws, other: InboundEnvelope) -> None:
    queue = SqsInbound(aws_account.sqs, aws_account.inbound)

    queue.send([inbound(said("1"))])
    queue.send([other])

    assert len(received(aws_account, aws_account.inbound)) == 2


def test_messages_are_grouped_by_dialog(aws_account: Aws) -> None:
    SqsInbound(aws_account.sqs, aws_account.inbound).send(
        [inbound(said("1"), dialog="d-1"), inbound(said("2"), dialog="d-2")]
    )

    groups = [
        message["Attributes"]["MessageGroupId"] for message in received(aws_account, aws_account.inbound)
    ]
    assert sorted(groups) == ["d-1", "d-2"]


def test_a_partial_failure_is_not_acceptance(aws_account: Aws) -> None:
    answer = {
        "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "x"}],
        "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}],
    }
    with Stubber(aws_account.sqs) as stubber:
        stubber.add_response("send_message_batch", answer, {"QueueUrl": aws_account.inbound, "Entries": ANY})
        with pytest.raises(NotAccepted) as caught:
            SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(said("1")), inbound(said("2"))])

    assert caught.value.queue == "parley-inbound.fifo"
    assert caught.value.reasons == ("InternalError",)


def test_after_a_batch_that_failed_no_further_is_sent(aws_account: Aws) -> None:
    failed = {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    with Stubber(aws_account.sqs) as stubber:
        stubber.add_response("send_message_batch", failed)
        with pytest.raises(NotAccepted):
            SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(said(str(n))) for n in range(25)])
        stubber.assert_no_pending_responses()


def test_a_call_that_fails_altogether_is_not_acceptance(aws_account: Aws) -> None:
    with Stubber(aws_account.sqs) as stubber:
        stubber.add_client_error("send_message_batch", "RequestThrottled", "text of theirs")
        with pytest.raises(NotAccepted, match="RequestThrottled") as caught:
            SqsInbound(aws_account.sqs, aws_account.inbound).send([inbound(said())])

    assert "text of theirs" not in str(caught.value)


def test_a_queue_out_of_reach_is_not_acceptance(aws_account: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs.invalid")

    monkeypatch.setattr(aws_account.sqs, "send_message", unreachable)

    with pytest.raises(NotAccepted, match="EndpointConnectionError"):
        SqsOutbound(aws_account.sqs, aws_account.outbound).send(outbound())


def test_a_message_said_again_is_no_repeat_of_its_turn_and_goes_out_once(aws_account: Aws) -> None:
    queue = SqsOutbound(aws_account.sqs, aws_account.outbound)
    again = [
        msgspec.structs.replace(outbound(), resend=Resend(1, "links", name))
        for name in ("wamid.1", "wamid.2")
    ]
    for envelope in (outbound(), *again, *again):
        queue.send(envelope)
    bodies = [message["Body"] for message in received(aws_account, aws_account.outbound)]
    assert [read_outbound(body) for body in bodies] == [outbound(), *again]


def test_a_turn_goes_out_once_in_one_call(aws_account: Aws, aws_calls: list[Call]) -> None:
    queue = SqsOutbound(aws_account.sqs, aws_account.outbound)

    queue.send(outbound(turn=7))
    queue.send(outbound(turn=7, reemitted=True))
    queue.send(outbound(turn=8))

    assert [call.name for call in aws_calls] == ["sqs:SendMessage"] * 3
    assert [call.params["MessageDeduplicationId"] for call in aws_calls] == ["dialog-1:e1:7"] * 2 + [
        "dialog-1:e1:8"
    ]
    bodies = [message["Body"] for message in received(aws_account, aws_account.outbound)]
    assert [msgspec.json.decode(body, type=OutboundEnvelope) for body in bodies] == [outbound(7), outbound(8)]


DIALOG = Dialog(
    id="dialog-1",
    bot_id="bot-1",
    platform="telegram",
    platform_chat_id="42",
    epoch="e1",
    created_at=NOON,
    updated_at=NOON,
    last_interaction_at=NOON,
)


def test_what_may_take_days_stands_in_the_way_of_no_task(aws_account: Aws) -> None:
    queue = SqsTurnTasks(aws_account.sqs, aws_account.tasks, aws_account.syncs)
    for number, kind in enumerate(get_args(TaskKind), 1):
        queue.send(Task(number=number, kind=kind, request={}, timeout=20), DIALOG, "trace-1")
    SqsSyncs(aws_account.sqs, aws_account.syncs).send(SyncCheckEnvelope(bot_id="bot-1", trace_id="trace-1"))

    (run, check) = (read_work(message["Body"]) for message in received(aws_account, aws_account.syncs))
    assert isinstance(run, TaskEnvelope)
    assert (run.task.kind, type(check)) == ("sync_run", SyncCheckEnvelope)
    assert len(received(aws_account, aws_account.tasks)) == len(get_args(TaskKind)) - 1


def test_a_task_goes_out_once_in_one_call_with_all_that_its_worker_needs(
    aws_account: Aws, aws_calls: list[Call]
) -> None:
    task = Task(number=3, kind="http", request={"url": "https://example.com/\uffff"}, timeout=20)
    queue = SqsTurnTasks(aws_account.sqs, aws_account.tasks, aws_account.syncs)

    for _ in range(2):
        queue.send(task, DIALOG, "trace-1")

    assert [call.name for call in aws_calls] == ["sqs:SendMessage"] * 2
    (message,) = received(aws_account, aws_account.tasks)
    assert message["Attributes"]["MessageGroupId"] == "dialog-1"
    assert message["Attributes"]["MessageDeduplicationId"] == "dialog-1:e1:3"
    assert read_work(message["Body"]) == TaskEnvelope(
        dialog_id="dialog-1",
        epoch="e1",
        bot_id="bot-1",
        platform="telegram",
        platform_chat_id="42",
        task=task,
        trace_id="trace-1",
    )


def a_task(kind: TaskKind) -> TaskEnvelope:
    return TaskEnvelope(
        dialog_id="dialog-1",
        epoch="e1",
        bot_id="bot-1",
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=3, kind=kind, request={}, timeout=20),
        trace_id="trace-1",
    )


@pytest.mark.parametrize(
    ("envelope", "group"),
    [
        (a_task("llm"), "dialog-1"),
        (a_task("contact"), "dialog-1"),
        (a_task("fetch"), "dialog-1:files"),
        (a_task("sync_run"), "dialog-1:sync"),
        (FirstSendEnvelope(turn=outbound(), n=1), "dialog-1:first_send"),
        (UploadEnvelope(bot_id="bot-1", platform="viber", media_id="m", trace_id="t"), "m:viber"),
        (MenuEnvelope(bot_id="bot-1", platform="viber", trace_id="t"), "bot-1:viber"),
        (inbound(said()), "dialog-1"),
        (outbound(), "dialog-1"),
    ],
)
def test_what_a_dialog_waits_for_is_held_up_by_nothing_and_holds_up_nothing_else(
    envelope: OrderedEnvelope, group: str
) -> None:
    assert group_of(envelope) == group


def test_what_was_given_up_is_kept_with_its_reason(aws_account: Aws) -> None:
    given_up = msgspec.structs.replace(inbound(said()), met_turn=3, failure="KeyError")

    dead_letter(aws_account.sqs, aws_account.inbound_dlq, given_up, "message-1")
    dead_letter(aws_account.sqs, aws_account.inbound_dlq, given_up, "message-1")

    (message,) = received(aws_account, aws_account.inbound_dlq)
    assert msgspec.json.decode(message["Body"], type=InboundEnvelope) == given_up
    assert message["Attributes"]["MessageGroupId"] == "dialog-1"


OF_BOT = BotDeletionEnvelope(bot_id="b", trace_id="t")
OF_DIALOG = DialogDeletionEnvelope(
    dialog_id="d", bot_id="b", platform="telegram", epoch="e", deleted_at=NOON, trace_id="t"
)


@pytest.mark.parametrize(
    ("send", "seconds"),
    [
        (lambda queue: queue.send_bot(OF_BOT), 180),
        (lambda queue: queue.send_bot(OF_BOT, is_begun=True), 0),
        (lambda queue: queue.send_dialog(OF_DIALOG), 0),
        (lambda queue: queue.send_dialog(msgspec.structs.replace(OF_DIALOG, is_second_look=True)), 900),
    ],
    ids=["a bot that some remember yet", "a bot half removed", "a dialog", "a dialog's second look"],
)
def test_a_deletion_comes_out_when_nothing_is_under_way_any_more(
    aws_account: Aws, aws_calls: list[Call], send: Callable[[SqsDeletions], None], seconds: int
) -> None:
    send(SqsDeletions(aws_account.sqs, aws_account.deletions))

    (call,) = aws_calls
    assert call.params["DelaySeconds"] == seconds
    assert read_deletion(call.params["MessageBody"]).bot_id == "b"


def test_a_deletion_that_is_not_taken_is_told(aws_account: Aws) -> None:
    aws_account.sqs.delete_queue(QueueUrl=aws_account.deletions)

    with pytest.raises(NotAccepted):
        SqsDeletions(aws_account.sqs, aws_account.deletions).send_bot(OF_BOT)
