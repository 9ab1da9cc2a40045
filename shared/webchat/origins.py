"""Which web pages may talk to a bot's chat, and frame it."""

from __future__ import annotations

import re

from shared.credential import Credential
from shared.errors import Forbidden
from shared.platforms.base import WebhookRequest

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)


def allowed_origins(credential: Credential) -> tuple[str, ...]:
    """The credential's `allowed_origins`, written with spaces or commas between; what is none is left out."""
    given = re.split(r"[\s,]+", credential.settings.get("allowed_origins", "").lower())
    return tuple(origin for origin in given if _ORIGIN.fullmatch(origin))


def admit(request: WebhookRequest, host: str, credential: Credential) -> str | None:
    """The listed foreign origin that asks, or None for our own page and for programs.

    `host` is the name we are reached by. Raises `Forbidden` for a foreign origin where origins are
    listed and it is not; where none are, anybody may call, but a browser lets no foreign page read.
    """
    origin = request.headers.get("origin", "").lower()
    allowed = allowed_origins(credential)
    if origin in allowed:
        return origin
    if origin and allowed and not _is_same_origin(request, host, origin):
        raise Forbidden("this chat may not be used from there")
    return None


def _is_same_origin(request: WebhookRequest, host: str, origin: str) -> bool:
    """Browsers say so themselves, which holds behind a proxy too; older ones are compared by host."""
    if "sec-fetch-site" in request.headers:
        return request.headers["sec-fetch-site"] == "same-origin"
    names = {host.lower(), request.headers.get("host", "").lower()} - {""}
    return origin.partition("://")[2] in names
