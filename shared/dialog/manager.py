"""From an event to a turn that is saved, recorded and on its way: load → advance → commit → emit.

One conditional write of the dialog's item commits the new state together with its outbox. All that
follows is derived from it and idempotent, so a worker may die anywhere: the event is delivered again,
is recognised by its hash, and what its turn wanted is done once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec

from shared.dialog.events import (
    FROM_PERSON,
    ButtonPressed,
    ChatBlocked,
    ConversationStarted,
    DeletionRequested,
    Event,
    GivenBack,
    HandedOff,
    MessageReceived,
    OperatorWrote,
    RunRequested,
    TaskFinished,
)
from shared.dialog.history import Author, ChatAddress, HistoryEntry
from shared.dialog.identities import Met, addressed, meet
from shared.dialog.moving import may_move
from shared.dialog.ports import (
    ActiveScenario,
    DeletionQueue,
    HistoryRepository,
    OutboundQueue,
    StateRepository,
    TaskQueue,
    TimerQueue,
)
from shared.dialog.processor import Moment, ScenarioProcessor, Turn, has_open_run, starts_over
from shared.dialog.programs import ActiveScenarios, CompiledScenarios, kind_and_place
from shared.dialog.rehearsal import ends_within, within
from shared.dialog.sealing import Sealer, context_of, sealed
from shared.dialog.state import Dialog, Outbox
from shared.dialog.turns import (
    Followed,
    Program,
    chance_in,
    event_hash,
    made,
    new_dialog,
    remains_of,
    stamped,
)
from shared.errors import (
    ConcurrentTurn,
    DialogTooLarge,
    EventNotApplicable,
    NoSuchBot,
    NotFound,
    ScenarioUnusable,
)
from shared.queueing.envelopes import DialogDeletionEnvelope, InboundEnvelope, OutboundEnvelope

LATE_AFTER = timedelta(minutes=15)
"""A person's event this much older than the last applied one is kept, not applied (a queue's late echo)."""

MAX_RELOADS = 50
"""Lost races for one dialog before the event goes back to the queue."""


class Applied(StrEnum):
    """What became of an event."""

    TURN = "turn"
    KNOWN = "known"
    LATE = "late"
    NO_SCENARIO = "no_scenario"
    NO_DIALOG = "no_dialog"
    NO_BOT = "no_bot"
    DELETED = "deleted"


class Outside(msgspec.Struct, frozen=True):
    """Where time and randomness come from."""

    now: Callable[[], datetime]
    random: Callable[[], float]

    def moment(self) -> Moment:
        return Moment(self.now().astimezone(UTC), self.random())


class Applying(msgspec.Struct, frozen=True, gc=False):
    """An event on its way through a turn: the dialog it met, and what its bot runs, or did a moment ago."""

    dialog: Dialog
    envelope: InboundEnvelope
    event: Event
    moment: Moment
    active: ActiveScenario | None

    @property
    def has_sync(self) -> bool:
        """Whether somebody wants to be told of the runs that it ends."""
        return self.active is not None and self.active.has_sync


@dataclass(frozen=True, slots=True)
class DialogManager:
    """Makes turns durable. The only writer of dialogs.

    `tell_mistakes` hears of an author's mistakes that a turn met: the bot, and what they were. A turn is
    broken off after `most_seconds`; with `rehearsal_seconds`, it is made only once it is certain that it
    takes no longer.
    """

    dialogs: StateRepository
    history: HistoryRepository
    active: ActiveScenarios
    scenarios: CompiledScenarios
    outbound: OutboundQueue
    timers: TimerQueue
    tasks: TaskQueue
    deletions: DeletionQueue
    sealer: Sealer
    outside: Outside
    tell_mistakes: Callable[[str, tuple[str, ...]], None] = lambda _bot_id, _notes: None
    most_seconds: float = 5.0
    rehearsal_seconds: float | None = None

    def handle(self, envelope: InboundEnvelope) -> Applied:
        """Apply the event exactly once, and see to it that what follows is done.

        Raises `EventNotApplicable` if our engine fails on it before anything is committed, and
        whatever the stores and the queues raise: then the event must be delivered again.
        """
        for _ in range(MAX_RELOADS):
            try:
                return self._handle_once(envelope)
            except ConcurrentTurn:
                continue
            except NoSuchBot:
                return Applied.NO_BOT
        raise ConcurrentTurn(envelope.dialog_id)

    def _handle_once(self, envelope: InboundEnvelope) -> Applied:
        """Raises `NoSuchBot`: within half a minute of its deletion, nothing more is done for a bot."""
        active = self.active.recent(envelope.bot_id)
        met = meet(self.dialogs, envelope)
        if isinstance(envelope.event, DeletionRequested):
            return self._delete(met, envelope, envelope.event)
        if met.knows(event_hash(envelope.event)):
            self._emit_again(met.dialogs, envelope)
            return Applied.KNOWN
        moment, event = self.outside.moment(), envelope.event
        if met.dialog:
            return self._commit(Applying(met.named(met.dialog), envelope, event, moment, active), met)
        if not isinstance(event, _OPENING):
            return Applied.NO_DIALOG
        here = msgspec.structs.replace(envelope, dialog_id=met.id)
        opened = met.named(new_dialog(here, moment.now, met.predecessor))
        if _is_late(opened, envelope):
            return Applied.LATE
        if isinstance(event, ConversationStarted) and event.welcomed_by:
            moment = msgspec.structs.replace(moment, random=chance_in(opened))
        return self._commit(Applying(opened, envelope, event, moment, active), met)

    def _delete(self, met: Met, envelope: InboundEnvelope, event: DeletionRequested) -> Applied:
        """Have removed what belongs to the dialog, and take it out of the way.

        In this order, as somebody may begin its successor under another identity before we are called again.
        """
        found, dialog = met.dialog or met.remains, met.dialog
        gone = [] if dialog is None else [dialog, *self._left_for(dialog)]
        if found is None or event.epoch not in {found.epoch, *(each.epoch for each in gone)}:
            return Applied.NO_DIALOG
        for each in gone:
            self.deletions.send_dialog(_deletion(each, envelope, event))
        if dialog:
            self.dialogs.delete(dialog, remains_of(dialog, event))
        return Applied.DELETED

    def _left_for(self, dialog: Dialog) -> list[Dialog]:
        """The dialogs that are continued in this one, as they were left."""
        lying = {place: self.dialogs.load(place) for place in dialog.identities.places}
        return [each for place, each in lying.items() if each and each.id == place]

    def _commit(self, applying: Applying, met: Met) -> Applied:
        program, applied = self._program(applying)
        turn = self._advance(program, applying)
        dialog = stamped(turn, applying.event, applying.moment.now)
        if applied is not Applied.LATE:
            dialog = addressed(dialog, applying.envelope)
        data = self._sealed(_data(turn, program, applied, applying), turn, applied, applying)
        dialog.outbox = Outbox(
            event=dialog.recent_events[-1],
            entry=_entry(dialog, data, len(turn.messages), applying),
            messages=turn.messages,
            timers=turn.timers,
            tasks=turn.tasks,
            group=_group_of(dialog, applying.envelope),
        )
        self._finish_former(met.dialogs, applying.envelope)
        self._save(dialog, met)
        if turn.notes:
            self.tell_mistakes(dialog.bot_id, turn.notes)
        self._emit(dialog, applying.envelope, reemitted=False)
        return applied

    def _finish_former(self, dialogs: Iterable[Dialog], envelope: InboundEnvelope) -> None:
        """Do once more what the last turns want that came under other ids: their groups of the queue may not
        have done it yet, and could not any more."""
        for dialog in dialogs:
            if dialog.outbox and dialog.outbox.group != _group_of(dialog, envelope):
                self._emit(dialog, envelope, reemitted=True)

    def _save(self, dialog: Dialog, met: Met) -> None:
        """Commit the turn; if its event is what makes it too large, without that."""
        try:
            self._write(dialog, met)
        except DialogTooLarge:
            dialog.outbox = _without_event(dialog.outbox) if dialog.outbox else None
            self._write(dialog, met)

    def _write(self, dialog: Dialog, met: Met) -> None:
        at = met.dialog.turn if met.dialog else met.remains
        if met.others:
            self.dialogs.join(dialog, at, met.others)
        else:
            self.dialogs.commit(dialog, at)

    # --- what applies the event -------------------------------------------------------------------

    def _program(self, applying: Applying) -> tuple[Program | None, Applied]:
        """What applies the event, or why nothing does."""
        dialog, event = applying.dialog, applying.event
        if _is_late(dialog, applying.envelope):
            return None, Applied.LATE
        if _may_begin(dialog, event):
            active = self._active(applying)
            program = self._following(dialog, Followed.of(active)) if active else None
            return program, Applied.TURN if program else Applied.NO_SCENARIO
        is_called_away = isinstance(event, FROM_PERSON) and _calls_away(applying.active, dialog)
        overtaken = self._overtaken(dialog) if is_called_away else None
        return overtaken or Program(self._own(dialog)), Applied.TURN

    def _active(self, applying: Applying) -> ActiveScenario | None:
        """What a new run follows: the bot's active revision, or the one that has already said welcome."""
        active, event = self.active.read(applying.dialog.bot_id), applying.event
        if active and isinstance(event, ConversationStarted) and event.welcomed_by:
            scenario_id = event.welcomed_scenario or active.scenario_id
            welcomed: ActiveScenario = msgspec.structs.replace(
                active, scenario_id=scenario_id, revision=event.welcomed_by
            )
            return welcomed
        return active

    def _overtaken(self, dialog: Dialog) -> Program | None:
        """What a run under way goes over to, if something else was activated and it is to follow that.

        Read afresh, now that it seems so: most turns find nothing new.
        """
        active = self.active.read(dialog.bot_id)
        if active is None or not _calls_away(active, dialog):
            return None
        if active.running == "restart":
            return self._following(dialog, Followed.of(active, "restarted"))
        followed = msgspec.structs.replace(Followed.of(active, "moved"), contact_fields=dialog.contact_fields)
        program = self._following(dialog, followed)
        former = self._own(dialog).scenario
        can_go = may_move(dialog, former, program.processor.scenario)
        return Program(program.processor, program.followed, former) if can_go else None

    def _following(self, dialog: Dialog, followed: Followed) -> Program:
        return Program(self._compiled(dialog, followed), followed)

    def _own(self, dialog: Dialog) -> ScenarioProcessor:
        return self._compiled(dialog, Followed.by(dialog))

    def _compiled(self, dialog: Dialog, followed: Followed) -> ScenarioProcessor:
        try:
            return self.scenarios.get(
                followed.id, followed.revision, followed.called, followed.contact_fields
            )
        except (NotFound, ScenarioUnusable) as error:
            raise EventNotApplicable(dialog.id, dialog.turn, str(error)) from error

    def _advance(self, program: Program | None, applying: Applying) -> Turn:
        """The pure step; a fault in it is ours, and is told apart from those of the stores."""
        dialog = applying.dialog
        has_sync = applying.has_sync
        advance = partial(made, program, dialog, applying.event, applying.moment, has_sync=has_sync)
        if self.rehearsal_seconds and not ends_within(self.rehearsal_seconds, advance):
            reason = f"the turn takes longer than {self.rehearsal_seconds} s"
            raise EventNotApplicable(dialog.id, dialog.turn, reason)
        try:
            return within(self.most_seconds, advance)
        except Exception as error:
            raise EventNotApplicable(dialog.id, dialog.turn, kind_and_place(error)) from error

    # --- what follows from the turn ---------------------------------------------------------------

    def _sealed(self, data: dict[str, Any], turn: Turn, applied: Applied, met: Applying) -> dict[str, Any]:
        """The entry's data without what nobody should read."""
        dialog = met.dialog
        if not (dialog.sensitive or turn.dialog.sensitive or turn.is_private):
            return data
        sensitive = {*dialog.sensitive, *turn.dialog.sensitive}
        is_private = turn.is_private or _may_hold_secrets(met.event, sensitive, applied)
        is_private = is_private or _has_new(sensitive, dialog, turn.dialog)
        if not is_private and not turn.ended_runs:
            return data
        seal = partial(self.sealer.seal, context=context_of(dialog))
        return sealed(data, is_private=is_private, sensitive=sensitive, seal=seal)

    def _emit_again(self, dialogs: Iterable[Dialog], cause: InboundEnvelope) -> None:
        """Of a turn that is no longer the last one everything was done before the next was taken up."""
        for dialog in dialogs:
            if dialog.outbox and dialog.outbox.event == event_hash(cause.event):
                self._emit(dialog, cause, reemitted=True)

    def _emit(self, dialog: Dialog, cause: InboundEnvelope, *, reemitted: bool) -> None:
        outbox, trace_id = dialog.outbox, cause.trace_id
        if outbox is None:
            return
        self.history.record(outbox.entry)
        if outbox.messages:
            self.outbound.send(_envelope(dialog, outbox, cause, reemitted=reemitted))
        for timer in outbox.timers:
            self.timers.set(timer, dialog, trace_id)
        for task in outbox.tasks:
            self.tasks.send(task, dialog, trace_id, _message_answered(cause))


