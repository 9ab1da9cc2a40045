"""A part of a list, and where the list goes on."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

Position = dict[str, Any]
"""Where a page ended, as plain JSON. Opaque: a caller hands it back as it is, to the same list.

It is a key of the store's, unsigned; whoever gives it out must see to it that it comes back unchanged.
"""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items, and the position to go on from; None where the list ended."""

    items: list[T]
    next: Position | None = None
