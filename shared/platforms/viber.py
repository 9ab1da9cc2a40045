"""Viber's REST Bot API: https://creators.viber.com/docs/bots-api."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from shared.credential import Credential
from shared.dialog.messages import Button, Media, Message
from shared.platforms import formatting
from shared.platforms.answers import by_status, decoded, reason, wait_of
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
from shared.platforms.formatting import utf16_length
from shared.platforms.markup import Markup, parts
from shared.platforms.viber_callbacks import parse_callback

SIGNATURE_HEADER = "x-viber-content-signature"

MAX_REQUEST_BYTES = 29_900
"""The limit is 30 kB, whichever kB is meant; some air is left."""
_LEAST_ROOM = 1000
"""For a text beside the largest keyboard; only an avatar's address without end could leave less."""
MAX_SENDER_NAME = 28
MAX_BUTTON_TEXT = 250
"""Of a label as it is sent, in HTML."""
MAX_ACTION_BODY = 100
"""In bytes: what a button carries on an iPhone; Android takes 250."""
MAX_CAPTION = 512
MAX_MEDIA_ADDRESS = 2000
_LONGEST_TOKEN = 40
"""In digits: twice of what was seen."""
SHARING_API_VERSION = 3
"""The least that a client must know to share a phone number or a place."""

_SHARES = {"phone": "share-phone", "location": "location-picker"}

_PICTURE = re.compile(r"https?://[^/?#]+/[^?#]*[^/?#]\.(?:jpe?g|png)(?:[?#].*)?", re.IGNORECASE)
"""Viber tells a picture by the end of its address. A GIF may be animated, which it does not show."""

# Shown by clients of Viber 14.6 and later; older ones show the markers.
_MARKUP = Markup({"bold": "*", "italic": "_", "code": "```"}, has_lists=False)

Content = dict[str, Any]
"""A message as Viber has it, without its receiver and sender."""

# ── What Viber answers ───────────────────────────────────────────────────────────────────────────────

