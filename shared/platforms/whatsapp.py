"""WhatsApp's Cloud API: https://developers.facebook.com/documentation/business-messaging/whatsapp."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from shared.credential import Credential
from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    ConversationStarted,
    Event,
    MessageReceived,
    Person,
)
from shared.dialog.messages import Button, Message
from shared.errors import UnreadableUpdate
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
    WebhookAnswer,
    WebhookRequest,
)
from shared.platforms.commands import start_payload
from shared.platforms.markup import Markup, parts

SIGNATURE_HEADER = "x-hub-signature-256"

MAX_INTERACTIVE_BODY = 1024
MAX_REPLY_BUTTONS = 3
MAX_REPLY_TITLE = 20
MAX_ROWS = 10
MAX_ROW_TITLE = 24
MAX_ROW_DESCRIPTION = 72
MAX_LINK = 2000
"""Undocumented; a longer address is written into the text."""

_MARKUP = Markup({"bold": "*", "italic": "_", "code": "`"}, has_lists=True)

# A business-scoped user id, as of 2026; everything else is a phone number.
_SCOPED_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]+")

_MILLISECONDS_FROM = 10**12
"""Timestamps are seconds; some have been seen in milliseconds."""

# What the button says that opens a list of choices, by the letters of the message.
_OPENERS = (
    (re.compile("[іїєґІЇЄҐ]"), "Обрати"),
    (re.compile("[а-яёА-ЯЁ]"), "Выбрать"),
)
_OPENER = "Choose"


# ── What WhatsApp posts, as far as we read it ────────────────────────────────────────────────────────


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
    caption: str = ""
    voice: bool = False


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
    document: _Media | None = None


class _Value(msgspec.Struct):
    metadata: _Metadata
    contacts: list[_Contact] = []
    messages: list[_Message] = []
    statuses: list[Any] = []
    errors: list[Any] = []


_CONTENT: Mapping[str, ContentType] = {
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

_NOT_INPUT = frozenset({"reaction", "system", "unsupported", "request_welcome", "edit", "revoke"})

# ── What WhatsApp answers ────────────────────────────────────────────────────────────────────────────

_BY_CODE: Mapping[int, Outcome] = {
    code: outcome
    for outcome, codes in {
        Outcome.RETRY: (1, 2, 131000, 131016, 131057, 133004),
        Outcome.BOT_LIMITED: (4, 80007, 130429, 131048, 131064),
        Outcome.CHAT_LIMITED: (131056,),
        Outcome.WINDOW_CLOSED: (131047, 470),
        Outcome.RECIPIENT_GONE: (131021, 131026, 131030, 131050, 131062, 137000),
        Outcome.MEDIA_FAILED: (131052, 131053),
        Outcome.CREDENTIAL_BAD: (
            *(0, 3, 10, 33, 190, *range(200, 300), 131005, 131045, 133010, 133016),
            # The account is blocked, locked, or has not paid: somebody has to see to it.
            *(368, 131031, 131042),
        ),
        Outcome.BAD_PAYLOAD: (
            *(100, 131008, 131009, 131020, 131041, 131051, 135000),
            *(132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068, 132069),
            # Not now, not to this person, not in this country: for this message that is final. The wait
            # of a day that 131049 wants would hold up everything said to the person after it.
            *(130472, 130497, 131049),
        ),
    }.items()
    for code in codes
}


def verify_subscription(query: Mapping[str, str], credential: Credential) -> WebhookAnswer:
    """Answer the GET by which WhatsApp asks whether the address is ours: the challenge, or 403."""
    token = credential.settings.get("verify_token", "").encode()
    shown = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    is_ours = hmac.compare_digest(shown, token) and token != b""
    if is_ours and query.get("hub.mode") == "subscribe" and "hub.challenge" in query:
        return WebhookAnswer(HTTPStatus.OK, query["hub.challenge"], "text/plain")
    return WebhookAnswer(HTTPStatus.FORBIDDEN, "", "text/plain")


class WhatsAppAdapter:
    """Fulfils `PlatformAdapter`. Uses `phone_number_id`, `access_token`, `app_secret`."""

    platform: Literal["whatsapp"] = "whatsapp"
    capabilities = Capabilities(
        max_text=4096,
        max_buttons=MAX_ROWS,
        max_button_label=MAX_ROW_TITLE,
        styles=frozenset({"bold", "italic", "code"}),
    )

    def __init__(self, api_url: str = "https://graph.facebook.com", api_version: str = "v25.0") -> None:
        self._api_url = f"{api_url.rstrip('/')}/{api_version}"

    def verify(self, request: WebhookRequest, credential: Credential) -> bool:
        """The app's secret signs the raw body; it belongs to the Meta app, not to the number."""
        secret = credential.settings.get("app_secret", "").encode()
        if not secret:
            return False
        expected = b"sha256=" + hmac.digest(secret, request.body, "sha256").hex().encode()
        shown = request.headers.get(SIGNATURE_HEADER, "").encode("utf-8", "surrogatepass")
        return hmac.compare_digest(shown, expected)

    def parse(
        self,
        payload: Any,
        credential: Credential,
        received_at: datetime,  # noqa: ARG002 (every message has its own time)
    ) -> Parsed:
        """Every message of every change of every entry, if it is to the bot's own number.

        Raises `msgspec.ValidationError` or `UnreadableUpdate` for a message not as documented.
        """
        update = msgspec.convert(payload, _Update)
        if update.object != "whatsapp_business_account":
            return Parsed(ignored=("not_whatsapp",))
        number = credential.settings["phone_number_id"]
        changes = (change for entry in update.entry for change in entry.changes)
        found = [item for change in changes for item in _found_in(change, number)]
        events = tuple(item for item in found if isinstance(item, AddressedEvent))
        return Parsed(events, tuple(item for item in found if isinstance(item, str)))

    def render(self, message: Message, chat_id: str, credential: Credential, delivery_id: str) -> Rendered:
        """Texts, and with buttons one interactive message at the end, which has the last of the text."""
        degradations: list[str] = []
        text, action = _action(message, degradations)
        bodies = _texts(text, message, degradations, is_interactive=action is not None)
        if not bodies:
            return Rendered((), tuple(dict.fromkeys(degradations)))
        last = bodies.pop()
        contents: list[dict[str, Any]] = [{"type": "text", "text": {"body": body}} for body in bodies]
        contents.append(
            {"type": "text", "text": {"body": last}}
            if action is None
            else {"type": "interactive", "interactive": {**action, "body": {"text": last}}}
        )
        envelope = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "recipient" if _SCOPED_USER_ID.fullmatch(chat_id) else "to": chat_id,
            "biz_opaque_callback_data": delivery_id,
        }
        url = f"{self._api_url}/{credential.settings['phone_number_id']}/messages"
        headers = {"authorization": f"Bearer {credential.settings['access_token']}"}
        requests = [Request(url, {**envelope, **content}, headers) for content in contents]
        return Rendered(tuple(requests), tuple(dict.fromkeys(degradations)))

    def interpret(self, response: Response) -> Delivery:
        """By the error's code: neither title nor HTTP status is reliable."""
        answer = decoded(response)
        if "error" not in answer:
            return _accepted(response, answer)
        error = part(answer, "error")
        code = error.get("code")
        words = part(error, "error_data").get("details") or error.get("message")
        if error.get("is_transient") is True:
            outcome = Outcome.RETRY
        elif isinstance(code, int) and code in _BY_CODE:
            outcome = _BY_CODE[code]
        else:
            outcome = by_status(response.status)
        return Delivery(outcome, retry_after_seconds=wait_of(response), reason=reason(code, words))


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
    if message.type == "text":
        return _of_text(message, occurred_at, person)
    content = _CONTENT.get(message.type) or ("unsupported" if message.type == "interactive" else None)
    if content is None:
        return None
    media = message.image or message.video or message.audio or message.document or _Media()
    return MessageReceived(
        id=message.id,
        occurred_at=occurred_at,
        person=person,
        text=media.caption,
        content="voice" if media.voice else content,
    )


