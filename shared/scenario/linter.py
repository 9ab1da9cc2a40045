"""Finds what the schema cannot: meaning that would let a person down.

Errors refuse activation; warnings do not. Every finding has a stable code, a JSON pointer into the
document, words for the author, and, where it concerns a way through the scenario, the shortest one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.scenario.caps import MAX_INITIAL_BYTES
from shared.scenario.compiler import CompiledScenario, CompiledStep, compile_scenario
from shared.scenario.expressions import Expression, ExpressionError, type_of_value
from shared.scenario.findings import Finding, Severity
from shared.scenario.flow import Flow
from shared.scenario.graph import (
    Graph,
    choices_of,
    expects_button,
    max_attempts,
    may_be_empty,
    on_failure,
    waits,
)
from shared.scenario.inputs import as_typed, comparable, is_pattern
from shared.scenario.variables import name_of, types_of_answers

__all__ = ["Finding", "lint"]

MAX_FINDINGS = 1000

_STEP = re.compile(r"^/steps/(\d+)")


def lint(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The findings of a document whose form `document.read` has accepted: errors first."""
    found = dict.fromkeys(_Linter(document).findings())
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))[:MAX_FINDINGS]


class _Linter:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.graph = Graph(document)
        self.reports: list[tuple[str, ExpressionError]] = []
        self.compiled: CompiledScenario = compile_scenario(document, self._report)
        self.paths: dict[str, tuple[str, ...]] = {}

    def _report(self, pointer: str, error: ExpressionError) -> None:
        self.reports.append((pointer, error))

    def findings(self) -> Iterator[Finding]:
        yield from self._doubled_ids()
        yield from self._missing_steps()
        yield from self._broken_expressions()
        yield from self._types()
        for index, step in enumerate(self.document["steps"]):
            yield from self._input(step, f"/steps/{index}")
        yield from self._links()
        yield from self._languages()
        written = {name for name, _, _ in self._writes()}
        yield from Flow(self.document, self.graph, self.compiled, written).findings()

    def _finding(self, severity: Severity, code: str, pointer: str, message: str) -> Finding:
        match = _STEP.match(pointer)
        step_id = self.document["steps"][int(match[1])]["id"] if match else None
        path = self._path_to(step_id) if step_id else ()
        return Finding(
            severity=severity, code=code, pointer=pointer, message=message, step_id=step_id, path=path
        )

    def _path_to(self, step_id: str) -> tuple[str, ...]:
        if step_id not in self.paths:
            self.paths[step_id] = self.graph.path_to(step_id)
        return self.paths[step_id]

    def _error(self, code: str, pointer: str, message: str) -> Finding:
        return self._finding("error", code, pointer, message)

    # --- steps ----------------------------------------------------------------------------------

    def _doubled_ids(self) -> Iterator[Finding]:
        seen: set[str] = set()
        for index, step in enumerate(self.document["steps"]):
            if step["id"] in seen:
                yield self._error(
                    "duplicate_step", f"/steps/{index}/id", f"two steps are called “{step['id']}”"
                )
            seen.add(step["id"])

    def _missing_steps(self) -> Iterator[Finding]:
        for pointer, target in self._targets():
            if target not in self.graph.nodes:
                yield self._error("unknown_step", pointer, f"there is no step “{target}”")

    def _targets(self) -> Iterator[tuple[str, str]]:
        """Every place that names a step, reachable or not."""
        document = self.document
        yield "/start", self.graph.start
        if document.get("after_end", "tell") not in ("tell", "restart", "ignore"):
            yield "/after_end", document["after_end"]
        if default := (document.get("defaults") or {}).get("on_failure"):
            yield "/defaults/on_failure", default
        yield from _targets_of_conditions(document, "")
        for index, step in enumerate(document["steps"]):
            yield from _targets_of_step(step, f"/steps/{index}")

    # --- expressions and variables ----------------------------------------------------------------

    def _broken_expressions(self) -> Iterator[Finding]:
        for pointer, error in self.reports:
            code = "unknown_name" if error.undeclared else "bad_expression"
            yield self._error(code, pointer, f"{error.message} (character {error.column})")

    def _types(self) -> Iterator[Finding]:
        declared = {name: each["type"] for name, each in self.document.get("variables", {}).items()}
        kinds = {"start_payload": "string", **declared}
        for name, kind, pointer in self._writes():
            known = kinds.setdefault(name, kind)
            if "any" in (known, kind) or known == kind or (declared.get(name), kind) == ("number", "integer"):
                continue
            advice = "; declare it as a number" if {known, kind} == {"number", "integer"} else ""
            message = f"“{name}” is {_article(known)} elsewhere, and {_article(kind)} here{advice}"
            yield self._error("type_conflict", pointer, message)
        yield from self._initials()

    def _initials(self) -> Iterator[Finding]:
        size = len(msgspec.json.encode(self.compiled.initial))
        if size > MAX_INITIAL_BYTES:
            message = f"the initial values take {size} bytes; {MAX_INITIAL_BYTES} are the most"
            yield self._error("too_large", "/variables", message)
        for name, declaration in self.document.get("variables", {}).items():
            initial, wanted = declaration.get("initial"), declaration["type"]
            fits = wanted in ("any", name_of(type_of_value(initial)))
            if initial is not None and not fits and not (wanted == "number" and type(initial) is int):
                message = f"the initial value is not {_article(wanted)}"
                yield self._error("bad_initial", f"/variables/{name}/initial", message)

    def _writes(self) -> Iterator[tuple[str, str, str]]:
        """Every place that gives a variable a value: its name, the value's type, the pointer."""
        for index, step in enumerate(self.document["steps"]):
            at = f"/steps/{index}"
            if variable := (step.get("expected_input") or {}).get("variable"):
                kinds = {name_of(kind) for kind in types_of_answers(step)}
                is_mixed = len(kinds) > 1 and variable not in self.document.get("variables", {})
                for kind in ["any"] if is_mixed else sorted(kinds):
                    yield variable, kind, f"{at}/expected_input/variable"
            for place, assignments in _assignments(self.compiled.steps[step["id"]]):
                for name, expression in assignments:
                    yield name, name_of(expression.type), f"{at}/{place}/{name}"

    # --- inputs -----------------------------------------------------------------------------------

    def _input(self, step: Mapping[str, Any], at: str) -> Iterator[Finding]:
        expected = step.get("expected_input") or {}
        if expects_button(step) and not choices_of(step):
            yield self._error("no_buttons", f"{at}/expected_input", "a button is expected, and there is none")
        elif may_be_empty(step) and not step.get("when_empty"):
            message = "every choice has a show_if; say in when_empty where to go if none is left"
            yield self._error("when_empty_missing", at, message)
        yield from self._choices(step, at)
        yield from self._attempts(step, at)
        yield from self._validation(expected, at)

    def _choices(self, step: Mapping[str, Any], at: str) -> Iterator[Finding]:
        """Choices that a person cannot tell apart by typing; two conditional ones may never meet."""
        for words_of in (_labels_of, _value_of):
            seen: dict[str, Mapping[str, Any]] = {}
            for index, button in choices_of(step):
                for words in sorted(words_of(button)):
                    other = seen.setdefault(words, button)
                    if other is not button and not (other.get("show_if") and button.get("show_if")):
                        message = f"a person who types “{words}” could mean two of these choices"
                        yield self._error("ambiguous_choices", f"{at}/buttons/{index}", message)
                    if _COMMAND.match(words):
                        message = "this choice reads like the command /start"
                        yield self._error("choice_is_command", f"{at}/buttons/{index}", message)

    def _attempts(self, step: Mapping[str, Any], at: str) -> Iterator[Finding]:
        if waits(step) and max_attempts(self.document, step) and not on_failure(self.document, step):
            is_own = "max_attempts" in (step.get("expected_input") or {})
            pointer = f"{at}/expected_input/max_attempts" if is_own else "/defaults/max_attempts"
            message = "max_attempts needs on_failure: the step to go to then"
            yield self._error("on_failure_missing", pointer, message)

    def _validation(self, expected: Mapping[str, Any], at: str) -> Iterator[Finding]:
        validation = expected.get("validation") or {}
        pattern = validation.get("pattern")
        if pattern is not None and not is_pattern(pattern):
            pointer = f"{at}/expected_input/validation/pattern"
            yield self._error("bad_pattern", pointer, "this is not a regular expression (RE2)")
        least, most = validation.get("min_length"), validation.get("max_length")
        if least is not None and most is not None and least > most:
            pointer = f"{at}/expected_input/validation"
            yield self._error("bad_range", pointer, "min_length is more than max_length")

    def _links(self) -> Iterator[Finding]:
        for index, step in enumerate(self.document["steps"]):
            for place, button in enumerate(step.get("buttons", [])):
                for pointer, address in _by_language(
                    button.get("url", {}), f"/steps/{index}/buttons/{place}/url"
                ):
                    if not _ADDRESS.match(address):
                        message = "a link starts with https:// (or http://) and the name of its host"
                        yield self._error("bad_link", pointer, message)

    # --- languages --------------------------------------------------------------------------------

    def _languages(self) -> Iterator[Finding]:
        default = self.document.get("default_language")
        wanted = {*(self.document.get("languages") or []), *filter(None, [default])}
        for pointer, text in _texts(self.document, ""):
            if missing := sorted(wanted - set(text)):
                message = f"no words in {', '.join(missing)}"
                yield self._finding("warning", "missing_language", pointer, message)


