"""A turn, from the event to the dialog as it will be saved. Pure: the manager and a replay share it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from shared.dialog.events import (
    FROM_PERSON,
    ConversationStarted,
    DeletionRequested,
    Event,
    MessageReceived,
)
from shared.dialog.moving import moved
from shared.dialog.ports import ActiveScenario
from shared.dialog.processor import Moment, ScenarioProcessor, Turn
from shared.dialog.state import RECENT_EVENTS, Dialog, Remains, Task, TaskKind
from shared.queueing.envelopes import InboundEnvelope
from shared.scenario.compiled import CompiledScenario

FETCH_SECONDS = 100
"""For all of one try at bringing a file in, however large."""

SYNC_RUN_SECONDS = 60
"""For one try at telling the account's main system of a run."""


def event_hash(event: Event) -> str:
    """Recognises a redelivered event among a dialog's recent ones (48 bits)."""
    return _short_hash(f"{type(event).__name__}/{event.id}")


@lru_cache(maxsize=64)
def _short_hash(text: str) -> str:
    """Each event's is asked for several times in a turn."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def new_dialog(envelope: InboundEnvelope, now: datetime, remains: Remains | None = None) -> Dialog:
    """A dialog before its first turn; its epoch follows from the event that opens it.

    So the webhook that answers with a welcome (Viber) and the worker that opens the dialog a moment
    later write the same buttons, without speaking to one another. In the place of a deleted one, it knows
    what was meant for that.
    """
    seed = f"{envelope.dialog_id}/{event_hash(envelope.event)}/{envelope.event.occurred_at.isoformat()}"
    return Dialog(
        id=envelope.dialog_id,
        bot_id=envelope.bot_id,
        platform=envelope.platform,
        platform_chat_id=envelope.platform_chat_id,
        epoch=hashlib.blake2b(seed.encode(), digest_size=4).hexdigest(),
        created_at=now,
        updated_at=now,
        last_interaction_at=min(envelope.event.occurred_at, now),
        never_wrote=not isinstance(envelope.event, FROM_PERSON),
        recent_events=remains.recent_events if remains else (),
        predecessor_deleted_at=remains.deleted_at if remains else None,
    )


def chance_in(dialog: Dialog) -> float:
    """A random number that follows from the event that opened the dialog, as its epoch does."""
    return float.fromhex(f"0x.{dialog.epoch}")


How = Literal["begins", "moved", "restarted"]


class Followed(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a turn follows in the place of what its run is bound to; kept in the turn's entry.

    `contact_fields` are the types of what may be known of the person, by name.
    `how`: a run `begins` on it, or could have; one under way is `moved` to it, or `restarted` on it.
    """

    id: str
    revision: int
    called: dict[str, int] = {}
    bot_name: str = ""
    timezone: str = ""
    contact_fields: dict[str, str] = {}
    how: How = "begins"

    @classmethod
    def by(cls, dialog: Dialog) -> Followed:
        """What the dialog's run is bound to."""
        return cls(
            id=dialog.scenario_id or "",
            revision=dialog.revision or 0,
            called=dialog.called,
            contact_fields=dialog.contact_fields,
        )

    @classmethod
    def of(cls, active: ActiveScenario, how: How = "begins") -> Followed:
        return cls(
            id=active.scenario_id,
            revision=active.revision,
            called=dict(active.called),
            bot_name=active.bot_name,
            timezone=active.timezone,
            contact_fields=dict(active.contact_fields),
            how=how,
        )


