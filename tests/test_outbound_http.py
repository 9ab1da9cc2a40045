"""The client for addresses that others name."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import AddressRefused, AnswerTooLarge, NotAnswered
from shared.guard import Guard
from shared.outbound_http import MOST_REDIRECTS, Ask, GuardedTransport, OutboundHttp, Reply
from tests.certificates import Authority
from tests.private_addresses import HOSTS

PUBLIC = "93.184.215.14"
ANYWHERE = Guard(allows=lambda _: True)


class Web:
    """A server on loopback that remembers who has connected and what was asked.

    `/to?status=…&url=…` leads on, `/loop` to itself; the others are as they are called.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        web = self
        answers = {
            "/to": self.to,
            "/loop": self.loop,
            "/cut": self.cut,
            "/drip": self.drip,
            "/large": self.large,
            "/packed": self.packed,
        }

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                web.connections += 1
                super().setup()

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                web.asked.append((self.headers["host"], self.path))
                web.heard.append((self.command, {k.lower(): v for k, v in self.headers.items()}, body))
                self.wfile.write(b"HTTP/1.1 ")
                path = urlsplit(self.path)
                answers.get(path.path, web.hello)(self, parse_qs(path.query))

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def hello(self, of: BaseHTTPRequestHandler, _query: dict[str, list[str]]) -> None:
        of.wfile.write(b"200 OK\r\nset-cookie: a=b\r\nX-Kind: greeting\r\ncontent-length: 5\r\n\r\n")
        of.wfile.write(b"" if of.command == "HEAD" else b"hello")

    def to(self, of: BaseHTTPRequestHandler, query: dict[str, list[str]]) -> None:
        [status], [url] = query["status"], query["url"]
        of.wfile.write(f"{status} On\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n".encode())

    def loop(self, of: BaseHTTPRequestHandler, _query: dict[str, list[str]]) -> None:
        of.wfile.write(b"302 On\r\nlocation: /loop\r\ncontent-length: 0\r\n\r\n")

    def cut(self, of: BaseHTTPRequestHandler, _query: dict[str, list[str]]) -> None:
        of.wfile.write(b"200 OK\r\ncontent-length: 100\r\n\r\nhalf")

    def drip(self, of: BaseHTTPRequestHandler, _query: dict[str, list[str]]) -> None:
        """Headers without end, one now and then."""
        of.wfile.write(b"200 OK\r\n")
        for _ in range(100):
            time.sleep(0.02)
            try:
                of.wfile.write(b"x-more: 1\r\n")
            except OSError:
                return

    def large(self, of: BaseHTTPRequestHandler, _query: dict[str, list[str]]) -> None:
        of.wfile.write(b"200 OK\r\ncontent-length: 2000\r\n\r\n" + b"a" * 2000)

    def packed(self, of: BaseHTTPRequestHandler, _query: dict[str, list[str]]) -> None:
        body = gzip.compress(b"a" * 100_000)
        of.wfile.write(b"200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body))
        of.wfile.write(body)

    def reset(self) -> None:
        self.asked.clear()
        self.heard.clear()
        self.connections = 0


@pytest.fixture(scope="module")
def serving() -> Iterator[Web]:
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, args=(0.02,))
    thread.start()
    yield web
    web.server.shutdown()
    web.server.server_close()
    thread.join()


@pytest.fixture
def web(serving: Web) -> Web:
    serving.reset()
    return serving


class Way(Protocol):
    def __call__(self, guard: Guard, url: str, seconds: float = 2) -> object: ...


def by_get(guard: Guard, url: str, seconds: float = 2) -> None:
    with OutboundHttp(guard, timeout_seconds=2).get(url, seconds=seconds):
        pass


def by_request(guard: Guard, url: str, seconds: float = 2) -> Reply:
    return asked(guard, Ask("POST", url, {"x-token": "t"}, b"{}"), timeout_seconds=seconds)


def by_transport(guard: Guard, url: str, seconds: float = 2) -> httpx.Response:
    """As a client of somebody else's has it, and one that follows redirects."""
    transport = GuardedTransport(guard)
    with httpx.Client(transport=transport, timeout=seconds, follow_redirects=True) as client:
        return client.post(url, json={})


WAYS = [by_get, by_request, by_transport]


def asked(guard: Guard, ask: Ask, *, timeout_seconds: float = 2, most_bytes: int = 1000) -> Reply:
    return OutboundHttp(guard).request(ask, timeout_seconds=timeout_seconds, most_bytes=most_bytes)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("host", HOSTS)
