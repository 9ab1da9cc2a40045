"""What WhatsApp posts, as far as we read it, and the events and receipts that it makes.

A body holds many things of many people, so each is read on its own: one that cannot be read puts none of
the others aside, and is left alone in what the webhook keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from shared.dialog.events import (
    AddressChanged,
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
from shared.platforms.base import AddressedEvent, Outcome, Parsed, Receipt
from shared.platforms.whatsapp_answers import meaning_of

_MILLISECONDS_FROM = 10**12
"""Timestamps are seconds; some have been seen in milliseconds."""

# A business-scoped user id, as of 2026; everything else is a phone number.
_SCOPED_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]+")


def is_scoped(identity: str) -> bool:
    """Whether it is a business-scoped user id and not a phone number."""
    return _SCOPED_USER_ID.fullmatch(identity) is not None


# ── What is posted ───────────────────────────────────────────────────────────────────────────────────


_Id = Annotated[str, msgspec.Meta(max_length=512)]
"""What names a person or a message; what we send along comes back, and may be so long."""


class _Update(msgspec.Struct):
    object: str
    entry: list[Any] = []


class _Entry(msgspec.Struct):
    changes: list[Any] = []


class _Change(msgspec.Struct):
    field: str
    value: Any = None


class _Metadata(msgspec.Struct):
    phone_number_id: str


class _Value(msgspec.Struct):
    metadata: _Metadata
    contacts: list[Any] = []
    messages: list[Any] = []
    statuses: list[Any] = []
    errors: list[Any] = []


class _Profile(msgspec.Struct, frozen=True):
    name: str = ""
    username: str = ""


class _Contact(msgspec.Struct):
    """Either id may be missing: people with a username need not show their number."""

    wa_id: _Id = ""
    user_id: _Id = ""
    profile: _Profile = _Profile()


class _Text(msgspec.Struct):
    body: str


class _Reply(msgspec.Struct):
    id: str


class _FlowReply(msgspec.Struct):
    response_json: str = ""


class _Interactive(msgspec.Struct):
    type: str
    button_reply: _Reply | None = None
    list_reply: _Reply | None = None
    nfm_reply: _FlowReply | None = None


class _QuickReply(msgspec.Struct):
    text: str = ""
    payload: str = ""


class _Order(msgspec.Struct):
    text: str = ""


class _Named(msgspec.Struct):
    """What kind of unsupported message it is."""

    type: str = ""


class _System(msgspec.Struct):
    """What WhatsApp itself tells of a person; older forms have the old number as `customer`."""

    type: str = ""
    customer: _Id = ""
    wa_id: _Id = ""
    new_wa_id: _Id = ""
    user_id: _Id = ""


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
    """A contact that was shared; `origin` tells an answer to our request from any other card.

    One source has it beside the cards.
    """

    name: _Name = _Name()
    phones: list[_Phone] = []
    origin: str = ""


class _Message(msgspec.Struct):
    id: _Id
    timestamp: str | int
    type: str
    sender: _Id = msgspec.field(name="from", default="")
    from_user_id: _Id = ""
    group_id: str | None = None
    text: _Text | None = None
    interactive: _Interactive | None = None
    button: _QuickReply | None = None
    order: _Order | None = None
    image: _Media | None = None
    video: _Media | None = None
    audio: _Media | None = None
    voice: _Media | None = None
    document: _Media | None = None
    location: _Location | None = None
    contacts: list[_Card] = []
    origin: str = ""
    system: _System = msgspec.field(default_factory=_System)
    unsupported: _Named = msgspec.field(default_factory=_Named)


class _Status(msgspec.Struct):
    """How far one of our messages has come."""

    id: _Id
    status: str
    timestamp: str | int
    recipient_id: _Id = ""
    recipient_user_id: _Id = ""
    recipient_type: str = ""
    biz_opaque_callback_data: _Id = ""
    errors: list[Any] = []


_CONTENT: Mapping[str, ContentType] = {
    "text": "text",
    "button": "text",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "voice",
    "document": "file",
    "sticker": "sticker",
    "location": "location",
    "contacts": "contact",
    "interactive": "unsupported",
    "order": "unsupported",
    "unsupported": "unsupported",
}

_FILES: Mapping[str, Literal["image", "video", "audio", "file"]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "document": "file",
}

_NOT_INPUT = frozenset({"reaction", "system", "request_welcome", "edit", "revoke"})

# What comes as `unsupported` and yet says nothing new: it is about a message of before.
_NO_MESSAGE = frozenset({"edit", "reaction", "pin", "keep_in_chat", "poll_update"})

# After these the person has another number or id.
_MOVED = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})

_KINDS = frozenset({"messages", "statuses", "errors"})
"""What a change can tell many of."""

_RECEIPTS: Mapping[str, Literal["delivered", "read", "failed"]] = {
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}


# ── What is found in it ──────────────────────────────────────────────────────────────────────────────


class _Ignored(NamedTuple):
    word: str


class _Unreadable(NamedTuple):
    """`given` is the thing that it concerns, with all that it stands in."""

    why: str
    given: Any


_Found = AddressedEvent | Receipt | _Ignored | _Unreadable


def parse_update(payload: Any, own_number: str) -> Parsed:
    """Every message and status of every change of every entry, if it is to the number with this id.

    Raises `msgspec.ValidationError` for what is no envelope at all.
    """
    update = msgspec.convert(payload, _Update)
    if update.object != "whatsapp_business_account":
        return Parsed(ignored=("not_whatsapp",))
    found = list(_each("entry", update.entry, lambda entry: _in_entry(entry, own_number)))
    unreadable = [item for item in found if isinstance(item, _Unreadable)]
    return Parsed(
        events=tuple(item for item in found if isinstance(item, AddressedEvent)),
        receipts=tuple(item for item in found if isinstance(item, Receipt)),
        ignored=tuple(item.word for item in found if isinstance(item, _Ignored)),
        unreadable=tuple(dict.fromkeys(item.why for item in unreadable)),
        unread={**payload, "entry": [item.given for item in unreadable]} if unreadable else None,
    )


def _each(what: str, things: Iterable[Any], read: Callable[[Any], Iterable[_Found]]) -> Iterator[_Found]:
    for thing in things:
        try:
            yield from list(read(thing))
        except UnreadableUpdate as error:
            yield _Unreadable(str(error), thing)
        except msgspec.ValidationError:
            yield _Unreadable(f"{what} not as documented", thing)


def _within(around: Callable[[Any], Any], found: Iterable[_Found]) -> Iterator[_Found]:
    """What was found; what cannot be read is put back into what it stood in."""
    for item in found:
        yield item._replace(given=around(item.given)) if isinstance(item, _Unreadable) else item


def _in_entry(entry: Any, own_number: str) -> Iterator[_Found]:
    changes = msgspec.convert(entry, _Entry).changes
    found = _each("change", changes, lambda change: _in_change(change, own_number))
    return _within(lambda change: {**entry, "changes": [change]}, found)


def _in_change(given: Any, own_number: str) -> Iterator[_Found]:
    change = msgspec.convert(given, _Change)
    if change.field != "messages":
        yield _Ignored("not_messages")
        return
    value = msgspec.convert(change.value, _Value)
    if value.metadata.phone_number_id != own_number:
        yield _Ignored("other_number")
        return
    contacts = list(_readable(value.contacts))
    messages = _each("message", value.messages, lambda message: _in_message(message, contacts))
    statuses = _each("status", value.statuses, lambda status: [_status(status)])
    yield from _within(lambda message: _with_only(given, messages=[message]), messages)
    yield from _within(lambda status: _with_only(given, statuses=[status]), statuses)
    yield from [_Ignored("error")] * len(value.errors)


def _with_only(change: Any, **things: list[Any]) -> Any:
    """The change, with nothing of the kind but these things."""
    about = {name: told for name, told in change["value"].items() if name not in _KINDS}
    return {**change, "value": {**about, **things}}


def _readable(contacts: Iterable[Any]) -> Iterator[_Contact]:
    """Without a name a person can be talked to as well."""
    for contact in contacts:
        try:
            yield msgspec.convert(contact, _Contact)
        except msgspec.ValidationError:
            continue


# ── Statuses ─────────────────────────────────────────────────────────────────────────────────────────


def _status(given: Any) -> _Found:
    status = msgspec.convert(given, _Status)
    if status.recipient_type == "group":
        return _Ignored("group")
    if status.status not in _RECEIPTS:
        return _Ignored("status")
    outcome, why = _meaning(status.errors) if status.status == "failed" else (None, "")
    return Receipt(
        _RECEIPTS[status.status],
        _time(status.timestamp),
        delivery_id=status.biz_opaque_callback_data,
        message_id=status.id,
        chat_id=status.recipient_id or status.recipient_user_id,
        reason=why,
        outcome=outcome,
    )


def _meaning(errors: Sequence[Any]) -> tuple[Outcome | None, str]:
    """By the first error; whatever it looks like, the message has failed."""
    outcome, why = meaning_of(errors[0]) if errors and isinstance(errors[0], dict) else (None, "")
    return outcome, why or "no reason was given"


# ── Messages ─────────────────────────────────────────────────────────────────────────────────────────


def _in_message(given: Any, contacts: Sequence[_Contact]) -> Iterator[_Found]:
    message = msgspec.convert(given, _Message)
    quiet = _no_input(message)
    if quiet is not None:
        yield quiet
        return
    if message.type not in _CONTENT and not _tells_a_move(message):
        yield _Ignored("unknown")
    yield _moved(message) if _tells_a_move(message) else _addressed(message, contacts)


def _tells_a_move(message: _Message) -> bool:
    return message.type == "system" and message.system.type in _MOVED


def _moved(message: _Message) -> AddressedEvent:
    """From where the person was known, and to where they are; the id is new with the number, or alone."""
    told = message.system
    former = told.customer or message.sender or message.from_user_id
    number, scoped = told.wa_id or told.new_wa_id, told.user_id
    if is_scoped(former) and scoped:
        number, scoped = scoped, number
    if not former or {number, scoped} <= {"", former}:
        raise UnreadableUpdate(told.type)
    changed = AddressChanged(id=message.id, occurred_at=_time(message.timestamp), chat_id=number or former)
    return AddressedEvent(former, changed, scoped)


def _no_input(message: _Message) -> _Ignored | None:
    """What it is, if it is no word of a person to the bot."""
    if message.group_id is not None:
        return _Ignored("group")
    if message.type in _NOT_INPUT and not _tells_a_move(message):
        return _Ignored(message.type)
    if message.type == "unsupported" and message.unsupported.type in _NO_MESSAGE:
        return _Ignored(message.unsupported.type)
    return None


def _addressed(message: _Message, contacts: Sequence[_Contact]) -> AddressedEvent:
    contact = _contact_of(message, contacts)
    number, scoped = _identities(message, contact)
    if not (number or scoped):
        raise UnreadableUpdate("message from nobody")
    event = _event(message, _person(contact), number)
    return AddressedEvent(number or scoped, event, scoped if number else "")


def _contact_of(message: _Message, contacts: Sequence[_Contact]) -> _Contact:
    """The contact with the sender's number or id; its place in the list says nothing."""
    senders = {message.sender, message.from_user_id} - {""}
    return next((each for each in contacts if senders & {each.wa_id, each.user_id}), _Contact())


