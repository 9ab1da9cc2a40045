from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec
import pytest

from shared.dialog.events import ButtonPressed
from shared.dialog.state import dialog_id_of
from shared.queueing.envelopes import InboundEnvelope
from tests.platforms.mutations import mutated
from tests.webchat.world import WebChat
from tests.webhook.doubles import BOT_ID, OTHER_BOT_ID, body_of

SHOP = "https://shop.example"
CAFE = {
    "version": "1.0",
    "steps": [
        {
            "id": "name",
            "message": [{"text": "Welcome to *our* café!"}, {"text": "What's your name?"}],
            "expected_input": {"type": "text", "variable": "name"},
        },
        {
            "id": "drink",
            "message": {"text": "Tea or coffee, {{ name }}?"},
            "buttons": [{"text": "Tea", "value": "tea"}, {"text": "Coffee", "value": "coffee"}],
            "expected_input": {"type": "button", "variable": "drink"},
            "end": True,
        },
    ],
}
CAFE["steps"][0]["next_step"] = "drink"  # type: ignore[index]


ACTS: list[Any] = [
    {"start": True, "payload": "table-7", "id": "1"},
    {"text": "Anna 🙂", "id": "2"},
    {"button": "p:0123abcd:1:1:0", "item": "0123abcd/00000001/0001", "id": "3"},
    {"location": {"latitude": 55.75, "longitude": 37.6, "title": "Here"}, "id": "4"},
    {"contact": {"phone": "+79990000000", "first_name": "Anna", "last_name": "P."}, "id": "5"},
]


class Person:
    """Somebody with a program that talks to the chat."""

    def __init__(self, chat: WebChat) -> None:
        self.chat = chat
        self.token = ""
        self.last = ""

    def says(self, body: Any, **event: Any) -> dict[str, Any]:
        answer = self.chat.call("POST", json.dumps(body), headers=self._headers(), **event)
        if answer["statusCode"] == 200:
            self.token = body_of(answer)["chat_token"]
        return answer

    def reads(self, after: str | None = None) -> dict[str, Any]:
        query = {"after": after} if after else None
        return self.chat.call("GET", headers=self._headers(), query=query)

    def sees(self) -> list[str]:
        """The texts that are new since the last look."""
        items = body_of(self.reads(self.last))["items"]
        self.last = items[-1]["id"] if items else self.last
        return [item["text"] for item in items]

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


@pytest.fixture
def chat() -> WebChat:
    return WebChat(CAFE)


@pytest.fixture
def person(chat: WebChat) -> Person:
    return Person(chat)


def test_a_conversation_from_start_to_end(chat: WebChat, person: Person) -> None:
    person.says({"start": True})
    chat.work()
    assert person.sees() == ["Welcome to our café!", "What's your name?"]
    person.says({"text": "Anna"})
    chat.work()
    assert person.sees() == ["Anna", "Tea or coffee, Anna?"]
    buttons = body_of(person.reads())["items"][-1]["buttons"]
    person.says({"button": buttons[1]["value"]})
    chat.work()
    assert person.sees()[0] == "Coffee"
    dialog = chat.dialogs.load(dialog_id_of(BOT_ID, "webchat", person.token[:32]))
    assert dialog is not None
    assert dialog.variables == {"name": "Anna", "drink": "coffee"}


def test_several_choices_are_marked_in_the_place_of_the_item_they_were_pressed_in() -> None:
    buttons = [{"text": "Eggs", "value": "eggs"}, {"text": "Jam", "value": "jam"}]
    asked = {"expected_input": {"type": "buttons", "variable": "food"}, "end": True}
    step = {"id": "food", "message": {"text": "What would you like?"}, "buttons": buttons, **asked}
    chat = WebChat({"version": "1.0", "steps": [step]})
    person = Person(chat)
    person.says({"start": True})
    chat.work()
    (question,) = body_of(person.reads())["items"]
    for value in (question["buttons"][0]["value"], question["buttons"][1]["value"]):
        person.says({"button": value, "item": question["id"]})
        chat.work()
    *_, changed = body_of(person.reads())["items"]
    assert changed["replaces"] == question["id"]
    assert [button.get("selected", False) for button in changed["buttons"]] == [True, True, False]
    person.says({"button": question["buttons"][2]["value"], "item": question["id"]})
    chat.work()
    dialog = chat.dialogs.load(dialog_id_of(BOT_ID, "webchat", person.token[:32]))
    assert dialog is not None
    assert dialog.variables == {"food": ["eggs", "jam"]}


