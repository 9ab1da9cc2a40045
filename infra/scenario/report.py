"""The report on a scenario's tests, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.simulation.coverage import Coverage, Share
from shared.simulation.testing import Report, Result

MAX_MISSED = 20
"""Steps and branches that are named; of more it is said how many."""


def lines_of(document: Mapping[str, Any], report: Report) -> Iterator[str]:
    """What became of each test, and what they covered together."""
    if not report.results:
        yield "  there are no tests"
        return
    for test, result in zip(document["tests"], report.results, strict=True):
        yield from _lines_of_test(test, result)
    yield from _lines_of_coverage(report.coverage)


def _lines_of_test(test: Mapping[str, Any], result: Result) -> Iterator[str]:
    if result.failure is None:
        yield f"  ✓ {result.name}"
        return
    turn = test["turns"][result.failure.turn] if test["turns"] else {}
    yield f"  ✗ {result.name}"
    yield f"      turn {result.failure.turn + 1}, {msgspec.json.encode(turn).decode()}:"
    yield f"      {result.failure.message}"


def _lines_of_coverage(coverage: Coverage) -> Iterator[str]:
    yield f"  covered: steps {_share(coverage.steps)}, branches {_share(coverage.branches)}"
    branches = (f"{branch.step_id or 'scenario'} → {branch.way}" for branch in coverage.missed_branches)
    missed = [*coverage.missed_steps, *branches]
    if missed:
        others = f", and {len(missed) - MAX_MISSED} more" if len(missed) > MAX_MISSED else ""
        yield f"  not covered: {', '.join(missed[:MAX_MISSED])}{others}"


def _share(share: Share) -> str:
    percent = f" ({share.covered * 100 // share.total} %)" if share.total else ""
    return f"{share.covered} of {share.total}{percent}"
