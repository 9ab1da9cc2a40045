"""The shipped examples are what a scenario should be: without findings, and tested nearly everywhere."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared.scenario.document import read
from shared.scenario.linter import lint
from shared.simulation.testing import run_tests
from tests.scenario.documents import COMPLETED
from tests.scenario.test_readme import SCHEMA
from tests.scenario.transcript import play

EXAMPLES = Path(__file__).parents[2] / "infra" / "examples"
SCENARIOS = sorted(EXAMPLES.glob("*.json"))


def test_there_are_ten() -> None:
    assert [path.stem for path in SCENARIOS] == [
        "faq", "feedback", "helpdesk", "newcomer", "onboarding",
        "order", "quiz", "restaurant", "staff", "survey",
    ]  # fmt: skip


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_a_shipped_scenario_has_no_findings(path: Path) -> None:
    document = msgspec.json.decode(path.read_bytes())
    read(document)
    assert lint(document) == ()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_an_editor_has_nothing_against_a_shipped_scenario(path: Path) -> None:
    assert list(SCHEMA.iter_errors(msgspec.json.decode(path.read_bytes()))) == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_a_shipped_scenario_passes_its_own_tests(path: Path) -> None:
    report = run_tests(msgspec.json.decode(path.read_bytes()))
    assert [result for result in report.results if result.failure] == []
    assert report.results


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_its_tests_go_every_way(path: Path) -> None:
    coverage = run_tests(msgspec.json.decode(path.read_bytes())).coverage
    assert coverage.missed_steps == ()
    assert coverage.missed_branches == ()


def test_the_mission_example_runs_once_it_is_completed() -> None:
    play(
        COMPLETED,
        """
> hello
< Hello! What's your name?
> Ann
< Please enter your last name
> Lee
< What's your position in the company?
  [Food Guide] [Cook]
> [Food Guide]
< Which project?
= position: "food-guide"
> North
< Your citizenship?
  [РФ] [СНГ]
> рф
< Bring your passport, Ann Lee.
= ended: completed
""",
    )


@pytest.mark.parametrize(
    "transcript",
    [
        "> hello\n< Goodbye!",
        '> hello\n< Hello! What\'s your name?\n= first_name: "Ann"',
        "> hello\n< Hello! What's your name?\n= ended: completed",
        "> hello\n< Hello! What's your name?\n= status: busy",
    ],
)
def test_a_transcript_that_differs_is_refused(transcript: str) -> None:
    with pytest.raises(AssertionError):
        play(COMPLETED, transcript)
