"""Records of exports over DynamoDB. Keys: `export#{id}`."""

from __future__ import annotations

from typing import Final

import msgspec
from pynamodb.exceptions import PutError

from shared.results.exports import Export
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused
from shared.storage.tables import Cache

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Export)


class DynamoExports:
    """Records of exports, for as long as their files are kept; fulfils `ExportRepository`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def create(self, export: Export) -> None:
        _item_of(export).save(Cache.key.does_not_exist())

    def find(self, export_id: str) -> Export | None:
        """The record (a consistent read); None where there is none, or its time is over."""
        item = Cache.find(_key_of(export_id))
        return _decoder.decode(item.value) if item and item.expires_at > self._clock() else None

    def save(self, export: Export, met: Export) -> bool:
        """Write it in the place of the one that was met; False, and nothing written, if that has changed."""
        try:
            _item_of(export).save(Cache.value == _text_of(met))
        except PutError as error:
            if is_refused(error):
                return False
            raise
        return True


def _item_of(export: Export) -> Cache:
    return Cache(_key_of(export.id), value=_text_of(export), expires_at=export.expires_at)


def _text_of(export: Export) -> str:
    return _encoder.encode(export).decode()


def _key_of(export_id: str) -> str:
    return f"export#{export_id}"
