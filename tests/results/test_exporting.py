"""An export comes to the same file, wherever its worker dies or runs out of time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO, Any
from uuid import uuid4

import pytest

from shared import aws
from shared.dialog.results import RunResult, Sought
from shared.errors import UploadLost
from shared.media.store import S3Store
from shared.pages import Page, Position
from shared.results import exporting
from shared.results.columns import ResultColumns
from shared.results.exporting import MAX_BEGUN, MAX_COLUMNS, Exporter
from shared.results.exports import Export, Format
from shared.results.rows import csv_header, csv_rows, json_lines
from shared.results.uploads import S3Uploads
from shared.storage.exports import DynamoExports
from shared.storage.memory import MemoryExports
from tests.conftest import Aws
from tests.results.runs import NOON, run
from tests.results.test_columns_of_results import Revisions

BOT = str(uuid4())


class Killed(BaseException):
    """The worker is gone: no `except Exception` sees it."""


@dataclass
class Fate:
    """Kills at the call of that number, before it or after it."""

    kill_at: int | None = None
    after: bool = False
    calls: int = 0

    def meet(self, call: Callable[[], Any]) -> Any:
        number, self.calls = self.calls, self.calls + 1
        if number == self.kill_at and not self.after:
            raise Killed
        done = call()
        if number == self.kill_at:
            raise Killed
        return done


@dataclass
class Store:
    """As S3: parts take the place of their number, an upload that is complete is known no more."""

    fate: Fate = field(default_factory=Fate)
    objects: dict[str, bytes] = field(default_factory=dict)
    open_uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    smallest: int = 0

    def begin(self, path: str, content_type: str) -> str:
        def begin() -> str:
            upload_id = str(uuid4())
            self.open_uploads[upload_id] = {}
            return upload_id

        return str(self.fate.meet(begin))

    def put_part(self, path: str, upload_id: str, number: int, body: bytes) -> str:
        def put() -> str:
            self._parts(upload_id)[number] = body
            return str(hash(body))

        return str(self.fate.meet(put))

    def complete(self, path: str, upload_id: str, tags: tuple[str, ...]) -> None:
        def complete() -> None:
            parts = self._parts(upload_id)
            bodies = [parts[number] for number in range(1, len(tags) + 1)]
            if [str(hash(body)) for body in bodies] != list(tags):
                raise UploadLost
            assert all(len(body) >= self.smallest for body in bodies[:-1])
            self.objects[path] = b"".join(bodies)
            del self.open_uploads[upload_id]

        self.fate.meet(complete)

    def abort(self, path: str, upload_id: str) -> None:
        self.open_uploads.pop(upload_id, None)

    def put(self, path: str, body: IO[bytes], content_type: str) -> None:
        self.fate.meet(lambda: self.objects.__setitem__(path, body.read()))

    def open(self, path: str) -> IO[bytes]:
        return io.BytesIO(self.objects[path])

    def _parts(self, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self.open_uploads:
            raise UploadLost
        return self.open_uploads[upload_id]


@dataclass
class Runs:
    """A list of results, a page at a time."""

    runs: list[RunResult]

    def of_bot(
        self, bot_id: str, sought: Sought, limit: int, start: Position | None = None
    ) -> Page[RunResult]:
        first = start["at"] if start else 0
        rest = self.runs[first : first + limit]
        return Page(rest, {"at": first + limit} if first + limit < len(self.runs) else None)


class FatefulExports(MemoryExports):
    """Records whose saving may be the last thing that a worker does."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def save(self, export: Export, met: Export) -> bool:
        return bool(self._fate.meet(lambda: super(FatefulExports, self).save(export, met)))