_BY_STATUS: Mapping[int, Outcome] = {
    1: Outcome.MEDIA_FAILED,  # invalidUrl: a message has no other than its file's
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
        receipts_by_message_id=True,
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
        return parse_callback(payload)

    def render(
        self,
        message: Message,
        chat_id: str,
        credential: Credential,
        delivery_id: str,  # noqa: ARG002 (receipts name the message token)
    ) -> Rendered:
        """`send_message`, as often as it takes, the keyboard with the last."""
        degradations: list[str] = [formatting.SENT_ANEW] * bool(message.replaces)
        envelope = {"receiver": chat_id, **_sender(credential)}
        contents = _laid_out(message, envelope, degradations)
        headers = {"x-viber-auth-token": credential.settings["auth_token"]}

        def request(content: Content) -> Request:
            instead = request(_without_picture(content)) if content["type"] == "picture" else None
            return Request(self._url, {**envelope, **content}, headers, instead)

        return Rendered(tuple(map(request, contents)), tuple(dict.fromkeys(degradations)))

    def welcome(self, message: Message, credential: Credential) -> Mapping[str, Any]:
        """The body that answers `conversation_started`: one message, to whoever opened the chat.

        There can be no second one, so files that need one are links, and a text beyond the limit is cut.
        """
        sender = _sender(credential)
        contents = _laid_out(message, sender, [])
        if len(contents) != 1:
            contents = _laid_out(formatting.with_media_as_links(message, []), sender, [])
        if not contents:
            return {**sender, "type": "text", "text": formatting.ELLIPSIS}
        only = {**contents[-1], **contents[0]}
        if len(contents) > 1:
            only["text"] = _cut(only["text"].rstrip() + formatting.ELLIPSIS, self.capabilities.max_text)
        return {**sender, **only}

    def render_template(
        self, _message: Message, _chat_id: str, _credential: Credential, _delivery_id: str
    ) -> Rendered | None:
        return None

    def interpret(self, response: Response) -> Delivery:
        """HTTP 200 says nothing: the status in the body does."""
        answer = decoded(response)
        status = answer.get("status")
        if response.status != HTTPStatus.OK or type(status) is not int:
            outcome = by_status(response.status)
            return Delivery(
                outcome, retry_after_seconds=wait_of(response), reason=reason(response.status, "")
            )
        if status == 0:
            return Delivery(Outcome.SENT, _token(answer.get("message_token")))
        outcome = _BY_STATUS.get(status, Outcome.RETRY)
        words = reason(status, answer.get("status_message"))
        return Delivery(outcome, retry_after_seconds=wait_of(response), reason=words)


def _token(value: object) -> str:
    """The message's name, with all of its digits or not at all."""
    token = "" if isinstance(value, bool) or not isinstance(value, int | str) else str(value)
    return token if len(token) <= _LONGEST_TOKEN else ""


def _sender(credential: Credential) -> Content:
    settings = credential.settings
    sender = {"name": _cut(settings["sender_name"], MAX_SENDER_NAME)}
    if settings.get("sender_avatar"):
        sender["avatar"] = settings["sender_avatar"]
    return {"sender": sender}


def _cut(text: str, limit: int, length: Callable[[str], int] = utf16_length) -> str:
    """The text in at most `limit`, with an ellipsis where something is missing."""
    if length(text) <= limit:
        return text
    kept = text[:limit]
    while (over := length(kept) + 1 - limit) > 0:
        kept = kept[: -max(1, over // 6)]
    return kept.rstrip() + formatting.ELLIPSIS


# ── Words and files ──────────────────────────────────────────────────────────────────────────────────


def _laid_out(message: Message, envelope: Content, degradations: list[str]) -> list[Content]:
    """What is sent in order, none of it too large: pictures, then words; the keyboard is the last one's."""
    pictures = [media for media in message.media if _is_picture(media)]
    others = tuple(media for media in message.media if media not in pictures)
    words = formatting.with_media_as_links(msgspec.structs.replace(message, media=others), degradations)
    text, keyboard = _keyboard(words, degradations) if words.buttons else (words.text, {})
    contents: list[Content] = [{"type": "picture", "text": "", "media": media.url} for media in pictures]
    if _are_alone(others, message) and text == words.text:
        contents += [{"type": "url", "media": media.url} for media in others]
    else:
        texts = _texts(words, text, {**envelope, **keyboard}, degradations)
        contents = _captioned(contents, texts, words, {**envelope, **keyboard})
    if not contents:
        degradations.append(formatting.EMPTY_TEXT)
        contents = [{"type": "text", "text": formatting.ELLIPSIS}] if keyboard else []
    return [*contents[:-1], *({**last, **keyboard} for last in contents[-1:])]


def _is_picture(media: Media) -> bool:
    address = media.url
    is_plain = media.type == "image" and len(address) <= MAX_MEDIA_ADDRESS and address.isascii()
    return is_plain and formatting.is_web_link(address) and _PICTURE.fullmatch(address) is not None


def _are_alone(files: Sequence[Media], message: Message) -> bool:
    """Whether there are files without a word beside, so that the address of each is a message with a preview.

    As what they are, videos and other files can be sent only together with their size, which nobody knows.
    """
    if not files or message.text.strip():
        return False
    return all(len(f.url) <= MAX_MEDIA_ADDRESS and formatting.is_web_link(f.url) for f in files)


def _without_picture(content: Content) -> Content:
    text = "\n\n".join(filter(None, (content["text"], content["media"])))
    keyboard = {name: value for name, value in content.items() if name not in ("type", "text", "media")}
    return {"type": "text", "text": text, **keyboard}


def _captioned(
    pictures: Sequence[Content], texts: Sequence[str], message: Message, around: Content
) -> list[Content]:
    """The words, below the last picture if they can stand there, else after it.

    That styles are shown there, and links can be followed, is documented nowhere.
    """
    if pictures and len(texts) == 1 and not message.spans and "://" not in texts[0]:
        captioned = {**pictures[-1], "text": texts[0]}
        is_short = utf16_length(texts[0]) <= MAX_CAPTION
        if is_short and _bytes({**around, **captioned}) <= MAX_REQUEST_BYTES:
            return [*pictures[:-1], captioned]
    return [*pictures, *({"type": "text", "text": text} for text in texts)]


def _texts(message: Message, text: str, around: Content, degradations: list[str]) -> list[str]:
    """The text marked up, in as many parts as its characters and bytes take; none for a blank one."""
    if not text.strip():
        return []
    text, spans = formatting.links_spelled_out(text, message.spans)
    degradations += [formatting.LINKS_AS_TEXT] * (len(spans) < len(message.spans))
    room = max(MAX_REQUEST_BYTES - _bytes({**around, "type": "text", "text": ""}), _LEAST_ROOM)
    limit = ViberAdapter.capabilities.max_text

    def length(part: str) -> int:
        """In UTF-16, which is never less than characters, or by its share of the room in bytes."""
        if len(part) * 6 <= room:
            return utf16_length(part)
        return max(utf16_length(part), -(-_bytes(part) * limit // room))

    texts, all_shown = parts(text, spans, _MARKUP, (limit, limit), length)
    degradations += [formatting.TEXT_SPLIT] * (len(texts) > 1)
    degradations += [formatting.STYLES_DROPPED] * (not all_shown)
    return texts


# ── Keyboards ────────────────────────────────────────────────────────────────────────────────────────


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
    kept = _cut(label, MAX_BUTTON_TEXT, _html_length)
    degradations += [formatting.LABEL_CUT] * (kept != label)
    return escape(kept, quote=False)


def _html_length(text: str) -> int:
    return utf16_length(escape(text, quote=False))


def _is_link(url: str) -> bool:
    return len(url.encode()) <= MAX_ACTION_BODY and formatting.is_web_link(url)


def _bytes(value: object) -> int:
    return len(msgspec.json.encode(value))
