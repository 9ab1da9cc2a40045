"""Where steps lead."""

from __future__ import annotations

import pytest

from shared.scenario.graph import Graph, way_to
from tests.scenario.documents import COMPLETED, Document, ask, choose, say, scenario


def ways(document: Document, step: str) -> list[tuple[str, str, str]]:
    """A step's ways out: the target, how it is taken (silent, once, later), what then has a value."""
    return [
        (
            edge.target,
            "q" * edge.silent + "1" * edge.once + "t" * edge.turns,
            " ".join(sorted(edge.gives)),
        )
        for edge in Graph(document).nodes[step].edges
    ]


SKIP = {"text": "Skip", "value": "-", "next_step": "c"}
IF_N = {"show_if": "n > 1"}
EACH = {"for_each": "[1, 2]", "text": "x", "value": "item"}
GIVES = {"before": {"p": "1"}, "set": {"w": "2", "gone": " null "}}
ON_X = [{"if": "x > 1", "then": "b"}]
CALLED = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("step", "fields", "expected"),
    [
        (say("a", next_step="b"), {}, [("b", "q", "")]),
        (say("a", next_step="b", **GIVES), {}, [("b", "q", "p w")]),
        (say("a"), {}, []),
        (say("a", end=True, next_step="b", conditions=[{"if": "x", "then": "c"}]), {}, []),
        (ask("a", "v", next_step="b", **GIVES), {}, [("b", "", "p v w")]),
        (ask("a", "x", next_step="b", expected_input={"skip_if_set": True}), {}, [("b", "q", "x")]),
        (ask("a", next_step="b", expected_input={"skip_if_set": True}), {}, [("b", "", "")]),
        (ask("a", "v", next_step="b", buttons=[SKIP], **GIVES), {}, [("c", "", "p w"), ("b", "", "p v w")]),
        (choose("a", "x", SKIP, next_step="b"), {}, [("c", "", "x")]),
        (choose("a", "x", SKIP, 1, next_step="b"), {}, [("c", "", "x"), ("b", "", "x")]),
        (
            choose("a", "x", SKIP, next_step="b", expected_input={"skip_if_set": True}),
            {},
            [("c", "", "x"), ("b", "q", "x")],
        ),
        (
            choose("a", "x", SKIP, next_step="b", expected_input={"type": "buttons"}, **GIVES),
            {},
            [("c", "", "p w"), ("b", "", "p w x")],
        ),
        (choose("a", "x", SKIP, end=True), {}, []),
        (choose("a", "x", SKIP | IF_N, when_empty="b"), {}, [("c", "", "n x"), ("b", "q", "")]),
        (choose("a", "x", EACH, when_empty="b", **GIVES), {}, [("b", "q", "p")]),
        (choose("a", "x", SKIP, when_empty="b"), {}, [("c", "", "x")]),
        (ask("a", buttons=[SKIP | IF_N], when_empty="b"), {}, [("c", "", "n")]),
        (ask("a", "v", expected_input={"max_attempts": 1, "on_failure": "b"}), {}, [("b", "", "")]),
        (ask("a", expected_input={"on_failure": "b"}), {}, []),
        (ask("a"), {"defaults": {"max_attempts": 1, "on_failure": "b"}}, [("b", "", "")]),
        (ask("a", "v", expected_input={"timeout": {"after": "1h", "next_step": "b"}}), {}, [("b", "qt", "")]),
        (
            ask(
                "a", expected_input={"timeout": {"after": "1h", "remind": "?", "times": 2, "next_step": "b"}}
            ),
            {},
            [("b", "qttt", "")],
        ),
        (ask("a", expected_input={"timeout": {"after": "1h", "remind": "?"}}), {}, []),
        (
            {"id": "a", "buttons": [SKIP]},
            {"defaults": {"timeout": {"after": "1h", "next_step": "b"}}},
            [("c", "", ""), ("b", "qt", "")],
        ),
        (say("a"), {"defaults": {"timeout": {"after": "1h", "next_step": "b"}}}, []),
        (say("a", wait="1h", next_step="b"), {}, [("b", "qt", "")]),
        (ask("a", "v", wait="1h", next_step="b"), {}, [("b", "", "v")]),
        (say("a", sync={}, next_step="b"), {}, [("b", "qt", "")]),
        (
            say("a", http={"method": "GET", "url": "u", "variable": "r"}, next_step="b"),
            {},
            [("b", "qt", "")],
        ),
        (
            say(
                "a",
                http={"method": "GET", "url": "u", "variable": "r", "on_error": "c"},
                next_step="b",
                **GIVES,
            ),
            {},
            [("c", "qt", "p"), ("b", "qt", "p r w")],
        ),
        (
            say(
                "a",
                llm={
                    "prompt": "?",
                    "variable": "r",
                    "routes": {"x/y": {"step": "b", "when": "?"}},
                    "on_error": "c",
                },
            ),
            {},
            [("c", "qt", ""), ("b", "qt", "")],
        ),
        (
            say("a", handoff={"timeout": "1h", "next_step": "c"}, next_step="b"),
            {},
            [("c", "qt", ""), ("b", "t", "")],
        ),
        (say("a", handoff={"timeout": "1h"}, next_step="b"), {}, [("b", "qt", "")]),
        (say("a", handoff={"next_step": "c"}, next_step="b"), {}, [("b", "t", "")]),
        (say("a", scenario={"id": CALLED, "outputs": {"o": "1"}}, next_step="b"), {}, [("b", "", "o")]),
        (
            say("a", conditions=[*ON_X, {"if": "y", "then": None}], next_step="c"),
            {},
            [("b", "q", "x"), ("c", "q", "")],
        ),
        (
            say("a", conditions=[{"if": "!answered.x", "then": "b"}], next_step="c"),
            {},
            [("b", "q", ""), ("c", "q", "x")],
        ),
        (
            say(
                "a",
                conditions=[{"if": "x", "then": "b", "else": "c"}, {"if": "y", "then": "a"}],
                next_step="c",
            ),
            {"conditions": [{"if": "x", "then": "a"}]},
            [("b", "q", "x"), ("c", "q", "")],
        ),
        (
            say("a"),
            {"conditions": [{"if": "x", "then": "b", "else": "c"}, {"if": "y", "then": "a", "after": "a"}]},
            [("b", "q1", "x"), ("c", "q1", "x"), ("a", "q", "y")],
        ),
        (say("a"), {"conditions": [{"if": "x", "then": "b", "after": "b"}]}, []),
        (ask("a"), {"conditions": [{"if": "x", "then": "b"}]}, [("b", "1", "x")]),
    ],
)
def test_the_ways_out_of_a_step(
    step: Document, fields: Document, expected: list[tuple[str, str, str]]
) -> None:
    assert ways(scenario(step, say("b"), say("c"), **fields), "a") == expected