def _identities(message: _Message, contact: _Contact) -> tuple[str, str]:
    """The person's number and business-scoped id, as far as they are told. Either may stand in `from`."""
    told = [each for each in (message.sender, message.from_user_id, contact.wa_id, contact.user_id) if each]
    number = next((each for each in told if not is_scoped(each)), "")
    return number, next((each for each in told if is_scoped(each)), "")


def _person(contact: _Contact) -> Person | None:
    """Its name is one string; it is not cut in two."""
    profile = contact.profile
    return Person(first_name=profile.name, username=profile.username) if profile != _Profile() else None


def _event(message: _Message, person: Person | None, number: str) -> Event:
    occurred_at = _time(message.timestamp)
    pressed = _pressed(message.interactive) if message.type == "interactive" else None
    if pressed is not None:
        return ButtonPressed(id=message.id, occurred_at=occurred_at, person=person, data=pressed)
    media = _media(message) or _Media()
    return MessageReceived(
        id=message.id,
        occurred_at=occurred_at,
        person=person,
        text=_words(message) or media.caption,
        content="voice" if media.voice else _CONTENT.get(message.type, "unsupported"),
        place=_place(message),
        contact=_shared_contact(message, number),
        file=_file(message),
    )


def _words(message: _Message) -> str:
    """What the person wrote, or what the button under a template says that they pressed.

    Templates carry nothing of ours, so their buttons mean what is written on them.
    """
    if message.type == "text":
        if message.text is None:
            raise UnreadableUpdate("text without words")
        return message.text.body
    if message.type == "button" and message.button:
        return message.button.text or message.button.payload
    if message.type == "order" and message.order:
        return message.order.text
    filled_in = message.interactive.nfm_reply if message.interactive else None
    return filled_in.response_json if filled_in else ""


