"""Lists of DynamoDB that are read a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, TypeVar

from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from shared.pages import Page, Position

T = TypeVar("T")
M = TypeVar("M", bound=Model)


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
