"""The handlers as they are deployed, over an AWS in this process."""

from __future__ import annotations

import ast
import hashlib
import hmac
import importlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.queueing.envelopes import read_inbound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.scenarios import DynamoScenarios, Scenario
from tests.conftest import Aws, Call
from tests.webhook.doubles import body_of, gateway_event

PLATFORMS = ("telegram", "whatsapp", "viber", "webchat")
SETTINGS = {
    "telegram": {"bot_token": "1:a", "webhook_secret": "secret"},
    "whatsapp": {
        "phone_number_id": "1065",
        "access_token": "t",
        "app_secret": "secret",
        "verify_token": "verify",
    },
    "viber": {"auth_token": "secret", "sender_name": "Café"},
    "webchat": {"token_secret": "secret"},
}
MILLISECONDS = 1_763_800_000_000

Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def handler(platform: str) -> Handler:
    module = importlib.import_module(f"functions.webhooks.{platform}.handler")
    return module.lambda_handler  # type: ignore[no-any-return]


@pytest.fixture
def bot_id(aws_account: Aws) -> str:
    """A bot of its own for each test, so that no handler has it in its cache, on all platforms."""
    now, bot_id, scenario_id = datetime.now(UTC), str(uuid4()), str(uuid4())
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="Café", created_at=now, updated_at=now))
    document = {"version": "1", "steps": [{"id": "hello", "message": {"text": "Hello!"}, "end": True}]}
    scenario = Scenario(id=scenario_id, bot_id=bot_id, name="s", created_at=now, updated_at=now)
    DynamoScenarios().create(scenario, document)
    DynamoBots().change(bot_id, active_scenario_id=scenario_id, active_revision=1)
    credentials = DynamoCredentials(aws_account.kms)
    for platform, settings in SETTINGS.items():
        credentials.create(bot_id, platform, settings, settings, is_active=True, identity="")
    return bot_id


def signed(body: Any, header: str, prefix: str = "") -> dict[str, Any]:
    text = json.dumps(body)
    digest = hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
    return {"body": text, "headers": {header: prefix + digest}}


