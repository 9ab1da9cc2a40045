from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.credential import Credential
from shared.dialog.events import (
    ButtonPressed,
    ConversationStarted,
    MessageReceived,
    Person,
    Place,
    SharedContact,
)
from shared.dialog.messages import Button, Media, Message
from shared.errors import Invalid
from shared.platforms.base import Outcome, Rendered, Response, WebhookRequest
from shared.platforms.webchat import (
    ChatCall,
    WebchatAdapter,
    chat_of,
    chat_token,
    client_id_of,
    language_of,
    new_chat_id,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ADAPTER = WebchatAdapter()
CREDENTIAL = Credential(
    "c", "6f1c8f5e-1111-4a6b-8c2d-0123456789ab", "webchat", is_active=True, settings={"token_secret": "s"}
)
CHAT = "0123456789abcdef" * 2
PRESS = "p:0123abcd:1:1:0"


def parsed(body: Any) -> Any:
    (addressed,) = ADAPTER.parse(ChatCall(CHAT, "fresh", "ru-RU", body), CREDENTIAL, NOW).events
    assert addressed.chat_id == CHAT
    return addressed.event


def request(method: str = "GET", **headers: str) -> WebhookRequest:
    return WebhookRequest(method, headers, {}, b"")


def test_a_text_is_a_message() -> None:
    event = MessageReceived(id=f"{CHAT}.7", occurred_at=NOW, person=Person(language="ru-RU"), text=" Anna ")
    assert parsed({"text": " Anna ", "id": "7"}) == event


def test_a_start_begins_a_conversation() -> None:
    person = Person(language="ru-RU")
    started = ConversationStarted(id=f"{CHAT}.fresh", occurred_at=NOW, person=person, payload="deep")
    assert parsed({"start": True, "payload": "deep"}) == started
    assert parsed({"start": True}).payload == ""
    assert parsed({"start": True, "payload": None}).payload == ""


def test_a_button_with_our_data_is_a_press_and_any_other_is_typed() -> None:
    assert parsed({"button": PRESS}).data == PRESS
    assert isinstance(parsed({"button": PRESS}), ButtonPressed)
    for typed in ("cook", "p:cook", PRESS + ":0", "P" + PRESS[1:], PRESS + "\n"):
        assert parsed({"button": typed}) == MessageReceived(
            id=f"{CHAT}.fresh", occurred_at=NOW, person=Person(language="ru-RU"), text=typed
        )


def test_a_press_tells_the_item_it_was_under() -> None:
    assert parsed({"button": PRESS, "item": "0123abcd/00000001/0001"}).message_id == "0123abcd/00000001/0001"
    assert parsed({"button": PRESS, "item": None}).message_id == ""
    assert parsed({"button": PRESS}).message_id == ""


def test_a_place_is_a_message_of_its_own() -> None:
    event = parsed({"location": {"latitude": 55.75, "longitude": -180, "title": "Café"}})
    assert (event.content, event.text) == ("location", "")
    assert event.place == Place(55.75, -180.0, "Café")
    assert parsed({"location": {"latitude": 0, "longitude": 0, "title": ""}}).place == Place(0.0, 0.0)


def test_a_contact_is_never_surely_the_persons_own() -> None:
    event = parsed({"contact": {"phone": "+7999", "first_name": "Anna", "own": True}})
    assert (event.content, event.text) == ("contact", "")
    assert event.contact == SharedContact("+7999", "Anna")


def test_one_client_id_in_two_chats_names_two_events() -> None:
    other = ADAPTER.parse(ChatCall("f" * 32, "fresh", "", {"text": "a", "id": "1"}), CREDENTIAL, NOW)
    assert parsed({"text": "a", "id": "1"}).id != other.events[0].event.id


@given(st.text(min_size=1, max_size=64))
def test_a_client_finds_its_own_id_again(client_id: str) -> None:
    assert client_id_of(parsed({"text": "a", "id": client_id}).id) == client_id


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({"text": "x" * 4097}, "at most 4096 characters", id="a text too long"),
        pytest.param({"text": "🙂" * 4097}, "at most 4096 characters", id="too many emoji"),
        pytest.param({"text": ""}, "“text” must be a text", id="no text"),
        pytest.param({"text": " \n\t "}, "must not be empty", id="spaces"),
        pytest.param({"button": "  "}, "must not be empty", id="a button of spaces"),
        pytest.param({"text": 5}, "must be a text", id="a number"),
        pytest.param({"text": ["a"]}, "must be a text", id="a list"),
        pytest.param({"button": True}, "must be a text", id="a button that is true"),
        pytest.param({"start": False}, "must be true", id="no start"),
        pytest.param({"start": "yes"}, "must be true", id="a start in words"),
        pytest.param({"start": True, "payload": {"a": 1}}, "must be a text", id="a payload object"),
        pytest.param({"start": True, "payload": "x" * 513}, "at most 512", id="a payload too long"),
        pytest.param({"text": "a", "id": "x" * 65}, "“id” must be at most 64", id="an id too long"),
        pytest.param({"text": "a", "id": ""}, "“id” must be a text", id="an empty id"),
        pytest.param({"text": "a", "id": 7}, "“id” must be a text", id="a number for an id"),
        pytest.param({"text": "a", "button": "b"}, "say one of", id="two acts at once"),
        pytest.param({"button": PRESS, "item": "1"}, "“item” must be the id", id="an item that is none"),
        pytest.param({"button": PRESS, "item": "x" * 65}, "at most 64", id="an item too long"),
        pytest.param({"button": PRESS, "item": 5}, "must be a text", id="an item that is a number"),
        pytest.param({"location": "here"}, "“location” must be an object", id="a place in words"),
        pytest.param({"location": {}}, "“latitude” must be a number", id="a place nowhere"),
        pytest.param({"location": {"latitude": "1", "longitude": 1}}, "“latitude”", id="degrees in words"),
        pytest.param(
            {"location": {"latitude": True, "longitude": 1}}, "“latitude”", id="degrees that are true"
        ),
        pytest.param({"location": {"latitude": 90.1, "longitude": 1}}, "-90 to 90", id="beyond the pole"),
        pytest.param({"location": {"latitude": 1, "longitude": -181}}, "-180 to 180", id="once around"),
        pytest.param({"location": {"latitude": float("nan"), "longitude": 1}}, "-90 to 90", id="no number"),
        pytest.param(
            {"location": {"latitude": 1, "longitude": 1, "title": "x" * 257}},
            "at most 256",
            id="a long title",
        ),
        pytest.param({"contact": ["+7999"]}, "“contact” must be an object", id="a contact in a list"),
        pytest.param({"contact": {"first_name": "Anna"}}, "“phone” must be a text", id="a contact of nobody"),
        pytest.param(
            {"contact": {"phone": "+7", "last_name": 5}}, "“last_name”", id="a name that is a number"
        ),
        pytest.param({}, "say one of", id="nothing"),
        pytest.param({"image": "x"}, "say one of", id="something else"),
        pytest.param([], "say one of", id="a list"),
        pytest.param("text", "say one of", id="a string"),
        pytest.param(None, "say one of", id="null"),
    ],
)
def test_anything_else_is_refused_with_words(body: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        parsed(body)


def test_a_refusal_points_at_the_field_that_is_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        parsed({"location": {"latitude": 1, "longitude": 181}})
    assert [violation.pointer for violation in refused.value.violations] == ["/location/longitude"]


def test_texts_of_the_longest_length_pass() -> None:
    assert len(parsed({"text": "🙂" * 4096}).text) == 4096


def test_a_token_proves_its_chat() -> None:
    token = chat_token(CREDENTIAL, CHAT)
    assert chat_of(request(authorization=f"Bearer {token}"), CREDENTIAL) == CHAT
    assert chat_of(request(authorization=f"bearer  {token} "), CREDENTIAL) == CHAT


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic " + chat_token(CREDENTIAL, CHAT),
        chat_token(CREDENTIAL, CHAT),
        "Bearer " + CHAT,
        "Bearer " + chat_token(CREDENTIAL, CHAT)[:-1],
        "Bearer " + chat_token(CREDENTIAL, CHAT) + "0",
        "Bearer " + "f" * 32 + chat_token(CREDENTIAL, CHAT)[32:],
        "Bearer " + chat_token(CREDENTIAL, CHAT).upper(),
        "Bearer " + chat_token(CREDENTIAL, CHAT).replace("0", "٠"),
        "Bearer " + "é" * 97,
    ],
)
def test_nothing_else_proves_a_chat(header: str) -> None:
    assert chat_of(request(authorization=header), CREDENTIAL) is None
    assert not ADAPTER.verify(request("GET", authorization=header), CREDENTIAL)
    assert not ADAPTER.verify(request("POST", authorization=header), CREDENTIAL)


