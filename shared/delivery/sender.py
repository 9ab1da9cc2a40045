"""The sender: one turn's envelope in, every message delivered or its failure recorded.

No messenger takes an idempotency key, so a message whose answer was lost is sent again and recorded as
possibly doubled; everything else is sent once, because what is recorded is looked up before a repeat.

Nobody sleeps through a message's delay: its end is recorded, and the envelope goes back to the queue
until then. So a message with a delay is sent only by a later receive than the one that recorded it.

A message that must carry its files is handed over to the tasks worker, which sends it by the same rules
(`Sender.carry`). Whose it is stands in its record: until the worker gives it back, or its time is surely
over, no sender touches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from shared.credential import Credential
from shared.delivery.collaborators import Collaborators
from shared.delivery.files import (
    WAITED_AT_MOST,
    is_handed_over,
    look_again_in,
)
from shared.delivery.message import AWAITS_FILES, MAX_FAILURES, MessageDelivery, bounded, failed
from shared.delivery.resending import SAID_AGAIN_WITHIN, is_later_word, taken_up
from shared.dialog.history import DeliveryRecord, HistoryEntry, delivery_id_of, entry_key
from shared.dialog.messages import Message
from shared.errors import Wait
from shared.platforms.base import Delivery, Outcome
from shared.queueing.envelopes import FirstSendEnvelope, OutboundEnvelope, Resend

WINDOW_EDGE = timedelta(minutes=5)
"""After the end of a messenger's window in which it is asked and not taken for closed."""

WINDOW_OVER = "the person has not written for so long that the messenger takes nothing but a template"
"""Why a message without a template is not even tried."""

SUPERSEDED = "superseded"
"""Why a message is not sent that comes back after a later turn was: it would answer what nobody asks."""

WORTH_TYPING = timedelta(seconds=2)
"""A delay in which a person is shown that something is being written."""

_LOOKED_AHEAD = 100
"""Entries after a turn among which a message that was sent is looked for."""

_ENDS_THE_TURN = {Outcome.RECIPIENT_GONE, Outcome.CREDENTIAL_BAD}
"""What stands against every further message too: those are not even tried."""

_DONE = {"sent", "failed"}


@dataclass(frozen=True, slots=True)
class Sender(Collaborators):
    """Delivers turns; knows outcomes, no messenger. Shared by threads."""

    def deliver(self, envelope: OutboundEnvelope, *, is_repeat: bool) -> tuple[str, ...]:
        """Deliver all messages in order; returns why any was given up after `MAX_FAILURES` tries.

        `is_repeat` says that the queue may have delivered this envelope before. Raises `Wait` when the
        rest has to be tried later: all that was done until then is recorded.
        """
        turn = _TurnDelivery(self, envelope, self._records(envelope, is_repeat=is_repeat))
        if envelope.resend:
            return tuple(turn.say_again(envelope.resend))
        return tuple(turn.run(is_repeat=is_repeat or envelope.is_copy))

    def leave(self, envelope: OutboundEnvelope) -> None:
        """Record that nothing was begun of a turn that goes back to the queue untouched.

        Only the first receive of an only copy knows that. Without it, the next one could not tell.
        """
        if not envelope.is_copy:
            _TurnDelivery(self, envelope, {}).write(1, DeliveryRecord("queued"))

    def carry(self, work: FirstSendEnvelope) -> None:
        """Send the one message, with its files, that a sender has handed over; nothing, if it is not ours
        any more.

        Only for a `transport` that takes files along. What hinders the message now is recorded, and the
        sender goes on from there.
        """
        _TurnDelivery(self, work.turn, self._records(work.turn, is_repeat=True)).carry(work)

    def hand_back(self, work: FirstSendEnvelope) -> None:
        """Leave a message to its sender that could not be carried."""
        _TurnDelivery(self, work.turn, self._records(work.turn, is_repeat=True)).hand_back(work)

    def _records(self, envelope: OutboundEnvelope, *, is_repeat: bool) -> dict[int, HistoryEntry]:
        if not (is_repeat or envelope.is_copy):
            return {}
        entries = self.history.of_turn(envelope.dialog_id, envelope.epoch, envelope.turn)
        return {entry.n: entry for entry in entries if entry.delivery}


