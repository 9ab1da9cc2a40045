from __future__ import annotations

import http.client
import threading

import pytest

from tests.standins.server import Answer, Incoming, Refusal, StandIn, call
from tests.standins.webhook import Webhook

JSON = {"content-type": "application/json"}


class Picky(StandIn):
    def is_send(self, request: Incoming) -> bool:
        return request.path == "/send"

    def answer(self, request: Incoming) -> Answer:
        if request.path == "/wrong":
            raise Refusal(Answer(400, b'{"no": true}'))
        return Answer(200, b'{"yes": true}', JSON)


def test_requests_are_remembered_in_order_with_their_bodies() -> None:
    with Picky() as standin:
        call("POST", f"{standin.url}/send?a=1", JSON, b'{"text": "\xd0\xb0"}')
        call("GET", f"{standin.url}/other", {})
    first, second = standin.requests
    assert (first.method, first.path, first.body, first.status) == ("POST", "/send", {"text": "а"}, 200)
    assert first.headers["content-type"] == "application/json"
    assert (second.method, second.body, second.raw) == ("GET", None, b"")


def test_a_refusal_is_answered_and_remembered_as_one() -> None:
    with Picky() as standin:
        assert call("POST", f"{standin.url}/wrong", {}).status == 400
        assert call("POST", f"{standin.url}/send", {}).json == {"yes": True}
    assert [recorded.path for recorded in standin.refusals] == ["/wrong"]


def test_failures_come_as_often_as_ordered_and_only_to_sends() -> None:
    with Picky() as standin:
        standin.fail_next(429, {"wait": 3}, times=2, retry_after="3")
        answers = [call("POST", f"{standin.url}/{path}", {}) for path in ("other", "send", "send", "send")]
    assert [answer.status for answer in answers] == [200, 429, 429, 200]
    assert answers[1].json == {"wait": 3}
    assert answers[1].headers["retry-after"] == "3"
    assert standin.refusals == []


def test_a_dropped_answer_is_a_closed_connection_after_the_message_was_taken() -> None:
    with Picky() as standin:
        standin.drop_answer_next()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            call("POST", f"{standin.url}/send", {})
        assert call("POST", f"{standin.url}/send", {}).status == 200
    assert [recorded.status for recorded in standin.requests] == [0, 200]


def test_a_refused_send_does_not_use_up_the_dropped_answer() -> None:
    class Refusing(Picky):
        is_refusing = True

        def answer(self, request: Incoming) -> Answer:
            if self.is_refusing:
                raise Refusal(Answer(400))
            return Answer(200)

    with Refusing() as standin:
        standin.drop_answer_next()
        assert call("POST", f"{standin.url}/send", {}).status == 400
        standin.is_refusing = False
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            call("POST", f"{standin.url}/send", {})


def test_requests_at_the_same_time_are_all_remembered() -> None:
    with Picky() as standin:
        threads = [
            threading.Thread(target=call, args=("POST", f"{standin.url}/send", {}, b"%d" % n))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(recorded.body for recorded in standin.requests) == list(range(20))


def test_a_connection_is_kept_for_the_next_request_and_closed_with_the_server() -> None:
    with Picky() as standin:
        connection = http.client.HTTPConnection(standin.url.removeprefix("http://"))
        for _ in range(2):
            connection.request("POST", "/send", b"{}")
            assert connection.getresponse().read() == b'{"yes": true}'
        socket = connection.sock
    assert socket.recv(1) == b""
    connection.close()


def test_waiting_ends_when_the_claim_is_true_or_time_is_up() -> None:
    with Webhook() as standin:
        threading.Timer(0.05, call, ("POST", standin.url, {})).start()
        standin.wait_until(lambda: len(standin.requests) == 1)
        with pytest.raises(TimeoutError):
            standin.wait_until(lambda: len(standin.requests) == 2, 0.05)
