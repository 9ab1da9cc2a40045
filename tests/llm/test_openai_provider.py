"""The `openai` package against a server that speaks its vendor's protocol, and one that does not."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from shared.errors import TaskFailed
from shared.guard import Guard
from shared.llm.base import AnswerLost, Completion, Form, Question, Said
from shared.llm.forms import object_of, one_of
from shared.llm.openai_provider import MAX_ANSWER_BYTES, OpenAiProvider
from shared.llm.settings import ModelSettings
from shared.tasks.retrying import TryAgain
from tests.standins.openai import KEY, MOST_ENUM_VALUES, OpenAiStandIn, Saying

SECRET_WORDS = "my passport is 4012"
MESSAGES = (Said("system", "Be kind."), Said("user", SECRET_WORDS))
QUESTION = Question("gpt-test", MESSAGES)
MOOD = Form(object_of({"mood": one_of(["calm", "angry"])}), "exact")


def in_time(seconds: float = 5.0) -> Callable[[], float]:
    return lambda: seconds


def provider(server: OpenAiStandIn, **settings: Any) -> OpenAiProvider:
    """One that may go to the stand-in, and nowhere else that is private."""
    known = {"provider": "openai", "model": "gpt-test", "api_key": KEY, "base_url": server.base_url}
    guard = Guard(server.url.removeprefix("http://"))
    return OpenAiProvider(ModelSettings(**(known | settings)), guard)


def azure(server: OpenAiStandIn, **settings: Any) -> OpenAiProvider:
    known = {"provider": "azure", "base_url": server.url, "api_version": "2024-10-21"}
    return provider(server, **(known | settings))


# --- what is sent, and what is read ----------------------------------------------------------------


def test_a_question_is_sent_and_its_answer_read(server: OpenAiStandIn) -> None:
    server.say("All is well.")
    completion = provider(server).ask(QUESTION, in_time())
    assert completion == Completion("All is well.", "done", "gpt-test-2026-01-01", 14, 4)
    assert server.asked == [
        {
            "model": "gpt-test",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": SECRET_WORDS},
            ],
        }
    ]
    assert server.last.headers["authorization"] == f"Bearer {KEY}"


def test_azure_is_asked_by_its_deployment_with_its_own_header(server: OpenAiStandIn) -> None:
    azure(server).ask(Question("gpt-other", MESSAGES, max_tokens=9), in_time())
    assert server.last.path == "/openai/deployments/gpt-other/chat/completions"
    assert server.last.headers["api-key"] == KEY
    assert "authorization" not in server.last.headers
    assert server.asked[0]["max_completion_tokens"] == 9


@pytest.mark.parametrize("model", ["../../../models", "a/b", "a?b=c", "%2e%2e"])
def test_no_name_of_a_deployment_leads_to_another_path(server: OpenAiStandIn, model: str) -> None:
    with pytest.raises(TaskFailed):
        azure(server).ask(Question(model, MESSAGES), in_time())
    assert all(each.path.endswith("/chat/completions") for each in server.requests)
    assert all(each.path.count("/") == 5 for each in server.requests)


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        (None, None),
        (
            MOOD,
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": MOOD.schema, "strict": True}},
        ),
        (
            Form({"type": "object"}, "near"),
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": False},
            },
        ),
        (Form({"anyOf": [{}]}, "told"), {"type": "json_object"}),
    ],
    ids=["none", "exact", "near", "told"],
)
def test_a_form_is_asked_for_as_the_vendor_can_hold_a_model_to_it(
    server: OpenAiStandIn, form: Form | None, sent: Any
) -> None:
    provider(server).ask(Question("gpt-test", MESSAGES, form), in_time())
    assert server.asked[0].get("response_format") == sent


def test_a_form_that_is_only_told_stands_in_the_instructions(server: OpenAiStandIn) -> None:
    provider(server).ask(Question("gpt-test", MESSAGES, Form({"anyOf": [{}]}, "told")), in_time())
    assert '{"anyOf": [{}]}' in server.asked[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("saying", "end"),
    [
        (Saying("So"), "done"),
        (Saying("So", None), "done"),
        (Saying("So", "eos"), "done"),
        (Saying("So", "length"), "too_long"),
        (Saying(None, "content_filter"), "filtered"),
        (Saying(None, "tool_calls"), "refused"),
        (Saying(None, "stop", refusal="I cannot help with that."), "refused"),
    ],
)
def test_it_is_told_why_a_model_stopped(server: OpenAiStandIn, saying: Saying, end: str) -> None:
    server.say(saying)
    assert provider(server).ask(QUESTION, in_time()).end == end


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"total_tokens": 7},
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": -1, "completion_tokens": True},
        {"prompt_tokens": "12", "completion_tokens": [3]},
        {"prompt_tokens": 1.5, "completion_tokens": 10**40},
    ],
)
def test_tokens_that_nobody_can_have_counted_are_estimated(server: OpenAiStandIn, usage: Any) -> None:
    server.say(Saying("All is well.", usage=usage))
    completion = provider(server).ask(QUESTION, in_time())
    assert (completion.prompt_tokens, completion.completion_tokens) == (18, 4)


# --- servers that know less ------------------------------------------------------------------------


def limited(model: str = "gpt-test") -> Question:
    return Question(model, MESSAGES, max_tokens=50, temperature=0.5)


def sent_options(server: OpenAiStandIn) -> list[set[str]]:
    return [set(each.body) - {"model", "messages"} for each in server.requests]


@pytest.mark.parametrize(
    ("lacking", "sent"),
    [
        ({}, [{"max_tokens", "temperature"}]),
        ({"knows": ("max_tokens",)}, [{"max_tokens", "temperature"}]),
        (
            {"knows": ("max_completion_tokens",)},
            [{"max_tokens", "temperature"}, {"max_completion_tokens", "temperature"}],
        ),
        (
            {"knows": ()},
            [{"max_tokens", "temperature"}, {"max_completion_tokens", "temperature"}, {"temperature"}],
        ),
    ],
    ids=["both", "the old name", "the new name", "neither"],
)
def test_what_a_server_does_not_know_is_left_out(lacking: dict[str, Any], sent: list[set[str]]) -> None:
    with OpenAiStandIn(**lacking) as server:
        asked = provider(server)
        asked.ask(limited(), in_time())
        assert sent_options(server) == sent
        asked.ask(limited(), in_time())
        assert sent_options(server) == [*sent, sent[-1]], "what it has learnt, it remembers"


def test_each_model_is_asked_with_what_it_takes_itself(server: OpenAiStandIn) -> None:
    asked = azure(server)
    for model in ("o-test", "gpt-test"):
        asked.ask(limited(model), in_time())
    assert sent_options(server)[1:] == [{"max_completion_tokens"}, {"max_completion_tokens", "temperature"}]


def test_a_limit_that_is_too_high_says_nothing_of_lower_ones(server: OpenAiStandIn) -> None:
    asked = azure(server)
    asked.ask(dataclasses.replace(QUESTION, max_tokens=50_000), in_time())
    asked.ask(dataclasses.replace(QUESTION, max_tokens=50), in_time())
    assert sent_options(server) == [
        {"max_completion_tokens"},
        {"max_tokens"},
        set(),
        {"max_completion_tokens"},
    ]
    assert server.asked[-1]["max_completion_tokens"] == 50


def test_a_temperature_that_a_model_refuses_is_left_out_and_another_is_not(server: OpenAiStandIn) -> None:
    asked = provider(server)
    for temperature in (0.5, 1, 0.5):
        asked.ask(Question("o-test", MESSAGES, temperature=temperature), in_time())
    assert sent_options(server) == [{"temperature"}, set(), {"temperature"}, set()]


def test_a_schema_that_a_server_refuses_says_nothing_of_others(server: OpenAiStandIn) -> None:
    too_many = Form(object_of({"n": one_of([str(n) for n in range(MOST_ENUM_VALUES + 1)])}), "exact")
    asked = provider(server)
    for form in (too_many, MOOD, too_many):
        asked.ask(Question("gpt-test", MESSAGES, form), in_time())
    assert sent_options(server) == [{"response_format"}, set(), {"response_format"}, set()]


def test_what_was_refused_is_remembered_within_bounds() -> None:
    with OpenAiStandIn(knows=()) as server:
        settings = ModelSettings(provider="openai", model="m", api_key=KEY, base_url=server.base_url)
        guard = Guard(server.url.removeprefix("http://"))
        asked = OpenAiProvider(settings, guard, most_remembered=2)
        for limit in (1, 2, 1):
            asked.ask(dataclasses.replace(QUESTION, max_tokens=limit), in_time())
    assert sent_options(server) == [{"max_tokens"}, {"max_completion_tokens"}, set()] * 3


def test_a_form_that_a_server_refuses_is_told_instead() -> None:
    with OpenAiStandIn(takes_forms=False) as server:
        server.say({"mood": "calm"})
        completion = provider(server).ask(Question("gpt-test", MESSAGES, MOOD), in_time())
        assert completion.words == '{"mood": "calm"}'
        assert sent_options(server) == [{"response_format"}, set()]
        assert json.dumps(MOOD.schema) in server.asked[0]["messages"][0]["content"]


# --- faults ----------------------------------------------------------------------------------------


def error(message: str, code: Any = None, param: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "param": param, "code": code}}


NO_QUOTA = error("You exceeded your current quota", "insufficient_quota")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, error(f"Incorrect API key provided: {KEY}", "invalid_api_key"), "refuses the bot's key"),
        (403, error("Country not supported"), "refuses the bot's key"),
        (404, error("The model does not exist", "model_not_found"), "There is no model “gpt-test”"),
        (429, NO_QUOTA, "no quota left"),
        (429, error("Your account is not active", "billing_not_active"), "no quota left"),
        (400, error(f"Bad: {SECRET_WORDS}", "content_filter"), "content filter of the model's provider"),
        (400, error(f"Too long: {SECRET_WORDS}", "context_length_exceeded"), "too long for the model"),
        (400, error(f"Bad: {SECRET_WORDS}", "odd_code"), r"refuses the request \(odd_code\)"),
        (400, error(f"Bad: {SECRET_WORDS}", SECRET_WORDS), r"refuses the request \(400\)"),
        (400, b"<html>no</html>", r"refuses the request \(400\)"),
        (400, error("Bad", 400, ["messages"]), r"refuses the request \(400\)"),
        (400, {"error": SECRET_WORDS}, r"refuses the request \(400\)"),
        (402, error("Insufficient balance", 402), "no quota left"),
        (302, b"", r"refuses the request \(302\)"),
        (418, b"\xff\xfe", r"refuses the request \(418\)"),
        (200, b"x" * (MAX_ANSWER_BYTES + 1), "larger than 1000 KB"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_would_come_again_is_told_and_not_tried_again(
    server: OpenAiStandIn, status: int, body: Any, reason: str
) -> None:
    server.fail_next(status, body)
    with pytest.raises(TaskFailed, match=reason) as failed:
        provider(server).ask(QUESTION, in_time())
    assert len(server.requests) == 1
    assert_says_nothing(failed.value)


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {}, None),
        (429, {"retry_after": "7"}, 7.0),
        (429, {"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        (429, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        *((429, {"retry_after": odd}, None) for odd in ("nan", "inf", "-5", "1e9", "", "soon")),
        (408, {}, None),
        (409, {}, None),
        (500, {}, None),
        (503, {"retry_after": "3"}, 3.0),
        (529, {}, None),
    ],
)
def test_what_may_pass_is_to_be_tried_again(
    server: OpenAiStandIn, status: int, headers: dict[str, Any], after: float | None
) -> None:
    server.fail_next(status, error(SECRET_WORDS), **headers)
    with pytest.raises(TryAgain) as fault:
        provider(server).ask(QUESTION, in_time())
    assert fault.value.after_seconds == after
    assert len(server.requests) == 1, "it is not for the client to try again"
    assert_says_nothing(fault.value)


MALFORMED = (
    b"",
    b"not json",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'{"choices": []}',
    b'{"choices": [{}]}',
    b'{"choices": [{"message": {"content": 5}}]}',
    b'{"choices": "x"}',
    b"\xff",
    b'{"choices": ' + b"[" * 100_000,
)


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:20]))
def test_an_answer_out_of_shape_is_a_lost_one(server: OpenAiStandIn, body: bytes) -> None:
    server.fail_next(200, body)
    with pytest.raises(AnswerLost, match="something else than an answer"):
        provider(server).ask(QUESTION, in_time())


def test_an_answer_that_is_dropped_is_a_lost_one(server: OpenAiStandIn) -> None:
    server.drop_answer_next()
    with pytest.raises(AnswerLost, match="hung up") as lost:
        provider(server).ask(QUESTION, in_time())
    assert_says_nothing(lost.value)


def test_a_model_that_thinks_too_long_is_left(server: OpenAiStandIn) -> None:
    server.delay_seconds = 5.0
    began = time.monotonic()
    with pytest.raises(AnswerLost, match="did not answer in time"):
        provider(server).ask(QUESTION, in_time(0.2))
    assert time.monotonic() - began < 2


def test_an_answer_that_drips_has_its_time_in_all(server: OpenAiStandIn) -> None:
    began = time.monotonic()
    with dripping() as url, pytest.raises(AnswerLost, match="did not answer in time"):
        provider_at(url).ask(QUESTION, in_time(0.3))
    assert time.monotonic() - began < 2


def test_a_server_that_is_not_there_may_come_back() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    with pytest.raises(TryAgain, match="cannot be reached") as fault:
        provider_at(url).ask(QUESTION, in_time())
    assert not isinstance(fault.value, AnswerLost)


# --- where it goes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/v1", "https://169.254.169.254/v1", "https://[::1]/v1"])
def test_no_address_leads_inside(url: str) -> None:
    settings = ModelSettings(provider="openai", model="m", api_key=KEY, base_url=url)
    with pytest.raises(TaskFailed, match="not a public one"):
        OpenAiProvider(settings, Guard()).ask(QUESTION, in_time())


@pytest.mark.parametrize("kind", ["openai", "azure"])
def test_a_key_does_not_go_unencrypted_to_the_world(kind: Any) -> None:
    url = "http://models.example.com/v1"
    settings = ModelSettings(provider=kind, model="m", api_key=KEY, base_url=url, api_version="2024-10-21")
    with pytest.raises(TaskFailed, match="https://"):
        OpenAiProvider(settings, Guard())


@pytest.mark.parametrize("url", ["https://x:999999", "nowhere", "https://", "ftp://x", "file:///etc/hosts"])
def test_what_is_no_address_is_told_as_such(url: str) -> None:
    settings = ModelSettings(provider="openai", model="m", api_key=KEY, base_url=url)
    with pytest.raises(TaskFailed, match=r"address|asked"):
        OpenAiProvider(settings, Guard()).ask(QUESTION, in_time())


def test_no_redirect_takes_the_key_along(server: OpenAiStandIn) -> None:
    with OpenAiStandIn() as other:
        server.fail_next(307, b"", location=f"{other.base_url}/chat/completions")
        with pytest.raises(TaskFailed, match="307"):
            provider(server).ask(QUESTION, in_time())
        assert other.requests == []


def test_nothing_of_the_environment_is_told_to_anybody(
    server: OpenAiStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.invalid")
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.invalid")
    provider(server).ask(QUESTION, in_time())
    assert len(server.asked) == 1


# --- beside ----------------------------------------------------------------------------------------


def assert_says_nothing(error: Exception) -> None:
    """Neither the person's words nor the key are in it, nor in what it stems from."""
    told: BaseException | None = error
    while told is not None:
        assert "4012" not in str(told)
        assert KEY not in str(told)
        assert told.__suppress_context__ or told.__context__ is None
        told = told.__cause__


def provider_at(url: str) -> OpenAiProvider:
    place = re.sub(r"http://|/v1", "", url)
    settings = ModelSettings(provider="openai", model="gpt-test", api_key=KEY, base_url=url)
    return OpenAiProvider(settings, Guard(place))


@contextmanager
def dripping() -> Iterator[str]:
    """A server that gives its answer a character at a time."""
    listening, is_over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip() -> None:
        with suppress(OSError):
            client, _ = listening.accept()
            with client:
                client.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"
                )
                while not is_over.wait(0.02):
                    client.sendall(b" ")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    is_over.set()
    listening.close()
    thread.join()
