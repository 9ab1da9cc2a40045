"""Kill a worker at every call of a turn, before it and after it, and see that nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import pytest

from shared.dialog.history import HistoryEntry
from shared.dialog.replay import Difference
from shared.dialog.state import Dialog, Task
from tests.conftest import empty_tables
from tests.dialog.world import NOW, Death, Fate, World, task_in

DOCUMENT: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "name",
            "message": {"text": "Name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "thanks",
        },
        {
            "id": "thanks",
            "message": [{"text": "Thanks, {{ name }}."}, {"text": "One more.", "delay": "2s"}],
            "next_step": "city",
        },
        {
            "id": "city",
            "message": {"text": "City?"},
            "buttons": [{"text": "Riga", "value": "riga"}, {"text": "Oslo", "value": "oslo"}],
            "expected_input": {"type": "button", "variable": "city"},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "x" * 5000}, "end": True},
    ],
}
"""A turn of three messages, a turn that opens the dialog, and one whose message takes two requests."""

CHILD = str(uuid5(NAMESPACE_URL, "child"))
BUSY: dict[str, Any] = {
    "version": "1.0",
    "variables": {"pin": {"type": "string", "sensitive": True}},
    "steps": [
        {
            "id": "pin",
            "message": {"text": "PIN, {{ contact.name }}?"},
            "expected_input": {
                "type": "text",
                "variable": "pin",
                "timeout": {"after": "1h", "remind": "Still there?"},
            },
            "next_step": "call",
        },
        {"id": "call", "scenario": {"id": CHILD, "outputs": {"colour": "colour"}}, "next_step": "think"},
        {
            "id": "think",
            "llm": {"prompt": "A word about {{ colour }}", "variable": "word"},
            "next_step": "wait",
        },
        {"id": "wait", "wait": "30s", "next_step": "bye"},
        {"id": "bye", "message": {"text": "{{ word }}"}, "end": True},
    ],
}
CALLED: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "colour",
            "message": {"text": "Colour?"},
            "expected_input": {"type": "text", "variable": "colour"},
            "end": True,
        }
    ],
}
SYNC = {"has_sync": True, "contact_fields": {"name": "string"}}
"""What a turn may want besides messages: timers of both kinds, tasks, a secret, another scenario; and a main
system that is asked at the beginning and told at the end."""


@dataclass(frozen=True)
class Life:
    """What a whole conversation left behind."""

    calls: list[str]
    deaths: list[Death]
    texts: list[str]
    dialog: Dialog
    entries: list[HistoryEntry]
    tasks: list[Task]
    difference: Difference | None

    @property
    def doubled(self) -> list[str]:
        """Texts that the history says may have been sent twice."""
        return [e.message_data["text"] for e in self.entries if e.delivery and e.delivery.possibly_doubled]


def small_talk(world: World) -> None:
    for text in ("hello", "Ivan", "riga"):
        world.say(text)
        world.settle()


def hard_work(world: World) -> None:
    world.say("hello")
    world.settle()
    world.respond(contact={"name": "Ann"})
    world.later(hours=1)
    world.say("4321")
    world.settle()
    world.say("red")
    world.settle()
    world.respond(text="warm")
    world.later(minutes=1)


CONVERSATIONS: dict[str, tuple[Callable[[World], None], dict[str, Any]]] = {
    "small talk": (small_talk, {"document": DOCUMENT}),
    "hard work": (hard_work, {"document": BUSY, "called": {CHILD: CALLED}, "sync": SYNC}),
}


def live(name: str, *, kill_at: int | None = None, after: bool = False, deduplicates: bool = True) -> Life:
    converse, scenario = CONVERSATIONS[name]
    with empty_tables():
        world = World(deduplicates=deduplicates, fate=Fate(kill_at, after), **scenario)
        converse(world)
        tasks = [task_in(body).task for body in world.tasks.bodies]
        return Life(
            list(world.fate.calls),
            list(world.fate.deaths()),
            world.texts,
            world.dialog,
            world.entries,
            tasks,
            world.difference(),
        )


UNTROUBLED = {name: live(name) for name in CONVERSATIONS}
POINTS = [
    pytest.param(
        name,
        death,
        deduplicates,
        id=f"{name}-{death.number}-{'after' if death.after else 'before'}-{life.calls[death.number]}-{fresh}",
    )
    for name, life in UNTROUBLED.items()
    for death in life.deaths
    for deduplicates, fresh in ((True, "deduplicated"), (False, "expired"))
    if deduplicates or death.has_sent
]


def without_doubt(entry: HistoryEntry) -> HistoryEntry:
    """The entry as if its messenger had always answered: ids and times aside, for what was sent again."""
    if entry.delivery is None:
        return entry
    settled = msgspec.structs.replace(
        entry.delivery, possibly_doubled=False, message_ids=("id",) * len(entry.delivery.message_ids)
    )
    return msgspec.structs.replace(entry, delivery=settled, timestamp=NOW, created_at=NOW)


def in_order(texts: list[str]) -> list[str]:
    """The texts without immediate repeats."""
    return [text for place, text in enumerate(texts) if place == 0 or texts[place - 1] != text]


def test_a_conversation_without_faults_is_what_we_compare_with() -> None:
    life = UNTROUBLED["small talk"]
    assert life.texts[:5] == ["Name?", "Thanks, Ivan.", "One more.", "City?", "x" * 4096]
    assert "".join(life.texts[4:]) == "x" * 5000
    assert life.dialog.variables == {"name": "Ivan", "city": "riga"}
    assert life.doubled == []
    assert {"GetItem", "PutItem", "SendMessage", "messenger"} <= set(life.calls)


def test_a_conversation_of_all_that_a_turn_may_want_is_too() -> None:
    life = UNTROUBLED["hard work"]
    assert life.texts == ["PIN, Ann?", "Still there?", "Colour?", "warm"]
    assert life.dialog.variables == {"pin": "4321", "colour": "red", "word": "warm"}
    assert life.dialog.status == "completed"
    assert {"CreateSchedule", "Encrypt"} <= set(life.calls)
    asked, thought, told = life.tasks
    assert (asked.kind, thought.request["prompt"]) == ("contact", "A word about red")
    assert (told.kind, told.request["collected_data"]) == ("sync_run", life.dialog.variables)
    assert not any(word in str([entry.message_data for entry in life.entries]) for word in ("4321", "'Ann'"))


@pytest.mark.parametrize(("name", "death", "deduplicates"), POINTS)
def test_a_worker_killed_anywhere_loses_nothing(name: str, death: Death, *, deduplicates: bool) -> None:
    life = live(name, kill_at=death.number, after=death.after, deduplicates=deduplicates)
    untroubled = UNTROUBLED[name]

    assert life.dialog == untroubled.dialog
    assert [without_doubt(entry) for entry in life.entries] == [without_doubt(e) for e in untroubled.entries]
    assert life.difference is None
    assert all(task in untroubled.tasks for task in life.tasks), "a task that is sent twice is the same"
    assert all(task in life.tasks for task in untroubled.tasks), "and none is lost"
    repeats = list(life.texts)
    for text in untroubled.texts:
        repeats.remove(text)
    assert len(repeats) <= 1, "one death doubles one message at the most"
    assert all(any(text in whole for whole in life.doubled) for text in repeats), "and it is recorded"
    assert in_order(life.texts) == untroubled.texts
