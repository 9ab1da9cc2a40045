"""What may stand in an address."""

from __future__ import annotations

from urllib.parse import quote


def in_address(value: str, before: str) -> str:
    """A value within an address; one that would lead to another folder is left out of its path."""
    is_dots = value in (".", "..") and "?" not in before and "#" not in before
    return "" if is_dots else quote(value, safe="")


def in_called_address(value: str, before: str) -> str:
    """As in any address, but a value in the host's name is no more than a part of it between two dots.

    Or who is called, with the step's secrets, would be for whoever has written the value.
    """
    written = in_address(value, before)
    host = before.partition("://")[2]
    return written if any(end in host for end in "/?#") else written.replace(".", "%2E")
