"""What the warm path asks of AWS: every call is money and time, so each kind of turn has its number."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared import aws
from shared.dialog.events import ConversationStarted, MessageReceived
from shared.dialog.messages import Media, Message
from shared.dialog.state import Dialog, Task, dialog_id_of
from shared.media.base import MediaFile, PlatformFileId
from shared.media.store import media_store
from shared.queueing.envelopes import (
    InboundEnvelope,
    OrderedEnvelope,
    OutboundEnvelope,
    TaskEnvelope,
    read_work,
)
from shared.settings import MediaSettings
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios, Scenario
from tests.conftest import ENVIRONMENT, Aws, Call
from tests.functions.workers.test_tasks import waited_for
from tests.standins.telegram import KnownFile, TelegramStandIn
from tests.webhook.doubles import gateway_event

CHAT_ID = "987654321"
QUESTIONS: dict[str, Any] = {
    "version": "1",
    "steps": [
        {
            "id": name,
            "message": {"text": f"What is your {name}?"},
            "expected_input": {"type": "text", "variable": name},
            "next_step": following,
        }
        for name, following in [("name", "town"), ("town", "name")]
    ],
}


def asking_in_time(after: str) -> dict[str, Any]:
    """The same questions, each with a timer."""
    steps = copy.deepcopy(QUESTIONS["steps"])
    for step in steps:
        step["expected_input"]["timeout"] = {"after": after, "remind": "Are you there?"}
    return {**QUESTIONS, "steps": steps}


ASKING_OUTSIDE: dict[str, Any] = {
    "version": "1",
    "steps": [
        {
            "id": "name",
            "message": {"text": "What is your name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "age",
        },
        {
            "id": "age",
            "message": {"text": "Let me see."},
            "http": {"method": "GET", "url": "https://api.example.com/ages/{{ name }}"},
            "next_step": "name",
        },
    ],
}

BYE: dict[str, Any] = {"version": "1", "steps": [{"id": "bye", "message": {"text": "Bye"}}]}
READING: dict[str, Any] = {
    "version": "1",
    "steps": [{"id": "hello", "message": {"text": "Hello {{ contact.name }}, and bye"}}],
}

Handler = Callable[[Any, Any], dict[str, Any]]


@dataclass(frozen=True)
class Context:
    seconds: int = 30

    def get_remaining_time_in_millis(self) -> int:
        return self.seconds * 1000


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as standin:
        standin.person(chat_id=int(CHAT_ID)).has_started = True
        yield standin


@pytest.fixture
def bot_with(aws_account: Aws, telegram: TelegramStandIn) -> Callable[[dict[str, Any]], str]:
    """Makes an active bot that is connected to the messenger."""
    return partial(_bot_with, aws_account, telegram)


@pytest.fixture
def bot_id(bot_with: Callable[[dict[str, Any]], str]) -> str:
    """An active bot with two questions."""
    return bot_with(QUESTIONS)


def _bot_with(aws_account: Aws, telegram: TelegramStandIn, document: dict[str, Any]) -> str:
    now, bot_id, scenario_id = datetime.now(UTC), str(uuid4()), str(uuid4())
    DynamoScenarios().create(
        Scenario(id=scenario_id, bot_id=bot_id, name="s", created_at=now, updated_at=now), document
    )
    bot = Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now)
    DynamoBots().create(replace(bot, active_scenario_id=scenario_id, active_revision=1))
    settings = {"bot_token": telegram.token, "webhook_secret": "secret"}
    credentials = DynamoCredentials(aws_account.kms)
    credentials.create(bot_id, "telegram", settings, settings, is_active=True, identity="")
    return bot_id


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, telegram: TelegramStandIn) -> Iterator[Callable[[str], Handler]]:
    """Starts a Lambda in a container of its own: its caches are empty, and it calls our messenger."""
    monkeypatch.setenv("TELEGRAM_API_URL", telegram.url)
    with ExitStack() as containers:

        def start(module: str) -> Handler:
            monkeypatch.delitem(sys.modules, module, raising=False)
            started = import_module(module)
            containers.callback(sys.modules.pop, module)
            for name in ("_transport", "_collaborators"):
                if kept := getattr(started, name, None):
                    containers.callback(kept.close)
            return started.lambda_handler  # type: ignore[no-any-return]

        yield start


def names(calls: list[Call]) -> list[str]:
    return [call.name for call in calls]


def test_a_webhook_makes_one_call(
    bot_id: str, start: Callable[[str], Handler], aws_calls: list[Call]
) -> None:
    def update(number: int) -> dict[str, Any]:
        chat = {"id": int(CHAT_ID), "type": "private"}
        message = {"message_id": number, "date": 1_763_800_000, "chat": chat, "text": "Ada"}
        body = json.dumps({"update_id": number, "message": message})
        headers = {"x-telegram-bot-api-secret-token": "secret"}
        return gateway_event(body, bot_id=bot_id, headers=headers)

    webhook = start("functions.webhooks.telegram.handler")
    assert webhook(update(1), None)["statusCode"] == 200
    aws_calls.clear()
    assert webhook(update(2), None)["statusCode"] == 200
    assert names(aws_calls) == ["sqs:SendMessageBatch"]


def test_a_plain_turn_makes_four_calls(
    bot_id: str, start: Callable[[str], Handler], aws_calls: list[Call]
) -> None:
    worker = start("functions.workers.dialog.handler")
    now = datetime.now(UTC)
    first = ConversationStarted(id="1", occurred_at=now)
    assert worker(batch(inbound(bot_id, first)), Context()) == {"batchItemFailures": []}
    aws_calls.clear()
    answer = MessageReceived(id="2", occurred_at=now, text="Ada")
    assert worker(batch(inbound(bot_id, answer)), Context()) == {"batchItemFailures": []}
    assert names(aws_calls) == [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:PutItem",
        "sqs:SendMessage",
    ]
    assert [call.params["TableName"] for call in aws_calls[:3]] == [
        "parley-dialogs",
        "parley-dialogs",
        "parley-history",
    ]


@pytest.mark.parametrize(
    ("chat_id", "alias", "reads"),
    [("4915112345678", "US.1349", 1), ("4915112345678", "", 1), ("US.1349", "", 2)],
    ids=["both told", "the one the dialog lies under", "the other"],
)
def test_who_is_known_by_two_identities_costs_a_read_more_only_under_the_other_one(
    chat_id: str,
    alias: str,
    reads: int,
    bot_id: str,
    start: Callable[[str], Handler],
    aws_calls: list[Call],
) -> None:
    worker, now = start("functions.workers.dialog.handler"), datetime.now(UTC)
    first = on_whatsapp(bot_id, ConversationStarted(id="1", occurred_at=now), "4915112345678", "US.1349")
    assert worker(batch(first), Context()) == {"batchItemFailures": []}
    for event_id in ("2", "3"):
        aws_calls.clear()
        answer = MessageReceived(id=event_id, occurred_at=now, text="Ada")
        said = batch(on_whatsapp(bot_id, answer, chat_id, alias))
        assert worker(said, Context()) == {"batchItemFailures": []}
    written = ["dynamodb:PutItem", "dynamodb:PutItem", "sqs:SendMessage"]
    assert names(aws_calls) == ["dynamodb:GetItem"] * reads + written


@pytest.fixture
def schedules(aws_account: Aws) -> Iterator[None]:
    client, group = aws.client("scheduler"), ENVIRONMENT["SCHEDULE_GROUP"]
    client.create_schedule_group(Name=group)
    yield
    client.delete_schedule_group(Name=group)


@pytest.mark.usefixtures("schedules")
@pytest.mark.parametrize(
    ("document", "call", "target"),
    [
        (asking_in_time("15m"), "sqs:SendMessage", {"QueueUrl": ENVIRONMENT["DELAYS_QUEUE_URL"]}),
        (asking_in_time("24h"), "scheduler:CreateSchedule", {"GroupName": ENVIRONMENT["SCHEDULE_GROUP"]}),
        (ASKING_OUTSIDE, "sqs:SendMessage", {"QueueUrl": ENVIRONMENT["TASKS_QUEUE_URL"]}),
    ],
    ids=["timer", "long timer", "task"],
)
def test_a_timer_or_a_task_is_one_call_more(
    document: dict[str, Any],
    call: str,
    target: dict[str, str],
    bot_with: Callable[[dict[str, Any]], str],
    start: Callable[[str], Handler],
    aws_calls: list[Call],
) -> None:
    bot_id, worker = bot_with(document), start("functions.workers.dialog.handler")
    now = datetime.now(UTC)
    worker(batch(inbound(bot_id, ConversationStarted(id="1", occurred_at=now))), Context())
    aws_calls.clear()
    answer = MessageReceived(id="2", occurred_at=now, text="Ada")
    assert worker(batch(inbound(bot_id, answer)), Context()) == {"batchItemFailures": []}
    plain = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:PutItem", "sqs:SendMessage"]
    assert names(aws_calls) == [*plain, call]
    assert aws_calls[-1].params.items() >= target.items()


@pytest.mark.parametrize(
    ("document", "sync", "calls"),
    [
        (BYE, {}, ["outbound"]),
        (BYE, {"has_sync": True}, ["outbound", "syncs"]),
        (READING, {"contact_fields": {"name": "string"}}, ["tasks"]),
    ],
    ids=["nobody to tell", "a run that is told of", "a person that is looked up"],
)
def test_the_main_system_costs_a_send_for_what_it_is_told_or_asked(
    document: dict[str, Any],
    sync: dict[str, Any],
    calls: list[str],
    bot_with: Callable[[dict[str, Any]], str],
    start: Callable[[str], Handler],
    aws_calls: list[Call],
) -> None:
    bot_id, worker = bot_with(document), start("functions.workers.dialog.handler")
    DynamoBots().change(bot_id, **sync)
    for number in (1, 2):
        aws_calls.clear()
        started = ConversationStarted(id=str(number), occurred_at=datetime.now(UTC))
        assert worker(batch(inbound(bot_id, started)), Context()) == {"batchItemFailures": []}
    reads_and_writes = ["dynamodb:GetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:PutItem"]
    assert names(aws_calls[:4]) == reads_and_writes
    sent = [call.params["QueueUrl"].rpartition("-")[2] for call in aws_calls[4:]]
    assert sent == [f"{name}.fifo" for name in calls]


def test_a_sensitive_answer_is_one_call_more(
    bot_with: Callable[[dict[str, Any]], str], start: Callable[[str], Handler], aws_calls: list[Call]
) -> None:
    secret = {**QUESTIONS, "variables": {"name": {"type": "string", "sensitive": True}}}
    bot_id, worker = bot_with(secret), start("functions.workers.dialog.handler")
    now = datetime.now(UTC)
    worker(batch(inbound(bot_id, ConversationStarted(id="1", occurred_at=now))), Context())
    counted = []
    for number, text in enumerate(("Ada", "Riga"), 2):
        aws_calls.clear()
        answer = MessageReceived(id=str(number), occurred_at=now, text=text)
        assert worker(batch(inbound(bot_id, answer)), Context()) == {"batchItemFailures": []}
        counted.append(names(aws_calls))
        assert "Ada" not in str(
            [c.params for c in aws_calls if c.params.get("TableName") == "parley-history"]
        )
    plain = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:PutItem", "sqs:SendMessage"]
    assert counted == [[plain[0], "kms:Encrypt", *plain[1:]], plain]


def test_starting_a_run_also_reads_what_the_bot_runs(
    bot_id: str, start: Callable[[str], Handler], aws_calls: list[Call]
) -> None:
    worker = start("functions.workers.dialog.handler")
    for number in (1, 2):
        aws_calls.clear()
        again = ConversationStarted(id=str(number), occurred_at=datetime.now(UTC))
        assert worker(batch(inbound(bot_id, again)), Context()) == {"batchItemFailures": []}
    assert len(aws_calls) == 5
    assert [call.params["TableName"] for call in aws_calls[:2]] == ["parley-dialogs", "parley-bots"]


@pytest.mark.parametrize("messages", [1, 3])
def test_the_sender_makes_one_call_a_message_beside_the_messenger_s(
    messages: int,
    bot_id: str,
    start: Callable[[str], Handler],
    aws_calls: list[Call],
    telegram: TelegramStandIn,
) -> None:
    sender = start("functions.workers.sender.handler")
    assert sender(batch(outbound(bot_id, turn=1, messages=1)), Context()) == {"batchItemFailures": []}
    aws_calls.clear()
    sent = len(telegram.requests)
    assert sender(batch(outbound(bot_id, turn=2, messages=messages)), Context()) == {"batchItemFailures": []}
    assert names(aws_calls) == ["dynamodb:UpdateItem"] * messages
    assert len(telegram.requests) - sent == messages
    assert telegram.refusals == []


def test_a_task_costs_five_calls_beside_what_it_asks(
    bot_id: str,
    start: Callable[[str], Handler],
    aws_calls: list[Call],
    telegram: TelegramStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRIVATE_HOSTS", telegram.url.removeprefix("http://"))
    begun = inbound(bot_id, ConversationStarted(id="1", occurred_at=datetime.now(UTC)))
    start("functions.workers.dialog.handler")(batch(begun), Context())
    worker = start("functions.workers.tasks.handler")
    for number in (1, 2):
        work = waited_for(asking(telegram, begun, number))
        aws_calls.clear()
        assert worker(batch(work), Context()) == {"batchItemFailures": []}
    assert names(aws_calls) == [
        "sqs:ChangeMessageVisibilityBatch",  # should this worker die, another has it soon
        "dynamodb:GetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "sqs:SendMessageBatch",
    ]
    assert [call.params["TableName"] for call in aws_calls[1:4]] == [
        "parley-cache",
        "parley-dialogs",
        "parley-cache",
    ]


def asking(telegram: TelegramStandIn, begun: InboundEnvelope, number: int) -> TaskEnvelope:
    """An http step of the dialog's, which asks the server that is there."""
    url = f"{telegram.url}/bot{telegram.token}/getMe"
    asked: dict[str, Any] = {
        "method": "GET",
        "url": url,
        "headers": {},
        "body": None,
        "secrets": [],
        "schema": None,
    }
    dialog = DynamoDialogs().load(begun.dialog_id)
    assert dialog is not None
    return TaskEnvelope(
        dialog_id=dialog.id,
        epoch=dialog.epoch,
        bot_id=dialog.bot_id,
        platform=dialog.platform,
        platform_chat_id=dialog.platform_chat_id,
        task=Task(number, "http", asked, 20),
        trace_id="t",
    )


