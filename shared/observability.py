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
for _name in ("httpx", "httpcore", "botocore", "urllib3"):
    # They log addresses and bodies, and a messenger's address may hold a token.
    logging.getLogger(_name).setLevel("WARNING")


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
