"""A step shown as every messenger would be told to show it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from functions.admin.scenarios.preview import Previews
from functions.admin.scenarios.trial import Trials
from shared.errors import Invalid
from shared.media.base import MediaFile
from shared.media.library import Library
from shared.media.links import addresses_below
from shared.platforms import MessengerAddresses
from shared.simulation.conversation import Opening
from shared.storage.clock import utc_now
from shared.storage.memory import MemoryMedia
from tests.functions.admin.conftest import MEDIA_URL, SCENARIO, Api, a_file

DISHES: dict[str, Any] = {
    "version": "1",
    "languages": ["en", "ru"],
    "variables": {"name": {"type": "string"}},
    "steps": [
        {"id": "hello", "message": {"text": "Hello"}, "next_step": "dish"},
        {
            "id": "dish",
            "message": {"text": {"en": "Which dish, *{{ name }}*?", "ru": "Какое блюдо, {{ name }}?"}},
            "buttons": [{"text": f"Dish number {n}", "value": n} for n in range(1, 13)],
            "expected_input": {"type": "button", "variable": "dish", "skip_if_set": True},
            "next_step": "bye",
        },
        {"id": "bye", "message": [{"text": "Bye"}, {"text": "See you"}], "next_step": "more"},
        {"id": "more", "message": {"text": "More"}, "end": True},
        {"id": "known", "message": {"text": "Since {{ contact.hired }}"}, "end": True},
    ],
    "conditions": [{"if": "name == 'Ann'", "then": "bye"}],
}


def preview(api: Api, bot: str, document: dict[str, Any] | None = None, **body: Any) -> Any:
    made = api.create(f"/api/bots/{bot}/scenarios", {"name": "S", "scenario_data": document or DISHES})
    return api("POST", f"/api/scenarios/{made['id']}/preview", "viewer", json=body)


def by_platform(answer: Any) -> dict[str, list[dict[str, Any]]]:
    assert answer.status_code == 200, answer.text
    return {each["platform"]: each["messages"] for each in answer.json()["previews"]}


def test_a_step_is_shown_for_every_messenger_side_by_side(api: Api, bot: str) -> None:
    shown = by_platform(preview(api, bot, step="dish", variables={"name": "Ann"}))

    assert list(shown) == ["telegram", "whatsapp", "viber", "webchat"]
    (telegram,), (whatsapp,), (viber,), (webchat,) = shown.values()
    assert telegram["requests"][0]["url"] == "https://api.telegram.org/botBOT_TOKEN/sendMessage"
    assert telegram["requests"][0]["json"]["text"] == "Which dish, Ann?"
    assert len(telegram["requests"][0]["json"]["reply_markup"]["inline_keyboard"]) > 1
    assert telegram["degradations"] == []
    assert whatsapp["requests"][0]["url"].endswith("/PHONE_NUMBER_ID/messages")
    assert whatsapp["requests"][0]["json"]["to"] == "CHAT_ID"
    assert whatsapp["degradations"] != []
    assert viber["requests"][0]["json"]["sender"] == {"name": "A bot"}
    assert webchat["requests"] == []
    assert webchat["message"]["text"] == "Which dish, Ann?"
    assert len(webchat["message"]["buttons"]) == 12


def test_a_template_is_shown_where_it_would_be_sent(api: Api, bot: str) -> None:
    template = {"name": "ready", "language": "en", "parameters": ["{{ bot.name }}"]}
    step = {"id": "s", "message": {"text": "Ready", "whatsapp_template": template}, "end": True}

    shown = by_platform(preview(api, bot, {"version": "1", "steps": [step]}, step="s"))

    (request,) = shown.pop("whatsapp")[0]["template"]
    assert request["json"]["template"]["name"] == "ready"
    assert [messages[0]["template"] for messages in shown.values()] == [None] * 3


def test_no_header_is_shown(api: Api, bot: str) -> None:
    answer = preview(api, bot, step="dish")

    assert "ACCESS_TOKEN" not in answer.text
    assert "AUTH_TOKEN" not in answer.text


def test_it_is_shown_in_the_language_and_for_the_platforms_that_are_named(api: Api, bot: str) -> None:
    shown = by_platform(
        preview(
            api, bot, step="dish", language="ru", variables={"name": "Анна"}, platforms=["viber", "viber"]
        )
    )

    assert list(shown) == ["viber"]
    assert shown["viber"][0]["message"]["text"] == "Какое блюдо, Анна?"


@pytest.mark.parametrize(
    ("variables", "text"),
    [({"contact": {"hired": "2026-11-22"}}, "Since 2026-11-22"), ({}, "Since ")],
    ids=["known", "unknown"],
)
def test_what_is_known_of_the_person_is_shown(
    api: Api, bot: str, variables: dict[str, Any], text: str
) -> None:
    (message,) = by_platform(preview(api, bot, step="known", variables=variables, platforms=["viber"]))[
        "viber"
    ]
    assert message["message"]["text"] == text


@pytest.mark.parametrize(
    ("step", "texts"),
    [
        pytest.param("hello", ["Hello"], id="what comes after is another step"),
        pytest.param("bye", ["Bye", "See you"], id="all of its messages"),
    ],
)
def test_the_step_is_shown_alone(api: Api, bot: str, step: str, texts: list[str]) -> None:
    shown = by_platform(preview(api, bot, step=step, variables={"name": "Ann"}))

    for messages in shown.values():
        assert [each["message"]["text"] for each in messages] == texts


def test_a_question_is_shown_even_where_its_answer_is_known(api: Api, bot: str) -> None:
    shown = by_platform(
        preview(api, bot, step="dish", variables={"name": "Bo", "dish": 3}, platforms=["telegram"])
    )
    assert shown["telegram"][0]["message"]["text"] == "Which dish, Bo?"


@pytest.mark.parametrize(
    "action",
    [
        {"llm": {"prompt": "Hi"}},
        {"http": {"method": "GET", "url": "https://a.example"}},
        {"wait": "1h"},
        {"handoff": {}},
    ],
    ids=lambda action: next(iter(action)),
)
def test_nothing_of_a_step_s_action_happens(api: Api, bot: str, action: dict[str, Any]) -> None:
    step = {"id": "act", "message": {"text": "Wait"}, **action, "end": True}

    shown = by_platform(preview(api, bot, {"version": "1", "steps": [step]}, step="act"))

    for messages in shown.values():
        assert [each["message"]["text"] for each in messages] == ["Wait"]


def test_a_question_with_no_choice_left_shows_no_other_step_in_its_place(api: Api, bot: str) -> None:
    asked = {
        "id": "asked",
        "message": {"text": "Which?"},
        "buttons": [{"for_each": "dishes", "text": "{{ item }}", "value": "item"}],
        "expected_input": {"type": "button"},
        "when_empty": "none",
    }
    none = {"id": "none", "message": {"text": "We are closed"}, "end": True}
    variables = {"dishes": {"type": "list"}}
    document = {"version": "1", "variables": variables, "steps": [asked, none]}

    answer = preview(api, bot, document, step="asked", variables={"dishes": []}, platforms=["viber"])

    assert by_platform(answer) == {"viber": []}
    (note,) = answer.json()["previews"][0]["notes"]
    assert "when_empty" in note


def test_a_document_need_not_be_saved(api: Api, scenario: str) -> None:
    body = {"scenario_data": DISHES, "step": "bye"}
    assert api("POST", f"/api/scenarios/{scenario}/preview", json=body).status_code == 200


def test_what_goes_wrong_is_told(api: Api, bot: str) -> None:
    step = {"id": "odd", "message": {"text": "{{ 1 / 0 }}"}, "end": True}

    answer = preview(api, bot, {"version": "1", "steps": [step]}, step="odd", platforms=["telegram"])

    assert answer.status_code == 200
    assert answer.json()["previews"][0]["notes"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/step"),
        ({"step": "nowhere"}, "/step"),
        ({"step": 1}, "/step"),
        ({"step": "dish", "platforms": []}, "/platforms"),
        ({"step": "dish", "platforms": ["icq"]}, "/platforms/0"),
        ({"step": "dish", "variables": {"unknown": 1}}, "/variables"),
        ({"step": "dish", "language": "?"}, "/language"),
        ({"step": "dish", "revision": 7}, "/revision"),
        ({"step": "dish", "scenario_data": {}}, "/scenario_data/version"),
    ],
    ids=str,
)
def test_what_cannot_be_shown_is_refused_where_it_stands(
    api: Api, bot: str, body: dict[str, Any], pointer: str
) -> None:
    answer = preview(api, bot, **body)

    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_files_of_the_library_are_shown_by_their_public_addresses(api: Api, bot: str) -> None:
    media_id = a_file(bot, size=1_200_000)
    message = {"text": "Our menu", "media": [{"media_id": media_id}]}
    steps = [{"id": "menu", "message": message, "end": True}]

    shown = by_platform(preview(api, bot, {"version": "1", "steps": steps}, step="menu"))

    address = f"{MEDIA_URL}/media/{media_id}/k/a.png"
    (telegram,), (whatsapp,), (viber,), (webchat,) = shown.values()
    assert telegram["requests"][0]["json"]["photo"] == address
    assert whatsapp["requests"][0]["json"]["image"] == {"link": address, "caption": "Our menu"}
    assert viber["requests"][0]["json"]["file_name"] == "a.png"
    assert webchat["message"]["media"][0]["url"] == address
    told = [messages[0]["degradations"] for messages in shown.values()]
    assert told == [[], [], ["media_as_file"], []]


def test_a_file_of_another_bot_s_is_not_shown(api: Api, bot: str) -> None:
    message = {"text": "Our menu", "media": [{"media_id": a_file(api.bot())}]}
    steps = [{"id": "menu", "message": message, "end": True}]

    answer = preview(api, bot, {"version": "1", "steps": steps}, step="menu")

    assert MEDIA_URL not in answer.text
    assert {messages[0]["degradations"][0] for messages in by_platform(answer).values()} == {"media_gone"}


NO_LIBRARY = Library(MemoryMedia(utc_now), addresses_below("https://media.invalid"), utc_now)


def test_requests_go_where_the_deployment_s_messengers_are() -> None:
    addresses = MessengerAddresses(whatsapp_api_url="https://graph.example", whatsapp_api_version="v31.0")
    opening = Opening(platform="whatsapp")

    (previewed,) = Previews(Trials(), NO_LIBRARY, addresses).of("b", SCENARIO, {}, "ask_name", [opening])

    (request,) = previewed.shown[0].rendered.requests
    assert request.url == "https://graph.example/v31.0/PHONE_NUMBER_ID/messages"


def test_files_are_looked_up_by_the_process_that_has_the_connections(tmp_path: Path) -> None:
    """A trial is made in a forked process first, which must not speak over connections of its parent's."""
    log = tmp_path / "pids"

    class Records(MemoryMedia):
        def find(self, media_id: str) -> MediaFile | None:
            with log.open("a") as file:
                file.write(f"{os.getpid()}\n")
            return super().find(media_id)

    library = Library(Records(utc_now), addresses_below("https://media.invalid"), utc_now)
    message = {"text": "Menu", "media": [{"media_id": str(uuid4())}]}
    document = {"version": "1", "steps": [{"id": "menu", "message": message, "end": True}]}

    Previews(Trials(), library).of("b", document, {}, "menu", [Opening()])

    assert log.read_text().split() == [str(os.getpid())]


def test_a_step_that_takes_too_long_is_broken_off() -> None:
    with pytest.raises(Invalid, match="longer than 0 s"):
        Previews(Trials(seconds=0), NO_LIBRARY).of("b", SCENARIO, {}, "ask_name", [Opening()])
