"""Where the steps of a document lead: edges, shortest paths, cycles."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a step.

    `stores` tells whether the step's answer is stored on this way, `once` whether it is taken at most
    once in a run (a scenario-level condition without `after`).
    """

    target: str
    pointer: str
    stores: bool = True
    once: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A step in the graph. `sets` are variables that leaving it gives a value, besides its answer."""

    id: str
    index: int
    waits: bool
    answer: str | None
    sets: frozenset[str]
    edges: tuple[Edge, ...]

    @property
    def pointer(self) -> str:
        return f"/steps/{self.index}"


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
        came_from: dict[str, str | None] = {root: None for root in self.roots if root in self.nodes}
        waiting = deque(came_from)
        while waiting:
            here = waiting.popleft()
            if here == target:
                return tuple(_backwards(came_from, here))[::-1]
            for edge in self.nodes[here].edges:
                is_new = edge.target in self.nodes and edge.target not in came_from
                if is_new and may_pass(self.nodes[here], edge):
                    came_from[edge.target] = here
                    waiting.append(edge.target)
        return ()

    def reachable(self) -> set[str]:
        found: set[str] = set()
        waiting = [root for root in self.roots if root in self.nodes]
        while waiting:
            here = waiting.pop()
            if here not in found:
                found.add(here)
                waiting.extend(e.target for e in self.nodes[here].edges if e.target in self.nodes)
        return found

    def cycles_without_person(self) -> list[tuple[str, ...]]:
        """Each strongly connected set of steps that do not wait, in document order."""
        silent = {n.id: n for n in self.nodes.values() if not n.waits}
        reach = {step: self._reach_within(step, silent) for step in silent}
        found: list[tuple[str, ...]] = []
        for step in silent:
            circle = tuple(other for other in silent if other in reach[step] and step in reach[other])
            if step in reach[step] and circle not in found:
                found.append(circle)
        return found

    @staticmethod
    def _reach_within(step: str, nodes: Mapping[str, Node]) -> set[str]:
        found: set[str] = set()
        waiting = [edge.target for edge in nodes[step].edges if not edge.once]
        while waiting:
            here = waiting.pop()
            if here in nodes and here not in found:
                found.add(here)
                waiting.extend(edge.target for edge in nodes[here].edges if not edge.once)
        return found


def _backwards(came_from: Mapping[str, str | None], step: str) -> Iterator[str]:
    here: str | None = step
    while here is not None:
        yield here
        here = came_from[here]


def choices_of(step: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """A step's choice buttons with their places in its list of buttons."""
    return [(i, button) for i, button in enumerate(step.get("buttons", [])) if "url" not in button]


def waits(step: Mapping[str, Any]) -> bool:
    return bool(step.get("expected_input") or choices_of(step))


def _node(document: Mapping[str, Any], step: Mapping[str, Any], index: int) -> Node:
    expected = step.get("expected_input") or {}
    return Node(
        id=step["id"],
        index=index,
        waits=waits(step) and not expected.get("skip_if_set"),
        answer=expected.get("variable"),
        sets=frozenset([*step.get("before", {}), *step.get("set", {})]),
        edges=tuple(_edges(document, step, f"/steps/{index}")),
    )


def _edges(document: Mapping[str, Any], step: Mapping[str, Any], at: str) -> Iterator[Edge]:
    if waits(step):
        yield from _edges_of_input(document, step, at)
    if not step.get("end"):
        yield from _edges_on_leaving(document, step, at)


def _edges_of_input(document: Mapping[str, Any], step: Mapping[str, Any], at: str) -> Iterator[Edge]:
    expected = step.get("expected_input") or {}
    is_button = expected.get("type", "button") == "button"
    for index, button in choices_of(step):
        if button.get("next_step") and not step.get("end"):
            yield Edge(button["next_step"], f"{at}/buttons/{index}/next_step", stores=is_button)
    if step.get("when_empty"):
        yield Edge(step["when_empty"], f"{at}/when_empty", stores=False)
    default = (document.get("defaults") or {}).get("on_failure")
    if expected.get("on_failure"):
        yield Edge(expected["on_failure"], f"{at}/expected_input/on_failure", stores=False)
    elif default:
        yield Edge(default, "/defaults/on_failure", stores=False)


def _edges_on_leaving(document: Mapping[str, Any], step: Mapping[str, Any], at: str) -> Iterator[Edge]:
    for index, condition in enumerate(step.get("conditions", [])):
        yield from _edges_of_condition(condition, f"{at}/conditions/{index}")
        if "else" in condition:
            return
    if step.get("next_step"):
        yield Edge(step["next_step"], f"{at}/next_step")
        return
    for index, condition in enumerate(document.get("conditions", [])):
        if condition.get("after") in (None, step["id"]):
            once = condition.get("after") is None
            yield from _edges_of_condition(condition, f"/conditions/{index}", once=once)


def _edges_of_condition(condition: Mapping[str, Any], at: str, *, once: bool = False) -> Iterator[Edge]:
    for branch in ("then", "else"):
        if condition.get(branch):
            yield Edge(condition[branch], f"{at}/{branch}", once=once)
