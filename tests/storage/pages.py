"""Reading a list to its end, as a client of the API does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from shared.pages import Page, Position

T = TypeVar("T")


def pages_of(list_from: Callable[[Position | None], Page[T]]) -> list[list[T]]:
    """The items of every page, each asked for with the last one's position after a trip as JSON."""
    pages: list[list[T]] = []
    start: Position | None = None
    while len(pages) < 1000:
        page = list_from(start)
        pages.append(page.items)
        if page.next is None:
            return pages
        start = msgspec.json.decode(msgspec.json.encode(page.next))
    raise AssertionError("the list does not end")
