"""The adapters against the stand-in messengers, which were written from the same documentation apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from shared.credential import Credential
from shared.dialog.events import ButtonPressed, MessageReceived
from shared.dialog.messages import Button, Message
from shared.platforms.base import (
    Attachment,
    Delivery,
    Outcome,
    PlatformAdapter,
    Request,
    Response,
    WebhookRequest,
)
from shared.platforms.telegram import TelegramAdapter
from shared.platforms.viber import ViberAdapter
from shared.platforms.whatsapp import WhatsAppAdapter, verify_subscription
from tests.platforms.cases import DELIVERY_ID, RECEIVED_AT, SETTINGS
from tests.platforms.strategies import messages
from tests.standins.server import Answer, Incoming, Part, Person, StandIn, Update, form_of
from tests.standins.telegram import TelegramPerson, TelegramStandIn
from tests.standins.viber import ViberPerson, ViberStandIn
from tests.standins.whatsapp import WhatsAppPerson, WhatsAppStandIn

CHOICES = ("Food Guide", "Cook", "Fish & <Chips>", "Somebody who does everything in the kitchen")


class Meeting:
    """A bot and a person on one messenger, with nothing but values between them."""

    def __init__(self, adapter: PlatformAdapter, messenger: StandIn, person: Person, chat_id: str) -> None:
        self.adapter = adapter
        self.messenger = messenger
        self.person = person
        self.chat_id = chat_id
        platform = adapter.platform
        self.credential = Credential("c", "b", platform, is_active=True, settings=SETTINGS[platform])

    def send(self, message: Message) -> list[Outcome]:
        return [delivery.outcome for delivery in self.deliver(message)]

    def deliver(self, message: Message) -> list[Delivery]:
        rendered = self.adapter.render(message, self.chat_id, self.credential, DELIVERY_ID)
        return [self.made(request) for request in rendered.requests]

    def made(self, request: Request) -> Delivery:
        """What came of a request; files that it carries are as many bytes as their type has letters."""
        path = "/" + request.url.partition("://")[2].partition("/")[2]
        body, content_type = msgspec.json.encode(request.json), "application/json"
        if request.attachments:
            body, content_type = form_of(_fields(request), *map(_part, request.attachments))
        headers = {"content-type": content_type, **request.headers}
        answer = self.messenger.handle(Incoming("POST", path, {}, headers, body))
        assert answer is not None
        return self.adapter.interpret(Response(answer.status, answer.body, answer.headers))

    def parsed(self, update: Update) -> Any:
        headers = {name.lower(): value for name, value in update.headers.items()}
        assert self.adapter.verify(WebhookRequest("POST", headers, {}, update.body), self.credential)
        parsed = self.adapter.parse(json.loads(update.body), self.credential, RECEIVED_AT)
        (addressed,) = parsed.events
        assert addressed.chat_id == self.chat_id
        return addressed.event


def _fields(request: Request) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in request.json.items()
    }


def _part(carried: Attachment) -> Part:
    kind = carried.content_type or "application/octet-stream"
    return Part(carried.part, kind.encode(), kind, carried.file_name)


def on_telegram() -> Meeting:
    settings_ = SETTINGS["telegram"]
    messenger = TelegramStandIn(settings_["bot_token"], settings_["webhook_secret"])
    person = messenger.person()
    person.has_started = True
    return Meeting(TelegramAdapter(), messenger, person, str(person.chat_id))


def on_whatsapp() -> Meeting:
    settings_ = SETTINGS["whatsapp"]
    messenger = WhatsAppStandIn(
        settings_["access_token"], settings_["app_secret"], settings_["phone_number_id"]
    )
    person = messenger.person("")
    person.wrote()
    return Meeting(WhatsAppAdapter(), messenger, person, person.identity)


def on_whatsapp_without_a_number() -> Meeting:
    settings_ = SETTINGS["whatsapp"]
    messenger = WhatsAppStandIn(
        settings_["access_token"], settings_["app_secret"], settings_["phone_number_id"]
    )
    person = messenger.person("", number="", user_id="US.13491208655302741918")
    person.wrote()
    return Meeting(WhatsAppAdapter(), messenger, person, person.identity)


def on_viber() -> Meeting:
    messenger = ViberStandIn(SETTINGS["viber"]["auth_token"])
    person = messenger.person()
    person.is_subscribed = True
    return Meeting(ViberAdapter(), messenger, person, str(person.user["id"]))


everywhere = pytest.mark.parametrize(
    "meet", [on_telegram, on_whatsapp, on_whatsapp_without_a_number, on_viber]
)


@pytest.mark.parametrize("meet", [on_telegram, on_whatsapp, on_viber])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(message=messages())
def test_no_message_whatever_is_refused(meet: Callable[[], Meeting], message: Message) -> None:
    """Of an edit it is known only that it is refused for nothing but the message, which there is none of."""
    meeting = meet()
    assert set(meeting.send(message)) <= {Outcome.SENT, Outcome.ALREADY_SO}
    reasons = {refusal.answer.get("description") for refusal in meeting.messenger.refusals}
    assert reasons <= {"Bad Request: message to edit not found"}


@everywhere
@pytest.mark.parametrize("words", ["Привет 😀", "p:", "*", "/starter", "/start cook", "/help@standin_bot"])
def test_what_a_person_says_arrives_as_it_was_said(meet: Callable[[], Meeting], words: str) -> None:
    meeting = meet()
    event = meeting.parsed(meeting.person.written(words))
    assert isinstance(event, MessageReceived)
    assert event.text == words


@everywhere
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_press_brings_back_what_its_button_carried(meet: Callable[[], Meeting], number: int) -> None:
    meeting = meet()
    buttons = tuple(Button(label, f"p:a1b2c3d4:1:1:{n}") for n, label in enumerate(CHOICES[:number]))
    assert meeting.send(Message("Position?", buttons=buttons)) == [Outcome.SENT]
    for button in buttons:
        event = meeting.parsed(meeting.person.pressed(button.text))
        assert isinstance(event, ButtonPressed)
        assert event.data == button.data


@pytest.mark.parametrize("meet", [on_telegram, on_viber])
def test_a_phone_is_shared_by_the_messengers_own_button(meet: Callable[[], Meeting]) -> None:
    meeting = meet()
    assert meeting.send(Message("Your number?", buttons=(Button("Here", share="phone"),))) == [Outcome.SENT]
    event = meeting.parsed(meeting.person.shared("phone"))
    assert isinstance(event, MessageReceived)
    assert event.contact is not None
    assert event.contact.phone == "+79990000000"
    assert event.contact.own is (meeting.adapter.platform == "telegram")


@pytest.mark.parametrize("meet", [on_whatsapp, on_whatsapp_without_a_number])
def test_a_number_is_shown_by_whatsapps_own_request(meet: Callable[[], Meeting]) -> None:
    meeting = meet()
    assert isinstance(meeting.person, WhatsAppPerson)
    assert meeting.send(Message("Your number?", buttons=(Button("Here", share="phone"),))) == [Outcome.SENT]
    event = meeting.parsed(meeting.person.shared("phone"))
    assert isinstance(event, MessageReceived)
    assert event.contact is not None
    assert (event.contact.phone, event.contact.own) == (f"+{meeting.person.private_number}", True)


@everywhere
def test_a_place_is_shared_by_the_messengers_own_button(meet: Callable[[], Meeting]) -> None:
    meeting = meet()
    assert meeting.send(Message("Where?", buttons=(Button("Here", share="location"),))) == [Outcome.SENT]
    event = meeting.parsed(meeting.person.shared("location"))
    assert isinstance(event, MessageReceived)
    assert event.content == "location"
    assert event.place is not None


def test_telegrams_own_keyboard_is_gone_with_the_next_words() -> None:
    meeting = on_telegram()
    buttons = (Button("Here", share="phone"), Button("Skip", "p:1"))
    meeting.send(Message("Your number?", buttons=buttons))
    assert meeting.parsed(meeting.person.pressed("Skip")).text == "Skip"
    meeting.send(Message("Never mind"))
    with pytest.raises(LookupError):
        meeting.person.shared("phone")


def drinks(*taken: int) -> Message:
    labels = ("Tea", "Coffee", "Done")
    buttons = tuple(
        Button(label, f"p:a1b2c3d4:1:1:{n}", selected=n in taken) for n, label in enumerate(labels)
    )
    return Message("What would you like? " * 300, buttons=buttons, several=True)


def test_several_choices_are_taken_and_given_back_in_one_message_of_telegrams() -> None:
    meeting = on_telegram()
    meeting.send(drinks())
    heard = len(meeting.person.heard)
    for taken, labels in (((0,), ["✓ Tea", "Coffee", "Done"]), ((), ["Tea", "Coffee", "Done"])):
        event = meeting.parsed(meeting.person.pressed(meeting.person.heard[-1].labels[0]))
        assert event.data == "p:a1b2c3d4:1:1:0"
        changed = replace(drinks(*taken), replaces=event.message_id)
        assert meeting.send(changed) == [Outcome.SENT]
        assert meeting.person.heard[-1].labels == labels
    assert len(meeting.person.heard) == heard
    assert meeting.send(changed) == [Outcome.ALREADY_SO]


def test_a_message_that_the_person_has_removed_needs_no_change() -> None:
    meeting = on_telegram()
    assert isinstance(meeting.person, TelegramPerson)
    meeting.send(drinks())
    event = meeting.parsed(meeting.person.pressed("Tea"))
    meeting.person.remove(meeting.person.heard[-1])
    assert meeting.send(replace(drinks(0), replaces=event.message_id)) == [Outcome.ALREADY_SO]


@everywhere
def test_another_bots_credential_is_found_to_be_bad(meet: Callable[[], Meeting]) -> None:
    meeting = meet()
    changed = {
        **SETTINGS[meeting.adapter.platform],
        "bot_token": "1:other",
        "access_token": "other",
        "auth_token": "other",
    }
    meeting.credential = Credential("c", "b", meeting.adapter.platform, is_active=True, settings=changed)
    assert meeting.send(Message("Hi")) == [Outcome.CREDENTIAL_BAD]


@everywhere
def test_somebody_who_has_left_is_found_to_be_gone(meet: Callable[[], Meeting]) -> None:
    meeting = meet()
    meeting.person.leave()
    assert meeting.send(Message("Hi")) == [Outcome.RECIPIENT_GONE]


def test_a_closed_window_is_told_apart() -> None:
    meeting = on_whatsapp()
    assert isinstance(meeting.person, WhatsAppPerson)
    meeting.person.messenger.pass_time(hours=24)
    assert meeting.send(Message("Hi")) == [Outcome.WINDOW_CLOSED]


def test_a_viber_welcome_is_one_that_viber_takes() -> None:
    meeting = on_viber()
    assert isinstance(meeting.person, ViberPerson)
    assert meeting.parsed(meeting.person.opened()).only_opens
    welcome = ViberAdapter().welcome(Message("Welcome!", buttons=(Button("Go", "p:1"),)), meeting.credential)
    meeting.person.hear_welcome(Answer(200, msgspec.json.encode(welcome)))
    assert meeting.messenger.refusals == []
    assert meeting.person.next().labels == ["Go"]


def test_the_verification_of_whatsapp_is_answered_as_it_wants() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "whatsapp-verify-token"}
    assert verify_subscription(query, on_whatsapp().credential).body == "42"


@pytest.mark.parametrize("answered", ["the person's message", ""])
def test_telegram_shows_that_the_bot_is_typing_whatever_it_answers(answered: str) -> None:
    meeting = on_telegram()
    assert isinstance(meeting.person, TelegramPerson)
    typing = meeting.adapter.typing(meeting.chat_id, meeting.credential, answered)
    assert typing is not None
    assert meeting.made(typing).outcome is Outcome.SENT
    assert (meeting.person.actions, meeting.person.heard) == (["typing"], [])


def test_whatsapp_shows_that_the_bot_is_typing_an_answer_to_a_message() -> None:
    meeting = on_whatsapp()
    assert isinstance(meeting.messenger, WhatsAppStandIn)
    event = meeting.parsed(meeting.person.written("Hi"))
    typing = meeting.adapter.typing(meeting.chat_id, meeting.credential, event.id)
    assert typing is not None
    meeting.made(typing)
    assert (meeting.messenger.typing, meeting.messenger.refusals) == ([event.id], [])
    assert meeting.adapter.typing(meeting.chat_id, meeting.credential, "") is None


def test_who_has_an_old_viber_is_asked_without_the_button_to_share() -> None:
    meeting = on_viber()
    assert isinstance(meeting.person, ViberPerson)
    meeting.person.user["api_version"] = 2
    message = Message("Your number?", buttons=(Button("Here", share="phone"), Button("Skip", "p:1")))
    rendered = meeting.adapter.render(message, meeting.chat_id, meeting.credential, DELIVERY_ID)
    (request,) = rendered.requests
    assert meeting.made(request).outcome is Outcome.APP_TOO_OLD
    assert request.for_old_apps is not None
    assert meeting.made(request.for_old_apps).outcome is Outcome.SENT
    assert meeting.person.heard[0].labels == ["Skip"]


def test_viber_cannot_show_that_the_bot_is_typing() -> None:
    meeting = on_viber()
    assert meeting.adapter.typing(meeting.chat_id, meeting.credential, "5741311803571721087") is None
