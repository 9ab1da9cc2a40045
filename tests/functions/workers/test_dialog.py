"""The dialog worker as Lambda calls it, when a turn or the time does not suffice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.events import MessageReceived
from shared.dialog.state import dialog_id_of
from shared.queueing.envelopes import InboundEnvelope, read_inbound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.scenarios import DynamoScenarios, Scenario
from tests.conftest import Aws, Call
from tests.dialog.test_manager import COUNTING, ENDLESS

MODULE = "functions.workers.dialog.handler"
CHAT_ID = "7"

Worker = Callable[..., Any]


@dataclass(frozen=True)
class Context:
    seconds: float = 15.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def worker(aws_account: Aws) -> Iterator[Worker]:
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


def bot_with(document: dict[str, Any]) -> str:
    now, bot_id, scenario_id = datetime.now(UTC), str(uuid4()), str(uuid4())
    head = Scenario(id=scenario_id, bot_id=bot_id, name="s", created_at=now, updated_at=now)
    DynamoScenarios().create(head, document)
    bot = Bot(
        id=bot_id,
        account_id="a",
        name="b",
        active_scenario_id=scenario_id,
        active_revision=1,
        created_at=now,
        updated_at=now,
    )
    DynamoBots().create(bot)
    return bot_id


def batch(*bot_ids: str, receive_count: int = 1) -> dict[str, Any]:
    """A Lambda event with a message to each bot."""
    return {"Records": [_record(bot_id, receive_count) for bot_id in bot_ids]}


def _record(bot_id: str, receive_count: int) -> dict[str, Any]:
    now, dialog_id = datetime.now(UTC), dialog_id_of(bot_id, "telegram", CHAT_ID)
    envelope = InboundEnvelope(
        dialog_id=dialog_id,
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id=CHAT_ID,
        event=MessageReceived(id="1", occurred_at=now, text="hello"),
        received_at=now,
        trace_id="t",
    )
    return {
        "messageId": bot_id,
        "receiptHandle": "handle",
        "body": msgspec.json.encode(envelope).decode(),
        "attributes": {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": dialog_id},
    }


def test_an_event_that_would_time_out_again_is_buried_and_the_batch_goes_on(
    worker: Worker, aws_account: Aws
) -> None:
    endless, counting = bot_with(ENDLESS), bot_with(COUNTING)
    answer = worker(batch(endless, counting, receive_count=5), Context())

    assert answer == {"batchItemFailures": []}
    (dead,) = aws_account.sqs.receive_message(QueueUrl=aws_account.inbound_dlq)["Messages"]
    envelope = read_inbound(dead["Body"])
    assert (envelope.bot_id, envelope.met_turn) == (endless, 0)
    assert "takes longer than" in envelope.failure
    assert DynamoDialogs().load(dialog_id_of(counting, "telegram", CHAT_ID)) is not None


def test_what_there_is_no_time_for_goes_back_at_once(worker: Worker, aws_calls: list[Call]) -> None:
    bots = [bot_with(COUNTING), bot_with(COUNTING)]
    aws_calls.clear()
    answer = worker(batch(*bots), Context(seconds=5))

    assert answer == {"batchItemFailures": [{"itemIdentifier": bot_id} for bot_id in bots]}
    assert {call.name for call in aws_calls} == {"sqs:ChangeMessageVisibilityBatch"}
    assert [call.params["Entries"][0]["VisibilityTimeout"] for call in aws_calls] == [0, 0]


def test_a_worker_starts_without_the_clients_that_few_turns_need() -> None:
    code = f"import {MODULE}; from shared import aws; print(*aws._clients)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["sqs"]
