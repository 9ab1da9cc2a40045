"""Results of tasks: the first that is kept stands, over DynamoDB as in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.storage.memory import MemoryTaskResults
from shared.storage.tables import Cache
from shared.storage.task_results import KEPT, DynamoTaskResults
from shared.tasks.results import TaskResult, TaskResults

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WARM = TaskResult(NOON, {"text": "warm", "usage": {"model": "m", "prompt_tokens": 7}})
FAILED = TaskResult(NOON + timedelta(minutes=1), error="The model does not answer.")


@pytest.fixture(params=["dynamodb", "memory"])
def results(request: pytest.FixtureRequest) -> TaskResults:
    if request.param == "memory":
        return MemoryTaskResults()
    request.getfixturevalue("aws_account")
    return DynamoTaskResults(lambda: NOON)


@pytest.mark.parametrize("result", [WARM, FAILED, TaskResult(NOON)])
def test_what_is_kept_is_found_as_it_was(results: TaskResults, result: TaskResult) -> None:
    assert results.keep("d:e:1", result) == result
    assert results.find("d:e:1") == result


def test_the_first_that_is_kept_stands(results: TaskResults) -> None:
    results.keep("d:e:1", WARM)
    assert results.keep("d:e:1", FAILED) == WARM
    assert results.find("d:e:1") == WARM


def test_tasks_have_results_of_their_own(results: TaskResults) -> None:
    results.keep("d:e:1", WARM)
    assert results.find("d:e:2") is None
    assert results.find("d:f:1") is None


@pytest.mark.usefixtures("aws_account")
def test_a_dialog_s_results_go_with_it_and_no_others() -> None:
    results = DynamoTaskResults(lambda: NOON)
    for task_id in ("d:e:1", "d:e:120", "d:e:121", "d:f:120", "dd:e:120"):
        results.keep(task_id, WARM)
    assert len(list(results.remove("d", "e", 120))) == 4, "25 in a call, of the last hundred"
    assert results.find("d:e:120") is None
    assert all(map(results.find, ("d:e:1", "d:e:121", "d:f:120", "dd:e:120")))


@pytest.mark.usefixtures("aws_account")
def test_a_result_is_kept_for_a_day() -> None:
    DynamoTaskResults(lambda: NOON).keep("d:e:1", WARM)
    assert Cache.get("task#d:e:1").expires_at == NOON + KEPT == NOON + timedelta(days=1)
