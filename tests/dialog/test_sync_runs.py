"""The account's main system is told of every run that ends, once, however it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.dialog.events import DeletionRequested, MessageReceived, ReceivedFile, RunRequested
from shared.dialog.manager import Applied
from shared.dialog.state import Task
from shared.scenario.caps import MAX_COLLECTED_BYTES
from shared.storage.tables import MAX_ITEM_BYTES
from tests.dialog.test_manager import Parley, every_dialog_replays, sealed
from tests.dialog.world import BOT_ID, NOW, SCENARIO_ID
from tests.scenario.documents import Document, ask, say, scenario

__all__ = ["every_dialog_replays"]

TWO: Document = scenario(ask("a", "x", next_step="b"), ask("b", "y"))
AT_ONCE: Document = scenario(say("a", "Bye."))


def synced(document: Document = TWO, *, has_sync: bool = True) -> Parley:
    parley = Parley(document)
    parley.bots.change(BOT_ID, has_sync=has_sync)
    return parley


def told(parley: Parley) -> list[Task]:
    return [task for task in parley.tasks.tasks if task.kind == "sync_run"]


def in_short(parley: Parley) -> list[tuple[int, str, dict[str, Any]]]:
    requests = [task.request for task in told(parley)]
    return [(each["run"], each["status"], each["collected_data"]) for each in requests]


def test_a_run_that_ends_is_told_with_what_it_followed_and_when() -> None:
    parley = synced()
    for text in ("hi", "one"):
        parley.say(text)
        parley.now += timedelta(minutes=1)
    parley.say("two")

    request = {
        "run": 1,
        "status": "completed",
        "collected_data": {"x": "one", "y": "two"},
        "scenario_id": SCENARIO_ID,
        "revision": 1,
        "started_at": "2026-11-22T10:00:00Z",
        "ended_at": "2026-11-22T10:02:00Z",
    }
    assert told(parley) == [Task(1, "sync_run", request, 60)]
    assert parley.dialog.pending is None
    assert parley.dialog.status == "completed"


def test_nothing_is_told_where_nobody_wants_to_know() -> None:
    parley = synced(has_sync=False)
    for text in ("hi", "one", "two"):
        parley.say(text)
    assert told(parley) == []
    assert [entry.message_data.get("has_sync") for entry in parley.entries] == [None, None, None]


@pytest.mark.parametrize("starts", [1, 2])
def test_a_run_that_is_given_up_is_told_too(starts: int) -> None:
    parley = synced()
    for text in ("hi", "one", *("/start " + str(n) for n in range(starts))):
        parley.say(text)
    assert in_short(parley)[0] == (1, "abandoned", {"x": "one"})
    assert len(in_short(parley)) == starts


def test_every_run_of_a_turn_is_told_in_order() -> None:
    parley = synced()
    parley.say("hi")
    parley.save(AT_ONCE)
    parley.say("/start ref")
    assert in_short(parley) == [(1, "abandoned", {}), (2, "completed", {"start_payload": "ref"})]
    assert [task.number for task in told(parley)] == [1, 2]
    assert [task.request["revision"] for task in told(parley)] == [1, 2]


def test_a_run_that_breaks_off_is_told() -> None:
    parley = synced(scenario(ask("a", "x", next_step="b"), say("b", next_step="c")))
    parley.say("hi")
    parley.say("one")
    assert in_short(parley) == [(1, "broken_off", {"x": "one"})]


def test_a_run_that_another_revision_ends_is_told() -> None:
    parley = synced()
    parley.say("hi")
    parley.save(AT_ONCE, "restart")
    parley.now += timedelta(minutes=1)
    parley.say("one")
    assert in_short(parley) == [(1, "abandoned", {}), (2, "completed", {})]


def test_a_run_that_the_account_begins_ends_the_one_before() -> None:
    parley = synced()
    parley.say("hi")
    parley.manager.handle(sealed(RunRequested(id="r", occurred_at=NOW, variables={"x": "theirs"})))
    assert in_short(parley) == [(1, "abandoned", {})]


def test_a_run_that_is_deleted_with_its_dialog_is_not_told() -> None:
    parley = synced()
    parley.say("hi")
    deletion = DeletionRequested(id="d", occurred_at=NOW, epoch=parley.dialog.epoch)
    assert parley.manager.handle(sealed(deletion)) is Applied.DELETED
    assert told(parley) == []


def test_an_event_delivered_again_tells_of_its_run_under_the_same_number() -> None:
    parley = synced(AT_ONCE)
    for _ in range(3):
        parley.say("hi", "u1")
    first, *again = told(parley)
    assert again == [first, first]


def test_it_stands_beside_a_file_that_is_brought_in() -> None:
    parley = synced(scenario(ask("a", "x", expected_input={"type": "media"})))
    parley.say("hi")
    photo = ReceivedFile("image", "AgACAg", media_id="m-1")
    parley.manager.handle(sealed(MessageReceived(id="2", occurred_at=NOW, content="image", file=photo)))
    assert [(task.kind, task.number) for task in parley.tasks.tasks] == [("fetch", 1), ("sync_run", 2)]


def test_a_sync_that_is_set_up_meanwhile_is_told_of_runs_that_end_from_then_on() -> None:
    parley = synced(has_sync=False)
    parley.say("hi")
    parley.bots.change(BOT_ID, has_sync=True)
    parley.say("/start 1")
    assert told(parley) == []
    parley.now += timedelta(minutes=1)
    parley.say("/start 2")
    assert in_short(parley) == [(2, "abandoned", {"start_payload": "1"})]


def test_what_is_sensitive_is_sent_and_is_not_in_the_history() -> None:
    variables = {"x": {"type": "string", "sensitive": True}}
    parley = synced(scenario(ask("a", "x"), variables=variables))
    parley.say("hi")
    parley.say("4510123456", "2")
    assert in_short(parley) == [(1, "completed", {"x": "4510123456"})]
    assert "4510123456" not in str([entry.message_data for entry in parley.entries])


@pytest.mark.parametrize("words", [10_000, 40_000], ids=["it all fits", "it is too much"])
def test_what_is_told_of_runs_leaves_room_for_the_turn(words: int) -> None:
    variables = {"x": {"type": "string", "scope": "person"}}
    steps = say("a", "w" * words), ask("b", "y")
    commands = {"b": {"next_step": "b"}}
    parley = synced(scenario(*steps, commands=commands, variables=variables))
    large = "x" * (MAX_COLLECTED_BYTES - 100)
    parley.manager.handle(sealed(RunRequested(id="r", occurred_at=NOW, variables={"x": large})))
    parley.say("b")
    assert parley.say("/start") is Applied.TURN
    assert [run for run, _, _ in in_short(parley)] == [1, 2, 3]
    assert len(msgspec.json.encode(parley.dialog)) <= MAX_ITEM_BYTES


@pytest.mark.parametrize("how", ["begins", "goes on"])
def test_a_step_tells_of_the_run_under_way_what_its_end_will_tell(how: str) -> None:
    step = {"id": "s", "sync": {}}
    document = scenario(step) if how == "begins" else scenario(ask("a", "x", next_step="s"), step)
    parley = synced(document)
    parley.say("hi")
    if how == "goes on":
        parley.now += timedelta(minutes=1)
        parley.say("one")
    (task,) = parley.tasks.tasks
    assert task.request == {
        "run": 1,
        "status": "running",
        "collected_data": {} if how == "begins" else {"x": "one"},
        "scenario_id": SCENARIO_ID,
        "revision": 1,
        "started_at": "2026-11-22T10:00:00Z",
    }
