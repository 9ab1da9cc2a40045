"""The HTTP client: what it tells apart, and what it never says."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from shared.delivery.transport import MAX_RESPONSE_BYTES, AnswerLost, HttpTransport, NotReached
from shared.platforms.base import Request

REQUEST = Request("https://api.example/bot1:secret/sendMessage", {"text": "hi"}, {"X-Token": "secret"})


def transport(answer: Callable[[httpx.Request], httpx.Response]) -> HttpTransport:
    return HttpTransport(httpx.Client(transport=httpx.MockTransport(answer)))


def test_a_request_goes_out_as_json_with_its_headers() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(429, content=b"{}", headers={"Retry-After": "3"})

    response = transport(answer).send(REQUEST)
    assert (response.status, response.body, response.headers["retry-after"]) == (429, b"{}", "3")
    (request,) = seen
    assert (request.method, str(request.url), request.content) == ("POST", REQUEST.url, b'{"text":"hi"}')
    assert (request.headers["content-type"], request.headers["x-token"]) == ("application/json", "secret")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (httpx.ConnectError, NotReached),
        (httpx.ConnectTimeout, NotReached),
        (httpx.PoolTimeout, NotReached),
        (httpx.ReadTimeout, AnswerLost),
        (httpx.WriteTimeout, AnswerLost),
        (httpx.ReadError, AnswerLost),
        (httpx.RemoteProtocolError, AnswerLost),
    ],
)
def test_a_fault_tells_whether_the_messenger_may_have_acted(
    fault: type[httpx.TransportError], told: type[Exception]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault("bot1:secret", request=request)

    with pytest.raises(told) as caught:
        transport(answer).send(REQUEST)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_giant_answer_is_cut() -> None:
    response = transport(lambda _: httpx.Response(200, content=b"x" * (MAX_RESPONSE_BYTES + 1))).send(REQUEST)
    assert len(response.body) == MAX_RESPONSE_BYTES


def test_a_redirect_is_not_followed() -> None:
    response = transport(lambda _: httpx.Response(302, headers={"Location": "http://evil"})).send(REQUEST)
    assert response.status == 302
