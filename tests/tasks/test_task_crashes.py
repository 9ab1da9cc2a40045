"""Kill a worker at every call of a dialog with tasks, before it and after it: each has one result, and what
was found out is found out again only where it was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.dialog.events import TaskFinished
from shared.dialog.history import HistoryEntry
from shared.dialog.replay import Difference
from shared.dialog.state import Dialog
from shared.errors import GiveUp, TaskFailed
from shared.queueing.envelopes import TaskEnvelope, read_work
from shared.tasks.performing import Attempt, Job
from tests.conftest import empty_tables
from tests.dialog.world import Death, Fate, World

DOCUMENT: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "name",
            "message": {"text": "Name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "think",
        },
        {"id": "think", "llm": {"prompt": "Greet {{ name }}", "variable": "word"}, "next_step": "look"},
        {
            "id": "look",
            "http": {"method": "GET", "url": "https://example.com/{{ name }}", "on_error": "told"},
            "end": True,
        },
        {"id": "told", "sync": True, "next_step": "bye"},
        {"id": "bye", "message": {"text": "{{ word }}"}, "end": True},
    ],
}
"""A task that finds something out, one that fails in an ordinary way, and one that is given up."""


@dataclass
class Outside:
    """What tasks ask; `asked` are the calls that came through, in their order."""

    fate: Fate
    asked: list[str] = field(default_factory=list)

    def jobs(self) -> Mapping[str, Job]:
        return {"llm": Job(self.think), "http": Job(self.look), "sync": Job(self.break_down)}

    def think(self, work: TaskEnvelope, _attempt: Attempt) -> dict[str, Any]:
        self._ask(work)
        return {"text": "Good morning"}

    def look(self, work: TaskEnvelope, _attempt: Attempt) -> dict[str, Any]:
        self._ask(work)
        raise TaskFailed("The server does not answer.")

    def break_down(self, work: TaskEnvelope, _attempt: Attempt) -> dict[str, Any]:
        self._ask(work)
        raise GiveUp("The table is gone.")

    def _ask(self, work: TaskEnvelope) -> None:
        with self.fate.call("outside"):
            self.asked.append(work.task.kind)


@dataclass(frozen=True)
class Life:
    """What a whole conversation left behind; `deaths` are those since what its first task came of."""

    calls: list[str]
    deaths: list[Death]
    asked: list[str]
    texts: list[str]
    dialog: Dialog
    entries: list[HistoryEntry]
    dead: set[str]
    difference: Difference | None


def live(*, kill_at: int | None = None, after: bool = False, deduplicates: bool = True) -> Life:
    outside = Outside(Fate(kill_at, after))
    with empty_tables():
        world = World(DOCUMENT, deduplicates, fate=outside.fate, jobs=outside.jobs())
        world.say("hello")
        world.settle()
        begun = len(outside.fate.calls)
        world.say("Ivan")
        world.settle()
        return Life(
            list(outside.fate.calls),
            [death for death in outside.fate.deaths() if death.number >= begun],
            outside.asked,
            world.texts,
            world.dialog,
            world.entries,
            {read_work(body).failure.partition(" (")[0] for body in world.dead_tasks.bodies},
            world.difference(),
        )


UNTROUBLED = live()
POINTS = [
    pytest.param(
        death,
        deduplicates,
        id=f"{death.number}-{'after' if death.after else 'before'}-{UNTROUBLED.calls[death.number]}-{fresh}",
    )
    for death in UNTROUBLED.deaths
    for deduplicates, fresh in ((True, "deduplicated"), (False, "expired"))
    if deduplicates or death.has_sent
]


def is_lost(death: Death) -> bool:
    """Whether it comes between an answer from outside and its being kept."""
    answered = death.number if death.after else death.number - 1
    return answered >= 0 and UNTROUBLED.calls[answered] == "outside"


def results_in(entries: list[HistoryEntry]) -> list[TaskFinished]:
    """The results that were applied."""
    told = [entry.message_data.get("event", {}) for entry in entries]
    return [each for each in told if each.get("type") == "task_finished"]


def test_a_conversation_without_faults_is_what_we_compare_with() -> None:
    assert UNTROUBLED.asked == ["llm", "http", "sync"]
    assert UNTROUBLED.texts == ["Name?", "Good morning"]
    assert UNTROUBLED.dialog.status == "completed"
    assert len(results_in(UNTROUBLED.entries)) == 3
    assert UNTROUBLED.dead == {"GiveUp: The table is gone."}


@pytest.mark.parametrize(("death", "deduplicates"), POINTS)
def test_a_worker_killed_anywhere_leaves_one_result_for_each_task(
    death: Death, *, deduplicates: bool
) -> None:
    life = live(kill_at=death.number, after=death.after, deduplicates=deduplicates)

    assert life.dialog == UNTROUBLED.dialog
    assert life.difference is None
    assert results_in(life.entries) == results_in(UNTROUBLED.entries)
    assert life.dead == UNTROUBLED.dead
    assert list(dict.fromkeys(life.asked)) == UNTROUBLED.asked
    assert len(life.asked) - len(UNTROUBLED.asked) == is_lost(death)
