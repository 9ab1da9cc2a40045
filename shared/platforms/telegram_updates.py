"""What Telegram posts (Bot API 10.1), as far as we read it, and the events that it makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.platforms.base import AddressedEvent, Parsed


class _User(msgspec.Struct):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class _Chat(msgspec.Struct):
    id: int
    type: str


class _File(msgspec.Struct):
    """Any kind of file; names and types are what the sender claims."""

    file_id: str
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0


class _PhotoSize(msgspec.Struct):
    file_id: str
    width: int = 0
    height: int = 0
    file_size: int = 0


class _Location(msgspec.Struct):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class _Venue(msgspec.Struct):
    location: _Location
    title: str = ""


class _Contact(msgspec.Struct):
    phone_number: str
    first_name: str = ""
    last_name: str = ""
    user_id: int | None = None


class _Message(msgspec.Struct):
    """A message; of what we cannot read only the presence matters."""

    date: int
    chat: _Chat
    sender: _User | None = msgspec.field(name="from", default=None)
    text: str | None = None
    caption: str = ""
    media_group_id: str = ""
    photo: list[_PhotoSize] | None = None
    live_photo: Any = None
    video: _File | None = None
    video_note: _File | None = None
    animation: _File | None = None
    audio: _File | None = None
    voice: _File | None = None
    document: _File | None = None
    sticker: Any = None
    location: _Location | None = None
    venue: _Venue | None = None
    contact: _Contact | None = None
    checklist: Any = None
    dice: Any = None
    game: Any = None
    gift: Any = None
    giveaway: Any = None
    invoice: Any = None
    paid_media: Any = None
    poll: Any = None
    rich_message: Any = None
    story: Any = None
    unique_gift: Any = None
    web_app_data: Any = None


class _PressedOn(msgspec.Struct):
    """The message under the pressed button; one without a date is out of reach and cannot be changed."""

    chat: _Chat
    message_id: int = 0
    date: int = 0


class _CallbackQuery(msgspec.Struct):
    id: str
    sender: _User = msgspec.field(name="from")
    message: _PressedOn | None = None
    data: str | None = None


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None
    callback_query: _CallbackQuery | None = None


_FILES: tuple[tuple[str, ContentType, Literal["video", "audio", "file"]], ...] = (
    # An animation comes as a document too: the special one first.
    ("animation", "video", "video"),
    ("video", "video", "video"),
    ("video_note", "video", "video"),
    ("voice", "voice", "audio"),
    ("audio", "audio", "audio"),
    ("document", "file", "file"),
)

_CONTENT: tuple[tuple[str, ContentType], ...] = (
    ("photo", "image"),
    ("live_photo", "image"),
    *((name, content) for name, content, _ in _FILES),
    ("sticker", "sticker"),
    ("venue", "location"),
    ("location", "location"),
    ("contact", "contact"),
    *(
        (name, "unsupported")
        for name in (
            "checklist dice game gift giveaway invoice paid_media poll rich_message story unique_gift "
            "web_app_data"
        ).split()
    ),
)

_OTHER_UPDATES = frozenset(
    """
    edited_message channel_post edited_channel_post business_connection business_message
    edited_business_message deleted_business_messages guest_message message_reaction
    message_reaction_count inline_query chosen_inline_result shipping_query pre_checkout_query
    purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request chat_boost
    removed_chat_boost managed_bot
    """.split()
)


def parse_update(payload: Any, received_at: datetime) -> Parsed:
    """Raises `msgspec.ValidationError` for a message or a press that is not as documented."""
    update = msgspec.convert(payload, _Update)
    if update.message is not None:
        return _parse_message(str(update.update_id), update.message)
    if update.callback_query is not None:
        return _parse_press(str(update.update_id), update.callback_query, received_at)
    return Parsed(ignored=(next((kind for kind in payload if kind in _OTHER_UPDATES), "unknown"),))


def _parse_message(update_id: str, message: _Message) -> Parsed:
    sender = message.sender
    if message.chat.type != "private":
        return Parsed(ignored=("not_private",))
    if sender is not None and sender.is_bot:
        return Parsed(ignored=("bot",))
    content = _content(message)
    if content is None:
        return Parsed(ignored=("service_message",))
    return Parsed((AddressedEvent(str(message.chat.id), _event(update_id, message, content)),))


def _content(message: _Message) -> ContentType | None:
    if message.text is not None:
        return "text"
    return next((kind for name, kind in _CONTENT if getattr(message, name) is not None), None)


def _event(update_id: str, message: _Message, content: ContentType) -> MessageReceived:
    return MessageReceived(
        id=update_id,
        occurred_at=datetime.fromtimestamp(message.date, UTC),
        person=_person(message.sender),
        text=message.caption if message.text is None else message.text,
        content=content,
        place=_place(message),
        contact=_contact(message),
        file=_file(message),
        album=message.media_group_id,
    )


def _place(message: _Message) -> Place | None:
    """A venue comes as a location too: the one with a title first."""
    location = message.venue.location if message.venue else message.location
    if location is None:
        return None
    return Place(location.latitude, location.longitude, message.venue.title if message.venue else "")


def _contact(message: _Message) -> SharedContact | None:
    """Telegram itself names the account that the number belongs to: so it is known whose it is."""
    contact, sender = message.contact, message.sender
    if contact is None:
        return None
    is_own = sender is not None and contact.user_id == sender.id
    return SharedContact(contact.phone_number, contact.first_name, contact.last_name, is_own)


def _file(message: _Message) -> ReceivedFile | None:
    if message.photo:
        largest = max(message.photo, key=lambda size: (size.width * size.height, size.file_size))
        return ReceivedFile("image", largest.file_id, size=largest.file_size)
    for name, _, kind in _FILES:
        file: _File | None = getattr(message, name)
        if file is not None:
            return ReceivedFile(kind, file.file_id, file.file_name, file.mime_type, file.file_size)
    return None


def _parse_press(update_id: str, query: _CallbackQuery, received_at: datetime) -> Parsed:
    """A press has no date of its own; Telegram drops one that it could not deliver in 150 seconds.

    It is acknowledged in any case, or the button would spin.
    """
    answer = {"method": "answerCallbackQuery", "callback_query_id": query.id}
    message = query.message
    if message is not None and message.chat.type != "private":
        return Parsed(ignored=("not_private",), answer=answer)
    if query.data is None:
        return Parsed(ignored=("game",), answer=answer)
    event = ButtonPressed(
        id=update_id,
        occurred_at=received_at,
        person=_person(query.sender),
        data=query.data,
        message_id=str(message.message_id) if message and message.date and message.message_id else "",
    )
    # In a private chat the chat's id is the person's: so it is known for inline messages too.
    chat_id = str(message.chat.id if message else query.sender.id)
    return Parsed((AddressedEvent(chat_id, event),), answer=answer)


def _person(user: _User | None) -> Person | None:
    if user is None:
        return None
    return Person(user.first_name, user.last_name, user.username, user.language_code)
