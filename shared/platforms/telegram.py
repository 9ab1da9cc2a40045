"""Telegram's Bot API (10.1): https://core.telegram.org/bots/api. Private chats only."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from shared.credential import Credential
from shared.dialog.events import ButtonPressed, ContentType, ConversationStarted, MessageReceived, Person
from shared.dialog.messages import Button, Message, Span
from shared.platforms import formatting
from shared.platforms.answers import by_status, decoded, part, reason, wait_of
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
from shared.platforms.commands import start_payload

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (a header's name)

MAX_MARKUP_BYTES = 9_000
"""Undocumented: keyboards of some 10 kB were refused as "reply markup is too long"."""
MAX_ENTITIES = 100
"""Undocumented: entities beyond it are not shown."""

_TELEGRAM_LINK = re.compile(r"tg://[^\s\x00-\x1f]+", re.IGNORECASE)


# ── What Telegram posts, as far as we read it ────────────────────────────────────────────────────────


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


class _Message(msgspec.Struct):
    """A message; of what it carries only the presence matters here."""

    date: int
    chat: _Chat
    sender: _User | None = msgspec.field(name="from", default=None)
    text: str | None = None
    caption: str = ""
    photo: Any = None
    live_photo: Any = None
    video: Any = None
    video_note: Any = None
    animation: Any = None
    audio: Any = None
    voice: Any = None
    document: Any = None
    sticker: Any = None
    location: Any = None
    venue: Any = None
    contact: Any = None
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
    """The message under the pressed button: of it, also when inaccessible, only the chat is read."""

    chat: _Chat


class _CallbackQuery(msgspec.Struct):
    id: str
    sender: _User = msgspec.field(name="from")
    message: _PressedOn | None = None
    data: str | None = None


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None
    callback_query: _CallbackQuery | None = None


_CONTENT: tuple[tuple[str, ContentType], ...] = (
    ("photo", "image"),
    ("live_photo", "image"),
    ("video", "video"),
    ("video_note", "video"),
    # An animation comes as a document too, a venue as a location too: the special one first.
    ("animation", "video"),
    ("voice", "voice"),
    ("audio", "audio"),
    ("document", "file"),
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

# ── What Telegram answers ────────────────────────────────────────────────────────────────────────────

_BY_STATUS: Mapping[int, Outcome] = {
    401: Outcome.CREDENTIAL_BAD,
    403: Outcome.RECIPIENT_GONE,
    404: Outcome.CREDENTIAL_BAD,  # the method exists, so it is the token that is not known
    409: Outcome.RETRY,
    420: Outcome.CHAT_LIMITED,
    421: Outcome.CREDENTIAL_BAD,
    429: Outcome.CHAT_LIMITED,  # it does not say whose limit it is; a hold on the whole bot costs more
}

_BY_DESCRIPTION: tuple[tuple[str, Outcome], ...] = (
    ("message is not modified", Outcome.ALREADY_SO),
    ("message to delete not found", Outcome.ALREADY_SO),
    ("chat not found", Outcome.RECIPIENT_GONE),
    ("group chat was upgraded", Outcome.RECIPIENT_GONE),
    # Codes of the layer below, which come through where a 403 has no words of its own.
    ("user_is_blocked", Outcome.RECIPIENT_GONE),
    ("input_user_deactivated", Outcome.RECIPIENT_GONE),
    ("peer_id_invalid", Outcome.RECIPIENT_GONE),
    ("wrong http url specified", Outcome.MEDIA_FAILED),
    ("failed to get http url content", Outcome.MEDIA_FAILED),
    ("wrong type of the web page content", Outcome.MEDIA_FAILED),
    ("wrong file_id", Outcome.MEDIA_FAILED),
    ("wrong file identifier", Outcome.MEDIA_FAILED),
    ("file is too big", Outcome.MEDIA_FAILED),
    ("can't upload file by url", Outcome.MEDIA_FAILED),
    ("group send failed", Outcome.MEDIA_FAILED),
)
"""For 400: what the description holds, in lower case. Anything else is a bad payload."""


class TelegramAdapter:
    """Fulfils `PlatformAdapter`. Of the credential it uses `bot_token` and `webhook_secret`."""

    platform: Literal["telegram"] = "telegram"
    capabilities = Capabilities(
        max_text=4096,
        max_buttons=100,
        max_button_label=128,
        styles=frozenset({"bold", "italic", "code", "link"}),
    )

    def __init__(self, api_url: str = "https://api.telegram.org") -> None:
        self._api_url = api_url.rstrip("/")

    def verify(self, request: WebhookRequest, credential: Credential) -> bool:
        """The secret that was given to setWebhook comes back in a header."""
        secret = credential.settings.get("webhook_secret", "").encode()
        shown = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogatepass")
        return hmac.compare_digest(shown, secret) and secret != b""

    def parse(
        self,
        payload: Any,
        credential: Credential,  # noqa: ARG002 (others need it)
        received_at: datetime,
    ) -> Parsed:
        """Raises `msgspec.ValidationError` for a message or a press that is not as documented."""
        update = msgspec.convert(payload, _Update)
        if update.message is not None:
            return _parse_message(str(update.update_id), update.message)
        if update.callback_query is not None:
            return _parse_press(str(update.update_id), update.callback_query, received_at)
        return Parsed(ignored=(next((kind for kind in payload if kind in _OTHER_UPDATES), "unknown"),))

    def render(
        self,
        message: Message,
        chat_id: str,
        credential: Credential,
        delivery_id: str,  # noqa: ARG002 (Telegram could not carry it)
    ) -> Rendered:
        """`sendMessage`, as often as the length takes; styles as entities, so no text is markup."""
        url = f"{self._api_url}/bot{credential.settings['bot_token']}/sendMessage"
        degradations: list[str] = []
        text, spans = message.text, message.spans
        rows: list[list[dict[str, str]]] = []
        if spans:
            text, spans = _with_entities(text, spans, degradations)
        if message.buttons:
            text, rows = _keyboard(text, message.buttons, degradations)
        if not text.strip():
            degradations.append(formatting.EMPTY_TEXT)
            if not rows:
                return Rendered((), tuple(dict.fromkeys(degradations)))
            text, spans = formatting.ELLIPSIS, ()
        bodies = _bodies(text, spans, _chat_id(chat_id))
        if len(bodies) > 1:
            degradations.append(formatting.TEXT_SPLIT)
        if rows:
            bodies[-1]["reply_markup"] = {"inline_keyboard": rows}
        return Rendered(tuple([Request(url, body) for body in bodies]), tuple(dict.fromkeys(degradations)))

    def interpret(self, response: Response) -> Delivery:
        answer = decoded(response)
        if answer.get("ok") is True:
            return Delivery(Outcome.SENT, str(part(answer, "result").get("message_id", "")))
        said = answer.get("description")
        outcome = _outcome(response.status, said.lower() if isinstance(said, str) else "")
        wait = wait_of(response, part(answer, "parameters").get("retry_after"))
        return Delivery(outcome, retry_after_seconds=wait, reason=reason(response.status, said))


def _parse_message(update_id: str, message: _Message) -> Parsed:
    sender = message.sender
    if message.chat.type != "private":
        return Parsed(ignored=("not_private",))
    if sender is not None and sender.is_bot:
        return Parsed(ignored=("bot",))
    event = _event(update_id, message)
    if event is None:
        return Parsed(ignored=("service_message",))
    return Parsed((AddressedEvent(str(message.chat.id), event),))


def _event(update_id: str, message: _Message) -> MessageReceived | ConversationStarted | None:
    occurred_at = datetime.fromtimestamp(message.date, UTC)
    person = _person(message.sender)
    text = message.text
    if text is None:
        content = next((kind for name, kind in _CONTENT if getattr(message, name) is not None), None)
        return content and MessageReceived(
            id=update_id, occurred_at=occurred_at, person=person, text=message.caption, content=content
        )
    payload = start_payload(text)
    if payload is not None:
        return ConversationStarted(id=update_id, occurred_at=occurred_at, person=person, payload=payload)
    return MessageReceived(id=update_id, occurred_at=occurred_at, person=person, text=text)


def _parse_press(update_id: str, query: _CallbackQuery, received_at: datetime) -> Parsed:
    """A press has no date of its own; Telegram drops one that it could not deliver in 150 seconds.

    It is acknowledged in any case, or the button would spin.
    """
    answer = {"method": "answerCallbackQuery", "callback_query_id": query.id}
    chat = query.message.chat if query.message else None
    if chat is not None and chat.type != "private":
        return Parsed(ignored=("not_private",), answer=answer)
    if query.data is None:
        return Parsed(ignored=("game",), answer=answer)
    event = ButtonPressed(
        id=update_id, occurred_at=received_at, person=_person(query.sender), data=query.data
    )
    # In a private chat the chat's id is the person's: so it is known for inline messages too.
    chat_id = str(chat.id if chat else query.sender.id)
    return Parsed((AddressedEvent(chat_id, event),), answer=answer)


def _person(user: _User | None) -> Person | None:
    if user is None:
        return None
    return Person(user.first_name, user.last_name, user.username, user.language_code)


def _chat_id(chat_id: str) -> int | str:
    return int(chat_id) if chat_id.isascii() and chat_id.removeprefix("-").isdigit() else chat_id


def _with_entities(text: str, spans: Sequence[Span], degradations: list[str]) -> tuple[str, tuple[Span, ...]]:
    """The text and the spans that entities can show, with the address behind a link that none can."""
    text, shown = formatting.links_spelled_out(text, spans, unless=_is_link)
    if len(shown) < len(spans):
        degradations.append(formatting.LINKS_AS_TEXT)
    if len(shown) > MAX_ENTITIES:
        degradations.append(formatting.STYLES_DROPPED)
    return text, shown


def _keyboard(
    text: str, buttons: Sequence[Button], degradations: list[str]
) -> tuple[str, list[list[dict[str, str]]]]:
    """The text with what no keyboard can hold, and the inline keyboard, one button a row."""
    shown = [button for button in buttons if button.data or _is_link(button.url)]
    labels = [formatting.label_of(button) for button in shown]
    rows = [[_button(button, label)] for button, label in zip(shown, labels, strict=True)]
    if len(rows) > TelegramAdapter.capabilities.max_buttons or _bytes(rows) > MAX_MARKUP_BYTES:
        return _without_keyboard(text, buttons, degradations), []
    if any(len(label) > TelegramAdapter.capabilities.max_button_label for label in labels):
        degradations.append(formatting.LABEL_CUT)
    if len(shown) == len(buttons):
        return text, rows
    unshown = [button for button in buttons if button not in shown]
    return _without_keyboard(text, unshown, degradations), rows


def _without_keyboard(text: str, buttons: Sequence[Button], degradations: list[str]) -> str:
    choices = [formatting.label_of(button) for button in buttons if button.data]
    links = [button for button in buttons if not button.data]
    if choices:
        degradations.append(formatting.CHOICES_AS_TEXT)
    if links:
        degradations.append(formatting.LINKS_AS_TEXT)
    return formatting.written_out(text, choices, links)


def _button(button: Button, label: str) -> dict[str, str]:
    words = formatting.cut(label, TelegramAdapter.capabilities.max_button_label)
    if button.data:
        return {"text": words, "callback_data": button.data}
    return {"text": words, "url": button.url}


def _is_link(url: str) -> bool:
    return formatting.is_web_link(url) or _TELEGRAM_LINK.fullmatch(url) is not None


def _bytes(value: object) -> int:
    return len(msgspec.json.encode(value))


def _bodies(text: str, spans: Sequence[Span], chat_id: int | str) -> list[dict[str, Any]]:
    limit = TelegramAdapter.capabilities.max_text
    if len(text) * 2 <= limit or formatting.utf16_length(text) <= limit:
        return [_body(text, spans, chat_id)]
    parts = formatting.split(text, limit, lambda start, end: formatting.utf16_length(text[start:end]))
    return [_body(text[start:end], formatting.clipped(spans, start, end), chat_id) for start, end in parts]


def _body(text: str, spans: Sequence[Span], chat_id: int | str) -> dict[str, Any]:
    body: dict[str, Any] = {"chat_id": chat_id, "text": text}
    if spans:
        entities = [entity for span in spans if (entity := _entity(text, span))]
        if entities:
            body["entities"] = entities[:MAX_ENTITIES]
    return body


def _entity(text: str, span: Span) -> dict[str, Any] | None:
    """The span in UTF-16 code units."""
    length = formatting.utf16_length(text[span.start : span.end])
    if not length:
        return None
    offset = formatting.utf16_length(text[: span.start])
    if span.style != "link":
        return {"type": span.style, "offset": offset, "length": length}
    return {"type": "text_link", "offset": offset, "length": length, "url": span.url}


def _outcome(status: int, said: str) -> Outcome:
    if status == HTTPStatus.BAD_REQUEST:
        return next((outcome for words, outcome in _BY_DESCRIPTION if words in said), Outcome.BAD_PAYLOAD)
    return _BY_STATUS.get(status) or by_status(status)
