"""What a load test has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PERCENTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Report:
    """`stats` are Locust's own, by name; `cpu_seconds` what each process has used while it ran."""

    stats: Sequence[Mapping[str, Any]]
    seconds: float
    cpu_seconds: Mapping[str, float]

    @property
    def turns(self) -> int:
        return sum(row["num_requests"] - row["num_failures"] for row in self.stats if _is_turn(row))

    @property
    def failures(self) -> int:
        return sum(row["num_failures"] for row in self.stats)

    @property
    def busiest(self) -> tuple[str, float]:
        """The process that has used most of a core, and how much of it."""
        name = max(self.cpu_seconds, key=lambda name: self.cpu_seconds[name])
        return name, self.cpu_seconds[name] / self.seconds

    def text(self) -> str:
        head = f"{self.turns / self.seconds:.1f} turns a second, {self.failures} failures\n"
        rows = [_row(row) for row in sorted(self.stats, key=lambda row: (not _is_turn(row), row["name"]))]
        name, share = self.busiest
        cores = ", ".join(f"{name} {used / self.seconds:.0%}" for name, used in self.cpu_seconds.items())
        tail = f"of a core: {cores}\nwhat limits: {_limit(name, share)}\n"
        return head + f"{'':14}{'calls':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}\n" + "".join(rows) + tail


def percentile(response_times: Mapping[str, int], share: float) -> float:
    """Of a histogram: how often each time, in milliseconds, was met."""
    total = sum(response_times.values())
    passed = 0
    for time, times in sorted((float(time), times) for time, times in response_times.items()):
        passed += times
        if passed >= share * total:
            return time
    return 0.0


def _row(row: Mapping[str, Any]) -> str:
    times = "".join(f"{percentile(row['response_times'], share):>9.0f}" for share in PERCENTILES)
    name = f"{'turn: ' if _is_turn(row) else ''}{row['name']}"
    return f"{name:14}{row['num_requests']:>8}{times}\n"


def _is_turn(row: Mapping[str, Any]) -> bool:
    return bool(row["method"] == "turn")


_BUSY = 0.8


def _limit(name: str, share: float) -> str:
    if share < _BUSY:
        return (
            f"nothing here: the busiest, {name}, has used {share:.0%} of a core, and people think meanwhile"
        )
    return f"{name}, which has used {share:.0%} of a core"
