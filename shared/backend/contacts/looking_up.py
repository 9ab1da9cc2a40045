"""The record of a person: looked up before the first step of a run, by one table of the main system."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from shared.backend.sync.settings import ContactLookup, Sink, SyncSettings
from shared.errors import TaskFailed
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt
from shared.tasks.retrying import retried

MOST_RECORDS: Final = 2
"""More than one is as good as none, and is told."""

_WHOLE: Final = re.compile("[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,2})?")

Record = Mapping[str, Any]


class Records(Protocol):
    """A table of a main system, to be read."""

    def find(self, lookup: ContactLookup, wanted: Mapping[str, str], seconds: float) -> list[Record]:
        """At most `MOST_RECORDS` whose columns equal what is wanted, as JSON has them.

        Raises `TryAgain` for a fault that may pass, and `TaskFailed`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Contacts:
    """Looks records up; one for a process.

    `sync_of` knows the settings of a bot, `records_of` has the tables of a sink.
    """

    sync_of: Callable[[str], SyncSettings | None]
    records_of: Callable[[Sink], Records]
    retried: Callable[[Callable[[], list[Record]], Attempt], list[Record]] = retried

    def perform(self, work: TaskEnvelope, attempt: Attempt) -> dict[str, Any]:
        """`contact` with the fields that have a value; none where nobody is found. Raises `TaskFailed`."""
        sync = self.sync_of(work.bot_id)
        if sync is None or sync.contact is None:
            return {"contact": {}}
        lookup, wanted = sync.contact, _wanted(sync.contact, work)
        if wanted is None:
            return {"contact": {}}
        records = self.records_of(sync.sink)
        found = self.retried(lambda: records.find(lookup, wanted, attempt.seconds_left()), attempt)
        return {"contact": _contact(lookup, found)}


def _wanted(lookup: ContactLookup, work: TaskEnvelope) -> dict[str, str] | None:
    """What the columns have to hold; None where it is not known of this person."""
    request = work.task.request
    known = {
        **request["variables"],
        "platform_chat_id": work.platform_chat_id,
        "username": request["username"],
    }
    wanted = {column: _as_text(known.get(source)) for column, source in lookup.match.items()}
    return wanted if wanted and all(wanted.values()) else None


def _as_text(value: Any) -> str:
    """As a database reads it from a text; nothing stands for what has no value, or many."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()
    return value if isinstance(value, str) else ""


def _contact(lookup: ContactLookup, found: Iterable[Record]) -> dict[str, Any]:
    records = list(found)
    if len(records) >= MOST_RECORDS:
        raise TaskFailed(f"more than one row of “{lookup.table}” is this person's")
    record = records[0] if records else {}
    values = {name: _typed(record.get(name), kind) for name, kind in lookup.fields.items()}
    return {name: value for name, value in values.items() if value is not None}


def _typed(value: Any, kind: str) -> Any:
    """The value in the type that scenarios expect; what is of no such type is left as it came."""
    match kind, value:
        case "string", bool() | int() | float():
            return msgspec.json.encode(value).decode()
        case "integer", float() if value.is_integer():
            return int(value)
        case "integer", str() if _WHOLE.fullmatch(value):
            return int(value)
        case "number", str() if _NUMBER.fullmatch(value):
            return float(value)
    return value
