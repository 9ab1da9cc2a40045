"""Runs that are to be sent, as the engine tells of them."""

from __future__ import annotations

from typing import Any

from shared.backend.sync.runs import Run, run_of
from shared.dialog.state import Task, TaskKind
from shared.queueing.envelopes import TaskEnvelope

SCENARIO = "5f0c6c1e-0e3f-4c39-9ed4-3f6f1f7f8f10"


def a_task(
    variables: dict[str, Any] | None = None,
    *,
    dialog: str = "d",
    run: int = 1,
    serial: int = 7,
    kind: TaskKind = "sync_run",
    bot: str = "b",
    **request: Any,
) -> TaskEnvelope:
    usual: dict[str, Any] = {
        "run": run,
        "status": "completed",
        "started_at": "2026-11-23T10:00:00Z",
        "scenario_id": SCENARIO,
        "revision": 3,
        "collected_data": variables or {},
    }
    return TaskEnvelope(
        dialog_id=dialog,
        epoch="e",
        bot_id=bot,
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=serial, kind=kind, request=usual | request, timeout=30),
        trace_id="t",
    )


def a_run(number: int = 1, **variables: Any) -> Run:
    return run_of(a_task(variables, run=number, serial=number))
