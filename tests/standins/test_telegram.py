from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.standins.server import Answer, Part, answer_json, call, form_of
from tests.standins.telegram import TelegramPerson, TelegramStandIn
from tests.standins.webhook import Webhook

JSON = {"Content-Type": "application/json"}
CHAT = 987654321


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as standin:
        yield standin


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as standin:
        yield standin


@pytest.fixture
def ivan(telegram: TelegramStandIn, webhook: Webhook) -> TelegramPerson:
    person = telegram.person(webhook.url)
    person.start()
    return person


def api(telegram: TelegramStandIn, method: str, body: Any = None, token: str = "") -> Answer:
    url = f"{telegram.url}/bot{token or telegram.token}/{method}"
    return call("POST", url, JSON, json.dumps(body or {}).encode())


def send(telegram: TelegramStandIn, **body: Any) -> Answer:
    return api(telegram, "sendMessage", {"chat_id": CHAT, "text": "Hi", **body})


def keyboard(*buttons: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[button] for button in buttons]}


def choice(text: Any = "Yes", data: Any = "p:1") -> dict[str, Any]:
    return {"text": text, "callback_data": data}


def keys(*row: Any) -> dict[str, Any]:
    return {"keyboard": [[key] for key in row]}


def share(kind: str) -> dict[str, Any]:
    return {"text": "Share", f"request_{kind}": True}


def edit(telegram: TelegramStandIn, message_id: Any, method: str = "editMessageText", **body: Any) -> Answer:
    return api(telegram, method, {"chat_id": CHAT, "message_id": message_id, **body})


# ── The person ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_person_says_is_an_update_with_the_secret(webhook: Webhook) -> None:
    with TelegramStandIn(secret="s3cret") as telegram:
        answer = telegram.person(webhook.url, first_name="Anna").say("/start cook")
    assert answer.status == 200
    (request,) = webhook.requests
    assert request.headers["x-telegram-bot-api-secret-token"] == "s3cret"
    message = request.body["message"]
    assert message["text"] == "/start cook"
    assert message["from"]["first_name"] == "Anna"
    assert message["chat"] == {"id": CHAT, "type": "private", "first_name": "Anna"}
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


def test_update_ids_rise(ivan: TelegramPerson, webhook: Webhook) -> None:
    ivan.say("one")
    ivan.say("two")
    ids = [request.body["update_id"] for request in webhook.requests]
    assert ids == sorted(set(ids))


def test_a_person_hears_what_was_sent_and_presses_its_buttons(
    telegram: TelegramStandIn, ivan: TelegramPerson, webhook: Webhook
) -> None:
    send(telegram, text="Sure?", reply_markup=keyboard(choice(), {"text": "Site", "url": "https://a.io"}))
    said = ivan.next()
    assert (said.text, said.labels) == ("Sure?", ["Yes", "Site"])
    ivan.press("Yes")
    query = webhook.requests[-1].body["callback_query"]
    assert query["data"] == "p:1"
    assert query["message"]["text"] == "Sure?"
    assert str(query["message"]["message_id"]) == said.message_id
    assert query["from"]["id"] == CHAT
    with pytest.raises(LookupError):
        ivan.press("Site")


def test_the_acknowledgement_in_the_webhook_answer_is_taken(
    telegram: TelegramStandIn, ivan: TelegramPerson, webhook: Webhook
) -> None:
    send(telegram, reply_markup=keyboard(choice()))
    update = ivan.pressed("Yes")
    query_id = json.loads(update.body)["callback_query"]["id"]
    webhook.answers = answer_json({"method": "answerCallbackQuery", "callback_query_id": query_id})
    ivan.post(update)
    assert telegram.acknowledged == [query_id]
    ivan.post(update)
    assert [refusal.answer["error_code"] for refusal in telegram.refusals] == [400]


def test_an_acknowledgement_that_is_not_declared_as_json_is_none(
    telegram: TelegramStandIn, ivan: TelegramPerson, webhook: Webhook
) -> None:
    webhook.answers = Answer(200, b'{"method": "answerCallbackQuery", "callback_query_id": "1"}')
    ivan.say("Hi")
    assert telegram.acknowledged == []
    assert len(telegram.refusals) == 1