def test_a_place_and_a_contact_reach_the_scenario_and_are_listed() -> None:
    steps = [
        {"id": kind, "message": {"text": kind}, "expected_input": {"type": kind, "variable": kind}}
        for kind in ("location", "contact")
    ]
    steps[0]["next_step"] = "contact"
    chat = WebChat({"version": "1.0", "steps": steps})
    person = Person(chat)
    location, contact = {"latitude": 55.75, "longitude": 37.6}, {"phone": "+79990000000"}
    for said in ({"start": True}, {"location": location}, {"contact": {**contact, "first_name": "Anna"}}):
        person.says(said)
        chat.work()
    shared = [item for item in body_of(person.reads())["items"] if item["from"] == "user"]
    assert [shared[0]["location"], shared[1]["contact"]["phone"]] == [location, "+79990000000"]
    dialog = chat.dialogs.load(dialog_id_of(BOT_ID, "webchat", person.token[:32]))
    assert dialog is not None
    assert dialog.variables["location"]["latitude"] == 55.75
    assert dialog.variables["contact"]["first_name"] == "Anna"


def test_a_first_call_makes_a_chat_and_later_ones_stay_in_it(chat: WebChat, person: Person) -> None:
    first = body_of(person.says({"start": True}))
    second = body_of(person.says({"text": "Anna"}))
    assert first == second
    assert first["chat_token"].startswith(first["chat_id"])
    assert {envelope.platform_chat_id for envelope in chat.queue.envelopes} == {first["chat_id"]}


def test_every_act_without_a_token_is_a_chat_of_its_own(chat: WebChat) -> None:
    ids = {body_of(chat.call("POST", '{"start": true}'))["chat_id"] for _ in range(100)}
    assert len(ids) == 100


@pytest.mark.parametrize("body", [{"start": True}, {"text": "hello"}, {"button": "hello"}])
def test_a_chat_can_begin_with_any_act(person: Person, body: dict[str, Any]) -> None:
    assert person.says(body)["statusCode"] == 200


def test_the_same_id_again_is_the_same_event(chat: WebChat, person: Person) -> None:
    person.says({"start": True})
    for _ in range(3):
        person.says({"text": "Anna", "id": "client-1"})
    chat.work()
    assert person.sees() == ["Welcome to our café!", "What's your name?", "Anna", "Tea or coffee, Anna?"]


def test_a_chat_speaks_the_language_of_the_browser(chat: WebChat) -> None:
    chat.call("POST", '{"start": true}', headers={"accept-language": "ru-RU,ru;q=0.9"})
    sent = chat.queue.envelopes[0].event.person
    assert sent is not None
    assert sent.language == "ru-RU"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer " + "0" * 32 + "." + "0" * 64, ""])
def test_a_wrong_token_is_refused(chat: WebChat, method: str, header: str) -> None:
    answer = chat.call(method, '{"text": "hello"}', headers={"authorization": header})
    assert answer["statusCode"] == 401
    assert chat.queue.calls == 0


def test_reading_takes_a_token(chat: WebChat) -> None:
    assert chat.call("GET")["statusCode"] == 401


def test_a_token_of_one_bot_is_nothing_to_another(chat: WebChat, person: Person) -> None:
    person.says({"start": True})
    chat.vault.keep("webchat", bot_id=OTHER_BOT_ID, token_secret="token-secret")
    answer = person.says({"text": "hello"}, bot_id=OTHER_BOT_ID)
    assert answer["statusCode"] == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("hello", 400, id="no JSON"),
        pytest.param("", 400, id="nothing"),
        pytest.param('{"text": NaN}', 400, id="NaN"),
        pytest.param("[" * 1_000_000 + "]" * 1_000_000, 400, id="a million brackets"),
        pytest.param('{"text": ' + "9" * 10_000 + "}", 400, id="a giant number"),
        pytest.param('{"text": "' + "x" * 4097 + '"}', 400, id="a text too long"),
        pytest.param('{"text": "' + "x" * 5_000_000 + '"}', 413, id="a giant text"),
        pytest.param(b"\xff\xff", 400, id="no UTF-8"),
        pytest.param('{"text": "a", "text": ""}', 400, id="one key twice, the last one empty"),
    ],
)
def test_a_bad_body_is_refused_with_words(chat: WebChat, body: str | bytes, status: int) -> None:
    answer = chat.call("POST", body)
    assert answer["statusCode"] == status
    assert body_of(answer)["detail"]
    assert chat.queue.calls == 0