class Program(msgspec.Struct, frozen=True, gc=False):
    """What applies an event: a processor, and whether it is another than the run's own.

    `former` is the scenario that a run which is moved has followed so far.
    """

    processor: ScenarioProcessor
    followed: Followed | None = None
    former: CompiledScenario | None = None

    def advance(self, dialog: Dialog, event: Event, moment: Moment) -> Turn:
        """The engine's turn; a run that begins or moves is bound to what it follows, and its time noted."""
        if self.followed is None:
            turn = self.processor.advance(dialog, event, moment)
        else:
            turn = self.processor.advance(self._taken_up(dialog, self.followed), self._read(event), moment)
            if self.followed.how == "moved" or turn.dialog.run != dialog.run:
                self._bind(turn.dialog, self.followed)
        if turn.dialog.run != dialog.run:
            turn.dialog.run_started_at = moment.now
        if not turn.ended_runs and not turn.tasks:
            return turn
        told: Turn = msgspec.structs.replace(
            turn,
            ended_runs=tuple(run | self._origin(run, dialog, moment) for run in turn.ended_runs),
            tasks=tuple(self._told(task, dialog, moment) for task in turn.tasks),
        )
        return told

    def _told(self, task: Task, met: Dialog, moment: Moment) -> Task:
        """The task, which tells of a run what the engine does not know."""
        if task.kind != "sync":
            return task
        request = task.request | self._origin(task.request, met, moment)
        told: Task = msgspec.structs.replace(task, request=request)
        return told

    def _origin(self, run: Mapping[str, Any], met: Dialog, moment: Moment) -> dict[str, Any]:
        """What a run has followed, and since when."""
        is_new = run["run"] != met.run
        begun_at = moment.now if is_new else met.run_started_at
        scenario_id, revision = met.scenario_id, met.revision
        if self.followed and (is_new or self.followed.how == "moved"):
            scenario_id, revision = self.followed.id, self.followed.revision
        origin: dict[str, Any] = msgspec.to_builtins(
            {"scenario_id": scenario_id, "revision": revision, "started_at": begun_at}
        )
        return origin

    def _taken_up(self, dialog: Dialog, followed: Followed) -> Dialog:
        if followed.how == "moved" and self.former:
            return moved(dialog, self.former, self.processor.scenario)
        named: Dialog = msgspec.structs.replace(
            dialog, bot_name=followed.bot_name, timezone=followed.timezone
        )
        return named

    def _read(self, event: Event) -> Event:
        """A word that was meant for a run which is no more only opens the next one."""
        if self.followed is None or self.followed.how != "restarted":
            return event
        return ConversationStarted(id=event.id, occurred_at=event.occurred_at, person=event.person)

    def _bind(self, dialog: Dialog, followed: Followed) -> None:
        dialog.scenario_id, dialog.revision = followed.id, followed.revision
        dialog.called = dict(followed.called)
        dialog.contact_fields = dict(followed.contact_fields)
        dialog.sensitive = tuple(sorted(self.processor.scenario.sensitive))


def made(
    program: Program | None, dialog: Dialog, event: Event, moment: Moment, *, has_sync: bool = False
) -> Turn:
    """What comes of the event by that program, or by none.

    The history keeps what the person sent in either case; so is a file of theirs kept. With `has_sync`, the
    account's main system is told of the runs that have ended.
    """
    turn = program.advance(dialog, event, moment) if program else Turn(msgspec.structs.replace(dialog), ())
    file = event.file if isinstance(event, MessageReceived) else None
    if file and file.media_id:
        turn = _with_task(turn, "fetch", msgspec.to_builtins(file), FETCH_SECONDS)
    for run in turn.ended_runs if has_sync else ():
        told = run | {"ended_at": msgspec.to_builtins(moment.now)}
        turn = _with_task(turn, "sync_run", told, SYNC_RUN_SECONDS)
    return turn


def _with_task(turn: Turn, kind: TaskKind, request: dict[str, Any], seconds: int) -> Turn:
    """The turn, with one task more, which nothing waits for."""
    dialog = msgspec.structs.replace(turn.dialog, serial=turn.dialog.serial + 1)
    task = Task(dialog.serial, kind, request, seconds)
    added: Turn = msgspec.structs.replace(turn, dialog=dialog, tasks=(*turn.tasks, task))
    return added


def stamped(turn: Turn, event: Event, now: datetime) -> Dialog:
    """The turn's dialog, made what will be saved but for its outbox: counted, and marked with the event."""
    dialog = turn.dialog
    dialog.outbox = None
    dialog.turn += 1
    dialog.updated_at = now
    if isinstance(event, FROM_PERSON):
        dialog.never_wrote = False
        # A messenger's clock may run ahead of ours; what comes once it is mended must not count as late.
        dialog.last_interaction_at = max(dialog.last_interaction_at, min(event.occurred_at, now))
    dialog.recent_events = _known(dialog, event)
    return dialog


def remains_of(dialog: Dialog, event: DeletionRequested) -> Remains:
    """What is left of the dialog once the event has deleted it."""
    return Remains(dialog.epoch, event.occurred_at, _known(dialog, event))


def _known(dialog: Dialog, event: Event) -> tuple[str, ...]:
    return (*dialog.recent_events[1 - RECENT_EVENTS :], event_hash(event))
