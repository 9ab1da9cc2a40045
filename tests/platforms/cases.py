"""Payload files and made-up credentials for the adapters' tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.credential import Credential
from shared.dialog.events import ContentType, MessageReceived
from shared.platforms.base import Parsed, PlatformAdapter, Response

PAYLOADS = Path(__file__).parent / "payloads"
RECEIVED_AT = datetime(2026, 10, 30, 12, 0, 7, tzinfo=UTC)
DELIVERY_ID = "6f8b2a52-3b0e-5a3c-9a52-0d1a2f3b4c5d:a1b2c3d4:3:1"

SETTINGS = {
    "telegram": {"bot_token": "123456789:AAEtelegram-token", "webhook_secret": "telegram-secret_1"},
    "whatsapp": {
        "phone_number_id": "106540352242922",
        "access_token": "EAAwhatsapp-token",
        "app_secret": "whatsapp-app-secret",
        "verify_token": "whatsapp-verify-token",
    },
    "viber": {
        "auth_token": "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9",
        "sender_name": "Onboarding",
    },
}


def payload(platform: str, name: str) -> Any:
    return json.loads((PAYLOADS / platform / f"{name}.json").read_text("utf-8"))


def payload_names(platform: str) -> list[str]:
    return sorted(path.stem for path in (PAYLOADS / platform).glob("*.json"))


def message_in(event: object) -> tuple[ContentType, str]:
    """The kind and the words of what a person sent."""
    assert isinstance(event, MessageReceived)
    return event.content, event.text


@dataclass(frozen=True)
class Samples:
    """The payload files of a messenger, as its adapter reads them; mostly they are of one chat."""

    adapter: PlatformAdapter
    chat_id: str

    def parse(self, name: str) -> Parsed:
        return self.read(payload(self.adapter.platform, name))

    def read(self, update: Any) -> Parsed:
        return self.adapter.parse(update, credential(self.adapter.platform), RECEIVED_AT)

    def only_event(self, name: str, chat_id: str = "") -> Any:
        return self.event_of(payload(self.adapter.platform, name), chat_id)

    def event_of(self, update: Any, chat_id: str = "") -> Any:
        (addressed,) = self.read(update).events
        assert addressed.chat_id == (chat_id or self.chat_id)
        return addressed.event


def credential(platform: str, **changed: str) -> Credential:
    return Credential("cred", "bot", platform, is_active=True, settings={**SETTINGS[platform], **changed})


def response(status: int, body: object, **headers: str) -> Response:
    """An answer with a JSON body; header names are written with underscores."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(body).encode(), names)
