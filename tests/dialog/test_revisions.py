"""What becomes of runs under way when something else is activated, and of scenarios that they call."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from shared.dialog.events import GivenBack, HandedOff, RunRequested
from shared.dialog.manager import Applied
from shared.storage.memory import MemoryBots
from tests.dialog.test_manager import Parley, every_dialog_replays, sealed
from tests.dialog.world import NOW, SCENARIO_ID

__all__ = ["every_dialog_replays"]

STEPS: dict[str, dict[str, Any]] = {
    "name": {
        "message": {"text": "Name?"},
        "expected_input": {"type": "text", "variable": "name"},
        "next_step": "size",
    },
    "size": {
        "message": {"text": "Size?"},
        "buttons": [{"text": "S", "value": "s", "next_step": "small"}, {"text": "L", "value": "l"}],
        "expected_input": {"type": "button", "variable": "size"},
        "next_step": "bye",
    },
    "small": {"message": {"text": "Small."}, "next_step": "bye"},
    "bye": {"message": {"text": "Bye, {{ name }}."}},
}
COMMANDS = {"/help": {"next_step": "bye", "resume": True}}


def document(**changes: Any) -> dict[str, Any]:
    """The scenario with some of its steps (by id) or fields changed; None leaves a step out."""
    steps = {name: changes.pop(name, step) for name, step in deepcopy(STEPS).items()}
    described = [{"id": name, **step} for name, step in steps.items() if step is not None]
    return {"version": "1.0", "commands": COMMANDS, "steps": described} | changes


def changed(step: str, **fields: Any) -> dict[str, Any]:
    return document(**{step: {**STEPS[step], **fields}})


NEW = changed("bye", message={"text": "Farewell, {{ name }}."})


def asked_for_size(running: str, new: dict[str, Any] = NEW) -> Parley:
    """Somebody is asked for a size while something new is activated."""
    parley = Parley(document())
    parley.say("hello")
    parley.say("Anna")
    parley.save(new, running)
    parley.now += timedelta(minutes=1)
    return parley


@pytest.mark.parametrize(
    ("running", "texts", "place"),
    [
        ("keep", ["Bye, Anna."], (1, 1)),
        ("move", ["Farewell, Anna."], (2, 1)),
        ("restart", ["Name?"], (2, 2)),
    ],
)
def test_a_run_under_way_stays_goes_over_or_begins_anew(
    running: str, texts: list[str], place: tuple[int, int]
) -> None:
    parley = asked_for_size(running)
    said = len(parley.outbound.texts)
    assert parley.say("L") is Applied.TURN

    assert parley.outbound.texts[said:] == texts
    assert (parley.dialog.revision, parley.dialog.run) == place


def test_a_run_that_begins_anew_closes_the_old_one_and_takes_the_word_for_no_answer() -> None:
    parley = asked_for_size("restart", document(first_message="answer"))
    parley.say("L")

    entry = list(parley.entries)[-1]
    (ended,) = entry.message_data["ended_runs"]
    assert ended["collected_data"] == {"name": "Anna"}
    assert (ended["run"], ended["status"], ended["revision"]) == (1, "abandoned", 1)
    assert entry.message_data["scenario"]["how"] == "restarted"
    assert parley.dialog.variables == {}
    parley.say("Ben")
    assert parley.dialog.variables == {"name": "Ben"}
    assert (parley.dialog.run, parley.dialog.revision) == (2, 2)


@pytest.mark.parametrize(
    ("running", "ended"),
    [("keep", ("completed", 1)), ("move", ("completed", 2)), ("restart", ("abandoned", 1))],
)
def test_a_run_that_ended_tells_what_it_followed_and_since_when(running: str, ended: tuple[str, int]) -> None:
    parley = asked_for_size(running)
    parley.say("L")

    (run,) = list(parley.entries)[-1].message_data["ended_runs"]
    assert (run["status"], run["revision"]) == ended
    assert (run["scenario_id"], run["started_at"]) == (SCENARIO_ID, "2026-11-22T10:00:00Z")
    begun = NOW + timedelta(minutes=1) if running == "restart" else NOW
    assert parley.dialog.run_started_at == begun


def test_a_run_that_ends_as_it_begins_is_of_what_was_just_activated() -> None:
    parley = asked_for_size("keep", {"version": "1", "steps": [{"id": "hi", "message": {"text": "Hi."}}]})
    parley.say("/start")

    abandoned, completed = list(parley.entries)[-1].message_data["ended_runs"]
    assert (abandoned["run"], abandoned["status"], abandoned["revision"]) == (1, "abandoned", 1)
    assert (completed["run"], completed["status"], completed["revision"]) == (2, "completed", 2)
    assert (abandoned["started_at"], completed["started_at"]) == (
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:01:00Z",
    )


@pytest.mark.parametrize(
    "new",
    [
        changed("size", message={"text": "What size?"}),
        changed("size", timeout=None),
        changed("small", message={"text": "Tiny."}),
        document(size={**STEPS["size"], "buttons": [{"text": "M", "value": "m"}]}),
        document(variables={"score": {"type": "integer", "initial": 3}}),
        document(commands={}),
    ],
    ids=["words", "nothing", "another step", "buttons", "a new variable", "commands"],
)
def test_it_goes_over_where_it_can_go_on(new: dict[str, Any]) -> None:
    new["steps"] = [{k: v for k, v in step.items() if v is not None} for step in new["steps"]]
    parley = asked_for_size("move", new)
    parley.say("L")
    assert (parley.dialog.revision, parley.dialog.run) == (2, 1)
    assert list(parley.entries)[-1].message_data["scenario"]["how"] == "moved"


@pytest.mark.parametrize(
    "new",
    [
        changed("name", expected_input={"type": "integer", "variable": "name"}),
        changed("size", expected_input={"type": "text", "variable": "size"}),
        changed("size", expected_input={"type": "button", "variable": "format"}),
        document(size=None, name={**STEPS["name"], "next_step": "bye"}),
        document(small=None, size={**STEPS["size"], "buttons": [{"text": "L", "value": "l"}]}),
        document(name=None, start="size"),
        document(size=None, name={**STEPS["name"], "expected_input": {"type": "text"}, "next_step": "bye"}),
        changed("name", expected_input={"type": "text", "variable": "full_name"}),
    ],
    ids=[
        "a variable's type",
        "the input's type",
        "the input's variable",
        "the step is gone",
        "a choice's step is gone",
        "a variable and a question to go back to are gone",
        "the step and a variable are gone",
        "a variable is gone",
    ],
)
def test_it_stays_where_it_could_not(new: dict[str, Any]) -> None:
    parley = asked_for_size("move", new)
    parley.say("L")
    assert (parley.dialog.revision, parley.dialog.run) == (1, 1)
    assert parley.outbound.texts[-1] == "Bye, Anna."


def test_a_variable_that_only_the_new_revision_has_gets_its_initial_value() -> None:
    score = {"score": {"type": "integer", "initial": 3}, "name": {"type": "string", "initial": "Nobody"}}
    parley = asked_for_size("move", document(variables=score))
    parley.say("L")
    assert parley.dialog.variables == {"score": 3, "name": "Anna", "size": "l"}


def test_conditions_that_led_somewhere_once_do_so_no_more_wherever_they_stand_now() -> None:
    again = {"if": "name == 'Anna'", "then": "size"}
    parley = Parley(document(conditions=[again]))
    for text in ("hello", "Anna", "L"):
        parley.say(text)
    assert parley.dialog.used_conditions == (0,)
    parley.save(document(conditions=[{"if": "size == 'x'", "then": "bye"}, again]), "move")
    parley.now += timedelta(minutes=1)

    parley.say("l")
    assert (parley.dialog.revision, parley.dialog.status) == (2, "completed")


def test_a_command_s_detour_goes_over_with_the_run() -> None:
    slow = {"message": {"text": "Help?"}, "expected_input": {"type": "text", "variable": "topic"}}
    parley = Parley(document(bye=slow))
    for text in ("hello", "Anna", "/help"):
        parley.say(text)
    assert parley.dialog.detour
    parley.save(document(bye=slow, small={"message": {"text": "Tiny."}}), "move")
    parley.now += timedelta(minutes=1)

    parley.say("everything")
    assert parley.dialog.revision == 2
    assert parley.outbound.texts[-1] == "Size?"
    parley.say("S")
    assert parley.outbound.texts[-1] == "Tiny."


@pytest.mark.parametrize("running", ["move", "restart"])
def test_whoever_is_in_an_operator_s_hands_stays_there(running: str) -> None:
    parley = asked_for_size(running)
    parley.manager.handle(sealed(HandedOff(id="h", occurred_at=NOW)))
    parley.say("L")
    assert (parley.dialog.status, parley.dialog.revision, parley.dialog.run) == ("handed_off", 1, 1)

    parley.manager.handle(sealed(GivenBack(id="g", occurred_at=NOW)))
    assert parley.dialog.revision == 1, "the person has not said anything yet"
    parley.say("l")
    assert parley.dialog.revision == 2


@pytest.mark.parametrize("running", ["keep", "move", "restart"])
def test_the_next_run_follows_what_is_active(running: str) -> None:
    parley = asked_for_size(running)
    request = RunRequested(
        id="r", occurred_at=parley.now, variables={"name": "Ben", "colour": "red"}, by="me"
    )
    parley.manager.handle(sealed(request))

    assert (parley.dialog.revision, parley.dialog.run) == (2, 2)
    assert parley.dialog.variables == {"name": "Ben"}
    entry = list(parley.entries)[-1]
    assert entry.message_type == "system"
    assert "colour" in entry.message_data["notes"][0]


def test_a_rollback_moves_runs_back() -> None:
    parley = asked_for_size("move")
    parley.activate(1)
    parley.say("nonsense")
    parley.activate(2, "move")
    parley.now += timedelta(minutes=1)
    parley.say("more nonsense")
    assert parley.dialog.revision == 2
    parley.activate(1, "move")
    parley.now += timedelta(minutes=1)
    parley.say("L")
    assert (parley.dialog.revision, parley.outbound.texts[-1]) == (1, "Bye, Anna.")


def test_what_is_active_is_looked_at_by_the_way_and_not_more_than_twice_a_minute() -> None:
    class Counted(MemoryBots):
        reads = 0

        def active_scenario(self, bot_id: str) -> Any:
            Counted.reads += 1
            return super().active_scenario(bot_id)

    parley = asked_for_size("keep")
    parley.bots.__class__ = Counted
    for number in range(10):
        parley.now += timedelta(seconds=10)
        parley.say(f"nonsense {number}")
    assert 3 <= Counted.reads <= 4


@pytest.mark.parametrize("running", ["move", "restart"])
def test_an_activation_is_heard_of_within_half_a_minute(running: str) -> None:
    parley = Parley(document())
    parley.say("hello")
    parley.save(NEW, running)
    parley.now += timedelta(seconds=29)
    parley.say("Anna")
    assert parley.dialog.revision == 1
    parley.now += timedelta(seconds=1)
    parley.say("L")
    assert parley.dialog.revision == 2


# --- called scenarios -------------------------------------------------------------------------------

CHILD = "00000000-0000-4000-8000-00000000000c"
CALLING: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {"id": "name", "expected_input": {"type": "text", "variable": "name"}, "message": {"text": "Name?"}},
        {"id": "call", "scenario": {"id": CHILD, "outputs": {"colour": "colour"}}, "next_step": "bye"},
        {"id": "bye", "message": {"text": "{{ colour }}"}},
    ],
}
CALLING["steps"][0]["next_step"] = "call"


def child(question: str) -> dict[str, Any]:
    step = {
        "id": "colour",
        "message": {"text": question},
        "expected_input": {"type": "text", "variable": "colour"},
    }
    return {"version": "1.0", "steps": [step]}


def calling() -> Parley:
    parley = Parley(CALLING)
    head = parley.scenarios.get(SCENARIO_ID)
    parley.scenarios.create(
        type(head)(id=CHILD, bot_id=head.bot_id, name="c", created_at=NOW, updated_at=NOW), child("Colour?")
    )
    parley.activate(1, called={CHILD: 1})
    parley.say("hello")
    return parley


def test_the_revisions_of_called_scenarios_are_locked_with_the_run() -> None:
    parley = calling()
    parley.scenarios.add_revision(CHILD, child("Another colour?"), "c", "", "1.1")
    parley.activate(1, called={CHILD: 2})
    parley.say("Anna")
    assert parley.outbound.texts[-1] == "Colour?"
    assert parley.dialog.called == {CHILD: 1}
    parley.say("red")
    assert parley.outbound.texts[-1] == "red"

    parley.say("/start")
    parley.say("Ben")
    assert parley.outbound.texts[-1] == "Another colour?"


def test_a_run_stays_while_it_is_in_a_called_scenario_and_goes_over_before_and_after() -> None:
    parley = calling()
    parley.scenarios.add_revision(CHILD, child("Another colour?"), "c", "", "1.1")
    parley.say("Anna")
    parley.activate(1, "move", called={CHILD: 2})
    parley.now += timedelta(minutes=1)
    parley.say("")
    assert parley.dialog.called == {CHILD: 1}

    before = calling()
    before.scenarios.add_revision(CHILD, child("Another colour?"), "c", "", "1.1")
    before.activate(1, "move", called={CHILD: 2})
    before.now += timedelta(minutes=1)
    before.say("Anna")
    assert (before.dialog.called, before.outbound.texts[-1]) == ({CHILD: 2}, "Another colour?")
