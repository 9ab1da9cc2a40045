"""A bot that is deleted: at once for everybody, and step by step for what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from shared.admin_api.collaborators import handed_to
from shared.queueing.envelopes import BotDeletionEnvelope
from shared.queueing.producer import SqsDeletions
from shared.storage.bots import DynamoBots


@dataclass(frozen=True, slots=True)
class Deleting:
    """Deletes bots."""

    bots: DynamoBots
    queue: SqsDeletions

    def delete(self, bot_id: str, met: datetime | None) -> BotDeletionEnvelope:
        """Raises `Unavailable`, and what `DynamoBots.delete` raises: then nothing was done.

        The removal is asked for first, and begins minutes later: by then it finds the bot deleted, or leaves
        it alone. The other way round a bot could be deleted with nobody to remove what it has.
        """
        asked = BotDeletionEnvelope(bot_id=bot_id, trace_id=str(uuid4()))
        with handed_to("the queue of deletions"):
            self.queue.send_bot(asked)
        self.bots.delete(bot_id, met=met)
        return asked
