"""Viber's own SDK, which nobody here wrote, judges our samples, our proofs and our requests."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from viberbot import Api, BotConfiguration
from viberbot.api.message_sender import MessageSender
from viberbot.api.messages import get_message

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ConversationStarted,
    MessageReceived,
)
from shared.dialog.messages import Button, Media, Message, Span
from shared.platforms.base import Parsed, WebhookRequest
from shared.platforms.viber import ViberAdapter
from tests.platforms.cases import (
    DELIVERY_ID,
    PAYLOADS,
    RECEIVED_AT,
    SETTINGS,
    credential,
    payload,
    payload_names,
)
from tests.platforms.test_limits import others_of

ADAPTER = ViberAdapter("https://viber.test")
CREDENTIAL = credential("viber")
TOKEN, NAME = SETTINGS["viber"]["auth_token"], SETTINGS["viber"]["sender_name"]
CONFIGURATION = BotConfiguration(auth_token=TOKEN, name=NAME, avatar="https://a.io/a.jpg")
SDK = Api(CONFIGURATION)

UNKNOWN_TO_IT = {"action", "client_status", "unheard_of", "unheard_of_content"}
KNOWN = [name for name in payload_names("viber") if name not in UNKNOWN_TO_IT]


# ── What Viber posts ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", KNOWN)
def test_a_sample_is_read_alike(name: str) -> None:
    raw = (PAYLOADS / "viber" / f"{name}.json").read_bytes()
    theirs = SDK.parse_request(raw)
    ours = ADAPTER.parse(payload("viber", name), CREDENTIAL, RECEIVED_AT)
    if ours.ignored:
        assert theirs.event_type == "webhook" or theirs.chat_id
    elif ours.receipts:
        assert_same_receipt(ours, theirs)
    else:
        assert_same_event(ours, theirs)


def assert_same_receipt(ours: Parsed, theirs: Any) -> None:
    (receipt,) = ours.receipts
    assert receipt.status == {"seen": "read"}.get(theirs.event_type, theirs.event_type)
    assert receipt.message_id == str(theirs.message_token)
    assert receipt.chat_id == theirs.user_id
    assert receipt.at.timestamp() * 1000 == theirs.timestamp
    if receipt.status == "failed":
        assert receipt.reason == theirs.desc


def assert_same_event(ours: Parsed, theirs: Any) -> None:
    addressed = ours.events[0]
    event = addressed.event
    assert event.occurred_at.timestamp() * 1000 == theirs.timestamp
    if isinstance(event, ChatBlocked):
        assert (theirs.event_type, theirs.user_id) == ("unsubscribed", addressed.chat_id)
        return
    person = theirs.sender if theirs.event_type == "message" else theirs.user
    assert addressed.chat_id == person.id
    assert event.person is not None
    assert event.person.first_name == {"Subscriber": "", None: ""}.get(person.name, person.name)
    assert event.person.language == (person.language or "")
    if isinstance(event, ConversationStarted):
        assert event.payload == (getattr(theirs, "context", None) or "")
        return
    assert event.id == str(theirs.message_token)
    assert_same_content(event, theirs.message.to_dict())


def assert_same_content(event: Any, theirs: Mapping[str, Any]) -> None:
    if isinstance(event, ButtonPressed):
        assert event.data == theirs["text"]
        return
    assert isinstance(event, MessageReceived)
    assert event.text == (theirs["media"] if theirs["type"] == "url" else theirs.get("text") or "")
    if event.file:
        assert event.file.reference == theirs["media"]
        assert event.file.file_name == (theirs.get("file_name") or event.file.file_name)
    if event.contact:
        assert event.contact.phone == theirs["contact"]["phone_number"]
    if event.place:
        assert (event.place.latitude, event.place.longitude) == (
            theirs["location"]["lat"],
            theirs["location"]["lon"],
        )


@pytest.mark.parametrize("name", sorted(UNKNOWN_TO_IT))
def test_what_the_sdk_does_not_know_is_no_event_of_ours_but_unsupported(name: str) -> None:
    with pytest.raises(Exception, match="not supported"):
        SDK.parse_request(json.dumps(payload("viber", name)))
    for addressed in ADAPTER.parse(payload("viber", name), CREDENTIAL, RECEIVED_AT).events:
        assert isinstance(addressed.event, MessageReceived)
        assert addressed.event.content == "unsupported"


BODY = (PAYLOADS / "viber" / "text.json").read_bytes()


def signature(body: bytes, secret: str = TOKEN) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "shown",
    [
        signature(BODY),
        signature(BODY).upper(),
        signature(BODY + b" "),
        signature(json.dumps(json.loads(BODY)).encode()),
        signature(BODY, "another"),
        signature(BODY)[:-1],
        "",
    ],
)
def test_a_proof_is_judged_alike(shown: str) -> None:
    request = WebhookRequest("POST", {"x-viber-content-signature": shown}, {}, BODY)
    assert ADAPTER.verify(request, CREDENTIAL) is SDK.verify_signature(BODY, shown)


def test_a_true_proof_is_taken_by_both() -> None:
    assert SDK.verify_signature(BODY, signature(BODY))


# ── What we send ─────────────────────────────────────────────────────────────────────────────────────

CHOICES = (Button("Fish & <Chips>", "p:1"), Button("Site", url="https://a.io/?b=1&c"))
PHONE = Button("Here", share="phone")
LIBRARY = "https://cdn.io/media/m/k/"
MESSAGES = {
    "a text": Message("Привет 😀"),
    "a long text": Message("word " * 3000, buttons=CHOICES),
    "styles": Message("bold site", (Span(0, 4, "bold"), Span(5, 9, "link", "https://a.io"))),
    "buttons": Message("Which?", buttons=CHOICES),
    "too many buttons": Message("Which?", buttons=tuple(Button(f"{n}", f"p:{n}") for n in range(13))),
    "several": Message("Which?", buttons=(*CHOICES, Button("Done", "p:2")), several=True),
    "a phone": Message("Your number?", buttons=(PHONE, *CHOICES)),
    "a place": Message("Where?", buttons=(Button("Here", share="location"),)),
    "a picture": Message("Menu", media=(Media("image", "https://a.io/menu.jpg"),)),
    "a picture alone": Message("", media=(Media("image", "https://a.io/menu.jpg"),), buttons=CHOICES),
    "a long caption": Message("word " * 200, media=(Media("image", "https://a.io/menu.png"),)),
    "pictures and a file": Message(
        "",
        media=(
            Media("image", "https://a.io/1.jpg"),
            Media("image", "https://a.io/2.png"),
            Media("file", "https://a.io/a.pdf"),
        ),
    ),
    "a video": Message("Tour", media=(Media("video", "https://a.io/tour.mp4"),), buttons=CHOICES),
    "a video alone": Message("", media=(Media("video", "https://a.io/tour.mp4"),)),
    "files of the library": Message(
        "Look",
        media=(
            Media("video", f"{LIBRARY}1.mp4", "m", "1.mp4", "video/mp4", 9_000, duration_seconds=7),
            Media("file", f"{LIBRARY}1.pdf", "m", "menu.pdf", "application/pdf", 9_000),
            Media("image", f"{LIBRARY}1.jpg", "m", "1.jpg", "image/jpeg", 9_000),
        ),
    ),
    "an old app": Message("Number?", media=(Media("image", f"{LIBRARY}1.jpg"),), buttons=(PHONE, *CHOICES)),
}


class Wire:
    """Takes the place of the SDK's own HTTP, and keeps what would go out."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def post_request(self, _endpoint: str, body: str) -> Mapping[str, Any]:
        self.sent.append(json.loads(body))
        return {"status": 0, "message_token": len(self.sent)}