def test_whatever_is_posted_is_taken_in_or_refused_with_words(chat: WebChat) -> None:
    random, token = Random(0), body_of(chat.call("POST", '{"start": true}'))["chat_token"]
    for _ in range(2000):
        body = mutated(random.choice(ACTS), ACTS, random)
        answer = chat.call("POST", body, headers={"authorization": f"Bearer {token}"})
        assert answer["statusCode"] in {200, 400}, body
        assert body_of(answer)
    for envelope in chat.queue.envelopes:
        assert msgspec.json.decode(msgspec.json.encode(envelope), type=InboundEnvelope) == envelope


def test_half_a_character_is_replaced(chat: WebChat) -> None:
    chat.call("POST", r'{"text": "a\ud83d"}')
    assert getattr(chat.queue.envelopes[0].event, "text", "") == "a\ufffd"


def test_an_unknown_bot_is_not_found(chat: WebChat) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        assert chat.call(method, "{}", bot_id=OTHER_BOT_ID)["statusCode"] == 404


def test_an_inactive_bot_takes_what_is_said_and_says_that_it_rests(chat: WebChat, person: Person) -> None:
    chat.vault.keep("webchat", is_active=False, token_secret="token-secret")
    answer = person.says({"text": "hello"})
    assert answer["statusCode"] == 200
    assert body_of(answer)["accepted"] is False
    assert chat.queue.calls == 0


def test_a_queue_that_refuses_makes_the_page_try_again(chat: WebChat, person: Person) -> None:
    chat.queue.refuses = True
    assert person.says({"text": "hello"})["statusCode"] == 503


def test_a_press_on_the_bots_button_is_a_press(chat: WebChat, person: Person) -> None:
    person.says({"button": "p:0123abcd:1:1:0"})
    assert isinstance(chat.queue.envelopes[0].event, ButtonPressed)


class TestList:
    """What a page gets to see, while the workers are at it."""

    def test_is_empty_before_anything_was_done(self, person: Person) -> None:
        person.says({"start": True})
        assert body_of(person.reads()) == {"items": [], "typing": False, "open_ask": None}

    def test_says_that_the_bot_types_until_all_of_a_turn_is_out(self, chat: WebChat, person: Person) -> None:
        person.says({"start": True})
        chat.think()
        assert body_of(person.reads())["typing"] is True
        chat.deliver()
        assert body_of(person.reads())["typing"] is False

    def test_says_that_the_bot_types_while_a_model_is_asked(self, chat: WebChat, person: Person) -> None:
        think = {"id": "think", "llm": {"prompt": "Well?", "reply": True}, "end": True}
        chat.activate({"version": "1", "steps": [think]})
        person.says({"start": True})
        chat.work()
        assert body_of(person.reads())["typing"] is True

    def test_says_that_the_bot_types_when_the_history_lags(self, chat: WebChat, person: Person) -> None:
        person.says({"start": True})
        chat.work()
        chat.history._entries.clear()
        listed = body_of(person.reads())
        assert (listed["items"], listed["typing"]) == ([], True)

    def test_tells_which_question_is_open(self, chat: WebChat, person: Person) -> None:
        person.says({"start": True})
        person.says({"text": "Anna"})
        chat.work()
        listed = body_of(person.reads())
        values = [button["value"] for button in listed["items"][-1]["buttons"]]
        assert all(value.startswith(listed["open_ask"]) for value in values)
        person.says({"button": values[0]})
        chat.work()
        assert body_of(person.reads())["open_ask"] is None

    def test_goes_on_within_a_turn(self, chat: WebChat, person: Person) -> None:
        person.says({"start": True})
        chat.work()
        first = body_of(person.reads())["items"][0]
        assert [item["text"] for item in body_of(person.reads(first["id"]))["items"]] == ["What's your name?"]

    def test_starts_over_when_the_dialog_was_deleted(self, chat: WebChat, person: Person) -> None:
        person.says({"start": True})
        chat.work()
        assert len(person.sees()) == 2
        chat.dialogs._dialogs.clear()
        person.says({"text": "Anna, again"})
        chat.work()
        assert person.sees() == ["Anna, again", "Welcome to our café!", "What's your name?"]

    def test_comes_in_pages_of_which_none_is_lost(self, chat: WebChat, person: Person) -> None:
        person.says({"start": True})
        for n in range(150):
            person.says({"text": f"/start {n}"})
        chat.work()
        texts: list[str] = []
        while new := person.sees():
            texts += new
        assert [text for text in texts if text.startswith("/start")] == [f"/start {n}" for n in range(150)]
        assert len(texts) == 2 + 150 * 3

    def test_passes_over_a_page_that_has_nothing_to_show(self, chat: WebChat, person: Person) -> None:
        silent = {"version": "1.0", "steps": [{"id": "silent", "end": True}]}
        chat.activate(silent)
        for _ in range(250):
            person.says({"start": True})
        chat.work()
        chat.activate(CAFE)
        person.says({"text": "hello"})
        chat.work()
        assert person.sees()[0] == "hello"

    @pytest.mark.parametrize("after", ["1/2", "nonsense", "0123abcd/x/0001", "x" * 5000])
    def test_refuses_a_place_that_is_none(self, person: Person, after: str) -> None:
        person.says({"start": True})
        assert person.reads(after)["statusCode"] == 400

    def test_is_never_kept_by_a_cache(self, person: Person) -> None:
        person.says({"start": True})
        assert person.reads()["headers"]["cache-control"] == "no-store"