def test_who_has_blocked_the_bot_cannot_be_reached(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    ivan.block()
    assert send(telegram).status == 403
    ivan.unblock()
    assert send(telegram).status == 200


def test_an_update_can_be_delivered_many_times(ivan: TelegramPerson, webhook: Webhook) -> None:
    update = ivan.written("Hi")
    for _ in range(3):
        ivan.post(update)
    assert len({request.raw for request in webhook.requests[1:]}) == 1


# ── What is taken ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"text": "😀" * 2048}, id="4096 units"),
        pytest.param({"chat_id": str(CHAT)}, id="a chat id in a string"),
        pytest.param({"text": "😀 b", "entities": [{"type": "bold", "offset": 3, "length": 1}]}, id="bold"),
        pytest.param(
            {"entities": [{"type": "text_link", "offset": 0, "length": 2, "url": "https://a.io"}]}, id="link"
        ),
        pytest.param({"reply_markup": keyboard(choice(data="x" * 64))}, id="64 bytes of data"),
        pytest.param({"reply_markup": keyboard(*[choice()] * 100)}, id="100 buttons"),
        pytest.param({"reply_markup": {"keyboard": [["Yes", {"text": "No"}]]}}, id="keys of words"),
        pytest.param({"reply_markup": {**keys(share("location")), "one_time_keyboard": True}}, id="a share"),
        pytest.param({"reply_markup": {"remove_keyboard": True}}, id="no keyboard any more"),
        pytest.param({"reply_markup": {"force_reply": True}}, id="an answer asked for"),
    ],
)
def test_a_good_message_is_sent(
    telegram: TelegramStandIn, ivan: TelegramPerson, body: dict[str, Any]
) -> None:
    answer = send(telegram, **body)
    assert answer.status == 200
    assert answer.json["result"]["text"] == body.get("text", "Hi")
    assert answer.json["result"]["chat"]["id"] == CHAT
    assert len(ivan.heard) == 1