def _of_text(message: _Message, occurred_at: datetime, person: Person | None) -> Event:
    if message.text is None:
        raise UnreadableUpdate("a text without words")
    text = message.text.body
    payload = start_payload(text)
    if payload is None:
        return MessageReceived(id=message.id, occurred_at=occurred_at, person=person, text=text)
    return ConversationStarted(id=message.id, occurred_at=occurred_at, person=person, payload=payload)


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


def _action(message: Message, degradations: list[str]) -> tuple[str, dict[str, Any] | None]:
    """The text with what no button can show, and the interactive message without its body."""
    choices = [button for button in message.buttons if button.data]
    links = [button for button in message.buttons if not button.data]
    if len(links) == 1 and not choices and _is_link(links[0].url):
        return message.text, _link_button(links[0], degradations)
    labels = [formatting.label_of(choice) for choice in choices]
    action = _choice_buttons(message.text, choices, labels, degradations)
    if choices and action is None:
        degradations.append(formatting.CHOICES_AS_TEXT)
    if links:
        degradations.append(formatting.LINKS_AS_TEXT)
    return formatting.written_out(message.text, () if action else labels, links), action


def _choice_buttons(
    text: str, choices: Sequence[Button], labels: Sequence[str], degradations: list[str]
) -> dict[str, Any] | None:
    if not 0 < len(choices) <= MAX_ROWS:
        return None
    if len(choices) <= MAX_REPLY_BUTTONS and all(len(label) <= MAX_REPLY_TITLE for label in labels):
        titles = formatting.distinct(labels, MAX_REPLY_TITLE)
        if titles != labels:
            degradations.append(formatting.LABEL_NUMBERED)
        return _reply_buttons(choices, titles)
    degradations.append(formatting.CHOICES_AS_LIST)
    titles = formatting.distinct(labels, MAX_ROW_TITLE)
    if any(len(label) > MAX_ROW_DESCRIPTION for label in labels):
        degradations.append(formatting.LABEL_CUT)
    return _list(text, choices, labels, titles)


