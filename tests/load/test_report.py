"""What is told of a load test is what Locust and the processes have measured."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.report import Report, percentile


def row(name: str, method: str, times: dict[str, int], failures: int = 0) -> dict[str, Any]:
    total = sum(times.values())
    return {
        "name": name,
        "method": method,
        "num_requests": total,
        "num_failures": failures,
        "response_times": times,
    }


STATS = [row("say", "POST", {"5": 12}), row("answer", "turn", {"100": 9, "900": 1}, failures=2)]


@pytest.mark.parametrize(
    ("share", "milliseconds"),
    [pytest.param(0.5, 100, id="half"), pytest.param(0.9, 100, id="nine of ten"), (0.95, 900), (1.0, 900)],
)
def test_a_percentile_is_a_time_that_was_met(share: float, milliseconds: float) -> None:
    assert percentile({"900": 1, "100": 9}, share) == milliseconds


def test_only_turns_that_were_answered_count() -> None:
    report = Report(STATS, seconds=4, cpu_seconds={"store": 1})
    assert (report.turns, report.failures) == (8, 2)
    assert report.text().startswith("2.0 turns a second, 2 failures")


@pytest.mark.parametrize(
    ("used", "told"),
    [
        pytest.param(
            {"store": 3.6, "dialog": 1.0}, "what limits: store, which has used 90% of a core", id="store"
        ),
        pytest.param({"store": 1.0, "dialog": 2.0}, "nothing here: the busiest, dialog", id="nothing"),
    ],
)
def test_it_names_what_limits(used: dict[str, float], told: str) -> None:
    assert told in Report(STATS, seconds=4, cpu_seconds=used).text()
