"""The HTTP client for calls that register something: few, so none is kept open."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from shared.connecting.base import Call
from shared.platforms.base import Response

TIMEOUT_SECONDS = 10.0
"""For an answer to begin: Viber and Meta call our webhook first, which may have to start cold."""

MAX_RESPONSE_BYTES = 100_000

Caller = Callable[[Call], Response]
"""Raises `Unanswered`."""


class Unanswered(Exception):
    """No whole answer came; what went wrong is told by its kind alone, since an address may hold a token."""


def call_by_http(call: Call, timeout_seconds: float = TIMEOUT_SECONDS) -> Response:
    """Make the call; no redirect is followed. Raises `Unanswered`."""
    # For the few calls that need it: it takes a third of a cold start.
    import httpx  # noqa: PLC0415

    timeout = httpx.Timeout(timeout_seconds, connect=timeout_seconds / 4)
    content = None if call.json is None else msgspec.json.encode(call.json)
    headers = {"content-type": "application/json", **call.headers}
    try:
        with (
            httpx.Client(timeout=timeout) as client,
            client.stream(call.method, call.url, content=content, headers=headers) as answer,
        ):
            return Response(answer.status_code, _content(answer.iter_bytes()), dict(answer.headers))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unanswered(type(error).__name__) from None


def _content(parts: Iterable[bytes]) -> bytes:
    """The body, up to its limit; the rest is not read."""
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > MAX_RESPONSE_BYTES:
            break
    return bytes(content[:MAX_RESPONSE_BYTES])
