"""What a turn is made from, and what it has come to so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from shared.dialog.events import Event
from shared.dialog.messages import Message
from shared.dialog.state import Ask, Dialog, Task, TaskKind, Timer
from shared.scenario.compiled import CompiledScenario

MAX_NOTES = 50
MAX_NOTE = 500
"""Characters of one note."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """The outside, as the event met it: the time, and one random number from 0 up to 1."""

    now: datetime
    random: float


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What one event did to a dialog.

    `notes` are an author's mistakes met on the way, for the history. `ended_runs` tells of the runs
    that this turn closed: the number of each, how it ended (`completed`, `abandoned`, `broken_off`),
    and what it had collected; a `Program` adds what it followed, and since when. `label` is the words of
    the choice that was taken, or "". `is_private` says that the person's words were for a sensitive
    variable. `ways` are the steps that were passed, each as (id of the called scenario or "", id of the
    step, "" on entering it or the way it was left by).
    """

    dialog: Dialog
    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()
    ended_runs: tuple[dict[str, Any], ...] = ()
    label: str = ""
    timers: tuple[Timer, ...] = ()
    tasks: tuple[Task, ...] = ()
    is_private: bool = False
    ways: tuple[tuple[str, str, str], ...] = ()


class Workspace:
    """A turn under way. `scenario` is the one that is being followed: the bot's own, or one called."""

    def __init__(
        self,
        own: CompiledScenario,
        called: Mapping[str, CompiledScenario],
        dialog: Dialog,
        event: Event,
        moment: Moment,
    ) -> None:
        self.own = own
        self.called = called
        self.dialog = dialog
        self.event = event
        self.moment = moment
        self.scenario = own
        self.messages: list[Message] = []
        self.notes: list[str] = []
        self.ended_runs: list[dict[str, Any]] = []
        self.timers: list[Timer] = []
        self.tasks: list[Task] = []
        self.ways: list[tuple[str, str, str]] = []
        self.label = ""
        self.is_private = False
        self.steps_passed = 0
        if dialog.calls:
            self.rescope()

    def rescope(self) -> None:
        """Follow the scenario that the dialog is in; one that is gone is followed by nothing."""
        calls = self.dialog.calls
        self.scenario = self.called.get(calls[-1].scenario_id, self.own) if calls else self.own

    @property
    def variables(self) -> dict[str, Any]:
        """Those of the scenario that is being followed."""
        calls = self.dialog.calls
        return calls[-1].variables if calls else self.dialog.variables

    def went(self, step_id: str, way: str) -> None:
        calls = self.dialog.calls
        self.ways.append((calls[-1].scenario_id if calls else "", step_id, way))

    # --- timers and tasks ---------------------------------------------------------------------------

    def new_timer(self, seconds: float) -> Timer:
        """A timer that is due so long from when all has been said that was said so far in this turn.

        It is set if it still belongs to something in the end.
        """
        self.dialog.serial += 1
        delays = sum(message.delay for message in self.messages)
        timer = Timer(self.dialog.serial, self.moment.now + timedelta(seconds=seconds + delays))
        self.timers.append(timer)
        return timer

    def new_task(self, kind: TaskKind, request: dict[str, Any], timeout: int) -> int:
        """A task, emitted if the dialog still waits for it in the end; its number."""
        self.dialog.serial += 1
        in_order = msgspec.json.encode(request, order="deterministic")  # CEL's maps have none
        self.tasks.append(Task(self.dialog.serial, kind, msgspec.json.decode(in_order), timeout))
        return self.dialog.serial

    def finished(self) -> Turn:
        dialog = self.dialog
        if dialog.pressed_on and self.messages:
            self._take_buttons_away()
        return Turn(
            dialog,
            tuple(self.messages),
            self._kept_notes() if self.notes else (),
            tuple(self.ended_runs),
            self.label,
            tuple(t for t in self.timers if t.number in _live(dialog)) if self.timers else (),
            tuple(t for t in self.tasks if t.number in dialog.awaited) if self.tasks else (),
            self.is_private,
            tuple(self.ways),
        )

    def _take_buttons_away(self) -> None:
        """Those that were pressed are of no use any longer; what is said next takes care of that."""
        self.messages[0] = msgspec.structs.replace(self.messages[0], closes=self.dialog.pressed_on)
        self.dialog.pressed_on = ""

    def _kept_notes(self) -> tuple[str, ...]:
        """Each once, as text that can be saved: they name what came from outside."""
        notes = islice(dict.fromkeys(self.notes), MAX_NOTES)
        return tuple(note[:MAX_NOTE].encode(errors="ignore").decode() for note in notes)


def _live(dialog: Dialog) -> set[int]:
    """The numbers of the timers that the dialog waits for."""
    asks: list[Ask | None] = [dialog.ask, dialog.detour.ask if dialog.detour else None]
    holders = [*asks, dialog.pending, dialog.handoff]
    return {holder.timer.number for holder in holders if holder and holder.timer}
