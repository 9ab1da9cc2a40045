"""A lease: one of many may do a thing at a time, for a while; if it dies, the while ends by itself."""

from __future__ import annotations

from typing import Protocol


class Leases(Protocol):
    """Leases by name, known to all processes at once."""

    def take(self, name: str, owner: str, seconds: float) -> bool:
        """Whether the owner has it from now on, for so long: it was free, out of date, or theirs already."""
        ...

    def release(self, name: str, owner: str) -> None:
        """Let others take it; nothing, if it is not the owner's any more."""
        ...


def lease_of_file(media_id: str, platform: str, account: str) -> str:
    """Names the lease under which a messenger is given a file, for one account."""
    return f"{platform}#{account}#{media_id}"
