"""What is kept of a dialog for people and for replay: one entry per event and per message sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

Author = Literal["user", "bot", "system", "operator"]
DeliveryStatus = Literal["queued", "sent", "delivered", "read", "failed"]


class DeliveryRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one outgoing message has come.

    A message may take several requests (`message_ids` has one per request that was answered), so a
    sender that died half-way goes on where it stopped. `attempts` counts failures. `in_doubt` is
    true after a request whose answer was lost; `possibly_doubled` once such a request was repeated.
    `not_before` is when a message with a delay may go out; it is certain not to have been sent sooner.
    """

    status: DeliveryStatus
    message_ids: tuple[str, ...] = ()
    attempts: int = 0
    in_doubt: bool = False
    possibly_doubled: bool = False
    reason: str = ""
    degradations: tuple[str, ...] = ()
    not_before: datetime | None = None


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row. Entry 0 of a turn is its event (`user` or `system`), 1 and up are what the bot said.

    `message_data` of entry 0: `{"event": …, "notes": […], "ended_runs": […]}`; of the bot's entries:
    the message (`text`, `spans`, `buttons`). `messages` (entry 0 only) is how many the turn says,
    so that a reader can tell a turn whose deliveries are not all recorded yet.
    """

    dialog_id: str
    epoch: str
    turn: int
    n: int
    message_type: Author
    message_data: dict[str, Any]
    timestamp: datetime
    created_at: datetime
    messages: int = 0
    delivery: DeliveryRecord | None = None

    @property
    def id(self) -> str:
        """A UUID, the same for the same place in the same dialog."""
        return str(uuid5(UUID(self.dialog_id), self.key))

    @property
    def key(self) -> str:
        """Its place, sortable as text: `epoch/turn/n`."""
        return entry_key(self.epoch, self.turn, self.n)


def entry_key(epoch: str, turn: int, n: int) -> str:
    return f"{epoch}/{turn:08d}/{n:04d}"
