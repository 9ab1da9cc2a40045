"""What is no longer to be said: turns of deleted dialogs and bots that are still in a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.credential import Credential
from shared.queueing.envelopes import OutboundEnvelope
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs


@dataclass(frozen=True, slots=True)
class Fence:
    """Looks where it is worth a read: a turn's first and only copy is hardly older than its dialog."""

    credential_of: Callable[[str, str], Credential | None]
    bots: DynamoBots
    dialogs: DynamoDialogs

    def is_gone(self, envelope: OutboundEnvelope, *, is_repeat: bool) -> bool:
        """Whether the turn's bot or dialog was deleted; then nothing is said, and nothing written down."""
        is_connected = self.credential_of(envelope.bot_id, envelope.platform) is not None
        if not is_connected and self.bots.is_active(envelope.bot_id) is None:
            return True
        may_be_old = is_repeat or envelope.reemitted or bool(envelope.failure)
        return may_be_old and self.dialogs.epoch_of(envelope.dialog_id) != envelope.epoch
