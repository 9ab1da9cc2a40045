"""All that belongs to a dialog but its own item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.deletion.deadline import Deadline
from shared.deletion.files import Files
from shared.queueing.timers import SetSchedules
from shared.storage.history import DynamoHistory
from shared.storage.task_results import DynamoTaskResults


@dataclass(frozen=True, slots=True)
class Gone:
    """A dialog that is no more.

    With `until`, when that was, its successor may have begun: what is of another epoch, or of later, stays.
    """

    dialog_id: str
    epoch: str
    serial: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DialogRemoval:
    """Removes a dialog's history, files, timers, and what its tasks have found out."""

    history: DynamoHistory
    files: Files
    schedules: SetSchedules
    task_results: DynamoTaskResults

    def remove(self, gone: Gone, deadline: Deadline) -> None:
        """Raises `OutOfTime`."""
        deadline.run(self.history.delete(gone.dialog_id, gone.epoch if gone.until else ""))
        deadline.run(self.files.remove_received(gone.dialog_id, gone.until))
        deadline.run(self.schedules.remove(gone.dialog_id, gone.epoch, gone.serial))
        deadline.run(self.task_results.remove(gone.dialog_id, gone.epoch, gone.serial))
