"""Receipts: what a messenger tells of a message afterwards, put to the message's entry of the history."""

from __future__ import annotations

from typing import Protocol

import msgspec

from shared.dialog.history import ReceiptRecord, place_of
from shared.errors import Wait
from shared.queueing.backoff import backoff_seconds
from shared.queueing.envelopes import ReceiptEnvelope

TRIES = 10
"""How often a receipt looks for its message: ten minutes or so, in which a sender that died is replaced."""

LONGEST_BACKOFF_SECONDS = 120


class TakesReceipts(Protocol):
    def receive(self, dialog_id: str, key: str, receipt: ReceiptRecord) -> bool:
        """Put the receipt to its entry, unless one that says as much is there; False if there is no entry."""
        ...


class TakesFailures(Protocol):
    def is_answered(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> bool:
        """Whether the message is said again in another way, from now on or already."""
        ...

    def act(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> None:
        """Do what follows from a failure, perhaps once more after a crash."""
        ...


class MessageNames(Protocol):
    """Which delivery a messenger means by its own name of a message."""

    def put(self, bot_id: str, platform: str, message_id: str, delivery_id: str) -> None: ...

    def get(self, bot_id: str, platform: str, message_id: str) -> str | None: ...


class _NoNames:
    def put(self, bot_id: str, platform: str, message_id: str, delivery_id: str) -> None:
        pass

    def get(self, bot_id: str, platform: str, message_id: str) -> str | None:  # noqa: ARG002
        return None


NO_NAMES: MessageNames = _NoNames()


class ReceiptBook(msgspec.Struct, frozen=True):
    """Puts receipts to messages; shared by threads."""

    history: TakesReceipts
    names: MessageNames
    failures: TakesFailures

    def put(self, envelope: ReceiptEnvelope, receive_count: int) -> bool:
        """Whether its message was found, on the last try. Raises `Wait` on those before.

        A messenger is often faster than the sender's own record, and tells of messages that are not ours.
        """
        place = self._place_of(envelope)
        if place and envelope.outcome and self.failures.is_answered(envelope, *place):
            return True
        receipt = ReceiptRecord(envelope.status, envelope.at, envelope.reason)
        if place and self.history.receive(*place, receipt):
            if envelope.outcome:
                self.failures.act(envelope, *place)
            return True
        is_foreign = place is None and bool(envelope.delivery_id)
        if is_foreign or receive_count >= TRIES:
            return False
        raise Wait(backoff_seconds(receive_count, longest=LONGEST_BACKOFF_SECONDS), "no such message yet")

    def _place_of(self, envelope: ReceiptEnvelope) -> tuple[str, str] | None:
        """The dialog and the entry's key."""
        delivery_id: str | None = envelope.delivery_id
        if not delivery_id:
            delivery_id = self.names.get(envelope.bot_id, envelope.platform, envelope.message_id)
        return place_of(delivery_id) if delivery_id else None
