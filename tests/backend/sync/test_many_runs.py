"""A thousand dialogs and a real PostgreSQL that is thrown over meanwhile: all runs arrive, none twice."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from shared.backend.sync.delivering import Syncing
from shared.backend.sync.postgresql import PostgresSystem
from shared.backend.sync.settings import CurrentSync, PostgresSink, SyncSettings
from shared.errors import Wait
from shared.guard import Guard
from shared.queueing.envelopes import TaskEnvelope
from shared.storage.refusals import DynamoRefusals
from shared.storage.sealing import KmsSealer
from shared.tasks.performing import Attempt
from shared.tasks.sync_records import Turn
from tests.backend.sync.conftest import MakeSink, Query
from tests.backend.sync.runs import a_task
from tests.conftest import ENVIRONMENT, Aws
from tests.postgres import Postgres

MAPPING = {"dialog.id": "telegram_id", "name": "name", "age": "age", "run.started_at": "started"}
DIALOGS = 1000
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Marks:
    """In memory: a thousand runs through a DynamoDB of tests would take a minute."""

    def __init__(self) -> None:
        self._there: dict[str, int] = {}

    def begin(self, place: str, serial: int, seconds: float) -> Turn:
        return "late" if self._there.get(place, 0) > serial else "ours"

    def end(self, place: str, serial: int, *, is_put: bool) -> None:
        if is_put:
            self._there[place] = serial


@pytest.fixture
def syncing(aws_account: Aws, sink: MakeSink, guard: Guard) -> Syncing:
    settings = SyncSettings(sink=sink(), mapping=MAPPING)
    return Syncing(
        sync_of=lambda _bot_id: CurrentSync(settings, NOW),
        system_of=partial(_system_of, guard),
        marks=Marks(),
        refusals=DynamoRefusals(KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])),
        now=lambda: NOW,
        is_gone=lambda _work: False,
        found=lambda *_: None,
    )


def _system_of(guard: Guard, settings: SyncSettings) -> PostgresSystem:
    assert isinstance(settings.sink, PostgresSink)
    return PostgresSystem(settings.sink, guard, settings.mapping.get("run.started_at"))


def a_run(dialog: int, run: int = 1, age: object = 30) -> TaskEnvelope:
    variables = {"name": f"Ivan {dialog}.{run}", "age": age}
    started, ended = (f"2026-11-23T{10 + run}:0{minute}:00Z" for minute in (0, 5))
    return a_task(variables, dialog=f"d{dialog}", run=run, serial=run, started_at=started, ended_at=ended)


def delivered(syncing: Syncing, work: TaskEnvelope) -> bool:
    """Whether it is done with, so that the queue forgets it."""
    try:
        syncing.perform_run(work, Attempt(1, lambda: 100.0))
    except Wait:
        return False
    return True


@pytest.mark.usefixtures("staff")
def test_a_thousand_dialogs_arrive_once_each_through_a_crash_of_the_server(
    syncing: Syncing, query: Query, postgres: Postgres
) -> None:
    left = [a_run(dialog) for dialog in range(DIALOGS)]
    redelivered = random.Random(6).sample(left, 50)
    with ThreadPoolExecutor(4) as pool:
        first = pool.map(partial(delivered, syncing), left[:300])
        postgres.stop()
        kept = [work for work, done in zip(left[:300], first, strict=True) if not done]
        assert kept
        postgres.start()
        rest = [*kept, *left[300:], *redelivered]
        done = list(pool.map(partial(delivered, syncing), rest))
    assert all(done)

    assert query("SELECT count(*), count(DISTINCT telegram_id) FROM staff") == [(DIALOGS, DIALOGS)]
    assert query("SELECT count(*) FROM staff WHERE name <> 'Ivan ' || substr(telegram_id, 2) || '.1'") == [
        (0,)
    ]
    assert list(syncing.refusals.before("b", datetime.max.replace(tzinfo=UTC))) == []


@pytest.mark.usefixtures("staff")
def test_runs_in_any_order_leave_the_newest_of_each_dialog(syncing: Syncing, query: Query) -> None:
    works = [a_run(dialog, run) for dialog in range(8) for run in (1, 2, 3)] * 2
    random.Random(6).shuffle(works)
    for work in works:
        assert delivered(syncing, work)
    assert query("SELECT telegram_id, name FROM staff ORDER BY 1") == [
        (f"d{dialog}", f"Ivan {dialog}.3") for dialog in range(8)
    ]


@pytest.mark.usefixtures("staff")
def test_among_many_only_those_that_do_not_fit_are_refused(syncing: Syncing, query: Query) -> None:
    works = [a_run(dialog, age="Forty-Two" if dialog % 10 == 0 else dialog) for dialog in range(40)]
    assert all(delivered(syncing, work) for work in works)
    refused = list(syncing.refusals.before("b", datetime.max.replace(tzinfo=UTC)))
    assert {refusal.dialog_id for refusal in refused} == {"d0", "d10", "d20", "d30"}
    assert {refusal.reasons for refusal in refused} == {
        ("“age” is of type integer, which does not take what is mapped to it",)
    }
    assert query("SELECT count(*) FROM staff") == [(36,)]
