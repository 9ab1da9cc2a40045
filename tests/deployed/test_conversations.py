"""The main job: one onboarding conversation, on every messenger, through everything that is deployed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deployed.admin import Admin, eventually
from tests.deployed.conftest import Messengers
from tests.deployed.webchat import WebchatPerson
from tests.standins.server import Person

pytestmark = pytest.mark.deployed

Somebody = Person | WebchatPerson
Arrive = Callable[[Messengers, dict[str, str], int], tuple[Somebody, str]]
"""Makes somebody new and lets them open the conversation; also the platform's name for them."""


def _on_telegram(messengers: Messengers, webhook: dict[str, str], number: int) -> tuple[Somebody, str]:
    person = messengers.telegram.person(webhook["telegram"], 5_000_000_000 + number, first_name="Ivan")
    assert person.start().status == 200
    return person, str(5_000_000_000 + number)


def _on_whatsapp(messengers: Messengers, webhook: dict[str, str], number: int) -> tuple[Somebody, str]:
    person = messengers.whatsapp.person(webhook["whatsapp"], number=f"4917000000{number:02d}")
    assert person.say("Hi!").status == 200
    return person, f"4917000000{number:02d}"


def _on_viber(messengers: Messengers, webhook: dict[str, str], number: int) -> tuple[Somebody, str]:
    person = messengers.viber.person(webhook["viber"], f"0123456789+/{number:02d}=")
    assert person.open().status == 200
    return person, f"0123456789+/{number:02d}="


def _on_webchat(_: Messengers, webhook: dict[str, str], number: int) -> tuple[Somebody, str]:
    person = WebchatPerson(webhook["webchat"])
    assert person.start().status == 200
    return person, person.chat_id


ARRIVALS = {
    "telegram": _on_telegram,
    "whatsapp": _on_whatsapp,
    "viber": _on_viber,
    "webchat": _on_webchat,
}

QUESTIONS = [
    "Hello! What's your name?",
    "Please enter your last name",
    "What's your position in the company?",
    "Which project or restaurant are you joining?",
    "What is your citizenship?",
]
POSITIONS = ["Food Guide", "Cook", "Manager", "Courier"]
DOCUMENTS = {
    "РФ": "Please bring to your first day:\n• passport\n• taxpayer number (ИНН)\n"
    "• insurance number (СНИЛС)\n• employment record",
    "СНГ": "Please bring to your first day:\n• passport with a translation\n• migration card\n"
    "• registration at your place of stay\n• work permit",
}


def converse(person: Somebody, citizenship: str) -> list[str]:
    """Answer every question; what the bot said, in order."""
    heard = [person.next()]
    for answer in ("Ivan", "Petrov"):
        person.say(answer)
        heard.append(person.next())
    assert heard[-1].labels == POSITIONS
    person.press("Cook")
    heard.append(person.next())
    person.say("Blue Whale")
    heard.append(person.next())
    assert heard[-1].labels == ["РФ", "СНГ"]
    person.press(citizenship)
    heard += [person.next(), person.next()]
    return [said.text for said in heard]


@pytest.mark.parametrize("citizenship", ["РФ", "СНГ"])
@pytest.mark.parametrize("platform", ARRIVALS)
def test_the_conversation_is_the_same_on_every_messenger(
    platform: str,
    citizenship: str,
    messengers: Messengers,
    webhook: dict[str, str],
    admin: Admin,
    bot_id: str,
) -> None:
    person, chat_id = ARRIVALS[platform](messengers, webhook, ["РФ", "СНГ"].index(citizenship))
    said = converse(person, citizenship)

    summary = said.pop().replace("*", "")
    assert said == [*QUESTIONS, DOCUMENTS[citizenship]]
    assert summary.startswith("Thank you, Ivan Petrov! Here is what I noted:\nPosition: Cook\n")
    assert f"Project: Blue Whale\nCitizenship: {citizenship}\n" in summary

    dialog = admin.dialog_of(bot_id, platform, chat_id)
    assert dialog is not None
    assert dialog["collected_data"] == {
        "first_name": "Ivan",
        "last_name": "Petrov",
        "full_name": "Ivan Petrov",
        "position": "cook",
        "project": "Blue Whale",
        "citizenship": citizenship,
    }
    assert (dialog["status"], dialog["run"], dialog["current_step"]) == ("completed", 1, "summary")
    _recorded_whole(admin, dialog)
    assert [refused for messenger in messengers.all for refused in messenger.refusals] == []


def _recorded_whole(admin: Admin, dialog: dict[str, Any]) -> None:
    """Every event and every message lies in the history, delivered, the webhook's own welcome too."""

    def recorded() -> list[dict[str, Any]] | None:
        entries = admin.history(dialog["id"])
        bots = [entry for entry in entries if entry["message_type"] == "bot"]
        return entries if len(bots) == 7 else None

    entries = eventually(recorded)
    assert len([entry for entry in entries if entry["message_type"] == "user"]) == 6
    statuses = {entry["delivery"]["status"] for entry in entries if entry["delivery"]}
    assert statuses == {"sent"}
    assert not any(entry["delivery"]["possibly_doubled"] for entry in entries if entry["delivery"])


def test_a_press_is_acknowledged_in_telegram(messengers: Messengers, webhook: dict[str, str]) -> None:
    person, _ = _on_telegram(messengers, webhook, 10)
    for answer in ("Ivan", "Petrov"):
        person.next()
        person.say(answer)
    person.next()
    before = len(messengers.telegram.acknowledged)
    person.press("Manager")
    assert len(messengers.telegram.acknowledged) == before + 1
    assert person.next().text == QUESTIONS[3]


@pytest.mark.parametrize("platform", ARRIVALS)
def test_an_old_button_is_recognised(platform: str, messengers: Messengers, webhook: dict[str, str]) -> None:
    person, _ = ARRIVALS[platform](messengers, webhook, 20)
    person.next()
    for answer in ("Ivan", "Petrov"):
        person.say(answer)
        person.next()
    person.say("Cook")  # a press would take the buttons away, where the messenger can
    assert person.next().text == QUESTIONS[3]
    person.press("Manager")
    assert person.next().text == "That button belongs to an earlier question."
    assert person.next().text == QUESTIONS[3]


@pytest.mark.parametrize("platform", ARRIVALS)
def test_a_wrong_answer_is_asked_again(
    platform: str, messengers: Messengers, webhook: dict[str, str]
) -> None:
    person, _ = ARRIVALS[platform](messengers, webhook, 30)
    person.next()
    for answer in ("Ivan", "Petrov"):
        person.say(answer)
        person.next()
    person.say("astronaut")
    again = person.next()
    assert again.text == "Please choose one of the buttons."
    assert again.labels == POSITIONS
    person.say("cook")
    assert person.next().text == QUESTIONS[3]


@pytest.mark.parametrize("times", [2, 50])
def test_a_body_posted_again_is_applied_once(
    times: int, messengers: Messengers, webhook: dict[str, str], admin: Admin, bot_id: str
) -> None:
    person, chat_id = _on_telegram(messengers, webhook, 40 + times)
    person.next()
    update = person.written("Ivan")  # type: ignore[union-attr]
    answers = [person.post(update) for _ in range(times)]  # type: ignore[arg-type]
    assert {answer.status for answer in answers} == {200}
    assert person.next().text == QUESTIONS[1]

    person.say("Petrov")
    assert person.next().text == QUESTIONS[2]
    assert person.unread() == []
    dialog = admin.dialog_of(bot_id, "telegram", chat_id)
    assert dialog is not None
    assert dialog["collected_data"]["last_name"] == "Petrov"
