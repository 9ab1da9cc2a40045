from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.dialog.rehearsal import ends_within


def fail() -> None:
    raise ValueError("a secret")


@pytest.mark.parametrize("step", [lambda: None, fail, lambda: os._exit(3)], ids=["well", "fault", "exit"])
def test_a_step_that_is_over_in_time_ends_however_it_ends(
    step: Callable[[], object], capfd: pytest.CaptureFixture[str]
) -> None:
    assert ends_within(30, step)
    assert capfd.readouterr() == ("", "")


def test_a_step_that_is_not_is_stopped_and_nothing_of_it_stays(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def endless() -> None:
        pid.write_text(str(os.getpid()))
        time.sleep(3600)

    assert not ends_within(1, endless)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_step_in_another_process_changes_nothing_here() -> None:
    changed: list[int] = []
    assert ends_within(30, lambda: changed.append(1))
    assert changed == []