def test_a_token_is_worth_nothing_with_another_bot_or_secret() -> None:
    header = request(authorization=f"Bearer {chat_token(CREDENTIAL, CHAT)}")
    other_bot = Credential(
        "c", "6f1c8f5e-2222-4a6b-8c2d-0123456789ab", "webchat", is_active=True, settings={"token_secret": "s"}
    )
    other_secret = Credential(
        "c", CREDENTIAL.bot_id, "webchat", is_active=True, settings={"token_secret": "t"}
    )
    assert chat_of(header, other_bot) is None
    assert chat_of(header, other_secret) is None


def test_only_a_post_may_come_without_a_token() -> None:
    assert ADAPTER.verify(request("POST"), CREDENTIAL)
    assert not ADAPTER.verify(request("GET"), CREDENTIAL)


def test_chats_are_numbered_beyond_guessing() -> None:
    ids = {new_chat_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert {len(chat_id) for chat_id in ids} == {32}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru-RU"),
        ("en", "en"),
        (" de ; q=0.5", "de"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("*", ""),
        ("", ""),
        ("<script>", ""),
        ("x" * 1000, ""),
    ],
)
def test_the_language_is_the_one_the_browser_prefers(header: str, language: str) -> None:
    assert language_of(request(**{"accept-language": header})) == language


