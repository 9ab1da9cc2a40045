"""Results over DynamoDB: an index over those entries of the history that ended a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from heapq import merge
from zlib import crc32

import msgspec

from shared.dialog.history import HistoryEntry
from shared.dialog.results import RunResult, Sought, results_of
from shared.pages import Page, Position
from shared.storage.tables import BotDialogHistory

SHARDS = 8
"""Partitions of the index per bot, so that runs which end all at once are not bound to one."""

LOOKED_AT = 1000
"""A page looks for what is rare among so many runs, then ends short, with a position."""

_PAGE_OF_SHARD = 100
_BEFORE_ALL, _AFTER_ALL = "0", "~"

_decoder = msgspec.json.Decoder(HistoryEntry)


class DynamoResults:
    """Results over DynamoDB, the latest first. A run shows a moment after its end."""

    def of_bot(
        self, bot_id: str, sought: Sought, limit: int, start: Position | None = None
    ) -> Page[RunResult]:
        """The bot's results that are wanted. A page may hold fewer than `limit` and still have a next one."""
        span = span_of(sought, start)
        size = min(limit // 4 + 2, _PAGE_OF_SHARD)
        shards = [_entries(f"{bot_id}#{number}", span, size) for number in range(SHARDS)]
        return page_of_results(merge(*shards, key=run_end_of, reverse=True), sought, limit, start)


def shard_of(bot_id: str, dialog_id: str) -> str:
    """The partition of the index that a dialog's results lie in."""
    return f"{bot_id}#{crc32(dialog_id.encode()) % SHARDS}"


def run_end_of(entry: HistoryEntry) -> str:
    """When the entry's runs ended, sortable as text, and unlike that of any other entry."""
    return f"{_moment(entry.created_at)}/{entry.dialog_id}/{entry.key}"


def span_of(sought: Sought, start: Position | None) -> tuple[str, str]:
    """The first and the last run end to look at, both inclusive; a page begins at the last."""
    first = _moment(sought.since) if sought.since else _BEFORE_ALL
    last = _moment(sought.until) if sought.until else _AFTER_ALL
    return first, start["at"] if start else last


def page_of_results(
    entries: Iterable[HistoryEntry], sought: Sought, limit: int, start: Position | None
) -> Page[RunResult]:
    """A page of the entries' results, the latest first; several runs may have ended with one entry."""
    found: list[RunResult] = []
    end = start
    for looked_at, (position, result) in enumerate(_after(start, entries)):
        if len(found) == limit or looked_at == LOOKED_AT:
            return Page(found, end)
        end = position
        if sought.takes(result):
            found.append(result)
    return Page(found)


def _after(start: Position | None, entries: Iterable[HistoryEntry]) -> Iterator[tuple[Position, RunResult]]:
    """The results that follow the start, each with its own place as a start."""
    for entry in entries:
        at = run_end_of(entry)
        given = start["given"] if start and start["at"] == at else 0
        for number, result in enumerate(results_of(entry)[given:], given + 1):
            yield {"at": at, "given": number}, result


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _entries(shard: str, span: tuple[str, str], page_size: int) -> Iterator[HistoryEntry]:
    first, last = span
    if first > last:
        return
    rows = BotDialogHistory.by_run_end.query(
        shard,
        BotDialogHistory.run_end.between(first, last),
        scan_index_forward=False,
        page_size=page_size,
    )
    yield from (_decoder.decode(row.payload) for row in rows)
