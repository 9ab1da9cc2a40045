"""The onboarding conversation by Parley and by aiogram, in turns: how much CPU each takes per update.

    python -m tests.benchmarks.against_aiogram

Twice: with the buttons' labels typed, and with the buttons pressed. Both bots get the same updates (only
what a button carries differs, for each bot reads its own), each run is a fresh process, and both must
say the same number of messages, and the same last one. Fails where Parley takes more than an eighth.

What Parley does here and the aiogram bot does not: interprets a scenario in two languages, commits each
turn with its outbox under a lock, writes the history, recognises redeliveries and stale buttons, and
writes each call to the messenger as JSON. What aiogram does and Parley does not: validates whole
updates, runs middlewares, and is asynchronous.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.bodies import converse, written
from tests.benchmarks.files import ONBOARDING, ROOT, Unusable, ending_well, read_scenario, say
from tests.benchmarks.results import Result
from tests.benchmarks.updates import Deed, Pressed

MAX_RATIO = 1 / 8
ROUNDS = 11
CHATS = 300


@dataclass(frozen=True, slots=True)
class Comparison:
    """CPU time per update of both, in microseconds: the least of the rounds, and `median_ratio` between them.

    What else goes on in a machine only ever adds to it, and to a short run more than to a long one.
    """

    way: str
    parley_us: float
    aiogram_us: float
    median_ratio: float

    @property
    def ratio(self) -> float:
        return self.parley_us / self.aiogram_us

    @property
    def is_missed(self) -> bool:
        return self.ratio > MAX_RATIO

    def line(self) -> str:
        verdict = "MISSED" if self.is_missed else "ok"
        limit, medians = 1 / MAX_RATIO, 1 / self.median_ratio
        return (
            f"{self.way:8} parley {self.parley_us:7.1f} µs   aiogram {self.aiogram_us:7.1f} µs   "
            f"ratio 1/{1 / self.ratio:.1f} (limit 1/{limit:.0f}, medians 1/{medians:.1f})   {verdict}"
        )


def compare(*, press: bool, chats: int = CHATS, rounds: int = ROUNDS) -> Comparison:
    """Run both bots in turns. Raises `Unusable` if they do not say the same."""
    deeds = list(converse("telegram", read_scenario(ONBOARDING), chats, press=press))
    with TemporaryDirectory() as folder:
        ours = _save(Path(folder, "parley.jsonl"), deeds)
        theirs = _save(Path(folder, "aiogram.jsonl"), [_as_aiogram_reads(deed) for deed in deeds])
        pairs = [(_parley(ours), _aiogram(theirs)) for _ in range(rounds)]
    for pair in pairs:
        _check_alike(*pair)
    parley = [ours.cpu_us_per_turn for ours, _ in pairs]
    aiogram = [theirs.cpu_us_per_turn for _, theirs in pairs]
    way = "pressed" if press else "typed"
    return Comparison(way, min(parley), min(aiogram), median(parley) / median(aiogram))


def _as_aiogram_reads(deed: Deed) -> Deed:
    if isinstance(deed.did, Pressed):
        return replace(deed, did=replace(deed.did, data=deed.did.meaning))
    return deed


def _save(path: Path, deeds: list[Deed]) -> Path:
    path.write_bytes(b"\n".join(written("telegram", deed) for deed in deeds))
    return path


def _parley(bodies: Path) -> Result:
    return _run("tests.benchmarks.turn", "--scenario", str(ONBOARDING), "--bodies", str(bodies))


def _aiogram(bodies: Path) -> Result:
    return _run("tests.benchmarks.aiogram_bot", "--bodies", str(bodies))


def _run(module: str, *arguments: str) -> Result:
    """One run in a fresh process."""
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise Unusable(f"{module} failed: {ran.stderr.strip().splitlines()[-1:]}")
    return Result.read(ran.stdout)


def _check_alike(parley: Result, aiogram: Result) -> None:
    def conversation(result: Result) -> Mapping[str, Any]:
        return {"turns": result.turns, "messages": result.messages, "last_text": result.last_text}

    if conversation(parley) != conversation(aiogram):
        raise Unusable(f"the bots differ: {conversation(parley)} and {conversation(aiogram)}")


def main() -> None:
    comparisons = [compare(press=press) for press in (False, True)]
    say(*(comparison.line() for comparison in comparisons))
    if any(comparison.is_missed for comparison in comparisons):
        sys.exit(1)


if __name__ == "__main__":
    ending_well(main)
