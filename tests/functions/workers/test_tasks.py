"""The tasks worker as Lambda calls it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from functions.workers.tasks.collaborators import Collaborators
from functions.workers.tasks.rows import MAKERS, Rows
from shared.dialog.events import TaskFinished
from shared.dialog.state import Dialog, Pending, Task, TaskKind
from shared.media.fetching import TRIES as TRIES_OF_A_FILE
from shared.queueing.envelopes import MenuEnvelope, TaskEnvelope, Work, read_inbound, read_work
from shared.queueing.giving_up import TRIES
from shared.settings import TasksSettings
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.media import DynamoMedia
from shared.tasks.performing import MOST_RECEIVES, Job
from tests.conftest import ENVIRONMENT, Aws

MODULE = "functions.workers.tasks.handler"

Worker = Callable[..., Any]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000


@pytest.fixture
def worker(aws_account: Aws) -> Iterator[Worker]:
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


def a_task(kind: TaskKind, **request: Any) -> TaskEnvelope:
    return TaskEnvelope(
        dialog_id="d",
        epoch="e",
        bot_id="b",
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=7, kind=kind, request=request, timeout=60),
        trace_id="t",
    )


def batch(work: Work | str, receive_count: int = 1) -> dict[str, Any]:
    body = work if isinstance(work, str) else msgspec.json.encode(work).decode()
    attributes = {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": "d"}
    return {
        "Records": [
            {"messageId": "1", "receiptHandle": "handle", "body": body, "attributes": attributes},
        ]
    }


def received(aws_account: Aws, queue: str) -> list[str]:
    answer = aws_account.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_dialog_hears_of_a_task_that_was_given_up(worker: Worker, aws_account: Aws) -> None:
    work = of_a_dialog(a_task("http"))

    assert worker(batch(work, MOST_RECEIVES + 1), Context()) == {"batchItemFailures": []}

    (told,) = received(aws_account, aws_account.inbound)
    event = read_inbound(told).event
    assert isinstance(event, TaskFinished)
    assert (event.task, event.epoch, bool(event.error)) == (7, "e", True)
    (dead,) = received(aws_account, aws_account.tasks_dlq)
    assert event.error in read_work(dead).failure


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.usefixtures("aws_account")
def test_every_row_of_the_table_has_its_maker(kind: str) -> None:
    collaborators = Collaborators(TasksSettings.from_environment())
    assert isinstance(Rows(collaborators)[kind], Job)
    collaborators.close()


def test_the_menu_of_a_bot_that_is_not_connected_any_more_is_let_be(worker: Worker, aws_account: Aws) -> None:
    work = MenuEnvelope(bot_id="b", platform="telegram", trace_id="t")

    assert worker(batch(work), Context()) == {"batchItemFailures": []}
    assert received(aws_account, aws_account.tasks_dlq) == []


@pytest.mark.parametrize(("receive_count", "is_kept"), [(1, True), (TRIES, False)])
def test_what_is_no_work_of_ours_ends_with_the_dead_letters(
    worker: Worker, aws_account: Aws, receive_count: int, *, is_kept: bool
) -> None:
    answer = worker(batch('{"type": "riddle.v1"}', receive_count), Context())

    assert bool(answer["batchItemFailures"]) is is_kept
    assert bool(received(aws_account, aws_account.tasks_dlq)) is not is_kept


def test_a_file_that_was_asked_for_too_often_is_failed_and_lies_with_the_dead_letters(
    aws_account: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:9")
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    work, worker = a_fetch(aws_account), import_module(MODULE).lambda_handler
    for receive_count in (1, TRIES_OF_A_FILE):
        answer = worker(batch(work, receive_count), Context())
        assert bool(answer["batchItemFailures"]) is (receive_count == 1)

    record = DynamoMedia().find("m")
    assert record is not None
    assert (record.status, record.reason) == ("failed", "Telegram does not answer (ConnectError).")
    (dead,) = received(aws_account, aws_account.tasks_dlq)
    assert read_work(dead).failure.startswith("NotFetched: Telegram does not answer (ConnectError). (")
    assert received(aws_account, aws_account.inbound) == []
    monkeypatch.delitem(sys.modules, MODULE)


def a_fetch(aws_account: Aws) -> TaskEnvelope:
    """Of a dialog and a bot that there are."""
    work = of_a_dialog(a_task("fetch", type="image", reference="AgAC", media_id="m"))
    settings = {"bot_token": "1:token", "webhook_secret": "secret"}
    credentials = DynamoCredentials(aws_account.kms)
    credentials.create(work.bot_id, "telegram", settings, settings, is_active=True, identity="")
    return work


def waited_for(work: TaskEnvelope) -> TaskEnvelope:
    """The same work for its dialog, which has gone on to that."""
    dialog = DynamoDialogs().load(work.dialog_id)
    assert dialog is not None
    pending = Pending(work.task.kind, work.task.number, "a")
    DynamoDialogs().commit(
        msgspec.structs.replace(dialog, turn=dialog.turn + 1, pending=pending), dialog.turn
    )
    return work


def of_a_dialog(work: TaskEnvelope) -> TaskEnvelope:
    """The same work for a bot that there is, and for a dialog that waits for it."""
    now, bot_id = datetime.now(UTC), str(uuid4())
    dialog = Dialog(
        id=work.dialog_id,
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id="42",
        epoch=work.epoch,
        created_at=now,
        updated_at=now,
        last_interaction_at=now,
        pending=Pending(work.task.kind, work.task.number, "a"),
    )
    DynamoDialogs().commit(dialog, None)
    DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
    return msgspec.structs.replace(work, bot_id=bot_id)


PROGRAM = """
import sys
from functions.workers.tasks.handler import _worker
for kind in sys.argv[1:]:
    assert _worker.jobs[kind]
print(*{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize(
    ("kinds", "not_imported"),
    [
        (["menu", "fetch", "upload", "first_send"], {"openai", "psycopg", "jsonschema_rs", "PIL"}),
        (["http"], {"openai", "psycopg", "jsonschema_rs", "PIL"}),
        (["llm", "understand"], {"psycopg", "PIL"}),
        (["contact", "sync", "sync_run", "sync_check", "sync_redrive"], {"openai", "PIL"}),
    ],
)
def test_a_kind_of_work_waits_for_nothing_that_only_others_need(
    kinds: list[str], not_imported: set[str]
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *kinds], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert not set(run.stdout.split()) & not_imported


def test_a_cold_start_waits_for_nothing_that_only_some_work_needs() -> None:
    program = f"import sys, {MODULE}; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    imported = set(run.stdout.split())
    assert imported >= {"msgspec", "botocore"}
    assert not imported & {
        *("httpx", "openai", "psycopg", "jsonschema_rs", "PIL", "tinytag"),
        *("boto3", "fastapi", "pydantic", "cel_expr_python", "dateparser"),
    }
