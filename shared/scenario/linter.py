"""Finds what the schema cannot: meaning that would let a person down.

Errors refuse activation; warnings do not. Every finding has a stable code, a JSON pointer into the
document, words for the author, and, where it concerns a way through the scenario, the shortest one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from shared.scenario.compiler import DECLARED_TYPES, CompiledScenario, CompiledStep, compile_scenario
from shared.scenario.expressions import Expression, ExpressionError, type_of_value
from shared.scenario.graph import Edge, Graph, Node, choices_of
from shared.scenario.inputs import comparable, matches
from shared.scenario.texts import Text

Severity = Literal["error", "warning"]

_STEP = re.compile(r"^/steps/(\d+)")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend. `path` holds step ids from the start, or nothing."""

    severity: Severity
    code: str
    message: str
    pointer: str
    step_id: str | None = None
    path: tuple[str, ...] = ()


def lint(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """All findings of a document whose form `document.read` has accepted: errors first."""
    found = dict.fromkeys(_Linter(document).findings())
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))


class _Linter:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.graph = Graph(document)
        self.reports: list[tuple[str, ExpressionError]] = []
        self.compiled: CompiledScenario = compile_scenario(document, self._report)
        self.reachable = self.graph.reachable()

    def _report(self, pointer: str, error: ExpressionError) -> None:
        self.reports.append((pointer, error))

    def findings(self) -> Iterator[Finding]:
        yield from self._doubled_ids()
        yield from self._missing_steps()
        yield from self._broken_expressions()
        yield from self._types()
        for index, step in enumerate(self.document["steps"]):
            yield from self._input(step, f"/steps/{index}")
        yield from self._cycles()
        yield from self._unreachable()
        yield from self._missing_languages()
        for node in self.graph.nodes.values():
            yield from self._unset(node)

    def _finding(self, severity: Severity, code: str, pointer: str, message: str) -> Finding:
        match = _STEP.match(pointer)
        step_id = self.document["steps"][int(match[1])]["id"] if match else None
        path = self.graph.path_to(step_id) if step_id else ()
        return Finding(
            severity=severity, code=code, pointer=pointer, message=message, step_id=step_id, path=path
        )

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
        if on_failure := (document.get("defaults") or {}).get("on_failure"):
            yield "/defaults/on_failure", on_failure
        yield from _targets_of_conditions(document, "")
        for index, step in enumerate(document["steps"]):
            yield from _targets_of_step(step, f"/steps/{index}")

    def _unreachable(self) -> Iterator[Finding]:
        for node in self.graph.nodes.values():
            if node.id not in self.reachable:
                message = f"no way leads to the step “{node.id}”"
                yield self._finding("warning", "unreachable_step", node.pointer, message)

    def _cycles(self) -> Iterator[Finding]:
        for circle in self.graph.cycles_without_person():
            nodes = [self.graph.nodes[step] for step in circle]
            message = f"the steps {' → '.join((*circle, circle[0]))} go round without a word from the person"
            if self._may_leave(nodes):
                message += "; make sure that they end"
                yield self._finding("warning", "cycle", nodes[0].pointer, message)
            else:
                yield self._error("endless_cycle", nodes[0].pointer, message)

    def _may_leave(self, circle: list[Node]) -> bool:
        """Whether a condition in the circle reads what the circle changes."""
        changed = {name for node in circle for name in node.sets}
        steps = [self.compiled.steps[node.id] for node in circle]
        conditions = [c.if_ for step in steps for c in step.conditions]
        conditions += [c.if_ for c in self.compiled.conditions]
        return any(changed & set(expression.names) for expression in conditions if expression)

    # --- expressions and variables ----------------------------------------------------------------

    def _broken_expressions(self) -> Iterator[Finding]:
        for pointer, error in self.reports:
            code = "unknown_name" if error.undeclared else "bad_expression"
            yield self._error(code, pointer, f"{error.message} (character {error.column})")

    def _types(self) -> Iterator[Finding]:
        writers: dict[str, dict[str, str]] = {}
        for name, declaration in self.document.get("variables", {}).items():
            writers[name] = {declaration["type"]: f"/variables/{name}"}
            yield from self._initial(name, declaration)
        for name, kind, pointer in self._writes():
            kinds = writers.setdefault(name, {})
            if kinds and kind not in kinds and not {"any", "dyn"} & {kind, *kinds}:
                message = f"“{name}” is {_article(next(iter(kinds)))} elsewhere, and {_article(kind)} here"
                yield self._error("type_conflict", pointer, message)
            kinds.setdefault(kind, pointer)

    def _initial(self, name: str, declaration: Mapping[str, Any]) -> Iterator[Finding]:
        initial, wanted = declaration.get("initial"), declaration["type"]
        fits = wanted in ("any", _NAME_OF_TYPE.get(type_of_value(initial).name(), "any"))
        if initial is not None and not fits and not (wanted == "number" and type(initial) is int):
            message = f"the initial value is not {_article(wanted)}"
            yield self._error("bad_initial", f"/variables/{name}/initial", message)

    def _writes(self) -> Iterator[tuple[str, str, str]]:
        """Every place that gives a variable a value: its name, the value's type, the pointer."""
        for index, step in enumerate(self.document["steps"]):
            at = f"/steps/{index}"
            expected = step.get("expected_input") or {}
            if variable := expected.get("variable"):
                pointer = f"{at}/expected_input/variable"
                for kind in _types_of_answers(step, expected):
                    yield variable, kind, pointer
            compiled = self.compiled.steps.get(step["id"])
            for place, assignments in _assignments(compiled):
                for name, expression in assignments:
                    yield name, _NAME_OF_TYPE.get(expression.type.name(), "any"), f"{at}/{place}/{name}"

    def _unset(self, node: Node) -> Iterator[Finding]:
        """Names that a step prints or decides by, with a way there on which they have no value."""
        if node.id not in self.reachable:
            return
        given = {"start_payload", *self.compiled.initial}
        step = self.compiled.steps[node.id]
        own = {name for name, _ in step.before}
        for name in sorted(_printed_names(step) - given - own):
            path = self.graph.path_to(node.id, lambda n, e, name=name: not _gives(n, e, name))  # type: ignore[misc]
            if path and name in self._variables():
                yield Finding(
                    severity="warning",
                    code="maybe_unset",
                    message=f"on this way “{name}” has no value yet, and nothing is shown in its place",
                    pointer=node.pointer,
                    step_id=node.id,
                    path=path,
                )

    def _variables(self) -> set[str]:
        return {name for name, _, _ in self._writes()}

    # --- inputs -----------------------------------------------------------------------------------

    def _input(self, step: Mapping[str, Any], at: str) -> Iterator[Finding]:
        expected = step.get("expected_input") or {}
        choices = choices_of(step)
        if expected.get("type") == "button" and not choices:
            yield self._error("no_buttons", f"{at}/expected_input", "a button is expected, and there is none")
        yield from self._choices(step, choices, at)
        yield from self._attempts(expected, at)
        yield from self._validation(expected, at)

    def _choices(
        self, step: Mapping[str, Any], choices: list[tuple[int, Mapping[str, Any]]], at: str
    ) -> Iterator[Finding]:
        is_button = (step.get("expected_input") or {}).get("type", "button") == "button"
        all_conditional = choices and all(button.get("show_if") for _, button in choices)
        if is_button and all_conditional and not step.get("when_empty"):
            message = "every choice has a show_if; say in when_empty where to go if none is left"
            yield self._error("when_empty_missing", at, message)
        seen: dict[str, int] = {}
        for index, button in choices:
            for words in _words_of(button):
                if words == "start":
                    message = "this choice reads like the command /start"
                    yield self._error("choice_is_command", f"{at}/buttons/{index}", message)
                if seen.setdefault(words, index) != index and not button.get("show_if"):
                    message = f"a person who types “{words}” could mean two of these choices"
                    yield self._error("ambiguous_choices", f"{at}/buttons/{index}", message)

    def _attempts(self, expected: Mapping[str, Any], at: str) -> Iterator[Finding]:
        defaults = self.document.get("defaults") or {}
        limit = expected.get("max_attempts", defaults.get("max_attempts"))
        if expected and limit and not expected.get("on_failure", defaults.get("on_failure")):
            message = "max_attempts needs on_failure: the step to go to then"
            yield self._error("on_failure_missing", f"{at}/expected_input", message)

    def _validation(self, expected: Mapping[str, Any], at: str) -> Iterator[Finding]:
        validation = expected.get("validation") or {}
        pattern = validation.get("pattern")
        if pattern is not None and matches("", pattern) is None:
            pointer = f"{at}/expected_input/validation/pattern"
            yield self._error("bad_pattern", pointer, "this is not a regular expression (RE2)")
        least, most = validation.get("min_length"), validation.get("max_length")
        if least is not None and most is not None and least > most:
            pointer = f"{at}/expected_input/validation"
            yield self._error("bad_range", pointer, "min_length is more than max_length")

    # --- languages --------------------------------------------------------------------------------

    def _missing_languages(self) -> Iterator[Finding]:
        wanted = set(self.document.get("languages") or [])
        for pointer, text in _texts(self.document, ""):
            missing = sorted(wanted - set(text))
            if missing:
                message = f"no words in {', '.join(missing)}"
                yield self._finding("warning", "missing_language", pointer, message)


