"""Viber's REST Bot API: https://creators.viber.com/docs/bots-api."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec

from shared.credential import Credential
from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    ConversationStarted,
    Event,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.dialog.messages import Button, Message
from shared.errors import UnreadableUpdate
from shared.platforms import formatting
from shared.platforms.answers import by_status, decoded, reason, wait_of
from shared.platforms.base import (
    AddressedEvent,
    Capabilities,
    Delivery,
    Outcome,
    Parsed,
    Rendered,
    Request,
    Response,
    WebhookRequest,
)
from shared.platforms.markup import Markup, parts

SIGNATURE_HEADER = "x-viber-content-signature"

MAX_REQUEST_BYTES = 29_900
"""The limit is 30 kB, whichever kB is meant; some air is left."""
_LEAST_ROOM = 1000
"""For a text beside the largest keyboard; only an avatar's address without end could leave less."""
MAX_SENDER_NAME = 28
MAX_BUTTON_TEXT = 250
"""Of a label as it is sent, in HTML."""
MAX_ACTION_BODY = 250
SHARING_API_VERSION = 3
"""The least that a client must know to share a phone number or a place."""

_SHARES = {"phone": "share-phone", "location": "location-picker"}

# Shown by clients of Viber 14.6 and later; older ones show the markers.
_MARKUP = Markup({"bold": "*", "italic": "_", "code": "```"}, has_lists=False)

_PRESS = re.compile(r"p:[A-Za-z0-9:_-]{1,38}")
"""What our buttons carry. A press comes as a text message that is exactly this."""

_NO_NAME = "Subscriber"
"""How Viber calls those who do not tell their name."""


# ── What Viber posts, as far as we read it ───────────────────────────────────────────────────────────


class _Named(msgspec.Struct):
    event: str


class _User(msgspec.Struct):
    id: str
    name: str | None = None
    language: str | None = None


class _Contact(msgspec.Struct):
    phone_number: str = ""
    name: str | None = None


class _Location(msgspec.Struct):
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class _Content(msgspec.Struct):
    type: str
    text: str | None = None
    media: str | None = None
    file_name: str | None = None
    size: int = 0
    file_size: int = 0
    contact: _Contact | None = None
    location: _Location | None = None


class _Callback(msgspec.Struct):
    timestamp: int
    message_token: int
    sender: _User | None = None
    user: _User | None = None
    message: _Content | None = None
    context: str | None = None


_CONTENT: Mapping[str, ContentType] = {
    "text": "text",
    "url": "text",
    "picture": "image",
    "video": "video",
    "file": "file",
    "sticker": "sticker",
    "contact": "contact",
    "location": "location",
}

_FILES: Mapping[str, Literal["image", "video", "file"]] = {
    "picture": "image",
    "video": "video",
    "file": "file",
}

_READ_EVENTS = frozenset({"message", "conversation_started", "subscribed"})
_OTHER_EVENTS = frozenset({"webhook", "unsubscribed", "delivered", "seen", "failed", "client_status"})

# ── What Viber answers ───────────────────────────────────────────────────────────────────────────────

_BY_STATUS: Mapping[int, Outcome] = {
    1: Outcome.BAD_PAYLOAD,  # invalidUrl
    2: Outcome.CREDENTIAL_BAD,  # invalidAuthToken
    3: Outcome.BAD_PAYLOAD,  # badData
    4: Outcome.BAD_PAYLOAD,  # missingData
    5: Outcome.RECIPIENT_GONE,  # receiverNotRegistered
    6: Outcome.RECIPIENT_GONE,  # receiverNotSubscribed
    7: Outcome.CREDENTIAL_BAD,  # publicAccountBlocked
    8: Outcome.CREDENTIAL_BAD,  # publicAccountNotFound
    9: Outcome.CREDENTIAL_BAD,  # publicAccountSuspended
    10: Outcome.CREDENTIAL_BAD,  # webhookNotSet: nothing can be sent until it is
    11: Outcome.BAD_PAYLOAD,  # receiverNoSuitableDevice: for this message
    12: Outcome.CHAT_LIMITED,  # tooManyRequests, also after 100 messages to one silent person
    13: Outcome.BAD_PAYLOAD,  # apiVersionNotSupported
    14: Outcome.BAD_PAYLOAD,  # incompatibleWithVersion
    15: Outcome.CREDENTIAL_BAD,  # publicAccountNotAuthorized
    16: Outcome.BAD_PAYLOAD,  # inchatReplyMessageNotAllowed
    17: Outcome.BAD_PAYLOAD,  # publicAccountIsNotInline
    18: Outcome.BAD_PAYLOAD,  # noPublicChat
    19: Outcome.BAD_PAYLOAD,  # cannotSendBroadcast
    20: Outcome.BAD_PAYLOAD,  # broadcastNotAllowed
    21: Outcome.BAD_PAYLOAD,  # not supported in the destination country
    22: Outcome.BAD_PAYLOAD,  # payments not supported
    23: Outcome.WINDOW_CLOSED,  # the free messages out of session are used up
    24: Outcome.WINDOW_CLOSED,  # no balance; messages within a session are free
}


