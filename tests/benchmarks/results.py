"""How a run of a conversation is measured, and what it prints."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(slots=True)
class Clock:
    """CPU time, in seconds: that of this process, both user and system."""

    seconds: float = 0.0


@contextmanager
def cpu_clock() -> Iterator[Clock]:
    """Take the CPU time of what follows.

    What was imported and set up before is put out of the garbage collector's sight: looking through it
    once costs as much as a hundred turns, and whether that happens is chance.
    """
    clock = Clock()
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    yield clock
    clock.seconds = time.process_time() - begun
    gc.unfreeze()


@dataclass(frozen=True, slots=True)
class Result:
    """One run: how many bodies, the CPU time they took, and what was said to them."""

    turns: int
    cpu_us_per_turn: float
    messages: int
    last_text: str

    @classmethod
    def of(cls, turns: int, cpu_seconds: float, messages: int, last_text: str) -> Self:
        return cls(turns, round(cpu_seconds / turns * 1e6, 2), messages, last_text)

    @classmethod
    def read(cls, line: str) -> Self:
        return cls(**json.loads(line))

    def line(self) -> str:
        """One line of JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, ensure_ascii=False)
