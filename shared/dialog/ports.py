"""What the dialog's machinery needs from the world, as protocols.

`shared.storage` fulfils them over DynamoDB and in memory; one contract test holds both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.dialog.history import HistoryEntry
from shared.dialog.state import Dialog
from shared.queueing.envelopes import InboundEnvelope, OutboundEnvelope


@dataclass(frozen=True, slots=True)
class ActiveScenario:
    """What a run of a bot starts with, read afresh when one starts."""

    bot_name: str
    timezone: str
    scenario_id: str
    revision: int


class StateRepository(Protocol):
    """Dialogs, one item each."""

    def load(self, dialog_id: str) -> Dialog | None:
        """The dialog as last committed (a consistent read), or None."""
        ...

    def commit(self, dialog: Dialog, met_turn: int | None) -> None:
        """Save the whole dialog in one conditional write.

        `met_turn` is the turn it was loaded at, None if there was no dialog. Raises
        `ConcurrentTurn` if the stored dialog is of another turn or epoch by now.
        """
        ...


class HistoryRepository(Protocol):
    """History entries, ordered by their place in the dialog."""

    def record(self, entry: HistoryEntry) -> None:
        """Write the entry, over whatever was in its place."""
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
        """The pointer a new run follows (a consistent read); None if the bot has none, or is gone."""
        ...


class InboundQueue(Protocol):
    """Towards the dialog worker."""

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        """Put them in, in order, grouped by dialog. Raises `NotAccepted` unless all were taken."""
        ...


class OutboundQueue(Protocol):
    """Towards the sender."""

    def send(self, envelope: OutboundEnvelope) -> None:
        """Put it in, grouped by dialog. Raises `NotAccepted` unless it was taken."""
        ...
