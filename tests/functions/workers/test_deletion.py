"""The worker of deletions as Lambda calls it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.state import Dialog, dialog_id_of
from shared.queueing.envelopes import BotDeletionEnvelope, read_deletion
from shared.queueing.giving_up import TRIES
from shared.storage.bots import Bot, DynamoBots
from shared.storage.dialogs import DynamoDialogs
from tests.conftest import Aws, items_of

MODULE = "functions.workers.deletion.handler"

Worker = Callable[..., Any]


class Context:
    def __init__(self, seconds: int = 300) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return self._seconds * 1000


@pytest.fixture
def worker(aws_account: Aws) -> Iterator[Worker]:
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


@pytest.fixture
def bot_id(aws_account: Aws) -> str:
    """A deleted bot with a dialog."""
    now, bot_id = datetime.now(UTC), str(uuid4())
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    dialog = Dialog(
        id=dialog_id_of(bot_id, "webchat", "7"),
        bot_id=bot_id,
        platform="webchat",
        platform_chat_id="7",
        epoch="e",
        created_at=now,
        updated_at=now,
        last_interaction_at=now,
    )
    DynamoDialogs().commit(dialog, None)
    DynamoBots().delete(bot_id)
    return bot_id


def batch(body: str, receive_count: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receive_count)}
    record = {"messageId": "m", "receiptHandle": "h", "body": body, "attributes": attributes}
    return {"Records": [record]}


def asked(bot_id: str) -> str:
    return msgspec.json.encode(BotDeletionEnvelope(bot_id=bot_id, trace_id="t")).decode()


def test_a_deleted_bot_is_removed(worker: Worker, bot_id: str) -> None:
    assert worker(batch(asked(bot_id)), Context()) == {"batchItemFailures": []}
    assert items_of("DIALOGS_TABLE") == []
    assert len(items_of("BOTS_TABLE")) == 1


def test_with_no_time_left_it_is_left_to_the_next_invocation(
    worker: Worker, bot_id: str, aws_account: Aws
) -> None:
    assert worker(batch(asked(bot_id)), Context(seconds=20)) == {"batchItemFailures": []}

    (again,) = aws_account.sqs.receive_message(QueueUrl=aws_account.deletions)["Messages"]
    assert read_deletion(again["Body"]) == read_deletion(asked(bot_id))
    assert len(items_of("DIALOGS_TABLE")) == 1


def test_what_is_no_deletion_is_put_where_a_person_will_find_it(worker: Worker, aws_account: Aws) -> None:
    assert len(worker(batch("nonsense"), Context())["batchItemFailures"]) == 1
    assert worker(batch("nonsense", TRIES), Context()) == {"batchItemFailures": []}
    (dead,) = aws_account.sqs.receive_message(QueueUrl=aws_account.deletions_dlq)["Messages"]
    assert dead["Body"] == "nonsense"
