"""Updates that broke the parser are read once it is mended; those that still break stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from infra.reparse import Reparsing
from shared.credential import Credential
from shared.dialog.events import MessageReceived
from shared.queueing.envelopes import InboundEnvelope
from shared.webhook.unparsed import UnparsedUpdates
from tests.conftest import Aws

BOT = "3f2c4d1e-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
READABLE = {
    "update_id": 7,
    "message": {
        "message_id": 1,
        "date": 1_795_000_000,
        "chat": {"id": 5, "type": "private", "first_name": "Ivan"},
        "from": {"id": 5, "is_bot": False, "first_name": "Ivan"},
        "text": "hello",
    },
}


class Inbound:
    def __init__(self) -> None:
        self.envelopes: list[InboundEnvelope] = []

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        self.envelopes += envelopes


def reparsed(account: Aws, inbound: Inbound, *, is_connected: bool = True) -> list[str]:
    credential = Credential("c", BOT, "telegram", is_active=True, settings={"bot_token": "1:a"})
    reparsing = Reparsing(
        account.s3, account.bucket, lambda *_: credential if is_connected else None, inbound
    )
    return [outcome for _, outcome in reparsing.run()]


def kept(account: Aws) -> int:
    return account.s3.list_objects_v2(Bucket=account.bucket)["KeyCount"]


def keep(account: Aws, update: object) -> None:
    unparsed = UnparsedUpdates(lambda: account.s3, account.bucket)
    unparsed.keep("telegram", BOT, json.dumps(update).encode(), NOW)


def test_what_can_be_read_now_goes_into_the_queue(aws_account: Aws) -> None:
    keep(aws_account, READABLE)
    inbound = Inbound()
    assert reparsed(aws_account, inbound) == ["read: 1 event(s)"]
    (envelope,) = inbound.envelopes
    assert (envelope.bot_id, envelope.platform, envelope.platform_chat_id) == (BOT, "telegram", "5")
    assert isinstance(envelope.event, MessageReceived)
    assert (envelope.event.id, envelope.event.text) == ("7", "hello")
    assert kept(aws_account) == 0


def test_what_still_breaks_stays(aws_account: Aws) -> None:
    keep(aws_account, {"update_id": 7, "message": {"message_id": "?", "chat": 5}})
    (outcome,) = reparsed(aws_account, Inbound())
    assert outcome.startswith("left: still breaks the parser")
    assert kept(aws_account) == 1


def test_what_belongs_to_nobody_stays(aws_account: Aws) -> None:
    keep(aws_account, READABLE)
    assert reparsed(aws_account, Inbound(), is_connected=False) == ["left: the bot is not connected any more"]
    assert kept(aws_account) == 1
