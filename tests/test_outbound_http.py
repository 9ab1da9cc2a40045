"""The client for addresses that others name."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import AddressRefused, NotAnswered
from shared.outbound_http import OutboundHttp, is_public

PUBLIC = "93.184.215.14"


class Web:
    """A server on loopback that remembers who has connected."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.headers["host"], self.path))
                if self.path == "/cut":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                    return
                self.send_response(302 if self.path == "/away" else 200)
                self.send_header("location", "http://127.0.0.1/")
                self.send_header("content-length", "5")
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"


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
    serving.asked.clear()
    return serving


@pytest.fixture
def client_with() -> Iterator[Callable[..., OutboundHttp]]:
    made: list[OutboundHttp] = []

    def make(**how: object) -> OutboundHttp:
        made.append(OutboundHttp(timeout_seconds=2, **how))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLIC, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("2001:0:5ef5:79fb::1", False),
        ("2001:db8::1", False),
        ("fec0::1", False),
        ("::127.0.0.1", False),
        ("::a9fe:a9fe", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("4000::1", False),
        ("169.254.170.2", False),
        ("198.18.0.1", False),
        ("192.0.0.170", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_what_everybody_can_reach_is_public(address: str, *, expected: bool) -> None:
    assert is_public(address) is expected


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.127.127.127",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "0x7F.0x0.0x0.0x1",
        "127.0.0.01",
        "0",
        "0.0.0.0",
        "0x0",
        "1",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "%31%32%37.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ⓛocalhost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::1%25lo]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.254.170.2",
        "10.0.0.1",
        "192.168.0.1",
        "255.255.255.255",
        "a.example@127.0.0.1",
        "127.0.0.1\\@a.example",
    ],
)
def test_no_way_of_writing_a_private_address_leads_there(
    client_with: Callable[..., OutboundHttp], web: Web, host: str
) -> None:
    """Some are no address or no name to this system, which is as good."""
    with (
        pytest.raises((AddressRefused, NotAnswered)) as told,
        client_with().get(f"http://{host}:{web.port}/"),
    ):
        pass
    assert str(told.value) != "ConnectError", "nobody was asked"
    assert web.asked == []


@pytest.mark.parametrize(
    "url",
    [
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
    ],
)
def test_what_is_no_address_of_the_web_is_refused(client_with: Callable[..., OutboundHttp], url: str) -> None:
    client = client_with(resolve=lambda *_: [PUBLIC])
    with pytest.raises(AddressRefused) as refused, client.get(url):
        pass
    assert not url or url not in str(refused.value)


def test_a_name_with_one_private_address_among_its_own_is_refused(
    client_with: Callable[..., OutboundHttp],
) -> None:
    client = client_with(resolve=lambda *_: [PUBLIC, "10.0.0.1"])
    with pytest.raises(AddressRefused), client.get("http://a.example/"):
        pass


def test_the_connection_is_made_to_the_address_that_was_looked_at(
    client_with: Callable[..., OutboundHttp], web: Web
) -> None:
    """A second look-up could lead elsewhere; there is none, and the name goes along."""
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    client = client_with(resolve=resolve, allows=lambda _: True)
    with client.get(f"http://files.example:{web.port}/a?b=c") as answer:
        assert (answer.status, b"".join(answer.parts)) == (200, b"hello")
    assert looked_up == ["files.example"]
    assert web.asked == [(f"files.example:{web.port}", "/a?b=c")]


def test_where_nobody_is_at_the_first_address_the_next_is_tried(
    client_with: Callable[..., OutboundHttp], web: Web
) -> None:
    client = client_with(resolve=lambda *_: ["127.0.0.2", "127.0.0.1"], allows=lambda _: True)
    with client.get(f"http://files.example:{web.port}/") as answer:
        assert answer.status == 200


def test_an_address_of_a_setting_may_be_anywhere(client_with: Callable[..., OutboundHttp], web: Web) -> None:
    with client_with().get(web.url, {"x-token": "t"}, is_ours=True) as answer:
        assert b"".join(answer.parts) == b"hello"


def test_a_redirect_is_an_answer(client_with: Callable[..., OutboundHttp], web: Web) -> None:
    with client_with().get(f"{web.url}/away", is_ours=True) as answer:
        assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1/")
    assert len(web.asked) == 1


def test_half_an_answer_is_none(client_with: Callable[..., OutboundHttp], web: Web) -> None:
    with (
        pytest.raises(NotAnswered, match="RemoteProtocolError"),
        client_with().get(f"{web.url}/cut", is_ours=True) as answer,
    ):
        list(answer.parts)


def test_nobody_there_is_told_without_the_address(client_with: Callable[..., OutboundHttp]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/secret"
        with pytest.raises(NotAnswered) as told, client_with().get(url, is_ours=True):
            pass
    assert str(told.value) == "ConnectError"


def test_a_name_that_nobody_knows_is_no_answer(client_with: Callable[..., OutboundHttp]) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(NotAnswered), client_with(resolve=resolve).get("http://a.example/"):
        pass


@given(st.text() | st.builds("http://{}/{}".format, st.text(), st.text()))
@settings(max_examples=100)
def test_whatever_stands_for_an_address_is_refused_or_not_answered(url: str) -> None:
    client = OutboundHttp(resolve=lambda *_: ["127.0.0.1"])
    with pytest.raises((AddressRefused, NotAnswered)), client.get(url):
        pass