_OPENING = (*FROM_PERSON, RunRequested)
"""What may open a dialog. Anything else was meant for one that is gone, or deleted since."""

_COMES_LATE = (*FROM_PERSON, ChatBlocked)
"""What is of no use once the dialog has moved on."""

_OF_OPERATOR = (HandedOff, OperatorWrote, GivenBack)


def _is_late(dialog: Dialog, envelope: InboundEnvelope) -> bool:
    """Whether the dialog has moved on too far: past the turn a redriven event met, past its time, or to
    another address than the one where its person cannot be reached.

    Timers and tasks take their time, and are recognised by their numbers.
    """
    if envelope.met_turn is not None and envelope.met_turn != dialog.turn:
        return True
    if _is_of_predecessor(dialog, envelope):
        return True
    if dialog.turn == 0 or not isinstance(envelope.event, _COMES_LATE):
        return False
    if isinstance(envelope.event, ChatBlocked) and envelope.platform_chat_id in dialog.identities.left:
        return True
    return envelope.event.occurred_at < dialog.last_interaction_at - LATE_AFTER


def _is_of_predecessor(dialog: Dialog, envelope: InboundEnvelope) -> bool:
    deleted_at, event = dialog.predecessor_deleted_at, envelope.event
    if deleted_at is None:
        return False
    return envelope.received_at <= deleted_at or event.occurred_at < deleted_at - LATE_AFTER


