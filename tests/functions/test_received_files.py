"""From a photo in a webhook's body to a file in the store: a deployment's Lambdas, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest

from shared.dialog.state import Dialog, dialog_id_of
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios, Scenario
from tests.conftest import Aws, Call
from tests.media.files import image
from tests.standins.server import Update
from tests.standins.telegram import TelegramStandIn
from tests.standins.viber import ViberStandIn
from tests.standins.whatsapp import WhatsAppStandIn
from tests.webhook.doubles import gateway_event

PICTURE = image("JPEG")
PLATFORMS = ("telegram", "whatsapp", "viber")
ASKING: dict[str, Any] = {
    "version": "1",
    "steps": [
        {
            "id": name,
            "message": {"text": "A photo, please."},
            "expected_input": {"type": "media", "variable": name},
            "next_step": following,
        }
        for name, following in [("photo", "another"), ("another", "photo")]
    ],
}


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 100_000


class Messengers:
    """All three, each with a person; a photo of theirs as an update."""

    def __init__(self, stack: ExitStack) -> None:
        self.telegram = stack.enter_context(TelegramStandIn(secret="secret"))
        self.whatsapp = stack.enter_context(WhatsAppStandIn())
        self.viber = stack.enter_context(ViberStandIn())

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        return {
            "telegram": {"bot_token": self.telegram.token, "webhook_secret": "secret"},
            "whatsapp": {
                "access_token": self.whatsapp.access_token,
                "app_secret": self.whatsapp.app_secret,
                "phone_number_id": self.whatsapp.phone_number_id,
                "verify_token": "v",
            },
            "viber": {"auth_token": self.viber.auth_token, "sender_name": "Bot"},
        }

    def photo(self, platform: str, content: bytes = PICTURE) -> Update:
        if platform == "telegram":
            file_id = self.telegram.receive("photo", content)
            size = {"file_unique_id": "u", "width": 40, "height": 30, "file_size": len(content)}
            return self.telegram.person().sent(photo=[{"file_id": file_id, **size}])
        if platform == "whatsapp":
            media_id = self.whatsapp.receive(content, "image/jpeg")
            person = self.whatsapp.person("")
            return person.message("image", image={"id": media_id, "mime_type": "image/jpeg", "sha256": "x"})
        address = self.viber.receive(content, "1.jpg")
        return self.viber.person().sent({"type": "picture", "media": address, "file_name": "1.jpg"})

    def text(self, platform: str) -> Update:
        person: Any = getattr(self, platform).person("")
        update: Update = person.written("hello")
        return update


class Deployment:
    """The Lambdas, each in a container of its own, and the queues between them."""

    def __init__(self, account: Aws, messengers: Messengers, platform: str) -> None:
        self.account, self.messengers, self.platform = account, messengers, platform
        self.bot_id = bot_on(account, platform, messengers.settings[platform])
        self.webhook = import_module(f"functions.webhooks.{platform}.handler").lambda_handler
        self.dialogs = import_module("functions.workers.dialog.handler").lambda_handler
        self.tasks = import_module("functions.workers.tasks.handler").lambda_handler

    def post(self, update: Update) -> None:
        headers = {name.lower(): value for name, value in update.headers.items()}
        answer = self.webhook(gateway_event(update.body, bot_id=self.bot_id, headers=headers), None)
        assert answer["statusCode"] == 200

    def work(self, queue: str, worker: Callable[..., Any], times: int = 1) -> list[dict[str, Any]]:
        """Hand what is in the queue to its worker, the given number of times; what it was."""
        answer = self.account.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        messages = answer.get("Messages", [])
        for message in messages:
            attributes = {"ApproximateReceiveCount": "1", "MessageGroupId": "g"}
            record = {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"]}
            event = {"Records": [{**record, "body": message["Body"], "attributes": attributes}]}
            for _ in range(times):
                assert worker(event, Context()) == {"batchItemFailures": []}
            self.account.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [dict(message) for message in messages]

    def dialog(self, chat_id: str) -> Dialog:
        dialog = DynamoDialogs().load(dialog_id_of(self.bot_id, self.platform, chat_id))
        assert dialog is not None
        return dialog


def bot_on(account: Aws, platform: str, settings: dict[str, str]) -> str:
    now, bot_id, scenario_id = datetime.now(UTC), str(uuid4()), str(uuid4())
    head = Scenario(id=scenario_id, bot_id=bot_id, name="s", created_at=now, updated_at=now)
    DynamoScenarios().create(head, ASKING)
    bot = Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now)
    DynamoBots().create(replace(bot, active_scenario_id=scenario_id, active_revision=1))
    credentials = DynamoCredentials(account.kms)
    credentials.create(bot_id, platform, settings, settings, is_active=True, identity="")
    return bot_id


@pytest.fixture
def messengers() -> Iterator[Messengers]:
    with ExitStack() as stack:
        yield Messengers(stack)


@pytest.fixture
def deploy(
    aws_account: Aws, messengers: Messengers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Deployment]]:
    for platform in PLATFORMS:
        monkeypatch.setenv(f"{platform.upper()}_API_URL", getattr(messengers, platform).url)
    for module in [name for name in sys.modules if name.startswith("functions.w")]:
        monkeypatch.delitem(sys.modules, module)
    yield lambda platform: Deployment(aws_account, messengers, platform)
    for module in [name for name in sys.modules if name.startswith("functions.w")]:
        del sys.modules[module]


CHATS = {"telegram": "987654321", "whatsapp": "16505551234", "viber": "01234567890A/+b="}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_photo_is_in_the_store_the_history_and_the_variable(
    deploy: Callable[[str], Deployment], messengers: Messengers, platform: str
) -> None:
    parley = deploy(platform)
    for update in (messengers.text(platform), messengers.photo(platform)):
        parley.post(update)
        parley.work(parley.account.inbound, parley.dialogs)
    assert len(parley.work(parley.account.tasks, parley.tasks, times=2)) == 1

    dialog = parley.dialog(CHATS[platform])
    media_id = dialog.variables["photo"]["media_id"]
    entries = DynamoHistory().after(dialog.id, dialog.epoch, "", 10)
    assert entries[-1].message_data["event"]["file"]["media_id"] == media_id
    file = DynamoMedia().find(media_id)
    assert file is not None
    assert (file.status, file.file_type, file.content_type) == ("ready", "image", "image/jpeg")
    assert (file.bot_id, file.dialog_id, file.size) == (parley.bot_id, dialog.id, len(PICTURE))
    stored = parley.account.s3.get_object(Bucket=parley.account.bucket, Key=file.storage_path)
    assert stored["Body"].read() == PICTURE
    assert stored["ContentDisposition"].startswith("attachment;")
    assert file.storage_path.startswith(f"received/{parley.bot_id}/{dialog.id}/{media_id}/")


def test_a_file_is_one_call_more_for_its_turn_and_four_beside_the_store_s_to_bring_in(
    deploy: Callable[[str], Deployment], messengers: Messengers, aws_calls: list[Call]
) -> None:
    parley = deploy("telegram")
    for update in (messengers.text("telegram"), messengers.photo("telegram")):
        parley.post(update)
        aws_calls.clear()
        parley.work(parley.account.inbound, parley.dialogs)
    plain = ["GetItem", "PutItem", "PutItem", "SendMessage"]
    assert operations(aws_calls) == [*plain, "SendMessage"]

    parley.work(parley.account.tasks, parley.tasks)
    parley.post(messengers.photo("telegram"))
    parley.work(parley.account.inbound, parley.dialogs)
    aws_calls.clear()
    parley.work(parley.account.tasks, parley.tasks)
    assert operations(aws_calls) == ["GetItem", "PutItem", "GetItem", "UpdateItem"]


def operations(calls: list[Call]) -> list[str]:
    """Without those that SQS makes for Lambda."""
    return [call.operation for call in calls if call.operation not in {"ReceiveMessage", "DeleteMessage"}]


def test_a_file_of_a_dialog_that_was_deleted_is_not_kept(
    deploy: Callable[[str], Deployment], messengers: Messengers
) -> None:
    parley = deploy("telegram")
    for update in (messengers.text("telegram"), messengers.photo("telegram")):
        parley.post(update)
        parley.work(parley.account.inbound, parley.dialogs)
    dialog = parley.dialog(CHATS["telegram"])
    parley.account.dynamodb.delete_item(TableName="parley-dialogs", Key={"id": {"S": dialog.id}})

    parley.work(parley.account.tasks, parley.tasks)

    assert DynamoMedia().find(dialog.variables["photo"]["media_id"]) is None
    assert "Contents" not in parley.account.s3.list_objects_v2(Bucket=parley.account.bucket)
