"""The address of `make run` passes requests on as they are, and answers at its edges as the gateway would."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.local.ports import free_port, reserve
from infra.local.proxy import BODY_LIMIT_BYTES, Gateway
from infra.local.serving import Server
from tests.standins.server import Answer, Incoming, StandIn, answer_json

RAW_PATH = "/api/bots/%D0%BF%2Fa/dialogs?x=1&x=2&y=a+b%20c"


class Upstream(StandIn):
    """The emulated API: answers what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.next = answer_json({})

    def answer(self, request: Incoming) -> Answer:
        return Answer(206, b"picture") if request.path == "/bucket/hall.png" else self.next

    def is_send(self, request: Incoming) -> bool:
        return False


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def client(upstream: Upstream) -> Iterator[httpx.Client]:
    yield from _proxied(int(upstream.url.rpartition(":")[2]))


def test_path_body_and_headers_arrive_as_they_were_sent(client: httpx.Client, upstream: Upstream) -> None:
    body = bytes(range(256))
    client.post(RAW_PATH, content=body, headers={"X-Hub-Signature-256": "sha256=00"})
    (request,) = upstream.requests
    assert request.path == "/api/bots/%D0%BF%2Fa/dialogs"
    assert request.raw == body
    assert request.headers["x-hub-signature-256"] == "sha256=00"
    assert request.headers["host"].startswith("0123abcd.execute-api.localhost:")


def test_the_answer_comes_back_as_it_was_given(client: httpx.Client, upstream: Upstream) -> None:
    upstream.next = answer_json({"title": "Conflict"}, 409, etag='"7"')
    answer = client.put("/api/bots/1", json={})
    assert (answer.status_code, answer.json()) == (409, {"title": "Conflict"})
    assert answer.headers["etag"] == '"7"'


def test_a_public_file_is_served_at_its_own_address(client: httpx.Client, upstream: Upstream) -> None:
    upstream.next = Answer(302, headers={"location": f"{upstream.url}/bucket/hall.png"})
    answer = client.get("/media/1/key/hall.png", headers={"Range": "bytes=0-6", "Authorization": "Bearer x"})
    assert (answer.status_code, answer.content) == (206, b"picture")
    fetched = upstream.requests[-1]
    assert (fetched.path, fetched.headers["range"]) == ("/bucket/hall.png", "bytes=0-6")
    assert "authorization" not in fetched.headers
    assert client.get("/api/bots/1").status_code == 302


def test_a_body_over_the_gateway_s_limit_is_413(client: httpx.Client, upstream: Upstream) -> None:
    giant = client.post("/api/webhook/telegram/1", content=b"0" * (BODY_LIMIT_BYTES + 1))
    assert (giant.status_code, giant.json()) == (413, {"message": "Request Entity Too Large"})
    assert client.post("/api/webhook/telegram/1", content=b"0" * BODY_LIMIT_BYTES).status_code == 200
    assert len(upstream.requests) == 1


def test_a_giant_body_of_untold_length_is_413(client: httpx.Client, upstream: Upstream) -> None:
    pieces = (b"0" * 65536 for _ in range(BODY_LIMIT_BYTES // 65536 + 1))
    assert client.post("/api/webhook/telegram/1", content=pieces).status_code == 413
    assert upstream.requests == []


def test_a_lambda_s_error_is_not_told(client: httpx.Client, upstream: Upstream) -> None:
    upstream.next = answer_json({"errorMessage": "secret", "errorType": "KeyError"}, 502)
    answer = client.get("/api/bots/1")
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_an_emulator_that_is_away_is_503() -> None:
    for client in _proxied(free_port()):
        assert client.get("/api/bots/1").status_code == 503


def test_a_preflight_is_answered_by_its_lambda(client: httpx.Client, upstream: Upstream) -> None:
    answer = client.options("/api/webhook/webchat/1", headers={"Origin": "https://shop.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (
        204,
        "https://shop.example",
    )
    assert client.options("/api/bots/1").status_code == 404
    assert upstream.requests == []


def _preflight(path: str, headers: dict[str, str]) -> dict[str, Any] | None:
    if not path.startswith("/api/webhook/webchat/"):
        return None
    return {"statusCode": 204, "headers": {"access-control-allow-origin": headers["origin"]}}


def _proxied(upstream_port: int) -> Iterator[httpx.Client]:
    port = free_port()
    proxy = Server("proxy", reserve(port))
    proxy.start(Gateway("0123abcd", upstream_port, _preflight).app)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            yield client
    finally:
        proxy.stop()
