"""What is kept of a dialog for people and for replay: one entry per event and per message sent."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

Author = Literal["user", "bot", "system", "operator"]
DeliveryStatus = Literal["queued", "sent", "delivered", "read", "failed"]
ReceiptStatus = Literal["delivered", "read", "failed"]

RANKS: dict[ReceiptStatus, int] = {"failed": 1, "delivered": 2, "read": 3}
"""Receipts come in any order, and several times: only one of a higher rank takes another's place."""


class ReceiptRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How far a message has come, as its messenger has told since; `reason` is for people."""

    status: ReceiptStatus
    at: datetime
    reason: str = ""


class FilesRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a message still waits for, whose files its messenger has to be given first.

    `since` is when it began to wait. From `handed_over_at` on it is the tasks worker's, and nobody else
    sends it. `is_asked_anew` says that a name was no good by which the messenger should have known a file.
    """

    since: datetime
    handed_over_at: datetime | None = None
    is_asked_anew: bool = False


class DeliveryRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How far one outgoing message has come.

    A message may take several requests (`message_ids` has one per request that was answered), so a
    sender that died half-way goes on where it stopped. `attempts` counts failures, `limits` how often its
    messenger has told it to wait and not for how long. `in_doubt` is
    true after a request whose answer was lost; `possibly_doubled` once such a request was repeated.
    `not_before` is when the message may go out: after its delay, or after what a try of it has found out.
    `replaced` has the names of requests that were taken and failed afterwards, and in whose place something
    else was said, with their places among the message's requests; the last is the one dealt with last.
    `redrive` is the last one that took it up, of a turn that was given up.
    `receipt` is written by another hand than all the rest, and never by this record.
    """

    status: DeliveryStatus
    message_ids: tuple[str, ...] = ()
    attempts: int = 0
    in_doubt: bool = False
    possibly_doubled: bool = False
    reason: str = ""
    degradations: tuple[str, ...] = ()
    not_before: datetime | None = None
    files: FilesRecord | None = None
    replaced: dict[str, int] = {}
    limits: int = 0
    redrive: str = ""
    receipt: ReceiptRecord | None = None

    @property
    def reached(self) -> DeliveryStatus:
        """How far it has come by all that is known: a messenger knows better than its sender."""
        return self.receipt.status if self.receipt else self.status

    @property
    def explained(self) -> str:
        """Why it has come no further: in the messenger's words where the messenger has told."""
        return self.receipt.reason if self.receipt else self.reason


class ChatAddress(msgspec.Struct, frozen=True, gc=False):
    """Where a bot talks to somebody."""

    bot_id: str
    platform: str
    platform_chat_id: str


class HistoryEntry(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One row. Entry 0 of a turn is its event (`user` or `system`), 1 and up are what the bot said.

    `message_data` of entry 0: `{"event": …, "notes": […], "ended_runs": […]}`; of the bot's entries:
    the message (`text`, `spans`, `buttons`). `messages` (entry 0 only) is how many the turn says,
    so that a reader can tell a turn whose deliveries are not all recorded yet. `chat` (entry 0 of a turn that
    ended runs only) is whose results they are: such entries are listed by bot.
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
    chat: ChatAddress | None = None

    @property
    def id(self) -> str:
        """A UUID, the same for the same place in the same dialog."""
        return str(uuid5(UUID(self.dialog_id), self.key))

    @property
    def key(self) -> str:
        """Its place, sortable as text: `epoch/turn/n`."""
        return entry_key(self.epoch, self.turn, self.n)


def delivery_id_of(dialog_id: str, epoch: str, turn: int, n: int) -> str:
    """What a messenger is given to name the message by in its receipts."""
    return f"{dialog_id}:{epoch}:{turn}:{n}"


def place_of(delivery_id: str) -> tuple[str, str] | None:
    """The dialog and the entry's key that a delivery id names; None for what is none of ours."""
    found = _DELIVERY_ID.fullmatch(delivery_id)
    return (found[1], entry_key(found[2], int(found[3]), int(found[4]))) if found else None


_DELIVERY_ID = re.compile(r"([0-9a-f-]{36}):([0-9a-f]{1,32}):([0-9]{1,8}):([0-9]{1,4})", re.ASCII)


def entry_key(epoch: str, turn: int, n: int) -> str:
    return f"{epoch}/{turn:08d}/{n:04d}"
