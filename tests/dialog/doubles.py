"""What stands in for queues and keys where a test is not about them."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping

from shared.dialog.state import Dialog, Task, Timer
from shared.queueing.envelopes import DialogDeletionEnvelope


class KeptTimers:
    """Timers that were set."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def set(self, timer: Timer, dialog: Dialog, trace_id: str) -> None:
        self.timers.append(timer)


class KeptTasks:
    """Tasks that were sent; `of` are the messages that they came of."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.of: list[str] = []

    def send(self, task: Task, dialog: Dialog, trace_id: str, last_message_id: str = "") -> None:
        self.tasks.append(task)
        self.of.append(last_message_id)


class KeptDeletions:
    """What the removing worker was asked for."""

    def __init__(self) -> None:
        self.dialogs: list[DialogDeletionEnvelope] = []

    def send_dialog(self, envelope: DialogDeletionEnvelope) -> None:
        self.dialogs.append(envelope)


class PaperSealer:
    """Seals into something that nobody reads by the way; opens it in the same context only."""

    def seal(self, plain: bytes, context: Mapping[str, str]) -> str:
        return b64encode(json.dumps([plain.hex(), dict(context)]).encode()).decode()

    def open(self, sealed: str, context: Mapping[str, str]) -> bytes:
        plain, sealed_in = json.loads(b64decode(sealed))
        assert sealed_in == context
        return bytes.fromhex(plain)
