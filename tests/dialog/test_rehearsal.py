from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from shared.dialog.rehearsal import TookTooLong, ends_within, watched, within


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


def spin() -> None:
    while True:
        pass


def stubborn() -> None:
    """As the expression library takes what its functions raise."""
    for _ in range(2):
        with suppress(TookTooLong):
            spin()
    spin()


def test_a_step_is_made_as_long_as_it_is_over_in_time() -> None:
    with watched(0.01):
        assert within(30, lambda: "done") == "done"
        with pytest.raises(ValueError, match="a secret"):
            within(30, fail)
        assert within(0.05, lambda: "done") == "done"
        time.sleep(0.1)  # between two steps nothing is broken off
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def deaf() -> None:
    with suppress(TookTooLong):
        spin()


@pytest.mark.parametrize("step", [spin, stubborn, deaf])
def test_a_step_that_goes_on_is_broken_off(step: Callable[[], None]) -> None:
    with watched(0.01):
        for _ in range(2):
            with pytest.raises(TookTooLong):
                within(0.05, step)
        time.sleep(0.1)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_step_in_a_thread_beside_is_made_without_a_time() -> None:
    made: list[str] = []
    beside = threading.Thread(target=lambda: made.append(watched_slowly()))
    with watched(0.01):
        beside.start()
        beside.join()
    assert made == ["done"]


def watched_slowly() -> str:
    with watched(0.01):
        return within(0.02, slowly)


def test_a_step_that_nobody_watches_takes_its_time() -> None:
    assert within(0.02, slowly) == "done"


def slowly() -> str:
    time.sleep(0.05)
    return "done"