_NAME_OF_TYPE = {
    **{kind.name(): name for name, kind in DECLARED_TYPES.items()},
    "TIMESTAMP": "string",
    "DURATION": "string",
    "BYTES": "string",
}


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _types_of_answers(step: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """One type for a text; for buttons their values', where mixed ones are the author's own choice."""
    if expected["type"] != "button":
        return ["string"]
    kinds = {_NAME_OF_TYPE.get(type_of_value(b["value"]).name(), "any") for _, b in choices_of(step)}
    return list(kinds) if len(kinds) == 1 else []


def _assignments(
    step: CompiledStep | None,
) -> Iterator[tuple[str, tuple[tuple[str, Expression], ...]]]:
    if step:
        yield "before", step.before
        yield "set", step.set


def _printed_names(step: CompiledStep) -> set[str]:
    texts: list[Text] = [*step.messages, *(button.text for button in step.buttons)]
    expressions = [e for text in texts for t in text.by_language.values() for e in t.expressions]
    expressions += [c.if_ for c in step.conditions if c.if_ and not c.has_else]
    return {name.removeprefix("label.") for e in expressions for name in e.names}


def _gives(node: Node, edge: Edge, name: str) -> bool:
    return name in node.sets or (edge.stores and name == node.answer)


def _words_of(button: Mapping[str, Any]) -> set[str]:
    text = button["text"]
    words = [text] if isinstance(text, str) else list(text.values())
    value = button["value"]
    typed = str(value).lower() if isinstance(value, bool) else str(value)
    return {comparable(each) for each in (*words, typed) if "{{" not in each}


def _targets_of_conditions(owner: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for index, condition in enumerate(owner.get("conditions", [])):
        for branch in ("then", "else", "after"):
            if condition.get(branch) is not None:
                yield f"{at}/conditions/{index}/{branch}", condition[branch]


def _targets_of_step(step: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for name in ("next_step", "when_empty"):
        if step.get(name) is not None:
            yield f"{at}/{name}", step[name]
    if on_failure := (step.get("expected_input") or {}).get("on_failure"):
        yield f"{at}/expected_input/on_failure", on_failure
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
