from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.benchmarks.cloud import cloud
from tests.benchmarks.cold_start import (
    ONE_CLIENT,
    Cost,
    Lambda,
    lambdas_of,
    report,
    start_cold,
    verdicts,
)
from tests.benchmarks.files import ROOT, Unusable
from tests.benchmarks.invocations import has_succeeded

LAMBDAS = lambdas_of((ROOT / "template.yaml").read_text("utf-8"))
WEBHOOK = Lambda("Webhook", "functions.webhooks.telegram.handler")
WORKER = Lambda("Worker", "functions.workers.dialog.handler")
ADMIN = Lambda("Admin", "functions.admin.bots.handler")


@pytest.fixture(scope="module")
def variables() -> Iterator[Mapping[str, str]]:
    with cloud() as (variables, _):
        yield variables


@pytest.mark.parametrize("it", [ONE_CLIENT, *LAMBDAS], ids=lambda it: it.name)
def test_every_lambda_does_its_first_work_with_the_variables_it_is_given(
    it: Lambda, variables: Mapping[str, str]
) -> None:
    cost, _ = start_cold(it, 1, variables)
    assert cost.cpu_ms > 0
    assert cost.wall_ms > 0
    assert cost.peak_mb > 10


def test_a_lambda_that_breaks_is_told(variables: Mapping[str, str]) -> None:
    without_tables = Lambda("Broken", WORKER.module, frozenset({"INBOUND_QUEUE_URL"}))
    with pytest.raises(Unusable, match=r"Broken broke: .*INBOUND_DLQ_URL is not set"):
        start_cold(without_tables, 2, variables)


def test_a_lambda_that_refuses_is_told(variables: Mapping[str, str]) -> None:
    telegram = next(it for it in LAMBDAS if it.name == "TelegramWebhook")
    with pytest.raises(Unusable, match=r"TelegramWebhook did not succeed: .*'statusCode': 503"):
        start_cold(telegram, 3, {**variables, "CREDENTIALS_TABLE": "absent"})


def test_a_lambda_without_an_event_is_told() -> None:
    template = """
        Globals: {Function: {Environment: {Variables: {}}}}
        Resources:
          Newcomer:
            Type: AWS::Serverless::Function
            Properties:
              Handler: functions.workers.newcomer.handler.lambda_handler
              Environment: {Variables: {}}
    """
    with pytest.raises(Unusable, match="Newcomer is new"):
        lambdas_of(template)


@pytest.mark.parametrize(
    ("answer", "succeeded"),
    [
        ({"statusCode": 200, "body": ""}, True),
        ({"statusCode": 401}, False),
        ({"statusCode": 503}, False),
        ({"batchItemFailures": []}, True),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, False),
        (None, False),
    ],
)
def test_only_an_answer_that_says_so_is_a_success(answer: Any, *, succeeded: bool) -> None:
    assert has_succeeded(answer) is succeeded


@pytest.mark.parametrize(
    ("it", "cost", "missed"),
    [
        (WEBHOOK, Cost(150, 1, 100), []),
        (WEBHOOK, Cost(151, 1, 100), ["ratio over 1.5"]),
        (WEBHOOK, Cost(100, 1, 101), ["memory over 100 MB"]),
        (WORKER, Cost(200, 1, 140), []),
        (WORKER, Cost(201, 1, 141), ["ratio over 2.0", "memory over 140 MB"]),
        (ADMIN, Cost(900, 1, 180), []),
        (ADMIN, Cost(900, 1, 181), ["memory over 180 MB"]),
    ],
)
def test_each_kind_has_its_limits(it: Lambda, cost: Cost, missed: list[str]) -> None:
    least, row = verdicts({ONE_CLIENT: Cost(100, 1, 40), it: cost})
    assert least["missed"] == []
    assert row["missed"] == missed


@pytest.mark.parametrize(
    ("missed", "artifact_mb", "is_kept"),
    [([], None, True), ([], 150, True), ([], 150.1, False), (["ratio over 1.5"], None, False)],
)
def test_a_missed_limit_fails_the_benchmark(
    missed: list[str], artifact_mb: float | None, capsys: pytest.CaptureFixture[str], *, is_kept: bool
) -> None:
    row = {"name": "x", "cpu_ms": 1.0, "wall_ms": 1.0, "peak_mb": 1.0, "ratio": 1.0, "missed": missed}
    assert report([row], artifact_mb) is is_kept
    last_line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last_line == {"cold_starts": [row], "artifact_mb": artifact_mb}
