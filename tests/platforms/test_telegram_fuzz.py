"""Thousands of updates that Telegram would never make, and answers that it would never give."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from shared.platforms.base import Delivery, Outcome, Response
from shared.platforms.telegram import TelegramAdapter
from shared.queueing.envelopes import InboundEnvelope
from shared.webhook.door import Door
from shared.webhook.unparsed import UnparsedUpdates
from tests.platforms.cases import payload, payload_names
from tests.platforms.mutations import mutated
from tests.webhook.doubles import Bucket, Queue, Receipts, Vault, gateway_event

MUTANTS = int(os.environ.get("FUZZ", "2000"))
"""In all; `FUZZ=20000 pytest …` takes ten times as long."""
BATCHES = 8
SAMPLES = [payload("telegram", name) for name in payload_names("telegram")]
SECRET = "telegram-secret_1"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

batches = pytest.mark.parametrize("seed", range(BATCHES))


@batches
def test_whatever_telegram_posts_is_taken_in_or_kept(seed: int) -> None:
    random, vault, queue, bucket = Random(seed), Vault(), Queue(), Bucket()
    vault.keep("telegram", bot_token="1:a", webhook_secret=SECRET)
    door = Door(
        adapter=TelegramAdapter(),
        credentials=vault.cache(),
        inbound=queue,
        receipts=Receipts(),
        unparsed=UnparsedUpdates(lambda: bucket, "media"),  # type: ignore[arg-type,return-value]
        now=lambda: NOW,
    )
    proof = {"x-telegram-bot-api-secret-token": SECRET}
    statuses = []
    for _ in range(MUTANTS // BATCHES):
        body = mutated(random.choice(SAMPLES), SAMPLES, random)
        statuses.append(door.answer(gateway_event(body, headers=proof))["statusCode"])
    assert set(statuses) <= {200, 400}
    assert statuses.count(200) > len(statuses) * 0.85  # only what is no JSON any more is refused
    assert queue.envelopes
    assert bucket.objects
    assert_can_travel(queue)


def assert_can_travel(queue: Queue) -> None:
    """What was taken in is what a worker reads of it, and somebody's."""
    for envelope in queue.envelopes:
        assert envelope.platform_chat_id
        assert msgspec.json.decode(msgspec.json.encode(envelope), type=InboundEnvelope) == envelope


ANSWERS: list[Any] = [
    {"ok": True, "result": {"message_id": 7, "date": 1793370000, "chat": {"id": 1, "type": "private"}}},
    {"ok": True, "result": [{"message_id": 7}, {"message_id": 8}]},
    {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 17}},
    {"ok": False, "error_code": 400, "description": "Bad Request: failed to get HTTP URL content"},
    {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"},
]


@batches
def test_whatever_telegram_answers_is_sorted(seed: int) -> None:
    random, adapter = Random(seed), TelegramAdapter()
    for _ in range(MUTANTS // BATCHES):
        body = mutated(random.choice(ANSWERS), ANSWERS, random)
        status = random.choice((200, 400, 403, 429, 502, random.randrange(100, 1000)))
        headers = {"retry-after": json.dumps(random.choice((1, -1, "soon", None, 1e300)))}
        delivery = adapter.interpret(Response(status, body, headers))
        assert isinstance(delivery, Delivery)
        assert delivery.outcome in Outcome
        assert 0 <= (delivery.retry_after_seconds or 0) <= 24 * 3600
        assert len(delivery.reason) <= 200
        assert delivery.message_id.isdecimal() or not delivery.message_id
