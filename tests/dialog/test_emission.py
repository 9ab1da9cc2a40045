"""What a turn sets going besides messages, whose events are taken, and what nobody may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.dialog.events import (
    ButtonPressed,
    Event,
    GivenBack,
    HandedOff,
    OperatorWrote,
    RunRequested,
    TaskFinished,
    TimerFired,
)
from shared.dialog.history import HistoryEntry
from shared.dialog.manager import LATE_AFTER, Applied
from shared.dialog.replay import replay
from shared.dialog.sealing import MASK
from shared.dialog.state import Dialog, Task, Timer
from shared.errors import NotAccepted
from shared.queueing.envelopes import OutboundEnvelope
from shared.scenario.caps import MAX_TURN_BYTES
from shared.storage.dialogs import DynamoDialogs
from shared.storage.memory import MemoryHistory
from shared.storage.tables import MAX_ITEM_BYTES
from tests.conftest import Aws
from tests.dialog.test_manager import Parley, every_dialog_replays, sealed
from tests.dialog.world import NOW, SCENARIO_ID

__all__ = ["every_dialog_replays"]

SECRET = "4510 123456"
ASKING_SECRETS: dict[str, Any] = {
    "version": "1.0",
    "variables": {
        "passport": {"type": "string", "sensitive": True},
        "sex": {"type": "string", "sensitive": True},
    },
    "steps": [
        {
            "id": "name",
            "message": {"text": "Name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "passport",
        },
        {
            "id": "passport",
            "message": {"text": "Passport?"},
            "expected_input": {"type": "text", "variable": "passport", "validation": {"max_length": 11}},
            "next_step": "sex",
        },
        {
            "id": "sex",
            "message": {"text": "Sex?"},
            "buttons": [{"text": "Female", "value": "f"}, {"text": "Male", "value": "m"}],
            "expected_input": {"type": "button", "variable": "sex"},
            "next_step": "more",
        },
        {
            "id": "more",
            "message": {"text": "More?"},
            "expected_input": {"type": "text", "variable": "more"},
        },
    ],
}


class Log:
    """Notes what the ports below are given, in order, or refuses one of them."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.refused = ""

    def note(self, what: str) -> None:
        if what == self.refused:
            raise NotAccepted(what, ["Throttled"])
        self.noted.append(what)


@dataclass
class LoggedHistory(MemoryHistory):
    log: Log

    def __post_init__(self) -> None:
        super().__init__()

    def record(self, entry: HistoryEntry) -> None:
        self.log.note("history")
        super().record(entry)


@dataclass
class LoggedOutbound:
    log: Log

    def send(self, envelope: OutboundEnvelope) -> None:
        self.log.note("messages")


@dataclass
class LoggedTimers:
    log: Log

    def set(self, timer: Timer, dialog: Dialog, trace_id: str) -> None:
        self.log.note(f"timer {timer.number}")


@dataclass
class LoggedTasks:
    log: Log

    def send(self, task: Task, dialog: Dialog, trace_id: str, last_message_id: str = "") -> None:
        self.log.note(f"task {task.number}")


TIMED: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "one",
            "message": {"text": "One?"},
            "expected_input": {
                "type": "text",
                "variable": "one",
                "timeout": {"after": "1h", "remind": "Still there?"},
            },
            "next_step": "two",
        },
        {"id": "two", "message": {"text": "Hm."}, "llm": {"prompt": "A word"}, "next_step": "one"},
    ],
}


def fired(parley: Parley, number: int, epoch: str = "", at: datetime = NOW) -> Applied:
    epoch = epoch or parley.dialog.epoch
    event = TimerFired(id=f"timer/{epoch}/{number}", occurred_at=at, epoch=epoch, timer=number)
    return parley.manager.handle(sealed(event))


def finished(parley: Parley, number: int, text: str = "warm") -> Applied:
    event = TaskFinished(
        id=f"task {number}",
        occurred_at=NOW,
        epoch=parley.dialog.epoch,
        task=number,
        result={"text": text},
    )
    return parley.manager.handle(sealed(event))