def _may_begin(dialog: Dialog, event: Event) -> bool:
    """Whether the event may begin a run, or there is nothing else that the dialog could follow."""
    if dialog.scenario_id is None or isinstance(event, RunRequested):
        return True
    if dialog.handoff or not isinstance(event, FROM_PERSON):
        return False
    return starts_over(event) is not None or not has_open_run(dialog)


def _calls_away(active: ActiveScenario | None, dialog: Dialog) -> bool:
    """Whether the run should be on something else; never out of an operator's hands."""
    if active is None or active.running == "keep" or dialog.handoff:
        return False
    bound = dialog.scenario_id, dialog.revision, dialog.called
    return bound != (active.scenario_id, active.revision, active.called)


def _may_hold_secrets(event: Event, sensitive: Collection[str], applied: Applied) -> bool:
    """Whether the event may tell a secret, though the engine did not see an answer to a question for one."""
    if applied is Applied.LATE:
        return True
    match event:
        case RunRequested(variables=variables):
            return not variables.keys().isdisjoint(sensitive)
        case TaskFinished(result=result):
            return bool(result)
        case _:
            return "start_payload" in sensitive and starts_over(event) is not None


def _has_new(names: Collection[str], met: Dialog, after: Dialog) -> bool:
    """Whether one of the variables has got a value, by whatever event."""
    before = met.variables
    return any(name in after.variables and after.variables[name] != before.get(name) for name in names)


