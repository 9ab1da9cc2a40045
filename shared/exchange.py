"""A request over HTTP and its answer, whoever carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
