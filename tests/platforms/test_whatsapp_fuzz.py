"""Thousands of notifications that WhatsApp would never send, signed as if it had."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from shared.platforms.whatsapp import WhatsAppAdapter
from shared.queueing.envelopes import InboundEnvelope, ReceiptEnvelope
from shared.webhook.door import Door
from shared.webhook.unparsed import UnparsedUpdates
from tests.platforms.cases import RECEIVED_AT, SETTINGS, credential, payload, payload_names
from tests.platforms.mutations import mutated
from tests.webhook.doubles import Bucket, Queue, Receipts, Vault, gateway_event

MUTANTS = int(os.environ.get("FUZZ", "2000"))
"""In all; `FUZZ=20000 pytest …` takes ten times as long."""
BATCHES = 8
SAMPLES = [payload("whatsapp", name) for name in payload_names("whatsapp")]
SECRET = SETTINGS["whatsapp"]["app_secret"]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(BATCHES))
def test_whatever_whatsapp_posts_is_taken_in_or_kept(seed: int) -> None:
    random, vault, queue, receipts, bucket = Random(seed), Vault(), Queue(), Receipts(), Bucket()
    vault.keep("whatsapp", app_secret=SECRET, phone_number_id=SETTINGS["whatsapp"]["phone_number_id"])
    door = Door(
        adapter=WhatsAppAdapter(),
        credentials=vault.cache(),
        inbound=queue,
        receipts=receipts,
        unparsed=UnparsedUpdates(lambda: bucket, "media"),  # type: ignore[arg-type,return-value]
        now=lambda: NOW,
    )
    statuses = []
    for _ in range(MUTANTS // BATCHES):
        body = mutated(random.choice(SAMPLES), SAMPLES, random)
        proof = {"x-hub-signature-256": "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex()}
        statuses.append(door.answer(gateway_event(body, headers=proof))["statusCode"])
    assert set(statuses) <= {200, 400}
    assert statuses.count(200) > len(statuses) * 0.8  # only what is no JSON any more is refused
    assert queue.envelopes
    assert receipts.envelopes
    assert bucket.objects
    assert_can_travel(queue, receipts)


def assert_can_travel(queue: Queue, receipts: Receipts) -> None:
    """What was taken in is what a worker reads of it, and somebody's."""
    for envelope in queue.envelopes:
        assert envelope.platform_chat_id
        assert msgspec.json.decode(msgspec.json.encode(envelope), type=InboundEnvelope) == envelope
    for receipt in receipts.envelopes:
        assert msgspec.json.decode(msgspec.json.encode(receipt), type=ReceiptEnvelope) == receipt


@pytest.mark.parametrize("seed", range(BATCHES))
def test_whatever_is_wrong_with_one_entry_the_others_are_read(seed: int) -> None:
    random, good = Random(seed), payload("whatsapp", "text")["entry"][0]
    for _ in range(MUTANTS // BATCHES):
        (entry,) = broken_entries(random)
        update = {"object": "whatsapp_business_account", "entry": [good, entry, good]}
        events = WhatsAppAdapter().parse(update, credential("whatsapp"), RECEIVED_AT).events
        assert events[0] == events[-1] == known(good)


def broken_entries(random: Random) -> list[Any]:
    """One entry of a damaged sample, if it is JSON still; else nothing at all stands for it."""
    sample = random.choice(SAMPLES)["entry"][0]
    try:
        return [msgspec.json.decode(mutated(sample, SAMPLES, random))]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [None]


def known(entry: Any) -> Any:
    update = {"object": "whatsapp_business_account", "entry": [entry]}
    (event,) = WhatsAppAdapter().parse(update, credential("whatsapp"), RECEIVED_AT).events
    return event
