"""The web chat: a page of our own as a messenger.

A chat is proved by a token made from its id and the bot's `token_secret`; nothing is kept until the
person's first event arrives. A call without a token opens a new chat, so `verify` refuses only a
token that is wrong, or its absence where there must be one. Messages are not sent anywhere: the page
reads what the sender recorded in the history.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared.credential import Credential
from shared.dialog import presses
from shared.dialog.events import (
    ButtonPressed,
    ConversationStarted,
    Event,
    MessageReceived,
    Person,
    Place,
    SharedContact,
)
from shared.dialog.messages import Media, Message
from shared.errors import Invalid, Violation
from shared.platforms import formatting
from shared.platforms.base import (
    MEGABYTE,
    AddressedEvent,
    Capabilities,
    Delivery,
    MediaLimits,
    Outcome,
    Parsed,
    Rendered,
    Request,
    Response,
    WebhookRequest,
)

PLATFORM = "webchat"
MAX_TEXT = 4096
"""Characters a person may write at once."""
MAX_PAYLOAD = 512
"""Characters of a start's payload."""
MAX_CLIENT_ID = 64
"""Characters of the id that a client gives an event, so that it may be sent again."""

MAX_NAME = 256
"""Characters of a place's title, of a person's first or last name, and of a phone number."""

_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/svg+xml"})
_SOUNDS = frozenset({"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/webm"})
"""What browsers show and play."""

_ITEM_ID = re.compile(r"[0-9a-z]{1,36}/[0-9]{8}/[0-9]{4}")
_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})\s*(?:[,;]|$)")


class ChatCall(msgspec.Struct, frozen=True):
    """One act of a person: the decoded body, and what the door knows beside it.

    `fresh_id` names the event where the client gave it no id.
    """

    chat_id: str
    fresh_id: str
    language: str
    body: Any


def new_chat_id() -> str:
    """128 random bits: nobody comes upon another's chat."""
    return secrets.token_hex(16)


def chat_token(credential: Credential, chat_id: str) -> str:
    """The proof of the chat, which its person keeps."""
    return f"{chat_id}.{_mac(credential, chat_id)}"


