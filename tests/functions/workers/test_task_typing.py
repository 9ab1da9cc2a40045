"""What a person's messenger is told while a server takes its time with their task."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.state import Dialog, Pending, Task
from shared.queueing.envelopes import TaskEnvelope
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from tests.conftest import Aws
from tests.standins.server import Answer, Incoming, StandIn, answer_json
from tests.standins.telegram import TelegramStandIn
from tests.standins.whatsapp import WhatsAppStandIn

MODULE = "functions.workers.tasks.handler"
CHAT_ID = "15551234567"


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class Slow(StandIn):
    """Answers once a messenger has been told that something is being written, or after a while."""

    def __init__(self, messenger: StandIn) -> None:
        super().__init__()
        self.messenger = messenger

    def answer(self, request: Incoming) -> Answer:
        with self.messenger.changed:
            self.messenger.changed.wait_for(lambda: self.messenger.requests, 5)
        return answer_json({})

    def is_send(self, request: Incoming) -> bool:
        return False


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack
    sys.modules.pop(MODULE, None)


def a_messenger(platform: str, stack: ExitStack) -> tuple[StandIn, dict[str, str], str]:
    """With a bot's settings there, and the id of what the person has written."""
    if platform == "telegram":
        telegram = stack.enter_context(TelegramStandIn())
        telegram.person(chat_id=int(CHAT_ID)).has_started = True
        return telegram, {"bot_token": telegram.token, "webhook_secret": "secret"}, ""
    whatsapp = stack.enter_context(WhatsAppStandIn())
    written: Any = msgspec.json.decode(whatsapp.person("", CHAT_ID).written("hello").body)
    settings = {
        "access_token": whatsapp.access_token,
        "app_secret": whatsapp.app_secret,
        "phone_number_id": whatsapp.phone_number_id,
        "verify_token": "v",
    }
    return whatsapp, settings, written["entry"][0]["changes"][0]["value"]["messages"][0]["id"]


def of_a_dialog(platform: str, settings: dict[str, str], aws_account: Aws) -> TaskEnvelope:
    """A task of a dialog that there is, on a messenger that its bot is connected to."""
    now, bot_id = datetime.now(UTC), str(uuid4())
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    credentials = DynamoCredentials(aws_account.kms)
    credentials.create(bot_id, platform, settings, settings, is_active=True, identity="")
    chat: dict[str, Any] = {"bot_id": bot_id, "platform": platform, "platform_chat_id": CHAT_ID, "epoch": "e"}
    times: dict[str, Any] = dict.fromkeys(("created_at", "updated_at", "last_interaction_at"), now)
    DynamoDialogs().commit(Dialog(id="d", pending=Pending("http", 7, "a"), **chat, **times), None)
    return TaskEnvelope(dialog_id="d", task=Task(7, "http", {}, 20), trace_id="t", **chat)


@pytest.mark.parametrize("platform", ["telegram", "whatsapp"])
def test_typing_is_shown_while_a_server_takes_its_time(
    platform: str, stack: ExitStack, aws_account: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    messenger, settings, last_message_id = a_messenger(platform, stack)
    server = stack.enter_context(Slow(messenger))
    monkeypatch.setenv(f"{platform.upper()}_API_URL", messenger.url)
    monkeypatch.setenv("PRIVATE_HOSTS", server.url.removeprefix("http://"))
    asked: dict[str, Any] = {
        "method": "GET",
        "url": f"{server.url}/",
        "headers": {},
        "body": None,
        "secrets": [],
        "schema": None,
    }
    work = of_a_dialog(platform, settings, aws_account)
    work = msgspec.structs.replace(work, task=Task(7, "http", asked, 20), last_message_id=last_message_id)

    sys.modules.pop(MODULE, None)
    worker = import_module(MODULE)
    stack.callback(worker._collaborators.close)
    body, attributes = msgspec.json.encode(work).decode(), {"ApproximateReceiveCount": "1"}
    record = {"messageId": "1", "receiptHandle": "h", "body": body, "attributes": attributes}
    assert worker.lambda_handler({"Records": [record]}, Context()) == {"batchItemFailures": []}

    assert "typing" in str([each.body for each in messenger.requests])
    assert messenger.refusals == []
