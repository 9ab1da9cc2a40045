"""Whether rows would arrive: looked at when a sync is saved, and whenever somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.backend.sync.base import MainSystem, Sample, Unreachable
from shared.backend.sync.mapping import row_of
from shared.backend.sync.runs import SAMPLES, Run
from shared.backend.sync.settings import CurrentSync, SyncSettings
from shared.queueing.envelopes import SyncCheckEnvelope
from shared.tasks.performing import Attempt

_SECONDS: Final = 20.0

_VALUES: Final[Mapping[str, Any]] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "date": "2026-12-31",
    "list": ["text"],
    "map": {},
}
"""A value of each type of variable; one of any type has none that could be made up."""


@dataclass(frozen=True, slots=True)
class Checking:
    """Looks at main systems.

    `sync_of` reads a bot's sync afresh, `variables_of` knows the types of its active scenario's variables,
    and `found` keeps what was found of that version.
    """

    sync_of: Callable[[str], CurrentSync | None]
    variables_of: Callable[[str], Mapping[str, str] | None]
    system_of: Callable[[SyncSettings], MainSystem]
    found: Callable[[str, CurrentSync, Mapping[str, Any]], object]
    now: Callable[[], datetime]

    def perform(self, work: SyncCheckEnvelope, _attempt: Attempt) -> None:
        """Whatever is found out is kept as the health of the sync."""
        sync = self.sync_of(work.bot_id)
        if sync is None:
            return
        problems = self._problems(work, sync.settings)
        status = "failed" if problems else "ok"
        self.found(work.bot_id, sync, {"status": status, "checked_at": self.now(), "problems": problems})

    def _problems(self, work: SyncCheckEnvelope, settings: SyncSettings) -> list[str]:
        types = self.variables_of(work.bot_id)
        unknown = [] if types is None else _unknown(settings.mapping, types)
        try:
            sample = _sample(work, settings.mapping, types or {})
            return unknown + list(self.system_of(settings).problems(sample))
        except Unreachable as fault:
            return [*unknown, fault.reason]


def _sample(work: SyncCheckEnvelope, mapping: Mapping[str, str], types: Mapping[str, str]) -> Sample:
    variables = {name: _VALUES.get(kind) for name, kind in types.items()}
    name = f"sync-test:{work.trace_id}"
    run = Run(name, name, 0, {**SAMPLES, "bot.id": work.bot_id}, variables)
    return Sample(run, set(mapping.values()), row_of(run, mapping), _SECONDS)


def _unknown(mapping: Mapping[str, str], types: Mapping[str, str]) -> list[str]:
    names = [source for source in mapping if source not in SAMPLES and source not in types]
    return [f"the active scenario has no variable “{name}”" for name in names]
