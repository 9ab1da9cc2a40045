"""What type every variable of a document has: as declared, or as told from what writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
from cel_expr_python import cel

from shared.scenario.expressions import (
    BUILTINS,
    VARIABLE_NAME,
    Environment,
    ExpressionError,
    common_type,
    type_of_value,
    variables_in,
)
from shared.scenario.kinds import ANSWERS

Report = Callable[[str, ExpressionError], None]
"""Called with the JSON pointer of an expression, or of the text it stands in, and what is wrong."""

_LIST = cel.Type.List(cel.Type.DYN)
_MAP = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)

DECLARED_TYPES: dict[str, cel.Type] = {
    "string": cel.Type.STRING,
    "integer": cel.Type.INT,
    "number": cel.Type.DOUBLE,
    "boolean": cel.Type.BOOL,
    "date": cel.Type.TIMESTAMP,
    "list": _LIST,
    "map": _MAP,
    "any": cel.Type.DYN,
}

MAX_ROUNDS = 64
"""How many assignments may lean on one another for their types."""

_BY_SCHEMA = {**DECLARED_TYPES, "array": _LIST, "object": _MAP}
_NAMES = {kind.name(): name for name, kind in DECLARED_TYPES.items()}
_SAVED_AS_TEXT = (cel.Type.DURATION, cel.Type.BYTES)


def name_of(kind: cel.Type) -> str:
    """A type as an author declares it."""
    saved = as_saved(kind).name()
    return {"LIST": "list", "MAP": "map"}.get(saved.partition("<")[0]) or _NAMES.get(saved, "any")


def as_saved(kind: cel.Type) -> cel.Type:
    """Variables are saved as JSON, which has no bytes and durations, and moments only by themselves."""
    if kind in _SAVED_AS_TEXT:
        return cel.Type.STRING
    if kind == cel.Type.UINT:
        return cel.Type.INT
    family = kind.name().partition("<")[0]
    if family == "MAP":
        return _MAP
    if family == "LIST" and any(each in kind.name() for each in ("TIMESTAMP", "DURATION", "BYTES", "UINT")):
        return _LIST
    return cel.Type.DYN if family in ("NULL", "TYPE") else kind


class _Assignment(msgspec.Struct, frozen=True):
    name: str
    source: str
    pointer: str
    reads: frozenset[str]
    asks_about: frozenset[str]


class _Beside(msgspec.Struct, frozen=True):
    """What expressions may name beside variables: the words of the choices of some, and what is the bot's."""

    labelled: Sequence[str]
    builtins: Mapping[str, cel.Type]

    def environment(
        self, types: Mapping[str, cel.Type], labelled: Iterable[str], untyped: Iterable[str] = ()
    ) -> Environment:
        return Environment(types, labelled, untyped, builtins=self.builtins)


NOTHING_KNOWN: Mapping[str, str] = {}


def environment_of(
    document: Mapping[str, Any], report: Report, contact: Mapping[str, str] = NOTHING_KNOWN
) -> Environment:
    """The names and types of a document: declared ones, those that steps fill, those assigned.

    `contact` has the types of what is known of a person, as declared.
    """
    declared = {
        name: DECLARED_TYPES[d.get("type", "any")] for name, d in document.get("variables", {}).items()
    }
    filled = {name: common_type(kinds) for name, kinds in _filled(document).items()}
    types = {"start_payload": cel.Type.STRING, **filled, **declared}
    labelled = list(dict.fromkeys(_labelled(document)))
    assignments = [each for each in _assignments(document) if each.name not in types]
    beside = _Beside(labelled, _builtins_with(contact))
    return beside.environment(_with_assigned(types, assignments, beside, report), labelled)


def _builtins_with(contact: Mapping[str, str]) -> Mapping[str, cel.Type]:
    """The parts of `contact` one by one, so that a misspelt one is an error; any, where none is known."""
    if not contact:
        return BUILTINS
    parts = {
        f"contact.{name}": DECLARED_TYPES.get(kind, cel.Type.DYN)
        for name, kind in contact.items()
        if VARIABLE_NAME.fullmatch(name)
    }
    return {name: kind for name, kind in BUILTINS.items() if name != "contact"} | parts


