"""The one HTTP client that speaks to messengers, also where it has to bring files along."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from os import SEEK_END
from threading import Lock
from typing import IO, Any, Protocol

import httpx
import msgspec
from botocore.exceptions import BotoCoreError

from shared.errors import NotFound
from shared.platforms.base import Attachment, Request, Response

TIMEOUT_SECONDS = 8.0
"""For an answer to begin, and for all of it to come then; connecting takes at most a quarter of it."""

HINT_SECONDS = 1.0
"""For each part of a request that nothing depends on."""

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
        """Raises `NotReached` or `AnswerLost`; neither names the address, which may hold a token.

        Raises `NotFound` for a file that the request has to carry, and that is not there.
        """
        ...


class OpensFiles(Protocol):
    """What is needed of an `ObjectStore` to send from it."""

    def open(self, path: str) -> IO[bytes]: ...

    def size(self, path: str) -> int | None: ...


class HttpTransport:
    """Keeps connections open between messages; safe to share between threads. Follows no redirect.

    Files go from the `store` as they come in: however large, little of them is in memory.
    """

    def __init__(
        self,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.time,
        store: OpensFiles | None = None,
    ) -> None:
        """`clock` goes on while the Lambda is frozen, as httpx's own for idle connections does not."""
        self._store = store
        self._timeout = httpx.Timeout(timeout_seconds, connect=timeout_seconds / 4)
        self._tls = httpx.create_ssl_context()
        self._client = self._new_client()
        self._clock = clock
        self._used_at = clock()
        self._users = 0
        self._lock = Lock()

    def hint(self, request: Request) -> None:
        """Make a request that nothing depends on: it is given up soon, and what came of it forgotten."""
        with suppress(*_NOT_SENT, httpx.HTTPError):
            self._post(request, httpx.Timeout(HINT_SECONDS))

    def send(self, request: Request) -> Response:
        try:
            return self._post(request, self._timeout)
        except _NOT_SENT as error:
            raise NotReached(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise AnswerLost(type(error).__name__) from None

    def close(self) -> None:
        self._client.close()

    def _post(self, request: Request, timeout: httpx.Timeout) -> Response:
        with (
            self._body_of(request) as body,
            self._living_client() as client,
            client.stream("POST", request.url, timeout=timeout, **body) as answer,
        ):
            return Response(answer.status_code, _content(answer, timeout.read), dict(answer.headers))

    @contextmanager
    def _body_of(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """As httpx takes it: JSON, or a form with files that are open meanwhile."""
        if not request.attachments:
            headers = {"content-type": "application/json", **request.headers}
            yield {"content": msgspec.json.encode(request.json), "headers": headers}
            return
        with ExitStack() as opened:
            files = {each.part: self._open(each, opened) for each in request.attachments}
            yield {"data": _fields(request.json), "files": files, "headers": dict(request.headers)}

    def _open(self, attachment: Attachment, opened: ExitStack) -> tuple[str, _Sized, str]:
        """Raises `NotFound`."""
        size = self._store.size(attachment.storage_path) if self._store else None
        if self._store is None or size is None:
            raise NotFound("file")
        stream = opened.enter_context(closing(self._store.open(attachment.storage_path)))
        return attachment.file_name, _Sized(stream, size), attachment.content_type

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


class _Sized:
    """A stream whose length is known though nobody can go back in it: so the request can tell its own."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._size = size
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """Raises `NotReached`: a messenger does nothing about half a request."""
        try:
            read = self._stream.read(self._left if size < 0 else min(size, self._left))
        except (OSError, BotoCoreError) as error:
            raise NotReached(f"the file broke off: {type(error).__name__}") from None
        if self._left and not read:
            raise NotReached("the file broke off")
        self._left -= len(read)
        return read

    def tell(self) -> int:
        return 0

    def seek(self, _offset: int, whence: int = 0) -> int:
        return self._size if whence == SEEK_END else 0


def _fields(values: Mapping[str, Any]) -> dict[str, str]:
    """A form has texts only: anything nested goes as JSON."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in values.items()
    }


def _content(answer: httpx.Response, seconds: float | None) -> bytes:
    """The body, up to its limit; of a longer one the rest is not read, and the connection is closed.

    Raises `httpx.ReadTimeout` for one that comes so slowly that others would wait for it.
    """
    content, until = bytearray(), time.monotonic() + (seconds or 0.0)
    for part in answer.iter_bytes():
        content += part
        if len(content) > MAX_RESPONSE_BYTES:
            break
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer does not end")
    return bytes(content[:MAX_RESPONSE_BYTES])
