"""The shipped examples are without findings, and talk as their transcripts say."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shared.scenario.document import read
from shared.scenario.linter import lint
from tests.scenario.documents import COMPLETED
from tests.scenario.transcript import play

EXAMPLES = Path(__file__).parents[2] / "infra" / "examples"
SCENARIOS = sorted(EXAMPLES.glob("*.json"))
TRANSCRIPTS = sorted(EXAMPLES.glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_a_shipped_scenario_has_no_findings(path: Path) -> None:
    document = msgspec.json.decode(path.read_bytes())
    read(document)
    assert lint(document) == ()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_a_shipped_scenario_has_transcripts(path: Path) -> None:
    assert [each for each in TRANSCRIPTS if each.name.startswith(path.stem)]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.name)
def test_a_conversation_goes_as_its_transcript_says(path: Path) -> None:
    scenario = EXAMPLES / f"{path.name.partition('.')[0]}.json"
    play(msgspec.json.decode(scenario.read_bytes()), path.read_text(encoding="utf-8"))


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


def test_a_transcript_that_differs_is_refused() -> None:
    with pytest.raises(AssertionError):
        play(COMPLETED, "> hello\n< Goodbye!")
