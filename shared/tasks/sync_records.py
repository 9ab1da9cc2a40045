"""What is remembered of runs on their way to a main system: which were refused, how far each row has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from shared.queueing.envelopes import TaskEnvelope

Turn = Literal["ours", "late", "taken"]
"""Of a row: it is ours to put, or a later one is there already, or somebody is putting one just now."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that the main system did not take, and why, for people. What was collected is kept apart."""

    id: str
    bot_id: str
    dialog_id: str
    platform: str
    run: int
    status: str
    reasons: tuple[str, ...]
    refused_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Refusals(Protocol):
    """Refused runs of bots, each once, however often it is refused."""

    def put(self, refusal: Refusal, work: TaskEnvelope) -> None:
        """Keep it, in the place of an earlier refusal of the same run."""
        ...

    def before(self, bot_id: str, moment: datetime) -> Iterator[Refusal]:
        """Those of the bot that were refused before the moment, the oldest runs first."""
        ...

    def work_of(self, refusal: Refusal) -> TaskEnvelope | None:
        """What was to be done; None if it is there no more."""
        ...

    def delete(self, refusal: Refusal) -> None:
        """Forget it: the run has arrived."""
        ...


class Marks(Protocol):
    """How far rows have come, so that an older one never takes the place of a newer.

    A `place` is where rows take the place of one another, a `serial` tells which of two is the later.
    """

    def begin(self, place: str, serial: int, seconds: float) -> Turn:
        """Ask for one's turn, which lasts for so long at most."""
        ...

    def end(self, place: str, serial: int, *, is_put: bool) -> None:
        """Leave the place to the next, and tell whether the row is there."""
        ...
