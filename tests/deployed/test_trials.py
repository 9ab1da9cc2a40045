"""Scenarios tried out, and dialogs replayed, where Parley is deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from infra.local.running import RunInfo
from shared.dialog.state import dialog_id_of
from tests.deployed.admin import Admin
from tests.deployed.webchat import WebchatPerson

pytestmark = pytest.mark.deployed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scenario_id(admin: Admin, bot_id: str) -> str:
    return str(admin.get(f"/api/bots/{bot_id}")["active_scenario_id"])


def test_scenario_is_simulated(admin: Admin, scenario_id: str) -> None:
    acts = [{"send": "/start"}, {"send": "Иван"}]
    turns = admin.post(f"/api/scenarios/{scenario_id}/simulate", {"acts": acts})["turns"]
    assert [turn["step"] for turn in turns] == ["welcome", "ask_lastname"]
    assert turns[1]["variables"]["first_name"] == "Иван"


def test_tests_of_a_scenario_are_run(admin: Admin, scenario_id: str) -> None:
    report = admin.post(f"/api/scenarios/{scenario_id}/test")
    assert report["passed"]
    assert report["coverage"]["steps"]["missed"] == []


def test_dialog_is_replayed_from_the_command_line(
    bot_id: str, parley: RunInfo, visitor: WebchatPerson, tmp_path: Path
) -> None:
    visitor.start()
    visitor.next()
    visitor.say("Анна")
    visitor.next()
    run_info = tmp_path / ".local" / "run.json"
    run_info.parent.mkdir()
    run_info.write_text(json.dumps(asdict(parley)))
    dialog_id = dialog_id_of(bot_id, "webchat", visitor.chat_id)

    done = subprocess.run(  # noqa: PLW1510 (the code is what is looked at)
        [sys.executable, "-m", "infra.scenario", "replay", dialog_id],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "The replay makes no difference.\n", "")
