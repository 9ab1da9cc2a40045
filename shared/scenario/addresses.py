"""What may stand in an address."""

from __future__ import annotations

from urllib.parse import quote


def in_address(value: str, before: str) -> str:
    """A value within an address; one that would lead to another folder is left out of its path."""
    is_dots = value in (".", "..") and "?" not in before and "#" not in before
    return "" if is_dots else quote(value, safe="")
