"""All that belongs to a bot but the sign that it was deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from shared.deletion.connections import Connections
from shared.deletion.deadline import Deadline
from shared.deletion.dialogs import DialogRemoval, Gone
from shared.deletion.files import Files
from shared.storage.batches import AT_ONCE
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs

THREADS = 8
"""Dialogs that are removed at once; each mostly waits for AWS."""


class Belongings(Protocol):
    """What bots have of one kind, and nothing else leads to."""

    def remove_of_bot(self, bot_id: str) -> Iterator[None]:
        """Remove all of the bot's, step by step."""


@dataclass(frozen=True, slots=True)
class BotRemoval:
    """Removes a bot's connections, dialogs, library, and all else that it has."""

    bots: DynamoBots
    connections: Connections
    dialogs: DynamoDialogs
    of_dialog: DialogRemoval
    files: Files
    belongings: Sequence[Belongings]

    def remove(self, bot_id: str, deadline: Deadline) -> bool:
        """Whether it is done with; False for a bot that is not deleted: nothing of it is touched.

        Raises `OutOfTime`, and `Wait` for a messenger.
        """
        deleted_at = self.bots.deleted_at(bot_id)
        if deleted_at is None:
            return False
        deadline.require()
        waiting = self.connections.end(bot_id, deleted_at)
        self._remove_dialogs(bot_id, deadline)
        deadline.run(self.files.remove_library(bot_id))
        for kind in self.belongings:
            deadline.run(kind.remove_of_bot(bot_id))
        self.connections.require_ended(bot_id, waiting)
        return True

    def _remove_dialogs(self, bot_id: str, deadline: Deadline) -> None:
        ids = self.dialogs.ids_of_bot(bot_id)
        with ThreadPoolExecutor(THREADS) as pool:
            while some := list(islice(ids, AT_ONCE)):
                deadline.require()
                self._remove_some(some, deadline, pool)

    def _remove_some(self, ids: Sequence[str], deadline: Deadline, pool: ThreadPoolExecutor) -> None:
        """The items last, and just before them those that only lead there: nothing else tells of the rest."""
        found = self.dialogs.read(ids)
        gone = [Gone(dialog.id, dialog.epoch, dialog.serial) for dialog in found]
        for _ in pool.map(lambda each: self.of_dialog.remove(each, deadline), gone):
            pass
        aliases = {place for dialog in found for place in dialog.identities.places}
        for removed in (aliases.difference(ids), ids):
            for _ in self.dialogs.remove(removed):
                pass
