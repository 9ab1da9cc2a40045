"""Viber's REST Bot API: https://creators.viber.com/docs/bots-api."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from shared.credential import Credential
from shared.dialog.messages import Message
from shared.platforms import formatting
from shared.platforms.answers import by_status, decoded, reason, wait_of
from shared.platforms.base import (
    Delivery,
    Outcome,
    Parsed,
    Rendered,
    Request,
    Response,
    WebhookRequest,
)
from shared.platforms.viber_callbacks import parse_callback
from shared.platforms.viber_rendering import CAPABILITIES, Content, cut, laid_out, without_file, without_share

SIGNATURE_HEADER = "x-viber-content-signature"

MAX_SENDER_NAME = 28
_LONGEST_TOKEN = 40
"""In digits: twice of what was seen."""

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
    13: Outcome.APP_TOO_OLD,  # apiVersionNotSupported
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
    capabilities = CAPABILITIES

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
        contents = laid_out(message, envelope, degradations)
        headers = {"x-viber-auth-token": credential.settings["auth_token"]}

        def request(content: Content) -> Request:
            text, plain = without_file(content), without_share(content)
            return Request(
                self._url,
                {**envelope, **content},
                headers,
                instead=request(text) if text else None,
                for_old_apps=request(plain) if plain else None,
            )

        return Rendered(tuple(map(request, contents)), tuple(dict.fromkeys(degradations)))

    def welcome(self, message: Message, credential: Credential) -> Mapping[str, Any]:
        """The body that answers `conversation_started`: one message, to whoever opened the chat.

        There can be no second one, so files that need one are links, and a text beyond the limit is cut.
        """
        sender = _sender(credential)
        contents = laid_out(message, sender, [])
        if len(contents) != 1:
            contents = laid_out(formatting.with_media_as_links(message, []), sender, [])
        if not contents:
            return {**sender, "type": "text", "text": formatting.ELLIPSIS}
        only = {**contents[-1], **contents[0]}
        if len(contents) > 1:
            only["text"] = cut(only["text"].rstrip() + formatting.ELLIPSIS, self.capabilities.max_text)
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

    def typing(self, _chat_id: str, _credential: Credential, _last_message_id: str) -> Request | None:
        """Viber has no way to show it."""
        return None


def _token(value: object) -> str:
    """The message's name, with all of its digits or not at all."""
    token = "" if isinstance(value, bool) or not isinstance(value, int | str) else str(value)
    return token if len(token) <= _LONGEST_TOKEN else ""


def _sender(credential: Credential) -> Content:
    settings = credential.settings
    sender = {"name": cut(settings["sender_name"], MAX_SENDER_NAME)}
    if settings.get("sender_avatar"):
        sender["avatar"] = settings["sender_avatar"]
    return {"sender": sender}
