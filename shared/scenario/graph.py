"""Where the steps of a document lead: edges, shortest paths, circles."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Ways = Mapping[str, str | None]
"""For each step that can be reached the one before it, None where the way begins."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a step.

    `stores` tells whether the step's answer is stored on this way, `assigns` whether its `set` is
    carried out, `silent` whether it is taken without a word from the person, `once` whether it is
    taken at most once in a run (a scenario-level condition without `after`).
    """

    target: str
    pointer: str
    stores: bool = True
    assigns: bool = True
    silent: bool = False
    once: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A step in the graph; `before` and `set` are the variables that it assigns there."""

    id: str
    index: int
    answer: str | None
    before: frozenset[str]
    set: frozenset[str]
    messages: int
    edges: tuple[Edge, ...]

    @property
    def pointer(self) -> str:
        return f"/steps/{self.index}"

    def gives(self, edge: Edge, name: str) -> bool:
        """Whether a variable surely has a value once the step is left on this way."""
        stored = edge.stores and name == self.answer
        return stored or name in self.before or (edge.assigns and name in self.set)


class Graph:
    """The steps of a document by id (of doubled ids the first counts, as when it runs)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        steps = document["steps"]
        self.start: str = document.get("start") or steps[0]["id"]
        self.nodes: dict[str, Node] = {}
        for index, step in enumerate(steps):
            self.nodes.setdefault(step["id"], _node(document, step, index))
        after_end = document.get("after_end", "tell")
        self.roots = [self.start] + ([after_end] if after_end in self.nodes else [])

    def path_to(
        self, target: str, may_pass: Callable[[Node, Edge], bool] = lambda _node, _edge: True
    ) -> tuple[str, ...]:
        """The shortest way from a root to a step by edges that may be passed; () if there is none."""
        return way_to(self.ways(may_pass), target)

    def ways(self, may_pass: Callable[[Node, Edge], bool]) -> Ways:
        """Every step that can be reached from a root by edges that may be passed, each the shortest way."""
        return self._ways([root for root in self.roots if root in self.nodes], may_pass)

    def circle_through(self, step: str, within: Collection[str]) -> tuple[str, ...]:
        """The shortest way round from a step to itself by silent edges among the given steps."""

        def may_pass(_node: Node, edge: Edge) -> bool:
            return _goes_round(edge) and edge.target in within

        starts = [e.target for e in self.nodes[step].edges if may_pass(self.nodes[step], e)]
        return (step, *way_to(self._ways(starts, may_pass), step)[:-1])

    def _ways(self, starts: list[str], may_pass: Callable[[Node, Edge], bool]) -> Ways:
        came_from: dict[str, str | None] = dict.fromkeys(starts)
        waiting = deque(came_from)
        while waiting:
            here = waiting.popleft()
            for edge in self.nodes[here].edges:
                is_new = edge.target in self.nodes and edge.target not in came_from
                if is_new and may_pass(self.nodes[here], edge):
                    came_from[edge.target] = here
                    waiting.append(edge.target)
        return came_from

    def reachable(self) -> set[str]:
        found: set[str] = set()
        waiting = [root for root in self.roots if root in self.nodes]
        while waiting:
            here = waiting.pop()
            if here not in found:
                found.add(here)
                waiting.extend(e.target for e in self.nodes[here].edges if e.target in self.nodes)
        return found

    def circles(self, within: Collection[str]) -> list[tuple[str, ...]]:
        """The given steps that can go round without a word from the person, in sets that meet.

        Each set is strongly connected by silent edges, in document order.
        """
        reach = {step: self._reach(step, within) for step in self.nodes if step in within}
        found = {
            tuple(other for other in reach if other in reach[step] and step in reach[other])
            for step in reach
            if step in reach[step]
        }
        return sorted(found, key=lambda circle: self.nodes[circle[0]].index)

    def _reach(self, step: str, within: Collection[str]) -> set[str]:
        found: set[str] = set()
        waiting = [step]
        while waiting:
            for edge in self.nodes[waiting.pop()].edges:
                is_within = edge.target in within and edge.target in self.nodes
                if _goes_round(edge) and is_within and edge.target not in found:
                    found.add(edge.target)
                    waiting.append(edge.target)
        return found


def _goes_round(edge: Edge) -> bool:
    return edge.silent and not edge.once


def way_to(ways: Ways, target: str) -> tuple[str, ...]:
    """The steps on the way to one, with both ends; () if there is none."""
    if target not in ways:
        return ()
    steps = [target]
    while (before := ways[steps[-1]]) is not None:
        steps.append(before)
    return tuple(reversed(steps))


def choices_of(step: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """A step's choice buttons with their places in its list of buttons."""
    return [(i, button) for i, button in enumerate(step.get("buttons", [])) if "url" not in button]


