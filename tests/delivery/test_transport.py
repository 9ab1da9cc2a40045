"""The HTTP client: what it tells apart, and what it never says. Its messenger is a server on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from shared.delivery.transport import (
    KEPT_SECONDS,
    MAX_RESPONSE_BYTES,
    AnswerLost,
    HttpTransport,
    NotReached,
)
from shared.platforms.base import Request

TIMEOUT_SECONDS = 0.4
SECRET = "bot1:secret"


class Messenger(ThreadingHTTPServer):
    """Answers as the path says; remembers the requests, and from which port each came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.ports: list[int] = []

    def request(self, path: str, **headers: str) -> Request:
        url = f"http://127.0.0.1:{self.server_address[1]}/{SECRET}/{path}"
        return Request(url, {"text": "привет"}, headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Messenger

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.server.ports.append(self.client_address[1])
        getattr(self, self.path.rpartition("/")[2])()

    def taken(self) -> None:
        self._answer(200, b'{"ok":true}')

    def limited(self) -> None:
        self._answer(429, b"{}", **{"Retry-After": "3"})

    def redirect(self) -> None:
        self._answer(302, b"", Location="/elsewhere")

    def giant(self) -> None:
        self._answer(200, b"x" * (MAX_RESPONSE_BYTES + 1))

    def last(self) -> None:
        """Closes the connection without having said so."""
        self.taken()
        self.close_connection = True

    def drop(self) -> None:
        self.close_connection = True

    def half(self) -> None:
        self._answer(200, b"half", **{"Content-Length": "8"})
        self.close_connection = True

    def slow(self) -> None:
        time.sleep(2 * TIMEOUT_SECONDS)
        self.close_connection = True

    def drip(self) -> None:
        """Comes to its end, far too late: none of its parts is late."""
        self._answer(200, b"", **{"Content-Length": "20"})
        with suppress(OSError):
            for _ in range(20):
                time.sleep(TIMEOUT_SECONDS / 4)
                self.wfile.write(b"x")

    def garbage(self) -> None:
        self.wfile.write(b"this is no HTTP\r\n\r\n")
        self.close_connection = True

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def messenger() -> Iterator[Messenger]:
    with Messenger() as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    with closing(HttpTransport(TIMEOUT_SECONDS)) as made:
        yield made


def test_a_request_goes_out_as_compact_json_with_its_headers(
    messenger: Messenger, transport: HttpTransport
) -> None:
    response = transport.send(messenger.request("limited", **{"X-Token": "t"}))
    assert (response.status, response.body, response.headers["retry-after"]) == (429, b"{}", "3")
    ((headers, body),) = messenger.seen
    assert body == '{"text":"привет"}'.encode()
    assert (headers["content-type"], headers["x-token"]) == ("application/json", "t")
    assert json.loads(body) == {"text": "привет"}


@pytest.mark.parametrize("path", ["drop", "half", "slow", "drip", "garbage"])
def test_when_the_answer_is_lost_the_messenger_may_have_acted(
    path: str, messenger: Messenger, transport: HttpTransport
) -> None:
    with pytest.raises(AnswerLost) as caught:
        transport.send(messenger.request(path))
    assert len(messenger.seen) == 1, "it is for the sender to try again"
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:1/bot1:secret/sendMessage", {}),
        ("http:///bot1:secret/sendMessage", {}),
        ("http://[bot1:secret/sendMessage", {}),
        ("gopher://127.0.0.1/bot1:secret/sendMessage", {}),
        ("http://127.0.0.1:{port}/taken", {"X-Token": "bot1:secret\nX-Other: 1"}),
        ("http://127.0.0.1:{port}/taken", {"X-Token": "bot1:секрет"}),
    ],
    ids=["nobody listens", "no host", "no address", "no HTTP", "a line break", "not Latin"],
)
def test_what_cannot_be_sent_was_not_seen(
    url: str, headers: dict[str, str], messenger: Messenger, transport: HttpTransport
) -> None:
    address = url.format(port=messenger.server_address[1])
    with pytest.raises(NotReached) as caught:
        transport.send(Request(address, {"text": "hi"}, headers))
    assert messenger.seen == []
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_giant_answer_is_cut_and_does_not_stand_in_the_way(
    messenger: Messenger, transport: HttpTransport
) -> None:
    assert len(transport.send(messenger.request("giant")).body) == MAX_RESPONSE_BYTES
    assert transport.send(messenger.request("taken")).body == b'{"ok":true}'


def test_a_redirect_is_not_followed(messenger: Messenger, transport: HttpTransport) -> None:
    assert transport.send(messenger.request("redirect")).status == 302
    assert len(messenger.seen) == 1


def test_a_connection_is_used_again(messenger: Messenger, transport: HttpTransport) -> None:
    for _ in range(3):
        transport.send(messenger.request("taken"))
    assert len(set(messenger.ports)) == 1


def test_a_connection_that_the_messenger_has_closed_takes_no_message_with_it(
    messenger: Messenger, transport: HttpTransport
) -> None:
    transport.send(messenger.request("last"))
    time.sleep(0.05)
    assert transport.send(messenger.request("taken")).status == 200


def test_a_connection_that_was_idle_for_long_is_not_used_again(messenger: Messenger) -> None:
    now = 0.0
    with closing(HttpTransport(TIMEOUT_SECONDS, clock=lambda: now)) as transport:
        transport.send(messenger.request("taken"))
        now += KEPT_SECONDS
        transport.send(messenger.request("taken"))
        now += KEPT_SECONDS + 1
        transport.send(messenger.request("taken"))
    assert messenger.ports[0] == messenger.ports[1] != messenger.ports[2]


@pytest.mark.parametrize("path", ["taken", "limited", "drop", "half", "garbage"])
def test_a_hint_is_made_once_and_forgotten_whatever_comes_of_it(
    messenger: Messenger, transport: HttpTransport, path: str
) -> None:
    transport.hint(messenger.request(path))
    assert len(messenger.seen) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/taken", "no address"])
def test_a_hint_that_reaches_nobody_is_forgotten(transport: HttpTransport, url: str) -> None:
    transport.hint(Request(url, {}))
