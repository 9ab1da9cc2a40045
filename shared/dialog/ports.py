"""What the dialog's machinery needs from the world, as protocols.

`shared.storage` fulfils them over DynamoDB and in memory; one contract test holds both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from shared.dialog.history import HistoryEntry
from shared.dialog.state import Dialog, Remains, Task, Timer
from shared.queueing.envelopes import (
    DialogDeletionEnvelope,
    InboundEnvelope,
    OutboundEnvelope,
    ReceiptEnvelope,
)

Running = Literal["keep", "move", "restart"]
"""What an activation means for runs under way on something else: they stay, go over, or begin anew."""


class ActiveScenario(msgspec.Struct, frozen=True):
    """What a run of a bot starts with, read afresh when one starts.

    `called` are the revisions of the scenarios that it may call, by id, locked by the activation. With
    `has_sync`, runs that end are sent to the account's main system; `contact_fields` has the types of what
    that knows of a person, by name.
    """

    bot_name: str
    timezone: str
    scenario_id: str
    revision: int
    called: Mapping[str, int] = {}
    running: Running = "keep"
    has_sync: bool = False
    contact_fields: Mapping[str, str] = {}


class Found(NamedTuple):
    """Where an id leads: `id` is that of what lies there, a dialog or its remains, or would have to."""

    id: str
    dialog: Dialog | None = None
    remains: Remains | None = None


class StateRepository(Protocol):
    """Dialogs, one item each, and aliases: items under the ids of a person's other identities."""

    def load(self, dialog_id: str) -> Dialog | None:
        """The dialog as last committed (a consistent read), or None; through an alias if need be.

        One that is continued elsewhere is told as it was left.
        """
        ...

    def follow(self, dialog_id: str) -> Found:
        """Where a person goes on who has this id: one read, and one more for an alias."""
        ...

    def join(self, dialog: Dialog, met: int | Remains | None, others: Sequence[Found]) -> None:
        """Commit, and let what was found elsewhere lead to this dialog from now on, all or nothing.

        Raises what `commit` raises, also if another one has changed since it was found.
        """
        ...

    def find(self, dialog_id: str) -> Dialog | Remains | None:
        """As `follow`, without the place."""
        ...

    def commit(self, dialog: Dialog, met: int | Remains | None) -> None:
        """Save the whole dialog in one conditional write.

        `met` is the turn it was loaded at, or what lay there if there was no dialog. Raises
        `ConcurrentTurn` if the stored dialog is of another turn or epoch by now, and `DialogTooLarge`.
        """
        ...

    def delete(self, dialog: Dialog, remains: Remains) -> None:
        """Put its remains in the place of the dialog, as it was loaded. Raises `ConcurrentTurn`."""
        ...


class HistoryRepository(Protocol):
    """History entries, ordered by their place in the dialog."""

    def record(self, entry: HistoryEntry) -> None:
        """Write the entry, over whatever was in its place but for the receipt of a message."""
        ...

    def of_turn(self, dialog_id: str, epoch: str, turn: int) -> list[HistoryEntry]:
        """All entries of one turn, in order (a consistent read)."""
        ...

    def after(
        self, dialog_id: str, epoch: str, key: str, limit: int, *, newest_first: bool = False
    ) -> list[HistoryEntry]:
        """Entries of an epoch that follow `key` (exclusive, "" for all) in the given direction."""
        ...


class RevisionRepository(Protocol):
    """Scenario revisions, immutable once written."""

    def document(self, scenario_id: str, revision: int) -> Mapping[str, Any]:
        """The scenario document as saved. Raises `NotFound`."""
        ...


class BotRepository(Protocol):
    """What the engine needs to know of a bot."""

    def active_scenario(self, bot_id: str) -> ActiveScenario | None:
        """The pointer a new run follows (a consistent read), if the bot has one. Raises `NoSuchBot`."""
        ...


class InboundQueue(Protocol):
    """Towards the dialog worker."""

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        """Put them in, in order, grouped by dialog. Raises `NotAccepted` unless all were taken."""
        ...


class ReceiptQueue(Protocol):
    """Towards the history."""

    def send(self, envelopes: Sequence[ReceiptEnvelope]) -> None:
        """Put them in. Raises `NotAccepted` unless all were taken."""
        ...


class OutboundQueue(Protocol):
    """Towards the sender."""

    def send(self, envelope: OutboundEnvelope) -> None:
        """Put it in, grouped by dialog. Raises `NotAccepted` unless it was taken."""
        ...


class DeletionQueue(Protocol):
    """Towards the worker that removes what was deleted."""

    def send_dialog(self, envelope: DialogDeletionEnvelope) -> None:
        """Put it in. Raises `NotAccepted` unless it was taken."""
        ...


class TimerQueue(Protocol):
    """Towards the dialog worker, when the time has come."""

    def set(self, timer: Timer, dialog: Dialog, trace_id: str) -> None:
        """See to it that the timer fires when it is due, at once if that is past.

        Set twice, it is one timer. Raises what the queue raises unless it was taken.
        """
        ...


class TaskQueue(Protocol):
    """Towards the workers of everything slow or outside."""

    def send(self, task: Task, dialog: Dialog, trace_id: str, last_message_id: str = "") -> None:
        """Put it in, named by dialog, epoch and number. Raises `NotAccepted` unless it was taken.

        `last_message_id` is the messenger's name of what the person said, where the task comes of that.
        """
        ...