def _labelled(document: Mapping[str, Any]) -> Iterator[str]:
    for step in document["steps"]:
        expected = step.get("expected_input") or {}
        if expected.get("type") in ("button", "buttons") and expected.get("variable"):
            yield expected["variable"]


def _filled(document: Mapping[str, Any]) -> dict[str, list[cel.Type]]:
    found: dict[str, list[cel.Type]] = {}
    for step in document["steps"]:
        for name, kinds in writers_of(step):
            found.setdefault(name, []).extend(kinds)
    return found


def writers_of(step: Mapping[str, Any]) -> Iterator[tuple[str, list[cel.Type]]]:
    """The variables that a step's input and action fill, with the types that each may get there."""
    expected = step.get("expected_input") or {}
    if expected.get("variable"):
        yield expected["variable"], types_of_answers(step)
    if (step.get("llm") or {}).get("variable"):
        yield step["llm"]["variable"], [_type_of_output(step["llm"].get("output") or {})]
    if (step.get("http") or {}).get("variable"):
        yield step["http"]["variable"], [_MAP]
    for name in (step.get("scenario") or {}).get("outputs", {}):
        yield name, [cel.Type.DYN]


def _type_of_output(output: Mapping[str, Any]) -> cel.Type:
    if output.get("type") != "object":
        return cel.Type.STRING
    described = (output.get("schema") or {}).get("type")
    return _BY_SCHEMA.get(described, cel.Type.DYN) if isinstance(described, str) else cel.Type.DYN


def type_of_answer(step: Mapping[str, Any]) -> cel.Type:
    """The one type of a step's answers."""
    return common_type(types_of_answers(step))


def types_of_answers(step: Mapping[str, Any]) -> list[cel.Type]:
    """The types that a step's input may give its variable: mostly one, of buttons those of their values."""
    expected = step.get("expected_input") or {"type": "button"}
    match expected["type"]:
        case "button":
            return _types_of_choices(step)
        case "buttons":
            kind = common_type(_types_of_choices(step))
            return [cel.Type.List(kind)]
        case "media":
            several = ((expected.get("validation") or {}).get("max") or 1) != 1
            return [cel.Type.List(_MAP) if several else _MAP]
    return [DECLARED_TYPES[ANSWERS[expected["type"]]]]


def _types_of_choices(step: Mapping[str, Any]) -> list[cel.Type]:
    choices = (button for button in step.get("buttons", []) if "url" not in button)
    return [cel.Type.DYN if "for_each" in each else type_of_value(each["value"]) for each in choices]


def _assignments(document: Mapping[str, Any]) -> Iterator[_Assignment]:
    for index, step in enumerate(document["steps"]):
        for place in ("before", "set"):
            for name, source in step.get(place, {}).items():
                pointer = f"/steps/{index}/{place}/{name}"
                yield _Assignment(name, source, pointer, *variables_in(source))


def _with_assigned(
    types: dict[str, cel.Type],
    assignments: Sequence[_Assignment],
    beside: _Beside,
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
        types = types | _types_of(ready, _environment_for(ready, types, beside, assigned))
        left = [each for each in left if each.name not in types]
    _report_circles(left, report)
    return types | {each.name: cel.Type.DYN for each in left}


def _environment_for(
    assignments: Sequence[_Assignment],
    types: Mapping[str, cel.Type],
    beside: _Beside,
    assigned: AbstractSet[str],
) -> Environment:
    """No more names than they need: there may be very many."""
    read = frozenset().union(*(each.reads for each in assignments))
    asked = frozenset().union(*(each.asks_about for each in assignments))
    known = {name: types[name] for name in read | asked if name in types}
    return beside.environment(known, read.intersection(beside.labelled), asked & assigned)


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
