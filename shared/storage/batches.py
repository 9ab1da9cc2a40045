"""Items deleted many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from pynamodb.attributes import Attribute

from shared.storage.tables import Table

AT_ONCE = 25
"""As many items DynamoDB deletes in a call."""


def deleting(table: type[Table], items: Iterable[Table]) -> Iterator[None]:
    """Delete the items, one call for each step of the iterator: it can be broken off after any."""
    left = iter(items)
    while batch := list(islice(left, AT_ONCE)):
        with table.batch_write() as write:
            for item in batch:
                write.delete(item)
        yield


class ItemsOfBots(msgspec.Struct, frozen=True):
    """The items of a table whose keys are a bot's id and something of the bot."""

    table: type[Table]

    def remove_of_bot(self, bot_id: str) -> Iterator[None]:
        """Delete all of the bot's, step by step."""
        keys = [key.attr_name for key in self.table.get_attributes().values() if _is_of_key(key)]
        yield from deleting(self.table, self.table.query(bot_id, attributes_to_get=keys))


def _is_of_key(attribute: Attribute[Any]) -> bool:
    return attribute.is_hash_key or attribute.is_range_key
