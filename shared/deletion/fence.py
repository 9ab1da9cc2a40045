"""What is no longer to be said or done: turns and tasks of deleted dialogs and bots, still in a queue, and
tasks that their dialogs wait for no more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from shared.credential import Credential
from shared.dialog.state import Dialog
from shared.queueing.envelopes import OutboundEnvelope, TaskEnvelope
from shared.storage.bots import DynamoBots
from shared.storage.clock import Clock, utc_now
from shared.storage.dialogs import DynamoDialogs

YOUNG = timedelta(minutes=5)
"""A turn of which nothing has to be looked up: what a deletion since has missed, its second look removes."""


class Fence(msgspec.Struct, frozen=True):
    """Looks where it is worth a read: a turn's first and only copy is hardly older than its dialog, unless
    it had to wait behind another one.
    """

    credential_of: Callable[[str, str], Credential | None]
    bots: DynamoBots
    dialogs: DynamoDialogs
    now: Clock = utc_now

    def is_gone(self, envelope: OutboundEnvelope, *, is_repeat: bool) -> bool:
        """Whether the turn's bot or dialog was deleted; then nothing is said, and nothing written down."""
        is_old = envelope.said_at is not None and self.now() - envelope.said_at > YOUNG
        may_be_old = is_old or is_repeat or envelope.is_copy
        return self._has_no_bot(envelope) or (may_be_old and self._has_no_dialog(envelope))

    def is_unwanted(self, work: TaskEnvelope) -> bool:
        """Whether the task's bot or dialog was deleted; then nothing leaves for it any more."""
        return self._has_no_bot(work) or self._has_no_dialog(work)

    def is_awaited(self, work: TaskEnvelope) -> bool:
        """Whether the task's dialog waits for it still: otherwise nobody would hear what comes of it."""
        dialog = self.dialogs.find(work.dialog_id)
        if not isinstance(dialog, Dialog) or dialog.epoch != work.epoch:
            return False
        return work.task.number in dialog.awaited and not self._has_no_bot(work)

    def _has_no_bot(self, of: OutboundEnvelope | TaskEnvelope) -> bool:
        is_connected = self.credential_of(of.bot_id, of.platform) is not None
        return not is_connected and self.bots.is_active(of.bot_id) is None

    def _has_no_dialog(self, of: OutboundEnvelope | TaskEnvelope) -> bool:
        return self.dialogs.epoch_of(of.dialog_id) != of.epoch
