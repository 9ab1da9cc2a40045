"""A page of a dialog's history, in either direction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from shared.dialog.history import Author, HistoryEntry
from shared.dialog.ports import HistoryRepository
from shared.dialog.state import Dialog

Order = Literal["asc", "desc"]

_CHUNK: Final = 100
_MAX_ROUNDS: Final = 10
"""How often a page looks for more of what is rare before it ends, short, with a cursor."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Oldest first or newest first, and what of it; no types are all of them.

    `since` is inclusive, `until` is not; both by when it was said.
    """

    order: Order
    types: frozenset[Author]
    since: datetime | None
    until: datetime | None

    @property
    def takes_all(self) -> bool:
        return not (self.types or self.since or self.until)

    def takes(self, entry: HistoryEntry) -> bool:
        return (
            (not self.types or entry.message_type in self.types)
            and (self.since is None or entry.timestamp >= self.since)
            and (self.until is None or entry.timestamp < self.until)
        )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some entries, and the positions from which the pages after it and before it are read."""

    entries: list[HistoryEntry]
    next: dict[str, Any] | None
    previous: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Found:
    """What was wanted of the entries that were looked at, and whether there are more behind them."""

    entries: list[HistoryEntry]
    looked_at: list[str]
    has_more: bool


def read_page(
    history: HistoryRepository, dialog: Dialog, reading: Reading, limit: int, start: dict[str, Any] | None
) -> HistoryPage:
    """The page that begins at the position, which is an entry's key and a direction; it may be short."""
    after, is_back = (start["after"], start["back"]) if start else ("", False)
    found = _look(history, dialog, reading, limit, after, newest_first=(reading.order == "desc") != is_back)
    if is_back:
        following = _position(found.looked_at[:1], is_back=False)
        further = _position(found.looked_at[-1:], is_back=True) or start
        has_former = found.has_more or reading.order == "desc"
        return HistoryPage(found.entries[::-1], following, further if has_former else None)
    onward = _position(found.looked_at[-1:], is_back=False) if found.has_more else None
    has_former = start is not None or reading.order == "desc"
    former = _position(found.looked_at[:1], is_back=True) if has_former else None
    return HistoryPage(found.entries, onward, former)


def _position(keys: list[str], *, is_back: bool) -> dict[str, Any] | None:
    return {"after": keys[0], "back": is_back} if keys else None


def _look(
    history: HistoryRepository,
    dialog: Dialog,
    reading: Reading,
    limit: int,
    after: str,
    *,
    newest_first: bool,
) -> _Found:
    """Look at entries until there are enough of those wanted, a chunk at a time."""
    wanted: list[HistoryEntry] = []
    looked_at: list[str] = []
    size = limit + 1 if reading.takes_all else max(limit + 1, _CHUNK)
    for _ in range(_MAX_ROUNDS):
        chunk = history.after(dialog.id, dialog.epoch, after, size, newest_first=newest_first)
        for entry in chunk:
            if len(wanted) == limit:
                return _Found(wanted, looked_at, has_more=True)
            looked_at.append(after := entry.key)
            wanted += [entry] if reading.takes(entry) else []
        if len(chunk) < size:
            return _Found(wanted, looked_at, has_more=False)
    return _Found(wanted, looked_at, has_more=True)
