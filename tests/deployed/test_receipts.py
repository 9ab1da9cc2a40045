"""How far a message has come, as its messenger tells: onto the history, and never through the dialog."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.admin import Admin, eventually
from tests.deployed.conftest import Messengers

pytestmark = pytest.mark.deployed

NUMBER = "491700000077"
VIBER_ID = "0123456789+/77="


def deliveries(admin: Admin, bot_id: str, platform: str, chat_id: str) -> list[dict[str, Any]]:
    """Of what the bot has said, in order."""
    dialog = admin.dialog_of(bot_id, platform, chat_id)
    entries = admin.history(dialog["id"]) if dialog else []
    said = [entry for entry in entries if entry["message_type"] == "bot"]
    return [entry["delivery"] for entry in sorted(said, key=lambda entry: entry["timestamp"])]


def test_whatsapp_s_receipts_find_their_message_in_any_order(
    messengers: Messengers, webhook: dict[str, str], admin: Admin, bot_id: str
) -> None:
    person = messengers.whatsapp.person(webhook["whatsapp"], number=NUMBER)
    person.say("Hi!")
    first = person.next()
    person.say("Ivan")
    second = person.next()
    for status in ("read", "delivered", "sent", "read"):
        assert person.post(person.receipt(first, status)).status == 200
    failure = {"errors": [{"code": 131026, "title": "Message undeliverable"}]}
    assert person.post(person.receipt(second, "failed", **failure)).status == 200

    def told() -> list[dict[str, Any]] | None:
        found = deliveries(admin, bot_id, "whatsapp", NUMBER)
        return found if [each["status"] for each in found] == ["read", "failed"] else None

    (_, failed) = eventually(told)
    assert "131026" in failed["reason"] or "undeliverable" in failed["reason"]


def test_viber_s_receipts_find_their_message_by_its_token(
    messengers: Messengers, webhook: dict[str, str], admin: Admin, bot_id: str
) -> None:
    person = messengers.viber.person(webhook["viber"], VIBER_ID)
    person.open()
    person.next()
    person.say("Ivan")
    said = person.next()
    for event in ("delivered", "seen", "delivered"):
        assert person.post(person.receipt(said, event)).status == 200
    eventually(
        lambda: [each["status"] for each in deliveries(admin, bot_id, "viber", VIBER_ID)][-1:] == ["read"]
    )
