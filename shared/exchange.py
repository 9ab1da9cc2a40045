"""A request over HTTP and its answer, and whoever carries them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

LONGEST_WAIT_SECONDS = 24 * 3600.0
"""Nobody is believed who asks for more."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. What it says is nobody's to print."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""

    def __repr__(self) -> str:
        return f"Ask({self.method})"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its whole body; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    """Who carries requests: the guarded client where a tenant names the address."""

    def request(
        self, ask: Ask, *, timeout_seconds: float, most_bytes: int, most_redirects: int = ...
    ) -> Reply:
        """Raises `NotAnswered`, and what else the client does."""
        ...


def wait_named(value: object) -> float | None:
    """The seconds to wait that somebody names, as `Retry-After` or in a body; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_WAIT_SECONDS) if seconds >= 0 and math.isfinite(seconds) else None
