"""Scenarios that call one another: linted as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from cel_expr_python import cel

from shared.scenario.caps import MAX_CALL_DEPTH
from shared.scenario.expressions import Environment, ExpressionError
from shared.scenario.findings import Finding
from shared.scenario.graph import Graph
from shared.scenario.linting.circles import messages_at_once, silent_turns, steps_at_once
from shared.scenario.linting.edges import Passage, Passages
from shared.scenario.linting.messengers import silences_in
from shared.scenario.linting.places import expressions_of
from shared.scenario.linting.reading import reading
from shared.scenario.linting.steps import Raw
from shared.scenario.linting.subject import Subject, broken
from shared.scenario.linting.variables import written_in
from shared.scenario.variables import name_of

SubjectOf = Callable[[str], Subject | None]
"""The scenario of an id as a subject of its own; None if the bot has none."""


def calls_in(document: Raw) -> Iterator[tuple[str, Raw]]:
    for index, step in enumerate(document["steps"]):
        if step.get("scenario"):
            yield f"/steps/{index}/scenario", step["scenario"]


def called_by(document: Raw) -> list[str]:
    return list(dict.fromkeys(call["id"].lower() for _, call in calls_in(document)))


def check(subject: Subject, called: SubjectOf) -> Iterator[Finding]:
    for at, call in calls_in(subject.document):
        child = called(call["id"].lower())
        if child is None:
            message = f"the bot has no scenario {call['id']} that can be called"
            yield subject.finding("unknown_scenario", f"{at}/id", message)
        else:
            yield from _inputs(subject, child, call, at)
            yield from _outputs(subject, child, call, at)
            yield from _scopes(subject, child, at)


# --- what goes in ----------------------------------------------------------------------------------


def _inputs(subject: Subject, child: Subject, call: Raw, at: str) -> Iterator[Finding]:
    known, given = child.compiled.environment.variables, call.get("inputs", {})
    for name, source in given.items():
        if name not in known:
            message = f"the called scenario has no variable “{name}”"
            yield subject.finding("unknown_input", f"{at}/inputs/{name}", message)
            continue
        with suppress(ExpressionError):  # the compiler has told of it
            if conflict := _conflict(subject.compiled.environment, source, known[name]):
                yield subject.finding("type_conflict", f"{at}/inputs/{name}", f"“{name}” {conflict}")
    for name in sorted(_needed(child) - set(given)):
        message = f"the called scenario reads “{name}”, and nothing gives it a value; pass it in inputs"
        yield subject.finding("missing_input", at, message)


def _needed(child: Subject) -> set[str]:
    """The variables that a called scenario declares and reads, and that nothing there gives a value."""
    declared: Mapping[str, Raw] = child.document.get("variables", {})
    given = written_in(child.document) | set(child.compiled.initial)
    read = set().union(*(reading(source).needs for source in expressions_of(child.document)))
    return {name for name in declared if name in read and name not in given}


def _conflict(environment: Environment, source: str, wanted: cel.Type) -> str:
    found, kind = name_of(environment.compile(source).type), name_of(wanted)
    if "any" in (found, kind) or found == kind or (kind, found) == ("number", "integer"):
        return ""
    return f"is of type {kind} there, and this is of type {found}"


# --- what comes out --------------------------------------------------------------------------------


def _outputs(subject: Subject, child: Subject, call: Raw, at: str) -> Iterator[Finding]:
    for name, source in call.get("outputs", {}).items():
        wanted = subject.compiled.environment.variables[name]
        try:
            conflict = _conflict(child.compiled.environment, source, wanted)
        except ExpressionError as error:
            yield subject.finding(*broken(f"{at}/outputs/{name}", error))
            continue
        if conflict:
            yield subject.finding("type_conflict", f"{at}/outputs/{name}", f"“{name}” {conflict}")


def _scopes(subject: Subject, child: Subject, at: str) -> Iterator[Finding]:
    for name in sorted(child.compiled.kept):
        message = (
            f"“{name}” of the called scenario has the scope “person”, and is forgotten after the call; "
            "keep it here, by inputs and outputs"
        )
        yield subject.finding("scope_in_call", at, message)


# --- how they hang together ------------------------------------------------------------------------


def chains(subject: Subject, called: SubjectOf) -> Iterator[Finding]:
    """Scenarios that call themselves in the end, or one another too deep."""
    own = subject.library.scenario_id.lower()
    for at, call in calls_in(subject.document):
        chain = _longest_chain(call["id"].lower(), called, (own,) if own else ())
        told = " → ".join(chain)
        if chain[-1] in chain[:-1]:
            message = f"this scenario comes to call itself: {told}"
            yield subject.finding("scenario_recursion", f"{at}/id", message)
        elif len(chain) - bool(own) > MAX_CALL_DEPTH:
            message = f"scenarios call one another {MAX_CALL_DEPTH} deep at most: {told}"
            yield subject.finding("too_deep", f"{at}/id", message)


def _longest_chain(scenario_id: str, called: SubjectOf, before: tuple[str, ...]) -> tuple[str, ...]:
    """The longest way down from a scenario, or the first found that closes a circle or is too deep."""
    chain = (*before, scenario_id)
    child = called(scenario_id)
    if child is None or scenario_id in before or len(chain) > MAX_CALL_DEPTH + 1:
        return chain
    longest = chain
    for each in called_by(child.document):
        found = _longest_chain(each, called, chain)
        longest = max(longest, found, key=len)
        if found[-1] in found[:-1]:
            return found
    return longest


# --- what a call does with a turn ------------------------------------------------------------------


def passage_of(child: Raw, passage: Passages) -> Passage:
    """What a called scenario does with its caller's turns; nobody asks its scenario-level conditions."""
    graph = Graph({**child, "conditions": [], "commands": {}, "after_end": "tell"}, passage)
    circling = {step for circle in graph.circles(graph.nodes) for step in circle}
    silences, silently = silences_in(graph), graph.ways(lambda _node, edge: edge.silent)
    leaving = [(step, graph.nodes[step].leaving) for step in silences if graph.nodes[step].ends]
    return Passage(
        silent=any(way.silent and step in silently for step, way in leaving),
        seconds=max(((silences[s] if way.silent else 0) + way.seconds for s, way in leaving), default=0),
        steps=_most(steps_at_once(graph, circling)),
        messages=_most(messages_at_once(graph, circling)),
        turns=_most(silent_turns(graph, circling)) + max((way.turns for _, way in leaving), default=0),
    )


def _most(lengths: Mapping[str, int]) -> int:
    return max(lengths.values(), default=0)