def said(platform: str, text: str) -> dict[str, Any]:
    """Somebody writes, as the platform posts it, with the platform's proof."""
    person = {"id": 42, "is_bot": False, "first_name": "Anna"}
    match platform:
        case "telegram":
            message = {"message_id": 1, "date": MILLISECONDS // 1000, "from": person, "text": text}
            update = {"update_id": 1, "message": message | {"chat": {"id": 42, "type": "private"}}}
            headers = {"x-telegram-bot-api-secret-token": "secret"}
            return {"body": json.dumps(update), "headers": headers}
        case "whatsapp":
            written = {"from": "49151", "id": "wamid.1", "timestamp": str(MILLISECONDS // 1000)}
            message = written | {"type": "text", "text": {"body": text}}
            metadata = {"display_phone_number": "1", "phone_number_id": "1065"}
            value = {"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]}
            changes = [{"field": "messages", "value": value}]
            update = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
            return signed(update, "x-hub-signature-256", "sha256=")
        case "viber":
            update = {"event": "message", "timestamp": MILLISECONDS, "message_token": 49126}
            sender = {"id": "01234567890A=", "name": "Anna", "language": "en", "api_version": 10}
            update |= {"sender": sender, "message": {"type": "text", "text": text}, "silent": False}
            return signed(update, "x-viber-content-signature")
        case _:
            return {"body": json.dumps({"text": text}), "headers": {}}


def queued(account: Aws) -> list[Any]:
    messages = account.sqs.receive_message(QueueUrl=account.inbound, MaxNumberOfMessages=10)
    return [read_inbound(message["Body"]) for message in messages.get("Messages", [])]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_a_person_writes_reaches_the_inbound_queue(aws_account: Aws, bot_id: str, platform: str) -> None:
    answer = handler(platform)(gateway_event(bot_id=bot_id, **said(platform, "привет 🙂")), None)
    assert answer["statusCode"] == 200
    (envelope,) = queued(aws_account)
    assert (envelope.platform, envelope.bot_id, envelope.event.text) == (platform, bot_id, "привет 🙂")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_warm_path_makes_one_call_to_aws(aws_calls: list[Call], bot_id: str, platform: str) -> None:
    take = handler(platform)
    take(gateway_event(bot_id=bot_id, **said(platform, "cold")), None)
    aws_calls.clear()
    take(gateway_event(bot_id=bot_id, **said(platform, "warm")), None)
    assert [call.name for call in aws_calls] == ["sqs:SendMessageBatch"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_first_call_reads_credential_and_bot_and_decrypts(
    aws_calls: list[Call], bot_id: str, platform: str
) -> None:
    aws_calls.clear()
    handler(platform)(gateway_event(bot_id=bot_id, **said(platform, "cold")), None)
    assert [call.name for call in aws_calls] == [
        "dynamodb:GetItem",
        "kms:Decrypt",
        "dynamodb:GetItem",
        "sqs:SendMessageBatch",
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("event", "status"),
    [
        pytest.param(gateway_event("{}", bot_id=str(uuid4())), 404, id="an unknown bot"),
        pytest.param(gateway_event("{}", bot_id="nobody"), 404, id="no bot at all"),
        pytest.param(gateway_event("x" * 5_000_000), 413, id="a giant body"),
        pytest.param(gateway_event("§") | {"isBase64Encoded": True}, 400, id="a damaged body"),
        pytest.param({}, 404, id="no event at all"),
    ],
)
def test_bad_input_is_refused(aws_account: Aws, platform: str, event: dict[str, Any], status: int) -> None:
    answer = handler(platform)(event, None)
    assert answer["statusCode"] == status
    assert body_of(answer)["status"] == status
    assert queued(aws_account) == []


@pytest.mark.parametrize("platform", ["telegram", "whatsapp", "viber"])
def test_a_forged_signature_is_refused(aws_account: Aws, bot_id: str, platform: str) -> None:
    genuine = said(platform, "hello")
    header = next(iter(genuine["headers"]))
    forged = genuine | {"headers": {header: genuine["headers"][header][:-1] + "x"}}
    assert handler(platform)(gateway_event(bot_id=bot_id, **forged), None)["statusCode"] == 401
    assert queued(aws_account) == []


def test_a_body_that_arrives_in_base64_is_verified_and_read(aws_account: Aws, bot_id: str) -> None:
    call = said("whatsapp", "hello")
    event = gateway_event(call["body"].encode(), bot_id=bot_id, headers=call["headers"])
    assert handler("whatsapp")(event, None)["statusCode"] == 200
    assert len(queued(aws_account)) == 1


def test_an_update_that_breaks_the_parser_lands_in_the_bucket(aws_account: Aws, bot_id: str) -> None:
    body = '{"update_id": 1, "message": "not an object"}'
    headers = {"x-telegram-bot-api-secret-token": "secret"}
    answer = handler("telegram")(gateway_event(body, bot_id=bot_id, headers=headers), None)
    assert answer["statusCode"] == 200
    (kept,) = aws_account.s3.list_objects_v2(Bucket=aws_account.bucket)["Contents"]
    assert kept["Key"].startswith(f"unparsed/telegram/{bot_id}/")
    stored = aws_account.s3.get_object(Bucket=aws_account.bucket, Key=kept["Key"])
    assert stored["Body"].read() == body.encode()


@pytest.mark.parametrize("missing", ["queue", "bucket"])
def test_without_queue_or_bucket_the_messenger_is_asked_to_try_again(
    aws_account: Aws, bot_id: str, missing: str
) -> None:
    call = said("telegram", "hello")
    if missing == "queue":
        aws_account.sqs.delete_queue(QueueUrl=aws_account.inbound)
    else:
        aws_account.s3.delete_bucket(Bucket=aws_account.bucket)
        call["body"] = "null"
    assert handler("telegram")(gateway_event(bot_id=bot_id, **call), None)["statusCode"] == 503


def test_whatsapp_verifies_the_address(bot_id: str) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "verify", "hub.challenge": "1158201444"}
    answer = handler("whatsapp")(gateway_event(method="GET", bot_id=bot_id, query=query), None)
    assert (answer["statusCode"], answer["body"]) == (200, "1158201444")


def test_viber_is_answered_with_the_welcome(aws_account: Aws, bot_id: str) -> None:
    user = {"id": "01234567890A=", "name": "Anna", "language": "en", "api_version": 10}
    opened = {"event": "conversation_started", "timestamp": MILLISECONDS, "message_token": 1}
    opened |= {"type": "open", "user": user, "subscribed": False}
    event = gateway_event(bot_id=bot_id, **signed(opened, "x-viber-content-signature"))
    assert body_of(handler("viber")(event, None))["text"] == "Hello!"
    (envelope,) = queued(aws_account)
    assert envelope.event.welcomed_by == 1


def test_the_web_chat_has_a_page(bot_id: str) -> None:
    event = gateway_event(method="GET", bot_id=bot_id, route="/chat/{bot_id}")
    answer = handler("webchat")(event, None)
    assert answer["statusCode"] == 200
    assert "<title>Café</title>" in answer["body"]


def test_the_web_chat_lists_what_was_said(aws_calls: list[Call], bot_id: str) -> None:
    chat = handler("webchat")
    token = body_of(chat(gateway_event('{"start": true}', bot_id=bot_id), None))["chat_token"]
    aws_calls.clear()
    headers = {"authorization": f"Bearer {token}"}
    listed = chat(gateway_event(method="GET", bot_id=bot_id, headers=headers), None)
    assert body_of(listed) == {"items": [], "typing": False, "open_ask": None}
    assert [call.name for call in aws_calls] == ["dynamodb:GetItem"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_handler_is_thin(platform: str) -> None:
    path = importlib.import_module(f"functions.webhooks.{platform}.handler").__file__
    assert path is not None
    source = Path(path).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 60
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert [function.name for function in functions] == ["lambda_handler"]
