"""Cold starts: the import and the first invocation of every Lambda of template.yaml, in a fresh process.

    python -m tests.benchmarks.cold_start [--rounds 7] [--profile TelegramWebhook]

Each Lambda runs with the variables that the template gives it, against an AWS and a messenger on
loopback, and must succeed. Its CPU time is told as a ratio to that of a fresh process that imports
botocore and makes one client; the processes take turns, and medians count. Prints a table and one line
of JSON, and fails where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from infra.local.template import parse_template
from tests.benchmarks.cloud import cloud
from tests.benchmarks.files import ROOT, Unusable, ending_well, say
from tests.benchmarks.invocations import EVENTS, has_succeeded
from tests.infra.template import Template

MAX_ARTIFACT_MB = 150
ROUNDS = 7
PROFILED_LINES = 30
BUILDS = (ROOT / ".aws-sam" / "build", ROOT / ".aws-sam" / "embedded" / "build")
_CHILD = Path(__file__).with_name("first_call.py")


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the ratio to one client, and of memory."""

    ratio: float | None
    peak_mb: float


LIMITS = {"webhooks": Limits(1.5, 100), "workers": Limits(2.0, 140), "admin": Limits(None, 180)}


@dataclass(frozen=True, slots=True)
class Lambda:
    """A function of the template; `module` is None for the process that all are compared with."""

    name: str
    module: str | None
    variables: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took from its first import to its answer."""

    cpu_ms: float
    wall_ms: float
    peak_mb: float


ONE_CLIENT = Lambda("one botocore client", None)


def lambdas_of(template: str) -> list[Lambda]:
    """The Lambdas of a template. Raises `Unusable` for one that there is no event for."""
    read = Template(parse_template(template))
    found = [_lambda(read, name) for name in read.functions]
    for each in found:
        if each.module not in EVENTS:
            raise Unusable(f"{each.name} is new: give it an event in tests/benchmarks/invocations.py")
    return found


def _lambda(template: Template, name: str) -> Lambda:
    module = str(template.functions[name]["Handler"]).removesuffix(".lambda_handler")
    return Lambda(name, module, frozenset(template.environment(name)))


def start_cold(
    it: Lambda, number: int, variables: Mapping[str, str], *flags: str
) -> tuple[Cost, subprocess.CompletedProcess[str]]:
    """One cold start. Raises `Unusable` unless the first invocation succeeds."""
    given = {name: value for name, value in variables.items() if name in it.variables | _FOR_ALL}
    event = EVENTS[it.module](number) if it.module else {}
    ran = subprocess.run(
        [sys.executable, *flags, str(_CHILD)],
        input=json.dumps({"module": it.module, "event": event}),
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)} | given,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise Unusable(f"{it.name} broke: {ran.stderr.strip().splitlines()[-1:]}")
    told = json.loads(ran.stdout.splitlines()[-1])
    if it.module and not has_succeeded(told["answer"]):
        raise Unusable(f"{it.name} did not succeed: {told['answer']} {ran.stdout[:1000]}")
    return Cost(told["cpu_ms"], told["wall_ms"], told["peak_mb"]), ran


_FOR_ALL = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
}
"""What Lambda itself sets; the address of AWS stands for AWS's being where it always is."""


def measure(them: Sequence[Lambda], rounds: int) -> dict[Lambda, Cost]:
    """The median cost of each. The processes take turns; the first round warms the disk."""
    costs: dict[Lambda, list[Cost]] = {each: [] for each in them}
    with cloud() as (variables, telegram):
        for round_ in range(rounds + 1):
            for index, each in enumerate(them):
                cost, _ = start_cold(each, 1000 * (round_ + 1) + index, variables)
                if round_:
                    costs[each].append(cost)
        sent = [each for each in telegram.requests if each.path.endswith("/sendMessage")]
        if telegram.refusals or len(sent) != rounds + 1:
            raise Unusable(f"the sender's messages did not arrive: {telegram.refusals}")
    return {each: _median(taken) for each, taken in costs.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(round(median(getattr(cost, name) for cost in costs), 1) for name in Cost.__slots__))


def verdicts(costs: Mapping[Lambda, Cost]) -> Iterator[dict[str, Any]]:
    """One row for each Lambda: what it took, its ratio, and what it misses."""
    least = costs[ONE_CLIENT].cpu_ms
    for it, cost in costs.items():
        kind = it.module.split(".")[1] if it.module else ""
        limits = LIMITS.get(kind, Limits(None, float("inf")))
        ratio = round(cost.cpu_ms / least, 2)
        missed = []
        if limits.ratio and ratio > limits.ratio:
            missed.append(f"ratio over {limits.ratio}")
        if cost.peak_mb > limits.peak_mb:
            missed.append(f"memory over {limits.peak_mb} MB")
        yield {"name": it.name, **asdict(cost), "ratio": ratio, "missed": missed}


def artifact_megabytes() -> float | None:
    """The unpacked size of what a build has left for one Lambda; None where nothing is built."""
    for build in BUILDS:
        for folder in sorted(path for path in build.glob("*") if (path / "functions").is_dir()):
            sizes = (file.stat().st_size for file in folder.rglob("*") if file.is_file())
            return round(sum(sizes) / 2**20, 1)
    return None


def profile(it: Lambda) -> None:
    """Print the modules that its cold start spends the most time on, their imports not counted."""
    with cloud() as (variables, _):
        start_cold(it, 1, variables)
        _, ran = start_cold(it, 2, variables, "-X", "importtime")
    timed = [line.removeprefix("import time:").split("|") for line in ran.stderr.splitlines() if "|" in line]
    modules = [(int(own), name.strip()) for own, _, name in timed if own.strip().isdigit()]
    say(f"{sum(own for own, _ in modules) / 1000:8.1f} ms in {len(modules)} imports")
    say(*(f"{own / 1000:8.1f} ms {name}" for own, name in sorted(modules, reverse=True)[:PROFILED_LINES]))


def report(rows: Sequence[Mapping[str, Any]], artifact_mb: float | None) -> bool:
    """Print everything; whether all limits are kept."""
    say(f"{'':24} {'CPU ms':>8} {'wall ms':>8} {'ratio':>6} {'MB':>6}")
    for row in rows:
        numbers = f"{row['cpu_ms']:8.0f} {row['wall_ms']:8.0f} {row['ratio']:6.2f} {row['peak_mb']:6.0f}"
        say(f"{row['name']:24} {numbers}  {'; '.join(row['missed'])}".rstrip())
    is_small = artifact_mb is None or artifact_mb <= MAX_ARTIFACT_MB
    size = "not built" if artifact_mb is None else f"{artifact_mb} MB unpacked (at most {MAX_ARTIFACT_MB})"
    say(f"artifact: {size}", json.dumps({"cold_starts": rows, "artifact_mb": artifact_mb}))
    return is_small and not any(row["missed"] for row in rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cold_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measured rounds; medians count")
    parser.add_argument("--profile", metavar="LAMBDA", help="tell what this one's cold start spends")
    options = parser.parse_args(arguments)
    them = lambdas_of((ROOT / "template.yaml").read_text("utf-8"))
    if options.profile:
        chosen = next((each for each in them if each.name == options.profile), None)
        if chosen is None:
            raise Unusable(f"there is no {options.profile}: {', '.join(each.name for each in them)}")
        profile(chosen)
        return
    costs = measure([ONE_CLIENT, *them], max(1, options.rounds))
    if not report(list(verdicts(costs)), artifact_megabytes()):
        sys.exit(1)


if __name__ == "__main__":
    ending_well(main)
