from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from shared.errors import NotFound
from shared.observability import JsonLine, count, describe


def test_a_count_is_one_line_of_embedded_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    count("ignored_updates", platform="viber", bot_id="b-1")

    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    (directive,) = told["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Parley",
        "Dimensions": [[]],
        "Metrics": [{"Name": "ignored_updates", "Unit": "Count"}],
    }
    assert told["_aws"]["Timestamp"] > 1_600_000_000_000
    assert (told["ignored_updates"], told["platform"], told["bot_id"]) == (1, "viber", "b-1")


def test_a_foreign_error_is_told_without_its_text() -> None:
    try:
        int("my password")
    except ValueError as error:
        described = describe(error)

    assert described["error"] == "ValueError"
    assert "test_observability.py" in described["at"]
    assert "my password" not in str(described)


def test_an_error_of_ours_is_told_with_its_text() -> None:
    described = describe(NotFound("bot"))

    assert described == {"error": "NotFound", "at": "unknown", "says": "bot not found"}


@pytest.mark.parametrize("name", ["httpx", "httpcore", "botocore", "urllib3", "mangum"])
def test_libraries_that_would_log_addresses_are_quiet(name: str) -> None:
    assert logging.getLogger(name).getEffectiveLevel() == logging.WARNING


def test_the_log_level_is_the_deployments() -> None:
    program = "import shared.observability, logging; print(logging.getLogger('shared.x').getEffectiveLevel())"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert int(run.stdout) == logging.ERROR


def test_a_line_has_what_is_passed_as_extra_as_fields() -> None:
    record = logging.makeLogRecord(
        {
            "name": "shared.webhook",
            "levelname": "INFO",
            "msg": "%s taken in",
            "args": ("event",),
            "bot_id": "b",
        }
    )
    line = json.loads(JsonLine().format(record))
    assert (line["message"], line["level"], line["logger"], line["bot_id"]) == (
        "event taken in",
        "INFO",
        "shared.webhook",
        "b",
    )
    assert "args" not in line


def test_logs_are_written_where_the_runtime_has_no_handler() -> None:
    program = (
        "import logging, shared.observability; logging.getLogger('shared.x').info('here', extra={'a': 1})"
    )
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "f"}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stderr)["a"] == 1
