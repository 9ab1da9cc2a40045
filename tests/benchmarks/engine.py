"""What the engine costs: its share of a turn, and what the size of a scenario does to it.

    python -m tests.benchmarks.engine

The share is that of `advance` in the onboarding conversation, buttons pressed; all else is parsing,
committing, rendering and JSON. A conversation of 2000 answers goes four times round a scenario of 500
steps, and 400 times round one of five of the same kinds, as a container does that has served for a
while: what a step costs only when it is first passed counts little. Rounds take turns in one process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from statistics import median
from typing import Any

from shared.dialog.events import Event
from shared.dialog.processor import Moment, ScenarioProcessor, Turn
from shared.dialog.programs import CompiledScenarios
from shared.dialog.state import Dialog
from shared.scenario.compiler import compile_scenario
from shared.scenario.linter import lint
from tests.benchmarks.bodies import converse, written
from tests.benchmarks.files import ONBOARDING, Unusable, ending_well, read_scenario, say
from tests.benchmarks.pipeline import Pipeline
from tests.benchmarks.results import cpu_clock
from tests.benchmarks.turn import run
from tests.benchmarks.updates import Deed, Typed

MAX_SHARE = 0.40
MAX_GROWTH = 1.20
MAX_COMPILING_MS = 150.0
MAX_LINTING_MS = 1000.0

ROUNDS = 11
CHATS = 100
SMALL, LARGE = 5, 500
ANSWERS = 2000


@dataclass(frozen=True, slots=True)
class Cost:
    """One figure and the most it may be."""

    what: str
    figure: float
    limit: float
    told: str

    @property
    def is_missed(self) -> bool:
        return self.figure > self.limit

    def line(self) -> str:
        return f"{self.what:28} {self.told}   {'MISSED' if self.is_missed else 'ok'}"


class _Watched(ScenarioProcessor):
    """A processor that keeps what it is given, to be given it again."""

    def __init__(self, processor: ScenarioProcessor, given: list[tuple[Dialog, Event, Moment]]) -> None:
        super().__init__(processor.scenario, processor.called)
        self._given = given

    def advance(self, dialog: Dialog, event: Event, moment: Moment) -> Turn:
        self._given.append((dialog, event, moment))
        return super().advance(dialog, event, moment)


class _WatchedScenarios(CompiledScenarios):
    given: list[tuple[Dialog, Event, Moment]]

    def get(self, *revision: Any) -> ScenarioProcessor:
        return _Watched(super().get(*revision), self.given)


def share(*, chats: int = CHATS, rounds: int = ROUNDS) -> Cost:
    """How much of a turn is the engine's."""
    document = read_scenario(ONBOARDING)
    bodies = [written("telegram", deed) for deed in converse("telegram", document, chats, press=True)]
    given: list[tuple[Dialog, Event, Moment]] = []
    _WatchedScenarios.given = given
    run(Pipeline("telegram", document, _WatchedScenarios), bodies)
    processor = ScenarioProcessor(compile_scenario(document))
    pairs = [
        (_advancing_us(processor, given), run(Pipeline("telegram", document), bodies).cpu_us_per_turn)
        for _ in range(rounds)
    ]
    engine, whole = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    told = f"{engine:7.1f} µs of {whole:7.1f} µs: {engine / whole:.0%} (limit {MAX_SHARE:.0%})"
    return Cost("advance, of a whole turn", engine / whole, MAX_SHARE, told)


def _advancing_us(processor: ScenarioProcessor, given: Iterable[tuple[Dialog, Event, Moment]]) -> float:
    turns = 0
    with cpu_clock() as clock:
        for dialog, event, moment in given:
            processor.advance(dialog, event, moment)
            turns += 1
    return clock.seconds / turns * 1e6


def growth(*, answers: int = ANSWERS, rounds: int = ROUNDS) -> Cost:
    """What a turn costs in a large scenario, compared with a small one."""
    pairs = [(_turn_us(SMALL, answers), _turn_us(LARGE, answers)) for _ in range(rounds)]
    small, large = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    told = f"{large:7.1f} µs, of {SMALL} {small:7.1f} µs: {large / small:.2f} (limit {MAX_GROWTH:.2f})"
    return Cost(f"a turn of {LARGE} steps", large / small, MAX_GROWTH, told)


def _turn_us(steps: int, answers: int) -> float:
    now = datetime.now(UTC)
    bodies = [
        written("telegram", Deed(1, number, now + timedelta(seconds=number), Typed(text)))
        for number, text in enumerate(("/start", *repeat("yes", answers)))
    ]
    result = run(Pipeline("telegram", of_size(steps)), bodies)
    if result.messages != result.turns:
        raise Unusable("an answer was not followed by the next question")
    return result.cpu_us_per_turn


def of_size(steps: int) -> Mapping[str, Any]:
    """A round of so many questions in two languages, every second with buttons and a condition."""
    questions = [_question(n, f"s{(n + 1) % steps}") for n in range(steps)]
    return {
        "version": "1.0",
        "languages": ["en", "ru"],
        "variables": {"score": {"type": "integer", "initial": 0}, "name": {"type": "string"}},
        "steps": questions,
    }


def _question(n: int, following: str) -> dict[str, Any]:
    text = {"en": f"Question {n}, {{{{ name }}}}? ({{{{ score }}}})", "ru": f"Вопрос {n}? ({{{{ score }}}})"}
    step = {"id": f"s{n}", "message": {"text": text}, "set": {"score": "score + 1"}, "next_step": following}
    if n % 2 == 0:
        return {**step, "expected_input": {"type": "text", "variable": "name"}}
    yes, no = {"en": "Yes", "ru": "Да"}, {"en": "No", "ru": "Нет"}
    return {
        **step,
        "buttons": [{"text": yes, "value": "yes"}, {"text": no, "value": "no", "show_if": "score >= 0"}],
        "expected_input": {"type": "button", "variable": "choice"},
        "conditions": [{"if": "choice == 'no' && score > 1000000", "then": "s0"}],
    }


def compiling(*, rounds: int = ROUNDS) -> Cost:
    ms = _median_ms(lambda: compile_scenario(of_size(LARGE)), rounds)
    told = f"{ms:7.1f} ms (limit {MAX_COMPILING_MS:.0f} ms)"
    return Cost(f"compiling {LARGE} steps", ms, MAX_COMPILING_MS, told)


def linting(*, rounds: int = ROUNDS) -> Cost:
    ms = _median_ms(lambda: lint(of_size(LARGE)), rounds)
    told = f"{ms:7.1f} ms (limit {MAX_LINTING_MS:.0f} ms)"
    return Cost(f"linting {LARGE} steps", ms, MAX_LINTING_MS, told)


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        with cpu_clock() as clock:
            work()
        times.append(clock.seconds * 1000)
    return median(times)


def main() -> None:
    costs = [share(), growth(), compiling(), linting()]
    say(*(cost.line() for cost in costs))
    if any(cost.is_missed for cost in costs):
        sys.exit(1)


if __name__ == "__main__":
    ending_well(main)
