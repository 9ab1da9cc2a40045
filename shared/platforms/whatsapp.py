"""WhatsApp's Cloud API: https://developers.facebook.com/documentation/business-messaging/whatsapp."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from shared.credential import Credential
from shared.dialog.messages import Message
from shared.platforms import formatting
from shared.platforms.base import (
    Delivery,
    Parsed,
    Rendered,
    Request,
    Response,
    WebhookAnswer,
    WebhookRequest,
)
from shared.platforms.whatsapp_answers import sort_of_number
from shared.platforms.whatsapp_rendering import CAPABILITIES, Content, contents, template
from shared.platforms.whatsapp_updates import is_scoped, parse_update

SIGNATURE_HEADER = "x-hub-signature-256"


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
    capabilities = CAPABILITIES

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
        """Nothing that was sent can be changed, so what should take its place is sent anew."""
        degradations: list[str] = [formatting.SENT_ANEW] * bool(message.replaces)
        said = contents(message, degradations)
        requests = tuple(self._request(content, chat_id, credential, delivery_id) for content in said)
        return Rendered(requests, tuple(dict.fromkeys(degradations)))

    def render_template(
        self, message: Message, chat_id: str, credential: Credential, delivery_id: str
    ) -> Rendered | None:
        if message.template is None:
            return None
        content = Content(template(message.template))
        request = self._request(content, chat_id, credential, delivery_id)
        return Rendered((request,), (formatting.SENT_AS_TEMPLATE,))

    def interpret(self, response: Response) -> Delivery:
        return sort_of_number(response)

    def typing(
        self,
        chat_id: str,  # noqa: ARG002 (the message tells)
        credential: Credential,
        last_message_id: str,
    ) -> Request | None:
        """Shown for 25 seconds, as an answer to a message, which is marked as read by it."""
        if not last_message_id:
            return None
        shown = {"status": "read", "message_id": last_message_id, "typing_indicator": {"type": "text"}}
        return self._post({"messaging_product": "whatsapp", **shown}, credential)

    def _request(self, content: Content, chat_id: str, credential: Credential, delivery_id: str) -> Request:
        envelope = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "recipient" if is_scoped(chat_id) else "to": chat_id,
            "biz_opaque_callback_data": delivery_id,
        }
        instead = (
            self._request(content.instead, chat_id, credential, delivery_id) if content.instead else None
        )
        return self._post({**envelope, **content.json}, credential, instead)

    def _post(
        self, body: Mapping[str, Any], credential: Credential, instead: Request | None = None
    ) -> Request:
        return Request(
            f"{self._api_url}/{credential.settings['phone_number_id']}/messages",
            body,
            {"authorization": f"Bearer {credential.settings['access_token']}"},
            instead,
        )
