"""What follows where a messenger has taken a message and tells afterwards that it could not deliver it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.delivery.findings import Findings
from shared.dialog.state import Dialog
from shared.platforms.base import Outcome
from shared.queueing.envelopes import OutboundEnvelope, ReceiptEnvelope


class ReadsDialogs(Protocol):
    def load(self, dialog_id: str) -> Dialog | None: ...


@dataclass(frozen=True, slots=True)
class Failures:
    """Acts as the sender does where it is told at once. Told twice, or after a crash, it is one event."""

    dialogs: ReadsDialogs
    findings: Findings

    def act(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> None:
        """For the message with this place in the history. Raises `NotAccepted`."""
        if envelope.outcome == Outcome.CREDENTIAL_BAD:
            self.findings.refused(envelope.bot_id, envelope.platform, envelope.reason, envelope.at)
        elif envelope.outcome == Outcome.RECIPIENT_GONE:
            self._tell_gone(envelope, dialog_id, key)

    def _tell_gone(self, envelope: ReceiptEnvelope, dialog_id: str, key: str) -> None:
        """Unless the dialog is another bot's: whoever signs for one bot may name any message."""
        epoch, turn, _ = key.split("/")
        dialog = self.dialogs.load(dialog_id)
        if dialog is None or (dialog.id, dialog.epoch) != (dialog_id, epoch):
            return
        if (dialog.bot_id, dialog.platform) != (envelope.bot_id, envelope.platform):
            return
        of_turn = OutboundEnvelope(
            dialog_id=dialog_id,
            epoch=epoch,
            turn=int(turn),
            bot_id=dialog.bot_id,
            platform=dialog.platform,
            platform_chat_id=dialog.platform_chat_id,
            messages=(),
            trace_id=envelope.trace_id,
        )
        self.findings.gone(of_turn, envelope.reason, envelope.at)
