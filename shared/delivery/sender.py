"""The sender: one turn's envelope in, every message delivered or its failure recorded.

No messenger takes an idempotency key, so a message whose answer was lost is sent again and recorded as
possibly doubled; everything else is sent once, because what is recorded is looked up before a repeat.

Nobody sleeps through a message's delay: its end is recorded, and the envelope goes back to the queue
until then. So a message with a delay is sent only by a later receive than the one that recorded it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared.credential import Credential
from shared.delivery.transport import AnswerLost, NotReached, Transport
from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.messages import Message
from shared.dialog.ports import HistoryRepository
from shared.errors import Wait
from shared.platforms.base import Delivery, Outcome, PlatformAdapter, Rendered
from shared.queueing.backoff import backoff_seconds
from shared.queueing.envelopes import OutboundEnvelope

MAX_FAILURES = 20
"""Failed tries of one message before it is given up: an hour or more. Waits a messenger asks for are none."""

LONGEST_BACKOFF_SECONDS = 300
LONGEST_WAIT_SECONDS = 12 * 3600
"""SQS hides a message for no longer than this."""

SECONDS_NEEDED = 10.0
"""Time that one request and its record may take; with less left, the rest goes back to the queue."""

_ENDS_THE_TURN = {Outcome.RECIPIENT_GONE, Outcome.WINDOW_CLOSED, Outcome.CREDENTIAL_BAD}
"""What stands against every further message too: those are not even tried."""

_DONE = {"sent", "delivered", "read", "failed"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Delivers turns; knows outcomes, no messenger. Shared by threads.

    `credential_of` gives the connected account, or None, perhaps as it was a moment ago;
    `fresh_credential_of` as it is now. `seconds_left` is what remains to this process.
    """

    history: HistoryRepository
    credential_of: Callable[[str, str], Credential | None]
    adapter_of: Callable[[str], PlatformAdapter]
    transport: Transport
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    fresh_credential_of: Callable[[str, str], Credential | None] = lambda _bot_id, _platform: None

    def deliver(self, envelope: OutboundEnvelope, *, is_repeat: bool) -> tuple[str, ...]:
        """Deliver all messages in order; returns why any was given up after `MAX_FAILURES` tries.

        `is_repeat` says that the queue may have delivered this envelope before. Raises `Wait` when the
        rest has to be tried later: all that was done until then is recorded.
        """
        turn = _TurnDelivery(self, envelope, self._records(envelope, is_repeat=is_repeat))
        return tuple(turn.run(is_repeat=is_repeat or envelope.reemitted))

    def leave(self, envelope: OutboundEnvelope) -> None:
        """Record that nothing was begun of a turn that goes back to the queue untouched.

        Only the first receive of an only copy knows that. Without it, the next one could not tell.
        """
        if not (envelope.reemitted or envelope.failure):
            _TurnDelivery(self, envelope, {}).write(1, DeliveryRecord("queued"))

    def _records(self, envelope: OutboundEnvelope, *, is_repeat: bool) -> dict[int, HistoryEntry]:
        if not (is_repeat or envelope.reemitted or envelope.failure):
            return {}
        entries = self.history.of_turn(envelope.dialog_id, envelope.epoch, envelope.turn)
        return {entry.n: entry for entry in entries if entry.delivery}


