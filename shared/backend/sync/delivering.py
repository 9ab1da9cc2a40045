"""Bringing runs to the main system: at once for a dialog that waits, else for as long as it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from shared.backend.sync.base import Delivery, MainSystem, RowRefused, Unreachable
from shared.backend.sync.mapping import Row, has_row_for_each_run, row_of
from shared.backend.sync.runs import Run, run_of
from shared.backend.sync.settings import CurrentSync, SyncSettings, WebhookSink
from shared.delivery.holds import NO_HOLDS, Hold, Holds
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
_HOLD: Final = timedelta(seconds=30)
_HELD: Final = "sync"
"""The name of the hold on a bot whose main system cannot be reached: one run tries it, all others wait."""

_LEAST_SECONDS: Final = 15.0
"""What the next run of many needs."""


class _NotNow(Unreachable):
    """The main system was not even asked."""


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
    holds: Holds = NO_HOLDS
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
            self._require_no_hold(work.bot_id)
            self._put(work, sync.settings, PUT_SECONDS)
        except RowRefused as refused:
            self._refuse(work, refused.reasons)
        except _NotNow as fault:
            self._wait(work, fault, attempt)
        except Unreachable as fault:
            self._hold(work.bot_id, sync, fault)
            self._wait(work, fault, attempt)
        else:
            if attempt.number > 1:
                self._tell_of_health(work.bot_id, sync)

    def _require_no_hold(self, bot_id: str) -> None:
        if hold := self.holds.get(bot_id, _HELD):
            raise _NotNow(hold.reason, (hold.until - self.now()).total_seconds())

    def _hold(self, bot_id: str, sync: CurrentSync, fault: Unreachable) -> None:
        self.holds.put(bot_id, _HELD, Hold(self.now() + _HOLD, fault.reason))
        self._tell_of_health(bot_id, sync, fault.reason)

    def _tell_of_health(self, bot_id: str, sync: CurrentSync, *problems: str) -> None:
        status = "failed" if problems else "ok"
        self.found(bot_id, sync, {"status": status, "checked_at": self.now(), "problems": list(problems)})

    def _wait(self, work: TaskEnvelope, fault: Unreachable, attempt: Attempt) -> None:
        if self.now() - _end_of(work, self.now()) > PATIENCE:
            self._refuse(work, (fault.reason,))
            return
        backoff = backoff_seconds(attempt.number, longest=LONGEST_BACKOFF_SECONDS)
        raise Wait((fault.after_seconds or 0) + backoff, "the main system cannot be reached")

    def give_up(self, work: TaskEnvelope, reason: str) -> None:
        """A fault of ours: what was collected is kept where its owner finds it."""
        self._refuse(work, (reason,))

    # --- runs that were refused ----------------------------------------------------------------------

    def redrive(self, work: SyncRedriveEnvelope, attempt: Attempt) -> None:
        """Try all once more that were refused before this was asked for. Raises `Wait` to go on.

        Where the main system cannot be reached, the rest stays as it is.
        """
        sync = self.sync_of(work.bot_id)
        if sync is None:
            return
        has_arrived = False
        try:
            for refusal in self.refusals.before(work.bot_id, work.asked_at):
                if attempt.seconds_left() < PUT_SECONDS + _LEAST_SECONDS:
                    raise Wait(1, "there are more refused runs than one invocation has time for")
                has_arrived |= self._send_anew(refusal, sync.settings)
        except _NotNow as fault:
            raise Wait(fault.after_seconds or _BUSY_SECONDS, fault.reason) from None
        except Unreachable as fault:
            self._hold(work.bot_id, sync, fault)
        else:
            if has_arrived:
                self._tell_of_health(work.bot_id, sync)

    def _send_anew(self, refusal: Refusal, settings: SyncSettings) -> bool:
        """Whether it has arrived."""
        work = self.refusals.work_of(refusal)
        if work is None:
            return False
        try:
            if not self.is_gone(work):
                self._put(work, settings, PUT_SECONDS)
        except RowRefused as refused:
            self._refuse(work, refused.reasons)
            return False
        self.refusals.delete(refusal)
        return True

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
            raise _NotNow("another run of the dialog is on its way", _BUSY_SECONDS)
        if turn == "late":
            return
        is_put = False
        try:
            self.system_of(settings).put(Delivery(run, row, min(seconds, PUT_SECONDS)))
            is_put = True
        finally:
            self.marks.end(place, run.serial, is_put=is_put)

    def _refuse(self, work: TaskEnvelope, reasons: tuple[str, ...]) -> None:
        """Keep the run; of a dialog that was deleted meanwhile, whose refusals are removed, none stays."""
        refusal = _refusal(work, reasons, self.now())
        self.refusals.put(refusal, work)
        if self.is_gone(work):
            self.refusals.delete(refusal)


def place_of(run: Run, settings: SyncSettings) -> str:
    """Where a run's row would take the place of another's: one for the run, or one for all of its dialog.

    In another main system, or another table, it is another place.
    """
    sink = settings.sink
    is_own = isinstance(sink, WebhookSink) or has_row_for_each_run(settings.mapping, sink.key)
    where = blake2b(repr(sink.where).encode(), digest_size=16).hexdigest()
    return f"{run.id if is_own else run.id.rpartition(':')[0]}:{where}"


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
