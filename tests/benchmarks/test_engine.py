"""That what is measured is what is meant; the figures themselves depend on the machine."""

from __future__ import annotations

import pytest

from shared.scenario.linter import lint
from tests.benchmarks.engine import LARGE, SMALL, Cost, compiling, growth, linting, of_size, share


@pytest.mark.parametrize("steps", [SMALL, LARGE])
def test_the_scenarios_that_are_compared_are_sane(steps: int) -> None:
    document = of_size(steps)
    assert len(document["steps"]) == steps
    assert [finding for finding in lint(document) if finding.severity == "error"] == []


def test_every_figure_is_taken_and_told() -> None:
    costs = [share(chats=2, rounds=1), growth(answers=6, rounds=1), compiling(rounds=1), linting(rounds=1)]
    for cost in costs:
        assert cost.figure > 0
        assert "limit" in cost.line()
    assert 0 < costs[0].figure < 1, "advance is a part of its turn"


def test_a_limit_that_is_missed_is_told() -> None:
    assert Cost("x", 2.0, 1.0, "2").line().endswith("MISSED")
    assert Cost("x", 1.0, 1.0, "1").line().endswith("ok")
