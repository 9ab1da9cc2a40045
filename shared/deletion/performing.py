"""One message of the deletions queue."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from shared.deletion.bots import BotRemoval
from shared.deletion.deadline import Deadline, OutOfTime
from shared.deletion.dialogs import DialogRemoval, Gone
from shared.queueing.envelopes import BotDeletionEnvelope, Deletion, DialogDeletionEnvelope
from shared.queueing.producer import SqsDeletions
from shared.storage.refusals import remove_refusals


@dataclass(frozen=True, slots=True)
class Remover:
    """Removes what was deleted; what it has no time for, it asks for again."""

    of_bot: BotRemoval
    of_dialog: DialogRemoval
    queue: SqsDeletions

    def perform(self, deletion: Deletion, deadline: Deadline) -> bool:
        """Whether all is removed. Raises `Wait`, and what stores and queues raise: then it goes on later."""
        try:
            if isinstance(deletion, BotDeletionEnvelope):
                return self.of_bot.remove(deletion.bot_id, deadline)
            self._remove_dialog(deletion, deadline)
        except OutOfTime:
            self._go_on(deletion)
            return False
        return True

    def _remove_dialog(self, deletion: DialogDeletionEnvelope, deadline: Deadline) -> None:
        """Now, and once more when nothing can be under way any more."""
        deadline.require()
        gone = Gone(deletion.dialog_id, deletion.epoch, deletion.serial, deletion.deleted_at)
        self.of_dialog.remove(gone, deadline)
        deadline.run(remove_refusals(deletion.bot_id, deletion.dialog_id, deletion.epoch))
        if not deletion.is_second_look:
            self.queue.send_dialog(msgspec.structs.replace(deletion, is_second_look=True))

    def _go_on(self, deletion: Deletion) -> None:
        """As a message of its own: being received often is a sign of failures."""
        if isinstance(deletion, BotDeletionEnvelope):
            self.queue.send_bot(deletion, is_begun=True)
        else:
            self.queue.send_dialog(deletion)
