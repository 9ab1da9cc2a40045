"""The first words of a scenario, told before there is a dialog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.dialog.events import ConversationStarted, Event, MessageReceived, Person
from shared.dialog.messages import Message
from shared.dialog.ports import ActiveScenario
from shared.dialog.processor import Moment, ScenarioProcessor
from shared.dialog.turns import new_dialog
from shared.dialog.welcome import first_message, joined
from shared.queueing.envelopes import InboundEnvelope
from shared.scenario.compiler import compile_scenario
from tests.scenario.documents import Document, choose, say, scenario

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ACTIVE = ActiveScenario(bot_name="Guide", timezone="UTC", scenario_id="s", revision=3)
DOCUMENT: Document = scenario(
    {
        "id": "a",
        "message": [
            {"text": "Hi {{ user.first_name }}, I am *{{ bot.name }}* {{ start_payload }}"},
            {"text": "?"},
        ],
    },
    conditions=[],
)
ASKING: Document = scenario(choose("a", "x", "One", "Two", text="Which?"))


def envelope(event: Event) -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id="d",
        bot_id="b",
        platform="viber",
        platform_chat_id="c",
        event=event,
        received_at=NOW + timedelta(seconds=1),
        trace_id="t",
    )


def started(**fields: Any) -> ConversationStarted:
    person = Person(first_name="Ann", language="en")
    return ConversationStarted(id="1", occurred_at=NOW, person=person, **fields)


def test_it_is_all_that_the_scenario_says_first() -> None:
    message = first_message(ACTIVE, DOCUMENT, envelope(started(payload="ref")))
    assert message is not None
    assert message.text == "Hi Ann, I am Guide ref\n\n?"
    assert [message.text[span.start : span.end] for span in message.spans] == ["Guide"]


def test_files_of_all_messages_are_in_it() -> None:
    media = [{"url": "https://x.example/a.png", "type": "image"}]
    document = scenario(
        {"id": "a", "message": [{"media": media}, {"text": "*Hi*", "delay": "3s"}], "next_step": "b"},
        choose("b", "x", "One", text="_Which?_"),
    )
    message = first_message(ACTIVE, document, envelope(started()))
    assert message is not None
    assert (message.text, message.delay, len(message.media)) == ("Hi\n\nWhich?", 0, 1)
    assert [message.text[span.start : span.end] for span in message.spans] == ["Hi", "Which?"]
    assert [button.text for button in message.buttons] == ["One"]


@pytest.mark.parametrize("document", [DOCUMENT, ASKING])
def test_opening_the_dialog_later_says_nothing_of_it_again(document: Document) -> None:
    welcome = first_message(ACTIVE, document, envelope(started()))
    assert welcome is not None
    later = envelope(started(welcomed_by=3, only_opens=True))
    assert joined(opened(document, envelope(started()))) == welcome
    assert all(message.is_said for message in opened(document, later))
    assert joined(opened(document, later)) == msgspec.structs.replace(welcome, is_said=True)


def test_its_buttons_answer_the_dialog_that_opens_later() -> None:
    welcome = first_message(ACTIVE, ASKING, envelope(started()))
    dialog = new_dialog(envelope(started(welcomed_by=3)), NOW)
    assert welcome is not None
    assert {button.data.split(":")[1] for button in welcome.buttons} == {dialog.epoch}


def test_another_event_opens_another_dialog() -> None:
    first = first_message(ACTIVE, ASKING, envelope(started()))
    other = first_message(
        ACTIVE, ASKING, envelope(ConversationStarted(id="2", occurred_at=NOW, person=Person(language="en")))
    )
    assert first is not None
    assert other is not None
    assert first.text == other.text
    assert first.buttons != other.buttons


def test_a_scenario_that_says_nothing_has_no_welcome() -> None:
    assert first_message(ACTIVE, scenario(say("a", "")), envelope(started())) is None


def test_a_message_is_welcomed_too() -> None:
    message = first_message(ACTIVE, ASKING, envelope(MessageReceived(id="1", occurred_at=NOW, text="Hi")))
    assert message is not None
    assert message.text == "Which?"


def test_it_is_said_in_the_bot_s_time_zone() -> None:
    document = scenario({"id": "a", "message": {"text": "{{ now }}"}})
    far = ActiveScenario(bot_name="Guide", timezone="Asia/Tokyo", scenario_id="s", revision=3)
    here, there = (first_message(active, document, envelope(started())) for active in (ACTIVE, far))
    assert here
    assert there
    assert here.text != there.text


def test_the_first_words_may_be_those_of_a_called_scenario() -> None:
    calling = scenario({"id": "a", "scenario": {"id": "child"}})
    message = first_message(ACTIVE, calling, envelope(started()), {"child": ASKING})
    assert message is not None
    assert message.text == "Which?"


def opened(document: Document, event: InboundEnvelope) -> tuple[Message, ...]:
    dialog = new_dialog(event, event.received_at)
    dialog.bot_name = ACTIVE.bot_name
    processor = ScenarioProcessor(compile_scenario(document))
    return processor.advance(dialog, event.event, Moment(event.received_at, 0.7)).messages
