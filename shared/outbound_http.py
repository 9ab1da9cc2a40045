"""The one client for addresses that others name: `shared.guard` says where it may go.

A connection is made to the very address that was looked at, under the name that was asked for, and serves
one request: no cookie, no connection and no redirect carries anything from one tenant's to another's.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any
from urllib.parse import urljoin

import httpcore
import httpx

from shared.errors import AddressRefused, AnswerTooLarge, NotAnswered
from shared.exchange import Ask, Reply
from shared.guard import LOOK_UP_SECONDS, Guard

__all__ = ["MOST_REDIRECTS", "Answer", "Ask", "GuardedTransport", "OutboundHttp", "Reply"]

TIMEOUT_SECONDS = 10.0
"""For a connection to be made, for an answer to begin, and between its parts."""

MOST_REDIRECTS = 5

_REDIRECTS = (301, 302, 303, 307, 308)
_KEEP_METHOD = (307, 308)
_SEE_OTHER = 303
_LEAST_SECONDS = 0.001
_PIECE_BYTES = 4096
"""What the system takes at once, if any: more would have a time of its own for each part that it takes."""
_CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, its body still on the way; header names are lower-case. `parts` raises `NotAnswered`."""

    status: int
    headers: Mapping[str, str]
    parts: Iterator[bytes]


class GuardedTransport(httpx.BaseTransport):
    """What an httpx client goes through that is given addresses by others.

    The time to read is that of the whole exchange, not of each of its parts, unless a request's extensions
    have another for it, `in_all`. Answers are taken as they are, never packed. Raises, beside what httpx
    does, `AddressRefused` before anything is sent, and `AnswerTooLarge`.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        most_bytes: int | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._guard = guard
        self._most_bytes = most_bytes
        self._tls = tls or _authorities

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = _asked(request)
        is_secret = asked.url.scheme == b"https"
        network = _Network(self._guard, _time_left(request))
        tls = self._tls() if is_secret else None
        connection = httpcore.HTTPConnection(asked.url.origin, tls, network_backend=network)
        with _as_httpx():
            answer = connection.handle_request(asked)
        return _unpacked(answer, _Body(answer, connection, self._most_bytes))


def _time_left(request: httpx.Request) -> Callable[[], float | None]:
    seconds = request.extensions.get("in_all", request.extensions.get("timeout", {}).get("read"))
    if seconds is None:
        return lambda: None
    ends_at = time.monotonic() + seconds
    return lambda: ends_at - time.monotonic()


class OutboundHttp:
    """Asks what is at an address that somebody has named."""

    def __init__(self, guard: Guard | None = None, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._guard = guard or Guard()
        self._timeout_seconds = timeout_seconds

    @contextmanager
    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        is_ours: bool = False,
        seconds: float,
    ) -> Iterator[Answer]:
        """The answer of whoever is there, as it comes in, within so many seconds; no redirect is followed.

        `is_ours`: a setting names it, so it may be anywhere. Raises `AddressRefused` before anything is sent,
        and `NotAnswered`.
        """
        guard = _ANYWHERE if is_ours else self._guard
        ask = Ask("GET", url, headers or {})
        with _answer(GuardedTransport(guard), ask, self._timeout_seconds, in_all=seconds) as answer:
            yield answer

    def request(
        self,
        ask: Ask,
        *,
        timeout_seconds: float,
        most_bytes: int,
        most_redirects: int = MOST_REDIRECTS,
    ) -> Reply:
        """The whole answer, in time, of whoever it leads to in the end; each redirect is looked at anew.

        Where none may be followed, a redirect is the answer. Raises `AddressRefused`, `NotAnswered`, and
        `AnswerTooLarge`.
        """
        transport = GuardedTransport(self._guard, most_bytes=most_bytes)
        ends_at = time.monotonic() + timeout_seconds
        for _ in range(most_redirects + 1):
            left = ends_at - time.monotonic()
            with _answer(transport, ask, left, in_all=left) as answer:
                reply = Reply(answer.status, answer.headers, b"".join(answer.parts))
            location = reply.headers.get("location", "")
            if reply.status not in _REDIRECTS or not location or not most_redirects:
                return reply
            ask = _redirected(ask, reply.status, location)
        raise NotAnswered("it leads from one address to another without end")


_ANYWHERE = Guard(allows=lambda _: True)


@cache
def _authorities() -> ssl.SSLContext:
    """Made when first needed: reading the authorities' certificates takes a while."""
    return httpx.create_ssl_context(trust_env=False)


# --- redirects -------------------------------------------------------------------------------------


def _redirected(ask: Ask, status: int, location: str) -> Ask:
    """What follows from a redirect. Another origin hears nothing of what was meant for the first.

    Raises `AddressRefused`: a body is handed on to nobody else.
    """
    onward = ask if _keeps_method(ask.method, status) else _as_get(ask)
    url = _joined(ask.url, location)
    if _origin_of(url) == _origin_of(ask.url):
        return replace(onward, url=url)
    if onward.content:
        raise AddressRefused("it leads elsewhere with what was meant for it")
    return Ask(onward.method, url, {})


