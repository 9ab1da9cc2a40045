"""The load test runs, and counts what fails."""

from __future__ import annotations

from dataclasses import replace

from tests.load.worlds import handlers


def test_people_are_answered_and_what_fails_is_counted() -> None:
    with handlers() as running:
        report = running.load(people=3, seconds=4)
        nobody = replace(running, bot_id="00000000-0000-4000-8000-000000000000").load(people=1, seconds=2)
    assert report.failures == 0
    assert report.turns >= 3
    assert (nobody.turns, nobody.failures > 0) == (0, True)
    assert all(used > 0 for used in report.cpu_seconds.values())
