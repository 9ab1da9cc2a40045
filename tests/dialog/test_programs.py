"""What a worker keeps in memory: compiled revisions, and what bots run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.dialog.ports import ActiveScenario
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.errors import NotFound, ScenarioUnusable

DOCUMENT: dict[str, Any] = {"version": "1.0", "steps": [{"id": "a", "message": {"text": "Hello"}}]}
SIZE = len(msgspec.json.encode(DOCUMENT))


class Bots:
    """Bots by name; counts how often it is asked. `latest` is the revision they run."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.latest = 1

    def active_scenario(self, bot_id: str) -> ActiveScenario | None:
        self.asked.append(bot_id)
        return ActiveScenario("Bot", "UTC", "s", self.latest) if bot_id != "idle" else None


class Revisions:
    """Revisions, all alike but for those that are broken; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
        self.asked.append((scenario_id, revision))
        if scenario_id == "gone":
            raise NotFound("revision")
        return {"steps": 5} if scenario_id == "broken" else DOCUMENT


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_revision_is_compiled_once_whoever_calls_it() -> None:
    revisions = Revisions()
    compiled = CompiledScenarios(revisions)
    own = compiled.get("a", 1, {"b": 1, "c": 2})
    other = compiled.get("b", 1, {"c": 2})
    compiled.get("a", 1)

    assert revisions.asked == [("a", 1), ("b", 1), ("c", 2)]
    assert own.called["b"] is other.scenario
    assert own.called["c"] is other.called["c"]
    assert compiled.get("a", 1).called == {}


@pytest.mark.parametrize(("room", "reads"), [(3 * SIZE, 3), (2 * SIZE, 4), (1, 8)])
def test_called_ones_count_as_much_as_others(room: int, reads: int) -> None:
    revisions = Revisions()
    compiled = CompiledScenarios(revisions, room)
    for scenario_id, called in (
        ("a", {"b": 1}),
        ("b", {}),
        ("c", {}),
        ("b", {}),
        ("a", {}),
        ("b", {}),
        ("a", {"b": 1}),
    ):
        assert compiled.get(scenario_id, 1, called).called.keys() == called.keys()
    assert len(revisions.asked) == reads


@pytest.mark.parametrize(("scenario_id", "error"), [("gone", NotFound), ("broken", ScenarioUnusable)])
def test_a_called_one_that_cannot_be_had_is_told(scenario_id: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        CompiledScenarios(Revisions()).get("a", 1, {scenario_id: 1})


def test_what_a_bot_runs_is_remembered_for_a_while() -> None:
    bots, clock = Bots(), Clock()
    active = ActiveScenarios(bots, 30, clock=clock)
    first = active.recent("x")
    bots.latest = 2
    clock.seconds += 29.9
    assert active.recent("x") == first
    clock.seconds += 0.1
    second = active.recent("x")
    assert second is not None
    assert second.revision == 2
    assert bots.asked == ["x", "x"]


def test_what_was_read_afresh_is_remembered_too() -> None:
    bots, clock = Bots(), Clock()
    active = ActiveScenarios(bots, 30, clock=clock)
    active.recent("x")
    bots.latest = 2
    assert active.read("x") == active.recent("x") == ActiveScenario("Bot", "UTC", "s", 2)
    assert bots.asked == ["x", "x"]


def test_that_a_bot_runs_nothing_is_remembered() -> None:
    bots = Bots()
    active = ActiveScenarios(bots, clock=Clock())
    assert [active.recent("idle") for _ in range(3)] == [None] * 3
    assert bots.asked == ["idle"]


def test_of_too_many_bots_the_oldest_is_forgotten() -> None:
    bots = Bots()
    active = ActiveScenarios(bots, capacity=2, clock=Clock())
    for bot_id in "abcbca":
        active.recent(bot_id)
    assert bots.asked == list("abca")
