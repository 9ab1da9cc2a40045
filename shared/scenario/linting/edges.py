"""The ways out of a step, as the engine takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.scenario.document import escape
from shared.scenario.durations import seconds_of
from shared.scenario.linting.reading import reading
from shared.scenario.linting.steps import (
    Raw,
    choices_of,
    every_choice_leads_on,
    input_of,
    leads_on,
    may_be_empty,
    may_be_skipped,
    setting,
    waits,
)

_NOTHING: frozenset[str] = frozenset()
TASKS = ("llm", "http", "sync")


@dataclass(frozen=True, slots=True)
class Passage:
    """What a called scenario does with a turn, as seen by its caller.

    `silent` is whether it may come back without a word from the person, `seconds` how long it may take
    after the person's last one; `steps` and `messages` are the most of them in one turn, `turns` the most
    that follow without a word from the person.
    """

    silent: bool = False
    seconds: int = 0
    steps: int = 0
    messages: int = 0
    turns: int = 0


Passages = Callable[[str], Passage]


class Edge(NamedTuple):
    """One way out of a step.

    `gives` are the variables that surely have a value once it is taken. `silent` tells whether it is
    taken without a word from the person, `turns` in how many more than the one in which the step was
    entered, `seconds` how long that may take, `once` whether it is taken at most once in a run (a
    scenario-level condition without `after`).
    """

    target: str
    pointer: str
    gives: frozenset[str] = _NOTHING
    silent: bool = False
    turns: int = 0
    seconds: int = 0
    once: bool = False


class LevelWay(NamedTuple):
    """One branch of a scenario-level condition: after which step, whither, and what then has a value."""

    after: str | None
    target: str
    pointer: str
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Values:
    """The variables that a step gives values to, by the time that they have them.

    `result` are those of its action, and `sure` those of them that nothing it may come to leaves unset.
    """

    before: frozenset[str]
    result: frozenset[str]
    sure: frozenset[str]
    answer: frozenset[str]
    set: frozenset[str]


def values_of(step: Raw) -> Values:
    action = step.get("llm") or step.get("http") or {}
    outputs = frozenset((step.get("scenario") or {}).get("outputs", {}))
    result = frozenset(filter(None, [action.get("variable")]))
    return Values(
        before=_given(step.get("before", {})),
        result=result | outputs,
        sure=outputs | (result if action.get("on_error") and not action.get("routes") else _NOTHING),
        answer=frozenset(filter(None, [input_of(step).get("variable")])),
        set=_given(step.get("set", {})),
    )


def _given(assignments: Mapping[str, str]) -> frozenset[str]:
    """The variables that assignments give a value; `null` takes it away."""
    return frozenset(name for name, source in assignments.items() if source.strip() != "null")


def edges_of(
    document: Raw, step: Raw, at: str, passage: Passages, level: Iterable[LevelWay]
) -> Iterator[Edge]:
    values = values_of(step)
    yield from _failing(step, at, values)
    if waits(step):
        yield from _asking(document, step, at, values)
    if not step.get("end"):
        leaving = way_of_leaving(step, values, passage)
        yield from _routes(step, at, leaving)
        if not every_choice_leads_on(step):
            yield from _leaving(step, at, leaving, level)


def _failing(step: Raw, at: str, values: Values) -> Iterator[Edge]:
    """Where an action leads that has not gone well."""
    for name in TASKS:
        if failure := (step.get(name) or {}).get("on_error"):
            yield Edge(failure, f"{at}/{name}/on_error", values.before, silent=True, turns=1)
    handoff = step.get("handoff") or {}
    if handoff.get("next_step") and handoff.get("timeout"):
        seconds, pointer = seconds_of(handoff["timeout"]), f"{at}/handoff/next_step"
        yield Edge(handoff["next_step"], pointer, values.before, silent=True, turns=1, seconds=seconds)


def _asking(document: Raw, step: Raw, at: str, values: Values) -> Iterator[Edge]:
    """Where a question leads, but for the ways on which its step is left in the ordinary manner."""
    known = values.before | values.sure
    yield from _pressing(step, at, values)
    if step.get("when_empty") and may_be_empty(step):
        yield Edge(step["when_empty"], f"{at}/when_empty", values.before, silent=True)
    timeout, is_own = setting(document, step, "timeout")
    if timeout and timeout.get("next_step"):
        pointer = f"{at}/expected_input/timeout/next_step" if is_own else "/defaults/timeout/next_step"
        seconds = _waited(step) + patience(timeout)
        turns = 1 + (timeout.get("times", 1) if timeout.get("remind") is not None else 0)
        yield Edge(timeout["next_step"], pointer, known, silent=True, turns=turns, seconds=seconds)
    failure, is_own = setting(document, step, "on_failure")
    if failure and setting(document, step, "max_attempts")[0]:
        pointer = f"{at}/expected_input/on_failure" if is_own else "/defaults/on_failure"
        yield Edge(failure, pointer, known)


def _pressing(step: Raw, at: str, values: Values) -> Iterator[Edge]:
    """By a choice that leads on, which stores itself only where it is the one answer."""
    answer = values.answer if input_of(step)["type"] == "button" else _NOTHING
    known = values.before | values.sure | answer | values.set
    for index, button in choices_of(step) if not step.get("end") else ():
        if button.get("next_step"):
            shown = reading(button["show_if"]).if_true if button.get("show_if") else _NOTHING
            yield Edge(button["next_step"], f"{at}/buttons/{index}/next_step", known | shown)


def patience(timeout: Raw) -> int:
    """The seconds until a timeout leads on: `after`, and one `every` for each reminder."""
    after = seconds_of(timeout["after"])
    if timeout.get("remind") is None:
        return after
    times: int = timeout.get("times", 1)
    return after + times * seconds_of(timeout.get("every") or timeout["after"])


def _waited(step: Raw) -> int:
    return seconds_of(step.get("wait") or "")


def way_of_leaving(step: Raw, values: Values, passage: Passages) -> Edge:
    """How a step is left in the ordinary manner; only the target is still to be told."""
    gives = values.before | values.sure | values.answer | values.set
    if waits(step) and not may_be_skipped(step):
        return Edge("", "", gives)
    way = Edge("", "", gives, silent=True)
    if step.get("scenario"):
        called = passage(step["scenario"]["id"].lower())
        return way._replace(silent=called.silent, seconds=called.seconds, turns=called.turns)
    if (handoff := step.get("handoff")) is not None:
        seconds = 0 if handoff.get("next_step") else seconds_of(handoff.get("timeout") or "")
        return way._replace(silent=bool(seconds), turns=1, seconds=seconds)
    works = any(step.get(name) is not None for name in (*TASKS, "wait"))
    return way._replace(turns=int(works), seconds=_waited(step))


def _routes(step: Raw, at: str, way: Edge) -> Iterator[Edge]:
    """By what a model has chosen."""
    routes: Mapping[str, Any] = (step.get("llm") or {}).get("routes", {})
    for name, route in routes.items():
        yield way._replace(target=route["step"], pointer=f"{at}/llm/routes/{escape(name)}/step")


def _leaving(step: Raw, at: str, way: Edge, level: Iterable[LevelWay]) -> Iterator[Edge]:
    for index, condition in enumerate(step.get("conditions", [])):
        read, pointer = reading(condition["if"]), f"{at}/conditions/{index}"
        if condition.get("then"):
            gives = way.gives | read.if_true
            yield way._replace(target=condition["then"], pointer=f"{pointer}/then", gives=gives)
        way = way._replace(gives=way.gives | read.if_false)
        if "else" in condition:
            if condition["else"]:
                yield way._replace(target=condition["else"], pointer=f"{pointer}/else")
            return
    if step.get("next_step"):
        yield way._replace(target=step["next_step"], pointer=f"{at}/next_step")
    if not leads_on(step):
        yield from _of_the_scenario(level, step, way)


def level_of(document: Raw) -> list[LevelWay]:
    """The ways by scenario-level conditions, which are decided only where all they need has a value."""
    found = []
    for index, condition in enumerate(document.get("conditions", [])):
        read, after = reading(condition["if"]), condition.get("after")
        for branch, known in (("then", read.if_true), ("else", read.if_false)):
            if condition.get(branch):
                pointer = f"/conditions/{index}/{branch}"
                found.append(LevelWay(after, condition[branch], pointer, read.needs | known))
    return found


def _of_the_scenario(level: Iterable[LevelWay], step: Raw, way: Edge) -> Iterator[Edge]:
    for after, target, pointer, known in level:
        if after is None or after == step["id"]:
            gives = way.gives | known
            yield Edge(target, pointer, gives, way.silent, way.turns, way.seconds, after is None)
