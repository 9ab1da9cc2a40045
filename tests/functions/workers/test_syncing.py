"""Runs of a bot on their way through the tasks worker into a real PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Protocol

import msgspec
import pytest

from shared.dialog.events import TaskFinished
from shared.queueing.envelopes import SyncCheckEnvelope, SyncRedriveEnvelope, Work, read_inbound
from shared.storage.bot_settings import SYNC, DynamoBotSettings
from shared.storage.refusals import DynamoRefusals
from shared.storage.sealing import KmsSealer
from shared.storage.tables import BotSettings
from tests.backend.sync.runs import a_task
from tests.conftest import ENVIRONMENT, Aws
from tests.functions.workers.test_tasks import MODULE, Context, batch, of_a_dialog, received
from tests.postgres import Postgres

TABLE = "CREATE TABLE staff (telegram_id text PRIMARY KEY, name text, age integer)"
MAPPING = {"dialog.platform_chat_id": "telegram_id", "name": "name", "age": "age"}


class Perform(Protocol):
    def __call__(self, work: Work, receive_count: int = 1) -> Any: ...


@pytest.fixture
def perform(aws_account: Aws, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Perform]:
    monkeypatch.setenv("PRIVATE_HOSTS", f"{postgres.host}:{postgres.port}")
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    worker = import_module(MODULE).lambda_handler
    yield lambda work, receive_count=1: worker(batch(work, receive_count), Context())
    sys.modules.pop(MODULE)


@pytest.fixture
def settings(aws_account: Aws) -> DynamoBotSettings:
    return DynamoBotSettings(KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"]))


def set_up(
    settings: DynamoBotSettings,
    postgres: Postgres,
    database: str,
    bot_id: str,
    statement: str,
    mapping: dict[str, str] = MAPPING,
) -> None:
    """A sync of the bot to a table that is made by the statement."""
    with postgres.connected(database) as connection:
        connection.execute(statement.encode())
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {postgres.user}".encode())
    sink = {
        "type": "postgresql",
        "host": postgres.host,
        "port": postgres.port,
        "database": database,
        "user": postgres.user,
        "table": "staff",
        "key": ["telegram_id"],
        "ca_certificate": postgres.ca_certificate,
    }
    settings.put(bot_id, SYNC, {"sink": sink, "mapping": mapping}, {"password": postgres.password})


def rows(postgres: Postgres, database: str, columns: str = "telegram_id, name, age") -> list[tuple[Any, ...]]:
    with postgres.connected(database) as connection:
        return connection.execute(f"SELECT {columns} FROM staff".encode()).fetchall()


def test_runs_and_steps_arrive_and_a_step_hears_of_it(
    perform: Perform, settings: DynamoBotSettings, postgres: Postgres, database: str, aws_account: Aws
) -> None:
    step = of_a_dialog(a_task({"name": "Ivan"}, kind="sync", status="running"))
    set_up(settings, postgres, database, step.bot_id, TABLE)
    run = msgspec.structs.replace(
        a_task({"name": "Иван", "age": 30}, serial=8, ended_at="2026-11-23T10:05:00Z"), bot_id=step.bot_id
    )

    assert perform(step) == {"batchItemFailures": []}
    assert rows(postgres, database) == [("42", "Ivan", None)]
    (told,) = received(aws_account, aws_account.inbound)
    event = read_inbound(told).event
    assert isinstance(event, TaskFinished)
    assert (event.task, event.error) == (7, "")
    assert perform(run) == {"batchItemFailures": []}
    assert rows(postgres, database) == [("42", "Иван", 30)]
    assert received(aws_account, aws_account.inbound) == []


def test_what_is_refused_is_listed_and_arrives_once_it_is_sent_anew(
    perform: Perform, settings: DynamoBotSettings, postgres: Postgres, database: str, aws_account: Aws
) -> None:
    run = of_a_dialog(a_task({"name": "Иван", "age": "Forty-Two"}, ended_at="2026-11-23T10:05:00Z"))
    set_up(settings, postgres, database, run.bot_id, TABLE)
    refusals = DynamoRefusals(KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"]))

    assert perform(run) == {"batchItemFailures": []}
    (refused,) = refusals.of_bot(run.bot_id, 10).items
    assert refused.reasons == ("“age” is of type integer, which does not take what is mapped to it",)

    with postgres.connected(database) as connection:
        connection.execute("ALTER TABLE staff ALTER age TYPE text")
    asked_at = datetime.now(UTC) + timedelta(seconds=1)
    perform(SyncRedriveEnvelope(bot_id=run.bot_id, asked_at=asked_at, trace_id="t"))
    assert rows(postgres, database) == [("42", "Иван", "Forty-Two")]
    assert refusals.of_bot(run.bot_id, 10).items == []


def test_a_sync_that_was_mended_is_what_runs_follow_at_once(
    perform: Perform, settings: DynamoBotSettings, postgres: Postgres, database: str
) -> None:
    run = of_a_dialog(a_task({"name": "Иван", "age": 30}, ended_at="2026-11-23T10:05:00Z"))
    typo = MAPPING | {"age": "agee"}
    set_up(settings, postgres, database, run.bot_id, TABLE, typo)
    assert perform(run) == {"batchItemFailures": []}
    set_up(settings, postgres, database, run.bot_id, "SELECT")

    asked_at = datetime.now(UTC) + timedelta(seconds=1)
    perform(SyncRedriveEnvelope(bot_id=run.bot_id, asked_at=asked_at, trace_id="t"))
    assert rows(postgres, database) == [("42", "Иван", 30)]


def test_a_look_that_fails_for_a_fault_of_ours_is_told(
    perform: Perform, settings: DynamoBotSettings, postgres: Postgres, database: str, aws_account: Aws
) -> None:
    bot_id = of_a_dialog(a_task({})).bot_id
    set_up(settings, postgres, database, bot_id, TABLE)
    BotSettings(bot_id, SYNC).update([BotSettings.public.set('{"sink": {"type": "of yesterday"}}')])
    perform(SyncCheckEnvelope(bot_id=bot_id, trace_id="t"), 5)
    health = settings.get(bot_id, SYNC).health
    assert (health["status"], health["problems"]) == ("failed", ["Something went wrong on our side."])


Look = Callable[[str], dict[str, Any]]


@pytest.fixture
def look(perform: Perform, settings: DynamoBotSettings, postgres: Postgres, database: str) -> Look:
    """The health of a sync to a table that is made by a statement, once it was looked at."""

    def health(statement: str) -> dict[str, Any]:
        bot_id = of_a_dialog(a_task({})).bot_id
        set_up(settings, postgres, database, bot_id, statement)
        perform(SyncCheckEnvelope(bot_id=bot_id, trace_id="t"))
        assert rows(postgres, database, "1") == []
        return settings.get(bot_id, SYNC).health

    return health


@pytest.mark.parametrize(
    ("statement", "status", "problems"),
    [
        (TABLE, "ok", []),
        (TABLE.replace("age", "years"), "failed", ["the table has no column “age”"]),
    ],
)
def test_the_health_of_a_sync_is_what_a_look_at_it_tells(
    look: Look, statement: str, status: str, problems: list[str]
) -> None:
    health = look(statement)
    assert (health["status"], health["problems"]) == (status, problems)
