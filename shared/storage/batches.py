"""Items deleted many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

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
