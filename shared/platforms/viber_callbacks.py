"""What Viber posts to a webhook, read into events and receipts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ChatUnblocked,
    ContentType,
    ConversationStarted,
    Event,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.errors import UnreadableUpdate
from shared.platforms.answers import reason
from shared.platforms.base import AddressedEvent, Parsed, Receipt

_PRESS = re.compile(r"p:[A-Za-z0-9:_-]{1,38}")
"""What our buttons carry. A press comes as a text message that is exactly this."""

_NO_NAME = "Subscriber"
"""How Viber calls those who do not tell their name."""

_MAX_SIZE = 2**53
"""Beyond it a file's size is nonsense, and nothing that reads JSON elsewhere would keep it."""

_TOKENS = 10**40
"""Twice the digits of any that was seen."""

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
"""Opaque, base64 with its `/`, `+` and `=`; 24 characters so far."""


class _Head(msgspec.Struct):
    event: str
    chat_id: Any = None


class _User(msgspec.Struct):
    id: _Id
    name: str | None = None
    language: str | None = None


class _Contact(msgspec.Struct):
    phone_number: str | None = None
    name: str | None = None


class _Location(msgspec.Struct):
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class _Content(msgspec.Struct):
    type: str
    text: str | None = None
    media: str | None = None
    file_name: str | None = None
    size: Any = None
    file_size: Any = None
    contact: _Contact | None = None
    location: _Location | None = None


class _Callback(msgspec.Struct):
    """Any that concerns a person. `message_token` is beyond 2⁵³: a float has already lost it."""

    timestamp: int
    message_token: int
    sender: _User | None = None
    user: _User | None = None
    user_id: _Id | None = None
    message: _Content | None = None
    context: str | None = None
    subscribed: Any = None
    desc: str | None = None

    @property
    def id(self) -> str:
        if not 0 <= self.message_token < _TOKENS:
            raise UnreadableUpdate("a token beyond all numbers")
        return str(self.message_token)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)


_CONTENT: Mapping[str, ContentType] = {
    "text": "text",
    "url": "text",
    "picture": "image",
    "video": "video",
    "file": "file",
    "sticker": "sticker",
    "contact": "contact",
    "location": "location",
    "rich_media": "unsupported",
}

_FILES: Mapping[str, Literal["image", "video", "file"]] = {
    "picture": "image",
    "video": "video",
    "file": "file",
}

_RECEIPTS: Mapping[str, Literal["delivered", "read", "failed"]] = {
    "delivered": "delivered",
    "seen": "read",
    "failed": "failed",
}

_OF_NOBODY = frozenset({"webhook", "client_status", "action"})


def parse_callback(payload: Any) -> Parsed:
    """Raises `msgspec.ValidationError`, `UnreadableUpdate` or `ValueError` for one not as documented."""
    head = msgspec.convert(payload, _Head)
    if head.event in _OF_NOBODY:
        return Parsed(ignored=(head.event,))
    if head.event not in _READERS and head.event not in _RECEIPTS:
        return Parsed(ignored=("unknown",))
    if head.chat_id:
        return Parsed(ignored=("group",))
    callback = msgspec.convert(payload, _Callback)
    if status := _RECEIPTS.get(head.event):
        return Parsed(receipts=(_receipt(callback, status),))
    return _READERS[head.event](callback)


# ── What a person did ────────────────────────────────────────────────────────────────────────────────


def _message(callback: _Callback) -> Parsed:
    if callback.sender is None or callback.message is None:
        raise UnreadableUpdate("a message without sender or content")
    event = _said(callback, callback.message, _person(callback.sender))
    is_unheard_of = callback.message.type not in _CONTENT
    return Parsed((AddressedEvent(callback.sender.id, event),), ignored=("unknown",) * is_unheard_of)


def _said(callback: _Callback, message: _Content, person: Person) -> Event:
    text = (message.media if message.type == "url" else message.text) or ""
    if message.type == "text" and _PRESS.fullmatch(text):
        return ButtonPressed(id=callback.id, occurred_at=callback.at, person=person, data=text)
    return MessageReceived(
        id=callback.id,
        occurred_at=callback.at,
        person=person,
        text=text,
        content=_CONTENT.get(message.type, "unsupported"),
        place=_place(message),
        contact=_contact(message),
        file=_file(message),
    )


def _place(message: _Content) -> Place | None:
    return Place(message.location.lat, message.location.lon) if message.location else None


def _contact(message: _Content) -> SharedContact | None:
    """Never surely the person's own: one of the address book looks the same."""
    contact = message.contact
    if contact is None or not contact.phone_number:
        return None
    return SharedContact(contact.phone_number, contact.name or "")


def _file(message: _Content) -> ReceivedFile | None:
    kind = _FILES.get(message.type)
    if kind is None:
        return None
    size = _size(message.size) or _size(message.file_size)
    return ReceivedFile(kind, message.media or "", message.file_name or "", size=size)


def _size(value: Any) -> int:
    """What a file is said to measure; a strange answer must not cost the file."""
    return value if type(value) is int and 0 < value < _MAX_SIZE else 0


def _opened(callback: _Callback) -> Parsed:
    """The welcome costs nothing and needs no subscription, so it is asked for whenever it can be said.

    Without one, and without a subscription, nothing that a run says arrives; so the person's first word is to
    begin it, unless a deep link has something to tell.
    """
    is_unheard = callback.subscribed is not True and not callback.context
    return Parsed((_start(callback),), wants_welcome=True, needs_welcome=is_unheard)


def _subscribed(callback: _Callback) -> Parsed:
    """It may be the first that is heard of a person, or the end of their silence."""
    opened = _start(callback)
    again = ChatUnblocked(id=callback.id, occurred_at=callback.at, person=opened.event.person)
    return Parsed((opened, AddressedEvent(opened.chat_id, again)))


def _start(callback: _Callback) -> AddressedEvent:
    """Only a deep link (`context`) begins anew where there is a dialog already, as `/start` does."""
    if callback.user is None:
        raise UnreadableUpdate("a chat opened by nobody")
    opened = ConversationStarted(
        id=callback.id,
        occurred_at=callback.at,
        person=_person(callback.user),
        payload=callback.context or "",
        only_opens=not callback.context,
    )
    return AddressedEvent(callback.user.id, opened)


def _unsubscribed(callback: _Callback) -> Parsed:
    if callback.user_id is None:
        raise UnreadableUpdate("a chat left by nobody")
    left = ChatBlocked(id=callback.id, occurred_at=callback.at, reason="unsubscribed")
    return Parsed((AddressedEvent(callback.user_id, left),))


def _person(user: _User) -> Person:
    name = "" if user.name == _NO_NAME else user.name or ""
    return Person(first_name=name, language=user.language or "")


_READERS = {
    "message": _message,
    "conversation_started": _opened,
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
}

# ── What became of a message of ours ─────────────────────────────────────────────────────────────────


def _receipt(callback: _Callback, status: Literal["delivered", "read", "failed"]) -> Receipt:
    """One comes from each of the person's devices, and `delivered` for their own messages too."""
    return Receipt(
        status,
        callback.at,
        message_id=callback.id,
        chat_id=callback.user_id or "",
        reason=reason("", callback.desc) if status == "failed" else "",
    )