_COMMAND = re.compile(r"/start(?:@\w+)?(?!\S)")
_ADDRESS = re.compile(r"https?://[^\s/?#{}]", re.IGNORECASE)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _assignments(step: CompiledStep) -> Iterator[tuple[str, tuple[tuple[str, Expression], ...]]]:
    yield "before", step.before
    yield "set", step.set


def _labels_of(button: Mapping[str, Any]) -> set[str]:
    return {comparable(words) for _, words in _by_language(button["text"], "") if "{{" not in words}


def _value_of(button: Mapping[str, Any]) -> set[str]:
    return {comparable(as_typed(button["value"]))}


def _by_language(text: str | Mapping[str, str], at: str) -> Iterator[tuple[str, str]]:
    """The wordings of a text with their pointers."""
    if isinstance(text, str):
        yield at, text
    else:
        yield from ((f"{at}/{language}", words) for language, words in text.items())


def _targets_of_conditions(owner: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for index, condition in enumerate(owner.get("conditions", [])):
        for branch in ("then", "else", "after"):
            if condition.get(branch) is not None:
                yield f"{at}/conditions/{index}/{branch}", condition[branch]


def _targets_of_step(step: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for name in ("next_step", "when_empty"):
        if step.get(name) is not None:
            yield f"{at}/{name}", step[name]
    if failure := (step.get("expected_input") or {}).get("on_failure"):
        yield f"{at}/expected_input/on_failure", failure
    for index, button in enumerate(step.get("buttons", [])):
        if button.get("next_step") is not None:
            yield f"{at}/buttons/{index}/next_step", button["next_step"]
    yield from _targets_of_conditions(step, at)


_TEXT_FIELDS = frozenset({"text", "url", "error_message"})


def _texts(part: Any, at: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every text written as a map of languages, with its pointer."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name in _TEXT_FIELDS and isinstance(value, Mapping):
                yield f"{at}/{name}", value
            elif name == "fallbacks":
                yield from ((f"{at}/{name}/{k}", v) for k, v in value.items() if isinstance(v, Mapping))
            else:
                yield from _texts(value, f"{at}/{name}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _texts(value, f"{at}/{index}")
