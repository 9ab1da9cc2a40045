"""What this deployment cannot run yet of the language: steps whose work nobody would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from functions.admin.scenarios.calling import ids_called_in
from shared.scenario.findings import Finding

WITHOUT_WORKER = ("llm", "http", "sync", "understand")
"""Tasks that no worker takes up; an empty tuple once there is one for each."""


Documents = Mapping[str, Mapping[str, Any]]


def not_runnable(document: Mapping[str, Any], called: Documents) -> Iterator[Finding]:
    """An error for each step that emits such a task, and for each that calls a scenario which does."""
    stuck = _stuck(called)
    for index, step in enumerate(document["steps"]):
        for kind, pointer in _tasks_of(step):
            words = f"this deployment cannot run {kind} steps yet"
            yield _finding(step, f"/steps/{index}{pointer}", words)
        if (step.get("scenario") or {}).get("id", "").lower() in stuck:
            words = "this deployment cannot run all steps of the called scenario yet"
            yield _finding(step, f"/steps/{index}/scenario", words)


def _stuck(called: Documents) -> set[str]:
    """The scenarios that emit such a task, or call one that does, however deep."""
    stuck = {scenario_id for scenario_id, each in called.items() if any(map(_tasks_of, each["steps"]))}
    for _ in called:
        stuck |= {scenario_id for scenario_id, each in called.items() if stuck & set(ids_called_in(each))}
    return stuck


def _tasks_of(step: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The kinds of task that a step emits, with their places in it."""
    expected = step.get("expected_input") or {}
    places = {kind: f"/{kind}" for kind in WITHOUT_WORKER if step.get(kind) is not None}
    if "understand" in WITHOUT_WORKER and expected.get("understand"):
        places["understand"] = "/expected_input/understand"
    return list(places.items())


def _finding(step: Mapping[str, Any], pointer: str, message: str) -> Finding:
    return Finding(
        severity="error", code="not_runnable", message=message, pointer=pointer, step_id=step["id"]
    )
