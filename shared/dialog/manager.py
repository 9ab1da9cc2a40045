"""From an event to a turn that is saved, recorded and on its way: load → advance → commit → emit.

One conditional write of the dialog's item commits the new state together with its outbox. All that
follows is derived from it and idempotent, so a worker may die anywhere: the event is delivered again,
is recognised by its hash, and what its turn wanted is done once more.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec

from shared.dialog.events import ConversationStarted, Event
from shared.dialog.history import HistoryEntry
from shared.dialog.ports import (
    ActiveScenario,
    BotRepository,
    HistoryRepository,
    OutboundQueue,
    RevisionRepository,
    StateRepository,
)
from shared.dialog.processor import Moment, ScenarioProcessor, Turn, has_open_run, starts_over
from shared.dialog.rehearsal import ends_within
from shared.dialog.state import RECENT_EVENTS, Dialog, Outbox
from shared.errors import ConcurrentTurn, EventNotApplicable, NotFound, ScenarioUnusable
from shared.observability import describe
from shared.queueing.envelopes import InboundEnvelope, OutboundEnvelope
from shared.scenario.compiler import compile_scenario

LATE_AFTER = timedelta(minutes=15)
"""An event this much older than the last applied one is kept, not applied (a queue's late echo)."""

MAX_RELOADS = 50
"""Lost races for one dialog before the event goes back to the queue."""

COMPILED_BYTES = 2_000_000
"""Of the documents kept compiled in one container. Compiled, they take up to 160 times as much."""


class Applied(StrEnum):
    """What became of an event."""

    TURN = "turn"
    KNOWN = "known"
    LATE = "late"
    NO_SCENARIO = "no_scenario"


def event_hash(event: Event) -> str:
    """Recognises a redelivered event among a dialog's recent ones (48 bits)."""
    kind = type(event).__name__
    return hashlib.blake2b(f"{kind}/{event.id}".encode(), digest_size=6).hexdigest()


def new_dialog(envelope: InboundEnvelope, now: datetime) -> Dialog:
    """A dialog before its first turn; its epoch follows from the event that opens it.

    So the webhook that answers with a welcome (Viber) and the worker that opens the dialog a moment
    later write the same buttons, without speaking to one another.
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
    )


class CompiledScenarios:
    """Processors of the revisions in use, compiled once per container; the oldest unused goes first."""

    def __init__(self, revisions: RevisionRepository, max_bytes: int = COMPILED_BYTES) -> None:
        self._revisions = revisions
        self._room = max_bytes
        self._processors: OrderedDict[tuple[str, int], tuple[ScenarioProcessor, int]] = OrderedDict()

    def get(self, scenario_id: str, revision: int) -> ScenarioProcessor:
        """Raises `NotFound`, and `ScenarioUnusable` if the compiler fails on it."""
        key = scenario_id, revision
        if key not in self._processors:
            self._keep(key, self._revisions.document(scenario_id, revision))
        self._processors.move_to_end(key)
        return self._processors[key][0]

    def _keep(self, key: tuple[str, int], document: Mapping[str, Any]) -> None:
        """Compile the document; however large it is, it stays until the next one comes."""
        size = len(msgspec.json.encode(document))
        while self._processors and self._room < size:
            self._room += self._processors.popitem(last=False)[1][1]
        self._processors[key] = _compiled(document), size
        self._room -= size


def _compiled(document: Mapping[str, Any]) -> ScenarioProcessor:
    try:
        return ScenarioProcessor(compile_scenario(document))
    except Exception as error:
        raise ScenarioUnusable(_kind_and_place(error)) from error


def _kind_and_place(error: Exception) -> str:
    """What can be told of a fault of ours: its own words may quote what a person wrote."""
    described = describe(error)
    return f"{described['error']} at {described['at']}"


@dataclass(frozen=True, slots=True)
class Outside:
    """Where time and randomness come from."""

    now: Callable[[], datetime]
    random: Callable[[], float]

    def moment(self) -> Moment:
        return Moment(self.now().astimezone(UTC), self.random())


@dataclass(frozen=True, slots=True)
class DialogManager:
    """Makes turns durable. The only writer of dialogs.

    `tell_mistakes` hears of an author's mistakes that a turn met: the bot, and what they were. With
    `rehearsal_seconds`, a turn is made only once it is certain that it takes no longer.
    """

    dialogs: StateRepository
    history: HistoryRepository
    bots: BotRepository
    scenarios: CompiledScenarios
    outbound: OutboundQueue
    outside: Outside
    tell_mistakes: Callable[[str, tuple[str, ...]], None] = lambda _bot_id, _notes: None
    rehearsal_seconds: float | None = None

    def handle(self, envelope: InboundEnvelope) -> Applied:
        """Apply the event exactly once, and see to it that what follows is done.

        Raises `EventNotApplicable` if our engine fails on it before anything is committed, and
        whatever the stores and the queue raise: then the event must be delivered again.
        """
        for _ in range(MAX_RELOADS):
            try:
                return self._handle_once(envelope)
            except ConcurrentTurn:
                continue
        raise ConcurrentTurn(envelope.dialog_id)

    def _handle_once(self, envelope: InboundEnvelope) -> Applied:
        stored = self.dialogs.load(envelope.dialog_id)
        met_turn = stored.turn if stored else None
        event = event_hash(envelope.event)
        if stored and event in stored.recent_events:
            self._emit_again(stored, event, envelope.trace_id)
            return Applied.KNOWN
        moment = self.outside.moment()
        dialog = stored or new_dialog(envelope, moment.now)
        turn, applied = self._turn(dialog, envelope, moment)
        committed = self._committed(turn, applied, envelope, moment, event)
        self.dialogs.commit(committed, met_turn)
        if turn.notes:
            self.tell_mistakes(dialog.bot_id, turn.notes)
        self._emit(committed, envelope.trace_id, reemitted=False)
        return applied

    def _turn(self, dialog: Dialog, envelope: InboundEnvelope, moment: Moment) -> tuple[Turn, Applied]:
        if _is_late(dialog, envelope):
            return Turn(dialog, ()), Applied.LATE
        if has_open_run(dialog) and not starts_over(envelope.event):
            pinned = dialog.scenario_id or "", dialog.revision or 0
            return self._advance(pinned, dialog, envelope, moment), Applied.TURN
        active = self._active(envelope)
        if active is None:
            return Turn(dialog, ()), Applied.NO_SCENARIO
        named = msgspec.structs.replace(dialog, bot_name=active.bot_name)
        turn = self._advance((active.scenario_id, active.revision), named, envelope, moment)
        if turn.dialog.run != dialog.run:
            turn.dialog.scenario_id, turn.dialog.revision = active.scenario_id, active.revision
        return turn, Applied.TURN

    def _active(self, envelope: InboundEnvelope) -> ActiveScenario | None:
        """What a new run follows: the bot's active revision, or the one that has already said welcome."""
        active = self.bots.active_scenario(envelope.bot_id)
        event = envelope.event
        if active and isinstance(event, ConversationStarted) and event.welcomed_by:
            scenario_id = event.welcomed_scenario or active.scenario_id
            return ActiveScenario(active.bot_name, active.timezone, scenario_id, event.welcomed_by)
        return active

    def _advance(
        self, revision: tuple[str, int], dialog: Dialog, envelope: InboundEnvelope, moment: Moment
    ) -> Turn:
        """The pure step; a fault in it is ours, and is told apart from those of the stores."""
        try:
            processor = self.scenarios.get(*revision)
        except (NotFound, ScenarioUnusable) as error:
            raise EventNotApplicable(dialog.id, dialog.turn, str(error)) from error
        advance = partial(processor.advance, dialog, envelope.event, moment)
        if self.rehearsal_seconds and not ends_within(self.rehearsal_seconds, advance):
            reason = f"the turn takes longer than {self.rehearsal_seconds} s"
            raise EventNotApplicable(dialog.id, dialog.turn, reason)
        try:
            return advance()
        except Exception as error:
            raise EventNotApplicable(dialog.id, dialog.turn, _kind_and_place(error)) from error

    def _committed(
        self, turn: Turn, applied: Applied, envelope: InboundEnvelope, moment: Moment, event: str
    ) -> Dialog:
        """The turn's dialog as it will be saved: counted, stamped, with its outbox; `event` is its hash."""
        dialog: Dialog = msgspec.structs.replace(turn.dialog)
        dialog.turn += 1
        dialog.updated_at = moment.now
        # A messenger's clock may run ahead of ours; what comes once it is mended must not count as late.
        interaction_at = min(envelope.event.occurred_at, moment.now)
        dialog.last_interaction_at = max(dialog.last_interaction_at, interaction_at)
        dialog.recent_events = (*dialog.recent_events[1 - RECENT_EVENTS :], event)
        dialog.outbox = Outbox(event, _entry(dialog, turn, applied, envelope, moment), turn.messages)
        return dialog

    def _emit_again(self, dialog: Dialog, event: str, trace_id: str) -> None:
        """Of a turn that is no longer the last one everything was done before the next was taken up."""
        if dialog.outbox and dialog.outbox.event == event:
            self._emit(dialog, trace_id, reemitted=True)

    def _emit(self, dialog: Dialog, trace_id: str, *, reemitted: bool) -> None:
        outbox = dialog.outbox
        if outbox is None:
            return
        self.history.record(outbox.entry)
        if outbox.messages:
            self.outbound.send(
                OutboundEnvelope(
                    dialog_id=dialog.id,
                    epoch=dialog.epoch,
                    turn=dialog.turn,
                    bot_id=dialog.bot_id,
                    platform=dialog.platform,
                    platform_chat_id=dialog.platform_chat_id,
                    messages=outbox.messages,
                    trace_id=trace_id,
                    reemitted=reemitted,
                )
            )


def _is_late(dialog: Dialog, envelope: InboundEnvelope) -> bool:
    """Whether the dialog has moved on too far: past the turn a redriven event met, or past its time."""
    if envelope.met_turn is not None and envelope.met_turn != dialog.turn:
        return True
    return dialog.turn > 0 and envelope.event.occurred_at < dialog.last_interaction_at - LATE_AFTER


def _entry(
    dialog: Dialog, turn: Turn, applied: Applied, envelope: InboundEnvelope, moment: Moment
) -> HistoryEntry:
    data: dict[str, Any] = {"event": msgspec.to_builtins(envelope.event), "random": moment.random}
    if turn.label:
        data["label"] = turn.label
    if turn.notes:
        data["notes"] = list(turn.notes)
    if turn.ended_runs:
        data["ended_runs"] = list(turn.ended_runs)
    if applied is not Applied.TURN:
        data["not_applied"] = applied.value
    return HistoryEntry(
        dialog_id=dialog.id,
        epoch=dialog.epoch,
        turn=dialog.turn,
        n=0,
        message_type="user",
        message_data=data,
        timestamp=envelope.event.occurred_at,
        created_at=moment.now,
        messages=len(turn.messages),
    )
