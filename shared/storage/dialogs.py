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
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.expressions.condition import And, Condition
from pynamodb.transactions import TransactWrite

from shared.dialog.ports import Found
from shared.dialog.state import Dialog, Remains
from shared.errors import ConcurrentTurn, DialogTooLarge, GiveUp
from shared.pages import Page, Position
from shared.storage.batches import deleting
from shared.storage.conditions import is_overtaken, refused_writes
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

_MAX_ALIASES = 20
"""From one to the next: one is the rule, and every further one a person who was two for us."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Dialog)
_remains_decoder = msgspec.json.Decoder(Remains)


class TooManyAliases(GiveUp):
    """Aliases that lead on and on: a fault of ours."""

    def __init__(self, dialog_id: str) -> None:
        super().__init__(f"the aliases up to {dialog_id} lead to no dialog")


class DynamoDialogs:
    """Dialogs over DynamoDB; fulfils `ports.StateRepository`."""

    def load(self, dialog_id: str) -> Dialog | None:
        """The dialog as last committed (a consistent read), or None; through an alias if need be.

        One that is continued elsewhere is told as it was left.
        """
        item = _read_item(dialog_id)
        if item is None or item.remains:
            return None
        return _decoder.decode(item.state) if item.state else self.follow(dialog_id).dialog

    def find(self, dialog_id: str) -> Dialog | Remains | None:
        """As `follow`, without the place."""
        found = self.follow(dialog_id)
        return found.dialog or found.remains

    def follow(self, dialog_id: str) -> Found:
        """Where a person goes on who has this id: one read, and one more for an alias."""
        for _ in range(_MAX_ALIASES):
            item = _read_item(dialog_id)
            if item is None or item.alias_of is None:
                return _found(dialog_id, item)
            dialog_id = item.alias_of
        raise TooManyAliases(dialog_id)

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
        item = _item_of(dialog, met)
        with _told_as_concurrent(dialog.id):
            item.save(_unmoved(dialog.epoch, met))

    def delete(self, dialog: Dialog, remains: Remains) -> None:
        """Put its remains in the place of the dialog, as it was loaded, and of all that leads to it.

        All or nothing: whoever comes by an alias finds the dialog or its remains, and no successor is
        written over. Raises `ConcurrentTurn`.
        """
        with _told_as_concurrent(dialog.id), BotDialogState.transaction() as transaction:
            transaction.save(_left_at(dialog.id, remains), _unmoved(dialog.epoch, dialog.turn))
            for place in dialog.identities.places:
                transaction.save(_left_at(place, remains), BotDialogState.alias_of.exists())

    def join(self, dialog: Dialog, met: int | Remains | None, others: Sequence[Found]) -> None:
        """Commit, and let what was found elsewhere lead to this dialog from now on, all or nothing.

        Every item must be as it was found. So no circle of aliases can come about: what leads elsewhere is
        never a dialog that anything can be led to at the same time. Raises what `commit` raises.
        """
        item = _item_of(dialog, met)
        with _told_as_concurrent(dialog.id), BotDialogState.transaction() as transaction:
            transaction.save(item, _unmoved(dialog.epoch, met))
            for other in others:
                _lead(transaction, other, dialog)

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
        if is_overtaken(error):
            raise ConcurrentTurn(dialog_id) from None
        raise
    except TransactWriteError as error:
        if refused_writes(error):
            raise ConcurrentTurn(dialog_id) from None
        raise


def _unmoved(epoch: str, met: int | Remains | None) -> Condition:
    if met is None:
        return BotDialogState.id.does_not_exist()
    if isinstance(met, Remains):
        return BotDialogState.remains == _text_of(met)
    unmoved = And(BotDialogState.turn == met, BotDialogState.epoch == epoch)
    return And(unmoved, BotDialogState.alias_of.does_not_exist())


def _text_of(remains: Remains) -> str:
    return _encoder.encode(remains).decode()


def _left_at(place: str, remains: Remains) -> DeletedDialog:
    return DeletedDialog(place, remains=_text_of(remains), expires_at=remains.deleted_at + REMAINS_STAY)


def _lead(transaction: TransactWrite, other: Found, dialog: Dialog) -> None:
    """Let the place of the other lead to the dialog, for good."""
    left = other.dialog
    transaction.update(
        BotDialogState(other.id),
        [
            BotDialogState.alias_of.set(dialog.id),
            BotDialogState.bot_id.set(dialog.bot_id),
            BotDialogState.remains.remove(),
            BotDialogState.expires_at.remove(),
        ],
        _unmoved(left.epoch if left else "", left.turn if left else other.remains),
    )


def _read_item(dialog_id: str) -> BotDialogState | None:
    return BotDialogState.find(dialog_id, attributes=["state", "remains", "alias_of"])


def _found(dialog_id: str, item: BotDialogState | None) -> Found:
    if item is None:
        return Found(dialog_id)
    if item.remains:
        return Found(dialog_id, remains=_remains_decoder.decode(item.remains))
    return Found(dialog_id, _decoder.decode(item.state))


def _item_of(dialog: Dialog, met: int | Remains | None) -> BotDialogState:
    """Raises `DialogTooLarge`."""
    item = _written(dialog)
    size = item.size()
    if size > MAX_ITEM_BYTES:
        reason = f"the dialog has grown to {size} bytes, more than {MAX_ITEM_BYTES}"
        raise DialogTooLarge(dialog.id, met if isinstance(met, int) else 0, reason)
    return item


def _written(dialog: Dialog) -> BotDialogState:
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