@pytest.mark.parametrize(
    ("step", "fields", "seconds"),
    [
        (say("a", next_step="b"), {}, 0),
        (say("a", wait="2m", next_step="b"), {}, 120),
        (ask("a", expected_input={"timeout": {"after": "1h", "next_step": "b"}}), {}, 3600),
        (ask("a", wait="1m", expected_input={"timeout": {"after": "1m", "next_step": "b"}}), {}, 120),
        (
            ask(
                "a",
                expected_input={
                    "timeout": {"after": "1h", "every": "1m", "times": 2, "remind": "?", "next_step": "b"}
                },
            ),
            {},
            3720,
        ),
        (say("a", handoff={"timeout": "1h"}, next_step="b"), {}, 3600),
    ],
)
def test_how_long_a_way_may_take(step: Document, fields: Document, seconds: int) -> None:
    assert [e.seconds for e in Graph(scenario(step, say("b"), **fields)).nodes["a"].edges] == [seconds]


def test_the_shortest_path_counts_from_the_start() -> None:
    graph = Graph(COMPLETED)
    assert way_to(graph.ways(), "ask_position") == ("welcome", "ask_lastname", "ask_position")
    assert way_to(graph.ways(), "show_rf_docs")[-2:] == ("ask_citizenship", "show_rf_docs")
    assert way_to(graph.ways(), "nowhere") == ()


def test_a_dialog_may_also_begin_at_the_step_after_the_end() -> None:
    graph = Graph(scenario(say("a"), say("b", next_step="c"), say("c"), say("d"), after_end="b"))
    assert set(graph.ways()) == {"a", "b", "c"}
    assert way_to(graph.ways(), "c") == ("b", "c")


def test_a_dialog_may_also_begin_where_a_command_leads() -> None:
    commands = {
        "/help": {"next_step": "b", "resume": True},
        "/menu": {"next_step": "c"},
        "/back": {"back": True},
    }
    graph = Graph(scenario(say("a"), say("b", next_step="c"), say("c"), say("d"), commands=commands))
    assert set(graph.ways()) == {"a", "b", "c"}
    assert way_to(graph.ways(), "b") == ("b",)
    assert set(graph.ways(interludes=False)) == {"a", "c"}


def test_steps_are_told_backwards() -> None:
    steps = [say("a", next_step="b"), ask("b", next_step="c"), say("c", next_step="d"), say("d")]
    graph = Graph(scenario(*steps))
    assert graph.backwards({"a", "b", "c", "d"}) == ["b", "a", "d", "c"]


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
    assert set(graph.ways()) == set()
    assert way_to(graph.ways(), "a") == ()
    assert graph.circles(graph.nodes) == []
