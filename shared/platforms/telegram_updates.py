"""What Telegram posts (Bot API 10.1), as far as we read it, and the events that it makes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ChatUnblocked,
    ContentType,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.platforms.base import AddressedEvent, Parsed


class _User(msgspec.Struct, gc=False):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class _Chat(msgspec.Struct, gc=False):
    id: int
    type: str


class _File(msgspec.Struct, gc=False):
    """Any kind of file; names and types are what the sender claims."""

    file_id: str
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0


class _PhotoSize(msgspec.Struct, gc=False):
    file_id: str
    width: int = 0
    height: int = 0
    file_size: int = 0


class _Location(msgspec.Struct, gc=False):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class _Venue(msgspec.Struct, gc=False):
    location: _Location
    title: str = ""


class _Contact(msgspec.Struct, gc=False):
    phone_number: str
    first_name: str = ""
    last_name: str = ""
    user_id: int | None = None


class _WebAppData(msgspec.Struct, gc=False):
    data: str


class _Message(msgspec.Struct, gc=False):
    """A message, as far as we can read it."""

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
    web_app_data: _WebAppData | None = None


class _PressedOn(msgspec.Struct, gc=False):
    """The message under the pressed button; one without a date is out of reach and cannot be changed."""

    chat: _Chat
    message_id: int = 0
    date: int = 0


class _CallbackQuery(msgspec.Struct, gc=False):
    id: str
    sender: _User = msgspec.field(name="from")
    message: _PressedOn | None = None
    data: str | None = None


class _Member(msgspec.Struct, gc=False):
    status: str


class _Membership(msgspec.Struct, gc=False):
    """What the bot was in a chat, and what it is from now on."""

    chat: _Chat
    date: int
    sender: _User = msgspec.field(name="from")
    old: _Member = msgspec.field(name="old_chat_member")
    new: _Member = msgspec.field(name="new_chat_member")


class _Update(msgspec.Struct, gc=False):
    update_id: int
    message: _Message | None = None
    callback_query: _CallbackQuery | None = None
    my_chat_member: _Membership | None = None


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
    ("text", "text"),
    ("web_app_data", "text"),
    ("photo", "image"),
    ("live_photo", "image"),
    *((name, content) for name, content, _ in _FILES),
    ("sticker", "sticker"),
    ("venue", "location"),
    ("location", "location"),
    ("contact", "contact"),
)
"""What of a message we can read. Any other is `unsupported`, heard of or not, unless nobody has said it."""

_UNREAD = frozenset(
    "checklist dice game gift giveaway invoice paid_media poll rich_message story unique_gift".split()
)
"""What we have heard of and cannot read."""

_SERVICE = frozenset(
    """
    boost_added channel_chat_created chat_background_set chat_owner_changed chat_owner_left chat_shared
    checklist_tasks_added checklist_tasks_done community_chat_added community_chat_joined
    community_chat_removed connected_website delete_chat_photo direct_message_price_changed
    forum_topic_closed forum_topic_created forum_topic_edited forum_topic_reopened
    general_forum_topic_hidden general_forum_topic_unhidden gift_upgrade_sent giveaway_completed
    giveaway_created giveaway_winners group_chat_created left_chat_member managed_bot_created
    message_auto_delete_timer_changed migrate_from_chat_id migrate_to_chat_id new_chat_members
    new_chat_photo new_chat_title paid_message_price_changed passport_data pinned_message
    poll_option_added poll_option_deleted proximity_alert_triggered refunded_payment successful_payment
    suggested_post_approval_failed suggested_post_approved suggested_post_declined suggested_post_paid
    suggested_post_refunded supergroup_chat_created user_shared users_shared video_chat_ended
    video_chat_participants_invited video_chat_scheduled video_chat_started write_access_allowed
    """.split()
)
"""What Telegram itself tells in the form of a message."""

_OTHER_UPDATES = frozenset(
    """
    edited_message channel_post edited_channel_post business_connection business_message
    edited_business_message deleted_business_messages guest_message message_reaction
    message_reaction_count inline_query chosen_inline_result shipping_query pre_checkout_query
    purchased_paid_media poll poll_answer chat_member chat_join_request chat_boost removed_chat_boost
    managed_bot stopped_message_generation subscription
    """.split()
)

_OUT = {"kicked", "left"}
_IN = {"creator", "administrator", "member", "restricted"}


def parse_update(payload: Any, received_at: datetime) -> Parsed:
    """Raises `msgspec.ValidationError` for what we read and is not as documented."""
    update = msgspec.convert(payload, _Update)
    update_id = str(update.update_id)
    if update.message is not None:
        return _parse_message(update_id, update.message, payload["message"])
    if update.callback_query is not None:
        return _parse_press(update_id, update.callback_query, received_at)
    if update.my_chat_member is not None:
        return _parse_membership(update_id, update.my_chat_member)
    return Parsed(ignored=(next((kind for kind in payload if kind in _OTHER_UPDATES), "unknown"),))


def _parse_message(update_id: str, message: _Message, names: Collection[str]) -> Parsed:
    """`names` are those of all that the message has, also of what we do not read."""
    sender = message.sender
    if message.chat.type != "private":
        return Parsed(ignored=("not_private",))
    if sender is not None and sender.is_bot:
        return Parsed(ignored=("bot",))
    content = next((kind for name, kind in _CONTENT if getattr(message, name) is not None), None)
    if content is None and not _SERVICE.isdisjoint(names):
        return Parsed(ignored=("service_message",))
    is_unheard_of = content is None and _UNREAD.isdisjoint(names)
    event = _event(update_id, message, content or "unsupported")
    return Parsed((AddressedEvent(str(message.chat.id), event),), ignored=("unknown",) * is_unheard_of)


def _event(update_id: str, message: _Message, content: ContentType) -> MessageReceived:
    happened_at, person = datetime.fromtimestamp(message.date, UTC), _person(message.sender)
    if message.text is not None:  # then there is nothing else in it
        return MessageReceived(id=update_id, occurred_at=happened_at, person=person, text=message.text)
    return MessageReceived(
        id=update_id,
        occurred_at=happened_at,
        person=person,
        text=_text(message),
        content=content,
        place=_place(message),
        contact=_contact(message),
        file=_file(message),
        album=message.media_group_id,
    )


def _text(message: _Message) -> str:
    """What a web app hands over counts as written by its person: it is what they did there."""
    return message.web_app_data.data if message.web_app_data else message.caption


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


def _parse_membership(update_id: str, membership: _Membership) -> Parsed:
    """In a private chat the bot is out when the person has blocked it."""
    if membership.chat.type != "private":
        return Parsed(ignored=("not_private",))
    event = _blocked_or_not(update_id, membership)
    if event is None:
        return Parsed(ignored=("my_chat_member",))
    return Parsed((AddressedEvent(str(membership.chat.id), event),))


def _blocked_or_not(update_id: str, membership: _Membership) -> ChatBlocked | ChatUnblocked | None:
    old, new = membership.old.status, membership.new.status
    occurred_at, person = datetime.fromtimestamp(membership.date, UTC), _person(membership.sender)
    if new in _OUT and old not in _OUT:
        reason = "the person has blocked the bot"
        return ChatBlocked(id=update_id, occurred_at=occurred_at, person=person, reason=reason)
    if new in _IN and old not in _IN:
        return ChatUnblocked(id=update_id, occurred_at=occurred_at, person=person)
    return None


def _person(user: _User | None) -> Person | None:
    if user is None:
        return None
    return Person(user.first_name, user.last_name, user.username, user.language_code)
