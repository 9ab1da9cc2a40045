"""What WhatsApp posts, as far as we read it, and the events that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    Event,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.errors import UnreadableUpdate
from shared.platforms.base import AddressedEvent, Parsed

_MILLISECONDS_FROM = 10**12
"""Timestamps are seconds; some have been seen in milliseconds."""


class _Change(msgspec.Struct):
    field: str
    value: Any = None


class _Entry(msgspec.Struct):
    changes: list[_Change] = []


class _Update(msgspec.Struct):
    object: str
    entry: list[_Entry] = []


class _Metadata(msgspec.Struct):
    phone_number_id: str


class _Profile(msgspec.Struct, frozen=True):
    name: str = ""
    username: str = ""


class _Contact(msgspec.Struct):
    """Either id may be missing: people with a username need not show their number."""

    wa_id: str = ""
    user_id: str = ""
    profile: _Profile = _Profile()


class _Text(msgspec.Struct):
    body: str


class _Reply(msgspec.Struct):
    id: str


class _Interactive(msgspec.Struct):
    type: str
    button_reply: _Reply | None = None
    list_reply: _Reply | None = None


class _QuickReply(msgspec.Struct):
    payload: str


class _Media(msgspec.Struct):
    """A file by its id; `voice` is whether an audio was recorded on the spot."""

    id: str = ""
    caption: str = ""
    filename: str = ""
    mime_type: str = ""
    voice: bool = False


class _Location(msgspec.Struct):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    name: str = ""


class _Phone(msgspec.Struct):
    phone: str = ""
    wa_id: str = ""


class _Name(msgspec.Struct, frozen=True):
    formatted_name: str = ""
    first_name: str = ""
    last_name: str = ""


class _Card(msgspec.Struct):
    """A contact that was shared."""

    name: _Name = _Name()
    phones: list[_Phone] = []


class _Message(msgspec.Struct):
    id: str
    timestamp: str
    type: str
    sender: str = msgspec.field(name="from", default="")
    from_user_id: str = ""
    group_id: str | None = None
    text: _Text | None = None
    interactive: _Interactive | None = None
    button: _QuickReply | None = None
    image: _Media | None = None
    video: _Media | None = None
    audio: _Media | None = None
    voice: _Media | None = None
    document: _Media | None = None
    location: _Location | None = None
    contacts: list[_Card] = []


class _Value(msgspec.Struct):
    metadata: _Metadata
    contacts: list[_Contact] = []
    messages: list[_Message] = []
    statuses: list[Any] = []
    errors: list[Any] = []


_CONTENT: Mapping[str, ContentType] = {
    "text": "text",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "voice",
    "document": "file",
    "sticker": "sticker",
    "location": "location",
    "contacts": "contact",
    "order": "unsupported",
}

_FILES: Mapping[str, Literal["image", "video", "audio", "file"]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "document": "file",
}

_NOT_INPUT = frozenset({"reaction", "system", "unsupported", "request_welcome", "edit", "revoke"})


def parse_update(payload: Any, own_number: str) -> Parsed:
    """Every message of every change of every entry, if it is to the number with this id.

    Raises `msgspec.ValidationError` or `UnreadableUpdate` for a message not as documented.
    """
    update = msgspec.convert(payload, _Update)
    if update.object != "whatsapp_business_account":
        return Parsed(ignored=("not_whatsapp",))
    changes = (change for entry in update.entry for change in entry.changes)
    found = [item for change in changes for item in _found_in(change, own_number)]
    events = tuple(item for item in found if isinstance(item, AddressedEvent))
    return Parsed(events, ignored=tuple(item for item in found if isinstance(item, str)))


def _found_in(change: _Change, own_number: str) -> Iterator[AddressedEvent | str]:
    """The events of a change, and a word for each thing that is none."""
    if change.field != "messages":
        yield "not_messages"
        return
    value = msgspec.convert(change.value, _Value)
    if value.metadata.phone_number_id != own_number:
        yield "other_number"
        return
    yield from ["status"] * len(value.statuses)
    yield from ["error"] * len(value.errors)
    for message in value.messages:
        yield _read(message, value.contacts)


def _read(message: _Message, contacts: Sequence[_Contact]) -> AddressedEvent | str:
    if message.group_id is not None:
        return "group"
    if message.type in _NOT_INPUT:
        return message.type
    chat_id = message.sender or message.from_user_id
    if not chat_id:
        raise UnreadableUpdate("a message from nobody")
    event = _event(message, _person(message, contacts))
    return AddressedEvent(chat_id, event) if event else "unknown"


def _event(message: _Message, person: Person | None) -> Event | None:
    occurred_at = _time(message.timestamp)
    pressed = _pressed(message)
    if pressed is not None:
        return ButtonPressed(id=message.id, occurred_at=occurred_at, person=person, data=pressed)
    content = _content(message)
    if content is None:
        return None
    media = _media(message) or _Media()
    return MessageReceived(
        id=message.id,
        occurred_at=occurred_at,
        person=person,
        text=_words(message) if content == "text" else media.caption,
        content="voice" if media.voice else content,
        place=_place(message),
        contact=_contact(message),
        file=_file(message),
    )


def _content(message: _Message) -> ContentType | None:
    return _CONTENT.get(message.type) or ("unsupported" if message.type == "interactive" else None)


def _words(message: _Message) -> str:
    if message.text is None:
        raise UnreadableUpdate("a text without words")
    return message.text.body


def _media(message: _Message) -> _Media | None:
    found: _Media | None = getattr(message, message.type) if message.type in _FILES else None
    return found


def _file(message: _Message) -> ReceivedFile | None:
    """The type without its parameters: `audio/ogg; codecs=opus` is an `audio/ogg`."""
    media = _media(message)
    if media is None:
        return None
    content_type = media.mime_type.partition(";")[0].strip()
    return ReceivedFile(_FILES[message.type], media.id, media.filename, content_type)


def _place(message: _Message) -> Place | None:
    location = message.location
    return Place(location.latitude, location.longitude, location.name) if location else None


def _contact(message: _Message) -> SharedContact | None:
    """The first contact with a number."""
    for card in message.contacts:
        phones = [phone for phone in card.phones if phone.phone or phone.wa_id]
        if phones:
            return _shared(card.name, phones, message.sender)
    return None


def _shared(name: _Name, phones: Sequence[_Phone], sender: str) -> SharedContact:
    """Of several numbers the sender's own.

    A card may be written by hand, also the account in it: so the own number is told as WhatsApp knows
    the sender, never as it stands beside.
    """
    first_name = name.first_name or name.formatted_name
    has_own = any(sender in (phone.wa_id, _digits(phone.phone)) for phone in phones)
    if has_own and sender.isdecimal():
        return SharedContact(f"+{sender}", first_name, name.last_name, own=True)
    shown = phones[0]
    return SharedContact(shown.phone or f"+{shown.wa_id}", first_name, name.last_name)


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)


def _pressed(message: _Message) -> str | None:
    """What the button carried: ours come as `interactive`, a template's as `button`."""
    if message.type == "button" and message.button is not None:
        return message.button.payload
    if message.type != "interactive" or message.interactive is None:
        return None
    reply = message.interactive.button_reply or message.interactive.list_reply
    return reply.id if reply else None


def _person(message: _Message, contacts: Sequence[_Contact]) -> Person | None:
    """The contact with the sender's number or id. Its name is one string; it is not cut in two."""
    for contact in contacts:
        if message.sender in (contact.wa_id, contact.user_id) and message.sender:
            break
        if message.from_user_id and message.from_user_id == contact.user_id:
            break
    else:
        return None
    return Person(first_name=contact.profile.name, username=contact.profile.username)


def _time(timestamp: str) -> datetime:
    moment = int(timestamp)
    return datetime.fromtimestamp(moment / 1000 if moment >= _MILLISECONDS_FROM else moment, UTC)
