"""Runs on their way: to a main system that takes them, refuses them, or is down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.backend.sync.base import Delivery, RowRefused, Sample, Unreachable
from shared.backend.sync.checking import Checking
from shared.backend.sync.delivering import PATIENCE, Syncing, place_of
from shared.backend.sync.mapping import Row
from shared.backend.sync.runs import run_of
from shared.backend.sync.settings import CurrentSync, SyncSettings, settings_of
from shared.errors import TaskFailed, Wait
from shared.queueing.envelopes import SyncCheckEnvelope, SyncRedriveEnvelope, TaskEnvelope
from shared.storage.holds import DynamoHolds
from shared.storage.refusals import DynamoRefusals, remove_refusals
from shared.storage.sealing import KmsSealer
from shared.storage.sync_marks import DynamoSyncMarks
from shared.tasks.performing import Attempt
from shared.tasks.retrying import retried
from tests.backend.sync.runs import a_task
from tests.conftest import ENVIRONMENT, Aws, items_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BY_PERSON = {"run.id": "run", "dialog.platform_chat_id": "chat", "name": "name"}
ENDED = "2026-11-23T11:59:00Z"


@dataclass
class System:
    """A main system of one table; `faults` are raised one after another, before anything is put."""

    rows: dict[str, Row] = field(default_factory=dict)
    key: str = "chat"
    faults: list[Exception] = field(default_factory=list)
    asked: int = 0
    flaws: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    samples: list[Sample] = field(default_factory=list)

    def put(self, delivery: Delivery) -> None:
        self.asked += 1
        self.meanwhile()
        if self.faults:
            raise self.faults.pop(0)
        self.rows[delivery.row[self.key]] = delivery.row

    def problems(self, sample: Sample) -> list[str]:
        self.samples.append(sample)
        if self.faults:
            raise self.faults.pop(0)
        return self.flaws


@dataclass
class World:
    """A bot, its main system, and a clock."""

    syncing: Syncing
    system: System
    clock: list[datetime]
    health: list[dict[str, Any]]
    current: list[CurrentSync | None]
    gone: set[str]

    def run(self, work: TaskEnvelope, number: int = 1) -> None:
        self.syncing.perform_run(work, attempt(number))

    def redrive(self, seconds: float = 100) -> None:
        self.clock[0] += timedelta(seconds=1)
        asked = SyncRedriveEnvelope(bot_id="b", asked_at=self.clock[0], trace_id="t")
        self.clock[0] += timedelta(seconds=1)
        self.syncing.redrive(asked, attempt(seconds=seconds))

    def refused(self) -> list[tuple[str, ...]]:
        return [refusal.reasons for refusal in self.syncing.refusals.before("b", NOON + timedelta(days=99))]


def attempt(number: int = 1, seconds: float = 100) -> Attempt:
    return Attempt(number, lambda: seconds)


def settings(key: str = "chat", mapping: Mapping[str, str] = BY_PERSON, table: str = "staff") -> SyncSettings:
    sink = {"type": "supabase", "url": "https://x.example", "table": table, "key": [key]}
    return settings_of({"sink": sink, "mapping": dict(mapping)}, {"service_key": "s"})


@pytest.fixture
def world(aws_account: Aws) -> World:
    clock, health, system = [NOON], list[dict[str, Any]](), System()
    current: list[CurrentSync | None] = [CurrentSync(settings(), NOON)]
    gone = {"deleted"}
    sealer = KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])
    syncing = Syncing(
        sync_of=lambda _bot_id: current[0],
        system_of=lambda _settings: system,
        marks=DynamoSyncMarks(lambda: clock[0]),
        refusals=DynamoRefusals(sealer, lambda: clock[0]),
        now=lambda: clock[0],
        is_gone=lambda work: work.dialog_id in gone,
        found=lambda _bot_id, _sync, found: health.append(dict(found)),
        holds=DynamoHolds(lambda: clock[0], lambda: (clock[0] - NOON).total_seconds() + 100),
        retried=lambda call, attempt: retried(call, attempt, sleep=lambda _seconds: None),
    )
    return World(syncing, system, clock, health, current, gone)


def ended(name: str = "Иван", **fields: Any) -> TaskEnvelope:
    return a_task({"name": name}, **({"ended_at": ENDED} | fields))


# --- runs that arrive ------------------------------------------------------------------------------


def test_a_run_that_has_ended_is_put_and_put_again_is_the_same(world: World) -> None:
    for number in (1, 2):
        world.run(ended(), number)
    assert world.system.rows == {"42": {"run": "d:e:1", "chat": "42", "name": "Иван"}}
    assert world.refused() == []


@pytest.mark.parametrize(
    ("key", "kept"), [("chat", {"42": "new"}), ("run", {"d:e:2": "new", "d:e:1": "old"})]
)
def test_an_older_run_that_comes_late_never_takes_the_place_of_a_newer(
    world: World, key: str, kept: dict[str, str]
) -> None:
    world.current[0] = CurrentSync(settings(key), NOON)
    world.system.key = key
    world.run(ended("new", run=2, serial=9))
    world.run(ended("old", run=1, serial=7))
    assert {place: row["name"] for place, row in world.system.rows.items()} == kept


def test_what_was_told_of_a_run_half_way_never_takes_the_place_of_its_end(world: World) -> None:
    world.run(ended("whole", serial=8))
    assert world.syncing.perform_step(a_task({"name": "half"}, serial=7, status="running"), attempt()) == {}
    assert world.system.rows["42"]["name"] == "whole"


def test_two_runs_of_a_dialog_are_never_put_at_once(world: World) -> None:
    def another() -> None:
        world.system.meanwhile = lambda: None
        with pytest.raises(Wait):
            world.run(ended("old", run=1, serial=7))

    world.system.meanwhile = another
    world.run(ended("new", run=2, serial=9))
    world.run(ended("old", run=1, serial=7), 2)
    assert (world.system.asked, world.system.rows["42"]["name"]) == (1, "new")


def test_a_worker_that_died_holds_nobody_up_for_long(world: World) -> None:
    assert world.syncing.marks.begin(place_of(run_of(ended()), settings()), 7, 40) == "ours"
    with pytest.raises(Wait):
        world.run(ended())
    world.clock[0] += timedelta(seconds=41)
    world.run(ended(), 2)
    assert world.system.rows["42"]["name"] == "Иван"


def test_nothing_leaves_for_a_deleted_dialog_or_without_a_sync(world: World) -> None:
    world.run(ended(dialog="deleted"))
    world.current[0] = None
    world.run(ended())
    assert (world.system.asked, world.refused()) == (0, [])


@pytest.mark.parametrize(
    ("status", "refused"),
    [("completed", [("the run has no value for “name”, by which its row is known",)]), ("abandoned", [])],
)
def test_a_run_that_its_row_could_not_be_told_by_is_refused_if_it_went_to_its_end(
    world: World, status: str, refused: list[tuple[str, ...]]
) -> None:
    world.current[0] = CurrentSync(settings("name"), NOON)
    world.run(a_task({}, ended_at=ENDED, status=status))
    assert (world.system.asked, world.refused()) == (0, refused)


# --- a main system that is down --------------------------------------------------------------------


def test_a_main_system_that_is_down_is_waited_for_and_its_health_tells(world: World) -> None:
    world.system.faults = [Unreachable("nobody answers", 120)]
    with pytest.raises(Wait) as wait:
        world.run(ended())
    assert wait.value.seconds > 120
    assert world.health[-1] == {"status": "failed", "checked_at": NOON, "problems": ["nobody answers"]}

    world.clock[0] += timedelta(minutes=3)
    world.run(ended(), 2)
    assert world.system.rows["42"]["name"] == "Иван"
    assert world.health[-1]["status"] == "ok"


def test_while_it_is_down_one_run_tries_and_the_others_wait(world: World) -> None:
    world.system.faults = [Unreachable("nobody answers")]
    for dialog in ("d1", "d2", "d3"):
        with pytest.raises(Wait):
            world.run(ended(dialog=dialog))
    assert world.system.asked == 1
    world.clock[0] += timedelta(seconds=31)
    world.run(ended(dialog="d2"), 2)
    assert world.system.asked == 2


def test_the_waits_grow_to_an_hour(world: World) -> None:
    seconds = []
    for number in (1, 6, 40):
        world.system.faults = [Unreachable("nobody answers")]
        world.clock[0] += timedelta(minutes=1)
        with pytest.raises(Wait) as wait:
            world.run(ended(), number)
        seconds.append(wait.value.seconds)
    longest = (2, 64, 3600)
    assert all(most / 2 <= wait <= most for wait, most in zip(seconds, longest, strict=True))


def test_after_three_days_a_run_lies_with_the_refused_ones(world: World) -> None:
    world.clock[0] = datetime.fromisoformat(ENDED) + PATIENCE + timedelta(seconds=1)
    world.system.faults = [Unreachable("nobody answers")]
    world.run(ended(), 90)
    assert world.refused() == [("nobody answers",)]


# --- runs that are refused -------------------------------------------------------------------------


def test_a_refused_run_is_kept_once_with_its_reasons_and_sealed(world: World) -> None:
    for number in (1, 2):
        world.system.faults = [RowRefused("“age” is wrong", "“name” is wrong")]
        world.run(ended("Secret Ivan"), number)
    assert world.refused() == [("“age” is wrong", "“name” is wrong")]
    (item,) = items_of("REFUSALS_TABLE")
    assert "Secret Ivan" not in str(item)


def test_refused_runs_are_sent_anew_and_gone_once_they_have_arrived(world: World) -> None:
    for place, dialog in enumerate(("d1", "d2", "d3")):
        world.system.faults = [RowRefused("wrong")]
        world.run(a_task({"name": dialog}, dialog=dialog, ended_at=f"2026-11-23T11:0{place}:00Z"))
    world.system.faults = [RowRefused("still wrong")]
    world.redrive()
    assert world.refused() == [("still wrong",)]
    world.redrive()
    assert world.refused() == []
    assert world.system.asked == 3 + 3 + 1


def test_a_refused_run_that_a_newer_one_has_followed_changes_nothing(world: World) -> None:
    world.system.faults = [RowRefused("wrong")]
    world.run(ended("old", run=1, serial=7))
    world.run(ended("new", run=2, serial=9))
    world.redrive()
    assert (world.system.rows["42"]["name"], world.refused()) == ("new", [])


def test_a_refused_run_reaches_another_main_system_whatever_the_former_one_has(world: World) -> None:
    world.system.faults = [RowRefused("wrong")]
    world.run(ended("old", run=1, serial=7))
    world.run(ended("new", run=2, serial=9))
    world.system.rows.clear()
    world.current[0] = CurrentSync(settings(table="staff_of_today"), NOON)
    world.redrive()
    assert (world.system.rows["42"]["name"], world.refused()) == ("old", [])


def test_sending_anew_stops_where_the_main_system_is_down_and_loses_nothing(world: World) -> None:
    for dialog in ("d1", "d2"):
        world.system.faults = [RowRefused("wrong")]
        world.run(ended(dialog=dialog))
    world.system.faults = [Unreachable("nobody answers")]
    world.redrive()
    assert (world.system.asked, world.refused()) == (3, [("wrong",), ("wrong",)])
    assert world.health[-1]["problems"] == ["nobody answers"]

    world.redrive()
    assert (world.refused(), world.health[-1]["status"]) == ([], "ok")


def test_sending_anew_goes_on_in_another_invocation(world: World) -> None:
    world.system.faults = [RowRefused("wrong")]
    world.run(ended())
    with pytest.raises(Wait):
        world.redrive(seconds=10)
    world.redrive()
    assert world.refused() == []


def test_a_fault_of_ours_keeps_the_run_where_its_owner_finds_it(world: World) -> None:
    world.syncing.give_up(ended(), "Something went wrong on our side.")
    assert world.refused() == [("Something went wrong on our side.",)]


def test_what_was_refused_of_a_dialog_can_be_removed_with_it(world: World) -> None:
    for dialog in ("d1", "d2"):
        world.system.faults = [RowRefused("wrong")]
        world.run(ended(dialog=dialog))
    refusals = world.syncing.refusals
    assert isinstance(refusals, DynamoRefusals)
    list(remove_refusals("b", "d1", "e"))
    list(remove_refusals("b", "d2", "another"))
    assert [refusal.dialog_id for refusal in refusals.of_bot("b", 10).items] == ["d2"]


def test_nothing_is_kept_of_a_dialog_that_was_deleted_while_its_run_was_refused(world: World) -> None:
    world.system.faults = [RowRefused("wrong")]
    world.system.meanwhile = lambda: world.gone.add("d")
    world.run(ended())
    world.syncing.give_up(ended(), "Something went wrong on our side.")
    assert (world.system.asked, world.refused()) == (1, [])


# --- a step that waits -----------------------------------------------------------------------------


def test_a_step_tries_again_while_it_has_time(world: World) -> None:
    world.system.faults = [Unreachable("nobody answers")] * 2
    assert (
        world.syncing.perform_step(a_task({"name": "Иван"}, kind="sync", status="running"), attempt()) == {}
    )
    assert world.system.asked == 3


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([Unreachable("nobody answers")] * 9, "nobody answers"),
        ([RowRefused("“age” is wrong")], "The main system refuses this: “age” is wrong."),
    ],
)
def test_a_step_that_fails_says_why(world: World, faults: list[Exception], words: str) -> None:
    world.system.faults = faults
    with pytest.raises(TaskFailed, match=words):
        world.syncing.perform_step(a_task({"name": "Иван"}, kind="sync"), attempt())
    assert world.refused() == []


def test_a_step_without_a_sync_fails(world: World) -> None:
    world.current[0] = None
    with pytest.raises(TaskFailed, match="The bot has no main system"):
        world.syncing.perform_step(a_task({}, kind="sync"), attempt())


# --- looking at it beforehand ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "flaws", "faults", "problems"),
    [
        ({"name": "string"}, [], [], []),
        ({"name": "any"}, ["no such table"], [], ["no such table"]),
        ({}, ["flaw"], [], ["the active scenario has no variable “name”", "flaw"]),
        (None, [], [], []),
        ({"name": "string"}, [], [Unreachable("nobody answers")], ["nobody answers"]),
    ],
)
def test_what_a_look_at_the_main_system_tells_is_its_health(
    world: World,
    types: dict[str, str] | None,
    flaws: list[str],
    faults: list[Exception],
    problems: list[str],
) -> None:
    world.system.flaws, world.system.faults = flaws, faults
    ours = world.syncing
    checking = Checking(ours.sync_of, lambda _bot: types, ours.system_of, ours.found, ours.now)
    checking.perform(SyncCheckEnvelope(bot_id="b", trace_id="t"), attempt())
    status = "failed" if problems else "ok"
    assert world.health == [{"status": status, "checked_at": NOON, "problems": problems}]
    assert world.system.samples[0].row["chat"] == "424242"
