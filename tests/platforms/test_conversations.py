"""Whole conversations on every messenger: a person at a stand-in, its adapter, and the engine between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.platforms.base import Outcome
from tests.dialog.talk import Talk
from tests.platforms.test_against_standins import (
    Meeting,
    everywhere,
    on_telegram,
    on_viber,
    on_whatsapp,
    on_whatsapp_without_a_number,
)
from tests.standins.server import Update
from tests.standins.whatsapp import WhatsAppPerson

BREAKFAST = {
    "version": "1.0",
    "steps": [
        {
            "id": "food",
            "message": {"text": "What would you like?"},
            "buttons": [{"text": label, "value": label.lower()} for label in ("Eggs", "Toast", "Jam")],
            "expected_input": {"type": "buttons", "variable": "food", "validation": {"min": 2}},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "Here you are: {{ food }}"}, "end": True},
    ],
}


def asking(kind: str) -> dict[str, Any]:
    return {
        "version": "1.0",
        "steps": [
            {
                "id": "ask",
                "message": {"text": "Please share"},
                "buttons": [{"text": "Rather not", "value": "no", "next_step": "never_mind"}],
                "expected_input": {"type": kind, "variable": "answer"},
                "next_step": "thanks",
            },
            {"id": "thanks", "message": {"text": "Thank you"}, "end": True},
            {"id": "never_mind", "message": {"text": "Never mind"}, "end": True},
        ],
    }


class Conversation:
    """What the person does goes through the adapter to the engine, and what that says goes back."""

    def __init__(self, meeting: Meeting, document: dict[str, Any]) -> None:
        self.meeting = meeting
        self.person = meeting.person
        self.talk = Talk(document, platform=meeting.adapter.platform)
        self.do(self.person.written("/start"))

    def do(self, update: Update) -> None:
        self.talk.send(self.meeting.parsed(update))
        for message in self.talk.turn.messages:
            assert set(self.meeting.send(message)) == {Outcome.SENT}

    @property
    def last_words(self) -> str:
        return self.person.heard[-1].text


@everywhere
@pytest.mark.parametrize("typed", ["1, 3", "jam, EGGS", "Eggs;Jam"])
def test_several_choices_can_be_typed_everywhere(meet: Callable[[], Meeting], typed: str) -> None:
    conversation = Conversation(meet(), BREAKFAST)
    conversation.do(conversation.person.written("1"))
    assert conversation.talk.variables == {}
    conversation.do(conversation.person.written(typed))
    assert sorted(conversation.talk.variables["food"]) == ["eggs", "jam"]


def test_several_choices_are_pressed_on_telegram_until_there_are_enough() -> None:
    conversation = Conversation(on_telegram(), BREAKFAST)
    person = conversation.person
    for label in ("Eggs", "Done"):
        conversation.do(person.pressed(label))
    assert person.heard[-2].labels == ["✓ Eggs", "Toast", "Jam", "Done"]
    assert person.heard[-1].labels == ["✓ Eggs", "Toast", "Jam", "Done"]
    for label in ("Jam", "Done"):
        conversation.do(person.pressed(label))
    assert conversation.last_words == "Here you are: eggs, jam"


@everywhere
def test_a_place_is_shared_by_the_button_that_asks_for_it(meet: Callable[[], Meeting]) -> None:
    without_choices = asking("location")
    del without_choices["steps"][0]["buttons"], without_choices["steps"][2]
    conversation = Conversation(meet(), without_choices)
    conversation.do(conversation.person.shared("location"))
    assert conversation.last_words == "Thank you"
    assert set(conversation.talk.variables["answer"]) == {"latitude", "longitude"}


@pytest.mark.parametrize("meet", [on_telegram, on_viber])
@pytest.mark.parametrize("kind", ["phone", "contact"])
def test_a_phone_is_shared_by_the_button_that_asks_for_it(meet: Callable[[], Meeting], kind: str) -> None:
    conversation = Conversation(meet(), asking(kind))
    conversation.do(conversation.person.shared("phone"))
    assert conversation.last_words == "Thank you"
    answer = conversation.talk.variables["answer"]
    assert (answer if kind == "phone" else answer["phone"]) == "+79990000000"


@pytest.mark.parametrize("meet", [on_whatsapp, on_whatsapp_without_a_number])
@pytest.mark.parametrize("kind", ["phone", "contact"])
def test_a_phone_is_shown_on_whatsapp_where_nothing_else_is_asked(
    meet: Callable[[], Meeting], kind: str
) -> None:
    document = asking(kind)
    del document["steps"][0]["buttons"], document["steps"][2]
    conversation = Conversation(meet(), document)
    person = conversation.person
    assert isinstance(person, WhatsAppPerson)
    conversation.do(person.shared("phone"))
    assert conversation.last_words == "Thank you"
    answer = conversation.talk.variables["answer"]
    assert (answer if kind == "phone" else answer["phone"]) == f"+{person.private_number}"


@everywhere
@pytest.mark.parametrize("kind", ["phone", "contact", "location"])
def test_a_choice_beside_what_is_shared_can_be_pressed(meet: Callable[[], Meeting], kind: str) -> None:
    conversation = Conversation(meet(), asking(kind))
    conversation.do(conversation.person.pressed("Rather not"))
    assert conversation.last_words == "Never mind"


def test_telegram_asks_again_to_share_after_an_answer_that_does_not_fit() -> None:
    conversation = Conversation(on_telegram(), asking("location"))
    conversation.do(conversation.person.written("at home"))
    conversation.do(conversation.person.shared("location"))
    assert conversation.last_words == "Thank you"
