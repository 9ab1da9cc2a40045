"""The one HTTP client that speaks to messengers."""

from __future__ import annotations

from typing import Protocol

import httpx

from shared.platforms.base import Request, Response

TIMEOUT_SECONDS = 8.0
"""For a whole answer; connecting takes at most a quarter of it."""

MAX_RESPONSE_BYTES = 1_000_000


class NotReached(Exception):
    """No connection was made: the messenger has certainly not seen the request."""


class AnswerLost(Exception):
    """The request went out and no whole answer came back: the messenger may have acted on it."""


class Transport(Protocol):
    def send(self, request: Request) -> Response:
        """Raises `NotReached` or `AnswerLost`; neither names the address, which may hold a token."""
        ...


class HttpTransport:
    """Keeps connections open between messages; safe to share between threads. Follows no redirect."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        timeout = httpx.Timeout(TIMEOUT_SECONDS, connect=TIMEOUT_SECONDS / 4)
        self._client = client or httpx.Client(timeout=timeout, follow_redirects=False)

    def send(self, request: Request) -> Response:
        try:
            answer = self._client.post(request.url, json=request.json, headers=dict(request.headers))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL) as error:
            raise NotReached(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise AnswerLost(type(error).__name__) from None
        return Response(answer.status_code, answer.content[:MAX_RESPONSE_BYTES], dict(answer.headers))
