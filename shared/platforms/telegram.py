"""Telegram's Bot API (10.1): https://core.telegram.org/bots/api. Private chats only."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from shared.credential import Credential
from shared.dialog.messages import Button, Message, Span
from shared.platforms import formatting
from shared.platforms.answers import by_status, decoded, part, reason, wait_of
from shared.platforms.base import (
    Capabilities,
    Delivery,
    Outcome,
    Parsed,
    Rendered,
    Request,
    Response,
    WebhookRequest,
)
from shared.platforms.telegram_updates import parse_update

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (a header's name)

MAX_MARKUP_BYTES = 9_000
"""Undocumented: keyboards of some 10 kB were refused as "reply markup is too long"."""
MAX_ENTITIES = 100
"""Undocumented: entities beyond it are not shown."""

MAX_LABEL = 128
"""Far more than a phone shows."""

_MESSAGE_ID = re.compile(r"[0-9]{1,18}")
_TELEGRAM_LINK = re.compile(r"tg://[^\s\x00-\x1f]+", re.IGNORECASE)


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
    ("message to edit not found", Outcome.ALREADY_SO),  # the person has removed it, buttons and all
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


Markup = dict[str, Any]

_NO_KEYBOARD: Markup = {"remove_keyboard": True}
"""Takes away the keyboard of an earlier message; where there is none it does nothing."""


class TelegramAdapter:
    """Fulfils `PlatformAdapter`. Of the credential it uses `bot_token` and `webhook_secret`."""

    platform: Literal["telegram"] = "telegram"
    capabilities = Capabilities(
        max_text=4096,
        max_buttons=100,
        max_button_label=MAX_LABEL,
        styles=frozenset({"bold", "italic", "code", "link"}),
        shares=frozenset({"phone", "location"}),
        edits_in_place=True,
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
        return parse_update(payload, received_at)

    def render(
        self,
        message: Message,
        chat_id: str,
        credential: Credential,
        delivery_id: str,  # noqa: ARG002 (Telegram could not carry it)
    ) -> Rendered:
        """`sendMessage`, as often as the length takes; styles as entities, so no text is markup.

        What takes an earlier message's place is one `editMessageText`.
        """
        degradations: list[str] = []
        calls = _calls(message, _chat_id(chat_id), degradations)
        url = f"{self._api_url}/bot{credential.settings['bot_token']}"
        return Rendered(
            tuple(Request(f"{url}/{method}", body) for method, body in calls),
            tuple(dict.fromkeys(degradations)),
        )

    def render_template(
        self, _message: Message, _chat_id: str, _credential: Credential, _delivery_id: str
    ) -> Rendered | None:
        return None

    def interpret(self, response: Response) -> Delivery:
        answer = decoded(response)
        if answer.get("ok") is True:
            return Delivery(Outcome.SENT, str(part(answer, "result").get("message_id", "")))
        said = answer.get("description")
        outcome = _outcome(response.status, said.lower() if isinstance(said, str) else "")
        wait = wait_of(response, part(answer, "parameters").get("retry_after"))
        return Delivery(outcome, retry_after_seconds=wait, reason=reason(response.status, said))


def _calls(message: Message, chat_id: int | str, degradations: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The methods to call, each with its parameters."""
    text, spans, markup = _laid_out(message, degradations)
    if not text.strip():
        degradations.append(formatting.EMPTY_TEXT)
        if markup is None:
            return []
        text, spans = formatting.ELLIPSIS, ()
    bodies = _bodies(text, spans, chat_id)
    degradations += [formatting.TEXT_SPLIT] * (len(bodies) > 1)
    if _MESSAGE_ID.fullmatch(message.replaces) and _is_inline(markup):
        return [("editMessageText", _edited(bodies[-1], int(message.replaces), markup))]
    degradations += [formatting.SENT_ANEW] * bool(message.replaces)
    bodies[-1]["reply_markup"] = markup or _NO_KEYBOARD
    return [("sendMessage", body) for body in bodies]


def _edited(body: dict[str, Any], message_id: int, markup: Markup | None) -> dict[str, Any]:
    """Of a text of several messages only the last has buttons: so it is the one that was pressed."""
    return {**body, "message_id": message_id, **({"reply_markup": markup} if markup else {})}


def _is_inline(markup: Markup | None) -> bool:
    """Whether a message can be changed to have it; to none at all it can."""
    return markup is None or "inline_keyboard" in markup


