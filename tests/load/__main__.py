"""`make load`: how much Parley takes, and what limits it.

    python -m tests.load [handlers] [embedded] [--people 40] [--seconds 60]

`handlers` runs the handlers of production side by side, each in processes of its own, over one emulated AWS
that keeps tables and queues. `embedded` is the whole as `make run` deploys it.
"""

from __future__ import annotations

import argparse
import sys

from tests.load.report import Report
from tests.load.worlds import WORLDS


def main() -> None:
    asked = _asked()
    reports = [_run(name, asked.people, asked.seconds) for name in asked.world or WORLDS]
    if any(report.failures for report in reports):
        sys.exit("some turns failed")


def _run(name: str, people: int | None, seconds: int) -> Report:
    world, usual = WORLDS[name]
    people = people or usual
    sys.stdout.write(f"== {name}: {people} people for {seconds} s, and what comes before\n")
    sys.stdout.flush()
    with world() as running:
        report = running.load(people, seconds)
    sys.stdout.write(report.text())
    return report


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.load", description="Load tests with Locust.")
    parser.add_argument("world", nargs="*", choices=[*WORLDS, []], help="default: both")
    parser.add_argument("--people", type=int, help="default: what each is usually asked to bear")
    parser.add_argument("--seconds", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
