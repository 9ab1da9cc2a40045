"""Runs that main systems did not take, over DynamoDB; what was collected in them is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.pages import Page, Position
from shared.queueing.envelopes import TaskEnvelope
from shared.storage.batches import deleting
from shared.storage.clock import Clock, utc_now
from shared.storage.paging import page_of, slice_of
from shared.storage.sealing import KmsSealer
from shared.storage.tables import SyncRefusal
from shared.tasks.sync_records import Refusal

KEPT: Final = timedelta(days=90)

_refusals = msgspec.json.Decoder(Refusal)
_works = msgspec.json.Decoder(TaskEnvelope)


class DynamoRefusals:
    """Fulfils `shared.tasks.sync_records.Refusals`. Who only lists needs no right to open what is sealed."""

    def __init__(self, sealer: KmsSealer, clock: Clock = utc_now) -> None:
        self._sealer = sealer
        self._clock = clock

    def put(self, refusal: Refusal, work: TaskEnvelope) -> None:
        SyncRefusal(
            refusal.bot_id,
            refusal.id,
            dialog=_dialog(work.dialog_id, work.epoch),
            refusal=msgspec.json.encode(refusal).decode(),
            sealed=self._sealer.seal(msgspec.json.encode(work), _context(refusal)),
            expires_at=self._clock() + KEPT,
        ).save()

    def before(self, bot_id: str, moment: datetime) -> Iterator[Refusal]:
        for item in SyncRefusal.query(bot_id, consistent_read=True, attributes_to_get=["refusal"]):
            refusal = _refusals.decode(item.refusal)
            if refusal.refused_at < moment:
                yield refusal

    def work_of(self, refusal: Refusal) -> TaskEnvelope | None:
        item = SyncRefusal.find(refusal.bot_id, refusal.id)
        return None if item is None else _works.decode(self._sealer.open(item.sealed, _context(refusal)))

    def delete(self, refusal: Refusal) -> None:
        SyncRefusal(refusal.bot_id, refusal.id).delete()

    def of_bot(self, bot_id: str, limit: int, start: Position | None = None) -> Page[Refusal]:
        """The bot's, the latest runs first."""
        found = SyncRefusal.query(bot_id, scan_index_forward=False, **slice_of(limit, start))
        return page_of(found, lambda item: _refusals.decode(item.refusal))


def remove_refusals(bot_id: str, dialog_id: str, epoch: str) -> Iterator[None]:
    """Delete what was refused of one epoch of a dialog, step by step."""
    is_of_dialog = SyncRefusal.dialog == _dialog(dialog_id, epoch)
    found = SyncRefusal.query(bot_id, filter_condition=is_of_dialog, consistent_read=True)
    return deleting(SyncRefusal, found)


def _dialog(dialog_id: str, epoch: str) -> str:
    return f"{dialog_id}:{epoch}"


def _context(refusal: Refusal) -> dict[str, str]:
    return {"bot_id": refusal.bot_id, "refusal": refusal.id}
