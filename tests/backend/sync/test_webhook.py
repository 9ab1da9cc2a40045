"""Signed messages, over real HTTP, judged by what receivers use."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from shared.backend.sync.base import Delivery, RowRefused, Sample, Unreachable
from shared.backend.sync.runs import run_of
from shared.backend.sync.settings import WebhookSink
from shared.backend.sync.webhook import WebhookSystem, signed_headers
from shared.guard import Guard
from shared.outbound_http import OutboundHttp
from tests.backend.sync.runs import SCENARIO, a_run, a_task
from tests.standins.server import Answer
from tests.standins.webhook import Webhook

SECRET = "whsec_" + b64encode(b"a key of tests, 32 bytes long ..").decode()

System = Callable[..., WebhookSystem]


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    with Webhook() as receiver:
        yield receiver


@pytest.fixture
def system(receiver: Webhook) -> System:
    def make(private_hosts: str = receiver.url.removeprefix("http://")) -> WebhookSystem:
        sink = WebhookSink(url=f"{receiver.url}/hook?a=1", signing_secret=SECRET)
        return WebhookSystem(sink, OutboundHttp(Guard(private_hosts)))

    return make


def test_a_run_is_told_signed_as_receivers_check_it(receiver: Webhook, system: System) -> None:
    run = run_of(a_task({"name": "Иван"}, ended_at="2026-11-23T10:05:00Z"))

    system().put(Delivery(run, {"first_name": "Иван"}, 5))

    (told,) = receiver.requests
    standardwebhooks.Webhook(SECRET).verify(told.raw, dict(told.headers))
    assert (told.method, told.path) == ("POST", "/hook")
    assert told.headers["webhook-id"] == "d:e:7"
    assert told.headers["content-type"] == "application/json"
    assert told.body["type"] == "run.completed"
    assert told.body["data"] == {
        "run": {
            "id": "d:e:1",
            "number": 1,
            "status": "completed",
            "started_at": "2026-11-23T10:00:00Z",
            "ended_at": "2026-11-23T10:05:00Z",
        },
        "dialog": {"id": "d", "platform": "telegram", "platform_chat_id": "42"},
        "bot": {"id": "b"},
        "scenario": {"id": SCENARIO, "revision": 3},
        "fields": {"first_name": "Иван"},
    }


def test_a_message_that_is_sent_again_has_the_same_name_and_a_new_time(
    receiver: Webhook, system: System
) -> None:
    times = iter((1_700_000_000.0,) * 3 + (1_700_000_060.0,) * 3)
    ours = system()
    for _ in range(2):
        WebhookSystem(ours.sink, ours.http, lambda: next(times)).put(Delivery(a_run(), {}, 5))
    first, second = (told.headers for told in receiver.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1700000000", "1700000060")
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp"])
def test_what_is_changed_on_the_way_is_noticed(receiver: Webhook, system: System, part: str) -> None:
    system().put(Delivery(a_run(), {"age": 1}, 5))
    (told,) = receiver.requests
    body = told.raw.replace(b'"age":1', b'"age":2') if part == "body" else told.raw
    headers = dict(told.headers)
    if part != "body":
        headers[part] = str(int(headers[part]) - 1) if part == "webhook-timestamp" else "d:e:8"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_answer_of_success_is_one(receiver: Webhook, system: System, status: int) -> None:
    receiver.answers = Answer(status)
    system().put(Delivery(a_run(), {}, 5))


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (500, {}, None),
        (503, {"retry-after": "120"}, 120.0),
        (429, {"retry-after": "9999999"}, 3600.0),
        (408, {"retry-after": "soon"}, None),
        (302, {"location": "/elsewhere"}, None),
    ],
)
def test_who_has_trouble_is_asked_again_later(
    receiver: Webhook, system: System, status: int, headers: dict[str, str], wait: float | None
) -> None:
    receiver.answers = Answer(status, headers=headers)
    with pytest.raises(Unreachable, match=f"the webhook answers {status}") as told:
        system().put(Delivery(a_run(), {}, 5))
    assert told.value.after_seconds == wait
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_who_refuses_a_run_is_told_of_it_no_more(receiver: Webhook, system: System, status: int) -> None:
    receiver.answers = Answer(status)
    with pytest.raises(RowRefused, match=f"the webhook answers {status}"):
        system().put(Delivery(a_run(), {}, 5))


def test_an_answer_without_end_is_not_read(receiver: Webhook, system: System) -> None:
    receiver.answers = Answer(200, b"x" * 1_000_000)
    with pytest.raises(RowRefused, match="more than is read"):
        system().put(Delivery(a_run(), {}, 5))


def test_nobody_is_told_at_a_private_address(receiver: Webhook, system: System) -> None:
    with pytest.raises(Unreachable, match="not a public one"):
        system("").put(Delivery(a_run(), {}, 5))
    assert receiver.requests == []


def test_a_test_is_told_as_one(receiver: Webhook, system: System) -> None:
    sample = Sample(a_run(), {"age"}, {"age": 1}, 5)
    assert list(system().problems(sample)) == []
    receiver.answers = Answer(404)
    assert list(system().problems(sample)) == ["the webhook answers 404"]
    assert [told.body["type"] for told in receiver.requests] == ["sync.test"] * 2


def test_the_signature_is_that_of_the_worked_example() -> None:
    body = json.dumps({"type": "run.completed"}).encode()
    headers = signed_headers("whsec_" + b64encode(bytes(range(32))).decode(), "d:e:7", 1764000000, body)
    assert headers["webhook-signature"] == "v1,Jo0QRunup74x5Do5RHHC7m/gd2Eu9tSsb34H4GGC0pM="


README = Path(__file__).parents[3] / "shared/backend/sync/README.md"


def test_receivers_that_check_as_the_reference_shows_take_our_messages_and_no_others() -> None:
    code = README.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    shown: dict[str, Any] = {}
    exec(code, shown)
    body = b'{"type": "run.completed"}'
    headers = signed_headers(SECRET, "d:e:7", int(time.time()), body)
    assert shown["is_ours"](SECRET, headers, body)
    assert not shown["is_ours"](SECRET, headers, body + b" ")
    assert not shown["is_ours"](SECRET, signed_headers(SECRET, "d:e:7", int(time.time()) - 301, body), body)


def test_the_reference_s_example_is_ours() -> None:
    secret = "whsec_" + b64encode(bytes(range(32))).decode()
    headers = signed_headers(secret, "d:e:7", 1764000000, b'{"type": "run.completed"}')
    text = README.read_text(encoding="utf-8")
    assert f"`{secret}`" in text
    assert f"`{headers['webhook-signature']}`" in text
