"""One cold start in a process of its own: what to run comes by stdin, what it took goes to stdout.

Imports as little as it can before the clock starts, so that what is measured is what the Lambda needs.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

NOT_SHIPPED = ("brotli", "click", "h2", "rich")
"""What httpx would take along where it finds it, as here beside the tools of tests, and no artifact has."""


class Context:
    """As much of Lambda's context as our handlers look at."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def call(module: str, event: dict[str, Any]) -> Any:
    """Import the handler, and let it handle the event."""
    from importlib import import_module  # noqa: PLC0415 (it is the handler's first import too)

    return import_module(module).lambda_handler(event, Context())


def make_one_client() -> None:
    """What everything is compared with: the least that any Lambda that speaks to AWS does."""
    import botocore.session  # noqa: PLC0415 (this is what is measured)

    botocore.session.get_session().create_client("sqs")


def peak_megabytes() -> float:
    """The most memory this process has held.

    Not `ru_maxrss`: on Linux that of a new program starts with what its parent held when it forked.
    """
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 (pathlib is not loaded yet)
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    task = json.load(sys.stdin)
    answer = None
    for name in NOT_SHIPPED:
        sys.modules[name] = None  # type: ignore[assignment]  # it says that there is no such module
    begun, begun_cpu = time.perf_counter(), time.process_time()
    if task["module"]:
        answer = call(task["module"], task["event"])
    else:
        make_one_client()
    cpu, wall = time.process_time() - begun_cpu, time.perf_counter() - begun
    told = {"cpu_ms": cpu * 1e3, "wall_ms": wall * 1e3, "peak_mb": peak_megabytes(), "answer": answer}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