def by_the_sdk(content: Mapping[str, Any], receiver: str, avatar: str) -> Any:
    """The request that the SDK makes of a message that it has read from ours."""
    wire = Wire()
    sender = MessageSender(logging.getLogger("viber"), wire, CONFIGURATION)
    sender.send_message(receiver, NAME, avatar, get_message(content))
    (sent,) = wire.sent
    assert sent.pop("auth_token") == TOKEN
    return sent


@pytest.mark.parametrize("name", MESSAGES)
def test_a_request_is_the_one_that_the_sdk_would_make(name: str) -> None:
    """So every message is valid to it, and has no field that it does not know."""
    with_avatar = credential("viber", sender_avatar="https://a.io/a.jpg")
    requests = ADAPTER.render(MESSAGES[name], "01234567890A/+b=", with_avatar, DELIVERY_ID).requests
    assert requests
    for request in (*requests, *(other for each in requests for other in others_of(each))):
        ours = json.loads(json.dumps(request.json))
        assert by_the_sdk(ours, "01234567890A/+b=", "https://a.io/a.jpg") == ours


@pytest.mark.parametrize("name", MESSAGES)
def test_a_welcome_is_valid_to_the_sdk(name: str) -> None:
    welcome = json.loads(json.dumps(ADAPTER.welcome(MESSAGES[name], CREDENTIAL)))
    read = get_message(welcome)
    assert read.validate()
    shown = {name: value for name, value in read.to_dict().items() if value is not None}
    assert {**shown, "sender": {"name": NAME}} == welcome
