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
    def late() -> None:
        time.sleep(0.5)
        (tmp_path / "late").touch()

    before = time.monotonic()
    assert not ends_within(0.1, late)
    assert time.monotonic() - before < 0.4
    time.sleep(0.6)
    assert not (tmp_path / "late").exists()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_step_in_another_process_changes_nothing_here() -> None:
    changed: list[int] = []
    assert ends_within(30, lambda: changed.append(1))
    assert changed == []
