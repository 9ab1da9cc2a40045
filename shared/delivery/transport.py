"""The one HTTP client that speaks to messengers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

import httpx
import msgspec

from shared.platforms.base import Request, Response

TIMEOUT_SECONDS = 8.0
"""For an answer to begin, and between its parts; connecting takes at most a quarter of it."""

MAX_RESPONSE_BYTES = 1_000_000

KEPT_SECONDS = 5
"""A connection that was idle for longer is not used again: it may be dead, and take a message with it."""

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    ValueError,  # what no header can hold
)


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

    def __init__(
        self, timeout_seconds: float = TIMEOUT_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` goes on while the Lambda is frozen, as httpx's own for idle connections does not."""
        self._timeout = httpx.Timeout(timeout_seconds, connect=timeout_seconds / 4)
        self._tls = httpx.create_ssl_context()
        self._client = self._new_client()
        self._clock = clock
        self._used_at = clock()
        self._users = 0
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        try:
            return self._post(request)
        except _NOT_SENT as error:
            raise NotReached(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise AnswerLost(type(error).__name__) from None

    def close(self) -> None:
        self._client.close()

    def _post(self, request: Request) -> Response:
        headers = {"content-type": "application/json", **request.headers}
        body = msgspec.json.encode(request.json)
        with (
            self._living_client() as client,
            client.stream("POST", request.url, content=body, headers=headers) as answer,
        ):
            return Response(answer.status_code, _content(answer), dict(answer.headers))

    @contextmanager
    def _living_client(self) -> Iterator[httpx.Client]:
        """The client, made anew after a rest: only when no other thread is in the midst of a request."""
        with self._lock:
            if not self._users and self._clock() - self._used_at > KEPT_SECONDS:
                self._client.close()
                self._client = self._new_client()
            self._users += 1
        try:
            yield self._client
        finally:
            with self._lock:
                self._users -= 1
                self._used_at = self._clock()

    def _new_client(self) -> httpx.Client:
        limits = httpx.Limits(keepalive_expiry=KEPT_SECONDS)
        return httpx.Client(timeout=self._timeout, limits=limits, verify=self._tls)


def _content(answer: httpx.Response) -> bytes:
    """The body, up to its limit; of a longer one the rest is not read, and the connection is closed."""
    content = bytearray()
    for part in answer.iter_bytes():
        content += part
        if len(content) > MAX_RESPONSE_BYTES:
            break
    return bytes(content[:MAX_RESPONSE_BYTES])
