"""Whatever an author writes and whatever is done to it, a simulation ends in turns, or in plain words."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.scenario.models import TestTurn
from shared.simulation.acts import act
from shared.simulation.conversation import Conversation
from shared.simulation.coverage import covered
from shared.simulation.errors import Senseless
from shared.simulation.testing import run_tests
from tests.scenario.strategies import IDS, scenarios
from tests.simulation.play import Json, begin

WORDS = st.sampled_from(
    [
        "/start",
        "",
        "1",
        "yes",
        "2026-12-31",
        "😀",
        "\u202eمرحبا",
        "{{ name }}",
        "\0",
        "x" * 5000,
    ]
)
ACTS = st.one_of(
    st.fixed_dictionaries({"send": WORDS}),
    st.fixed_dictionaries({"press": st.sampled_from([1, 2, True, "1", "x"])}, optional={"ask": st.just(-1)}),
    st.fixed_dictionaries({"advance": st.sampled_from(["1s", "16m", "25h", "365d"])}),
    st.fixed_dictionaries({"operator": WORDS}),
    st.fixed_dictionaries({"give_back": st.sampled_from([True, *IDS])}),
    st.fixed_dictionaries({"photo": st.fixed_dictionaries({}, optional={"album": st.just("a")})}),
    st.sampled_from(
        [
            {"contact": {}},
            {"location": {}},
            {"respond": {"llm": "x"}},
            {"respond": {"llm": None}},
            {"respond": {"http": {"status": 500}}},
            {"respond": {"sync": {}}},
            {"respond": {"understand": {"name": 1}}},
        ]
    ),
)


def done(conversation: Conversation, acts: list[Json]) -> list[Any]:
    """What each act brings about, in words or in turns."""
    outcomes: list[Any] = []
    for each in acts:
        try:
            outcomes.append(msgspec.to_builtins(act(conversation, TestTurn.model_validate(each))))
        except Senseless as error:
            outcomes.append(str(error))
    return outcomes


@settings(max_examples=60)
@given(document=scenarios(), acts=st.lists(ACTS, max_size=8))
def test_any_acts_make_one_and_the_same_conversation(document: Json, acts: list[Json]) -> None:
    first, second = begin(document), begin(document)
    assert done(first, acts) == done(second, acts)
    assert first.ways == second.ways
    assert all(moment >= first.now for moment in first.outcome().due)
    coverage = covered(document, first.ways)
    assert coverage.steps.covered <= coverage.steps.total
    assert coverage.branches.covered <= coverage.branches.total


@settings(max_examples=30)
@given(document=scenarios(), acts=st.lists(ACTS, min_size=1, max_size=8))
def test_any_test_passes_or_says_where_it_fails(document: Json, acts: list[Json]) -> None:
    (result,) = run_tests({**document, "tests": [{"name": "t", "turns": acts}]}).results
    assert result.failure is None or (0 <= result.failure.turn < len(acts) and result.failure.message)
