"""Updates that broke the parser are read once it is mended; those that still break stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from infra.reparse import Reparsing
from shared.credential import Credential
from shared.dialog.events import MessageReceived
from shared.webhook.unparsed import UnparsedUpdates
from tests.conftest import Aws
from tests.webhook.doubles import Queue, Receipts

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


SETTINGS = {"bot_token": "1:a", "phone_number_id": "1065"}


def reparsed(
    account: Aws,
    inbound: Queue,
    receipts: Receipts | None = None,
    *,
    is_connected: bool = True,
    is_active: bool = True,
) -> list[str]:
    def reveal(bot_id: str, platform: str) -> Credential | None:
        credential = Credential("c", bot_id, platform, is_active=is_active, settings=SETTINGS)
        return credential if is_connected else None

    reparsing = Reparsing(account.s3, account.bucket, reveal, inbound, receipts or Receipts())
    return [outcome for _, outcome in reparsing.run()]


def kept(account: Aws) -> int:
    return account.s3.list_objects_v2(Bucket=account.bucket)["KeyCount"]


def keep(account: Aws, update: object, platform: str = "telegram") -> None:
    unparsed = UnparsedUpdates(lambda: account.s3, account.bucket)
    unparsed.keep(platform, BOT, json.dumps(update).encode(), NOW)


def test_what_can_be_read_now_goes_into_the_queue(aws_account: Aws) -> None:
    keep(aws_account, READABLE)
    inbound = Queue()
    assert reparsed(aws_account, inbound) == ["read: 1 event(s), 0 receipt(s)"]
    (envelope,) = inbound.envelopes
    assert (envelope.bot_id, envelope.platform, envelope.platform_chat_id) == (BOT, "telegram", "5")
    assert isinstance(envelope.event, MessageReceived)
    assert (envelope.event.id, envelope.event.text) == ("7", "hello")
    assert kept(aws_account) == 0


def test_what_still_breaks_stays(aws_account: Aws) -> None:
    keep(aws_account, {"update_id": 7, "message": {"message_id": "?", "chat": 5}})
    (outcome,) = reparsed(aws_account, Queue())
    assert outcome.startswith("left: still breaks the parser")
    assert kept(aws_account) == 1


def test_what_belongs_to_nobody_stays(aws_account: Aws) -> None:
    keep(aws_account, READABLE)
    assert reparsed(aws_account, Queue(), is_connected=False) == ["left: the bot is not connected any more"]
    assert kept(aws_account) == 1


def test_a_bot_that_is_switched_off_hears_of_nothing(aws_account: Aws) -> None:
    keep(aws_account, READABLE)
    inbound = Queue()
    assert reparsed(aws_account, inbound, is_active=False) == [
        "left: the bot or its connection is switched off"
    ]
    assert (inbound.envelopes, kept(aws_account)) == ([], 1)


def whatsapp(*statuses: object) -> object:
    """An update that tells of messages sent."""
    metadata = {"display_phone_number": "15550", "phone_number_id": SETTINGS["phone_number_id"]}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": statuses}
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


READ = {"id": "wamid.1", "status": "read", "timestamp": "1795000000", "recipient_id": "4917"}


def test_receipts_are_read_again_too(aws_account: Aws) -> None:
    keep(aws_account, whatsapp(READ), "whatsapp")
    receipts = Receipts()
    assert reparsed(aws_account, Queue(), receipts) == ["read: 0 event(s), 1 receipt(s)"]
    assert [receipt.status for receipt in receipts.envelopes] == ["read"]
    assert kept(aws_account) == 0


def test_an_update_of_which_a_part_still_breaks_stays(aws_account: Aws) -> None:
    keep(aws_account, whatsapp(READ, {**READ, "timestamp": "yesterday"}), "whatsapp")
    receipts = Receipts()
    assert reparsed(aws_account, Queue(), receipts) == [
        "left: 0 event(s), 1 receipt(s) read, and not the rest"
    ]
    assert len(receipts.envelopes) == 1
    assert kept(aws_account) == 1
