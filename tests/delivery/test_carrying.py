"""Requests that bring files along: the form they are, and how little of a file is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import IO, Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError

from shared.delivery.transport import HttpTransport, NotReached
from shared.errors import NotFound
from shared.platforms.base import Attachment, Request
from tests.standins.server import Incoming, Part

LARGE = 50_000_000
MOST_AT_ONCE = 64 * 1024


class Messenger(ThreadingHTTPServer):
    """Takes what comes; keeps no more of a body than a test looks at."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kept: list[Incoming] = []
        self.taken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """A request that breaks off is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Messenger

    def do_POST(self) -> None:
        left, head = int(self.headers["content-length"]), b""
        while left:
            part = self.rfile.read(min(left, MOST_AT_ONCE))
            if not part:
                raise ConnectionError
            left, head = left - len(part), (head + part)[:10_000]
            self.server.taken += len(part)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.kept.append(Incoming("POST", self.path, {}, headers, head))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@dataclass
class Stream:
    """So many zeros; counts how they are asked for, and may break off."""

    size: int
    breaks: Exception | None = None
    reads: list[int] = field(default_factory=list)
    is_closed: bool = False

    def read(self, size: int = -1) -> bytes:
        if self.breaks and self.reads:
            raise self.breaks
        size = min(size if size >= 0 else self.size, self.size)
        self.size -= size
        self.reads.append(size)
        return bytes(size)

    def close(self) -> None:
        self.is_closed = True


@dataclass
class Store:
    stream: Stream
    told: int

    def open(self, path: str) -> IO[bytes]:
        return cast("IO[bytes]", self.stream)

    def size(self, path: str) -> int | None:
        return self.told if path == "media/1" else None


@pytest.fixture
def messenger() -> Iterator[Messenger]:
    with Messenger() as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def carried(messenger: Messenger, stream: Stream, *, told: int = 0, **attachment: str) -> Store:
    """Send a request with this file; `told` is how long the store says that it is."""
    store = Store(stream, told or stream.size)
    given: dict[str, Any] = {
        "part": "file0",
        "storage_path": "media/1",
        "content_type": "image/png",
        "file_name": "cat.png",
    }
    request = Request(
        messenger.url,
        {"chat_id": 7, "media": [{"type": "photo", "media": "attach://file0"}], "caption": "Привет"},
        {"x-token": "t"},
        attachments=(Attachment(media_id="m", **given | attachment),),
    )
    with closing(HttpTransport(5.0, store=store)) as transport:
        assert transport.send(request).status == 200
    return store


def test_fields_and_files_are_a_form_whose_length_is_told(messenger: Messenger) -> None:
    store = carried(messenger, Stream(3))
    (request,) = messenger.kept
    assert (request.media_type, request.headers["x-token"]) == ("multipart/form-data", "t")
    assert "transfer-encoding" not in request.headers
    assert request.parts == [
        Part("chat_id", b"7", "text/plain", None),
        Part("media", b'[{"type":"photo","media":"attach://file0"}]', "text/plain", None),
        Part("caption", "Привет".encode(), "text/plain", None),
        Part("file0", bytes(3), "image/png", "cat.png"),
    ]
    assert store.stream.is_closed


@pytest.mark.parametrize("name", ['a".png', 'x"; name="chat_id', "a\r\nX-Other: 1\r\n\r\nb.png", "кот.png"])
def test_a_file_s_name_is_no_more_than_that(messenger: Messenger, name: str) -> None:
    carried(messenger, Stream(3), file_name=name)
    (request,) = messenger.kept
    assert [part.field for part in request.parts] == ["chat_id", "media", "caption", "file0"]


def test_of_a_large_file_little_is_in_memory_at_a_time(messenger: Messenger) -> None:
    store = carried(messenger, Stream(LARGE))
    assert messenger.taken > LARGE
    assert max(store.stream.reads) <= MOST_AT_ONCE


@pytest.mark.parametrize(
    "breaks", [ConnectionResetError(), ReadTimeoutError(endpoint_url="https://s3")], ids=["reset", "slow"]
)
def test_a_file_that_breaks_off_is_no_request(messenger: Messenger, breaks: Exception) -> None:
    stream = Stream(1_000_000, breaks)
    with pytest.raises(NotReached, match="broke off"):
        carried(messenger, stream)
    assert messenger.kept == []
    assert stream.is_closed


def test_a_file_shorter_than_the_store_says_is_no_request(messenger: Messenger) -> None:
    with pytest.raises(NotReached):
        carried(messenger, Stream(1000), told=2000)
    assert messenger.kept == []


def test_a_file_that_is_not_there_is_said_so(messenger: Messenger) -> None:
    with pytest.raises(NotFound):
        carried(messenger, Stream(3), storage_path="media/2")
    assert messenger.kept == []


def test_without_a_store_nothing_can_be_brought_along(messenger: Messenger) -> None:
    request = Request(messenger.url, {}, attachments=(Attachment("f", "m", "p", "image/png", "n"),))
    with closing(HttpTransport(1.0)) as transport, pytest.raises(NotFound):
        transport.send(request)
