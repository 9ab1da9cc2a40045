"""A file of results that is made in the background, and how far that has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

import msgspec

from shared.dialog.results import RunResult, Sought
from shared.pages import Page, Position

Format = Literal["csv", "jsonl"]
ExportStatus = Literal["queued", "running", "ready", "failed"]
Phase = Literal["counting", "writing", "completing"]

KEPT: Final = timedelta(days=7)
"""As long as the store keeps the file."""

CONTENT_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}


class Export(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One export, with all that whoever goes on with it has to know.

    `sought` ends at the moment at which it was asked for, so that it is of the same runs however long it
    takes. `rows_total` is known once they have been counted, which only a CSV needs: for its `columns`.
    `start` is where the next page begins, `parts` are the tags of what is uploaded already; `rest` counts
    the leftovers, too small for a part, that were put aside, and is that of the one to begin with (0: none).
    `begun` counts how often the file was begun, `step` the invocations that were at it.
    """

    id: str
    bot_id: str
    format: Format
    sought: Sought
    created_at: datetime
    status: ExportStatus = "queued"
    phase: Phase = "counting"
    reason: str = ""
    rows: int = 0
    rows_total: int | None = None
    size: int = 0
    finished_at: datetime | None = None
    columns: tuple[str, ...] = ()
    start: Position | None = None
    upload_id: str = ""
    parts: tuple[str, ...] = ()
    rest: int = 0
    begun: int = 0
    step: int = 0

    @property
    def path(self) -> str:
        """Where the file lies in the store."""
        return f"exports/{self.bot_id}/{self.id}.{self.format}"

    @property
    def expires_at(self) -> datetime:
        return self.created_at + KEPT

    def with_(self, **changes: Any) -> Export:
        changed: Export = msgspec.structs.replace(self, **changes)
        return changed


class ExportRepository(Protocol):
    """The records of exports."""

    def create(self, export: Export) -> None: ...

    def find(self, export_id: str) -> Export | None:
        """The record (a consistent read); None where there is none, or its time is over."""
        ...

    def save(self, export: Export, met: Export) -> bool:
        """Write it in the place of the one that was met; False, and nothing written, if that has changed."""
        ...


class ResultRepository(Protocol):
    """What runs came to."""

    def of_bot(
        self, bot_id: str, sought: Sought, limit: int, start: Position | None = None
    ) -> Page[RunResult]:
        """The bot's results that are wanted, the latest first."""
        ...