def _data(turn: Turn, program: Program | None, applied: Applied, applying: Applying) -> dict[str, Any]:
    """What an entry tells of the turn: all that a replay needs, and what a person wants to know."""
    data: dict[str, Any] = {"event": msgspec.to_builtins(applying.event), "random": applying.moment.random}
    if turn.label:
        data["label"] = turn.label
    if turn.notes:
        data["notes"] = list(turn.notes)
    if turn.ended_runs:
        data["ended_runs"] = list(turn.ended_runs)
        if applying.has_sync:
            data["has_sync"] = True
    if program and program.followed:
        data["scenario"] = msgspec.to_builtins(program.followed)
    if applied is not Applied.TURN:
        data["not_applied"] = applied.value
    return data


def _entry(dialog: Dialog, data: dict[str, Any], messages: int, applying: Applying) -> HistoryEntry:
    return HistoryEntry(
        dialog_id=dialog.id,
        epoch=dialog.epoch,
        turn=dialog.turn,
        n=0,
        message_type=_author_of(applying.event),
        message_data=data,
        timestamp=applying.event.occurred_at,
        created_at=applying.moment.now,
        messages=messages,
        chat=_chat_of(dialog) if "ended_runs" in data else None,
    )


def _chat_of(dialog: Dialog) -> ChatAddress:
    return ChatAddress(dialog.bot_id, dialog.platform, dialog.platform_chat_id)


