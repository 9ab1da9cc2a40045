"""The one HTTP client that speaks to messengers.

It stands on urllib3, which botocore has imported anyway: another client would cost the sender's cold
start a quarter more.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

import msgspec
from botocore.httpsession import get_cert_path
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError

from shared.platforms.base import Request, Response

TIMEOUT_SECONDS = 8.0
"""For an answer to begin, and between its parts; connecting takes at most a quarter of it."""

MAX_RESPONSE_BYTES = 1_000_000

KEPT_SECONDS = 5
"""A connection that was idle for longer is not used again: it may be dead, and take a message with it."""

_KEPT_CONNECTIONS = 10


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
        """`clock` goes on while the Lambda is frozen."""
        self._pool = PoolManager(
            maxsize=_KEPT_CONNECTIONS,
            timeout=Timeout(connect=timeout_seconds / 4, read=timeout_seconds),
            ssl_context=ssl.create_default_context(cafile=get_cert_path(verify=True)),
        )
        self._clock = clock
        self._used_at = clock()
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        body = msgspec.json.encode(request.json)
        try:
            answer = self._post(request, body)
            content = _content(answer)
        except (NewConnectionError, ConnectTimeoutError, LocationValueError) as error:
            raise NotReached(type(error).__name__) from None
        except HTTPError as error:
            raise AnswerLost(type(error).__name__) from None
        except ValueError as error:  # what no header can hold
            raise NotReached(type(error).__name__) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, content, headers)

    def close(self) -> None:
        self._pool.clear()

    def _post(self, request: Request, body: bytes) -> BaseHTTPResponse:
        return self._living_pool().request(
            "POST",
            request.url,
            body=body,
            headers={"content-type": "application/json", **request.headers},
            redirect=False,
            retries=False,
            preload_content=False,
        )

    def _living_pool(self) -> PoolManager:
        with self._lock:
            now = self._clock()
            if now - self._used_at > KEPT_SECONDS:
                self._pool.clear()
            self._used_at = now
        return self._pool


def _content(answer: BaseHTTPResponse) -> bytes:
    """The body, up to its limit; of a longer one the rest is not read, and the connection is closed."""
    content = answer.read(MAX_RESPONSE_BYTES + 1)
    if len(content) > MAX_RESPONSE_BYTES:
        answer.close()
    answer.release_conn()
    return content[:MAX_RESPONSE_BYTES]