def test_a_message_takes_no_request() -> None:
    message = Message("Hello" * 1000, buttons=(Button("a", data=PRESS),) * 50)
    assert ADAPTER.render(message, CHAT, CREDENTIAL, "d:e:1:1") == Rendered()
    assert ADAPTER.interpret(Response(500, b"")).outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("message", "degradations"),
    [
        (Message("Which?", buttons=(Button("Tea", PRESS),), several=True, replaces="a"), ()),
        (Message("Where?", buttons=(Button("Here", share="location"),)), ()),
        (Message("Number?", buttons=(Button("Mine", share="phone"),)), ("share_dropped",)),
        (Message("Menu", media=(Media("image", "https://a.io/a.png"),)), ()),
        (Message("Menu", media=(Media("file", "http://a.io/a.pdf"),)), ()),
        (Message("Menu", media=(Media("image", "http://a.io/a.png"),)), ("media_as_links",)),
        (Message("Menu", media=(Media("image", "http://localhost:8000/media/a.png", "a"),)), ()),
        (Message("Menu", media=(Media("image", media_id="m1"),)), ("media_gone",)),
        (Message("Menu", media=(Media("image"),)), ("media_dropped",)),
        (
            Message("Menu", media=(Media("video", "https://a.io/a.mov", content_type="video/quicktime"),)),
            ("media_as_file",),
        ),
    ],
)
def test_what_the_page_gives_up_is_told(message: Message, degradations: tuple[str, ...]) -> None:
    assert ADAPTER.render(message, CHAT, CREDENTIAL, "d:e:1:1") == Rendered((), degradations)