def test_no_way_of_writing_a_private_address_leads_there(web: Web, host: str, way: Way) -> None:
    """Some are no address or no name to this system, which is as good."""
    with pytest.raises((AddressRefused, NotAnswered, httpx.InvalidURL)) as told:
        way(Guard(), f"http://{host}:{web.port}/")
    assert str(told.value) != "ConnectError", "nobody was asked"
    assert web.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", HOSTS)
def test_no_redirect_leads_to_a_private_address(web: Web, host: str, status: int) -> None:
    """The first is let through by its name alone; where it leads is looked at as the first was."""
    guard = Guard(f"start.example:{web.port}", resolve=_leading(start="127.0.0.1"))
    there = f"http://{host.replace('%', '%25')}:{web.port}/x"
    with pytest.raises((AddressRefused, NotAnswered)) as told:
        asked(guard, Ask("GET", f"http://start.example:{web.port}/to?status={status}&url={there}", {}))
    assert str(told.value) != "ConnectError"
    assert web.connections == 1


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_no_redirect_that_another_client_follows_leads_to_one(web: Web, host: str, status: int) -> None:
    guard = Guard(f"start.example:{web.port}", resolve=_leading(start="127.0.0.1"))
    there = f"http://{host}:{web.port}/x"
    with pytest.raises(AddressRefused):
        by_transport(guard, f"http://start.example:{web.port}/to?status={status}&url={there}")
    assert web.connections == 1


NO_ADDRESSES = [
    "",
    "ftp://a.example/",
    "file:///etc/passwd",
    "http://",
    "http://u:p@a.example/",
    "http://u@a.example/",
    "http://a.example@b.example/",
    "gopher://a.example/",
    "data:text/plain,a",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "http:a.example",
    "http:///a.example",
    "http://a.example\r\nhost: b/",
    "http://[::1/",
    "http://a:-1/",
    "http://a:0/",
    "//a",
    "http://a:99999/",
]


@pytest.mark.parametrize("way", [by_get, by_request])
@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_of_the_web_is_refused(url: str, way: Way) -> None:
    with pytest.raises(AddressRefused) as refused:
        way(Guard(resolve=lambda *_: [PUBLIC]), url)
    assert not url or url not in str(refused.value)


@pytest.mark.parametrize("way", WAYS)
def test_the_connection_is_made_to_the_address_that_was_looked_at(web: Web, way: Way) -> None:
    """A second look-up could lead elsewhere; there is none, and the name goes along."""
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    way(Guard(resolve=resolve, allows=lambda _: True), f"http://files.example:{web.port}/a?b=c")
    assert looked_up == ["files.example"]
    assert web.asked == [(f"files.example:{web.port}", "/a?b=c")]


@pytest.mark.parametrize("way", WAYS)
def test_where_nobody_is_at_the_first_address_the_next_is_tried(web: Web, way: Way) -> None:
    guard = Guard(resolve=lambda *_: ["127.0.0.2", "127.0.0.1"], allows=lambda _: True)
    way(guard, f"http://files.example:{web.port}/")
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("files.example", nullcontext()),
        ("other.example", pytest.raises(httpx.ConnectError, match="certificate")),
    ],
)
def test_the_certificate_is_held_to_the_name(
    tmp_path: Path, name: str, expected: AbstractContextManager[object]
) -> None:
    authority = Authority()
    pair = authority.issue("files.example")
    both = tmp_path / "pair.pem"
    both.write_text(pair.certificate + pair.key)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(both)
    secret = Web()
    secret.server.socket = theirs.wrap_socket(secret.server.socket, server_side=True)
    thread = threading.Thread(target=secret.server.serve_forever, args=(0.02,))
    thread.start()
    ours = ssl.create_default_context(cadata=authority.certificate)
    guard = Guard(resolve=lambda *_: ["127.0.0.1"], allows=lambda _: True)
    try:
        with httpx.Client(transport=GuardedTransport(guard, tls=lambda: ours)) as client, expected:
            assert client.get(f"https://{name}:{secret.port}/").text == "hello"
    finally:
        secret.server.shutdown()
        secret.server.server_close()
        thread.join()


