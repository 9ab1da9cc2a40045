"""`make bench`: everything that has a limit; fails if any is missed."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.files import ROOT, say

PROGRAMS = ("against_aiogram", "engine", "cold_start", "sender")


def main() -> None:
    statuses = []
    for name in PROGRAMS:
        say(f"== tests.benchmarks.{name}")
        sys.stdout.flush()
        ran = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], cwd=ROOT, check=False)
        statuses.append(ran.returncode)
    sys.exit(1 if any(statuses) else 0)


if __name__ == "__main__":
    main()
