"""What the linter says, against what the engine then does."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.dialog.processor import Turn
from shared.dialog.state import Dialog
from shared.errors import Invalid
from shared.scenario.document import read
from shared.scenario.linter import ERRORS, Library, lint
from tests.dialog.talk import Talk
from tests.scenario.chances import happen
from tests.scenario.documents import EVERYTHING, Document
from tests.scenario.sane import LIBRARY, sane_scenarios
from tests.scenario.strategies import mutated, scenarios

BREAKING = ("there is no step", "is gone", "when_empty", "cannot be entered", "waits for nothing")
"""Words of the notes of what a scenario without errors never comes to."""

GOING_ON = ("in one turn", "without a word from the person")
"""Words of the notes of what it comes to only where a warning told of it."""

LENGTHS = {"cycle", "long_turn", "long_silence"}
SURROUNDINGS = Library(scenarios=LIBRARY)
SEEDS = st.integers(0, 10**6)

PATIENT = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)
FEW = settings(PATIENT, max_examples=15)
MANY = settings(PATIENT, max_examples=int(os.environ.get("EXAMPLES", "150")))
"""`EXAMPLES=3000` looks harder, at thirty turns for each."""


def converse(document: Document, seed: int, turns: int, *, jumps: bool = True) -> list[Turn]:
    """Let things happen to a dialog, and see after each that it can go on."""
    talk, random = Talk(document, called=LIBRARY), Random(seed)
    found = []
    for _ in range(turns):
        talk.random = random.random()
        happen(talk, random, jumps=jumps)
        assert can_go_on(talk.dialog)
        found.append(talk.turn)
    return found


def can_go_on(dialog: Dialog) -> bool:
    waits_for_something = dialog.ask or dialog.pending or dialog.handoff
    return waits_for_something is not None or dialog.status == "completed" or not dialog.run


def notes_of(turns: list[Turn], kinds: tuple[str, ...]) -> list[str]:
    return [note for turn in turns for note in turn.notes if any(words in note for words in kinds)]


def see_that_it_is_sane(document: Document, seed: int) -> None:
    read(document)
    assert lint(document, SURROUNDINGS) == ()
    turns = converse(document, seed, 30, jumps=False)
    assert notes_of(turns, BREAKING + GOING_ON) == []
    said = [message.text for turn in turns for message in turn.messages]
    assert [text for text in said if "<>" in text] == [], "a variable without a value was printed"


def see_that_it_was_warned_of(document: Document, seed: int) -> None:
    codes = {finding.code for finding in lint(document, SURROUNDINGS)}
    assume(not codes & ERRORS.keys())
    turns = converse(document, seed, 30)
    assert notes_of(turns, BREAKING) == []
    assert notes_of(turns, GOING_ON) == [] or codes & LENGTHS


@FEW
@given(sane_scenarios(), SEEDS)
def test_what_is_sane_has_no_findings_and_comes_to_nothing_bad(document: Document, seed: int) -> None:
    see_that_it_is_sane(document, seed)


@FEW
@given(scenarios(), SEEDS)
def test_what_the_linter_lets_through_never_breaks_off(document: Document, seed: int) -> None:
    """But for circles and long turns that the linter has warned of."""
    see_that_it_was_warned_of(document, seed)


@pytest.mark.slow
@MANY
@given(sane_scenarios(), SEEDS)
def test_what_is_sane_stays_so_for_thousands_of_turns(document: Document, seed: int) -> None:
    see_that_it_is_sane(document, seed)


@pytest.mark.slow
@MANY
@given(scenarios(), SEEDS)
def test_thousands_of_turns_find_nothing_that_the_linter_let_through(document: Document, seed: int) -> None:
    see_that_it_was_warned_of(document, seed)


@FEW
@given(scenarios(spare_ids=("gone",)), SEEDS)
def test_nothing_makes_the_engine_fail(document: Document, seed: int) -> None:
    converse(document, seed, 30)


@FEW
@given(st.data(), SEEDS)
def test_whatever_can_be_saved_can_be_linted_and_talked_to(data: st.DataObject, seed: int) -> None:
    document = EVERYTHING
    for _ in range(data.draw(st.integers(1, 3))):
        document = mutated(document, data)
    try:
        read(document)
    except Invalid:
        return
    lint(document, SURROUNDINGS)
    converse(document, seed, 10)


@FEW
@given(scenarios(spare_ids=("gone",)))
def test_linting_finds_the_same_twice_and_leaves_the_document_alone(document: Document) -> None:
    before = repr(document)
    assert lint(document, SURROUNDINGS) == lint(document, SURROUNDINGS)
    assert repr(document) == before