def _chat_id(chat_id: str) -> int | str:
    return int(chat_id) if chat_id.isascii() and chat_id.removeprefix("-").isdigit() else chat_id


def _laid_out(message: Message, degradations: list[str]) -> tuple[str, tuple[Span, ...], Markup | None]:
    """The text with what has to be said in words, its styles, and the keyboard if there is one."""
    message = formatting.with_media_as_links(message, degradations)
    text, spans = message.text, message.spans
    if spans:
        text, spans = _with_entities(text, spans, degradations)
    lay_out = _reply_keyboard if any(button.share for button in message.buttons) else _inline_keyboard
    text, markup = lay_out(text, message, degradations)
    return text, spans, markup


def _with_entities(text: str, spans: Sequence[Span], degradations: list[str]) -> tuple[str, tuple[Span, ...]]:
    """The text and the spans that entities can show, with the address behind a link that none can."""
    text, shown = formatting.links_spelled_out(text, spans, unless=_is_link)
    if len(shown) < len(spans):
        degradations.append(formatting.LINKS_AS_TEXT)
    if len(shown) > MAX_ENTITIES:
        degradations.append(formatting.STYLES_DROPPED)
    return text, shown


def _reply_keyboard(text: str, message: Message, degradations: list[str]) -> tuple[str, Markup]:
    """The keyboard that takes the place of the letters: only such a one can share.

    One message has one keyboard: so choices are in this one too, and are typed by being pressed.
    """
    shown = [button for button in message.buttons if button.data or button.share]
    labels: list[str] = []
    if _are_too_many([_key(button) for button in shown]):
        shown = [button for button in shown if button.share]
        labels = formatting.labels_by_number(message)
    _note_cut_labels(shown, MAX_LABEL, degradations)
    text = _written_out(text, labels, formatting.links_of(message), degradations)
    keys = [[_key(button)] for button in shown]
    return text, {"keyboard": keys, "resize_keyboard": True, "one_time_keyboard": True}


def _key(button: Button) -> dict[str, Any]:
    key: dict[str, Any] = {"text": formatting.cut(formatting.label_of(button), MAX_LABEL)}
    if button.share == "phone":
        return {**key, "request_contact": True}
    return {**key, "request_location": True} if button.share else key


def _inline_keyboard(text: str, message: Message, degradations: list[str]) -> tuple[str, Markup | None]:
    """The text with what no keyboard can hold, and the buttons under the message, one a row."""
    shown = [button for button in message.buttons if button.data or _is_link(button.url)]
    room = MAX_LABEL - (len(formatting.TAKEN) if message.several else 0)
    rows = [[_button(button, room, is_taken=message.several and button.selected)] for button in shown]
    untaken = [button for button in shown if message.several and not button.selected]
    if _are_too_many(rows, marks=len(untaken)):
        labels = formatting.labels_by_number(message)
        return _written_out(text, labels, formatting.links_of(message), degradations), None
    _note_cut_labels(shown, room, degradations)
    unshown = [button for button in message.buttons if button not in shown]
    text = _written_out(text, (), unshown, degradations)
    return text, {"inline_keyboard": rows} if rows else None


def _button(button: Button, room: int, *, is_taken: bool) -> dict[str, Any]:
    words = formatting.cut(formatting.label_of(button), room)
    carried = {"callback_data": button.data} if button.data else {"url": button.url}
    return {"text": formatting.TAKEN + words if is_taken else words, **carried}


def _are_too_many(rows: Sequence[Any], marks: int = 0) -> bool:
    """Room is kept for so many more marks: choices must not become text by being taken."""
    size = _bytes(rows) + marks * len(formatting.TAKEN.encode())
    return len(rows) > TelegramAdapter.capabilities.max_buttons or size > MAX_MARKUP_BYTES


def _note_cut_labels(buttons: Sequence[Button], room: int, degradations: list[str]) -> None:
    is_cut = any(len(formatting.label_of(button)) > room for button in buttons)
    degradations += [formatting.LABEL_CUT] * is_cut


def _written_out(text: str, labels: Sequence[str], links: Sequence[Button], degradations: list[str]) -> str:
    degradations += [formatting.CHOICES_AS_TEXT] * bool(labels)
    degradations += [formatting.LINKS_AS_TEXT] * bool(links)
    return formatting.written_out(text, labels, links)


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
