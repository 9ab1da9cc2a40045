"""The sender's throughput is measured as its handler works."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from tests.benchmarks import sender


def test_a_run_tells_what_was_delivered() -> None:
    throughput = sender.measure(2)
    assert throughput.messages == 20
    assert 0 < throughput.share <= 1


@pytest.mark.parametrize(("share", "missed"), [(0.8, False), (0.79, True)])
def test_a_missed_limit_fails_the_benchmark(
    share: float, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, missed: bool
) -> None:
    monkeypatch.setattr(sender, "measure", lambda _: sender.Throughput(10, 1.0, share))
    if missed:
        with pytest.raises(SystemExit):
            sender.main([])
    else:
        sender.main([])
    assert json.loads(capsys.readouterr().out.splitlines()[0])["share"] == share


@pytest.mark.usefixtures("aws_account")
def test_it_has_as_many_threads_as_the_handler() -> None:
    assert import_module("functions.workers.sender.handler").THREADS == sender.THREADS
