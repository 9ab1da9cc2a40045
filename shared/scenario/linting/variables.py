"""Variables: whether all that writes one agrees on its type, and what they begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from shared.scenario.caps import MAX_INITIAL_BYTES
from shared.scenario.compiled import CompiledStep
from shared.scenario.findings import Finding
from shared.scenario.kinds import fits, in_words
from shared.scenario.linting.steps import Raw, input_of
from shared.scenario.linting.subject import Subject
from shared.scenario.variables import name_of, writers_of


def check(subject: Subject) -> Iterator[Finding]:
    yield from _conflicts(subject)
    yield from _initials(subject)


def written_in(document: Raw) -> set[str]:
    """Every variable that something in a document gives a value."""
    found: set[str] = set()
    for step in document["steps"]:
        found |= {*step.get("before", {}), *step.get("set", {})}
        found |= {*(input_of(step).get("understand") or {}).get("fill", [])}
        found |= {name for name, _ in writers_of(step)}
    return found


def _conflicts(subject: Subject) -> Iterator[Finding]:
    declared = {name: each.get("type", "any") for name, each in subject.document.get("variables", {}).items()}
    kinds = {"start_payload": "string", **declared}
    for name, kind, pointer in _writes(subject, declared):
        known = kinds.setdefault(name, kind)
        if "any" in (known, kind) or known == kind or (declared.get(name), kind) == ("number", "integer"):
            continue
        advice = "; declare it as a number" if {known, kind} == {"number", "integer"} else ""
        message = f"“{name}” is {in_words(known)} elsewhere, and {in_words(kind)} here{advice}"
        yield subject.finding("type_conflict", pointer, message)


def _writes(subject: Subject, declared: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Every place that gives a variable a value of a known type: its name, the type, the pointer."""
    for at, step in subject.steps():
        for name, types in writers_of(step):
            kinds = {name_of(kind) for kind in types}
            is_mixed = len(kinds) > 1 and name not in declared
            for kind in ["any"] if is_mixed else sorted(kinds):
                yield name, kind, f"{at}{_place_of(step, name)}"
        yield from _assigned(subject.compiled.steps[step["id"]], at)


def _place_of(step: Raw, name: str) -> str:
    """Where a step's input or action names its variable."""
    for part in ("expected_input", "llm", "http"):
        if (step.get(part) or {}).get("variable") == name:
            return f"/{part}/variable"
    return f"/scenario/outputs/{name}"


def _assigned(step: CompiledStep, at: str) -> Iterator[tuple[str, str, str]]:
    for place, assignments in (("before", step.before), ("set", step.set)):
        for name, expression in assignments:
            yield name, name_of(expression.type), f"{at}/{place}/{name}"


# --- initial values --------------------------------------------------------------------------------


def _initials(subject: Subject) -> Iterator[Finding]:
    size = len(msgspec.json.encode(subject.compiled.initial))
    if size > MAX_INITIAL_BYTES:
        message = f"the initial values take {size} bytes; {MAX_INITIAL_BYTES} are the most"
        yield subject.finding("too_large", "/variables", message)
    for name, declaration in subject.document.get("variables", {}).items():
        initial, wanted = declaration.get("initial"), declaration.get("type", "any")
        if initial is not None and not _fits(initial, wanted):
            message = f"the initial value is not {in_words(wanted)}"
            yield subject.finding("bad_initial", f"/variables/{name}/initial", message)


def _fits(initial: Any, wanted: str) -> bool:
    return _is_day(initial) if wanted == "date" else fits(initial, wanted)


def _is_day(initial: Any) -> bool:
    try:
        return isinstance(initial, str) and date.fromisoformat(initial).isoformat() == initial
    except ValueError:
        return False
