"""The sender as Lambda calls it, when a turn of a batch has to wait."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.events import ChatBlocked
from shared.dialog.history import DeliveryRecord
from shared.dialog.messages import Message
from shared.dialog.state import Dialog, Remains, dialog_id_of
from shared.queueing.envelopes import OutboundEnvelope, read_inbound, read_outbound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from tests.conftest import Aws, Call
from tests.standins.telegram import TelegramStandIn

MODULE = "functions.workers.sender.handler"
EPOCH = "0a1b2c3d"

Sender = Callable[..., Any]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture
def sender(aws_account: Aws) -> Iterator[Sender]:
    sys.modules.pop(MODULE, None)
    worker = import_module(MODULE)
    yield worker.lambda_handler
    worker._transport.close()
    sys.modules.pop(MODULE)


@pytest.fixture
def bot_id(aws_account: Aws) -> str:
    """In the web chat, where a message is delivered by its record."""
    now, bot_id, settings = datetime.now(UTC), str(uuid4()), {"token_secret": "secret"}
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    credentials = DynamoCredentials(aws_account.kms)
    credentials.create(bot_id, "webchat", settings, settings, is_active=True, identity="")
    DynamoDialogs().commit(_dialog(bot_id), None)
    return bot_id


def _dialog(bot_id: str) -> Dialog:
    now = datetime.now(UTC)
    return Dialog(
        id=dialog_id_of(bot_id, "webchat", "7"),
        bot_id=bot_id,
        platform="webchat",
        platform_chat_id="7",
        epoch=EPOCH,
        created_at=now,
        updated_at=now,
        last_interaction_at=now,
        turn=1,
    )


def batch(bot_id: str, *messages: Message) -> dict[str, Any]:
    """A Lambda event with a turn for each message."""
    return {"Records": [_record(bot_id, turn, said) for turn, said in enumerate(messages, 1)]}


def _record(bot_id: str, turn: int, message: Message) -> dict[str, Any]:
    envelope = OutboundEnvelope(
        dialog_id=dialog_id_of(bot_id, "webchat", "7"),
        epoch=EPOCH,
        turn=turn,
        bot_id=bot_id,
        platform="webchat",
        platform_chat_id="7",
        messages=(message,),
        trace_id="t",
    )
    return {
        "messageId": f"turn-{turn}",
        "receiptHandle": "handle",
        "body": msgspec.json.encode(envelope).decode(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "MessageGroupId": envelope.dialog_id,
        },
    }


def delivery_of(bot_id: str, turn: int) -> DeliveryRecord | None:
    (entry,) = DynamoHistory().of_turn(dialog_id_of(bot_id, "webchat", "7"), EPOCH, turn)
    return entry.delivery


def test_a_delay_sends_its_turn_and_those_behind_it_back_to_the_queue(
    sender: Sender, bot_id: str, aws_calls: list[Call]
) -> None:
    kept = sender(batch(bot_id, Message("later", delay=600), Message("then")), Context())

    assert [failure["itemIdentifier"] for failure in kept["batchItemFailures"]] == ["turn-1", "turn-2"]
    (hidden,) = [call.params["Entries"] for call in aws_calls if call.service == "sqs"]
    assert [entry["VisibilityTimeout"] for entry in hidden] == [600, 600]


def test_what_only_waited_behind_a_delay_is_not_in_doubt_afterwards(sender: Sender, bot_id: str) -> None:
    turns = batch(bot_id, Message("later", delay=600), Message("then"))
    sender(turns, Context())
    assert delivery_of(bot_id, 2) == DeliveryRecord("queued")

    then = turns["Records"][1]
    then["attributes"]["ApproximateReceiveCount"] = "2"
    sender({"Records": [then]}, Context())
    assert delivery_of(bot_id, 2) == DeliveryRecord("sent")


def test_what_was_received_before_may_have_been_begun_then(sender: Sender, bot_id: str) -> None:
    turns = batch(bot_id, Message("later", delay=600), Message("then"))
    turns["Records"][1]["attributes"]["ApproximateReceiveCount"] = "2"
    sender(turns, Context())

    assert DynamoHistory().of_turn(dialog_id_of(bot_id, "webchat", "7"), EPOCH, 2) == []


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as standin:
        monkeypatch.setenv("TELEGRAM_API_URL", standin.url)
        standin.person(chat_id=7).has_started = True
        yield standin


def on_telegram(aws_account: Aws, token: str) -> tuple[str, dict[str, Any]]:
    """A bot, and a turn of its for somebody."""
    now, bot_id = datetime.now(UTC), str(uuid4())
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    settings = {"bot_token": token, "webhook_secret": "secret"}
    DynamoCredentials(aws_account.kms).create(
        bot_id, "telegram", settings, settings, is_active=True, identity=""
    )
    turn = OutboundEnvelope(
        dialog_id=dialog_id_of(bot_id, "telegram", "7"),
        epoch=EPOCH,
        turn=1,
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id="7",
        messages=(Message("one"), Message("two")),
        trace_id="t",
    )
    attributes = {"ApproximateReceiveCount": "1", "MessageGroupId": turn.dialog_id}
    body = msgspec.json.encode(turn).decode()
    record = {"messageId": "m", "receiptHandle": "h", "body": body, "attributes": attributes}
    return bot_id, {"Records": [record]}


def test_somebody_who_has_blocked_the_bot_becomes_an_event_of_their_dialog(
    aws_account: Aws, telegram: TelegramStandIn, sender: Sender
) -> None:
    bot_id, turn = on_telegram(aws_account, telegram.token)
    telegram.fail_next(403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked"})
    assert sender(turn, Context()) == {"batchItemFailures": []}
    (message,) = aws_account.sqs.receive_message(QueueUrl=aws_account.inbound)["Messages"]
    told = read_inbound(message["Body"])
    assert (told.bot_id, told.dialog_id) == (bot_id, dialog_id_of(bot_id, "telegram", "7"))
    assert isinstance(told.event, ChatBlocked)


def test_a_token_that_telegram_refuses_is_marked_and_left_alone(
    aws_account: Aws, telegram: TelegramStandIn, sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    bot_id, turn = on_telegram(aws_account, "1:another")
    assert sender(turn, Context()) == {"batchItemFailures": []}
    assert DynamoCredentials(aws_account.kms).get(bot_id, "telegram").health["status"] == "bad"
    assert "refused_credentials" in capsys.readouterr().out
    tried = len(telegram.requests)
    turn["Records"][0]["body"] = turn["Records"][0]["body"].replace('"turn":1', '"turn":2')
    assert sender(turn, Context()) == {"batchItemFailures": []}
    assert (tried, len(telegram.requests)) == (1, 1)


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def _delete_dialog(bot_id: str) -> None:
    dialog = _dialog(bot_id)
    DynamoDialogs().delete(dialog, Remains(EPOCH, dialog.updated_at, ()))


def _delete_bot(bot_id: str) -> None:
    DynamoBots().delete(bot_id)


@pytest.mark.parametrize(
    ("delete", "receive_count", "of_envelope"),
    [
        pytest.param(_delete_bot, 1, {}, id="of a bot, for the first time"),
        pytest.param(_delete_bot, 2, {}, id="of a bot, received again"),
        pytest.param(_delete_bot, 1, {"failure": "500"}, id="of a bot, redriven"),
        pytest.param(_delete_dialog, 2, {}, id="of a dialog, received again"),
        pytest.param(_delete_dialog, 1, {"reemitted": True}, id="of a dialog, emitted again"),
        pytest.param(_delete_dialog, 1, {"failure": "500"}, id="of a dialog, redriven"),
        pytest.param(_delete_dialog, 1, {"said_at": LONG_AGO}, id="of a dialog, behind one that waited long"),
    ],
)
def test_nothing_is_said_or_written_down_of_what_was_deleted(
    sender: Sender,
    bot_id: str,
    delete: Callable[[str], None],
    receive_count: int,
    of_envelope: dict[str, Any],
) -> None:
    turns = batch(bot_id, Message("too late"))
    (turn,) = turns["Records"]
    envelope = msgspec.structs.replace(read_outbound(turn["body"]), **of_envelope)
    turn["body"] = msgspec.json.encode(envelope).decode()
    turn["attributes"]["ApproximateReceiveCount"] = str(receive_count)
    delete(bot_id)

    assert sender(turns, Context()) == {"batchItemFailures": []}
    assert DynamoHistory().of_turn(dialog_id_of(bot_id, "webchat", "7"), EPOCH, 1) == []