def test_parameters_may_come_in_a_form(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    url = f"{telegram.url}/bot{telegram.token}/sendmessage"
    form = f"chat_id={CHAT}&text=Hi&disable_notification=true".encode()
    assert call("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, form).status == 200
    assert ivan.next().text == "Hi"


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status", "description"),
    [
        ("/botnonsense/getMe", 404, "Not Found"),
        ("/bot123456789:AAEanother-token/getMe", 401, "Unauthorized"),
        ("/bot{token}/sendPigeon", 404, "Not Found: method not found"),
        ("/{token}/getMe", 404, "Not Found"),
    ],
)
def test_a_wrong_address_is_refused(
    telegram: TelegramStandIn, path: str, status: int, description: str
) -> None:
    answer = call("POST", telegram.url + path.format(token=telegram.token), JSON, b"{}")
    assert answer.status == status
    assert answer.json == {"ok": False, "error_code": status, "description": description}


@pytest.mark.parametrize(
    ("body", "description"),
    [
        pytest.param({"text": ""}, "message text is empty", id="no text"),
        pytest.param({"text": " \n"}, "message text is empty", id="blank"),
        pytest.param({"text": None}, "message text is empty", id="null"),
        pytest.param({"text": "\u200b \u2800"}, "message text is empty", id="not to be seen"),
        pytest.param({"text": "😀" * 2049}, "message is too long", id="4098 units"),
        pytest.param({"text": "\ud83d"}, "strings must be encoded in UTF-8", id="half a pair"),
        pytest.param({"chat_id": ""}, "chat_id is empty", id="no chat"),
        pytest.param({"chat_id": 5}, "chat not found", id="nobody's chat"),
        pytest.param({"chat_id": "@channel"}, "chat not found", id="a channel"),
        pytest.param({"parsemode": "HTML"}, "parsemode: unexpected key", id="a parameter that is none"),
        pytest.param({"parse_mode": "Text"}, "parse_mode: must be one of", id="a parse mode that is none"),
        pytest.param({"parse_mode": "HTML", "entities": []}, "mutually exclusive", id="both ways of styling"),
        pytest.param({"disable_notification": 1}, "must be a boolean", id="not a boolean"),
        pytest.param(
            {"entities": [{"type": "bald", "offset": 0, "length": 1}]}, "must be one of", id="no such style"
        ),
        pytest.param(
            {"entities": [{"type": "bold", "offset": 1, "length": 2}]}, "beyond the end", id="too far"
        ),
        pytest.param(
            {"text": "😀!", "entities": [{"type": "bold", "offset": 1, "length": 1}]}, "in two", id="half"
        ),
        pytest.param(
            {"entities": [{"type": "text_link", "offset": 0, "length": 1}]}, 'find field "url"', id="no url"
        ),
        pytest.param({"reply_markup": {}}, "is required", id="an empty markup"),
        pytest.param({"reply_markup": keys()}, "0 items", id="no keys"),
        pytest.param({"reply_markup": keys(" ")}, "must be non-empty", id="a blank key"),
        pytest.param({"reply_markup": keys(choice())}, "unexpected key", id="a key with data"),
        pytest.param(
            {"reply_markup": keys({**share("contact"), **share("location")})},
            "one action only",
            id="two shares",
        ),
        pytest.param(
            {"reply_markup": keys({"text": "I", "request_contact": False})},
            "must be true",
            id="a share denied",
        ),
        pytest.param(
            {"reply_markup": {**keys("a"), **keyboard(choice())}}, "unexpected key", id="two keyboards"
        ),
        pytest.param({"reply_markup": {"remove_keyboard": False}}, "must be true", id="no removal"),
        pytest.param({"reply_markup": keyboard()}, "0 items", id="no rows"),
        pytest.param({"reply_markup": {"inline_keyboard": [[]]}}, "0 items", id="an empty row"),
        pytest.param(
            {"reply_markup": keyboard({"text": "Yes"})}, "Text buttons are unallowed", id="no action"
        ),
        pytest.param(
            {"reply_markup": keyboard(choice(text=" "))}, "Text buttons are unallowed", id="no words"
        ),
        pytest.param(
            {"reply_markup": keyboard({**choice(), "url": "https://a.io"})},
            "Text buttons are unallowed",
            id="two actions",
        ),
        pytest.param({"reply_markup": keyboard(choice(data=""))}, "BUTTON_DATA_INVALID", id="no data"),
        pytest.param({"reply_markup": keyboard(choice(data="я" * 33))}, "BUTTON_DATA_INVALID", id="66 bytes"),
        pytest.param({"reply_markup": keyboard(*[choice()] * 101)}, "reply markup is too long", id="101"),
        pytest.param(
            {"reply_markup": keyboard(*[choice(text="я" * 100)] * 60)}, "reply markup is too long", id="bytes"
        ),
        pytest.param(
            {"reply_markup": keyboard({"text": "Site", "url": "http://localhost/x"})},
            "Wrong HTTP URL",
            id="an address without a domain",
        ),
        pytest.param(
            {"reply_markup": keyboard({**choice(), "colour": "red"})}, "unexpected key", id="a field unknown"
        ),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_wrong_message_is_refused_as_telegram_would(
    telegram: TelegramStandIn, body: dict[str, Any], description: str
) -> None:
    answer = send(telegram, **body)
    assert answer.status == answer.json["error_code"] == 400
    assert answer.json["ok"] is False
    assert description in answer.json["description"]
    assert telegram.people[CHAT].heard == []
    assert len(telegram.refusals) == 1


def test_a_body_that_is_not_declared_as_json_has_no_parameters(telegram: TelegramStandIn) -> None:
    url = f"{telegram.url}/bot{telegram.token}/sendMessage"
    answer = call("POST", url, {"Content-Type": "text/plain"}, b'{"chat_id": 1, "text": "Hi"}')
    assert answer.json["description"] == "Bad Request: chat_id is empty"


def test_nobody_is_written_to_who_has_not_started(telegram: TelegramStandIn, webhook: Webhook) -> None:
    telegram.person(webhook.url)
    answer = send(telegram)
    assert (answer.status, answer.json["description"]) == (
        403,
        "Forbidden: bot can't initiate conversation with a user",
    )


def test_an_ordered_failure_takes_no_message(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    telegram.fail_next(429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 1}})
    assert send(telegram).status == 429
    assert send(telegram).status == 200
    assert len(ivan.heard) == 1


# ── Keyboards in place of the letters ────────────────────────────────────────────────────────────────


def test_a_key_writes_what_is_on_it(
    telegram: TelegramStandIn, ivan: TelegramPerson, webhook: Webhook
) -> None:
    send(telegram, reply_markup=keys("Skip", share("contact")))
    assert ivan.next().labels == ["Skip", "Share"]
    ivan.press("Skip")
    assert webhook.requests[-1].body["message"]["text"] == "Skip"


@pytest.mark.parametrize(("asked", "kind"), [("contact", "phone"), ("location", "location")])
def test_a_key_shares_until_the_keyboard_is_taken_away(
    telegram: TelegramStandIn, ivan: TelegramPerson, webhook: Webhook, asked: str, kind: str
) -> None:
    send(telegram, reply_markup=keys(share(asked)))
    send(telegram, reply_markup=keyboard(choice()))
    ivan.post(ivan.shared(kind))
    assert asked in webhook.requests[-1].body["message"]
    send(telegram, reply_markup={"remove_keyboard": True})
    with pytest.raises(LookupError):
        ivan.shared(kind)


def test_the_own_contact_names_the_own_account(
    telegram: TelegramStandIn, ivan: TelegramPerson, webhook: Webhook
) -> None:
    send(telegram, reply_markup=keys(share("contact")))
    ivan.post(ivan.shared("phone"))
    assert webhook.requests[-1].body["message"]["contact"]["user_id"] == CHAT


# ── Changing what was sent ───────────────────────────────────────────────────────────────────────────


def test_a_message_is_changed_in_its_place(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    send(telegram, text="Which?", reply_markup=keyboard(choice("Tea"), choice("Coffee", "p:2")))
    message_id = int(ivan.heard[0].message_id)
    answer = edit(telegram, message_id, text="Which?", reply_markup=keyboard(choice("✓ Tea")))
    assert answer.json["result"]["message_id"] == message_id
    assert answer.json["result"]["reply_markup"] == keyboard(choice("✓ Tea"))
    assert [said.labels for said in ivan.heard] == [["✓ Tea"]]
    edit(telegram, message_id, "editMessageReplyMarkup", reply_markup=keyboard(choice("Tea")))
    assert (ivan.heard[0].text, ivan.heard[0].labels) == ("Which?", ["Tea"])
    edit(telegram, message_id, text="Tea it is")
    assert (ivan.heard[0].text, ivan.heard[0].labels) == ("Tea it is", [])


@pytest.mark.parametrize(
    ("body", "description"),
    [
        pytest.param({"text": "Hi", "reply_markup": keyboard(choice())}, "is not modified", id="the same"),
        pytest.param({"text": ""}, "message text is empty", id="no text"),
        pytest.param({"text": "x" * 4097}, "message is too long", id="too long"),
        pytest.param({"text": "Hi", "reply_markup": keys("a")}, "inline keyboard expected", id="keys"),
        pytest.param(
            {"text": "Hi", "reply_markup": {"remove_keyboard": True}},
            "inline keyboard expected",
            id="a removal",
        ),
        pytest.param(
            {"text": "Hi", "reply_parameters": {}}, "unexpected key", id="a parameter of another method"
        ),
        pytest.param({"text": "Hi!", "message_id": 999}, "message to edit not found", id="no message"),
        pytest.param({"text": "Hi!", "message_id": 1}, "message can't be edited", id="the person's own"),
        pytest.param({"text": "Hi!", "message_id": 3}, "message can't be edited", id="one with other keys"),
        pytest.param({"text": "Hi!", "chat_id": 5}, "chat not found", id="no chat"),
    ],
)
def test_a_wrong_change_is_refused_as_telegram_would(
    telegram: TelegramStandIn, ivan: TelegramPerson, body: dict[str, Any], description: str
) -> None:
    send(telegram, reply_markup=keyboard(choice()))
    send(telegram, reply_markup=keys("Yes"))
    answer = edit(telegram, **{"message_id": 2, **body})
    assert answer.status == 400
    assert description in answer.json["description"]
    assert [said.text for said in ivan.heard] == ["Hi", "Hi"]


def test_a_message_that_was_removed_cannot_be_changed(
    telegram: TelegramStandIn, ivan: TelegramPerson
) -> None:
    send(telegram)
    ivan.remove(ivan.heard[0])
    assert "not found" in edit(telegram, 2, text="Hi!").json["description"]


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────

PICTURE = "https://a.io/menu.png"
BOLD = {"type": "bold", "offset": 0, "length": 3}


def album(*kinds: str, **first: Any) -> dict[str, Any]:
    media: list[dict[str, Any]] = [
        {"type": kind, "media": f"https://a.io/{n}"} for n, kind in enumerate(kinds)
    ]
    return {"media": [media[0] | first, *media[1:]]}


@pytest.mark.parametrize("kind", ["photo", "animation", "video", "audio", "document"])
def test_a_file_is_fetched_from_its_address_and_shown_with_its_caption(
    telegram: TelegramStandIn, ivan: TelegramPerson, kind: str
) -> None:
    sent = {
        kind: PICTURE,
        "caption": "Our menu",
        "caption_entities": [BOLD],
        "reply_markup": keyboard(choice()),
    }
    answer = api(telegram, f"send{kind.title()}", {"chat_id": CHAT, **sent})
    assert answer.json["result"]["caption"] == "Our menu"
    assert kind in answer.json["result"]
    said = ivan.next()
    assert (said.text, said.labels) == ("Our menu", ["Yes"])


def test_an_album_is_a_message_for_each_file(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    sent = {"chat_id": CHAT, **album("photo", "video", caption="Our menu")}
    answer = api(telegram, "sendMediaGroup", sent)
    assert [message.get("caption") for message in answer.json["result"]] == ["Our menu", None]
    assert [said.text for said in ivan.heard] == ["Our menu", ""]


@pytest.mark.parametrize(
    ("body", "description"),
    [
        pytest.param({"photo": ""}, "wrong file identifier/HTTP URL", id="no address"),
        pytest.param({"photo": "menu.png"}, "wrong file identifier/HTTP URL", id="no address but a name"),
        pytest.param({"photo": "http://localhost/x"}, "wrong HTTP URL", id="no domain"),
        pytest.param({"photo": "https://a.io/gone"}, "failed to get HTTP URL content", id="nothing there"),
        pytest.param({"photo": "https://a.io/page"}, "wrong type of the web page", id="a page"),
        pytest.param({"caption": "x" * 1025}, "message caption is too long", id="1025 characters"),
        pytest.param({"caption": "😀" * 513}, "message caption is too long", id="1026 units"),
        pytest.param({"text": "Hi"}, "text: unexpected key", id="a text"),
        pytest.param({"caption": "Hi", "caption_entities": [BOLD]}, "beyond the end", id="a style too long"),
        pytest.param({"reply_markup": keyboard()}, "0 items", id="an empty keyboard"),
        pytest.param({"chat_id": 5}, "chat not found", id="no chat"),
    ],
)
def test_a_wrong_file_is_refused_as_telegram_would(
    telegram: TelegramStandIn, ivan: TelegramPerson, body: dict[str, Any], description: str
) -> None:
    telegram.web = {"https://a.io/gone": None, "https://a.io/page": "text/html"}
    answer = api(telegram, "sendPhoto", {"chat_id": CHAT, "photo": PICTURE, **body})
    assert answer.status == 400
    assert description in answer.json["description"]
    assert ivan.heard == []


@pytest.mark.parametrize(
    ("body", "description"),
    [
        pytest.param(album("photo"), "1 items, allowed 2 to 10", id="one file"),
        pytest.param(album(*["photo"] * 11), "11 items", id="eleven"),
        pytest.param(album("document", "photo"), "document can't be mixed", id="a picture among documents"),
        pytest.param(album("audio", "document"), "can't be mixed", id="a document among sounds"),
        pytest.param(album("animation", "photo"), "must be one of", id="what no album takes"),
        pytest.param(
            {**album("photo", "photo"), "reply_markup": keyboard(choice())}, "unexpected key", id="buttons"
        ),
        pytest.param(album("photo", "photo", caption="x" * 1025), "caption is too long", id="a long caption"),
        pytest.param(album("photo", "photo", media="https://a.io/gone"), "message #1 with", id="one missing"),
    ],
)
def test_a_wrong_album_is_refused_as_telegram_would(
    telegram: TelegramStandIn, ivan: TelegramPerson, body: dict[str, Any], description: str
) -> None:
    telegram.web = {"https://a.io/gone": None}
    answer = api(telegram, "sendMediaGroup", {"chat_id": CHAT, **body})
    assert answer.status == 400
    assert description in answer.json["description"]
    assert ivan.heard == []


def carry(telegram: TelegramStandIn, method: str, *files: Part, **fields: Any) -> Answer:
    """A multipart form, in which what is no text is JSON."""
    texts = {name: each if isinstance(each, str) else json.dumps(each) for name, each in fields.items()}
    body, content_type = form_of({"chat_id": str(CHAT), **texts}, *files)
    url = f"{telegram.url}/bot{telegram.token}/{method}"
    return call("POST", url, {"Content-Type": content_type}, body)


def file(kind: str = "image/png", content: bytes = b"a picture", part: str = "f1") -> Part:
    return Part(part, content, kind, "menu.png")


def test_a_file_that_was_carried_once_is_shown_again_by_its_id(
    telegram: TelegramStandIn, ivan: TelegramPerson
) -> None:
    answer = carry(telegram, "sendPhoto", file(), photo="attach://f1", reply_markup=keyboard(choice()))
    small, large = answer.json["result"]["photo"]
    assert telegram.files[large["file_id"]].content == b"a picture"
    assert ivan.next().labels == ["Yes"]
    for size in (small, large):
        again = api(telegram, "sendPhoto", {"chat_id": CHAT, "photo": size["file_id"]})
        assert again.json["result"]["photo"][-1]["file_id"] == size["file_id"]


def test_an_album_is_of_files_from_everywhere(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    known = carry(telegram, "sendPhoto", file(part="photo")).json["result"]["photo"][-1]["file_id"]
    sources = [PICTURE, "attach://f1", known]
    media = [{"type": "photo", "media": source} for source in sources]
    messages = carry(telegram, "sendMediaGroup", file(), media=media).json["result"]
    assert [message["photo"][-1]["file_id"] for message in messages][2] == known
    assert len(ivan.heard) == 4


@pytest.mark.parametrize(
    ("content_type", "kinds"),
    [
        ("application/pdf", {"document"}),
        ("image/gif", {"animation", "document"}),
        ("video/mp4", {"video"}),
        ("image/webp", {"sticker"}),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_what_a_document_is_telegram_decides(
    telegram: TelegramStandIn, content_type: str, kinds: set[str]
) -> None:
    result = carry(telegram, "sendDocument", file(content_type), document="attach://f1").json["result"]
    assert kinds == set(result) - {"message_id", "from", "chat", "date"}
    (file_id,) = {result[kind]["file_id"] for kind in kinds}
    assert api(telegram, "sendDocument", {"chat_id": CHAT, "document": file_id}).status == 200
    refused = api(telegram, "sendPhoto", {"chat_id": CHAT, "photo": file_id})
    assert refused.json["description"] == "Bad Request: type of file mismatch"


@pytest.mark.parametrize(
    ("files", "photo", "description"),
    [
        pytest.param([], "attach://f1", "wrong file identifier/HTTP URL", id="a part that is not there"),
        pytest.param([file()], "attach://f2", "wrong file identifier/HTTP URL", id="another part"),
        pytest.param([file(content=b"")], "attach://f1", "file must be non-empty", id="an empty file"),
        pytest.param([file(content=b"x" * 101)], "attach://f1", "file is too big", id="a photo too large"),
        pytest.param([file("text/html")], "attach://f1", "PHOTO_CONTENT_TYPE_INVALID", id="a page"),
        pytest.param([], "AgAC5555-0", "wrong file identifier/HTTP URL", id="another bot's file"),
        pytest.param([], "AgACx", "wrong file identifier/HTTP URL", id="no file at all"),
    ],
)
def test_a_wrong_upload_is_refused_as_telegram_would(
    telegram: TelegramStandIn, ivan: TelegramPerson, files: list[Part], photo: str, description: str
) -> None:
    telegram.max_photo_bytes = 100
    answer = carry(telegram, "sendPhoto", *files, photo=photo)
    assert answer.status == 400
    assert description in answer.json["description"]
    assert ivan.heard == []


def test_an_upload_that_is_too_large_is_not_even_read(telegram: TelegramStandIn) -> None:
    telegram.max_request_bytes = 1000
    answer = carry(telegram, "sendDocument", file(content=bytes(1000)), document="attach://f1")
    assert answer.status == 413


def test_the_person_sees_what_the_bot_is_doing(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    telegram.fail_next(500, {"ok": False})
    assert api(telegram, "sendChatAction", {"chat_id": CHAT, "action": "typing"}).json["result"] is True
    assert api(telegram, "sendChatAction", {"chat_id": CHAT, "action": "sleep"}).status == 400
    assert (ivan.actions, ivan.heard) == (["typing"], [])


def test_the_caption_and_the_buttons_of_a_file_are_changed_and_its_text_is_not_there(
    telegram: TelegramStandIn, ivan: TelegramPerson
) -> None:
    api(telegram, "sendPhoto", {"chat_id": CHAT, "photo": PICTURE, "reply_markup": keyboard(choice())})
    assert (
        edit(telegram, 2, "editMessageCaption", caption="Menu", reply_markup=keyboard(choice())).status == 200
    )
    assert (ivan.heard[0].text, ivan.heard[0].labels) == ("Menu", ["Yes"])
    assert edit(telegram, 2, "editMessageReplyMarkup").status == 200
    assert (ivan.heard[0].text, ivan.heard[0].labels) == ("Menu", [])
    assert "not modified" in edit(telegram, 2, "editMessageReplyMarkup").json["description"]
    assert "no text in the message" in edit(telegram, 2, text="Menu").json["description"]


def test_a_text_has_no_caption_to_change(telegram: TelegramStandIn, ivan: TelegramPerson) -> None:
    send(telegram)
    answer = edit(telegram, 2, "editMessageCaption", caption="Menu")
    assert answer.json["description"] == "Bad Request: there is no caption in the message to edit"
    assert ivan.heard[0].text == "Hi"


# ── Webhook and polling ──────────────────────────────────────────────────────────────────────────────


def test_get_me_names_the_bot(telegram: TelegramStandIn) -> None:
    me = api(telegram, "getMe").json["result"]
    assert (me["id"], me["is_bot"]) == (123456789, True)


def test_a_webhook_that_is_set_gets_the_updates_with_its_secret(
    telegram: TelegramStandIn, webhook: Webhook
) -> None:
    body = {"url": webhook.url, "secret_token": "abc_-1", "allowed_updates": ["message", "callback_query"]}
    assert api(telegram, "setWebhook", body).json["description"] == "Webhook was set"
    assert api(telegram, "setWebhook", body).json["description"] == "Webhook is already set"
    telegram.person().say("Hi")
    assert webhook.requests[0].headers["x-telegram-bot-api-secret-token"] == "abc_-1"
    assert api(telegram, "getWebhookInfo").json["result"]["url"] == webhook.url


def test_a_menu_is_kept_by_language_until_it_is_deleted(telegram: TelegramStandIn) -> None:
    menu = [{"command": "help", "description": "What is this?"}]
    assert api(telegram, "setMyCommands", {"commands": menu}).status == 200
    assert api(telegram, "setMyCommands", {"commands": menu, "language_code": "de"}).status == 200
    assert telegram.menus == {"": menu, "de": menu}
    assert api(telegram, "deleteMyCommands").status == 200
    assert telegram.menus == {"de": menu}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"commands": []},
        {"commands": [{"command": "/help", "description": "x"}]},
        {"commands": [{"command": "help", "description": ""}]},
        {"commands": [{"command": "help", "description": "x"}], "language_code": "pt-BR"},
        {"commands": [{"command": "help", "description": "x"}] * 101},
    ],
    ids=str,
)
def test_a_menu_of_another_shape_is_refused(telegram: TelegramStandIn, body: Any) -> None:
    assert api(telegram, "setMyCommands", body).status == 400
    assert telegram.menus == {}


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"url": "http://example.com/x"}, "An HTTPS URL must be provided"),
        ({"url": "https://example.com:8080/x"}, "only on ports 80, 88, 443 or 8443"),
        ({"url": "https://example.com", "secret_token": "a b"}, "unallowed characters"),
        ({"url": "https://example.com", "secret_token": "a" * 257}, "too long"),
        ({"url": "https://example.com", "max_connections": 101}, "max_connections"),
        ({"url": "https://example.com", "allowed_updates": ["messages"]}, "allowed_updates"),
        ({"url": "https://example.com", "token": "x"}, "unexpected key"),
        ({}, "parameter url is required"),
    ],
)
def test_a_wrong_webhook_is_refused(
    telegram: TelegramStandIn, body: dict[str, Any], description: str
) -> None:
    answer = api(telegram, "setWebhook", body)
    assert answer.status == 400
    assert description in answer.json["description"]
    assert telegram.webhook == ""


def test_updates_wait_for_the_poll_that_asks_for_them(telegram: TelegramStandIn) -> None:
    ivan = telegram.person()
    ivan.say("one")
    ivan.say("two")
    updates = api(telegram, "getUpdates", {"limit": 1}).json["result"]
    assert [update["message"]["text"] for update in updates] == ["one"]
    offset = updates[0]["update_id"] + 1
    updates = api(telegram, "getUpdates", {"offset": offset}).json["result"]
    assert [update["message"]["text"] for update in updates] == ["two"]
    assert api(telegram, "getUpdates", {"offset": offset + 1}).json["result"] == []


def test_a_long_poll_is_answered_as_soon_as_somebody_writes(telegram: TelegramStandIn) -> None:
    ivan = telegram.person()
    threading.Timer(0.1, ivan.say, ("Hi",)).start()
    began = time.monotonic()
    updates = api(telegram, "getUpdates", {"timeout": 20}).json["result"]
    assert [update["message"]["text"] for update in updates] == ["Hi"]
    assert time.monotonic() - began < 10


def test_polling_and_a_webhook_exclude_each_other(telegram: TelegramStandIn, webhook: Webhook) -> None:
    api(telegram, "setWebhook", {"url": webhook.url})
    answer = api(telegram, "getUpdates")
    assert (answer.status, answer.json["error_code"]) == (409, 409)
    assert "webhook is active" in answer.json["description"]
    assert api(telegram, "deleteWebhook").json["description"] == "Webhook was deleted"
    assert api(telegram, "getUpdates").status == 200


def test_only_one_poll_at_a_time(telegram: TelegramStandIn) -> None:
    answers: list[Answer] = []
    first = threading.Thread(target=lambda: answers.append(api(telegram, "getUpdates", {"timeout": 20})))
    first.start()
    telegram.wait_until(lambda: telegram.pollers == 1)
    assert api(telegram, "getUpdates").status == 200
    first.join()
    assert answers[0].status == 409


def test_a_poll_under_way_ends_with_the_server() -> None:
    def ask(telegram: TelegramStandIn) -> None:
        with suppress(ConnectionError, http.client.HTTPException):  # an answer, or the server is gone first
            api(telegram, "getUpdates", {"timeout": 20})

    with TelegramStandIn() as telegram:
        poll = threading.Thread(target=ask, args=(telegram,))
        poll.start()
        telegram.wait_until(lambda: telegram.pollers == 1)
    poll.join(5)
    assert not poll.is_alive()


@pytest.mark.parametrize(
    "body", [{"callback_query_id": "1"}, {}, {"callback_query_id": "1", "text": "x" * 201}]
)
def test_an_acknowledgement_of_nothing_is_refused(telegram: TelegramStandIn, body: dict[str, Any]) -> None:
    assert api(telegram, "answerCallbackQuery", body).status == 400


def test_a_file_that_a_person_sent_lies_where_get_file_says(telegram: TelegramStandIn) -> None:
    file_id = telegram.receive("photo", b"picture")
    told = api(telegram, "getFile", {"file_id": file_id}).json["result"]
    assert told["file_size"] == len(b"picture")
    at = f"{telegram.url}/file/bot{telegram.token}/{told['file_path']}"
    assert call("GET", at, {}).body == b"picture"
    assert call("GET", at + "x", {}).status == 404


def test_a_file_too_large_to_be_had_is_refused(telegram: TelegramStandIn) -> None:
    telegram.max_download_bytes = 3
    answer = api(telegram, "getFile", {"file_id": telegram.receive("photo", b"picture")})
    assert answer.json["description"] == "Bad Request: file is too big"
    answer = api(telegram, "getFile", {"file_id": "guessed"})
    assert answer.json["description"] == "Bad Request: wrong file_id or the file is temporarily unavailable"