def chat_of(request: WebhookRequest, credential: Credential) -> str | None:
    """The chat that the request's bearer token proves, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    match = _TOKEN.fullmatch(token.strip())
    if scheme.lower() != "bearer" or match is None:
        return None
    return match[1] if hmac.compare_digest(match[2], _mac(credential, match[1])) else None


def language_of(request: WebhookRequest) -> str:
    """The language the browser prefers, or ""."""
    match = _LANGUAGE.match(request.headers.get("accept-language", ""))
    return match[1] if match else ""


def client_id_of(event_id: str) -> str:
    """The id under which the client sent the event (see `_event_id`)."""
    return event_id.partition(".")[2]


class WebchatAdapter:
    """Fulfils `PlatformAdapter`."""

    platform = PLATFORM
    capabilities = Capabilities(
        max_text=64 * 1024,
        max_buttons=50,
        max_button_label=256,
        styles=frozenset({"bold", "italic", "code", "link"}),
        shares=frozenset({"location"}),
        edits_in_place=True,
        media={
            "image": MediaLimits(50 * MEGABYTE, _PICTURES),
            "video": MediaLimits(50 * MEGABYTE, frozenset({"video/mp4", "video/webm"})),
            "audio": MediaLimits(50 * MEGABYTE, _SOUNDS),
            "file": MediaLimits(50 * MEGABYTE),
        },
    )

    def verify(self, request: WebhookRequest, credential: Credential) -> bool:
        """A good token; or, on a POST, none at all: that opens a chat."""
        if request.method == "POST" and "authorization" not in request.headers:
            return True
        return chat_of(request, credential) is not None

    def parse(
        self,
        payload: ChatCall,
        credential: Credential,  # noqa: ARG002 (others need it)
        received_at: datetime,
    ) -> Parsed:
        """Read one act. Raises `Invalid`, with words for whoever builds a client of their own."""
        return Parsed(events=(AddressedEvent(payload.chat_id, _event(payload, received_at)),))

    def render(
        self,
        message: Message,
        chat_id: str,  # noqa: ARG002
        credential: Credential,  # noqa: ARG002
        delivery_id: str,  # noqa: ARG002
    ) -> Rendered:
        """No request: the record is the delivery. The page gives up what a browser cannot do."""
        asks_for_phone = any(button.share == "phone" for button in message.buttons)
        degradations = [formatting.MEDIA_AS_LINKS] * any(map(_is_linked, message.media))
        degradations += [formatting.MEDIA_AS_FILE] * any(map(_is_only_a_file, message.media))
        degradations += formatting.lost(message.media)
        degradations += [formatting.SHARE_DROPPED] * asks_for_phone
        return Rendered(degradations=tuple(degradations))

    def render_template(
        self, _message: Message, _chat_id: str, _credential: Credential, _delivery_id: str
    ) -> Rendered | None:
        return None

    def interpret(self, response: Response) -> Delivery:  # noqa: ARG002 (nothing answers)
        """Nothing is asked of anybody, so there is nothing that could be refused."""
        return Delivery(Outcome.SENT)

    def typing(self, _chat_id: str, _credential: Credential, _last_message_id: str) -> Request | None:
        """The page shows it by itself, from when somebody has said something until all is answered."""
        return None


def _is_linked(media: Media) -> bool:
    """The page shows pictures, videos and sounds itself, unless from elsewhere without `https`."""
    is_shown = media.url.lower().startswith("https:") or bool(media.media_id)
    return bool(media.url) and media.type != "file" and not is_shown


def _is_only_a_file(media: Media) -> bool:
    """Of a type that no browser shows: it can be saved."""
    return bool(media.url) and not _is_linked(media) and _shown_as(media) != media.type


def _shown_as(media: Media) -> str:
    return WebchatAdapter.capabilities.shown_as(media.type, media.content_type, media.size)


def _mac(credential: Credential, chat_id: str) -> str:
    key = credential.settings["token_secret"].encode()
    return hmac.new(key, f"webchat/{credential.bot_id}/{chat_id}".encode(), hashlib.sha256).hexdigest()


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or sum(act in body for act in _ACTS) != 1:
        raise Invalid(f"say one of: {', '.join(_ACTS)}")
    return body


def _event(call: ChatCall, at: datetime) -> Event:
    body = _object(call.body)
    said = _Said(_event_id(call), at, Person(language=call.language))
    return next(_READ[act] for act in _ACTS if act in body)(body, said)


@dataclass(frozen=True, slots=True)
class _Said:
    """What every event of a person has."""

    id: str
    at: datetime
    person: Person

    def message(self, **content: Any) -> MessageReceived:
        return MessageReceived(id=self.id, occurred_at=self.at, person=self.person, **content)


def _start(body: dict[str, Any], said: _Said) -> Event:
    payload = _start_payload(body)
    return ConversationStarted(id=said.id, occurred_at=said.at, person=said.person, payload=payload)


def _written(body: dict[str, Any], said: _Said) -> Event:
    return said.message(text=_text(body, "text"))


def _press(body: dict[str, Any], said: _Said) -> Event:
    """A press on a button of ours; any other value counts as typed."""
    data = _text(body, "button")
    if presses.read(data) is None:
        return said.message(text=data)
    return ButtonPressed(
        id=said.id, occurred_at=said.at, person=said.person, data=data, message_id=_pressed_item(body)
    )


def _pressed_item(body: dict[str, Any]) -> str:
    if body.get("item") is None:
        return ""
    item_id = _string(body, "item", MAX_CLIENT_ID)
    if not _ITEM_ID.fullmatch(item_id):
        raise _violated("item", "must be the id of an item")
    return item_id


def _place(body: dict[str, Any], said: _Said) -> Event:
    given = _part(body, "location")
    place = Place(
        _degrees(given, "location/latitude", 90),
        _degrees(given, "location/longitude", 180),
        _optional(given, "location/title"),
    )
    return said.message(content="location", place=place)


def _contact(body: dict[str, Any], said: _Said) -> Event:
    """Nothing proves whose it is."""
    given = _part(body, "contact")
    phone = _string(given, "contact/phone", MAX_NAME)
    names = _optional(given, "contact/first_name"), _optional(given, "contact/last_name")
    contact = SharedContact(phone, *names)
    return said.message(content="contact", contact=contact)


_READ: Mapping[str, Callable[[dict[str, Any], _Said], Event]] = {
    "start": _start,
    "text": _written,
    "button": _press,
    "location": _place,
    "contact": _contact,
}
_ACTS = tuple(_READ)


def _event_id(call: ChatCall) -> str:
    """Unique for the bot, so the chat is part of it."""
    client_id = _string(call.body, "id", MAX_CLIENT_ID) if "id" in call.body else call.fresh_id
    return f"{call.chat_id}.{client_id}"


def _text(body: dict[str, Any], field: str) -> str:
    text = _string(body, field, MAX_TEXT)
    if not text.strip():
        raise _violated(field, "must not be empty")
    return text


def _start_payload(body: dict[str, Any]) -> str:
    if body["start"] is not True:
        raise _violated("start", "must be true")
    return _string(body, "payload", MAX_PAYLOAD) if body.get("payload") else ""


def _part(body: dict[str, Any], field: str) -> dict[str, Any]:
    value = body[field]
    if not isinstance(value, dict):
        raise _violated(field, "must be an object")
    return value


def _degrees(given: dict[str, Any], path: str, most: int) -> float:
    value = given.get(_name(path))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -most <= value <= most:
        raise _violated(path, f"must be a number from -{most} to {most}")
    return float(value)


def _optional(given: dict[str, Any], path: str) -> str:
    return _string(given, path, MAX_NAME) if given.get(_name(path)) else ""


def _string(given: dict[str, Any], path: str, limit: int) -> str:
    value = given.get(_name(path))
    if not isinstance(value, str) or not value:
        raise _violated(path, "must be a text")
    if len(value) > limit:
        raise _violated(path, f"must be at most {limit} characters long")
    return value


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _violated(path: str, rule: str) -> Invalid:
    return Invalid(f"“{_name(path)}” {rule}", (Violation(f"/{path}", rule),))