def _keeps_method(method: str, status: int) -> bool:
    """As browsers do (WHATWG Fetch): 303 becomes a GET, and so does a POST that 301 or 302 answers."""
    return status in _KEEP_METHOD or method in ("GET", "HEAD") or (status != _SEE_OTHER and method != "POST")


def _as_get(ask: Ask) -> Ask:
    headers = {name: value for name, value in ask.headers.items() if not name.lower().startswith("content-")}
    return Ask("GET", ask.url, headers)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise AddressRefused("it leads to what is no address") from None


def _origin_of(url: str) -> tuple[str, str, int | None]:
    asked = _parsed(url)
    port = asked.port or {"http": 80, "https": 443}.get(asked.scheme)
    return asked.scheme, asked.host, port


# --- one exchange ----------------------------------------------------------------------------------


@contextmanager
def _answer(transport: GuardedTransport, ask: Ask, seconds: float, *, in_all: float) -> Iterator[Answer]:
    """`seconds` are for each part."""
    timeout = httpx.Timeout(max(seconds, _LEAST_SECONDS)).as_dict()
    headers = [(name.encode(), value.encode()) for name, value in ask.headers.items()]
    with _told():
        request = httpx.Request(
            ask.method,
            _parsed(ask.url),
            headers=headers,
            content=ask.content,
            extensions={"timeout": timeout, "in_all": in_all},
        )
        with closing(transport.handle_request(request)) as answer:
            yield Answer(answer.status_code, dict(answer.headers), _parts(answer))


def _parts(answer: httpx.Response) -> Iterator[bytes]:
    with _told():
        yield from answer.iter_raw()


@contextmanager
def _told() -> Iterator[None]:
    """httpx' errors as ours, without the address that they name."""
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        raise AddressRefused("it is no request of the web") from None
    except httpx.HTTPError as error:
        raise NotAnswered(type(error).__name__) from None


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise AddressRefused("it is no address") from None


def _asked(request: httpx.Request) -> httpcore.Request:
    """Raises `AddressRefused`."""
    url = request.url
    if url.scheme not in ("http", "https") or not url.host:
        raise AddressRefused("it is no address of the web")
    if url.userinfo:
        raise AddressRefused("the address has a password in it")
    if url.port == 0:
        raise AddressRefused("there is no such port")
    request.headers["accept-encoding"] = "identity"
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _unpacked(answer: httpcore.Response, body: _Body) -> httpx.Response:
    response = httpx.Response(answer.status, headers=answer.headers, stream=body)
    if response.headers.get("content-encoding", "identity") != "identity":
        body.close()
        raise httpx.DecodingError("packed, though nobody asked for it")
    return response


class _Body(httpx.SyncByteStream):
    """The answer's body, and the end of its connection."""

    def __init__(
        self, answer: httpcore.Response, connection: httpcore.HTTPConnection, most_bytes: int | None
    ) -> None:
        self._answer = answer
        self._connection = connection
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        taken = 0
        with _as_httpx():
            for part in self._answer.iter_stream():
                taken += len(part)
                if self._most_bytes is not None and taken > self._most_bytes:
                    raise AnswerTooLarge(self._most_bytes)
                yield part

    def close(self) -> None:
        self._answer.close()
        self._connection.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """httpcore's errors as those of the same name in httpx."""
    try:
        yield
    except _CORE_ERRORS as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


# --- the connection --------------------------------------------------------------------------------


class _Network(httpcore.NetworkBackend):
    """Connects to the first address, of those that the guard lets through, where anybody is."""

    def __init__(self, guard: Guard, time_left: Callable[[], float | None]) -> None:
        self._guard = guard
        self._time_left = time_left
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        *others, last = self._guard.addresses(host, port, self._within(timeout) or LOOK_UP_SECONDS)
        connected = partial(
            self._real.connect_tcp, port=port, local_address=local_address, socket_options=socket_options
        )
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return _Timed(connected(address, timeout=self._within(timeout)), self._time_left)
        return _Timed(connected(last, timeout=self._within(timeout)), self._time_left)

    def _within(self, timeout: float | None) -> float | None:
        return _within(self._time_left, timeout, httpcore.ConnectTimeout)


class _Timed(httpcore.NetworkStream):
    """A connection that has its time in all."""

    def __init__(self, stream: httpcore.NetworkStream, time_left: Callable[[], float | None]) -> None:
        self._stream = stream
        self._time_left = time_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(self._time_left, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _PIECE_BYTES):
            within = _within(self._time_left, timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[at : at + _PIECE_BYTES], within)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = _within(self._time_left, timeout, httpcore.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, within), self._time_left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _within(
    time_left: Callable[[], float | None], timeout: float | None, out_of_time: type[httpcore.TimeoutException]
) -> float | None:
    """How long a part may take: its own time, if the whole has as much left."""
    left = time_left()
    if left is None:
        return timeout
    if left <= 0:
        raise out_of_time
    return left if timeout is None else min(left, timeout)