class TestOrigins:
    """A website's own widget calls from the website's origin."""

    @pytest.fixture
    def chat(self) -> WebChat:
        return WebChat(CAFE, allowed_origins=SHOP)

    @pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
    def test_a_listed_one_may_read_the_answers_and_the_refusals(self, chat: WebChat, method: str) -> None:
        answer = chat.call(method, '{"start": true}', headers={"origin": SHOP})
        assert answer["statusCode"] == {"POST": 200, "GET": 401, "OPTIONS": 204}[method]
        assert answer["headers"]["access-control-allow-origin"] == SHOP
        assert answer["headers"]["vary"] == "Origin"

    def test_a_listed_one_may_read_that_something_broke(self, chat: WebChat) -> None:
        chat.queue.refuses = True
        answer = chat.call("POST", '{"start": true}', headers={"origin": SHOP})
        assert answer["statusCode"] == 503
        assert answer["headers"]["access-control-allow-origin"] == SHOP
        assert answer["headers"]["cache-control"] == "no-store"

    def test_its_preflight_is_told_what_is_allowed(self, chat: WebChat) -> None:
        headers = chat.call("OPTIONS", headers={"origin": SHOP})["headers"]
        assert headers["access-control-allow-headers"] == "authorization, content-type"
        assert headers["access-control-allow-methods"] == "GET, POST"

    @pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
    def test_any_other_is_refused(self, chat: WebChat, method: str) -> None:
        answer = chat.call(method, '{"start": true}', headers={"origin": "https://evil.example"})
        assert answer["statusCode"] == 403
        assert "access-control-allow-origin" not in answer["headers"]
        assert chat.queue.calls == 0

    def test_where_none_are_listed_no_foreign_page_can_read(self) -> None:
        answer = WebChat(CAFE).call("POST", '{"start": true}', headers={"origin": "https://evil.example"})
        assert answer["statusCode"] == 200
        assert "access-control-allow-origin" not in answer["headers"]


def test_a_list_too_long_for_one_answer_is_read_in_parts() -> None:
    echo = {"id": "a", "message": {"text": "я" * 50_000}, "next_step": "a"}
    expected_input = {"type": "text", "variable": "said"}
    chat = WebChat({"version": "1.0", "steps": [{**echo, "expected_input": expected_input}]})
    person = Person(chat)
    for number in range(30):
        person.says({"text": f"line {number}"})
        chat.work()

    seen: list[str] = []
    while new := body_of(answer := person.reads(person.last))["items"]:
        assert len(answer["body"].encode()) < 1_100_000
        person.last = new[-1]["id"]
        seen += [item["text"][:10] for item in new]
    assert seen == [text for n in range(30) for text in (f"line {n}", "я" * 10)]
    assert not body_of(answer)["typing"]
