"""What is told of a load test is what Locust and the processes have measured."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.report import Report, percentile


def row(
    name: str,
    method: str,
    times: dict[str, int],
    seconds: dict[str, int],
    failed: dict[str, int] | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "method": method,
        "num_requests": sum(times.values()),
        "num_failures": sum((failed or {}).values()),
        "num_reqs_per_sec": seconds,
        "num_fail_per_sec": failed or {},
        "response_times": times,
    }


STATS = [
    row("say", "POST", {"5": 12}, {"50": 8, "53": 4}, {"51": 1}),
    row("answer", "turn", {"100": 9, "900": 1}, {"51": 4, "53": 4, "54": 2}, {"51": 1, "60": 1}),
]


@pytest.mark.parametrize(
    ("share", "milliseconds"),
    [pytest.param(0.5, 100, id="half"), pytest.param(0.9, 100, id="nine of ten"), (0.95, 900), (1.0, 900)],
)
def test_a_percentile_is_a_time_that_was_met(share: float, milliseconds: float) -> None:
    assert percentile({"900": 1, "100": 9}, share) == milliseconds


def test_only_turns_that_were_answered_count() -> None:
    report = Report(STATS, seconds=10, cpu_seconds={"store": 1}, machine=0.1)
    assert (report.turns, report.failures) == (8, 2)


def test_turns_that_people_end_after_the_time_are_not_of_it() -> None:
    report = Report(STATS, seconds=4, cpu_seconds={"store": 1}, machine=0.1)
    assert report.turns_a_second == (4 + 4 - 1) / 4
    assert report.text().startswith("1.8 turns a second, 2 failures")


@pytest.mark.parametrize(
    ("used", "machine", "told"),
    [
        pytest.param(
            {"store": 3.6, "dialog": 1.0}, 0.9, "limits: store, which has used 90% of a core", id="one"
        ),
        pytest.param({"store": 1.0, "dialog": 2.0}, 0.5, "nothing here: the busiest, dialog", id="nothing"),
        pytest.param({"store": 1.0, "dialog": 2.0}, 0.9, "this machine, whose cores were busy", id="machine"),
    ],
)
def test_it_names_what_limits(used: dict[str, float], machine: float, told: str) -> None:
    assert told in Report(STATS, seconds=4, cpu_seconds=used, machine=machine).text()


def test_a_run_in_which_nobody_came_is_told_too() -> None:
    assert Report([], seconds=4, cpu_seconds={"store": 1}, machine=0.1).text().startswith("0.0 turns")