def test_an_address_of_a_setting_may_be_anywhere(web: Web) -> None:
    with OutboundHttp().get(web.url, {"x-token": "t"}, is_ours=True, seconds=2) as answer:
        assert (answer.status, b"".join(answer.parts)) == (200, b"hello")


def test_a_redirect_is_an_answer_to_whoever_takes_a_body_in_parts(web: Web) -> None:
    with OutboundHttp(ANYWHERE).get(f"{web.url}/to?status=302&url=/x", seconds=2) as answer:
        assert (answer.status, answer.headers["location"]) == (302, "/x")
    assert len(web.asked) == 1


def test_half_an_answer_is_none(web: Web) -> None:
    with (
        pytest.raises(NotAnswered, match="RemoteProtocolError"),
        OutboundHttp(ANYWHERE).get(f"{web.url}/cut", seconds=2) as answer,
    ):
        list(answer.parts)
    with pytest.raises(NotAnswered, match="RemoteProtocolError"):
        asked(ANYWHERE, Ask("GET", f"{web.url}/cut", {}))


@pytest.mark.parametrize("way", [by_get, by_request])
def test_nobody_there_is_told_without_the_address(way: Way) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NotAnswered) as told:
            way(ANYWHERE, f"http://127.0.0.1:{taken.getsockname()[1]}/secret")
    assert str(told.value) == "ConnectError"


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_nobody_knows_is_no_answer(way: Way) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(NotAnswered):
        way(Guard(resolve=resolve), "http://a.example/")


@pytest.mark.parametrize("way", WAYS)
def test_a_look_up_has_the_time_of_the_connection(way: Way) -> None:
    """The system's own may take a minute, whatever anybody's time is."""
    over = threading.Event()
    guard = Guard(resolve=lambda *_: ["127.0.0.1"] if over.wait(10) else [])
    begun = time.monotonic()
    with pytest.raises(NotAnswered, match="not looked up in time"):
        way(guard, "http://slow.example/", 0.1)
    over.set()
    assert time.monotonic() - begun < 2


def test_a_request_goes_as_it_was_made_and_its_answer_comes_whole(web: Web) -> None:
    headers = {"x-token": "t", "content-type": "application/json", "x-name": "Ян"}
    reply = asked(ANYWHERE, Ask("PATCH", f"{web.url}/a", headers, b'{"a":1}'))
    assert (reply.status, reply.body, reply.headers["x-kind"]) == (200, b"hello", "greeting")
    [(method, heard, body)] = web.heard
    assert (method, body) == ("PATCH", b'{"a":1}')
    assert (heard["x-token"], heard["accept-encoding"], heard["content-length"]) == ("t", "identity", "7")
    assert heard["x-name"].encode("latin-1").decode() == "Ян"


def test_no_cookie_is_kept_from_one_request_to_the_next(web: Web) -> None:
    http = OutboundHttp(ANYWHERE)
    for _ in range(2):
        http.request(Ask("GET", web.url, {}), timeout_seconds=2, most_bytes=1000)
    assert ["cookie" in headers for _, headers, _ in web.heard] == [False, False]


def test_an_answer_that_drips_is_cut_off_when_the_time_is_up(web: Web) -> None:
    began = time.monotonic()
    with pytest.raises(NotAnswered, match="ReadTimeout"):
        asked(ANYWHERE, Ask("GET", f"{web.url}/drip", {}), timeout_seconds=0.2)
    assert time.monotonic() - began < 1


def test_so_is_one_that_is_taken_in_parts(web: Web) -> None:
    began = time.monotonic()
    with (
        pytest.raises(NotAnswered, match="ReadTimeout"),
        OutboundHttp(ANYWHERE).get(f"{web.url}/drip", seconds=0.2),
    ):
        pass
    assert time.monotonic() - began < 1


