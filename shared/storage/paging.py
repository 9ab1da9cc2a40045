"""Lists that are read a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypedDict, TypeVar

import msgspec
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

T = TypeVar("T")
M = TypeVar("M", bound=Model)

Position = dict[str, Any]
"""Where a page ended, as plain JSON. Opaque: a caller hands it back as it is, to the same list.

It is a key of DynamoDB's, unsigned; whoever gives it out must see to it that it comes back unchanged.
"""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items, and the position to go on from; None where the list ended."""

    items: list[T]
    next: Position | None = None


class Slice(TypedDict):
    """The arguments of a query that reads one page."""

    limit: int
    page_size: int
    last_evaluated_key: Position | None


def slice_of(limit: int, start: Position | None) -> Slice:
    """Ask for one item more than wanted: whether it comes tells if there is a next page.

    DynamoDB itself gives a position after the very last item too, which would lead to an empty page.
    """
    return {"limit": limit, "page_size": limit + 1, "last_evaluated_key": start}


def page_of(found: ResultIterator[M], read: Callable[[M], T]) -> Page[T]:
    """The page that a query by `slice_of` has found."""
    items = [read(item) for item in found]
    return Page(items, found.last_evaluated_key)
