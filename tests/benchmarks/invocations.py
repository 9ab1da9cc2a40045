"""What API Gateway and SQS hand to each Lambda, by the Lambda's handler: the first event of a busy day.

Every event is new: it carries `number`, so that nothing is taken for a redelivery.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.dialog.events import ConversationStarted, TimerFired
from shared.dialog.history import DeliveryRecord, HistoryEntry, delivery_id_of
from shared.dialog.messages import Button, Message
from shared.dialog.results import Sought
from shared.dialog.state import dialog_id_of
from shared.queueing.envelopes import (
    DialogDeletionEnvelope,
    Envelope,
    ExportEnvelope,
    InboundEnvelope,
    MenuEnvelope,
    OutboundEnvelope,
    ReceiptEnvelope,
)
from shared.results.exports import Export
from shared.storage.exports import DynamoExports
from shared.storage.history import DynamoHistory
from tests.backend.tokens import claims, signed
from tests.benchmarks.bodies import written
from tests.benchmarks.cloud import ACCOUNT_ID, CHAT_ID
from tests.benchmarks.pipeline import BOT_ID, SCENARIO_ID, SETTINGS
from tests.benchmarks.updates import Deed, Typed

Event = dict[str, Any]


def telegram(number: int) -> Event:
    headers = {"x-telegram-bot-api-secret-token": SETTINGS["telegram"]["webhook_secret"]}
    return _webhook("telegram", _update("telegram", number), headers)


def whatsapp(number: int) -> Event:
    body = _update("whatsapp", number)
    signature = _signature(SETTINGS["whatsapp"]["app_secret"], body)
    return _webhook("whatsapp", body, {"x-hub-signature-256": f"sha256={signature}"})


def viber(number: int) -> Event:
    body = _update("viber", number)
    signature = _signature(SETTINGS["viber"]["auth_token"], body)
    return _webhook("viber", body, {"x-viber-content-signature": signature})


def webchat(_number: int) -> Event:
    return _webhook("webchat", b'{"start":true}', {})


def admin(path: str) -> Callable[[int], Event]:
    """A read by an admin of the account."""

    def event(_number: int) -> Event:
        token = signed(claims({ACCOUNT_ID: "admin"}))
        return _http("GET", path, {"authorization": f"Bearer {token}"})

    return event


def dialog(number: int) -> Event:
    """Somebody new begins."""
    return _records("inbound.fifo", _inbound(number, ConversationStarted(id=str(number), occurred_at=_now())))


def relay(number: int) -> Event:
    """A timer is due."""
    fired = TimerFired(id=f"timer/00000000/{number}", occurred_at=_now(), epoch="00000000", timer=number)
    return _records("delays", _inbound(number, fired))


def receipts(number: int) -> Event:
    """A message that was sent has been read."""
    sent = HistoryEntry(
        dialog_id=dialog_id_of(BOT_ID, "whatsapp", str(CHAT_ID)),
        epoch="00000000",
        turn=number,
        n=1,
        message_type="bot",
        message_data={"text": "What's your position?"},
        timestamp=_now(),
        created_at=_now(),
        delivery=DeliveryRecord("sent", ("wamid.1",)),
    )
    DynamoHistory().record(sent)
    envelope = ReceiptEnvelope(
        bot_id=BOT_ID,
        platform="whatsapp",
        status="read",
        at=_now(),
        trace_id="benchmark",
        delivery_id=delivery_id_of(sent.dialog_id, sent.epoch, sent.turn, sent.n),
    )
    return _records("receipts", envelope)


def sender(number: int) -> Event:
    """A question with two buttons."""
    buttons = (Button("Food Guide", "p:00000000:1:1:0"), Button("Cook", "p:00000000:1:1:1"))
    envelope = OutboundEnvelope(
        dialog_id=dialog_id_of(BOT_ID, "telegram", str(CHAT_ID)),
        epoch="00000000",
        turn=number,
        bot_id=BOT_ID,
        platform="telegram",
        platform_chat_id=str(CHAT_ID),
        messages=(Message("What's your position?", buttons=buttons),),
        trace_id="benchmark",
    )
    return _records("outbound.fifo", envelope)


def tasks(_number: int) -> Event:
    """A menu of commands is to be what the active scenario says."""
    return _records("tasks.fifo", MenuEnvelope(bot_id=BOT_ID, platform="telegram", trace_id="benchmark"))


def exports(number: int) -> Event:
    """A file of results is asked for."""
    export_id = str(UUID(int=number))
    sought = Sought(until=_now())
    DynamoExports().create(
        Export(id=export_id, bot_id=BOT_ID, format="csv", sought=sought, created_at=_now())
    )
    return _records("exports.fifo", ExportEnvelope(export_id=export_id, bot_id=BOT_ID, trace_id="benchmark"))


def deletion(number: int) -> Event:
    """A dialog was deleted."""
    envelope = DialogDeletionEnvelope(
        dialog_id=dialog_id_of(BOT_ID, "telegram", str(number)),
        bot_id=BOT_ID,
        platform="telegram",
        epoch="00000000",
        deleted_at=_now(),
        trace_id="benchmark",
    )
    return _records("deletions", envelope)


EVENTS: Mapping[str, Callable[[int], Event]] = {
    "functions.webhooks.telegram.handler": telegram,
    "functions.webhooks.whatsapp.handler": whatsapp,
    "functions.webhooks.viber.handler": viber,
    "functions.webhooks.webchat.handler": webchat,
    "functions.admin.bots.handler": admin(f"/api/bots/{BOT_ID}"),
    "functions.admin.platforms.handler": admin(f"/api/bots/{BOT_ID}/platforms"),
    "functions.admin.scenarios.handler": admin(f"/api/scenarios/{SCENARIO_ID}"),
    "functions.admin.dialogs.handler": admin(f"/api/bots/{BOT_ID}/dialogs"),
    "functions.admin.media.handler": admin(f"/api/bots/{BOT_ID}/media"),
    "functions.workers.dialog.handler": dialog,
    "functions.workers.relay.handler": relay,
    "functions.workers.receipts.handler": receipts,
    "functions.workers.sender.handler": sender,
    "functions.workers.tasks.handler": tasks,
    "functions.workers.exports.handler": exports,
    "functions.workers.deletion.handler": deletion,
}


def has_succeeded(answer: Any) -> bool:
    """Whether the Lambda did what the event was about."""
    match answer:
        case {"batchItemFailures": []} | {"statusCode": 200}:
            return True
        case _:
            return False


def _update(platform: str, number: int) -> bytes:
    return written(platform, Deed(number, number, datetime.now(UTC), Typed("Ada")))


def _signature(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def _webhook(platform: str, body: bytes, headers: Mapping[str, str]) -> Event:
    event = _http("POST", f"/api/webhook/{platform}/{BOT_ID}", headers)
    route = {"routeKey": f"POST /api/webhook/{platform}/{{bot_id}}", "pathParameters": {"bot_id": BOT_ID}}
    return event | route | {"body": body.decode()}


def _http(method: str, path: str, headers: Mapping[str, str]) -> Event:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api.invalid", "content-type": "application/json", **headers},
        "requestContext": {
            "domainName": "api.invalid",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "benchmark",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def _inbound(number: int, event: ConversationStarted | TimerFired) -> InboundEnvelope:
    chat_id = str(number)
    return InboundEnvelope(
        dialog_id=dialog_id_of(BOT_ID, "telegram", chat_id),
        bot_id=BOT_ID,
        platform="telegram",
        platform_chat_id=chat_id,
        event=event,
        received_at=event.occurred_at,
        trace_id="benchmark",
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _records(queue: str, envelope: Envelope) -> Event:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    group = {"MessageGroupId": getattr(envelope, "dialog_id", BOT_ID)}
    record = {
        "messageId": hashlib.sha256(queue.encode()).hexdigest()[:32],
        "receiptHandle": "benchmark",
        "body": msgspec.json.encode(envelope).decode(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1767225600000",
            **(group if queue.endswith(".fifo") else {}),
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
        "awsRegion": "eu-central-1",
    }
    return {"Records": [record]}