def test_a_file_that_the_messenger_knows_costs_one_read_in_half_a_minute(
    bot_id: str, start: Callable[[str], Handler], aws_calls: list[Call], telegram: TelegramStandIn
) -> None:
    sender = start("functions.workers.sender.handler")
    media_id = file_of(bot_id)
    known = PlatformFileId(photo_of(telegram), telegram.token.partition(":")[0])
    DynamoMedia().keep_file_id(media_id, "telegram", known)
    assert sender(batch(outbound(bot_id, turn=1, messages=1)), Context()) == {"batchItemFailures": []}
    counted = []
    for turn in (2, 3):
        aws_calls.clear()
        shown = msgspec.structs.replace(outbound(bot_id, turn=turn, messages=0), messages=(shows(media_id),))
        assert sender(batch(shown), Context()) == {"batchItemFailures": []}
        counted.append(names(aws_calls))
    assert counted == [["dynamodb:GetItem", "dynamodb:UpdateItem"], ["dynamodb:UpdateItem"]]
    assert telegram.refusals == []


def test_what_a_file_s_first_showing_costs(
    bot_id: str,
    start: Callable[[str], Handler],
    aws_calls: list[Call],
    telegram: TelegramStandIn,
    aws_account: Aws,
) -> None:
    sender, worker = (start(f"functions.workers.{name}.handler") for name in ("sender", "tasks"))
    assert sender(batch(outbound(bot_id, turn=1, messages=1)), Context()) == {"batchItemFailures": []}
    turn = msgspec.structs.replace(outbound(bot_id, turn=2, messages=0), messages=(shows(file_of(bot_id)),))
    aws_calls.clear()
    assert sender(batch(turn), Context())["batchItemFailures"]
    handed_over = ["GetItem", "PutItem", "UpdateItem"]
    assert names(aws_calls) == [
        *(f"dynamodb:{call}" for call in handed_over),
        "sqs:SendMessage",
        "sqs:ChangeMessageVisibilityBatch",
    ]
    (work,) = aws_account.sqs.receive_message(QueueUrl=aws_account.tasks)["Messages"]
    DynamoDialogs().commit(dialog_of(turn), None)
    aws_calls.clear()
    assert worker(batch(read_work(work["Body"])), Context(120)) == {"batchItemFailures": []}
    written = [call for call in names(aws_calls) if call not in ("dynamodb:GetItem", "kms:Decrypt")]
    assert written == [
        "dynamodb:Query",
        "dynamodb:PutItem",  # the lease
        "dynamodb:UpdateItem",  # it may go out from now on
        "dynamodb:UpdateItem",  # the messenger's name of it
        "dynamodb:UpdateItem",  # it is out
        "dynamodb:DeleteItem",  # the lease
    ]
    assert telegram.refusals == []


