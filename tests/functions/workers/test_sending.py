"""The tasks worker as it brings files of libraries to messengers, over a whole AWS of its own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.history import DeliveryRecord
from shared.dialog.messages import Media, Message
from shared.dialog.state import Dialog, Remains, dialog_id_of
from shared.media.base import MediaFile
from shared.media.store import media_store
from shared.queueing.envelopes import OutboundEnvelope, UploadEnvelope
from shared.settings import MediaSettings
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.media import DynamoMedia
from tests.conftest import Aws
from tests.standins.telegram import TelegramStandIn
from tests.standins.whatsapp import WhatsAppStandIn

WORKERS = ("functions.workers.sender.handler", "functions.workers.tasks.handler")
CHAT_ID = "15551234567"
EPOCH = "0a1b2c3d"

Worker = Callable[..., Any]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as standin:
        monkeypatch.setenv("TELEGRAM_API_URL", standin.url)
        standin.person(chat_id=int(CHAT_ID)).has_started = True
        yield standin


@pytest.fixture
def whatsapp(monkeypatch: pytest.MonkeyPatch) -> Iterator[WhatsAppStandIn]:
    with WhatsAppStandIn() as standin:
        monkeypatch.setenv("WHATSAPP_API_URL", standin.url)
        standin.person("", CHAT_ID).wrote()
        yield standin


@pytest.fixture
def workers(
    aws_account: Aws, telegram: TelegramStandIn, whatsapp: WhatsAppStandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Worker, Worker]]:
    """The sender's handler and the tasks worker's."""
    monkeypatch.setenv("MEDIA_URL", "https://cdn.example.com")
    for name in WORKERS:
        sys.modules.pop(name, None)
    sender, tasks = map(import_module, WORKERS)
    yield sender.lambda_handler, tasks.lambda_handler
    sender._transport.close()
    tasks._collaborators.close()
    for name in WORKERS:
        sys.modules.pop(name)


def bot_on(aws_account: Aws, platform: str, settings: dict[str, str]) -> tuple[str, str]:
    """A bot, and a picture of its library."""
    now, bot_id, media_id = datetime.now(UTC), str(uuid4()), str(uuid4())
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    credentials = DynamoCredentials(aws_account.kms)
    credentials.create(bot_id, platform, settings, settings, is_active=True, identity="")
    path = f"media/{media_id}/key/cat.png"
    media_store(MediaSettings.from_environment()).put(path, io.BytesIO(b"picture"), "image/png")
    DynamoMedia().create(
        MediaFile(
            id=media_id,
            bot_id=bot_id,
            file_type="image",
            file_name="cat.png",
            content_type="image/png",
            size=7,
            status="ready",
            storage_path=path,
            created_at=now,
            updated_at=now,
        )
    )
    DynamoDialogs().commit(
        Dialog(
            id=dialog_id_of(bot_id, platform, CHAT_ID),
            bot_id=bot_id,
            platform=platform,
            platform_chat_id=CHAT_ID,
            epoch=EPOCH,
            created_at=now,
            updated_at=now,
            last_interaction_at=now,
        ),
        None,
    )
    return bot_id, media_id


def turn_of(bot_id: str, platform: str, media_id: str) -> str:
    envelope = OutboundEnvelope(
        dialog_id=dialog_id_of(bot_id, platform, CHAT_ID),
        epoch=EPOCH,
        turn=1,
        bot_id=bot_id,
        platform=platform,
        platform_chat_id=CHAT_ID,
        messages=(Message("A cat", media=(Media("image", media_id=media_id),)), Message("Bye")),
        trace_id="t",
    )
    return msgspec.json.encode(envelope).decode()


def batch(body: str, receive_count: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": "d"}
    record = {"messageId": "m", "receiptHandle": "h", "body": body, "attributes": attributes}
    return {"Records": [record]}


def work_in(aws_account: Aws) -> list[str]:
    answer = aws_account.sqs.receive_message(QueueUrl=aws_account.tasks, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def deliveries(bot_id: str, platform: str) -> list[DeliveryRecord | None]:
    entries = DynamoHistory().of_turn(dialog_id_of(bot_id, platform, CHAT_ID), EPOCH, 1)
    return [entry.delivery for entry in entries]


def said(telegram: TelegramStandIn) -> list[str]:
    """The methods by which something was said; that something is being written says nothing."""
    methods = [request.path.rpartition("/")[2] for request in telegram.requests]
    return [method for method in methods if method != "sendChatAction"]


KEPT = {"batchItemFailures": [{"itemIdentifier": "m"}]}
DONE: dict[str, Any] = {"batchItemFailures": []}


def test_a_first_send_goes_from_the_sender_to_the_worker_and_back(
    aws_account: Aws, workers: tuple[Worker, Worker], telegram: TelegramStandIn
) -> None:
    sender, tasks = workers
    bot_id, media_id = bot_on(aws_account, "telegram", {"bot_token": telegram.token, "webhook_secret": "s"})
    turn = turn_of(bot_id, "telegram", media_id)
    assert sender(batch(turn), Context()) == KEPT
    assert said(telegram) == []
    (work,) = work_in(aws_account)
    assert tasks(batch(work), Context()) == DONE
    assert tasks(batch(work, 2), Context()) == DONE, "a doubled receive does nothing"
    assert sender(batch(turn, 2), Context()) == DONE

    assert said(telegram) == ["sendPhoto", "sendMessage"]
    assert telegram.refusals == []
    assert [each and (each.status, each.possibly_doubled) for each in deliveries(bot_id, "telegram")] == [
        ("sent", False),
        ("sent", False),
    ]
    file = DynamoMedia().find(media_id)
    assert file is not None
    assert file.platform_file_ids["telegram"].file_id in telegram.files


def test_a_first_send_that_we_fail_at_is_handed_back(
    aws_account: Aws, workers: tuple[Worker, Worker], telegram: TelegramStandIn
) -> None:
    sender, tasks = workers
    settings = {"bot_token": telegram.token, "webhook_secret": "s"}
    bot_id, media_id = bot_on(aws_account, "telegram", settings)
    assert sender(batch(turn_of(bot_id, "telegram", media_id)), Context()) == KEPT
    (work,) = work_in(aws_account)
    credentials, broken = DynamoCredentials(aws_account.kms), {"webhook_secret": "s"}
    credentials.delete(bot_id, "telegram")
    credentials.create(bot_id, "telegram", broken, broken, is_active=True, identity="")

    assert tasks(batch(work, 4), Context()) == KEPT
    assert tasks(batch(work, 5), Context()) == DONE
    (record, *_) = deliveries(bot_id, "telegram")
    assert record is not None
    assert record.files is not None
    assert (record.status, record.files.handed_over_at) == ("queued", None)


def test_whatsapp_is_given_a_file_ahead(
    aws_account: Aws, workers: tuple[Worker, Worker], whatsapp: WhatsAppStandIn
) -> None:
    sender, tasks = workers
    settings = {
        "phone_number_id": whatsapp.phone_number_id,
        "access_token": whatsapp.access_token,
        "app_secret": whatsapp.app_secret,
    }
    bot_id, media_id = bot_on(aws_account, "whatsapp", settings)
    turn = turn_of(bot_id, "whatsapp", media_id)
    assert sender(batch(turn), Context()) == KEPT
    (work,) = work_in(aws_account)
    assert tasks(batch(work), Context()) == DONE
    assert sender(batch(turn, 2), Context()) == DONE
    assert whatsapp.refusals == []
    (kept,) = whatsapp.files.values()
    assert (kept.content, kept.content_type) == (b"picture", "image/png")
    assert [each and each.status for each in deliveries(bot_id, "whatsapp")] == ["sent", "sent"]


def test_a_file_that_no_bot_has_is_not_uploaded(
    aws_account: Aws, workers: tuple[Worker, Worker], whatsapp: WhatsAppStandIn
) -> None:
    _, tasks = workers
    _, media_id = bot_on(aws_account, "whatsapp", {"phone_number_id": "1", "access_token": "t"})
    other, _ = bot_on(aws_account, "whatsapp", {"phone_number_id": "1", "access_token": "t"})
    for bot_id, wanted in ((other, media_id), (str(uuid4()), media_id), (other, str(uuid4()))):
        work = UploadEnvelope(bot_id=bot_id, platform="whatsapp", media_id=wanted, trace_id="t")
        assert tasks(batch(msgspec.json.encode(work).decode()), Context()) == DONE
    assert whatsapp.requests == []


def test_a_file_is_not_sent_into_a_deleted_dialog(
    aws_account: Aws, workers: tuple[Worker, Worker], telegram: TelegramStandIn
) -> None:
    sender, tasks = workers
    bot_id, media_id = bot_on(aws_account, "telegram", {"bot_token": telegram.token, "webhook_secret": "s"})
    turn = turn_of(bot_id, "telegram", media_id)
    assert sender(batch(turn), Context()) == KEPT
    (work,) = work_in(aws_account)
    dialog = DynamoDialogs().load(dialog_id_of(bot_id, "telegram", CHAT_ID))
    assert dialog is not None
    DynamoDialogs().delete(dialog, Remains(EPOCH, dialog.updated_at, ()))

    assert tasks(batch(work), Context()) == DONE
    assert sender(batch(turn, 2), Context()) == DONE
    assert "sendPhoto" not in {request.path.rpartition("/")[2] for request in telegram.requests}
