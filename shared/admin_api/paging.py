"""Lists: a page at a time, continued with a cursor that fits this list and no other."""

from __future__ import annotations

import base64
import hashlib
import hmac
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Query, Request

from shared.admin_api.fields import View
from shared.errors import Invalid, Violation

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200

_MAC_BYTES: Final = 16
_MAX_CURSOR: Final = 4096

T = TypeVar("T")


class Listing(View, Generic[T]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None


class Cursors:
    """Signs positions, so that only what was given out comes back, and only to the list it came from."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def write(self, listing: str, position: Mapping[str, Any]) -> str:
        body = msgspec.json.encode(position)
        return base64.urlsafe_b64encode(self._mac(listing, body) + body).decode().rstrip("=")

    def read(self, listing: str, cursor: str) -> dict[str, Any]:
        """The position in a cursor. Raises `Invalid` for one that this list has not given."""
        try:
            signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (NotBase64, ValueError):
            raise _foreign() from None
        mac, body = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(listing, body)):
            raise _foreign()
        return msgspec.json.decode(body, type=dict[str, Any])

    def _mac(self, listing: str, body: bytes) -> bytes:
        message = hashlib.sha256(listing.encode()).digest() + body
        return hmac.digest(self._key(), message, hashlib.sha256)[:_MAC_BYTES]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: at most `limit` items from `start` on, the beginning if None."""

    limit: int
    start: dict[str, Any] | None
    listing: str
    cursors: Cursors

    def answer(self, items: Sequence[T], end: Mapping[str, Any] | None) -> dict[str, Any]:
        """The fields of a `Listing`; `end` is where to go on, None where the list ends."""
        return {"items": list(items), "next_cursor": self.cursor(end)}

    def cursor(self, position: Mapping[str, Any] | None) -> str | None:
        """What leads to the position, in this list; None to None."""
        return None if position is None else self.cursors.write(self.listing, position)


def _page_request(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=_MAX_CURSOR)] = None,
) -> PageRequest:
    cursors: Cursors = request.app.state.cursors
    listing = _name_of(request)
    start = None if cursor is None else cursors.read(listing, cursor)
    return PageRequest(limit, start, listing, cursors)


def _name_of(request: Request) -> str:
    """The list that is asked for: its path and its filters, in whatever order they came."""
    filters = [pair for pair in request.query_params.multi_items() if pair[0] not in ("limit", "cursor")]
    return f"{request.url.path}?{urlencode(sorted(filters))}"


def _foreign() -> Invalid:
    violation = Violation("/cursor", "In the query: this cursor was not given by this list.", "cursor")
    return Invalid("The cursor does not belong to this list; begin again without one.", [violation])


PageAsked = Annotated[PageRequest, Depends(_page_request)]