@dataclass(slots=True)
class _TurnDelivery:
    """`against` is what stands against all further messages, `window_closed` what against those without a
    template.
    """

    sender: Sender
    envelope: OutboundEnvelope
    records: Mapping[int, HistoryEntry]
    against: str = ""
    window_closed: str = ""
    shown: dict[int, Message] = field(default_factory=dict)
    written: dict[int, DeliveryRecord] = field(default_factory=dict)

    def run(self, *, is_repeat: bool) -> Iterator[str]:
        credential = self.sender.credential_of(self.envelope.bot_id, self.envelope.platform)
        self.against = _why_not(credential) or self._why_too_late()
        self.window_closed = self._why_only_templates()
        may_be_lost = is_repeat
        before = self.sender.now()
        for n, message in enumerate(self.envelope.messages, start=1):
            record = self._record_of(n)
            if record and (record.status in _DONE or record.replaced):
                before = self.records[n].timestamp
                if _is_given_up(record):
                    yield record.reason  # perhaps it was not told
                continue
            if record and is_handed_over(record, self.sender.now()):
                self._await_worker(n, record)
            record = _taken_back(record) if record else self._begun(may_be_lost=may_be_lost)
            may_be_lost = False  # messages go in order: only the first without a record can have been sent
            if message.is_said:
                self.write(n, DeliveryRecord("sent"))
                continue
            against = self.against or ("" if message.template else self.window_closed)
            if against or credential is None:
                self.write(n, failed(record, against))
                continue
            delivery = self._deliver(n, message, record, before, credential)
            before = self.sender.now()
            if delivery.outcome is Outcome.RETRY:
                yield delivery.reason

    def _deliver(
        self, n: int, message: Message, record: DeliveryRecord, before: datetime, credential: Credential
    ) -> Delivery:
        """Once its delay is over: it counts from `before`, when the message before it was done with."""
        due_at = before + timedelta(seconds=message.delay) if message.delay else None
        self._hold_back(n, record, due_at, credential)
        one = self._message(n, record, credential)
        try:
            delivery = one.run(record, is_recorded=n in self.records)
        except Wait:
            self._leave_the_next(n)
            raise
        if delivery.outcome in _ENDS_THE_TURN:
            self.against = delivery.reason or delivery.outcome.value
        elif delivery.outcome is Outcome.WINDOW_CLOSED:
            self.window_closed = delivery.reason or delivery.outcome.value
        return delivery

    def say_again(self, resend: Resend) -> Iterator[str]:
        """Say the one message in another way, unless that was done, or it is of no use any more."""
        entry = self.records.get(resend.n)
        record = entry.delivery if entry else None
        again = taken_up(record, resend, is_redriven=self._is_from_before(record)) if record else None
        if entry is None or record is None or again is None:
            if record and _is_given_up(record) and list(record.replaced)[-1:] == [resend.message_id]:
                yield record.reason  # perhaps it was not told
            return
        credential = self.sender.credential_of(self.envelope.bot_id, self.envelope.platform)
        if credential is None or not credential.is_active or self._has_gone_on(entry, resend):
            self.write(resend.n, failed(record, resend.reason))
            return
        again = msgspec.structs.replace(again, redrive=self.envelope.redrive)
        delivery = self._say_again(again, resend, credential)
        if delivery.outcome is Outcome.RETRY:
            yield delivery.reason

    def _say_again(self, record: DeliveryRecord, resend: Resend, credential: Credential) -> Delivery:
        if resend.remedy == "template":
            self.window_closed, links_at = WINDOW_OVER, None
        else:
            links_at = record.replaced[resend.message_id]
        one = self._message(resend.n, record, credential, links_at=links_at)
        return one.run(record, is_recorded=True)

    def _message(
        self,
        n: int,
        record: DeliveryRecord,
        credential: Credential,
        *,
        carries: bool = False,
        links_at: int | None = None,
    ) -> MessageDelivery:
        """With its files as they are now."""
        message, limits = self.envelope.messages[n - 1], self.sender.adapter_of(self.envelope.platform)
        resolved = self.sender.files.resolve(
            message, credential, limits.capabilities, afresh=record.files is not None
        )
        self.shown[n] = resolved.shown
        return MessageDelivery(
            self.sender,
            self.envelope,
            n,
            credential,
            resolved,
            self.write,
            carries=carries,
            is_template=self.window_closed == WINDOW_OVER and message.template is not None,
            links_at=links_at,
        )

    # ── Hand-overs ─────────────────────────────────────────────────────────────────────────────────────

    def _leave_the_next(self, n: int) -> None:
        """Of the message behind one that was handed over, record that it was not begun.

        Else nobody could tell later, when that one is done and this one has no record.
        """
        is_the_worker_s = is_handed_over(self.written.get(n), self.sender.now())
        if is_the_worker_s and n < len(self.envelope.messages) and n + 1 not in self.records:
            self.write(n + 1, DeliveryRecord("queued"))

    def _await_worker(self, n: int, record: DeliveryRecord) -> None:
        """Raises `Wait`. Asked again, the worker is asked once: a sender may have died before it asked."""
        if record.files and record.files.handed_over_at:
            self.sender.files.hand_over(self.envelope, n, record.files)
            raise Wait(look_again_in(self.sender.now() - record.files.handed_over_at), AWAITS_FILES)

    def carry(self, work: FirstSendEnvelope) -> None:
        """As `Sender.carry` says."""
        record = self._ours(work)
        if record is None or self._is_too_late_for(work):
            return
        credential = self.sender.credential_of(self.envelope.bot_id, self.envelope.platform)
        if credential is None or not credential.is_active:
            self._hand_back(work.n, record)
            return
        missing = self._message(work.n, record, credential).resolved.missing
        owner = delivery_id_of(self.envelope.dialog_id, self.envelope.epoch, self.envelope.turn, work.n)
        if not self.sender.files.lease(missing, credential, owner):
            self._hand_back(work.n, record)
            return
        try:
            # Looked up once more: before the lease was ours, another may have brought them.
            self._message(work.n, record, credential, carries=True).run(record, is_recorded=True)
        except Wait as wait:
            self._hand_back(work.n, self.written.get(work.n, record), wait.seconds)
        finally:
            self.sender.files.release(missing, credential, owner)

    def hand_back(self, work: FirstSendEnvelope) -> None:
        record = self._ours(work)
        if record is not None:
            self._hand_back(work.n, record)

    def _ours(self, work: FirstSendEnvelope) -> DeliveryRecord | None:
        """The record of a message that is the worker's still, by this very hand-over."""
        entry = self.records.get(work.n)
        record = entry.delivery if entry else None
        if record is None or record.status in _DONE or record.files is None:
            return None
        is_ours = record.files.handed_over_at and record.files.handed_over_at == work.handed_over_at
        return record if is_ours else None

    def _is_too_late_for(self, work: FirstSendEnvelope) -> bool:
        """Whether it might not be over when the sender takes the message back."""
        return not work.handed_over_at or self.sender.now() - work.handed_over_at >= WAITED_AT_MOST

    def _hand_back(self, n: int, record: DeliveryRecord, seconds: float = 0.0) -> None:
        not_before = self.sender.now() + timedelta(seconds=seconds) if seconds else record.not_before
        self.write(n, msgspec.structs.replace(_taken_back(record), not_before=not_before))

    # ── What stands against a message ──────────────────────────────────────────────────────────────────

    def _why_only_templates(self) -> str:
        """Why nothing but templates may be said, as far as was known when the turn was made.

        Later the person may have written again: then it is for the messenger to say. So it is near the edge,
        for clocks differ.
        """
        envelope = self.envelope
        window = self.sender.adapter_of(envelope.platform).capabilities.window
        if window is None or envelope.said_at is None:
            return ""
        written_at = envelope.last_interaction_at
        may_be_open = written_at is not None and envelope.said_at - written_at <= window + WINDOW_EDGE
        return "" if may_be_open else WINDOW_OVER

    def _why_too_late(self) -> str:
        """Why nothing more of this turn is said: a turn that was sent after it.

        In its order a turn comes before all later ones. Only a copy can have been overtaken: one that was
        given up and redriven, or emitted again.
        """
        envelope = self.envelope
        if not envelope.is_copy or all(map(self._is_done, range(1, len(envelope.messages) + 1))):
            return ""
        later = self._later()
        return SUPERSEDED if any(each.delivery and each.delivery.status == "sent" for each in later) else ""

    def _has_gone_on(self, entry: HistoryEntry, resend: Resend) -> bool:
        """Whether nobody expects the message any more: it is old, and nobody redrove it, or the dialog has
        gone on.
        """
        is_old = self.sender.now() - entry.timestamp > SAID_AGAIN_WITHIN
        return (is_old and not self.envelope.failure) or any(
            is_later_word(each, resend.remedy) for each in self._later()
        )

    def _later(self) -> list[HistoryEntry]:
        """What came after the turn."""
        envelope = self.envelope
        key = entry_key(envelope.epoch, envelope.turn, 9999)
        return self.sender.history.after(envelope.dialog_id, envelope.epoch, key, _LOOKED_AHEAD)

    def _is_done(self, n: int) -> bool:
        record = self._record_of(n)
        return record is not None and record.status in _DONE

    def _record_of(self, n: int) -> DeliveryRecord | None:
        entry = self.records.get(n)
        record = entry.delivery if entry else None
        if record is None or record.replaced or not self._is_from_before(record):
            return record
        return self._redriven(record)

    def _begun(self, *, may_be_lost: bool) -> DeliveryRecord:
        return DeliveryRecord("queued", in_doubt=may_be_lost, redrive=self.envelope.redrive)

    def _redriven(self, record: DeliveryRecord) -> DeliveryRecord:
        """What failed is tried once more; in any case it is known from now on what fails since."""
        is_failed = record.status == "failed"
        anew = {"status": "queued", "attempts": 0, "limits": 0, "reason": "", "degradations": ()}
        return msgspec.structs.replace(record, redrive=self.envelope.redrive, **(anew if is_failed else {}))

    def _is_from_before(self, record: DeliveryRecord) -> bool:
        """Whether the turn was given up, and sent back since."""
        redrive = self.envelope.redrive
        return bool(self.envelope.failure) and not (redrive and record.redrive == redrive)

    def _hold_back(
        self, n: int, record: DeliveryRecord, due_at: datetime | None, credential: Credential
    ) -> None:
        """Raises `Wait` until the message is due, and the first time of a delay in any case.

        Then it has surely not been sent yet, whatever became of earlier receives.
        """
        not_before = record.not_before
        if not_before is None and due_at is not None:
            not_before = due_at
            self.write(n, msgspec.structs.replace(record, not_before=due_at, in_doubt=False))
            if due_at - self.sender.now() >= WORTH_TYPING:
                self.sender.show_typing(self.envelope, credential)
        elif not_before is None or not_before <= self.sender.now():
            return
        raise Wait(bounded((not_before - self.sender.now()).total_seconds()), "the message is not due yet")

    def write(self, n: int, record: DeliveryRecord) -> None:
        """Put message `n` into the history, as far as it has come."""
        envelope, now = self.envelope, self.sender.now()
        message = self.shown.get(n, envelope.messages[n - 1])
        self.written[n] = record
        written = self.records.get(n)
        self.sender.history.record(
            HistoryEntry(
                dialog_id=envelope.dialog_id,
                epoch=envelope.epoch,
                turn=envelope.turn,
                n=n,
                message_type="operator" if message.by_operator else "bot",
                message_data=msgspec.to_builtins(message),
                timestamp=now,
                created_at=written.created_at if written else now,
                delivery=record,
            )
        )


def _why_not(credential: Credential | None) -> str:
    return "" if credential and credential.is_active else "the bot is not connected or not active"


def _is_given_up(record: DeliveryRecord) -> bool:
    return record.status == "failed" and record.attempts >= MAX_FAILURES


def _taken_back(record: DeliveryRecord) -> DeliveryRecord:
    """The sender's own again."""
    if record.files is None or record.files.handed_over_at is None:
        return record
    return msgspec.structs.replace(record, files=msgspec.structs.replace(record.files, handed_over_at=None))