def waits(step: Mapping[str, Any]) -> bool:
    return bool(step.get("expected_input") or choices_of(step))


def expects_button(step: Mapping[str, Any]) -> bool:
    """Whether a button is the answer, as opposed to a quick reply in a question of another type."""
    expected = step.get("expected_input")
    return expected["type"] == "button" if expected else bool(choices_of(step))


def may_be_empty(step: Mapping[str, Any]) -> bool:
    """Whether a question may be left with no choice to show."""
    return expects_button(step) and all(button.get("show_if") for _, button in choices_of(step))


def may_be_skipped(step: Mapping[str, Any]) -> bool:
    """Whether a question may be passed without asking it."""
    expected = step.get("expected_input") or {}
    return bool(expected.get("skip_if_set") and expected.get("variable"))


def max_attempts(document: Mapping[str, Any], step: Mapping[str, Any]) -> int | None:
    return _or_default(document, step, "max_attempts")  # type: ignore[no-any-return]


def on_failure(document: Mapping[str, Any], step: Mapping[str, Any]) -> str | None:
    return _or_default(document, step, "on_failure")  # type: ignore[no-any-return]


def _or_default(document: Mapping[str, Any], step: Mapping[str, Any], name: str) -> Any:
    defaults = document.get("defaults") or {}
    return (step.get("expected_input") or {}).get(name, defaults.get(name))


def consulted(document: Mapping[str, Any], step: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """The scenario-level conditions, with their places, that decide where a step leads; mostly none."""
    conditions = [] if leads_on(step) else document.get("conditions", [])
    return [(i, each) for i, each in enumerate(conditions) if each.get("after") in (None, step["id"])]


def leads_on(step: Mapping[str, Any]) -> bool:
    """Whether a step says by itself what follows, whatever is decided."""
    has_else = any("else" in condition for condition in step.get("conditions", []))
    return bool(step.get("end") or step.get("next_step") or has_else)


def _node(document: Mapping[str, Any], step: Mapping[str, Any], index: int) -> Node:
    message = step.get("message", [])
    return Node(
        id=step["id"],
        index=index,
        answer=(step.get("expected_input") or {}).get("variable"),
        before=frozenset(step.get("before", {})),
        set=frozenset(step.get("set", {})),
        messages=1 if isinstance(message, Mapping) else len(message),
        edges=tuple(_edges(document, step, f"/steps/{index}")),
    )


def _edges(document: Mapping[str, Any], step: Mapping[str, Any], at: str) -> Iterator[Edge]:
    if waits(step):
        yield from _edges_of_input(document, step, at)
    if not step.get("end") and not _every_choice_leads_on(step):
        silent = not waits(step) or may_be_skipped(step)
        yield from _edges_on_leaving(document, step, at, silent=silent)


def _every_choice_leads_on(step: Mapping[str, Any]) -> bool:
    choices = choices_of(step)
    all_lead_on = bool(choices) and all(button.get("next_step") for _, button in choices)
    return expects_button(step) and all_lead_on and not may_be_skipped(step)


def _edges_of_input(document: Mapping[str, Any], step: Mapping[str, Any], at: str) -> Iterator[Edge]:
    for index, button in choices_of(step):
        if button.get("next_step") and not step.get("end"):
            pointer = f"{at}/buttons/{index}/next_step"
            yield Edge(button["next_step"], pointer, stores=expects_button(step))
    if step.get("when_empty") and may_be_empty(step):
        yield Edge(step["when_empty"], f"{at}/when_empty", stores=False, assigns=False, silent=True)
    failure = on_failure(document, step)
    if failure and max_attempts(document, step):
        is_own = "on_failure" in (step.get("expected_input") or {})
        pointer = f"{at}/expected_input/on_failure" if is_own else "/defaults/on_failure"
        yield Edge(failure, pointer, stores=False, assigns=False)


def _edges_on_leaving(
    document: Mapping[str, Any], step: Mapping[str, Any], at: str, *, silent: bool
) -> Iterator[Edge]:
    for index, condition in enumerate(step.get("conditions", [])):
        yield from _edges_of_condition(condition, f"{at}/conditions/{index}", silent=silent)
        if "else" in condition:
            return
    if step.get("next_step"):
        yield Edge(step["next_step"], f"{at}/next_step", silent=silent)
    for index, condition in consulted(document, step):
        once = condition.get("after") is None
        yield from _edges_of_condition(condition, f"/conditions/{index}", silent=silent, once=once)


def _edges_of_condition(
    condition: Mapping[str, Any], at: str, *, silent: bool, once: bool = False
) -> Iterator[Edge]:
    for branch in ("then", "else"):
        if condition.get(branch):
            yield Edge(condition[branch], f"{at}/{branch}", silent=silent, once=once)