def _reply_buttons(choices: Sequence[Button], titles: Sequence[str]) -> dict[str, Any]:
    buttons = [
        {"type": "reply", "reply": {"id": choice.data, "title": title}}
        for choice, title in zip(choices, titles, strict=True)
    ]
    return {"type": "button", "action": {"buttons": buttons}}


def _list(
    text: str, choices: Sequence[Button], labels: Sequence[str], titles: Sequence[str]
) -> dict[str, Any]:
    """Rows; where the title is not the whole label, the description is."""
    rows = []
    for choice, label, title in zip(choices, labels, titles, strict=True):
        row = {"id": choice.data, "title": title}
        if title != label:
            row["description"] = formatting.cut(label, MAX_ROW_DESCRIPTION)
        rows.append(row)
    opener = next((word for letters, word in _OPENERS if letters.search(text)), _OPENER)
    return {"type": "list", "action": {"button": opener, "sections": [{"rows": rows}]}}


def _link_button(link: Button, degradations: list[str]) -> dict[str, Any]:
    label = formatting.label_of(link)
    title = formatting.cut(label, MAX_REPLY_TITLE)
    if title != label:
        degradations.append(formatting.LABEL_CUT)
    return {
        "type": "cta_url",
        "action": {"name": "cta_url", "parameters": {"display_text": title, "url": link.url}},
    }


def _is_link(url: str) -> bool:
    return len(url) <= MAX_LINK and formatting.is_web_link(url)


def _texts(text: str, message: Message, degradations: list[str], *, is_interactive: bool) -> list[str]:
    """The text in WhatsApp's markup, in as many parts as it takes; the last fits where it will stand."""
    if not text.strip():
        degradations.append(formatting.EMPTY_TEXT)
        return [formatting.ELLIPSIS] if is_interactive else []
    limit = WhatsAppAdapter.capabilities.max_text
    limits = (limit, MAX_INTERACTIVE_BODY if is_interactive else limit)
    text, spans = formatting.links_spelled_out(text, message.spans)
    if len(spans) < len(message.spans):
        degradations.append(formatting.LINKS_AS_TEXT)
    bodies, all_shown = parts(text, spans, _MARKUP, limits, formatting.utf16_length)
    if len(bodies) > 1:
        degradations.append(formatting.TEXT_SPLIT)
    if not all_shown:
        degradations.append(formatting.STYLES_DROPPED)
    return bodies


def _accepted(response: Response, answer: Mapping[str, Any]) -> Delivery:
    messages = answer.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict) and isinstance(first.get("id"), str):
        return Delivery(Outcome.SENT, first["id"])
    return Delivery(
        by_status(response.status),
        retry_after_seconds=wait_of(response),
        reason=reason(response.status, "no error and no message id"),
    )
