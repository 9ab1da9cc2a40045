"""Http steps, against a server on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from shared.dialog.state import Task
from shared.errors import TaskFailed
from shared.guard import Guard
from shared.http_steps.performing import MAX_ANSWER_BYTES, HttpSteps
from shared.outbound_http import OutboundHttp
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt
from shared.tasks.retrying import TRIES, retried
from tests.standins.server import Answer, Incoming, StandIn, answer_json

SECRET = "hush-hush-é"


class Api(StandIn):
    """Somebody's own server, which is picky."""

    def answer(self, request: Incoming) -> Answer:
        answers: dict[str, Callable[[Incoming], Answer]] = {
            "/echo": self._echo,
            "/large": lambda _: Answer(200, b"a" * (MAX_ANSWER_BYTES + 1)),
            "/slow": self._slow,
            "/moved": lambda _: Answer(307, headers={"location": "/echo"}),
            "/away": lambda _: Answer(302, headers={"location": "http://169.254.169.254/latest/meta-data"}),
            "/empty": lambda _: Answer(204),
        }
        known = answers.get(request.path)
        return known(request) if known else answer_json({"error": f"no {request.path}"}, 404)

    def is_send(self, request: Incoming) -> bool:
        return True

    def _echo(self, request: Incoming) -> Answer:
        heard = {"method": request.method, "query": dict(request.query), "body": request.body}
        return answer_json({**heard, "key": request.headers.get("authorization")}, x_kind="echo")

    def _slow(self, _request: Incoming) -> Answer:
        time.sleep(0.5)
        return answer_json({})


@pytest.fixture(scope="module")
def serving() -> Iterator[Api]:
    with Api() as api:
        yield api


@pytest.fixture
def api(serving: Api) -> Api:
    serving.requests.clear()
    return serving


@pytest.fixture
def steps(api: Api) -> HttpSteps:
    guard = Guard(api.url.removeprefix("http://"))
    secrets = {("b", "token"): SECRET}
    at_once = partial(retried, sleep=lambda _: None)
    return HttpSteps(OutboundHttp(guard), guard, lambda bot_id, name: secrets.get((bot_id, name)), at_once)


def work(url: str, bot_id: str = "b", **request: Any) -> TaskEnvelope:
    whole = {
        "method": "GET",
        "headers": {},
        "body": None,
        "secrets": [],
        "schema": None,
        "url": url,
        **request,
    }
    return TaskEnvelope(
        dialog_id="d",
        epoch="e",
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=7, kind="http", request=whole, timeout=10),
        trace_id="t",
    )


def within(seconds: float = 10) -> Attempt:
    ends_at = time.monotonic() + seconds
    return Attempt(1, lambda: ends_at - time.monotonic())


WITH_SECRET: dict[str, Any] = {
    "headers": {"Authorization": "Bearer "},
    "secrets": [{"at": "/headers/Authorization", "offset": 7, "name": "token"}],
}


def test_a_step_sends_its_request_and_brings_the_answer_back(api: Api, steps: HttpSteps) -> None:
    result = steps.perform(work(f"{api.url}/echo?a=%26", method="POST", body={"n": 1}), within())
    assert result["status"] == 200
    assert result["body"] == {"method": "POST", "query": {"a": "&"}, "body": {"n": 1}, "key": None}
    assert result["headers"]["x_kind"] == "echo"
    [heard] = api.requests
    assert heard.headers["idempotency-key"] == "d:e:7"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_is_sent(api: Api, steps: HttpSteps, method: str) -> None:
    result = steps.perform(work(f"{api.url}/echo", method=method), within())
    assert api.requests[0].method == method
    assert (result["body"] or {}).get("method") == (None if method == "HEAD" else method)


def test_an_answer_without_a_body_is_one(api: Api, steps: HttpSteps) -> None:
    result = steps.perform(work(f"{api.url}/empty", method="DELETE"), within())
    assert (result["status"], result["body"]) == (204, None)


def test_a_secret_reaches_the_server_and_never_comes_back(api: Api, steps: HttpSteps) -> None:
    result = steps.perform(work(f"{api.url}/echo", **WITH_SECRET), within())
    assert api.requests[0].headers["authorization"].encode("latin-1").decode() == f"Bearer {SECRET}"
    assert "hush" not in repr(result)


@pytest.mark.parametrize(
    "url", ["http://api.example/", "HTTP://127.0.0.1:1/", "//api.example", "http://[::/"]
)
def test_a_secret_goes_unencrypted_nowhere_but_where_the_deployment_says(steps: HttpSteps, url: str) -> None:
    with pytest.raises(TaskFailed, match="https"):
        steps.perform(work(url, **WITH_SECRET), within())


