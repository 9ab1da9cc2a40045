"""What Parley tells about itself: JSON log lines and counters, both by way of standard output.

Neither may hold the text of a message or a secret: name ids, kinds and numbers only.
"""

from __future__ import annotations

import logging
import os
import time
import traceback
from typing import Final

import msgspec

from shared.errors import ParleyError

NAMESPACE: Final = "Parley"

logger: Final = logging.getLogger("parley")
"""Lambda's JSON log format writes what is passed as `extra` as fields of the line."""

for _name in ("parley", "shared", "functions"):
    logging.getLogger(_name).setLevel(os.environ.get("LOG_LEVEL") or "INFO")
for _name in ("httpx", "httpcore", "openai", "botocore", "urllib3", "mangum"):
    # They log addresses and bodies. A messenger's address may hold a token, a file's its name and its key.
    logging.getLogger(_name).setLevel("WARNING")


class JsonLine(logging.Formatter):
    """A log record as Lambda's JSON format writes it: what is passed as `extra` is a field of its own."""

    _OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in self._OWN}
        line = {"timestamp": self.formatTime(record), "level": record.levelname}
        line |= {"message": record.getMessage(), "logger": record.name}
        return msgspec.json.encode({**extra, **line}, enc_hook=str).decode()


def _write_lines() -> None:
    """Lambda's runtime has a handler of its own; an emulator of it may have none."""
    root = logging.getLogger()
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLine())
        root.addHandler(handler)


_write_lines()


def count(metric: str, **fields: str | int) -> None:
    """Count one `metric` in CloudWatch, and keep `fields` in the log line that says so.

    The line is in CloudWatch's embedded metric format. No field is a dimension: a bot is looked up in the
    logs, since each value of a dimension would be a metric of its own, and be paid for.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[]],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    line = msgspec.json.encode({**fields, "_aws": about, metric: 1})
    print(line.decode(), flush=True)  # noqa: T201 - Lambda turns standard output into log lines


def describe(error: BaseException) -> dict[str, str]:
    """What can be logged of an error: its kind and its place.

    What it says is told of our own errors only: that of others may quote the value they failed on.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else "unknown"
    described = {"error": type(error).__name__, "at": place}
    return described | {"says": str(error)} if isinstance(error, ParleyError) else described
