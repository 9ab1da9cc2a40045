"""Thousands of updates that no messenger would make, signed as if it had, and of answers likewise."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from shared.platforms import adapter_for
from shared.platforms.base import Delivery, Outcome, Response
from shared.platforms.whatsapp import WhatsAppAdapter
from shared.queueing.envelopes import InboundEnvelope, ReceiptEnvelope
from shared.webhook.door import Door
from shared.webhook.unparsed import UnparsedUpdates
from tests.platforms.cases import RECEIVED_AT, SETTINGS, credential, payload, payload_names
from tests.platforms.mutations import mutated
from tests.webhook.doubles import Bucket, Queue, Receipts, Vault, gateway_event

UPDATES = int(os.environ.get("FUZZ", "20000"))
"""Of each messenger."""
ANSWERS = UPDATES // 10
BATCHES = 8
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def _signature(platform: str, key: str, body: bytes) -> str:
    return hmac.digest(SETTINGS[platform][key].encode(), body, "sha256").hex()


@dataclass(frozen=True)
class Messenger:
    """How it proves what it posts, and answers to what it is sent."""

    prove: Callable[[bytes], Mapping[str, str]]
    answers: list[Any]
    tells_receipts: bool = True


MESSENGERS = {
    "telegram": Messenger(
        lambda _: {"x-telegram-bot-api-secret-token": SETTINGS["telegram"]["webhook_secret"]},
        [
            {"ok": True, "result": {"message_id": 7, "photo": [{"file_id": "a", "width": 9, "height": 9}]}},
            {"ok": True, "result": [{"message_id": 7, "video": {"file_id": "b"}}, {"message_id": 8}]},
            {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 17}},
            {"ok": False, "error_code": 400, "description": "Bad Request: failed to get HTTP URL content"},
            {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"},
        ],
        tells_receipts=False,
    ),
    "whatsapp": Messenger(
        lambda body: {"x-hub-signature-256": "sha256=" + _signature("whatsapp", "app_secret", body)},
        [
            {"messages": [{"id": "wamid.A", "message_status": "accepted"}], "contacts": [{"wa_id": "1"}]},
            {"error": {"code": 131047, "message": "(#131047) Re-engagement message", "is_transient": False}},
            {"error": {"code": 130429, "error_data": {"details": "Too many"}, "message": "Rate limit hit"}},
        ],
    ),
    "viber": Messenger(
        lambda body: {"x-viber-content-signature": _signature("viber", "auth_token", body)},
        [
            {"status": 0, "status_message": "ok", "message_token": 5741311803571721087},
            {"status": 12, "status_message": "tooManyRequests"},
            {"status": 6, "status_message": "receiverNotSubscribed", "chat_hostname": "SN"},
        ],
    ),
}
SAMPLES = {platform: [payload(platform, name) for name in payload_names(platform)] for platform in MESSENGERS}

batches = pytest.mark.parametrize("seed", range(BATCHES))
everywhere = pytest.mark.parametrize("platform", MESSENGERS)


@batches
@everywhere
def test_whatever_is_posted_is_taken_in_or_kept(platform: str, seed: int) -> None:
    random, vault, queue, receipts, bucket = Random(seed), Vault(), Queue(), Receipts(), Bucket()
    vault.keep(platform, is_active=True, **SETTINGS[platform])
    door = Door(
        adapter=adapter_for(platform),
        credentials=vault.cache(),
        inbound=queue,
        receipts=receipts,
        unparsed=UnparsedUpdates(lambda: bucket, "media"),  # type: ignore[arg-type,return-value]
        now=lambda: NOW,
    )
    messenger, samples, statuses = MESSENGERS[platform], SAMPLES[platform], []
    for _ in range(UPDATES // BATCHES):
        body = mutated(random.choice(samples), samples, random)
        answer = door.answer(gateway_event(body, headers=messenger.prove(body)))
        statuses.append(answer["statusCode"])
    assert set(statuses) <= {200, 400}
    assert statuses.count(200) > len(statuses) * 0.8  # only what is no JSON any more is refused
    assert queue.envelopes
    assert bool(receipts.envelopes) is messenger.tells_receipts
    assert bucket.objects
    assert_can_travel(queue, receipts)


def assert_can_travel(queue: Queue, receipts: Receipts) -> None:
    """What was taken in is what a worker reads of it, and somebody's."""
    for envelope in queue.envelopes:
        assert envelope.platform_chat_id
        assert msgspec.json.decode(msgspec.json.encode(envelope), type=InboundEnvelope) == envelope
    for receipt in receipts.envelopes:
        assert msgspec.json.decode(msgspec.json.encode(receipt), type=ReceiptEnvelope) == receipt


@batches
@everywhere
def test_whatever_is_answered_is_sorted(platform: str, seed: int) -> None:
    random, adapter, answers = Random(seed), adapter_for(platform), MESSENGERS[platform].answers
    for _ in range(ANSWERS // BATCHES):
        body = mutated(random.choice(answers), answers, random)
        status = random.choice((200, 400, 403, 429, 502, random.randrange(100, 1000)))
        headers = {"retry-after": json.dumps(random.choice((1, -1, "soon", None, 1e300)))}
        delivery = adapter.interpret(Response(status, body, headers))
        assert isinstance(delivery, Delivery)
        assert delivery.outcome in Outcome
        assert 0 <= (delivery.retry_after_seconds or 0) <= 24 * 3600
        assert len(delivery.reason) <= 200
        assert all(isinstance(each, str) for each in (delivery.message_id, *delivery.file_ids))


# ── One body, many things ────────────────────────────────────────────────────────────────────────────


@batches
def test_whatever_is_wrong_with_one_entry_of_whatsapp_s_the_others_are_read(seed: int) -> None:
    random, good = Random(seed), payload("whatsapp", "text")["entry"][0]
    for _ in range(ANSWERS // BATCHES):
        update = {"object": "whatsapp_business_account", "entry": [good, broken_entry(random), good]}
        events = WhatsAppAdapter().parse(update, credential("whatsapp"), RECEIVED_AT).events
        assert events[0] == events[-1] == known(good)


def broken_entry(random: Random) -> Any:
    """An entry of a damaged sample, if it is JSON still; else nothing at all stands for it."""
    sample = random.choice(SAMPLES["whatsapp"])["entry"][0]
    try:
        return msgspec.json.decode(mutated(sample, SAMPLES["whatsapp"], random))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def known(entry: Any) -> Any:
    update = {"object": "whatsapp_business_account", "entry": [entry]}
    (event,) = WhatsAppAdapter().parse(update, credential("whatsapp"), RECEIVED_AT).events
    return event