@pytest.mark.parametrize("refused", ["", "history", "messages", "timer 1", "task 2"])
def test_all_that_a_turn_wants_is_done_in_order_and_again_until_it_is(refused: str) -> None:
    parley, log = Parley(TIMED), Log()
    parley.history = LoggedHistory(log)
    parley.manager = replace(
        parley.manager,
        history=parley.history,
        outbound=LoggedOutbound(log),
        timers=LoggedTimers(log),
        tasks=LoggedTasks(log),
    )
    expected = {"hello": ["history", "messages", "timer 1"], "yes": ["history", "messages", "task 2"]}
    for text, noted in expected.items():
        log.noted, log.refused = [], refused
        if refused in noted:
            with pytest.raises(NotAccepted):
                parley.say(text)
            assert log.noted == noted[: noted.index(refused)]
        log.noted, log.refused = [], ""
        parley.say(text)
        assert log.noted == noted


def test_a_timer_that_is_set_is_the_one_that_the_dialog_waits_for() -> None:
    parley = Parley(TIMED)
    parley.say("hello")
    assert parley.timers.timers == [parley.dialog.ask.timer]
    parley.now += timedelta(hours=1)

    assert fired(parley, 1) is Applied.TURN
    assert parley.outbound.texts == ["One?", "Still there?"]
    assert fired(parley, 1) is Applied.KNOWN
    assert parley.outbound.texts[1:] == ["Still there?"] * 2, "marked as emitted again"


@pytest.mark.parametrize(
    ("number", "epoch"), [(7, ""), (1, "00000000")], ids=["of an answered question", "of another epoch"]
)
def test_a_timer_of_something_else_is_a_turn_that_says_nothing(number: int, epoch: str) -> None:
    parley = Parley(TIMED)
    parley.say("hello")
    before = parley.dialog.last_interaction_at
    parley.now += timedelta(hours=1)

    assert fired(parley, number, epoch) is Applied.TURN
    assert parley.outbound.texts == ["One?"]
    entry = list(parley.entries)[-1]
    assert (entry.turn, entry.message_type, entry.messages) == (2, "system", 0)
    assert parley.dialog.last_interaction_at == before


def test_only_a_person_s_events_can_come_too_late() -> None:
    parley = Parley(TIMED)
    parley.say("hello")
    parley.say("yes")
    parley.say("nonsense", ago=-2 * LATE_AFTER)
    parley.now += 3 * LATE_AFTER
    parley.say("more nonsense", "u9", ago=-2 * LATE_AFTER)

    assert finished(parley, parley.tasks.tasks[0].number) is Applied.TURN
    assert fired(parley, 1, at=NOW) is Applied.TURN
    assert parley.manager.handle(sealed(OperatorWrote(id="o", occurred_at=NOW, text="Hi"))) is Applied.TURN
    assert parley.say("old") is Applied.LATE
    assert parley.dialog.last_interaction_at == NOW + 2 * LATE_AFTER