class ViberAdapter:
    """Fulfils `PlatformAdapter`. Uses `auth_token`, `sender_name` and, if set, `sender_avatar`."""

    platform: Literal["viber"] = "viber"
    capabilities = Capabilities(
        max_text=7000,
        max_buttons=12,
        max_button_label=MAX_BUTTON_TEXT,
        styles=frozenset({"bold", "italic", "code"}),
        shares=frozenset({"phone", "location"}),
    )

    def __init__(self, api_url: str = "https://chatapi.viber.com") -> None:
        self._url = f"{api_url.rstrip('/')}/pa/send_message"

    def verify(self, request: WebhookRequest, credential: Credential) -> bool:
        """The bot's token signs the raw body."""
        token = credential.settings.get("auth_token", "").encode()
        if not token:
            return False
        expected = hmac.digest(token, request.body, "sha256").hex().encode()
        shown = request.headers.get(SIGNATURE_HEADER, "").encode("utf-8", "surrogatepass")
        return hmac.compare_digest(shown, expected)

    def parse(
        self,
        payload: Any,
        credential: Credential,  # noqa: ARG002 (others need it)
        received_at: datetime,  # noqa: ARG002 (every callback has its own time)
    ) -> Parsed:
        """Raises `msgspec.ValidationError` or `UnreadableUpdate` for a callback not as documented."""
        event = msgspec.convert(payload, _Named).event
        if event not in _READ_EVENTS:
            return Parsed(ignored=(event if event in _OTHER_EVENTS else "unknown",))
        callback = msgspec.convert(payload, _Callback)
        return _parse_message(callback) if event == "message" else _parse_opening(callback, event)

    def render(
        self,
        message: Message,
        chat_id: str,
        credential: Credential,
        delivery_id: str,  # noqa: ARG002 (receipts name the message token)
    ) -> Rendered:
        """`send_message`, as often as the length takes, the keyboard with the last part."""
        degradations: list[str] = [formatting.SENT_ANEW] * bool(message.replaces)
        sender = _sender(credential)
        texts, keyboard = _laid_out(message, {"receiver": chat_id, **sender}, degradations)
        bodies = [{"receiver": chat_id, **sender, "type": "text", "text": text} for text in texts]
        if bodies:
            bodies[-1].update(keyboard)
        headers = {"x-viber-auth-token": credential.settings["auth_token"]}
        return Rendered(
            tuple(Request(self._url, body, headers) for body in bodies), tuple(dict.fromkeys(degradations))
        )

    def welcome(self, message: Message, credential: Credential) -> Mapping[str, Any]:
        """The body that answers `conversation_started`: one message, to whoever opened the chat.

        There can be no second one, so a text beyond the limit is cut.
        """
        sender = _sender(credential)
        texts, keyboard = _laid_out(message, sender, [])
        text = texts[0] if texts else formatting.ELLIPSIS
        if len(texts) > 1:
            text = formatting.cut(text.rstrip() + formatting.ELLIPSIS, self.capabilities.max_text)
        return {**sender, "type": "text", "text": text, **keyboard}

    def render_template(
        self, _message: Message, _chat_id: str, _credential: Credential, _delivery_id: str
    ) -> Rendered | None:
        return None

    def interpret(self, response: Response) -> Delivery:
        """HTTP 200 says nothing: the status in the body does."""
        answer = decoded(response)
        status = answer.get("status")
        if response.status != HTTPStatus.OK or not isinstance(status, int):
            outcome = by_status(response.status)
            return Delivery(
                outcome, retry_after_seconds=wait_of(response), reason=reason(response.status, "")
            )
        if status == 0:
            return Delivery(Outcome.SENT, str(answer.get("message_token", "")))
        outcome = _BY_STATUS.get(status, Outcome.RETRY)
        words = reason(status, answer.get("status_message"))
        return Delivery(outcome, retry_after_seconds=wait_of(response), reason=words)


def _parse_message(callback: _Callback) -> Parsed:
    if callback.sender is None or callback.message is None:
        raise UnreadableUpdate("a message without sender or content")
    event = _event(callback, callback.message, _person(callback.sender))
    return Parsed((AddressedEvent(callback.sender.id, event),))


