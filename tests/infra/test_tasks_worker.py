"""What the template owes the tasks worker."""

from __future__ import annotations

from shared.media.fetching import LONGEST_WAIT_SECONDS, MAX_BYTES, STORING_SECONDS, TRIES
from shared.queueing.backoff import backoff_seconds
from tests.infra.template import Template

BYTES_A_SECOND = 1_000_000
"""A slow messenger's."""


def test_a_file_that_is_asked_for_again_and_again_is_no_alarm(template: Template) -> None:
    waits = (backoff_seconds(n, lambda: 1.0, longest=LONGEST_WAIT_SECONDS) for n in range(1, TRIES))
    assert template.properties("TasksAgeAlarm")["Threshold"] > sum(waits) + 300


def test_the_largest_file_comes_in_within_one_try(template: Template) -> None:
    timeout = template.functions["TasksWorker"]["Timeout"]
    assert timeout > MAX_BYTES / BYTES_A_SECOND + STORING_SECONDS
