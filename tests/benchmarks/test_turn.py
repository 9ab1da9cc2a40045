from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.bodies import converse, written
from tests.benchmarks.files import ONBOARDING, ROOT, Unusable, ending_well, read_bodies, read_scenario
from tests.benchmarks.pipeline import Pipeline
from tests.benchmarks.turn import main, run

CHATS = 8  # by 4 positions and 2 citizenships: every button is chosen
ANSWERS = 6  # /start, two names, the position, the project, the citizenship


def bodies_of(platform: str, *, press: bool) -> list[bytes]:
    deeds = converse(platform, read_scenario(ONBOARDING), CHATS, press=press)
    return [written(platform, deed) for deed in deeds]


def program(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("press", [False, True], ids=["typed", "pressed"])
@pytest.mark.parametrize("platform", ["telegram", "whatsapp", "viber"])
def test_every_chat_gets_from_the_start_to_the_summary(platform: str, *, press: bool) -> None:
    bodies = bodies_of(platform, press=press)
    pipeline = Pipeline(platform, read_scenario(ONBOARDING))
    result = run(pipeline, bodies)
    assert result.turns == CHATS * ANSWERS
    assert result.messages == CHATS * (ANSWERS + 1), "the last answer is followed by two messages"
    assert sum(said.text.startswith("Thank you") for said in pipeline.said) == CHATS
    assert result.last_text == pipeline.said[-1].text
    assert result.cpu_us_per_turn > 0
    assert pipeline.sent_bytes > 0


def test_a_file_of_bodies_gives_one_line_of_json(tmp_path: Path) -> None:
    written_by_program = program("bodies", "--scenario", ONBOARDING, "--chats", "2", "--press")
    bodies = tmp_path / "bodies.jsonl"
    bodies.write_text(written_by_program.stdout, "utf-8")
    ran = program("turn", "--platform", "telegram", "--scenario", ONBOARDING, "--bodies", bodies)
    result: dict[str, Any] = json.loads(ran.stdout)
    assert ran.stdout.count("\n") == 1
    assert result.keys() == {"turns", "cpu_us_per_turn", "messages", "last_text"}
    assert result["turns"] == 2 * ANSWERS


def test_a_profile_is_kept_apart_from_the_result(tmp_path: Path) -> None:
    bodies = tmp_path / "bodies.jsonl"
    bodies.write_bytes(b"\n".join(bodies_of("telegram", press=False)))
    ran = program("turn", "--scenario", ONBOARDING, "--bodies", bodies, "--profile")
    assert json.loads(ran.stdout)["turns"] == CHATS * ANSWERS
    assert "Ordered by: internal time" in ran.stderr
    assert "/shared/dialog/" in ran.stderr, "the turn's own code, whichever of it was slowest"


@pytest.mark.parametrize(
    ("scenario", "bodies", "complaint"),
    [
        (None, b"{}", "absent.json cannot be read: No such file or directory"),
        (b"{", b"{}", "scenario.json is not JSON"),
        (b"[]", b"{}", "scenario.json is not a scenario"),
        (b'{"version": "1", "steps": []}', b"{}", "scenario.json is not a scenario: /steps"),
        (ONBOARDING.read_bytes(), b"\n \n", "bodies.jsonl holds no bodies"),
        (ONBOARDING.read_bytes(), b'{"update_id": 1}\nnonsense\n', "body 2 cannot be taken: NotJson"),
        (ONBOARDING.read_bytes(), b"\xff", "body 1 cannot be taken: NotJson"),
    ],
    ids=["no file", "no JSON", "no object", "no steps", "no bodies", "a line of no JSON", "no UTF-8"],
)
def test_what_cannot_be_used_is_told_in_one_sentence(
    scenario: bytes | None, bodies: bytes, complaint: str, tmp_path: Path
) -> None:
    scenario_path = tmp_path / ("absent.json" if scenario is None else "scenario.json")
    if scenario is not None:
        scenario_path.write_bytes(scenario)
    bodies_path = tmp_path / "bodies.jsonl"
    bodies_path.write_bytes(bodies)
    arguments = ["--scenario", str(scenario_path), "--bodies", str(bodies_path)]
    with pytest.raises(SystemExit) as ended:
        ending_well(partial(main, arguments))
    said = str(ended.value.code)
    assert said.startswith("error: ")
    assert complaint in said
    assert "\n" not in said


def test_a_failure_is_told_by_the_exit_status_too() -> None:
    ran = program("turn", "--scenario", "absent.json", "--bodies", "absent.jsonl")
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr == "error: absent.json cannot be read: No such file or directory\n"


def test_a_scenario_without_an_end_is_refused() -> None:
    circle: dict[str, Any] = {
        "steps": [
            {
                "id": "again",
                "message": {"text": "And?"},
                "expected_input": {"type": "text", "variable": "x"},
                "next_step": "again",
            }
        ]
    }
    with pytest.raises(Unusable, match="does not end after"):
        list(converse("telegram", circle, 1, press=False))


def test_bodies_are_split_at_line_feeds_only(tmp_path: Path) -> None:
    path = tmp_path / "bodies.jsonl"
    path.write_bytes('{"text": "a\u2028b"}\n\n{"text": "c"}'.encode())
    assert read_bodies(path) == ['{"text": "a\u2028b"}'.encode(), b'{"text": "c"}']
