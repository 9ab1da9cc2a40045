"""Thousands of callbacks that Viber would never make, signed as if it had."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from shared.platforms.viber import ViberAdapter
from shared.queueing.envelopes import InboundEnvelope, ReceiptEnvelope
from shared.webhook.door import Door
from shared.webhook.unparsed import UnparsedUpdates
from tests.platforms.cases import SETTINGS, payload, payload_names
from tests.platforms.mutations import mutated
from tests.webhook.doubles import Bucket, Queue, Receipts, Vault, gateway_event

MUTANTS = int(os.environ.get("FUZZ", "2000"))
"""In all; `FUZZ=20000 pytest …` takes ten times as long."""
BATCHES = 8
SAMPLES = [payload("viber", name) for name in payload_names("viber")]
TOKEN = SETTINGS["viber"]["auth_token"]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(BATCHES))
def test_whatever_viber_posts_is_taken_in_or_kept(seed: int) -> None:
    random, vault, queue, receipts, bucket = Random(seed), Vault(), Queue(), Receipts(), Bucket()
    vault.keep("viber", auth_token=TOKEN)
    door = Door(
        adapter=ViberAdapter(),
        credentials=vault.cache(),
        inbound=queue,
        receipts=receipts,
        unparsed=UnparsedUpdates(lambda: bucket, "media"),  # type: ignore[arg-type,return-value]
        now=lambda: NOW,
    )
    statuses = []
    for _ in range(MUTANTS // BATCHES):
        body = mutated(random.choice(SAMPLES), SAMPLES, random)
        proof = {"x-viber-content-signature": hmac.digest(TOKEN.encode(), body, "sha256").hex()}
        statuses.append(door.answer(gateway_event(body, headers=proof))["statusCode"])
    assert set(statuses) <= {200, 400}
    assert statuses.count(200) > len(statuses) * 0.85  # only what is no JSON any more is refused
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
