"""Dialogs over DynamoDB: one item each, one conditional write per turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from zlib import crc32

import msgspec
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import And, Condition

from shared.dialog.state import Dialog, Remains
from shared.errors import ConcurrentTurn, DialogTooLarge
from shared.storage.batches import deleting
from shared.storage.conditions import is_refused
from shared.storage.paging import Page, Position
from shared.storage.tables import MAX_ITEM_BYTES, BotDialogState, DeletedDialog

SHARDS = 8
"""Partitions of the listing index per bot, so that a busy bot is not bound to the writes of one."""

Hours = tuple[str, str]
"""The first and the last hour that is looked at, both inclusive."""

ALL_HOURS: Hours = ("0", "~")

REMAINS_STAY = timedelta(days=30)
"""Longer than anything meant for a deleted dialog lies in a queue and then in its dead-letter queue."""

_ROUND = 100
_MAX_ROUNDS = 5
"""A page looks for the dialogs of a rare platform among so many, then ends short, with a position."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Dialog)
_remains_decoder = msgspec.json.Decoder(Remains)


class DynamoDialogs:
    """Dialogs over DynamoDB; fulfils `ports.StateRepository`."""

    def load(self, dialog_id: str) -> Dialog | None:
        """The dialog as last committed (a consistent read), or None."""
        found = self.find(dialog_id)
        return found if isinstance(found, Dialog) else None

    def find(self, dialog_id: str) -> Dialog | Remains | None:
        """As `load`, but what is left of a deleted one is told."""
        item = BotDialogState.find(dialog_id, attributes=["state", "remains"])
        if item is None:
            return None
        return _remains_decoder.decode(item.remains) if item.remains else _decoder.decode(item.state)

    def epoch_of(self, dialog_id: str) -> str | None:
        """The dialog's epoch at this moment (a consistent read), or None once it is gone."""
        item = BotDialogState.find(dialog_id, attributes=["epoch"])
        return None if item is None else item.epoch

    def commit(self, dialog: Dialog, met: int | Remains | None) -> None:
        """Save the whole dialog in one conditional write.

        A dialog's first commit needs the place empty, or the very remains there that were met; every later
        one needs the stored turn to be the one met and the stored epoch to be the dialog's own. So an epoch
        can only begin where no other is: a new one is never written over an old one, not even at an equal
        turn. What was loaded before a deletion cannot be committed after it. Raises `ConcurrentTurn` when
        refused, and `DialogTooLarge` for one that cannot be kept.
        """
        item = _item_of(dialog)
        size = item.size()
        if size > MAX_ITEM_BYTES:
            reason = f"the dialog has grown to {size} bytes, more than {MAX_ITEM_BYTES}"
            raise DialogTooLarge(dialog.id, met if isinstance(met, int) else 0, reason)
        with _told_as_concurrent(dialog.id):
            item.save(_unmoved(dialog.epoch, met))

    def delete(self, dialog: Dialog, remains: Remains) -> None:
        """Put its remains in the place of the dialog, as it was loaded. Raises `ConcurrentTurn`."""
        expires_at = remains.deleted_at + REMAINS_STAY
        item = DeletedDialog(dialog.id, remains=_text_of(remains), expires_at=expires_at)
        with _told_as_concurrent(dialog.id):
            item.save(_unmoved(dialog.epoch, dialog.turn))

    def of_bot(
        self,
        bot_id: str,
        platform: str | None,
        limit: int,
        start: Position | None = None,
        hours: Hours = ALL_HOURS,
    ) -> Page[Dialog]:
        """The bot's dialogs (on one platform, if named), those with the latest turns first, by the hour.

        Dialogs that go on while the list is read move to its head, past a reader who is further down.
        A page may hold fewer than `limit` dialogs and still have a next one.
        """
        position: Position = dict(start or {})
        size = limit if platform is None else max(limit, _ROUND)
        rows = _rows(bot_id, position, hours, page_size=size // 4 + 2)
        dialogs: list[Dialog] = []
        for _ in range(_MAX_ROUNDS):
            chunk = deque(islice(rows, size))
            found = _read(chunk, platform)
            while chunk and len(dialogs) < limit:
                row = chunk.popleft()
                position[_number_of(row)] = [row.last_active_hour, row.id]
                if row.id in found:
                    dialogs.append(found[row.id])
            if len(dialogs) == limit:
                break
        has_next = bool(chunk) or next(rows, None) is not None
        return Page(dialogs, position if has_next else None)

    def ids_of_bot(self, bot_id: str) -> Iterator[str]:
        """The ids of all of the bot's dialogs, in no order, perhaps with some that are gone since."""
        for number in range(SHARDS):
            rows = BotDialogState.by_activity.query(f"{bot_id}#{number}", page_size=_ROUND)
            yield from (row.id for row in rows)

    def read(self, dialog_ids: Sequence[str]) -> list[Dialog]:
        """Those of up to 100 dialogs that are there."""
        items = BotDialogState.batch_get(dialog_ids, consistent_read=True)
        return [_decoder.decode(item.state) for item in items if item.state]

    def remove(self, dialog_ids: Iterable[str]) -> Iterator[None]:
        """Delete the dialogs' items, step by step, leaving no remains."""
        return deleting(BotDialogState, map(BotDialogState, dialog_ids))


def shard_of(dialog: Dialog) -> str:
    """The partition of the listing index that the dialog lies in, always the same."""
    return f"{dialog.bot_id}#{crc32(dialog.id.encode()) % SHARDS}"


def hour_of(moment: datetime) -> str:
    """The hour in UTC, sortable as text. Coarse, so that most turns leave the index alone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


@contextmanager
def _told_as_concurrent(dialog_id: str) -> Iterator[None]:
    try:
        yield
    except PutError as error:
        if is_refused(error):
            raise ConcurrentTurn(dialog_id) from None
        raise


def _unmoved(epoch: str, met: int | Remains | None) -> Condition:
    if met is None:
        return BotDialogState.id.does_not_exist()
    if isinstance(met, Remains):
        return BotDialogState.remains == _text_of(met)
    return And(BotDialogState.turn == met, BotDialogState.epoch == epoch)


def _text_of(remains: Remains) -> str:
    return _encoder.encode(remains).decode()


def _item_of(dialog: Dialog) -> BotDialogState:
    return BotDialogState(
        dialog.id,
        bot_id=dialog.bot_id,
        platform=dialog.platform,
        platform_chat_id=dialog.platform_chat_id,
        status=dialog.status,
        current_step=dialog.current_step,
        run=dialog.run,
        scenario_id=dialog.scenario_id,
        revision=dialog.revision,
        turn=dialog.turn,
        epoch=dialog.epoch,
        created_at=dialog.created_at,
        updated_at=dialog.updated_at,
        last_interaction_at=dialog.last_interaction_at,
        listing_shard=shard_of(dialog),
        last_active_hour=hour_of(dialog.last_interaction_at),
        state=_encoder.encode(dialog).decode(),
    )


def hours_of(since: datetime | None, until: datetime | None) -> Hours:
    """The first and the last hour, both inclusive, in which something may lie between the two."""
    first, last = ALL_HOURS
    return (hour_of(since) if since else first, hour_of(until) if until else last)


def _rows(bot_id: str, position: Position, hours: Hours, page_size: int) -> Iterator[BotDialogState]:
    """The index rows of all shards after the position, the newest hour first."""
    first, last = hours
    if first > last:
        return iter(())
    shards = (_rows_of_shard(f"{bot_id}#{n}", position.get(str(n)), hours, page_size) for n in range(SHARDS))
    return merge(*shards, key=lambda row: row.last_active_hour, reverse=True)


def _rows_of_shard(
    shard: str, after: list[str] | None, hours: Hours, page_size: int
) -> Iterator[BotDialogState]:
    return BotDialogState.by_activity.query(
        shard,
        BotDialogState.last_active_hour.between(*hours),
        scan_index_forward=False,
        page_size=page_size,
        last_evaluated_key=None if after is None else _key_of(shard, *after),
    )


def _key_of(shard: str, hour: str, dialog_id: str) -> Position:
    return {"listing_shard": {"S": shard}, "last_active_hour": {"S": hour}, "id": {"S": dialog_id}}


def _number_of(row: BotDialogState) -> str:
    return row.listing_shard.rpartition("#")[2]


def _read(rows: Iterable[BotDialogState], platform: str | None) -> dict[str, Dialog]:
    """The rows' dialogs by id, but for those of other platforms and those gone since."""
    items = (item for item in BotDialogState.batch_get([row.id for row in rows]) if item.state)
    return {item.id: _decoder.decode(item.state) for item in items if platform in {None, item.platform}}