def _event(callback: _Callback, message: _Content, person: Person) -> Event:
    event_id, occurred_at = str(callback.message_token), _time(callback.timestamp)
    content = _CONTENT.get(message.type, "unsupported")
    text = (message.media if message.type == "url" else message.text) or ""
    if content == "text" and _PRESS.fullmatch(text):
        return ButtonPressed(id=event_id, occurred_at=occurred_at, person=person, data=text)
    return MessageReceived(
        id=event_id,
        occurred_at=occurred_at,
        person=person,
        text=text,
        content=content,
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
    size = message.size or message.file_size
    return ReceivedFile(kind, message.media or "", message.file_name or "", size=size)


def _parse_opening(callback: _Callback, event: str) -> Parsed:
    """The chat was opened, or subscribed to.

    Only a deep link (`context`) begins anew where there is a dialog already, as `/start` does. The
    welcome costs nothing and needs no subscription, so it is asked for whenever it can be said.
    """
    if callback.user is None:
        raise UnreadableUpdate("a chat opened by nobody")
    opened = ConversationStarted(
        id=str(callback.message_token),
        occurred_at=_time(callback.timestamp),
        person=_person(callback.user),
        payload=callback.context or "",
        only_opens=not callback.context,
    )
    addressed = AddressedEvent(callback.user.id, opened)
    return Parsed((addressed,), wants_welcome=event == "conversation_started")


def _person(user: _User) -> Person:
    name = "" if user.name == _NO_NAME else user.name or ""
    return Person(first_name=name, language=user.language or "")


def _time(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp / 1000, UTC)


def _sender(credential: Credential) -> dict[str, Any]:
    settings = credential.settings
    sender = {"name": formatting.cut(settings["sender_name"], MAX_SENDER_NAME)}
    if settings.get("sender_avatar"):
        sender["avatar"] = settings["sender_avatar"]
    return {"sender": sender}


def _laid_out(
    message: Message, envelope: Mapping[str, Any], degradations: list[str]
) -> tuple[list[str], dict[str, Any]]:
    """The texts, and what a keyboard adds to a request, such that none is too large."""
    message = formatting.with_media_as_links(message, degradations)
    text, keyboard = _keyboard(message, degradations) if message.buttons else (message.text, {})
    if not text.strip():
        degradations.append(formatting.EMPTY_TEXT)
        return ([formatting.ELLIPSIS] if keyboard else []), keyboard
    text, spans = formatting.links_spelled_out(text, message.spans)
    if len(spans) < len(message.spans):
        degradations.append(formatting.LINKS_AS_TEXT)
    around = _bytes({**envelope, "type": "text", "text": "", **keyboard})
    room = max(MAX_REQUEST_BYTES - around, _LEAST_ROOM)
    limit = ViberAdapter.capabilities.max_text

    def length(part: str) -> int:
        """In characters, or as many as its bytes are of the room there is for them."""
        if len(part) * 6 <= room:
            return len(part)
        return max(len(part), -(-_bytes(part) * limit // room))

    texts, all_shown = parts(text, spans, _MARKUP, (limit, limit), length)
    if len(texts) > 1:
        degradations.append(formatting.TEXT_SPLIT)
    if not all_shown:
        degradations.append(formatting.STYLES_DROPPED)
    return texts, keyboard


def _keyboard(message: Message, degradations: list[str]) -> tuple[str, dict[str, Any]]:
    """The text with what no keyboard can hold, and the keyboard, one button a row.

    Nothing that was sent can be changed: so several choices, to be seen as taken, are no buttons.
    """
    shown = [button for button in message.buttons if _is_shown(button, message)]
    if len(shown) > ViberAdapter.capabilities.max_buttons:
        shown = [button for button in shown if button.share]
    labels = [] if any(button.data for button in shown) else formatting.labels_by_number(message)
    links = [button for button in formatting.links_of(message) if button not in shown]
    degradations += [formatting.CHOICES_AS_TEXT] * bool(labels)
    degradations += [formatting.LINKS_AS_TEXT] * bool(links)
    text = formatting.written_out(message.text, labels, links)
    return text, _with_buttons([_button(button, degradations) for button in shown])


def _is_shown(button: Button, message: Message) -> bool:
    if button.data:
        return not message.several
    return bool(button.share) or _is_link(button.url)


def _with_buttons(buttons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not buttons:
        return {}
    keyboard = {"keyboard": {"Type": "keyboard", "DefaultHeight": False, "Buttons": buttons}}
    shares = any(button["ActionType"] in _SHARES.values() for button in buttons)
    return {**keyboard, "min_api_version": SHARING_API_VERSION} if shares else keyboard


def _button(button: Button, degradations: list[str]) -> dict[str, Any]:
    """`Silent` keeps what the button carries out of the chat; what is shared may be seen there."""
    place = {"Columns": 6, "Rows": 1, "Text": _label(button, degradations)}
    if button.share:
        return {**place, "ActionType": _SHARES[button.share], "ActionBody": "reply"}
    kind = "reply" if button.data else "open-url"
    return {**place, "ActionType": kind, "ActionBody": button.data or button.url, "Silent": True}


def _label(button: Button, degradations: list[str]) -> str:
    """The label with its HTML escaped, within the limit as escaped."""
    label = formatting.label_of(button)
    html = escape(label, quote=False)
    kept = label
    while len(html) > MAX_BUTTON_TEXT:
        kept = kept[: len(kept) - max(1, (len(html) - MAX_BUTTON_TEXT) // 6)]
        html = escape(kept, quote=False) + formatting.ELLIPSIS
    if kept != label:
        degradations.append(formatting.LABEL_CUT)
    return html


def _is_link(url: str) -> bool:
    return len(url) <= MAX_ACTION_BODY and formatting.is_web_link(url)


def _bytes(value: object) -> int:
    return len(msgspec.json.encode(value))