def _pressed(interactive: _Interactive | None) -> str | None:
    """What the button or the row carried."""
    reply = (interactive.button_reply or interactive.list_reply) if interactive else None
    return reply.id if reply else None


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


def _shared_contact(message: _Message, number: str) -> SharedContact | None:
    """The first contact with a number."""
    for card in message.contacts:
        phones = [phone for phone in card.phones if phone.phone or phone.wa_id]
        if phones:
            return _shared(card, phones, number, card.origin or message.origin)
    return None


def _shared(card: _Card, phones: Sequence[_Phone], number: str, origin: str) -> SharedContact:
    """Of several numbers the sender's own.

    A card may be written by hand, also the account in it: so the own number is told as WhatsApp knows
    the sender, never as it stands beside. Who has shown no number may show it by the button for that.
    """
    first_name, last_name = card.name.first_name or card.name.formatted_name, card.name.last_name
    if number.isdecimal() and any(number in (phone.wa_id, _digits(phone.phone)) for phone in phones):
        return SharedContact(f"+{number}", first_name, last_name, own=True)
    shown = phones[0]
    if origin == "contact_request" and not number and shown.wa_id.isdecimal():
        return SharedContact(f"+{shown.wa_id}", first_name, last_name, own=True)
    return SharedContact(shown.phone or f"+{shown.wa_id}", first_name, last_name)


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)


def _time(timestamp: str | int) -> datetime:
    try:
        moment = int(timestamp)
        return datetime.fromtimestamp(moment / 1000 if moment >= _MILLISECONDS_FROM else moment, UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableUpdate("time that is none") from None