def dialog_of(turn: OutboundEnvelope) -> Dialog:
    now = datetime.now(UTC)
    return Dialog(
        id=turn.dialog_id,
        bot_id=turn.bot_id,
        platform=turn.platform,
        platform_chat_id=turn.platform_chat_id,
        epoch=turn.epoch,
        created_at=now,
        updated_at=now,
        last_interaction_at=now,
    )


def photo_of(telegram: TelegramStandIn) -> str:
    """The messenger's name of a photo that the bot has sent it before."""
    photo = KnownFile(f"AgAC{telegram.bot['id']}-0", "photo")
    telegram.files[photo.file_id] = photo
    return photo.file_id


def file_of(bot_id: str) -> str:
    """A picture of the bot's library."""
    now, media_id = datetime.now(UTC), str(uuid4())
    path = f"media/{media_id}/key/cat.png"
    media_store(MediaSettings.from_environment()).put(path, io.BytesIO(b"picture"), "image/png")
    file = MediaFile(
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
    assert DynamoMedia().create(file)
    return media_id


def shows(media_id: str) -> Message:
    return Message("A cat", media=(Media("image", media_id=media_id),))


def inbound(bot_id: str, event: ConversationStarted | MessageReceived) -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id=dialog_id_of(bot_id, "telegram", CHAT_ID),
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id=CHAT_ID,
        event=event,
        received_at=event.occurred_at,
        trace_id="trace",
    )


def on_whatsapp(
    bot_id: str, event: ConversationStarted | MessageReceived, chat_id: str, alias: str
) -> InboundEnvelope:
    return msgspec.structs.replace(
        inbound(bot_id, event),
        dialog_id=dialog_id_of(bot_id, "whatsapp", chat_id),
        platform="whatsapp",
        platform_chat_id=chat_id,
        alias=alias,
    )


def outbound(bot_id: str, *, turn: int, messages: int) -> OutboundEnvelope:
    return OutboundEnvelope(
        dialog_id=dialog_id_of(bot_id, "telegram", CHAT_ID),
        epoch="00000000",
        turn=turn,
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id=CHAT_ID,
        messages=tuple(Message(f"Message {n}") for n in range(messages)),
        trace_id="trace",
    )


def batch(envelope: OrderedEnvelope) -> dict[str, Any]:
    """A Lambda event from SQS with this one message, received for the first time."""
    body = msgspec.json.encode(envelope)
    attributes = {"ApproximateReceiveCount": "1", "MessageGroupId": "g"}
    message_id = hashlib.sha256(body).hexdigest()[:32]
    record = {"messageId": message_id, "receiptHandle": "r", "body": body.decode(), "attributes": attributes}
    return {"Records": [record]}