@dataclass
class World:
    """An export that was asked for, and what is there to make it of."""

    runs: list[RunResult]
    format: Format = "csv"
    fate: Fate = field(default_factory=Fate)
    part_bytes: int = 4000
    exists: bool = True

    def __post_init__(self) -> None:
        self.store = Store(self.fate, smallest=self.part_bytes)
        self.exports = FatefulExports(self.fate)
        self.results = Runs(self.runs)
        self.export = Export(
            id=str(uuid4()), bot_id=BOT, format=self.format, sought=Sought(until=NOON), created_at=NOON
        )
        self.exports.create(self.export)
        self.exporter = Exporter(
            results=self.results,
            columns=ResultColumns(Revisions()),
            exports=self.exports,
            files=self.store,
            uploads=self.store,
            is_there=lambda _bot_id: self.exists,
            now=lambda: NOON + timedelta(minutes=1),
            part_bytes=self.part_bytes,
        )

    def work(self, has_time: Callable[[], bool] = lambda: True) -> int:
        """Invoke the worker until it has no more to do; how often."""
        for times in range(1, 1000):
            try:
                if self.exporter.carry_on(self.export.id, has_time) is None:
                    return times
            except Killed:
                self.fate.kill_at = None
        raise AssertionError("the export does not end")

    @property
    def found(self) -> Export:
        found = self.exports.find(self.export.id)
        assert found is not None
        return found

    def file(self) -> bytes:
        return self.store.objects[self.export.path]


COLUMNS = ["name", "city", "town"]


