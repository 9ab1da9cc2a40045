"""What a load test has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PERCENTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Report:
    """`stats` are Locust's own, by name, until the last person was answered.

    `cpu_seconds` is what each process has used in the `seconds` that were asked for, `machine` the share of
    all cores that was used then, by whomever.
    """

    stats: Sequence[Mapping[str, Any]]
    seconds: float
    cpu_seconds: Mapping[str, float]
    machine: float

    @property
    def turns(self) -> int:
        return sum(row["num_requests"] - row["num_failures"] for row in self._turns)

    @property
    def failures(self) -> int:
        """Turns that failed; a call that fails is in the turn that made it."""
        return sum(row["num_failures"] for row in self._turns)

    @property
    def turns_a_second(self) -> float:
        """Those answered in time, not those of people who may still end what they have begun."""
        called, failed = (self._in_time(name) for name in ("num_reqs_per_sec", "num_fail_per_sec"))
        return (called - failed) / self.seconds

    @property
    def _turns(self) -> list[Mapping[str, Any]]:
        return [row for row in self.stats if _is_turn(row)]

    def _in_time(self, name: str) -> int:
        """Of turns, by a count for each second: how many there were in the time that was asked for."""
        begun = min((int(second) for row in self.stats for second in row["num_reqs_per_sec"]), default=0)
        counts = (pair for row in self._turns for pair in row[name].items())
        return sum(count for second, count in counts if int(second) < begun + self.seconds)

    @property
    def busiest(self) -> tuple[str, float]:
        """The process that has used most of a core, and how much of it."""
        name = max(self.cpu_seconds, key=lambda name: self.cpu_seconds[name])
        return name, self.cpu_seconds[name] / self.seconds

    def text(self) -> str:
        head = f"{self.turns_a_second:.1f} turns a second, {self.failures} failures\n"
        rows = [_row(row) for row in sorted(self.stats, key=lambda row: (not _is_turn(row), row["name"]))]
        name, share = self.busiest
        cores = ", ".join(f"{name} {used / self.seconds:.0%}" for name, used in self.cpu_seconds.items())
        tail = f"of a core: {cores}\nwhat limits: {_limit(name, share, self.machine)}\n"
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


def _limit(name: str, share: float, machine: float) -> str:
    if share >= _BUSY:
        return f"{name}, which has used {share:.0%} of a core"
    if machine >= _BUSY:
        return f"this machine, whose cores were busy for {machine:.0%} of the time"
    return f"nothing here: the busiest, {name}, has used {share:.0%} of a core, and people think meanwhile"
