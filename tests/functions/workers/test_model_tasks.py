"""Tasks for language models as Lambda calls their worker: over DynamoDB, KMS and a server that is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import msgspec
import pytest

from shared import aws
from shared.dialog.events import TaskFinished
from shared.dialog.history import HistoryEntry
from shared.dialog.state import Task, TaskKind
from shared.llm.usage import Usage
from shared.queueing.envelopes import TaskEnvelope, read_inbound
from shared.storage.bot_settings import LLM, DynamoBotSettings
from shared.storage.history import DynamoHistory
from shared.storage.sealing import KmsSealer
from shared.storage.usage import DynamoUsage
from tests.conftest import ENVIRONMENT, Aws, items_of
from tests.functions.workers.test_tasks import (
    MODULE,
    Context,
    Worker,
    a_task,
    batch,
    of_a_dialog,
    received,
    waited_for,
)
from tests.standins.openai import OpenAiStandIn

NOW = datetime.now(UTC)


@pytest.fixture
def server() -> Iterator[OpenAiStandIn]:
    with OpenAiStandIn() as standin:
        yield standin


@pytest.fixture
def worker(aws_account: Aws, server: OpenAiStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("PRIVATE_HOSTS", server.url.removeprefix("http://"))
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


def of_a_bot(work: TaskEnvelope, server: OpenAiStandIn, **settings: Any) -> TaskEnvelope:
    """The same work for a dialog of a bot that has a model."""
    known = of_a_dialog(work)
    public = {"provider": "openai", "model": "gpt-test", "base_url": server.base_url, **settings}
    sealer = KmsSealer(lambda: aws.client("kms"), ENVIRONMENT["SETTINGS_KEY_ID"])
    DynamoBotSettings(sealer).put(known.bot_id, LLM, public, {"api_key": server.key})
    return known


def numbered(work: TaskEnvelope, number: int, **request: Any) -> TaskEnvelope:
    """A later task of the dialog."""
    task = Task(number, work.task.kind, {**work.task.request, **request}, 20)
    return waited_for(msgspec.structs.replace(work, task=task))


def told(aws_account: Aws) -> list[TaskFinished]:
    events = [read_inbound(body).event for body in received(aws_account, aws_account.inbound)]
    return [event for event in events if isinstance(event, TaskFinished)]


def wrote(work: TaskEnvelope, turn: int, text: str) -> None:
    event = {"type": "message_received", "id": str(turn), "occurred_at": NOW.isoformat(), "text": text}
    DynamoHistory().record(
        HistoryEntry(
            dialog_id=work.dialog_id,
            epoch=work.epoch,
            turn=turn,
            n=0,
            message_type="user",
            message_data={"event": event},
            timestamp=NOW,
            created_at=NOW,
        )
    )


def test_a_model_is_asked_with_the_dialog_before_it(
    worker: Worker, aws_account: Aws, server: OpenAiStandIn
) -> None:
    work = of_a_bot(a_task("llm", prompt="Is it good?", output="text"), server)
    wrote(work, 1, "Hello")
    wrote(work, 2, "Have you cake?")

    assert worker(batch(work), Context()) == {"batchItemFailures": []}

    assert [each["content"] for each in server.asked[0]["messages"][1:]] == [
        "Hello",
        "Have you cake?",
        "Is it good?",
    ]
    (event,) = told(aws_account)
    assert (event.task, event.result["text"], event.error) == (7, "Yes.", "")
    bill = event.result["usage"]
    assert DynamoUsage().of_day(work.bot_id, datetime.now(UTC).date()) == Usage(
        calls=1, prompt_tokens=bill["prompt_tokens"], completion_tokens=bill["completion_tokens"]
    )


def test_what_is_known_is_not_asked_again(worker: Worker, aws_account: Aws, server: OpenAiStandIn) -> None:
    work = of_a_bot(a_task("llm", prompt="Is it good?", output="text", cache=60), server)
    for number in (8, 9):
        worker(batch(numbered(work, number)), Context())

    assert len(server.asked) == 1
    assert [event.result["usage"]["cached"] for event in told(aws_account)] == [False, True]
    assert sum(item["key"]["S"].startswith("model#") for item in items_of("CACHE_TABLE")) == 1
    counted = DynamoUsage().of_day(work.bot_id, datetime.now(UTC).date())
    assert (counted.calls, counted.cache_hits) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("llm", {"prompt": "?", "output": "text"}),
        ("understand", {"text": "Ann", "fill": {"name": {"type": "text"}}}),
    ],
)
def test_a_task_that_comes_again_is_told_again_and_not_asked(
    worker: Worker, aws_account: Aws, server: OpenAiStandIn, kind: TaskKind, request_: dict[str, Any]
) -> None:
    server.usual = '{"name": "Ann"}'
    work = of_a_bot(a_task(kind, **request_), server)
    for receive_count in (1, 2):
        worker(batch(work, receive_count), Context())

    assert len(server.asked) == 1
    first, *again = told(aws_account)  # a FIFO queue may drop the second
    assert not first.error
    assert all(event == first for event in again)


def test_a_bot_without_a_model_hears_so_at_once(
    worker: Worker, aws_account: Aws, server: OpenAiStandIn
) -> None:
    worker(batch(of_a_dialog(a_task("llm", prompt="?", output="text"))), Context())

    (event,) = told(aws_account)
    assert "has no language model" in event.error
    assert received(aws_account, aws_account.tasks_dlq) == []


@pytest.mark.usefixtures("aws_account")
def test_no_word_of_a_person_and_no_key_is_logged(
    worker: Worker,
    server: OpenAiStandIn,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG", "parley")
    work = of_a_bot(a_task("llm", prompt="my pin is 4012", output="text"), server)
    worker(batch(work), Context())
    server.key = "sk-another"
    worker(batch(numbered(work, 8, prompt="it was 4012")), Context())

    logged = "".join((*(str(vars(record)) for record in caplog.records), *capsys.readouterr()))
    assert "4012" not in logged
    assert "sk-" not in logged
    assert "refuses the bot's key" in logged
