"""One run, as the main system is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.queueing.envelopes import TaskEnvelope

_ID: Final = "00000000-0000-4000-8000-000000000000"

SAMPLES: Final[Mapping[str, Any]] = {
    "run.id": f"{_ID}:0123456789abcdef:1",
    "run.number": 1,
    "run.status": "completed",
    "run.started_at": "2026-11-23T10:00:00Z",
    "run.ended_at": "2026-11-23T10:05:00Z",
    "dialog.id": _ID,
    "dialog.platform": "telegram",
    "dialog.platform_chat_id": "424242",
    "bot.id": _ID,
    "scenario.id": _ID,
    "scenario.revision": 1,
}
"""What every run has beside its variables, whose names have no dots; made up, to try a sink with."""

FACTS: Final = frozenset(SAMPLES)

OF_ONE_RUN: Final = frozenset({"run.id", "run.number"})
"""The facts that tell two runs of a dialog apart."""


class _Request(msgspec.Struct, frozen=True):
    """What the engine says of a run that is to be sent."""

    run: int
    status: str
    collected_data: dict[str, Any]
    started_at: datetime | None = None
    ended_at: datetime | None = None
    scenario_id: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run at one moment. `id` is the run's, `snapshot` is this moment's: of two, the later has the higher
    `serial`.
    """

    id: str
    snapshot: str
    serial: int
    facts: Mapping[str, Any]
    variables: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Run({self.id})"

    def value_of(self, source: str) -> Any:
        """Of a fact or a variable; None where it has none."""
        return self.facts[source] if source in self.facts else self.variables.get(source)

    @property
    def status(self) -> str:
        return str(self.facts["run.status"])


def run_of(work: TaskEnvelope) -> Run:
    """The run that a task tells of."""
    request = msgspec.convert(work.task.request, _Request)
    run_id = f"{work.dialog_id}:{work.epoch}:{request.run}"
    facts = {
        "run.id": run_id,
        "run.number": request.run,
        "run.status": request.status,
        "run.started_at": _moment(request.started_at),
        "run.ended_at": _moment(request.ended_at),
        "dialog.id": work.dialog_id,
        "dialog.platform": work.platform,
        "dialog.platform_chat_id": work.platform_chat_id,
        "bot.id": work.bot_id,
        "scenario.id": request.scenario_id,
        "scenario.revision": request.revision,
    }
    return Run(run_id, work.id, work.task.number, facts, request.collected_data)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else str(msgspec.to_builtins(moment))