@contextmanager
def a_slow_reader() -> Iterator[str]:
    """Whoever takes what is sent a little at a time."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def read() -> None:
            with listening.accept()[0] as connection, suppress(OSError):
                while connection.recv(65_536) and not over.is_set():
                    time.sleep(0.01)

        over = threading.Event()
        thread = threading.Thread(target=read)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        over.set()
        thread.join()


def test_whoever_takes_a_request_bit_by_bit_gets_no_more_time() -> None:
    began = time.monotonic()
    with a_slow_reader() as url:
        with pytest.raises(NotAnswered, match="WriteTimeout"):
            asked(ANYWHERE, Ask("POST", url, {}, b"a" * 20_000_000), timeout_seconds=0.5)
        assert time.monotonic() - began < 2


def test_an_answer_larger_than_is_taken_is_refused(web: Web) -> None:
    with pytest.raises(AnswerTooLarge, match="larger than 1 KB"):
        asked(ANYWHERE, Ask("GET", f"{web.url}/large", {}), most_bytes=1000)
    assert asked(ANYWHERE, Ask("GET", f"{web.url}/large", {}), most_bytes=2000).body == b"a" * 2000


def test_what_is_packed_is_not_unpacked(web: Web) -> None:
    """A small parcel may hold a very large thing."""
    with pytest.raises(NotAnswered, match="DecodingError"):
        asked(ANYWHERE, Ask("GET", f"{web.url}/packed", {}))


REDIRECTED = [
    ("GET", 301, "GET"),
    ("GET", 307, "GET"),
    ("HEAD", 303, "HEAD"),
    ("POST", 301, "GET"),
    ("POST", 302, "GET"),
    ("POST", 303, "GET"),
    ("PUT", 302, "PUT"),
    ("PUT", 303, "GET"),
    ("POST", 307, "POST"),
    ("POST", 308, "POST"),
    ("DELETE", 308, "DELETE"),
]


@pytest.mark.parametrize(("method", "status", "then"), REDIRECTED)
def test_a_redirect_keeps_its_method_where_browsers_do(web: Web, method: str, status: int, then: str) -> None:
    content = b"" if method in ("GET", "HEAD", "DELETE") else b"{}"
    headers = {"x-token": "t", "Content-Type": "application/json"} if content else {"x-token": "t"}
    asked(ANYWHERE, Ask(method, f"{web.url}/to?status={status}&url=/x", headers, content))
    onward, heard, body = web.heard[1]
    assert (onward, heard["x-token"], web.asked[1][1]) == (then, "t", "/x")
    assert body == (content if then == method else b"")
    assert ("content-type" in heard) is bool(body)


def test_another_origin_hears_nothing_of_what_was_meant_for_the_first(web: Web) -> None:
    url = f"{web.url}/to?status=302&url=http://localhost:{web.port}/x"
    asked(ANYWHERE, Ask("POST", url, {"authorization": "Bearer s", "x-api-key": "s"}, b"{}"))
    [_, (method, heard, body)] = web.heard
    assert (method, body) == ("GET", b"")
    assert set(heard) <= {"host", "accept-encoding"}


@pytest.mark.parametrize("status", [307, 308])
def test_a_body_is_handed_on_to_no_other_origin(web: Web, status: int) -> None:
    url = f"{web.url}/to?status={status}&url=http://localhost:{web.port}/x"
    with pytest.raises(AddressRefused):
        asked(ANYWHERE, Ask("POST", url, {}, b"{}"))
    assert len(web.heard) == 1


def test_redirects_come_to_an_end(web: Web) -> None:
    with pytest.raises(NotAnswered, match="without end"):
        asked(ANYWHERE, Ask("GET", f"{web.url}/loop", {}))
    assert len(web.heard) == 1 + MOST_REDIRECTS


def test_where_no_redirect_may_be_followed_it_is_the_answer(web: Web) -> None:
    ask = Ask("POST", f"{web.url}/to?status=302&url=/x", {}, b"{}")
    reply = OutboundHttp(ANYWHERE).request(ask, timeout_seconds=2, most_bytes=1000, most_redirects=0)
    assert (reply.status, len(web.heard)) == (302, 1)


def test_a_request_does_not_print_what_it_says() -> None:
    assert "hush" not in repr(Ask("GET", "http://hush.example/", {"x": "hush"}, b"hush"))


@given(st.text() | st.builds("http://{}/{}".format, st.text(), st.text()))
@settings(max_examples=100)
def test_whatever_stands_for_an_address_is_refused_or_not_answered(url: str) -> None:
    guard = Guard(resolve=lambda *_: ["127.0.0.1"])
    with pytest.raises((AddressRefused, NotAnswered)):
        by_get(guard, url)
    with pytest.raises((AddressRefused, NotAnswered)):
        by_request(guard, url)


def _leading(**addresses: str) -> Callable[[str, int], list[str]]:
    """These names lead there, others as they do anywhere."""

    def resolve(host: str, port: int) -> list[str]:
        known = addresses.get(host.partition(".")[0])
        return [known] if known else list(Guard(allows=lambda _: True).addresses(host, port))

    return resolve