def _without_event(outbox: Outbox) -> Outbox:
    """The entry then says why it does not tell what came."""
    told = dict(outbox.entry.message_data)
    left_out = [told.pop(name) for name in ("event", "sealed", "notes") if name in told]
    data = {**told, "omitted": f"{len(msgspec.json.encode(left_out))} bytes are too many"}
    entry = msgspec.structs.replace(outbox.entry, message_data=data)
    return msgspec.structs.replace(outbox, entry=entry)


def _author_of(event: Event) -> Author:
    if isinstance(event, FROM_PERSON):
        return "user"
    return "operator" if isinstance(event, _OF_OPERATOR) else "system"


def _group_of(dialog: Dialog, envelope: InboundEnvelope) -> str:
    return "" if envelope.dialog_id == dialog.id else envelope.dialog_id


def _deletion(gone: Dialog, envelope: InboundEnvelope, event: DeletionRequested) -> DialogDeletionEnvelope:
    return DialogDeletionEnvelope(
        dialog_id=gone.id,
        bot_id=gone.bot_id,
        platform=gone.platform,
        epoch=gone.epoch,
        deleted_at=event.occurred_at,
        trace_id=envelope.trace_id,
        serial=gone.serial,
    )


def _envelope(dialog: Dialog, outbox: Outbox, cause: InboundEnvelope, *, reemitted: bool) -> OutboundEnvelope:
    return OutboundEnvelope(
        dialog_id=dialog.id,
        epoch=dialog.epoch,
        turn=dialog.turn,
        bot_id=dialog.bot_id,
        platform=dialog.platform,
        platform_chat_id=dialog.platform_chat_id,
        messages=outbox.messages,
        trace_id=cause.trace_id,
        reemitted=reemitted,
        last_message_id=_message_answered(cause),
        said_at=dialog.updated_at,
        last_interaction_at=None if dialog.never_wrote else dialog.last_interaction_at,
    )


def _message_answered(cause: InboundEnvelope) -> str:
    """The messenger's name of what the person said, where the turn comes of that, at once or by tasks."""
    has_said = isinstance(cause.event, MessageReceived | ButtonPressed)
    return cause.event.id if has_said else cause.last_message_id
