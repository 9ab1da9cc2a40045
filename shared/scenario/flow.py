"""What the linter finds on the ways through a scenario: circles, dead ends, values that are not there yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from shared.scenario.caps import MAX_TURN_MESSAGES, MAX_TURN_STEPS
from shared.scenario.compiler import CompiledScenario, CompiledStep
from shared.scenario.expressions import Expression
from shared.scenario.findings import Finding, Severity
from shared.scenario.graph import (
    Edge,
    Graph,
    Node,
    Ways,
    consulted,
    leads_on,
    may_be_empty,
    may_be_skipped,
    waits,
    way_to,
)
from shared.scenario.texts import Template

_CONDITION = re.compile(r"(?P<step>/steps/\d+)?/conditions/(?P<index>\d+)/(?P<branch>then|else)")


class Flow:
    """The ways through one document. `written` are the variables that something in it sets."""

    def __init__(
        self, document: Mapping[str, Any], graph: Graph, compiled: CompiledScenario, written: Iterable[str]
    ) -> None:
        self.graph = graph
        self.compiled = compiled
        self.document = document
        self.written = frozenset(written) - {"start_payload"} - frozenset(compiled.initial)
        self.reachable = graph.reachable()
        self.ways_without: dict[frozenset[str], Ways] = {}

    def findings(self) -> Iterator[Finding]:
        circling: set[str] = set()
        for circle in self.graph.circles(self.graph.nodes.keys()):
            circling.update(circle)
            yield from self._circle(set(circle))
        yield from self._unreachable()
        yield from self._too_long(circling)
        for node in self.graph.nodes.values():
            if node.id in self.reachable:
                yield from self._unset(node)

    # --- circles ----------------------------------------------------------------------------------

    def _circle(self, circle: set[str]) -> Iterator[Finding]:
        """An error for what can only go round for ever; a warning where a condition may end it."""
        unguarded = circle - self._guards(circle)
        endless = self.graph.circles(unguarded)
        for each in endless:
            yield self._going_round("error", "endless_cycle", each, "")
        if not endless:
            nodes = sorted((self.graph.nodes[step] for step in circle), key=lambda node: node.index)
            yield self._going_round("warning", "cycle", [n.id for n in nodes], "; make sure that it ends")

    def _going_round(self, severity: Severity, code: str, circle: Iterable[str], advice: str) -> Finding:
        steps = list(circle)
        way = self.graph.circle_through(steps[0], set(steps))
        message = f"{' → '.join((*way, steps[0]))} goes round without a word from the person{advice}"
        return self._finding(severity, code, self.graph.nodes[steps[0]], message)

    def _guards(self, circle: set[str]) -> set[str]:
        """The steps of a circle whose way out reads what the circle changes."""
        nodes = [self.graph.nodes[step] for step in circle]
        changed = frozenset().union(*(node.before | node.set for node in nodes))
        return {node.id for node in nodes if changed & self._decided_by(node)}

    def _decided_by(self, node: Node) -> set[str]:
        """The variables that decide which way a step is left without a word from the person."""
        raw, step = self._raw(node), self.compiled.steps[node.id]
        expressions = [condition.if_ for condition in step.conditions]
        expressions += [self.compiled.conditions[index].if_ for index, _ in consulted(self.document, raw)]
        if may_be_empty(raw):
            expressions += [button.show_if for button in step.buttons]
        names = _variables(expressions)
        return names | {node.answer} if node.answer and may_be_skipped(raw) else names

    # --- ways -------------------------------------------------------------------------------------

    def _unreachable(self) -> Iterator[Finding]:
        for node in self.graph.nodes.values():
            if node.id not in self.reachable:
                yield self._finding(
                    "warning", "unreachable_step", node, f"no way leads to the step “{node.id}”"
                )

    def _too_long(self, circling: set[str]) -> Iterator[Finding]:
        """A turn that may be broken off for its length, where no circle is to blame."""
        ways = {
            node.id: [e.target for e in node.edges if e.silent and not e.once]
            for node in self.graph.nodes.values()
            if node.id not in circling
        }
        messages = {step: self.graph.nodes[step].messages for step in ways}
        for what, limit, own in (
            ("messages", MAX_TURN_MESSAGES, messages),
            ("steps", MAX_TURN_STEPS, dict.fromkeys(ways, 1)),
        ):
            lengths = self._lengths(ways, own)
            too_long = [step for step in lengths if lengths[step] > limit and step in self.reachable]
            if too_long:
                first = max(too_long, key=lambda step: (lengths[step], -self.graph.nodes[step].index))
                message = f"from here more than {limit} {what} may follow without a word from the person"
                yield self._finding("warning", "long_turn", self.graph.nodes[first], message)

    def _lengths(self, ways: Mapping[str, list[str]], own: Mapping[str, int]) -> Mapping[str, int]:
        """How much may follow from each step until the person is asked, going on as far as it matters."""
        lengths = own
        for _ in range(MAX_TURN_STEPS + 1):
            longer = {step: self._length(step, ways[step], own[step], lengths) for step in ways}
            if longer == lengths:
                break
            lengths = longer
        return lengths

    def _length(self, step: str, targets: list[str], own: int, lengths: Mapping[str, int]) -> int:
        onward = max((lengths.get(target, 0) for target in targets), default=0)
        return max(own, onward) if waits(self._raw(self.graph.nodes[step])) else own + onward

    # --- values -----------------------------------------------------------------------------------

    def _unset(self, node: Node) -> Iterator[Finding]:
        """Where a variable may have no value yet when a step prints it, or decides by it where to go."""
        step, raw = self.compiled.steps[node.id], self._raw(node)
        for name in sorted((_printed(step) & self.written) - node.before):
            message = f"on this way “{name}” has no value yet, and nothing is shown in its place"
            yield from self._if_unset(node, {name}, message)
        own = node.before | node.set | {node.answer}
        if not leads_on(raw) and not consulted(self.document, raw):
            for name in sorted((_needed(c.if_ for c in step.conditions) & self.written) - own):
                message = f"on this way “{name}” has no value yet, so the run may end here"
                yield from self._if_unset(node, {name}, message)
        yield from self._undecided_end(node, raw, own)

    def _undecided_end(
        self, node: Node, raw: Mapping[str, Any], own: AbstractSet[str | None]
    ) -> Iterator[Finding]:
        """Where no scenario-level condition is decided, because each lacks a value."""
        conditions = [self.compiled.conditions[index].if_ for index, _ in consulted(self.document, raw)]
        needed = [(_needed([condition]) & self.written) - own for condition in conditions]
        if needed and all(needed):
            names = set().union(*needed)
            listed = ", ".join(f"“{name}”" for name in sorted(names))
            message = f"on this way {listed} has no value yet: no condition is decided, and the run ends here"
            yield from self._if_unset(node, names, message)

    def _if_unset(self, node: Node, names: set[str], message: str) -> Iterator[Finding]:
        if path := way_to(self._ways_without(frozenset(names)), node.id):
            yield Finding(
                severity="warning",
                code="maybe_unset",
                message=message,
                pointer=node.pointer,
                step_id=node.id,
                path=path,
            )

    def _ways_without(self, names: frozenset[str]) -> Ways:
        """The ways on which none of the variables has a value yet."""
        if names not in self.ways_without:
            self.ways_without[names] = self.graph.ways(
                lambda node, edge: (
                    not names & self._needed_for(node, edge)
                    and not any(node.gives(edge, name) for name in names)
                )
            )
        return self.ways_without[names]

    def _needed_for(self, node: Node, edge: Edge) -> set[str]:
        """What must have a value for a condition to lead this way."""
        match = _CONDITION.fullmatch(edge.pointer)
        if match is None or (match["step"] and match["branch"] == "else"):
            return set()
        owner = self.compiled.steps[node.id] if match["step"] else self.compiled
        own = set() if match["step"] is None else node.before | node.set | {node.answer}
        return _needed([owner.conditions[int(match["index"])].if_]) - own

    def _raw(self, node: Node) -> Mapping[str, Any]:
        raw: Mapping[str, Any] = self.document["steps"][node.index]
        return raw

    def _finding(self, severity: Severity, code: str, node: Node, message: str) -> Finding:
        return Finding(
            severity=severity,
            code=code,
            message=message,
            pointer=node.pointer,
            step_id=node.id,
            path=self.graph.path_to(node.id),
        )


def _printed(step: CompiledStep) -> set[str]:
    texts = [*step.messages, *(button.text for button in step.buttons)]
    if step.input and step.input.error_message:
        texts.append(step.input.error_message)
    templates: list[Template] = [template for text in texts for template in text.by_language.values()]
    templates += [url for button in step.buttons for url in (button.url or {}).values()]
    return _needed(expression for template in templates for expression in template.expressions)


def _needed(expressions: Iterable[Expression | None]) -> set[str]:
    """The variables without whose values an expression is not decided, unless it asks whether they are."""
    found: set[str] = set()
    for expression in expressions:
        names = expression.names if expression else ()
        asked = {name.removeprefix("answered.") for name in names if name.startswith("answered.")}
        found |= {name.removeprefix("label.") for name in names} - asked
    return found


def _variables(expressions: Iterable[Expression | None]) -> set[str]:
    """All variables that expressions read, be it their words or whether they have a value."""
    names = {name for expression in expressions if expression for name in expression.names}
    return {name.removeprefix("label.").removeprefix("answered.") for name in names}
