"""API Gateway's events (HTTP API, payload format 2.0) read into calls, and answers written for it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import msgspec

from shared.errors import Forbidden, Invalid, NotFound, Refused, TooLarge, Unauthenticated
from shared.observability import count, describe, logger
from shared.platforms.base import WebhookAnswer, WebhookRequest

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Above what any messenger sends (WhatsApp's limit is 3 MB), below what a Lambda can be given."""

LambdaEvent = Mapping[str, Any]
LambdaAnswer = dict[str, Any]

_STATUSES: tuple[tuple[type[Refused], int], ...] = (
    (TooLarge, 413),
    (NotFound, 404),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (Invalid, 400),
)
_TITLES = {
    400: "Bad request",
    401: "No proof of identity",
    403: "Forbidden",
    404: "Not found",
    413: "Too large",
    503: "Try again later",
}


class Call(msgspec.Struct, frozen=True):
    """One call of a bot's webhook: whose, which, and what came; `trace_id` follows it to the delivery."""

    bot_id: str
    trace_id: str
    host: str
    request: WebhookRequest


def read_call(event: LambdaEvent) -> Call:
    """Read the event. Raises `TooLarge`, `Invalid` for a body damaged on its way, `NotFound`."""
    context = event.get("requestContext") or {}
    body = _body(event)
    return Call(
        bot_id=_bot_id(event),
        trace_id=str(context.get("requestId") or uuid4()),
        host=str(context.get("domainName") or ""),
        request=WebhookRequest(
            method=str((context.get("http") or {}).get("method", "")).upper(),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            query=event.get("queryStringParameters") or {},
            body=body,
        ),
    )


def respond(answer: WebhookAnswer, headers: Mapping[str, str] | None = None) -> LambdaAnswer:
    """The answer as API Gateway wants it."""
    always = {"content-type": answer.content_type, "x-content-type-options": "nosniff"}
    return {"statusCode": answer.status, "headers": always | dict(headers or {}), "body": answer.body}


def problem(status: int, detail: str) -> WebhookAnswer:
    """An RFC 9457 problem document."""
    body = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail}
    return WebhookAnswer(status, json.dumps(body, ensure_ascii=False), "application/problem+json")


def refusal(error: Refused) -> WebhookAnswer:
    """What a caller is told of a refusal: its own words, which never hold anything of the inside."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    return problem(status, str(error))


def at_the_door(handle: Callable[[LambdaEvent], LambdaAnswer], event: LambdaEvent) -> LambdaAnswer:
    """Answer every event, whatever happens; a fault of ours is a 503, so that it is sent again."""
    try:
        return handle(event)
    except Refused as error:
        return respond(refusal(error))
    except Exception as error:  # noqa: BLE001 (the outermost door)
        logger.error("a webhook call failed", extra=describe(error))
        count("webhook_failures")
        return respond(problem(503, "this could not be taken in just now"))


def _bot_id(event: LambdaEvent) -> str:
    """The bot named in the path, in the one spelling ids are stored in."""
    given = str((event.get("pathParameters") or {}).get("bot_id", "")).lower()
    try:
        canonical = str(UUID(given))
    except ValueError:
        raise NotFound("bot") from None
    if canonical != given:
        raise NotFound("bot")
    return canonical


def _body(event: LambdaEvent) -> bytes:
    """The raw bytes, over which messengers sign."""
    text = event.get("body") or ""
    if len(text) > MAX_BODY_BYTES * 4 // 3 + 4:
        raise TooLarge(MAX_BODY_BYTES)
    try:
        encoded = event.get("isBase64Encoded")
        body = base64.b64decode(text, validate=True) if encoded else text.encode("utf-8")
    except (binascii.Error, ValueError):
        raise Invalid("the body was damaged on its way") from None
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(MAX_BODY_BYTES)
    return body
