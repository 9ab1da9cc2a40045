"""What runs came to: one result for each run that ended, told by the entry of the turn that ended it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.dialog.history import HistoryEntry

RunStatus = Literal["completed", "abandoned", "broken_off"]


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """A run that ended, and the values that it collected; sensitive ones are masked.

    What it followed and since when is None for runs from before that was told.
    """

    dialog_id: str
    platform: str
    platform_chat_id: str
    run: int
    status: RunStatus
    scenario_id: str | None = None
    revision: int | None = None
    started_at: datetime | None = None
    ended_at: datetime
    values: dict[str, Any]


class Sought(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which results are wanted; None lets everything pass.

    By the end of the run: `since` is inclusive, `until` is not.
    """

    platform: str | None = None
    scenario_id: str | None = None
    status: RunStatus | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, result: RunResult) -> bool:
        """Whether the result is wanted, wherever in time it lies."""
        return (
            self.platform in {None, result.platform}
            and self.scenario_id in {None, result.scenario_id}
            and self.status in {None, result.status}
        )


def results_of(entry: HistoryEntry) -> list[RunResult]:
    """The results of the runs that ended with the entry's turn, the last one first."""
    runs = entry.message_data.get("ended_runs", ())
    if entry.chat is None:
        return []
    about = {
        "dialog_id": entry.dialog_id,
        "platform": entry.chat.platform,
        "platform_chat_id": entry.chat.platform_chat_id,
        "ended_at": entry.created_at,
    }
    return [msgspec.convert(about | _told(run), RunResult) for run in reversed(runs)]


def _told(run: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in run.items() if name != "collected_data"}
    return told | {"values": run["collected_data"]}
