"""Bringing runs to the main system: at once for a dialog that waits, else for as long as it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.backend.sync.base import Delivery, MainSystem, RowRefused, Unreachable
from shared.backend.sync.mapping import Row, has_row_for_each_run, row_of
from shared.backend.sync.runs import Run, run_of
from shared.backend.sync.settings import CurrentSync, SyncSettings, WebhookSink
from shared.errors import TaskFailed, Wait
from shared.queueing.backoff import backoff_seconds
from shared.queueing.envelopes import SyncRedriveEnvelope, TaskEnvelope
from shared.tasks.performing import Attempt
from shared.tasks.retrying import TryAgain, retried
from shared.tasks.sync_records import Marks, Refusal, Refusals

PATIENCE: Final = timedelta(days=3)
"""For a main system that is down. Then a run lies with the refused ones, from where it can be sent anew."""

LONGEST_BACKOFF_SECONDS: Final = 3600.0
PUT_SECONDS: Final = 20.0
_HELD_SECONDS: Final = 40.0
"""A row is put by then, or never will be: connecting and saying why it was refused included."""

_BUSY_SECONDS: Final = 3.0
_LEAST_SECONDS: Final = 15.0
"""What the next run of many needs."""


@dataclass(frozen=True, slots=True)
class Syncing:
    """Puts runs into main systems.

    `sync_of` knows the sync of a bot, `system_of` makes what its sink stands for. `is_gone` says that a
    dialog or its bot was deleted. `found` hears how a main system was found, for people.
    """

    sync_of: Callable[[str], CurrentSync | None]
    system_of: Callable[[SyncSettings], MainSystem]
    marks: Marks
    refusals: Refusals
    now: Callable[[], datetime]
    is_gone: Callable[[TaskEnvelope], bool]
    found: Callable[[str, CurrentSync, Mapping[str, Any]], object]
    retried: Callable[[Callable[[], None], Attempt], None] = retried

    # --- a step that waits ---------------------------------------------------------------------------

    def perform_step(self, work: TaskEnvelope, attempt: Attempt) -> dict[str, Any]:
        """Raises `TaskFailed`."""
        sync = self.sync_of(work.bot_id)
        if sync is None:
            raise TaskFailed("The bot has no main system to send this to.")
        try:
            self.retried(lambda: self._try(work, sync.settings, attempt.seconds_left()), attempt)
        except RowRefused as refused:
            raise TaskFailed(f"The main system refuses this: {refused}.") from None
        return {}

    def _try(self, work: TaskEnvelope, settings: SyncSettings, seconds: float) -> None:
        try:
            self._put(work, settings, seconds)
        except Unreachable as fault:
            raise TryAgain(fault.reason, fault.after_seconds) from None

    # --- a run that has ended ------------------------------------------------------------------------

    def perform_run(self, work: TaskEnvelope, attempt: Attempt) -> None:
        """Raises `Wait` for as long as the main system cannot be reached, up to `PATIENCE`."""
        sync = None if self.is_gone(work) else self.sync_of(work.bot_id)
        if sync is None:
            return
        try:
            self._put(work, sync.settings, PUT_SECONDS)
        except RowRefused as refused:
            self._refuse(work, refused.reasons)
        except Unreachable as fault:
            self.found(work.bot_id, sync, _failed(fault, self.now()))
            self._wait(work, fault, attempt)
        else:
            if attempt.number > 1:
                self.found(work.bot_id, sync, {"status": "ok", "checked_at": self.now(), "problems": []})

    def _wait(self, work: TaskEnvelope, fault: Unreachable, attempt: Attempt) -> None:
        if self.now() - _end_of(work, self.now()) > PATIENCE:
            self._refuse(work, (fault.reason,))
            return
        seconds = backoff_seconds(attempt.number, longest=LONGEST_BACKOFF_SECONDS)
        raise Wait(max(seconds, fault.after_seconds or 0), "the main system cannot be reached")

    def give_up(self, work: TaskEnvelope, reason: str) -> None:
        """A fault of ours: what was collected is kept where its owner finds it."""
        self._refuse(work, (reason,))

    # --- runs that were refused ----------------------------------------------------------------------

    def redrive(self, work: SyncRedriveEnvelope, attempt: Attempt) -> None:
        """Try all once more that were refused before this was asked for. Raises `Wait` to go on."""
        sync = self.sync_of(work.bot_id)
        for refusal in self.refusals.before(work.bot_id, work.asked_at) if sync else ():
            if attempt.seconds_left() < PUT_SECONDS + _LEAST_SECONDS:
                raise Wait(1, "there are more refused runs than one invocation has time for")
            self._send_anew(refusal, sync)

    def _send_anew(self, refusal: Refusal, sync: CurrentSync | None) -> None:
        work = self.refusals.work_of(refusal)
        if work is None or sync is None:
            return
        try:
            if not self.is_gone(work):
                self._put(work, sync.settings, PUT_SECONDS)
        except RowRefused as refused:
            self._refuse(work, refused.reasons)
        except Unreachable as fault:
            self._refuse(work, (fault.reason,))
        else:
            self.refusals.delete(refusal)

    # --- both ----------------------------------------------------------------------------------------

    def _put(self, work: TaskEnvelope, settings: SyncSettings, seconds: float) -> None:
        """Raises `RowRefused`, `Unreachable`."""
        run = run_of(work)
        row = row_of(run, settings.mapping)
        if not _has_key(run, row, settings):
            return
        place = place_of(run, settings)
        turn = self.marks.begin(place, run.serial, _HELD_SECONDS)
        if turn == "taken":
            raise Unreachable("another run of the dialog is on its way", _BUSY_SECONDS)
        if turn == "late":
            return
        is_put = False
        try:
            self.system_of(settings).put(Delivery(run, row, min(seconds, PUT_SECONDS)))
            is_put = True
        finally:
            self.marks.end(place, run.serial, is_put=is_put)

    def _refuse(self, work: TaskEnvelope, reasons: tuple[str, ...]) -> None:
        self.refusals.put(_refusal(work, reasons, self.now()), work)


def place_of(run: Run, settings: SyncSettings) -> str:
    """Where a run's row would take the place of another's: one for the run, or one for all of its dialog."""
    sink = settings.sink
    is_own = isinstance(sink, WebhookSink) or has_row_for_each_run(settings.mapping, sink.key)
    return run.id if is_own else run.id.rpartition(":")[0]


def _has_key(run: Run, row: Row, settings: SyncSettings) -> bool:
    """Whether the row can be told from others. A run that was broken off before it could is no row.

    Raises `RowRefused` for one that went to its end.
    """
    key = () if isinstance(settings.sink, WebhookSink) else settings.sink.key
    missing = [column for column in key if column not in row]
    if missing and run.status == "completed":
        raise RowRefused(
            *(f"the run has no value for “{column}”, by which its row is known" for column in missing)
        )
    return not missing


def _failed(fault: Unreachable, now: datetime) -> dict[str, Any]:
    return {"status": "failed", "checked_at": now, "problems": [fault.reason]}


def _refusal(work: TaskEnvelope, reasons: tuple[str, ...], now: datetime) -> Refusal:
    """Under the same id however often it is refused, and in order of the runs' ends."""
    facts = run_of(work).facts
    ended_at = _end_of(work, now)
    return Refusal(
        id=f"{ended_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}/{work.id}",
        bot_id=work.bot_id,
        dialog_id=work.dialog_id,
        platform=work.platform,
        run=facts["run.number"],
        status=facts["run.status"],
        reasons=reasons,
        refused_at=now,
        started_at=_read(facts["run.started_at"]),
        ended_at=_read(facts["run.ended_at"]),
    )


def _end_of(work: TaskEnvelope, default: datetime) -> datetime:
    facts = run_of(work).facts
    return _read(facts["run.ended_at"] or facts["run.started_at"]) or default


def _read(moment: str | None) -> datetime | None:
    return None if moment is None else datetime.fromisoformat(moment)
