"""What follows where a messenger has taken a message and tells afterwards that it could not deliver it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from shared.delivery.findings import Findings
from shared.delivery.resending import REMEDIES, can_be_said, is_answered
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Message
from shared.dialog.ports import OutboundQueue
from shared.dialog.state import Dialog, Remains
from shared.platforms.base import Outcome
from shared.queueing.envelopes import OutboundEnvelope, ReceiptEnvelope, Remedy, Resend


class ReadsDialogs(Protocol):
    """`find` tells where a person goes on; `load` tells a dialog continued elsewhere as it was left."""

    def load(self, dialog_id: str) -> Dialog | None: ...

    def find(self, dialog_id: str) -> Dialog | Remains | None: ...


class ReadsEntries(Protocol):
    def find(self, dialog_id: str, key: str) -> HistoryEntry | None: ...


@dataclass(frozen=True, slots=True)
class Failures:
    """Acts as the sender does where it is told at once. Told twice, or after a crash, it is one event."""

    dialogs: ReadsDialogs
    history: ReadsEntries
    outbound: OutboundQueue
    findings: Findings

    def is_answered(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> bool:
        """Whether the message with this place in the history is, or was, said again in another way.

        Then the failure is not the message's. Raises `NotAccepted`.
        """
        remedy = REMEDIES.get(envelope.outcome) if envelope.message_id else None
        entry = self.history.find(dialog_id, key) if remedy else None
        if remedy is None or entry is None or entry.delivery is None:
            return False
        if is_answered(entry.delivery, envelope.message_id):
            return True
        again = self._again(envelope, entry, remedy)
        if again:
            self.outbound.send(again)
        return again is not None

    def act(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> None:
        """For the message with this place in the history. Raises `NotAccepted`."""
        if envelope.outcome == Outcome.CREDENTIAL_BAD:
            self.findings.refused(envelope.bot_id, envelope.platform, envelope.reason, envelope.at)
        elif envelope.outcome == Outcome.RECIPIENT_GONE:
            self._tell_gone(envelope, dialog_id, key)

    def _tell_gone(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> None:
        epoch, turn, _ = key.split("/")
        dialog = self.dialogs.load(dialog_id)
        if dialog and _is_meant(dialog, envelope, dialog_id, epoch):
            there = _of_turn(dialog, int(turn), envelope, envelope.chat_id)
            self.findings.gone(there, envelope.reason, envelope.at)

    def _again(
        self, envelope: ReceiptEnvelope, entry: HistoryEntry, remedy: Remedy
    ) -> OutboundEnvelope | None:
        """The message once more; None if that way is none, or the person goes on elsewhere."""
        message, record = _message_of(entry), entry.delivery
        if not (message and record and can_be_said(remedy, message, record, envelope.message_id)):
            return None
        dialog = self.dialogs.find(entry.dialog_id)
        if not isinstance(dialog, Dialog) or not _is_meant(dialog, envelope, entry.dialog_id, entry.epoch):
            return None
        return msgspec.structs.replace(
            _of_turn(dialog, entry.turn, envelope),
            messages=(*[Message("")] * (entry.n - 1), message),
            reemitted=True,
            resend=Resend(entry.n, remedy, envelope.message_id, envelope.reason),
        )


def _is_meant(dialog: Dialog, envelope: ReceiptEnvelope, dialog_id: str, epoch: str) -> bool:
    """Whether it is that very dialog, and not another bot's: whoever signs for one may name any message."""
    found = (dialog.id, dialog.epoch, dialog.bot_id, dialog.platform)
    return found == (dialog_id, epoch, envelope.bot_id, envelope.platform)


def _of_turn(dialog: Dialog, turn: int, envelope: ReceiptEnvelope, chat_id: str = "") -> OutboundEnvelope:
    return OutboundEnvelope(
        dialog_id=dialog.id,
        epoch=dialog.epoch,
        turn=turn,
        bot_id=dialog.bot_id,
        platform=dialog.platform,
        platform_chat_id=chat_id or dialog.platform_chat_id,
        messages=(),
        trace_id=envelope.trace_id,
    )


def _message_of(entry: HistoryEntry) -> Message | None:
    """None where it was too large to be kept."""
    try:
        return msgspec.convert(entry.message_data, Message)
    except msgspec.ValidationError:
        return None
