"""What type every variable of a document has: as declared, or as told from what writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from shared.scenario.expressions import (
    Environment,
    ExpressionError,
    common_type,
    type_of_value,
    variables_in,
)

Report = Callable[[str, ExpressionError], None]
"""Called with the JSON pointer of an expression, or of the text it stands in, and what is wrong."""

DECLARED_TYPES: dict[str, cel.Type] = {
    "string": cel.Type.STRING,
    "integer": cel.Type.INT,
    "number": cel.Type.DOUBLE,
    "boolean": cel.Type.BOOL,
    "any": cel.Type.DYN,
}

MAX_ROUNDS = 64
"""How many assignments may lean on one another for their types."""

_NAMES = {kind.name(): name for name, kind in DECLARED_TYPES.items()}
_SAVED_AS_TEXT = (cel.Type.TIMESTAMP, cel.Type.DURATION, cel.Type.BYTES)


def name_of(kind: cel.Type) -> str:
    """A type as an author declares it."""
    return _NAMES.get(as_saved(kind).name(), "any")


def as_saved(kind: cel.Type) -> cel.Type:
    """Variables are saved as JSON, in which a time or a duration is a string."""
    return cel.Type.STRING if kind in _SAVED_AS_TEXT else kind


@dataclass(frozen=True, slots=True)
class _Assignment:
    name: str
    source: str
    pointer: str
    reads: frozenset[str]
    asks_about: frozenset[str]


def environment_of(document: Mapping[str, Any], report: Report) -> Environment:
    """The names and types of a document: declared ones, those that inputs fill, those assigned."""
    declared = {name: DECLARED_TYPES[d["type"]] for name, d in document.get("variables", {}).items()}
    answers = {name: common_type(kinds) for name, kinds in _answers(document).items()}
    types = {"start_payload": cel.Type.STRING, **answers, **declared}
    labelled = [e["variable"] for e in _inputs(document) if e["type"] == "button" and e.get("variable")]
    assignments = [each for each in _assignments(document) if each.name not in types]
    return Environment(_with_assigned(types, assignments, labelled, report), labelled)


def _inputs(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (step["expected_input"] for step in document["steps"] if step.get("expected_input"))


def _answers(document: Mapping[str, Any]) -> dict[str, list[cel.Type]]:
    found: dict[str, list[cel.Type]] = {}
    for step in document["steps"]:
        expected = step.get("expected_input") or {}
        if variable := expected.get("variable"):
            found.setdefault(variable, []).extend(types_of_answers(step))
    return found


def types_of_answers(step: Mapping[str, Any]) -> list[cel.Type]:
    """The types that a step's input may give its variable: text, or those of the buttons' values."""
    if step["expected_input"]["type"] != "button":
        return [cel.Type.STRING]
    return [type_of_value(button["value"]) for button in step.get("buttons", []) if "url" not in button]


def _assignments(document: Mapping[str, Any]) -> Iterator[_Assignment]:
    for index, step in enumerate(document["steps"]):
        for place in ("before", "set"):
            for name, source in step.get(place, {}).items():
                pointer = f"/steps/{index}/{place}/{name}"
                yield _Assignment(name, source, pointer, *variables_in(source))


def _with_assigned(
    types: dict[str, cel.Type],
    assignments: Sequence[_Assignment],
    labelled: Sequence[str],
    report: Report,
) -> dict[str, cel.Type]:
    """Add what is assigned, each with the type of its expressions, in as many rounds as they need."""
    left = list(assignments)
    assigned = {each.name for each in assignments}
    for _ in range(MAX_ROUNDS):
        missing = {each.name for each in left}
        ready = [each for each in left if not each.reads & missing]
        if not ready:
            break
        types = types | _types_of(ready, _environment_for(ready, types, labelled, assigned))
        left = [each for each in left if each.name not in types]
    _report_circles(left, report)
    return types | {each.name: cel.Type.DYN for each in left}


def _environment_for(
    assignments: Sequence[_Assignment],
    types: Mapping[str, cel.Type],
    labelled: Sequence[str],
    assigned: AbstractSet[str],
) -> Environment:
    """No more names than they need: there may be very many."""
    read = frozenset().union(*(each.reads for each in assignments))
    asked = frozenset().union(*(each.asks_about for each in assignments))
    known = {name: types[name] for name in read | asked if name in types}
    return Environment(known, read.intersection(labelled), asked & assigned)


def _types_of(assignments: Iterable[_Assignment], environment: Environment) -> dict[str, cel.Type]:
    found: dict[str, list[cel.Type]] = {}
    for each in assignments:
        found.setdefault(each.name, []).append(_type_in(environment, each.source))
    return {name: as_saved(common_type(kinds)) for name, kinds in found.items()}


def _type_in(environment: Environment, source: str) -> cel.Type:
    try:
        return environment.compile(source).type
    except ExpressionError:
        return cel.Type.DYN


def _report_circles(left: Sequence[_Assignment], report: Report) -> None:
    """What is left has a type only by itself, or by something that has."""
    reads: dict[str, set[str]] = {}
    for each in left:
        reads.setdefault(each.name, set()).update(each.reads)
    for each in left:
        if each.name in _reached(each.reads, reads):
            message = f"the type of “{each.name}” follows only from itself; declare it in variables"
            report(each.pointer, ExpressionError(message))


def _reached(names: Iterable[str], reads: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(reads.get(name, ()))
    return found
