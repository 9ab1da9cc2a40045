"""WhatsApp's Cloud API: https://developers.facebook.com/documentation/business-messaging/whatsapp."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from shared.credential import Credential
from shared.dialog.messages import Button, Message
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
    WebhookAnswer,
    WebhookRequest,
)
from shared.platforms.markup import Markup, parts
from shared.platforms.whatsapp_updates import is_scoped, parse_update

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

# What the button says that opens a list of choices, by the letters of the message.
_OPENERS = (
    (re.compile("[іїєґІЇЄҐ]"), "Обрати"),
    (re.compile("[а-яёА-ЯЁ]"), "Выбрать"),
)
_OPENER = "Choose"


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
        shares=frozenset({"location"}),
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
        """Every message and status of every change of every entry, if it is to the bot's own number.

        Raises `msgspec.ValidationError` for what is no envelope at all.
        """
        return parse_update(payload, credential.settings["phone_number_id"])

    def render(self, message: Message, chat_id: str, credential: Credential, delivery_id: str) -> Rendered:
        """Texts, and with buttons one interactive message at the end, which has the last of the text."""
        degradations: list[str] = [formatting.SENT_ANEW] * bool(message.replaces)
        message = formatting.with_media_as_links(message, degradations)
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
            "recipient" if is_scoped(chat_id) else "to": chat_id,
            "biz_opaque_callback_data": delivery_id,
        }
        url = f"{self._api_url}/{credential.settings['phone_number_id']}/messages"
        headers = {"authorization": f"Bearer {credential.settings['access_token']}"}
        requests = [Request(url, {**envelope, **content}, headers) for content in contents]
        return Rendered(tuple(requests), tuple(dict.fromkeys(degradations)))

    def render_template(
        self, _message: Message, _chat_id: str, _credential: Credential, _delivery_id: str
    ) -> Rendered | None:
        return None

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


def _action(message: Message, degradations: list[str]) -> tuple[str, Mapping[str, Any] | None]:
    """The text with what no button can show, and the interactive message without its body."""
    labels, links = formatting.labels_by_number(message), formatting.links_of(message)
    action = _native(message, labels, degradations)
    kind = action["type"] if action else ""
    labels = [] if kind in ("button", "list") else labels
    links = [] if kind == "cta_url" else links
    has_share = any(button.share for button in message.buttons)
    degradations += [formatting.SHARE_DROPPED] * (has_share and kind != "location_request_message")
    degradations += [formatting.CHOICES_AS_TEXT] * bool(labels)
    degradations += [formatting.LINKS_AS_TEXT] * bool(links)
    return formatting.written_out(message.text, labels, links), action


def _native(message: Message, labels: Sequence[str], degradations: list[str]) -> Mapping[str, Any] | None:
    """Buttons of one kind only, for a message has no more: choices, else a request, else a link.

    Nothing that was sent can be changed: so several choices, to be seen as taken, are no buttons.
    """
    links = formatting.links_of(message)
    if not message.several and (buttons := _choice_buttons(message, labels, degradations)):
        return buttons
    if any(button.share == "location" for button in message.buttons):
        return {"type": "location_request_message", "action": {"name": "send_location"}}
    if len(links) == 1 and not labels and _is_link(links[0].url):
        return _link_button(links[0], degradations)
    return None


def _choice_buttons(
    message: Message, labels: Sequence[str], degradations: list[str]
) -> dict[str, Any] | None:
    choices = formatting.choices_of(message)
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
    return _list(message.text, choices, labels, titles)


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
