"""What every kind of main system has in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.backend.sync.mapping import Row
from shared.backend.sync.runs import Run
from shared.errors import ParleyError


@dataclass(frozen=True, slots=True)
class Delivery:
    """A run with the row that is to be put, and the seconds that this may take."""

    run: Run
    row: Row
    seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up run, to try a sink with; `row` has those of the columns whose variables have known types."""

    run: Run
    columns: Collection[str]
    row: Row
    seconds: float


class MainSystem(Protocol):
    """Takes rows. Put again, the same row changes nothing."""

    def put(self, delivery: Delivery) -> None:
        """Raises `RowRefused`, `Unreachable`."""
        ...

    def problems(self, sample: Sample) -> Sequence[str]:
        """Why rows would not arrive, for people, as far as it can be told without leaving one there.

        Raises `Unreachable`.
        """
        ...


class RowRefused(ParleyError):
    """The main system takes the row not as it is, and never will; `reasons` are for people.

    No reason quotes a value of the row.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class Unreachable(ParleyError):
    """The main system is down, does not let us in, or has no time; says why, for people.

    `after_seconds` is how long it asks to be left alone, where it does.
    """

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
