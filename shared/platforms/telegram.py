"""Telegram's Bot API (10.1): https://core.telegram.org/bots/api. Private chats only."""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from typing import Any, Literal

from shared.credential import Credential
from shared.dialog.messages import Message
from shared.platforms.base import (
    Delivery,
    Parsed,
    Rendered,
    Request,
    Response,
    WebhookRequest,
)
from shared.platforms.telegram_answers import interpret
from shared.platforms.telegram_rendering import CAPABILITIES, Call, calls
from shared.platforms.telegram_updates import parse_update

_NUMBER = re.compile(r"-?[0-9]{1,18}")

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (a header's name)


class TelegramAdapter:
    """Fulfils `PlatformAdapter`. Of the credential it uses `bot_token` and `webhook_secret`."""

    platform: Literal["telegram"] = "telegram"
    capabilities = CAPABILITIES

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
        """Styles go as entities, so no text is markup; files as Telegram's own names of them, as parts of the
        request, or as addresses, which Telegram fetches.
        """
        degradations: list[str] = []
        made = calls(message, _chat_id(chat_id), degradations)
        url = self._url(credential)
        requests = tuple([_request(url, call) for call in made])
        return Rendered(requests, tuple(dict.fromkeys(degradations)) if degradations else ())

    def render_template(
        self, _message: Message, _chat_id: str, _credential: Credential, _delivery_id: str
    ) -> Rendered | None:
        return None

    def interpret(self, response: Response) -> Delivery:
        return interpret(response)

    def typing(
        self,
        chat_id: str,
        credential: Credential,
        last_message_id: str,  # noqa: ARG002 (others need it)
    ) -> Request | None:
        """Shown for five seconds."""
        action = Call("sendChatAction", {"chat_id": _chat_id(chat_id), "action": "typing"})
        return _request(self._url(credential), action)

    def _url(self, credential: Credential) -> str:
        return f"{self._api_url}/bot{credential.settings['bot_token']}"


def _request(url: str, call: Call) -> Request:
    instead = _request(url, call.instead) if call.instead else None
    return Request(
        f"{url}/{call.method}",
        call.body,
        instead=instead,
        attachments=call.attachments,
        may_be_refused=call.may_be_refused,
    )


def _chat_id(chat_id: str) -> int | str:
    return int(chat_id) if _NUMBER.fullmatch(chat_id) else chat_id