@pytest.mark.parametrize(
    "event",
    [
        TimerFired(id="1", occurred_at=NOW, epoch="00000000", timer=1),
        TaskFinished(id="1", occurred_at=NOW, epoch="00000000", task=1),
        HandedOff(id="1", occurred_at=NOW),
        OperatorWrote(id="1", occurred_at=NOW, text="Hello"),
        GivenBack(id="1", occurred_at=NOW),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_was_meant_for_a_dialog_that_is_gone_makes_no_new_one(event: Event) -> None:
    parley = Parley(TIMED)
    assert parley.manager.handle(sealed(event)) is Applied.NO_DIALOG
    assert parley.dialog is None


def test_a_run_that_is_requested_opens_a_dialog() -> None:
    parley = Parley(ASKING_SECRETS)
    request = RunRequested(id="1", occurred_at=NOW, variables={"name": "Ben"}, by="me")
    assert parley.manager.handle(sealed(request)) is Applied.TURN
    assert parley.outbound.texts == ["Name?"]
    assert (parley.dialog.run, parley.dialog.variables) == (1, {"name": "Ben"})


def test_what_operators_do_is_theirs_in_the_history() -> None:
    parley = Parley(TIMED)
    parley.say("hello")
    events = [
        HandedOff(id="1", occurred_at=NOW, reason="angry", by="me"),
        OperatorWrote(id="2", occurred_at=NOW, text="I am here", by="me"),
        GivenBack(id="3", occurred_at=NOW, by="me"),
    ]
    for event in events:
        assert parley.manager.handle(sealed(event)) is Applied.TURN
    parley.say("yes")

    assert [entry.message_type for entry in parley.entries] == ["user", *["operator"] * 3, "user"]
    assert parley.outbound.texts == ["One?", "I am here", "One?", "Hm."]
    assert parley.outbound.envelopes[1].messages[0].by_operator


def test_without_a_scenario_an_operator_is_not_heard_of() -> None:
    parley = Parley(TIMED)
    parley.activate(None)
    parley.say("hello")
    handed = HandedOff(id="1", occurred_at=NOW)
    assert parley.manager.handle(sealed(handed)) is Applied.NO_SCENARIO
    parley.activate(1)
    assert parley.manager.handle(sealed(msgspec.structs.replace(handed, id="2"))) is Applied.TURN
    assert parley.dialog.status == "handed_off"


def test_an_event_too_large_to_be_kept_is_applied_all_the_same(aws_account: Aws) -> None:
    parley = Parley(TIMED, dialogs=DynamoDialogs())
    parley.say("hello")
    assert parley.say("я" * MAX_ITEM_BYTES, "u2") is Applied.TURN

    assert parley.dialog.pending.kind == "llm"
    data = list(parley.entries)[-1].message_data
    assert data.keys() == {"random", "omitted"}
    assert str(parley.difference()) == f"turn 2: the event was not kept: {data['omitted']}"


CHAIN = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(5)]
FULL: dict[str, Any] = {
    "version": "1.0",
    "variables": {name: {"type": "string", "scope": "person"} for name in ("a", "b")},
    "commands": {"/more": {"next_step": "a", "resume": True}},
    "steps": [
        {"id": "call", "scenario": {"id": CHAIN[0]}},
        *(
            {
                "id": name,
                "message": {"text": "More?"},
                "expected_input": {"type": "text", "variable": name},
                "next_step": following,
            }
            for name, following in (("a", "b"), ("b", "a"))
        ),
    ],
}
"""Calls scenarios that are full of initial values; what a command collects meanwhile comes on top."""


def full(following: str | None) -> dict[str, Any]:
    onwards = {"scenario": {"id": following}} if following else {"expected_input": {"type": "text"}}
    return {
        "version": "1.0",
        "variables": {"long": {"type": "string", "initial": "x" * 30_000}, "copy": {"type": "string"}},
        "steps": [{"id": "q", "before": {"copy": "long"}, "message": {"text": "Well?"}, **onwards}],
    }


def test_whatever_a_dialog_collects_it_can_be_kept(aws_account: Aws) -> None:
    parley = Parley(FULL, dialogs=DynamoDialogs())
    head = parley.scenarios.get(SCENARIO_ID)
    for scenario_id, following in zip(CHAIN, [*CHAIN[1:], None], strict=True):
        parley.scenarios.create(replace(head, id=scenario_id), full(following))
    parley.activate(1, called=dict.fromkeys(CHAIN, 1))

    sizes = []
    for number, text in enumerate(("hello", "/more", "я" * 15_000, "я" * 15_000, "bye")):
        assert parley.say(text, f"u{number}") is Applied.TURN
        sizes.append(len(msgspec.json.encode(msgspec.structs.replace(parley.dialog, outbox=None))))
    assert max(sizes) > MAX_TURN_BYTES * 0.9, "it came close"
    assert max(sizes) <= MAX_TURN_BYTES
    assert parley.difference() is None


# --- what nobody may read -----------------------------------------------------------------------------


def asked_for_the_passport() -> Parley:
    parley = Parley(ASKING_SECRETS)
    parley.say("hello", "u1")
    parley.say("Anna", "u2")
    return parley


def written(parley: Parley) -> str:
    """All that is kept of the dialog but for its own state, sealed parts left out."""
    kept = [msgspec.to_builtins(entry) for entry in parley.entries]
    outbox = msgspec.to_builtins(parley.dialog.outbox)
    for entry in [*kept, outbox["entry"]]:
        entry["message_data"].pop("sealed", None)
    return str([kept, outbox])


def test_a_sensitive_answer_is_in_the_dialog_and_sealed_everywhere_else() -> None:
    parley = asked_for_the_passport()
    parley.say(SECRET, "u3")

    assert parley.dialog.variables["passport"] == SECRET
    assert parley.dialog.sensitive == ("passport", "sex")
    assert SECRET not in written(parley)
    event = list(parley.entries)[-1].message_data["event"]
    assert event == {
        "type": "message_received",
        "id": "u3",
        "occurred_at": "2026-11-22T10:00:00Z",
        "text": MASK,
    }
    assert "Anna" in written(parley)


def test_an_answer_that_was_refused_is_as_secret() -> None:
    parley = asked_for_the_passport()
    parley.say(SECRET + "7", "u3")
    assert "passport" not in parley.dialog.variables
    assert SECRET not in written(parley)


def test_an_answer_that_came_too_late_may_have_been_a_secret() -> None:
    parley = asked_for_the_passport()
    assert parley.say(SECRET, "u3", ago=2 * LATE_AFTER) is Applied.LATE
    assert SECRET not in written(parley)


def test_a_choice_that_is_sensitive_is_not_told_by_its_label() -> None:
    parley = asked_for_the_passport()
    parley.say(SECRET, "u3")
    button = parley.outbound.envelopes[-1].messages[0].buttons[0]
    parley.manager.handle(sealed(ButtonPressed(id="p", occurred_at=NOW, data=button.data)))

    assert parley.dialog.variables["sex"] == "f"
    data = list(parley.entries)[-1].message_data
    assert "label" not in data
    assert "data" not in data["event"]


def test_runs_that_ended_keep_their_secrets() -> None:
    parley = asked_for_the_passport()
    parley.say(SECRET, "u3")
    parley.say("/start", "u4")

    data = list(parley.entries)[-1].message_data
    assert data["event"]["text"] == "/start"
    assert data["ended_runs"][0]["collected_data"] == {"name": "Anna", "passport": MASK}
    assert SECRET not in written(parley)


def test_a_secret_may_come_from_outside_too_and_more_than_once() -> None:
    parley = Parley(ASKING_SECRETS)
    for number in range(2):
        request = RunRequested(id=str(number), occurred_at=NOW, variables={"passport": SECRET}, by="me")
        parley.manager.handle(sealed(request))
        assert parley.dialog.variables == {"passport": SECRET}
    assert SECRET not in written(parley)


@pytest.mark.parametrize("variable", ["passport", "word"])
def test_what_a_task_brings_may_be_a_secret(variable: str) -> None:
    step = {"id": "look", "llm": {"prompt": "?", "variable": variable}, "next_step": "name"}
    parley = Parley({**ASKING_SECRETS, "steps": [step, *ASKING_SECRETS["steps"]]})
    parley.say("hello", "u1")
    finished(parley, parley.tasks.tasks[-1].number, SECRET)
    assert parley.dialog.variables == {variable: SECRET}
    assert SECRET not in written(parley)


def test_a_secret_in_a_deep_link_is_one_each_time() -> None:
    declared = {**ASKING_SECRETS["variables"], "start_payload": {"type": "string", "sensitive": True}}
    parley = Parley({**ASKING_SECRETS, "variables": declared})
    for number in range(2):
        parley.say(f"/start {SECRET}", f"u{number}")
    assert parley.dialog.variables == {"start_payload": SECRET}
    assert SECRET not in written(parley)


def test_nothing_is_sealed_that_is_not_secret() -> None:
    class Locked:
        def seal(self, plain: bytes, context: Mapping[str, str]) -> str:
            raise AssertionError

    parley = Parley(ASKING_SECRETS)
    parley.manager = replace(parley.manager, sealer=Locked())
    parley.say("hello", "u1")
    parley.say("Anna", "u2")
    with pytest.raises(AssertionError):
        parley.say(SECRET, "u3")
    assert parley.dialog.turn == 2, "what cannot be sealed is not committed"


def test_without_the_key_a_replay_says_where_it_ends() -> None:
    parley = asked_for_the_passport()
    parley.say(SECRET, "u3")
    found = replay(parley.dialog, parley.entries, parley.manager.scenarios.get)
    assert str(found) == "turn 3: erased at turn 3"
