"""When a removal has to break off, for another invocation to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

SECONDS_NEEDED = 25.0
"""Time that the longest step may take: a messenger is called."""


class OutOfTime(Exception):
    """There is more to do."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """`seconds_left` is what remains to this invocation."""

    seconds_left: Callable[[], float]

    def require(self) -> None:
        """Raises `OutOfTime` where another step may not come to its end."""
        if self.seconds_left() < SECONDS_NEEDED:
            raise OutOfTime

    def run(self, steps: Iterable[None]) -> None:
        """Take the steps, as long as there is time. Raises `OutOfTime`."""
        for _ in steps:
            self.require()
