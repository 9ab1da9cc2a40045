"""What holds of every scenario and every conversation.

`Talk` checks each turn for what the engine promises: that it is pure, repeatable also after the dialog was
saved, and within its bounds.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.dialog.events import Person
from shared.errors import Invalid
from shared.scenario.document import read
from shared.scenario.linter import lint
from tests.dialog.talk import Talk
from tests.scenario.documents import EVERYTHING, Document
from tests.scenario.strategies import mutated, scenarios

WORDS = st.sampled_from(
    ["Ann", "x", "Moscow", "", "1", "apple", "Банан", "/start", "/start ref", "yes", "*b*", "{{ n }}"]
)
ANYTHING = st.text(st.characters(), max_size=20)
CONTENTS = st.sampled_from(["text", "text", "image", "sticker", "unsupported", "voice"])
ACTS = st.lists(
    st.tuples(st.just("say"), WORDS | ANYTHING, CONTENTS)
    | st.tuples(st.just("press"), st.integers(0, 10))
    | st.tuples(st.just("press_data"), st.sampled_from(["p:0123abcd:1:1:0", "p:0123abcd:1:1:9"]) | ANYTHING)
    | st.tuples(st.just("start"), st.sampled_from(["", "ref"])),
    min_size=3,
    max_size=12,
)
PERSONS = st.none() | st.builds(
    Person,
    first_name=st.sampled_from(["", "Ann", "A\x00*b*"]),
    language=st.sampled_from(["", "ru", "ru-RU", "en", "zz"]),
)


def act(talk: Talk, what: str, *details: Any) -> None:
    if what == "press":
        carried = [button.data for button in talk.shown if button.data]
        talk.press_data(carried[-1 - details[0] % len(carried)] if carried else "")
    else:
        getattr(talk, what)(*details)


def converse(document: Document, person: Person | None, acts: list[Any], chance: float) -> list[str]:
    """Hold a conversation; all that the engine noted of the author's mistakes."""
    talk = Talk(document, person=person)
    talk.random = chance
    notes: list[str] = []
    for each in acts:
        act(talk, *each)
        notes += talk.turn.notes
        ask = talk.dialog.ask
        assert (ask is None) == (talk.dialog.status == "completed" or not talk.dialog.run)
    return notes


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(scenarios(spare_ids=("gone",)), PERSONS, ACTS, st.floats(0, 1, exclude_max=True))
def test_nothing_makes_the_engine_fail(
    document: Document, person: Person | None, acts: list[Any], chance: float
) -> None:
    converse(document, person, acts, chance)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(scenarios(), PERSONS, ACTS, st.floats(0, 1, exclude_max=True))
def test_what_the_linter_lets_through_never_breaks_off(
    document: Document, person: Person | None, acts: list[Any], chance: float
) -> None:
    """But for circles and long turns that the linter warned of."""
    codes = {finding.code for finding in lint(document) if finding.severity == "error"}
    warned = {finding.code for finding in lint(document)} & {"cycle", "long_turn"}
    if codes or warned:
        return
    notes = converse(document, person, acts, chance)
    assert not [
        note for note in notes if "there is no step" in note or "in one turn" in note or "is gone" in note
    ]
    assert not [note for note in notes if "when_empty" in note]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_whatever_can_be_saved_can_be_linted_and_talked_to(data: st.DataObject) -> None:
    document = EVERYTHING
    for _ in range(data.draw(st.integers(1, 3))):
        document = mutated(document, data)
    try:
        read(document)
    except Invalid:
        return
    lint(document)
    converse(document, None, data.draw(ACTS), 0.5)


@settings(deadline=None)
@given(scenarios(spare_ids=("gone",)))
def test_linting_finds_the_same_twice_and_leaves_the_document_alone(document: Document) -> None:
    before = repr(document)
    assert lint(document) == lint(document)
    assert repr(document) == before
