"""The worker of receipts as Lambda calls it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import msgspec
import pytest

from shared.delivery.receipts import TRIES
from shared.dialog.history import DeliveryRecord, HistoryEntry, delivery_id_of
from shared.dialog.state import Dialog
from shared.queueing.envelopes import ReceiptEnvelope, Resend, read_outbound
from shared.queueing.giving_up import TRIES as TRIES_OF_A_BODY
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from tests.conftest import Aws, Call

MODULE = "functions.workers.receipts.handler"
DIALOG = "3f2c4d1e-0000-4000-8000-000000000001"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

Worker = Callable[..., Any]


@pytest.fixture
def worker(aws_account: Aws) -> Iterator[Worker]:
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


def receipt(n: int = 1, **fields: Any) -> ReceiptEnvelope:
    given: dict[str, Any] = {"bot_id": "b", "platform": "whatsapp", "status": "read", "trace_id": "t"}
    return ReceiptEnvelope(at=NOON, **{**given, "delivery_id": delivery_id_of(DIALOG, "e", 1, n), **fields})


def batch(*bodies: ReceiptEnvelope | str, receive_count: int = 1) -> dict[str, Any]:
    texts = [body if isinstance(body, str) else msgspec.json.encode(body).decode() for body in bodies]
    return {
        "Records": [
            {
                "messageId": f"receipt-{place}",
                "receiptHandle": "handle",
                "body": text,
                "attributes": {"ApproximateReceiveCount": str(receive_count)},
            }
            for place, text in enumerate(texts, 1)
        ]
    }


def send(*places: int, said: dict[str, Any] | None = None) -> None:
    for n in places:
        entry = HistoryEntry(
            dialog_id=DIALOG,
            epoch="e",
            turn=1,
            n=n,
            message_type="bot",
            message_data=said or {"text": "Hello!"},
            timestamp=NOON,
            created_at=NOON,
            delivery=DeliveryRecord("sent", (f"wamid.{n}",)),
        )
        DynamoHistory().record(entry)


def talk() -> None:
    """The dialog that the messages belong to."""
    times: dict[str, Any] = {"created_at": NOON, "updated_at": NOON, "last_interaction_at": NOON}
    chat: dict[str, Any] = {"bot_id": "b", "platform": "whatsapp", "platform_chat_id": "42"}
    DynamoDialogs().commit(Dialog(id=DIALOG, epoch="e", turn=1, **chat, **times), None)


def reached() -> list[str]:
    return [entry.delivery.reached for entry in DynamoHistory().of_turn(DIALOG, "e", 1) if entry.delivery]


def test_a_receipt_is_one_call(worker: Worker, aws_calls: list[Call]) -> None:
    send(1, 2)
    aws_calls.clear()
    told = batch(receipt(1, status="delivered"), receipt(2))
    assert worker(told, None) == {"batchItemFailures": []}
    assert [call.name for call in aws_calls] == ["dynamodb:UpdateItem"] * 2
    assert reached() == ["delivered", "read"]


def test_only_the_receipt_whose_message_is_not_there_yet_waits(worker: Worker, aws_calls: list[Call]) -> None:
    send(1)
    kept = worker(batch(receipt(2), receipt(1)), None)
    assert [failure["itemIdentifier"] for failure in kept["batchItemFailures"]] == ["receipt-1"]
    assert [call.name for call in aws_calls if call.service == "sqs"] == ["sqs:ChangeMessageVisibilityBatch"]
    assert reached() == ["read"]


def test_a_receipt_of_nothing_is_counted_in_the_end(
    worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert worker(batch(receipt(9), receive_count=TRIES), None) == {"batchItemFailures": []}
    counted = json.loads(capsys.readouterr().out)
    assert (counted["unmatched_receipts"], counted["platform"]) == (1, "whatsapp")


def test_a_message_that_was_not_delivered_is_counted(
    worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    send(1)
    worker(batch(receipt(status="failed", reason="words of the messenger")), None)
    counted = json.loads(capsys.readouterr().out)
    assert counted["failed_receipts"] == 1
    assert "words" not in str(counted)


def test_what_can_be_said_in_another_way_goes_to_the_sender_in_place_of_the_history(
    worker: Worker, aws_account: Aws
) -> None:
    send(1, 2, said={"text": "Are you there?", "template": {"name": "reminder", "language": "en"}})
    talk()
    late = receipt(2, status="failed", message_id="wamid.2", outcome="window_closed", reason="131047")
    assert worker(batch(late, late), None) == {"batchItemFailures": []}
    assert reached() == ["sent", "sent"]
    (queued,) = aws_account.sqs.receive_message(QueueUrl=aws_account.outbound, MaxNumberOfMessages=10)[
        "Messages"
    ]
    again = read_outbound(queued["Body"])
    assert again.resend == Resend(2, "template", "wamid.2", "131047")
    assert (again.messages[1].text, again.platform_chat_id, again.reemitted) == ("Are you there?", "42", True)


def test_what_is_no_receipt_is_put_where_a_person_will_find_it(worker: Worker, aws_account: Aws) -> None:
    assert len(worker(batch("nonsense"), None)["batchItemFailures"]) == 1
    assert worker(batch("nonsense", receive_count=TRIES_OF_A_BODY), None) == {"batchItemFailures": []}
    (dead,) = aws_account.sqs.receive_message(QueueUrl=aws_account.receipts_dlq)["Messages"]
    assert dead["Body"] == "nonsense"
