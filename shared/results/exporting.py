"""Makes the file of an export, in steps that may each be the last one of an invocation.

What was done is saved after each step, in the export's record. A step that was done and not saved, for its
worker died, is done once more over the same rows, and takes the place of the first. So the file is whole
however often somebody dies over it, and no more of it than a part is ever in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final, Protocol

from shared.dialog.results import RunResult
from shared.errors import GiveUp, UploadLost
from shared.pages import Page
from shared.results.columns import ResultColumns
from shared.results.exports import CONTENT_TYPES, Export, ExportRepository, ResultRepository
from shared.results.rows import csv_header, csv_rows, json_lines
from shared.scenario.columns import Column

PAGE: Final = 200
PAGES_COUNTED: Final = 25
"""Pages of a step that only counts."""

PART_BYTES: Final = 8 * 1024 * 1024
"""S3 takes none under 5 MB but for the last, and no more than 10,000 of a file."""

MAX_COLUMNS: Final = 2000
MAX_BEGUN: Final = 3
"""How often a file is begun anew whose upload was lost."""

HasTime = Callable[[], bool]


class Files(Protocol):
    """Whole objects of the store."""

    def put(self, path: str, body: IO[bytes], content_type: str) -> None: ...
    def open(self, path: str) -> IO[bytes]: ...


class Uploads(Protocol):
    """Objects that are made of parts. Raise `UploadLost` for what the store knows nothing of."""

    def begin(self, path: str, content_type: str) -> str: ...
    def put_part(self, path: str, upload_id: str, number: int, body: bytes) -> str: ...
    def complete(self, path: str, upload_id: str, tags: tuple[str, ...]) -> None: ...
    def abort(self, path: str, upload_id: str) -> None: ...


class ExportImpossible(GiveUp):
    """What was asked for cannot be made; says why, for people."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """Carries exports on. `is_there` tells whether a bot still exists."""

    results: ResultRepository
    columns: ResultColumns
    exports: ExportRepository
    files: Files
    uploads: Uploads
    is_there: Callable[[str], bool]
    now: Callable[[], datetime]
    part_bytes: int = PART_BYTES

    def carry_on(self, export_id: str, has_time: HasTime) -> int | None:
        """Work on the export while there is time. The number of the next invocation, if one has to go on.

        None where it is done with, gone, or in the hands of another.
        """
        export = self.exports.find(export_id)
        while export and export.status != "ready":
            if not self.is_there(export.bot_id):
                self._drop(export)
                return None
            following = self._step(export, has_time)
            if following is None or following.status in ("ready", "failed"):
                return None
            export = following
            if not has_time():
                return export.step
        return None

    def fail(self, export_id: str, reason: str) -> None:
        """Say that the file will not be made."""
        export = self.exports.find(export_id)
        if export and export.status != "ready":
            self.exports.save(export.with_(status="failed", reason=reason, finished_at=self.now()), export)

    def _step(self, export: Export, has_time: HasTime) -> Export | None:
        """One step, saved; None if somebody else has gone on with it."""
        running = export.with_(status="running", step=export.step + 1, reason="", finished_at=None)
        try:
            following = self._next(running, has_time)
        except UploadLost:
            following = _begun_anew(running, export.columns)
        except ExportImpossible as error:
            following = running.with_(status="failed", reason=str(error), finished_at=self.now())
        return following if self.exports.save(following, export) else None

    def _next(self, export: Export, has_time: HasTime) -> Export:
        if export.phase == "counting" and export.format == "csv":
            return self._count(export, has_time)
        if export.phase == "completing":
            return self._complete(export)
        if not export.upload_id:
            return self._begin(export)
        return self._write(export, has_time)

    def _count(self, export: Export, has_time: HasTime) -> Export:
        """Some pages of what there is: how many rows, and of what columns."""
        for _ in range(PAGES_COUNTED):
            page = self._page(export)
            export = export.with_(
                columns=self._columns(export.columns, page.items),
                rows_total=(export.rows_total or 0) + len(page.items),
                start=page.next,
                phase="counting" if page.next else "writing",
            )
            if export.phase == "writing" or not has_time():
                break
        return export

    def _columns(self, known: tuple[str, ...], results: list[RunResult]) -> tuple[str, ...]:
        covering = self.columns.covering(results, tuple(Column(name, "any") for name in known))
        if len(covering) > MAX_COLUMNS:
            raise ExportImpossible(
                f"The runs have more than {MAX_COLUMNS} columns: narrow the export, or ask for jsonl."
            )
        return tuple(column.name for column in covering)

    def _begin(self, export: Export) -> Export:
        if export.begun == MAX_BEGUN:
            raise ExportImpossible("The file could not be kept; ask for it again.")
        upload_id = self.uploads.begin(export.path, CONTENT_TYPES[export.format])
        return export.with_(phase="writing", upload_id=upload_id, begun=export.begun + 1)

    def _write(self, export: Export, has_time: HasTime) -> Export:
        """A part, or as much of one as there was time for, which is put aside."""
        body = self._left_over(export)
        while True:
            page = self._page(export)
            if self._has_grown(export, page.items):
                return _begun_anew(export, self._columns(export.columns, page.items))
            body += self._lines(export, page.items)
            export = export.with_(rows=export.rows + len(page.items), start=page.next)
            if page.next is None:
                return self._upload(export, body).with_(phase="completing")
            if len(body) >= self.part_bytes:
                return self._upload(export, body)
            if not has_time():
                return self._put_aside(export, body)

    def _upload(self, export: Export, body: bytearray) -> Export:
        tag = self.uploads.put_part(export.path, export.upload_id, len(export.parts) + 1, bytes(body))
        return export.with_(parts=(*export.parts, tag), size=export.size + len(body), rest=0)

    def _left_over(self, export: Export) -> bytearray:
        """What the part begins with: what was put aside, or the head of the file."""
        if export.rest:
            return bytearray(self.files.open(_rest_of(export)).read())
        is_csv_head = export.format == "csv" and not export.parts and export.start is None
        return bytearray(csv_header(export.columns) if is_csv_head else b"")

    def _put_aside(self, export: Export, body: bytearray) -> Export:
        """Under a name of its own: what the record still names stays until this one is saved."""
        after = export.with_(rest=export.step)
        self.files.put(_rest_of(after), io.BytesIO(bytes(body)), CONTENT_TYPES[export.format])
        return after

    def _complete(self, export: Export) -> Export:
        """Where that was done already and not saved, the upload is lost, and the file is made once more."""
        self.uploads.complete(export.path, export.upload_id, export.parts)
        return export.with_(status="ready", rows_total=export.rows, finished_at=self.now())

    def _drop(self, export: Export) -> None:
        """Its bot was deleted: nothing of it may be left."""
        if export.upload_id:
            self.uploads.abort(export.path, export.upload_id)

    def _page(self, export: Export) -> Page[RunResult]:
        return self.results.of_bot(export.bot_id, export.sought, PAGE, export.start)

    def _lines(self, export: Export, results: list[RunResult]) -> bytes:
        return csv_rows(results, export.columns) if export.format == "csv" else json_lines(results)

    def _has_grown(self, export: Export, results: list[RunResult]) -> bool:
        """Whether a row has what no row had when they were counted: one has shown in the index since."""
        if export.format == "jsonl":
            return False
        known = set(export.columns)
        return any(name not in known for each in results for name in each.values)


def _begun_anew(export: Export, columns: tuple[str, ...]) -> Export:
    return export.with_(
        phase="writing", columns=columns, rows=0, size=0, start=None, upload_id="", parts=(), rest=0
    )


def _rest_of(export: Export) -> str:
    return f"{export.path}.{export.rest}.rest"
