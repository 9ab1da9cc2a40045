"""CPU time of a turn: raw webhook bodies through parse → advance → commit → render.

    python -m tests.benchmarks.turn --platform telegram --scenario S.json --bodies B.jsonl

B.jsonl holds one JSON update a line, of any number of chats. Reading the files, compiling the scenario
and imports are not counted; decoding each body's JSON, and writing each call to the messenger as JSON,
are. Prints one line: {"turns", "cpu_us_per_turn", "messages", "last_text"}.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.files import Unusable, ending_well, read_bodies, read_scenario, say
from tests.benchmarks.pipeline import SETTINGS, Pipeline
from tests.benchmarks.results import Result, cpu_clock

PROFILED_LINES = 40


def run(pipeline: Pipeline, bodies: Sequence[bytes]) -> Result:
    """Take every body, one after the other."""
    with cpu_clock() as clock:
        take_all(pipeline, bodies)
    last_text = pipeline.said[-1].text if pipeline.said else ""
    return Result.of(len(bodies), clock.seconds, len(pipeline.said), last_text)


def take_all(pipeline: Pipeline, bodies: Sequence[bytes]) -> None:
    """Raises `Unusable` for the first body that is not what the platform posts."""
    taken = 0
    try:
        for body in bodies:
            pipeline.take(body)
            taken += 1
    except Exception as error:
        raise Unusable(f"body {taken + 1} cannot be taken: {type(error).__name__}: {error}") from error


def profile(pipeline: Pipeline, bodies: Sequence[bytes]) -> None:
    """Print where the time goes, by each function's own time, to stderr."""
    profiler = cProfile.Profile()
    profiler.runcall(take_all, pipeline, bodies)
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(PROFILED_LINES)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.turn", description=__doc__)
    parser.add_argument("--platform", choices=list(SETTINGS), default="telegram")
    parser.add_argument("--scenario", type=Path, required=True, help="a scenario document")
    parser.add_argument("--bodies", type=Path, required=True, help="webhook bodies, one JSON a line")
    parser.add_argument("--profile", action="store_true", help="also run once more under a profiler")
    options = parser.parse_args(arguments)
    document, bodies = read_scenario(options.scenario), read_bodies(options.bodies)
    say(run(Pipeline(options.platform, document), bodies).line())
    if options.profile:
        profile(Pipeline(options.platform, document), bodies)


if __name__ == "__main__":
    ending_well(main)
