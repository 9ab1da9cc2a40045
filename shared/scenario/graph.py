"""Where the steps of a document lead: edges, shortest paths, circles."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.scenario.linting.edges import (
    Edge,
    LevelWay,
    Passage,
    Passages,
    Values,
    edges_of,
    level_of,
    values_of,
    way_of_leaving,
)
from shared.scenario.linting.steps import may_be_skipped, may_end, messages_of, waits

__all__ = ["Edge", "Graph", "Node", "Ways", "way_to"]

Ways = Mapping[str, str | None]
"""For each step that can be reached the one before it, None where the way begins."""


@dataclass(frozen=True, slots=True)
class Node:
    """A step in the graph.

    `asks` tells whether it waits for the person in any case, `ends` whether the run may be over with it.
    `messages` it says when it is entered, `replies` once its action is done. `leaving` is how it is left
    in the ordinary manner, wherever that leads.
    """

    id: str
    index: int
    values: Values
    messages: int
    replies: int
    asks: bool
    ends: bool
    edges: tuple[Edge, ...]
    leaving: Edge
    called: Passage = field(default_factory=Passage)

    @property
    def pointer(self) -> str:
        return f"/steps/{self.index}"


def _unknown(_scenario_id: str) -> Passage:
    return Passage()


class Graph:
    """The steps of a document by id (of doubled ids the first counts, as when it runs).

    `roots` are where a run may begin: its start, the step after the end, and those that commands lead to,
    `interludes` the last of these from which one comes back.
    """

    def __init__(self, document: Mapping[str, Any], passage: Passages = _unknown) -> None:
        steps = document["steps"]
        self.start: str = document.get("start") or steps[0]["id"]
        self.nodes: dict[str, Node] = {}
        level = level_of(document)
        for index, step in enumerate(steps):
            if step["id"] not in self.nodes:
                self.nodes[step["id"]] = _node(document, step, index, passage, level)
        commands = document.get("commands", {}).values()
        after_end = document.get("after_end", "tell")
        main = [self.start, after_end, *(c.get("next_step") for c in commands if not c.get("resume"))]
        returning = [c["next_step"] for c in commands if c.get("resume")]
        self.interludes = self._known(each for each in returning if each not in main)
        self.roots = self._known([self.start, after_end, *(c.get("next_step") for c in commands)])

    def _known(self, targets: Iterable[str | None]) -> list[str]:
        return list(dict.fromkeys(target for target in targets if target in self.nodes))

    # --- ways -------------------------------------------------------------------------------------

    def ways(
        self,
        may_pass: Callable[[Node, Edge], bool] = lambda _node, _edge: True,
        *,
        interludes: bool = True,
    ) -> Ways:
        """Every step that can be reached by edges that may be passed, each the shortest way."""
        left_out = () if interludes else self.interludes
        came_from: dict[str, str | None] = {root: None for root in self.roots if root not in left_out}
        waiting = deque(came_from)
        while waiting:
            node = self.nodes[waiting.popleft()]
            for edge in node.edges:
                if edge.target not in came_from and edge.target in self.nodes and may_pass(node, edge):
                    came_from[edge.target] = node.id
                    waiting.append(edge.target)
        return came_from

    # --- circles ----------------------------------------------------------------------------------

    def circle_through(self, step: str, within: Collection[str]) -> tuple[str, ...]:
        """The shortest way round from a step to itself by silent edges among the given steps."""
        came_from: dict[str, str | None] = {step: None}
        waiting = deque([step])
        while waiting:
            here = waiting.popleft()
            for target in self.onward(here, within):
                if target == step:
                    return way_to(came_from, here)
                if target not in came_from:
                    came_from[target] = here
                    waiting.append(target)
        return ()

    def onward(self, step: str, within: Collection[str]) -> list[str]:
        """Where a step leads again and again without a word from the person, among the given steps."""
        return [e.target for e in self.nodes[step].edges if e.silent and not e.once and e.target in within]

    def circles(self, within: Collection[str]) -> list[tuple[str, ...]]:
        """The given steps that can go round without a word from the person, in sets that meet.

        Each set is strongly connected by silent edges, in document order.
        """
        here = {step: self.onward(step, within) for step in self.nodes if step in within}
        sets = [each for each in _strongly_connected(here) if len(each) > 1 or each[0] in here[each[0]]]
        ordered = [tuple(sorted(each, key=lambda step: self.nodes[step].index)) for each in sets]
        return sorted(ordered, key=lambda circle: self.nodes[circle[0]].index)

    def backwards(self, within: Collection[str]) -> list[str]:
        """The given steps, each after all that follow it without a word from the person, but in circles."""
        onward = {
            step: [e.target for e in self.nodes[step].edges if e.silent and e.target in within]
            for step in self.nodes
            if step in within
        }
        seen: set[str] = set()
        return [step for root in onward for step in _finished(root, onward, seen)]


def way_to(ways: Ways, target: str) -> tuple[str, ...]:
    """The steps on the way to one, with both ends; () if there is none."""
    if target not in ways:
        return ()
    steps = [target]
    while (before := ways[steps[-1]]) is not None:
        steps.append(before)
    return tuple(reversed(steps))


def _strongly_connected(onward: Mapping[str, list[str]]) -> list[list[str]]:
    """By depth-first search forwards, then backwards in the order of finishing (Kosaraju)."""
    backward: dict[str, list[str]] = {step: [] for step in onward}
    for step, targets in onward.items():
        for target in targets:
            backward[target].append(step)
    seen: set[str] = set()
    finished = [step for root in onward for step in _finished(root, onward, seen)]
    seen.clear()
    return [found for root in reversed(finished) if (found := _finished(root, backward, seen))]


def _finished(root: str, onward: Mapping[str, list[str]], seen: set[str]) -> list[str]:
    """The steps first reached from here, in the order in which nothing is left to be reached from them."""
    if root in seen:
        return []
    found: list[str] = []
    seen.add(root)
    waiting = [(root, iter(onward[root]))]
    while waiting:
        step, targets = waiting[-1]
        target = next((target for target in targets if target not in seen), None)
        if target is None:
            found.append(step)
            waiting.pop()
        else:
            seen.add(target)
            waiting.append((target, iter(onward[target])))
    return found


def _node(
    document: Mapping[str, Any], step: Mapping[str, Any], index: int, passage: Passages, level: list[LevelWay]
) -> Node:
    call = step.get("scenario")
    values = values_of(step)
    return Node(
        id=step["id"],
        index=index,
        values=values,
        messages=len(messages_of(step)) or bool(step.get("buttons")),
        replies=_replies(step),
        asks=waits(step) and not may_be_skipped(step),
        ends=may_end(step),
        edges=tuple(edges_of(document, step, f"/steps/{index}", passage, level)),
        leaving=way_of_leaving(step, values, passage),
        called=passage(call["id"].lower()) if call else Passage(),
    )


def _replies(step: Mapping[str, Any]) -> int:
    """What an action may say of itself: a model's reply, or that it has failed."""
    llm, http = step.get("llm"), step.get("http")
    if llm is not None:
        return int(bool(llm.get("reply")) or not llm.get("on_error"))
    return int(http is not None and not http.get("on_error"))