@dataclass(slots=True)
class _TurnDelivery:
    sender: Sender
    envelope: OutboundEnvelope
    records: Mapping[int, HistoryEntry]

    def run(self, *, is_repeat: bool) -> Iterator[str]:
        credential = self.sender.credential_of(self.envelope.bot_id, self.envelope.platform)
        refused = "" if credential and credential.is_active else "the bot is not connected or not active"
        may_be_lost = is_repeat
        before = self.sender.now()
        for n, message in enumerate(self.envelope.messages, start=1):
            record = self._record_of(n)
            if record and record.status in _DONE:
                before = self.records[n].timestamp
                if record.status == "failed" and record.attempts >= MAX_FAILURES:
                    yield record.reason  # given up before, but perhaps not told
                continue
            record = record or DeliveryRecord("queued", in_doubt=may_be_lost)
            may_be_lost = False  # messages go in order: only the first without a record can have been sent
            if refused or credential is None:
                self.write(n, _failed(record, refused))
                continue
            if message.delay:
                self._hold_back(n, record, before + timedelta(seconds=message.delay))
            outcome = self._deliver(n, message, record, credential)
            before = self.sender.now()
            if outcome.outcome in _ENDS_THE_TURN:
                refused = outcome.reason or outcome.outcome.value
            elif outcome.outcome is Outcome.RETRY:
                yield outcome.reason

    def _record_of(self, n: int) -> DeliveryRecord | None:
        entry = self.records.get(n)
        record = entry.delivery if entry else None
        if record and record.status == "failed" and self.envelope.failure:
            # redriven: once more
            return DeliveryRecord("queued", message_ids=record.message_ids, not_before=record.not_before)
        return record

    def _hold_back(self, n: int, record: DeliveryRecord, not_before: datetime) -> None:
        """Raises `Wait` until the message's delay is over, and the first time in any case.

        Then it has surely not been sent yet, whatever became of earlier receives.
        """
        now = self.sender.now()
        if record.not_before is None:
            self.write(n, msgspec.structs.replace(record, not_before=not_before, in_doubt=False))
        elif record.not_before <= now:
            return
        until = record.not_before or not_before
        raise Wait(_bounded((until - now).total_seconds()), "the message's delay")

    def _deliver(self, n: int, message: Message, record: DeliveryRecord, credential: Credential) -> Delivery:
        """Make the requests that are still missing; the last outcome, with all of it recorded."""
        envelope = self.envelope
        delivery_id = f"{envelope.dialog_id}:{envelope.epoch}:{envelope.turn}:{n}"
        adapter = self.sender.adapter_of(envelope.platform)
        rendered = adapter.render(message, envelope.platform_chat_id, credential, delivery_id)
        record = msgspec.structs.replace(record, degradations=rendered.degradations)
        while len(record.message_ids) < len(rendered.requests):
            self._expect_death(n, record)
            delivery, record = self._send(record, rendered, adapter)
            if delivery.outcome is Outcome.CREDENTIAL_BAD and self._was_replaced(credential):
                delivery = Delivery(Outcome.RETRY, reason="the credential was replaced")
            if delivery.outcome not in (Outcome.SENT, Outcome.ALREADY_SO):
                return self._not_sent(n, record, delivery)
        sent = {"status": "sent", "reason": "", "in_doubt": False, "not_before": None}
        self.write(n, msgspec.structs.replace(record, **sent))
        return Delivery(Outcome.SENT)

    def _expect_death(self, n: int, record: DeliveryRecord) -> None:
        """Of a message begun before, nobody will know whether its next request has gone out: say so first.

        (Of one without a record that is known anyway.) Raises `Wait` if there is no time for the request.
        """
        has_time = self.sender.seconds_left() >= SECONDS_NEEDED
        if record.message_ids or n in self.records:
            self.write(n, msgspec.structs.replace(record, in_doubt=record.in_doubt or has_time))
        if not has_time:
            raise Wait(0, "no time left in this invocation")

    def _was_replaced(self, refused: Credential) -> bool:
        """Whether the messenger has refused a credential that is not the bot's any more."""
        fresh = self.sender.fresh_credential_of(self.envelope.bot_id, self.envelope.platform)
        return fresh is not None and fresh.settings != refused.settings

    def _send(
        self, record: DeliveryRecord, rendered: Rendered, adapter: PlatformAdapter
    ) -> tuple[Delivery, DeliveryRecord]:
        repeated = msgspec.structs.replace(
            record, possibly_doubled=record.possibly_doubled or record.in_doubt, in_doubt=False
        )
        try:
            response = self.sender.transport.send(rendered.requests[len(record.message_ids)])
        except NotReached as fault:
            return Delivery(Outcome.RETRY, reason=f"not reached: {fault}"), record
        except AnswerLost as fault:
            lost = msgspec.structs.replace(repeated, in_doubt=True)
            return Delivery(Outcome.RETRY, reason=f"answer lost: {fault}"), lost
        delivery = adapter.interpret(response)
        if delivery.outcome in (Outcome.SENT, Outcome.ALREADY_SO):
            ids = (*repeated.message_ids, delivery.message_id)
            return delivery, msgspec.structs.replace(repeated, message_ids=ids)
        return delivery, repeated

    def _not_sent(self, n: int, record: DeliveryRecord, delivery: Delivery) -> Delivery:
        """Record a failure for good, or the wait for another try and raise it."""
        reason = delivery.reason or delivery.outcome.value
        match delivery.outcome:
            case Outcome.CHAT_LIMITED | Outcome.BOT_LIMITED:
                self.write(n, msgspec.structs.replace(record, reason=reason))
                raise Wait(_bounded(delivery.retry_after_seconds or _backoff(1)), reason)
            case Outcome.RETRY if record.attempts + 1 < MAX_FAILURES:
                attempts = record.attempts + 1
                self.write(n, msgspec.structs.replace(record, attempts=attempts, reason=reason))
                raise Wait(_bounded(delivery.retry_after_seconds or _backoff(attempts)), reason)
            case Outcome.RETRY:
                record = msgspec.structs.replace(record, attempts=record.attempts + 1)
        self.write(n, _failed(record, reason))
        return delivery

    def write(self, n: int, record: DeliveryRecord) -> None:
        """Put message `n` into the history, as far as it has come."""
        envelope, now = self.envelope, self.sender.now()
        message = envelope.messages[n - 1]
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


def _failed(record: DeliveryRecord, reason: str) -> DeliveryRecord:
    return msgspec.structs.replace(record, status="failed", reason=reason)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _backoff(failures: int) -> float:
    return backoff_seconds(failures, longest=LONGEST_BACKOFF_SECONDS)