def some_runs(number: int = 1000) -> list[RunResult]:
    return [run(n, revision=2 if n < number // 2 else 1) for n in range(number)]


def file_of(runs: list[RunResult], format_: Format, columns: list[str] = COLUMNS) -> bytes:
    return csv_header(columns) + csv_rows(runs, columns) if format_ == "csv" else json_lines(runs)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 10)
    monkeypatch.setattr(exporting, "PAGES_COUNTED", 3)


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_file_holds_every_run_and_its_record_tells_of_it(format_: Format) -> None:
    world = World(some_runs(), format_)

    assert world.work() == 1

    assert world.file() == file_of(world.runs, format_)
    done = world.found
    assert (done.status, done.rows, done.rows_total) == ("ready", 1000, 1000)
    assert (done.size, done.finished_at) == (len(world.file()), NOON + timedelta(minutes=1))
    assert len(done.parts) > 10
    assert not world.store.open_uploads


@pytest.mark.parametrize(("format_", "file"), [("csv", csv_header([])), ("jsonl", b"")])
def test_a_file_of_no_runs_is_a_file(format_: Format, file: bytes) -> None:
    world = World([], format_)
    world.work()

    assert (world.file(), world.found.status, world.found.rows) == (file, "ready", 0)


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_without_time_an_invocation_does_a_step_and_another_goes_on(format_: Format) -> None:
    world = World(some_runs(200), format_)
    seen = []

    def has_time() -> bool:
        seen.append(world.found)
        return False

    assert world.work(has_time) >= 20
    assert world.file() == file_of(world.runs, format_)
    assert [path for path in world.store.objects if path.endswith(".rest")]
    rows = [export.rows for export in seen]
    assert rows == sorted(rows)
    assert {"running", "ready"} >= {export.status for export in seen[1:]}


def kills(format_: Format, *, hasty: bool) -> Iterator[Fate]:
    """A fate for every call that an export makes, before it and after it."""
    calm = World(some_runs(120), format_)
    calm.work(lambda: not hasty)
    for number in range(calm.fate.calls):
        yield Fate(number)
        yield Fate(number, after=True)


@pytest.mark.parametrize("hasty", [False, True])
@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_an_export_that_is_killed_anywhere_comes_to_the_same_file(format_: Format, *, hasty: bool) -> None:
    fates = list(kills(format_, hasty=hasty))
    for fate in fates:
        world = World(some_runs(120), format_, fate)
        world.work(lambda: not hasty)

        assert world.file() == file_of(world.runs, format_), fate
        assert (world.found.status, world.found.rows) == ("ready", 120), fate
    assert len(fates) > 20


def test_two_workers_at_once_come_to_one_file() -> None:
    world = World(some_runs(300))
    other = World(world.runs)
    other.exporter.carry_on(other.export.id, lambda: False)
    turns = iter(range(1000))

    def has_time() -> bool:
        if next(turns) % 3 == 0:
            world.exporter.carry_on(world.export.id, lambda: False)
        return True

    world.exporter.carry_on(world.export.id, has_time)
    world.work()

    assert world.file() == file_of(world.runs, "csv")


def test_an_upload_that_is_gone_is_begun_anew_and_not_for_ever() -> None:
    world = World(some_runs(300))
    turns = 0

    def has_time() -> bool:
        nonlocal turns
        turns += 1
        if turns == 40:
            world.store.open_uploads.clear()
        return True

    world.work(has_time)
    assert world.file() == file_of(world.runs, "csv")
    assert world.found.begun == 2

    world = World(some_runs(300))
    world.store.put_part = _gone  # type: ignore[assignment,method-assign]
    world.work()
    assert (world.found.status, world.found.begun) == ("failed", MAX_BEGUN)
    assert "ask for it again" in world.found.reason


def _gone(*_: Any) -> str:
    raise UploadLost


def test_a_run_that_shows_after_the_count_brings_its_columns() -> None:
    world = World(some_runs(100))

    def has_time() -> bool:
        if len(world.results.runs) == 100 and world.found.phase == "writing" and world.found.parts:
            world.results.runs.append(run(500, revision=1, values={"late": "x"}))
        return True

    world.work(has_time)

    assert world.file() == file_of(world.results.runs, "csv", [*COLUMNS, "late"])
    assert world.found.rows == 101


def test_more_columns_than_a_table_can_have_are_told_of() -> None:
    world = World(
        [run(n, values={f"v{n}_{m}": 1 for m in range(100)}) for n in range(MAX_COLUMNS // 100 + 1)]
    )
    world.work()

    assert world.found.status == "failed"
    assert "jsonl" in world.found.reason
    assert world.store.objects == {}


def test_nothing_is_left_of_an_export_whose_bot_is_deleted() -> None:
    world = World(some_runs(300))
    for _ in range(35):
        world.exporter.carry_on(world.export.id, lambda: False)
    assert world.store.open_uploads

    world.exists = False

    assert world.exporter.carry_on(world.export.id, lambda: True) is None
    assert not world.store.open_uploads
    assert world.export.path not in world.store.objects


def test_what_failed_is_told_and_may_be_carried_on() -> None:
    world = World(some_runs(30))
    world.exporter.fail(world.export.id, "A fault of the server.")
    assert (world.found.status, world.found.reason) == ("failed", "A fault of the server.")

    world.work()

    assert (world.found.status, world.found.reason) == ("ready", "")
    world.exporter.fail(world.export.id, "too late")
    assert world.found.status == "ready"


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_s3_and_dynamodb_do_as_the_exporter_expects(aws_account: Aws, format_: Format) -> None:
    runs = [run(n, values={"name": "x" * 60_000}) for n in range(200)]
    connect = lambda: aws.store_client("", "", None)  # noqa: E731
    exports = DynamoExports(lambda: NOON)
    export = Export(id=str(uuid4()), bot_id=BOT, format=format_, sought=Sought(), created_at=NOON)
    exports.create(export)
    exporter = Exporter(
        results=Runs(runs),
        columns=ResultColumns(Revisions()),
        exports=exports,
        files=S3Store(connect, aws_account.bucket),
        uploads=S3Uploads(connect, aws_account.bucket),
        is_there=lambda _bot_id: True,
        now=lambda: NOON,
    )
    while exporter.carry_on(export.id, lambda: False) is not None:
        pass

    written = aws_account.s3.get_object(Bucket=aws_account.bucket, Key=export.path)
    assert written["Body"].read() == file_of(runs, format_, ["name", "town"])
    found = exports.find(export.id)
    assert found is not None
    assert (found.status, found.rows, len(found.parts)) == ("ready", 200, 2)


@pytest.mark.usefixtures("aws_account")
def test_a_record_is_saved_by_who_has_met_it_and_read_until_its_time_is_over() -> None:
    now = NOON
    exports = DynamoExports(lambda: now)
    export = Export(id=str(uuid4()), bot_id=BOT, format="csv", sought=Sought(since=NOON), created_at=NOON)
    exports.create(export)
    running = export.with_(status="running", start={"at": "x", "given": 1}, columns=("a",), parts=("t",))

    assert exports.save(running, export)
    assert not exports.save(export.with_(status="failed"), export)
    assert exports.find(export.id) == running
    now = NOON + timedelta(days=7)
    assert exports.find(export.id) is None
    assert exports.find(str(uuid4())) is None
