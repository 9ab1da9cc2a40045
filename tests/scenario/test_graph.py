"""Where steps lead."""

from __future__ import annotations

import pytest

from shared.scenario.graph import Graph
from tests.scenario.documents import COMPLETED, Document, ask, choose, say, scenario


def ways(document: Document, step: str) -> list[tuple[str, str]]:
    """The targets of a step's edges, with how they are taken: silent, once, storing, assigning."""
    return [
        (
            edge.target,
            "".join(
                letter
                for letter, holds in (
                    ("q", edge.silent),
                    ("1", edge.once),
                    ("s", edge.stores),
                    ("a", edge.assigns),
                )
                if holds
            ),
        )
        for edge in Graph(document).nodes[step].edges
    ]


SKIP = {"text": "Skip", "value": "-", "next_step": "c"}
IF_N = {"show_if": "n > 1"}


@pytest.mark.parametrize(
    ("step", "fields", "expected"),
    [
        (say("a", next_step="b"), {}, [("b", "qsa")]),
        (say("a"), {}, []),
        (say("a", end=True, next_step="b", conditions=[{"if": "x", "then": "c"}]), {}, []),
        (ask("a", next_step="b"), {}, [("b", "sa")]),
        (ask("a", "x", next_step="b", expected_input={"skip_if_set": True}), {}, [("b", "qsa")]),
        (ask("a", next_step="b", expected_input={"skip_if_set": True}), {}, [("b", "sa")]),
        (ask("a", next_step="b", buttons=[SKIP]), {}, [("c", "a"), ("b", "sa")]),
        (choose("a", "x", SKIP, next_step="b"), {}, [("c", "sa")]),
        (choose("a", "x", SKIP, 1, next_step="b"), {}, [("c", "sa"), ("b", "sa")]),
        (
            choose("a", "x", SKIP, next_step="b", expected_input={"skip_if_set": True}),
            {},
            [("c", "sa"), ("b", "qsa")],
        ),
        (choose("a", "x", SKIP, end=True), {}, []),
        (choose("a", "x", SKIP | IF_N, when_empty="b"), {}, [("c", "sa"), ("b", "q")]),
        (choose("a", "x", SKIP, when_empty="b"), {}, [("c", "sa")]),
        (ask("a", buttons=[SKIP | IF_N], when_empty="b"), {}, [("c", "a")]),
        (ask("a", expected_input={"max_attempts": 1, "on_failure": "b"}), {}, [("b", "")]),
        (ask("a", expected_input={"on_failure": "b"}), {}, []),
        (ask("a"), {"defaults": {"max_attempts": 1, "on_failure": "b"}}, [("b", "")]),
        (
            say("a", conditions=[{"if": "x", "then": "b"}, {"if": "y", "then": None}], next_step="c"),
            {},
            [("b", "qsa"), ("c", "qsa")],
        ),
        (
            say("a", conditions=[{"if": "x", "then": "b", "else": "c"}, {"if": "y", "then": "a"}]),
            {"conditions": [{"if": "x", "then": "a"}]},
            [("b", "qsa"), ("c", "qsa")],
        ),
        (
            say("a"),
            {"conditions": [{"if": "x", "then": "b", "else": "c"}, {"if": "y", "then": "a", "after": "a"}]},
            [("b", "q1sa"), ("c", "q1sa"), ("a", "qsa")],
        ),
        (say("a"), {"conditions": [{"if": "x", "then": "b", "after": "b"}]}, []),
        (ask("a"), {"conditions": [{"if": "x", "then": "b"}]}, [("b", "1sa")]),
    ],
)
def test_the_ways_out_of_a_step(step: Document, fields: Document, expected: list[tuple[str, str]]) -> None:
    assert ways(scenario(step, say("b"), say("c"), **fields), "a") == expected


def test_the_shortest_path_counts_from_the_start() -> None:
    graph = Graph(COMPLETED)
    assert graph.path_to("ask_position") == ("welcome", "ask_lastname", "ask_position")
    assert graph.path_to("show_rf_docs")[-2:] == ("ask_citizenship", "show_rf_docs")
    assert graph.path_to("nowhere") == ()


def test_a_dialog_may_also_begin_at_the_step_after_the_end() -> None:
    graph = Graph(scenario(say("a"), say("b", next_step="c"), say("c"), say("d"), after_end="b"))
    assert graph.reachable() == {"a", "b", "c"}
    assert graph.path_to("c") == ("b", "c")


def test_of_doubled_steps_the_first_counts() -> None:
    graph = Graph(scenario(say("a", next_step="b"), say("a", next_step="a"), say("b")))
    assert [edge.target for edge in graph.nodes["a"].edges] == ["b"]


def test_circles_are_told_apart() -> None:
    graph = Graph(
        scenario(
            say("a", next_step="b"),
            say("b", conditions=[{"if": "x", "then": "a"}], next_step="c"),
            say("c", next_step="c"),
            ask("d", next_step="d"),
            say("e", next_step="d"),
        )
    )
    assert graph.circles(graph.nodes) == [("a", "b"), ("c",)]
    assert graph.circles({"a", "c"}) == [("c",)]
    assert graph.circle_through("b", {"a", "b"}) == ("b", "a")
    assert graph.circle_through("c", {"c"}) == ("c",)


def test_a_missing_step_leads_nowhere() -> None:
    graph = Graph(scenario(say("a", next_step="gone"), start="also_gone"))
    assert graph.reachable() == set()
    assert graph.path_to("a") == ()
    assert graph.circles(graph.nodes) == []
