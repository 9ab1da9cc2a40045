"""What the messengers post, in their full usual shape: a person's words, and their presses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.benchmarks.pipeline import BOT_NAME, SETTINGS


@dataclass(frozen=True, slots=True)
class Typed:
    """Words typed by a person."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button pressed: its words, what it carried, the message it was under, and what it means."""

    label: str
    data: str
    under: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person did: `chat` is who, `number` counts all deeds of a file."""

    chat: int
    number: int
    at: datetime
    did: Typed | Pressed

    @property
    def seconds(self) -> int:
        return int(self.at.timestamp())


def telegram(deed: Deed) -> dict[str, Any]:
    """https://core.telegram.org/bots/api#update"""
    person = {
        "id": deed.chat,
        "is_bot": False,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "username": f"ada{deed.chat}",
        "language_code": "en",
    }
    chat = {k: v for k, v in person.items() if k not in {"is_bot", "language_code"}} | {"type": "private"}
    message: dict[str, Any] = {"message_id": deed.number, "from": person, "chat": chat, "date": deed.seconds}
    update_id = {"update_id": 700_000_000 + deed.number}
    if isinstance(deed.did, Typed):
        message["text"] = deed.did.text
        if deed.did.text.startswith("/"):
            message["entities"] = [{"offset": 0, "length": len(deed.did.text), "type": "bot_command"}]
        return update_id | {"message": message}
    button = [{"text": deed.did.label, "callback_data": deed.did.data}]
    bot = {"id": 42, "is_bot": True, "first_name": BOT_NAME, "username": "benchmark_bot"}
    under = {"from": bot, "text": deed.did.under, "reply_markup": {"inline_keyboard": [button]}}
    query = {"id": str(4_000_000_000_000 + deed.number), "from": person, "message": message | under}
    return update_id | {"callback_query": query | {"chat_instance": "-7", "data": deed.did.data}}


def whatsapp(deed: Deed) -> dict[str, Any]:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components"""
    phone = str(79_000_000_000 + deed.chat)
    message: dict[str, Any] = {
        "from": phone,
        "id": f"wamid.{deed.number:032d}",
        "timestamp": str(deed.seconds),
    }
    if isinstance(deed.did, Typed):
        message |= {"type": "text", "text": {"body": deed.did.text}}
    else:
        reply = {"type": "button_reply", "button_reply": {"id": deed.did.data, "title": deed.did.label}}
        message |= {
            "context": {"from": "15550783881", "id": "wamid.0"},
            "type": "interactive",
            "interactive": reply,
        }
    phone_number_id = SETTINGS["whatsapp"]["phone_number_id"]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": phone_number_id},
        "contacts": [{"profile": {"name": "Ada Lovelace"}, "wa_id": phone}],
        "messages": [message],
    }
    entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def viber(deed: Deed) -> dict[str, Any]:
    """https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user

    A press comes as text: what the button carried.
    """
    text = deed.did.text if isinstance(deed.did, Typed) else deed.did.data
    return {
        "event": "message",
        "timestamp": deed.seconds * 1000,
        "chat_hostname": "SN-CHAT-01_",
        "message_token": 5_000_000_000_000_000_000 + deed.number,
        "sender": {
            "id": f"{deed.chat:020d}+/A==",
            "name": "Ada Lovelace",
            "language": "en",
            "country": "GB",
            "api_version": 10,
        },
        "message": {"text": text, "type": "text"},
        "silent": False,
    }


UPDATES: Mapping[str, Callable[[Deed], dict[str, Any]]] = {
    "telegram": telegram,
    "whatsapp": whatsapp,
    "viber": viber,
}

CHAT_IDS: Mapping[str, Callable[[int], str]] = {
    "telegram": str,
    "whatsapp": lambda chat: str(79_000_000_000 + chat),
    "viber": lambda chat: f"{chat:020d}+/A==",
}
"""The identity under which a platform's adapter knows the person."""
