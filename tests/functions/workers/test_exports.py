"""The worker of exports as Lambda calls it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.history import ChatAddress, HistoryEntry
from shared.dialog.results import Sought
from shared.queueing.envelopes import ExportEnvelope, read_export
from shared.queueing.giving_up import TRIES
from shared.results.exports import Export
from shared.storage.bots import Bot, DynamoBots
from shared.storage.exports import DynamoExports
from shared.storage.history import DynamoHistory
from tests.conftest import Aws

MODULE = "functions.workers.exports.handler"

Worker = Callable[..., Any]


class Context:
    """An invocation with so much time left."""

    def __init__(self, *seconds: int) -> None:
        self._left = list(seconds)

    def get_remaining_time_in_millis(self) -> int:
        return 1000 * (self._left.pop(0) if len(self._left) > 1 else self._left[0])


@pytest.fixture
def worker(aws_account: Aws) -> Iterator[Worker]:
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


@pytest.fixture
def export(aws_account: Aws) -> Export:
    """An export of a bot with three results."""
    now, bot_id = datetime.now(UTC), str(uuid4())
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    for n in range(3):
        run = {"run": n, "status": "completed", "collected_data": {"name": f"=Anna {n}"}}
        DynamoHistory().record(
            HistoryEntry(
                dialog_id=str(uuid4()),
                epoch="e",
                turn=1,
                n=0,
                message_type="user",
                message_data={"ended_runs": [run]},
                timestamp=now,
                created_at=now,
                chat=ChatAddress(bot_id, "webchat", "42"),
            )
        )
    made = Export(id=str(uuid4()), bot_id=bot_id, format="csv", sought=Sought(), created_at=now)
    DynamoExports().create(made)
    return made


def batch(body: str, receive_count: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": "g"}
    return {"Records": [{"messageId": "m", "receiptHandle": "h", "body": body, "attributes": attributes}]}


def envelope_of(export: Export, step: int = 0) -> str:
    envelope = ExportEnvelope(export_id=export.id, bot_id=export.bot_id, trace_id="t", step=step)
    return msgspec.json.encode(envelope).decode()


def found(export: Export) -> Export:
    record = DynamoExports().find(export.id)
    assert record is not None
    return record


def test_a_file_is_made_and_no_more_is_asked_for(worker: Worker, export: Export, aws_account: Aws) -> None:
    assert worker(batch(envelope_of(export)), Context(300)) == {"batchItemFailures": []}

    assert (found(export).status, found(export).rows) == ("ready", 3)
    written = aws_account.s3.get_object(Bucket=aws_account.bucket, Key=export.path)
    assert written["ContentType"] == "text/csv; charset=utf-8"
    assert written["Body"].read().decode("utf-8-sig").count("'=Anna") == 3
    assert "Messages" not in aws_account.sqs.receive_message(QueueUrl=aws_account.exports)


def test_out_of_time_it_asks_to_be_gone_on_with_until_it_is_done(
    worker: Worker, export: Export, aws_account: Aws
) -> None:
    body, invocations = envelope_of(export), 0
    while body:
        assert worker(batch(body), Context(30)) == {"batchItemFailures": []}
        invocations += 1
        received = aws_account.sqs.receive_message(QueueUrl=aws_account.exports).get("Messages", [])
        body = received[0]["Body"] if received else ""
        if body:
            aws_account.sqs.delete_message(
                QueueUrl=aws_account.exports, ReceiptHandle=received[0]["ReceiptHandle"]
            )
            assert read_export(body).step == invocations
            assert found(export).status == "running"

    assert found(export).status == "ready"
    assert invocations > 2


def test_a_message_that_comes_twice_does_no_harm(worker: Worker, export: Export) -> None:
    for _ in range(2):
        assert worker(batch(envelope_of(export)), Context(300)) == {"batchItemFailures": []}

    assert (found(export).status, found(export).rows) == ("ready", 3)


def test_what_cannot_be_made_is_given_up_told_of_and_may_be_redriven(
    worker: Worker, export: Export, aws_account: Aws
) -> None:
    broken = found(export).with_(phase="writing", upload_id="u", rest=7)  # its leftovers are not there
    DynamoExports().save(broken, export)
    for tries in range(1, TRIES):
        kept = worker(batch(envelope_of(export), tries), Context(300))
        assert kept == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert worker(batch(envelope_of(export), TRIES), Context(300)) == {"batchItemFailures": []}

    assert found(export).status == "failed"
    assert "ask for the export again" in found(export).reason
    (letter,) = aws_account.sqs.receive_message(QueueUrl=aws_account.exports_dlq)["Messages"]
    assert read_export(letter["Body"]).failure.startswith("NotFound")

    DynamoExports().save(found(export).with_(upload_id="", rest=0), found(export))
    worker(batch(letter["Body"]), Context(300))
    assert (found(export).status, found(export).reason) == ("ready", "")


def test_a_body_that_is_none_is_kept_for_a_person(worker: Worker, aws_account: Aws) -> None:
    assert worker(batch("{}", TRIES), Context(300)) == {"batchItemFailures": []}

    (letter,) = aws_account.sqs.receive_message(QueueUrl=aws_account.exports_dlq)["Messages"]
    assert letter["Body"] == "{}"


def test_an_export_of_a_bot_that_is_gone_is_left(worker: Worker, aws_account: Aws) -> None:
    export = Export(
        id=str(uuid4()),
        bot_id=str(uuid4()),
        format="csv",
        sought=Sought(),
        created_at=datetime.now(UTC),
    )
    DynamoExports().create(export)

    assert worker(batch(envelope_of(export)), Context(300)) == {"batchItemFailures": []}

    assert found(export).status == "queued"
    assert "Contents" not in aws_account.s3.list_objects_v2(Bucket=aws_account.bucket)