@pytest.mark.parametrize("bot_id", ["b", "another"])
def test_a_secret_that_the_bot_does_not_have_is_told_by_its_name(
    api: Api, steps: HttpSteps, bot_id: str
) -> None:
    name = "no-such" if bot_id == "b" else "token"
    secrets = [{"at": "/url", "offset": 0, "name": name}]
    with pytest.raises(TaskFailed, match=f"no secret “{name}”"):
        steps.perform(work(f"{api.url}/echo", bot_id, secrets=secrets), within())
    assert api.requests == []


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_an_answer_at_once(api: Api, steps: HttpSteps, status: int) -> None:
    api.fail_next(status, {"why": "so"})
    result = steps.perform(work(f"{api.url}/echo", schema={"required": ["key"]}), within())
    assert (result["status"], result["body"], len(api.requests)) == (status, {"why": "so"}, 1)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_is_safe_is_asked_again_after_a_passing_fault(api: Api, steps: HttpSteps, status: int) -> None:
    api.fail_next(status, {}, times=TRIES - 1)
    assert steps.perform(work(f"{api.url}/echo"), within())["status"] == 200
    assert len(api.requests) == TRIES


def test_a_fault_that_does_not_pass_is_a_failure(api: Api, steps: HttpSteps) -> None:
    api.fail_next(503, {}, times=TRIES)
    with pytest.raises(TaskFailed, match="answered 503"):
        steps.perform(work(f"{api.url}/echo"), within())
    assert len(api.requests) == TRIES


def test_a_dropped_answer_is_asked_for_again_where_that_does_no_harm(api: Api, steps: HttpSteps) -> None:
    api.drop_answer_next()
    assert steps.perform(work(f"{api.url}/echo"), within())["status"] == 200
    assert len(api.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_might_be_done_twice_is_asked_once(api: Api, steps: HttpSteps, method: str) -> None:
    api.drop_answer_next()
    with pytest.raises(TaskFailed, match="no answer"):
        steps.perform(work(f"{api.url}/echo", method=method), within())
    api.fail_next(503, {})
    assert steps.perform(work(f"{api.url}/echo", method=method), within())["status"] == 503
    assert len(api.requests) == 2


def test_no_longer_is_waited_than_the_server_asks_and_the_step_has(api: Api, steps: HttpSteps) -> None:
    api.fail_next(429, {}, retry_after="20")
    with pytest.raises(TaskFailed, match="answered 429"):
        steps.perform(work(f"{api.url}/echo"), within(10))
    assert len(api.requests) == 1


def test_a_server_that_is_slow_fails_the_step_in_time(api: Api, steps: HttpSteps) -> None:
    began = time.monotonic()
    with pytest.raises(TaskFailed, match="no answer"):
        steps.perform(work(f"{api.url}/slow"), within(0.1))
    assert time.monotonic() - began < 0.45


def test_an_answer_too_large_for_a_dialog_says_so(api: Api, steps: HttpSteps) -> None:
    with pytest.raises(TaskFailed, match="larger than 64 KB"):
        steps.perform(work(f"{api.url}/large"), within())


def test_a_redirect_is_followed_with_its_method(api: Api, steps: HttpSteps) -> None:
    result = steps.perform(work(f"{api.url}/moved", method="POST", body={"n": 1}), within())
    assert (result["body"]["method"], result["body"]["body"]) == ("POST", {"n": 1})


def test_no_redirect_leads_inside(api: Api, steps: HttpSteps) -> None:
    with pytest.raises(TaskFailed, match="not a public one"):
        steps.perform(work(f"{api.url}/away"), within())


def test_a_private_address_is_refused_without_a_word_about_it(api: Api) -> None:
    steps = HttpSteps(OutboundHttp(), Guard(), lambda *_: None)
    with pytest.raises(TaskFailed) as failed:
        steps.perform(work(f"{api.url}/echo"), within())
    assert str(failed.value) == "the address is not a public one"
    assert api.requests == []


def test_an_answer_has_to_fit_its_schema(api: Api, steps: HttpSteps) -> None:
    schema = {"type": "object", "properties": {"key": {"type": "string"}}}
    with pytest.raises(TaskFailed, match="does not fit its schema: /key"):
        steps.perform(work(f"{api.url}/echo", schema=schema), within())
    steps.perform(work(f"{api.url}/echo", schema=schema, **WITH_SECRET), within())


def test_a_schema_that_is_none_sends_nothing(api: Api, steps: HttpSteps) -> None:
    with pytest.raises(TaskFailed, match="schema of the answer cannot be used"):
        steps.perform(work(f"{api.url}/echo", schema={"type": "nonsense"}), within())
    assert api.requests == []
