"""What is remembered of a dialog between two turns."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha1
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from shared.dialog.events import Person
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Message

Status = Literal["active", "busy", "handed_off", "completed", "blocked"]

RECENT_EVENTS = 64
"""How many event hashes a dialog remembers to recognise a redelivery."""

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:parley:dialog")


@lru_cache(maxsize=1024)
def _namespace_of(bot_id: str) -> bytes:
    return _NAMESPACE.bytes + str(UUID(bot_id)).encode()


def dialog_id_of(bot_id: str, platform: str, chat_id: str) -> str:
    """The id of the dialog between a bot and a person on a platform: the same on every call.

    It is `uuid5(…, "{bot_id}/{platform}/{chat_id}")`, written out: the library's takes four times as long,
    which is a tenth of a whole turn.
    """
    name = f"/{platform}/{chat_id}".encode()
    digest = sha1(_namespace_of(bot_id) + name, usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One choice as it was shown; `labels` are its words in every language of the scenario."""

    label: str
    value: str | int | float | bool
    labels: tuple[str, ...] = ()
    next_step: str | None = None


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question put to the person, numbered within its run; open until answered."""

    number: int
    step_id: str
    choices: tuple[Choice, ...] = ()
    attempts: int = 0


class Outbox(msgspec.Struct, frozen=True):
    """What is still to be done for the last turn, until it is certain that it was.

    `event` is the hash of the event that caused it, `entry` its row for the history.
    """

    event: str
    entry: HistoryEntry
    messages: tuple[Message, ...]


class Dialog(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The whole of one dialog, saved as one item.

    `turn` counts applied events and is the optimistic lock; `epoch` is random and new whenever the
    dialog is created, so that nothing from a deleted one can touch its successor. `accepted` is the
    data of the press that was last taken as an answer.
    """

    id: str
    bot_id: str
    platform: str
    platform_chat_id: str
    epoch: str
    created_at: datetime
    updated_at: datetime
    last_interaction_at: datetime
    turn: int = 0
    status: Status = "active"
    scenario_id: str | None = None
    revision: int | None = None
    bot_name: str = ""
    run: int = 0
    current_step: str | None = None
    ask: Ask | None = None
    asks: int = 0
    accepted: str = ""
    variables: dict[str, Any] = {}
    used_conditions: tuple[int, ...] = ()
    person: Person = Person()
    recent_events: tuple[str, ...] = ()
    outbox: Outbox | None = None
