"""What a webhook makes of the files in its events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.credential import Credential
from shared.dialog.events import MessageReceived, ReceivedFile
from shared.platforms.base import AddressedEvent, WebhookRequest
from shared.webhook.gateway import Call
from shared.webhook.intake import seal
from tests.webhook.doubles import BOT_ID, OTHER_BOT_ID

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PHOTO = ReceivedFile("image", "AgACAg", size=122_880)


def sealed(file: ReceivedFile | None, update: str = "7", chat: str = "42", bot_id: str = BOT_ID) -> Any:
    event = MessageReceived(id=update, occurred_at=NOON, content="image", file=file)
    call = Call(bot_id, "trace", "", WebhookRequest("POST", {}, {}, b""))
    credential = Credential("c", bot_id, "telegram", is_active=True, settings={})
    (envelope,), _ = seal([AddressedEvent(chat, event)], call, credential, NOON)
    return envelope.event


def test_a_file_has_its_id_in_the_library_from_the_beginning() -> None:
    file = sealed(PHOTO).file
    assert UUID(file.media_id).version == 5
    assert (file.type, file.reference, file.size) == ("image", "AgACAg", 122_880)


def test_a_file_that_is_delivered_again_is_the_same_file() -> None:
    assert sealed(PHOTO) == sealed(PHOTO)


@pytest.mark.parametrize(
    "other", [{"update": "8"}, {"chat": "43"}, {"bot_id": OTHER_BOT_ID}], ids=["update", "chat", "bot"]
)
def test_files_of_different_messages_are_different_files(other: dict[str, str]) -> None:
    assert sealed(PHOTO).file.media_id != sealed(PHOTO, **other).file.media_id


@pytest.mark.parametrize("file", [None, ReceivedFile("image")], ids=["none", "nothing to get it by"])
def test_what_cannot_be_brought_in_is_not_named(file: ReceivedFile | None) -> None:
    assert sealed(file).file == file


def test_one_event_too_large_does_not_cost_the_others() -> None:
    call = Call(BOT_ID, "trace", "", WebhookRequest("POST", {}, {}, b""))
    credential = Credential("c", BOT_ID, "whatsapp", is_active=True, settings={})
    texts = ("before", "x" * 200_000, "after")
    events = [MessageReceived(id=text[:9], occurred_at=NOON, text=text) for text in texts]
    sealed = seal([AddressedEvent("42", event, "US.1") for event in events], call, credential, NOON)
    assert [envelope.event.id for envelope in sealed.envelopes] == ["before", "after"]
    assert {envelope.alias for envelope in sealed.envelopes} == {"US.1"}
    assert sealed.unreadable == ("an event too large to be kept",)
