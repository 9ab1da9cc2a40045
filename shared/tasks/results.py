"""How tasks end that a dialog waits for, kept under the task's id: what was found out once is not again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec

from shared.dialog.events import TaskFinished
from shared.queueing.envelopes import InboundEnvelope, TaskEnvelope

MAX_RESULT_BYTES = 250_000
"""Of a result as JSON; a dialog holds hardly more itself."""


class TaskResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a task has found out, or why it failed, for people; with its moment, so that it is told alike
    however often. `given_up` says that the task is for the dead letters besides.
    """

    finished_at: datetime
    result: dict[str, Any] = {}
    error: str = ""
    given_up: bool = False

    def bounded(self) -> TaskResult:
        """Itself, or a failure in place of more than can be kept."""
        if len(msgspec.json.encode(self.result)) <= MAX_RESULT_BYTES:
            return self
        return TaskResult(self.finished_at, error="What came back is too large to be kept.")

    def told_to(self, work: TaskEnvelope) -> InboundEnvelope:
        """The event that the dialog waits for."""
        event = TaskFinished(
            id=f"task/{work.dialog_id}/{work.epoch}/{work.task.number}",
            occurred_at=self.finished_at,
            epoch=work.epoch,
            task=work.task.number,
            result=self.result,
            error=self.error,
        )
        return InboundEnvelope(
            dialog_id=work.dialog_id,
            bot_id=work.bot_id,
            platform=work.platform,
            platform_chat_id=work.platform_chat_id,
            event=event,
            received_at=self.finished_at,
            trace_id=work.trace_id,
            last_message_id=work.last_message_id,
        )


class TaskResults(Protocol):
    """Results by the ids of tasks, each for a day; `shared.storage.task_results` has them."""

    def find(self, task_id: str) -> TaskResult | None:
        """The result, if the task has one (a consistent read)."""
        ...

    def keep(self, task_id: str, result: TaskResult) -> TaskResult:
        """Keep it unless there is one; the one that is kept."""
        ...
