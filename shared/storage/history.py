"""The history of dialogs over DynamoDB: a row per event and per message, deleted when its time is up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import msgspec
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from shared.dialog.history import RANKS, HistoryEntry, ReceiptRecord, entry_key
from shared.storage.batches import deleting
from shared.storage.conditions import is_refused
from shared.storage.results import run_end_of, shard_of
from shared.storage.tables import MAX_ITEM_BYTES, BotDialogHistory

RETENTION_DAYS = 365

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(HistoryEntry)
_receipt_decoder = msgspec.json.Decoder(ReceiptRecord)


class DynamoHistory:
    """History over DynamoDB; fulfils `ports.HistoryRepository`. All reads are consistent."""

    def __init__(self, retention_days: int = RETENTION_DAYS) -> None:
        self._retention = timedelta(days=retention_days)

    def record(self, entry: HistoryEntry) -> None:
        """Write the entry, over whatever was in its place but for the receipt of a message.

        An entry too large for an item is kept without its `message_data`, which then says so: its turn
        is committed, so there is nobody left who could be refused.
        """
        item = _item_of(entry, self._retention)
        size = item.size()
        if size > MAX_ITEM_BYTES:
            entry = msgspec.structs.replace(entry, message_data={"omitted": f"{size} bytes are too many"})
            item = _item_of(entry, self._retention)
        if entry.delivery is None:
            item.save()
        else:
            item.update(_all_but_the_receipt(item))

    def receive(self, dialog_id: str, key: str, receipt: ReceiptRecord) -> bool:
        """Put the receipt to its entry, unless one that says as much is there; False if there is no entry.

        One call, and a second one where the first changed nothing. A sender may write the entry meanwhile.
        """
        rank = RANKS[receipt.status]
        text = _encoder.encode(receipt).decode()
        written: list[Action] = [
            BotDialogHistory.receipt.set(text),
            BotDialogHistory.receipt_rank.set(rank),
        ]
        lower = BotDialogHistory.receipt_rank.does_not_exist() | (BotDialogHistory.receipt_rank < rank)
        try:
            BotDialogHistory(dialog_id, key).update(written, BotDialogHistory.payload.exists() & lower)
        except UpdateError as error:
            if is_refused(error):
                return BotDialogHistory.find(dialog_id, key, ["receipt_rank"]) is not None
            raise
        return True

    def delete(self, dialog_id: str, epoch: str = "") -> Iterator[None]:
        """Delete the entries of an epoch, or of all, step by step."""
        of_epoch = BotDialogHistory.entry.startswith(f"{epoch}/") if epoch else None
        keys = ["dialog_id", "entry"]
        found = BotDialogHistory.query(dialog_id, of_epoch, consistent_read=True, attributes_to_get=keys)
        return deleting(BotDialogHistory, found)

    def find(self, dialog_id: str, key: str) -> HistoryEntry | None:
        item = BotDialogHistory.find(dialog_id, key)
        return None if item is None else _entry_of(item)

    def of_turn(self, dialog_id: str, epoch: str, turn: int) -> list[HistoryEntry]:
        """All entries of one turn, in order."""
        first, last = entry_key(epoch, turn, 0), entry_key(epoch, turn, 9999)
        found = BotDialogHistory.query(
            dialog_id, BotDialogHistory.entry.between(first, last), consistent_read=True
        )
        return [_entry_of(item) for item in found]

    def after(
        self, dialog_id: str, epoch: str, key: str, limit: int, *, newest_first: bool = False
    ) -> list[HistoryEntry]:
        """Entries of an epoch that follow `key` (exclusive, "" for all) in the given direction.

        A key that is not of this epoch counts as "": it stems from a dialog deleted since.
        """
        first, last = span_after(epoch, key, newest_first=newest_first)
        found = BotDialogHistory.query(
            dialog_id,
            BotDialogHistory.entry.between(first, last),
            consistent_read=True,
            scan_index_forward=not newest_first,
            limit=limit + 1,
        )
        return [_entry_of(item) for item in found if item.entry != key][:limit]


def span_after(epoch: str, key: str, *, newest_first: bool) -> tuple[str, str]:
    """The first and the last entry key to look at, both inclusive: `key` itself is one of them."""
    first, last = f"{epoch}/", f"{epoch}/~"
    if not re.fullmatch(re.escape(epoch) + r"/\d{8}/\d{4}", key):
        return first, last
    return (first, key) if newest_first else (key, last)


def _entry_of(item: BotDialogHistory) -> HistoryEntry:
    entry = _decoder.decode(item.payload)
    if not item.receipt or entry.delivery is None:
        return entry
    delivery = msgspec.structs.replace(entry.delivery, receipt=_receipt_decoder.decode(item.receipt))
    return msgspec.structs.replace(entry, delivery=delivery)


def _all_but_the_receipt(item: BotDialogHistory) -> list[Action]:
    """What writes the whole item but its keys and the receipt, which may have come meanwhile."""
    return [
        BotDialogHistory.message_type.set(item.message_type),
        BotDialogHistory.delivery_status.set(item.delivery_status),
        BotDialogHistory.timestamp.set(item.timestamp),
        BotDialogHistory.created_at.set(item.created_at),
        BotDialogHistory.payload.set(item.payload),
        BotDialogHistory.expires_at.set(item.expires_at),
    ]


def _item_of(entry: HistoryEntry, retention: timedelta) -> BotDialogHistory:
    if entry.delivery and entry.delivery.receipt:
        delivery = msgspec.structs.replace(entry.delivery, receipt=None)
        entry = msgspec.structs.replace(entry, delivery=delivery)
    return BotDialogHistory(
        entry.dialog_id,
        entry.key,
        message_type=entry.message_type,
        delivery_status=entry.delivery.status if entry.delivery else None,
        timestamp=entry.timestamp,
        created_at=entry.created_at,
        payload=_encoder.encode(entry).decode(),
        results_shard=shard_of(entry.chat.bot_id, entry.dialog_id) if entry.chat else None,
        run_end=run_end_of(entry) if entry.chat else None,
        expires_at=entry.created_at + retention,
    )
