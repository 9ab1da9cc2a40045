from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.credential import Credential
from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.dialog.messages import Button, Media, Message, Span
from shared.platforms.base import Delivery, Outcome, Parsed, Rendered, Response, WebhookRequest
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.cases import (
    DELIVERY_ID,
    RECEIVED_AT,
    credential,
    payload,
    payload_names,
    response,
)

ADAPTER = TelegramAdapter("https://telegram.test")
CREDENTIAL = credential("telegram")
CHAT = "987654321"
SENT_AT = datetime.fromtimestamp(1793370000, UTC)
PERSON = Person("Иван", "Петров", "ivan_petrov", "ru")


def parse(name: str) -> Parsed:
    return ADAPTER.parse(payload("telegram", name), CREDENTIAL, RECEIVED_AT)


def event_of(update: Any) -> Any:
    (addressed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).events
    assert addressed.chat_id == CHAT
    return addressed.event


def only_event(name: str) -> Any:
    return event_of(payload("telegram", name))


def render(message: Message) -> Rendered:
    return ADAPTER.render(message, CHAT, CREDENTIAL, DELIVERY_ID)


def bodies(message: Message) -> list[Any]:
    return [request.json for request in render(message).requests]


def body(message: Message) -> Any:
    (only,) = bodies(message)
    return only


# ── Verify ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "secret", "is_genuine"),
    [
        pytest.param({"x-telegram-bot-api-secret-token": "s3cret"}, "s3cret", True, id="the secret"),
        pytest.param({"x-telegram-bot-api-secret-token": "s3creT"}, "s3cret", False, id="another secret"),
        pytest.param({"x-telegram-bot-api-secret-token": "s3cret "}, "s3cret", False, id="longer"),
        pytest.param({"x-telegram-bot-api-secret-token": ""}, "s3cret", False, id="empty"),
        pytest.param({}, "s3cret", False, id="no header"),
        pytest.param({"x-telegram-bot-api-secret-token": ""}, "", False, id="no secret set"),
        pytest.param({"x-telegram-bot-api-secret-token": "é\ud800"}, "s3cret", False, id="not even text"),
    ],
)
def test_only_the_webhook_secret_proves_an_update(
    headers: dict[str, str], secret: str, *, is_genuine: bool
) -> None:
    request = WebhookRequest("POST", headers, {}, b"{}")
    assert ADAPTER.verify(request, credential("telegram", webhook_secret=secret)) is is_genuine


def test_a_credential_without_a_secret_accepts_nothing() -> None:
    bare = Credential("cred", "bot", "telegram", is_active=True, settings={"bot_token": "1:a"})
    assert not ADAPTER.verify(WebhookRequest("POST", {}, {}, b"{}"), bare)


# ── Parse ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_a_message_of_its_chat_and_time() -> None:
    assert only_event("text") == MessageReceived(
        id=str(payload("telegram", "text")["update_id"]),
        occurred_at=SENT_AT,
        person=PERSON,
        text="Повар 👨‍🍳",
    )


@pytest.mark.parametrize(
    "name",
    ["text_with_entities", "start", "start_payload", "start_at_bot", "other_command", "forwarded"],
)
def test_every_text_is_a_message_as_it_came_commands_too(name: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert event.text == payload("telegram", name)["message"]["text"]


@pytest.mark.parametrize(
    ("name", "content", "caption"),
    [
        ("photo", "image", "Моя кухня"),
        ("live_photo", "image", ""),
        ("animation", "video", ""),
        ("video", "video", ""),
        ("video_note", "video", ""),
        ("voice", "voice", ""),
        ("audio", "audio", ""),
        ("document", "file", "My CV"),
        ("sticker", "sticker", ""),
        ("location", "location", ""),
        ("venue", "location", ""),
        ("contact", "contact", ""),
        ("poll", "unsupported", ""),
        ("dice", "unsupported", ""),
    ],
)
def test_what_is_not_text_is_a_message_of_its_kind(name: str, content: ContentType, caption: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert (event.content, event.text) == (content, caption)


VIDEO = ReceivedFile("video", "", "hello.mp4", "video/mp4", 52311)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("photo", ReceivedFile("image", "AgACAgIAAxkBAAIBx", size=122880)),
        ("live_photo", ReceivedFile("image", "AgACAgIAAxkBAAIBx", size=122880)),
        ("animation", replace(VIDEO, reference="CgACAgIAAxkBAAIC")),
        ("video", replace(VIDEO, reference="BAACAgIAAxkBAAID")),
        ("video_note", ReceivedFile("video", "DQACAgIAAxkBAAIE")),
        ("voice", ReceivedFile("audio", "AwACAgIAAxkBAAIF", content_type="audio/ogg", size=17000)),
        ("audio", ReceivedFile("audio", "CQACAgIAAxkBAAIG", content_type="audio/mpeg")),
        ("document", ReceivedFile("file", "BQACAgIAAxkBAAIH", "cv.pdf", "application/pdf", 88000)),
        ("sticker", None),
        ("poll", None),
        ("text", None),
    ],
)
def test_a_file_is_known_by_its_id_and_what_its_sender_says_of_it(
    name: str, file: ReceivedFile | None
) -> None:
    assert only_event(name).file == file


def test_the_largest_size_of_a_photo_is_taken_wherever_it_stands() -> None:
    update = payload("telegram", "photo")
    update["message"]["photo"].reverse()
    assert event_of(update).file.reference == "AgACAgIAAxkBAAIBx"


def test_the_files_of_an_album_tell_which_they_belong_to() -> None:
    assert only_event("photo").album == "13800000000000001"
    assert only_event("video").album == ""


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("location", Place(55.751244, 37.618423)),
        ("venue", Place(55.751244, 37.618423, "Cafe")),
        ("text", None),
    ],
)
def test_a_place_has_the_name_of_its_venue(name: str, place: Place | None) -> None:
    assert only_event(name).place == place


@pytest.mark.parametrize(
    ("changed", "contact"),
    [
        pytest.param({}, SharedContact("+79990000000", "Иван", own=True), id="own"),
        pytest.param({"user_id": 5}, SharedContact("+79990000000", "Иван"), id="of somebody else"),
        pytest.param({"user_id": None}, SharedContact("+79990000000", "Иван"), id="of nobody on Telegram"),
        pytest.param(
            {"last_name": "П"}, SharedContact("+79990000000", "Иван", "П", own=True), id="two names"
        ),
    ],
)
def test_a_contact_is_the_persons_own_if_telegram_says_so(
    changed: dict[str, Any], contact: SharedContact
) -> None:
    update = payload("telegram", "contact")
    update["message"]["contact"] |= changed
    assert event_of(update).contact == contact


def test_a_person_may_have_no_more_than_a_first_name() -> None:
    assert only_event("no_language").person == Person("Иван")


@pytest.mark.parametrize(
    ("name", "message_id"),
    [
        ("press", "122"),
        ("press_inaccessible", ""),
        ("press_inline_message", ""),
        ("press_never_sent", "123"),
    ],
)
def test_a_press_is_an_event_of_its_receipt_and_is_acknowledged(name: str, message_id: str) -> None:
    query = payload("telegram", name)["callback_query"]
    assert only_event(name) == ButtonPressed(
        id=str(payload("telegram", name)["update_id"]),
        occurred_at=RECEIVED_AT,
        person=PERSON,
        data=query["data"],
        message_id=message_id,
    )
    assert parse(name).answer == {"method": "answerCallbackQuery", "callback_query_id": query["id"]}


@pytest.mark.parametrize(("name", "reason"), [("press_in_group", "not_private"), ("press_game", "game")])
def test_a_press_that_is_not_ours_is_acknowledged_and_ignored(name: str, reason: str) -> None:
    parsed = parse(name)
    assert parsed.events == ()
    assert parsed.ignored == (reason,)
    assert parsed.answer is not None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("group", "not_private"),
        ("channel_post", "channel_post"),
        ("from_bot", "bot"),
        ("service", "service_message"),
        ("edited_message", "edited_message"),
        ("blocked", "my_chat_member"),
        ("reaction", "message_reaction"),
        ("inline_query", "inline_query"),
        ("unheard_of", "unknown"),
    ],
)
def test_what_is_no_word_of_a_person_to_the_bot_is_ignored(name: str, reason: str) -> None:
    assert parse(name) == Parsed(ignored=(reason,))


@pytest.mark.parametrize("name", payload_names("telegram"))
def test_every_payload_is_either_an_event_or_ignored(name: str) -> None:
    parsed = parse(name)
    assert len(parsed.events) + len(parsed.ignored) == 1


def changed(name: str, **content: Any) -> Any:
    update = payload("telegram", name)
    update["message"] |= content
    return update


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param([], id="not an object"),
        pytest.param({}, id="no update_id"),
        pytest.param({"update_id": 1, "message": {}}, id="a message without a chat"),
        pytest.param({"update_id": 1, "message": "hello"}, id="a message that is text"),
        pytest.param(
            {"update_id": 1, "message": {"date": 1, "chat": {"id": 1, "type": "private"}, "text": 5}},
            id="a text that is a number",
        ),
        pytest.param({"update_id": 1, "callback_query": {"id": "1", "data": "x"}}, id="a press by nobody"),
        pytest.param(changed("photo", photo=[{"width": 9}]), id="a photo without an id"),
        pytest.param(changed("video", video="a"), id="a video that is text"),
        pytest.param(changed("contact", contact={"first_name": "A"}), id="a contact without a number"),
        pytest.param(changed("location", location={"latitude": 91.0, "longitude": 0}), id="beyond the pole"),
    ],
)
def test_a_known_kind_in_another_shape_is_not_guessed_at(broken: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        ADAPTER.parse(broken, CREDENTIAL, RECEIVED_AT)


def test_a_date_beyond_the_calendar_is_not_guessed_at() -> None:
    update = payload("telegram", "text")
    update["message"]["date"] = 10**15
    with pytest.raises((ValueError, OverflowError, OSError)):
        ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT)


# ── Render ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_one_send_message_with_the_token_in_the_path() -> None:
    (request,) = render(Message("Hello *you* <b>")).requests
    assert request.url == "https://telegram.test/bot123456789:AAEtelegram-token/sendMessage"
    assert request.json == {
        "chat_id": 987654321,
        "text": "Hello *you* <b>",
        "reply_markup": {"remove_keyboard": True},
    }
    assert request.headers == {}
    assert "AAEtelegram-token" not in repr(request)


def test_a_chat_id_that_is_no_number_is_passed_on_as_it_is() -> None:
    (request,) = ADAPTER.render(Message("Hi"), "@somebody", CREDENTIAL, DELIVERY_ID).requests
    assert request.json["chat_id"] == "@somebody"


def test_styles_are_entities_in_utf16_units() -> None:
    message = Message(
        "😀 bold and it, code, site",
        spans=(
            Span(2, 6, "bold"),
            Span(11, 13, "italic"),
            Span(15, 19, "code"),
            Span(21, 25, "link", "https://example.com/a?b=c"),
        ),
    )
    assert body(message)["entities"] == [
        {"type": "bold", "offset": 3, "length": 4},
        {"type": "italic", "offset": 12, "length": 2},
        {"type": "code", "offset": 16, "length": 4},
        {"type": "text_link", "offset": 22, "length": 4, "url": "https://example.com/a?b=c"},
    ]


def test_an_empty_span_is_left_out() -> None:
    assert "entities" not in body(Message("Hello", spans=(Span(3, 3, "bold"),)))


def test_an_address_that_no_link_can_have_is_written_beside_its_words() -> None:
    message = Message("Our site, boldly", spans=(Span(4, 8, "link", "javascript:x"), Span(10, 16, "bold")))
    assert body(message) == {
        "chat_id": 987654321,
        "text": "Our site (javascript:x), boldly",
        "entities": [{"type": "bold", "offset": 25, "length": 6}],
        "reply_markup": {"remove_keyboard": True},
    }
    assert render(message).degradations == ("links_as_text",)


def test_no_more_than_a_hundred_styles_are_sent() -> None:
    message = Message("a " * 120, spans=tuple(Span(2 * n, 2 * n + 1, "bold") for n in range(120)))
    assert len(body(message)["entities"]) == 100
    assert render(message).degradations == ("styles_dropped",)


def test_buttons_are_an_inline_keyboard_one_a_row() -> None:
    message = Message(
        "Position?", buttons=(Button(" Food\nGuide ", "p:1"), Button("Site", url="https://a.io"))
    )
    assert body(message)["reply_markup"] == {
        "inline_keyboard": [
            [{"text": "Food Guide", "callback_data": "p:1"}],
            [{"text": "Site", "url": "https://a.io"}],
        ]
    }
    assert render(message).degradations == ()


@pytest.mark.parametrize(
    "url", ["http://localhost/x", "ftp://a.io", "https://", "https://a b.io", "a.io", "tg://"]
)
def test_a_link_that_telegram_would_refuse_is_written_into_the_text(url: str) -> None:
    message = Message("See", buttons=(Button("Site", url=url), Button("Yes", "p:1")))
    assert body(message)["text"] == f"See\n\nSite: {url}"
    assert len(body(message)["reply_markup"]["inline_keyboard"]) == 1
    assert render(message).degradations == ("links_as_text",)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8080/x", "https://кафе.рф/меню", "tg://resolve?domain=a", "HTTPS://A.io?x#y"]
)
def test_a_link_that_telegram_takes_is_a_button(url: str) -> None:
    keyboard = body(Message("See", buttons=(Button("Site", url=url),)))["reply_markup"]["inline_keyboard"]
    assert keyboard == [[{"text": "Site", "url": url}]]


def test_more_than_a_hundred_buttons_become_numbered_text() -> None:
    choices = tuple(Button(f"Choice {n}", f"p:{n}") for n in range(1, 102))
    rendered = render(Message("Which?", buttons=choices))
    (request,) = rendered.requests
    assert request.json["reply_markup"] == {"remove_keyboard": True}
    assert request.json["text"].startswith("Which?\n\n1. Choice 1\n2. Choice 2\n")
    assert request.json["text"].endswith("\n101. Choice 101")
    assert rendered.degradations == ("choices_as_text",)


def test_a_keyboard_of_too_many_bytes_becomes_numbered_text() -> None:
    choices = tuple(Button("Щ" * 100, f"p:{n}") for n in range(60))
    rendered = render(Message("Which?", buttons=choices))
    assert all("inline_keyboard" not in request.json.get("reply_markup", ()) for request in rendered.requests)
    assert rendered.degradations == ("choices_as_text", "text_split")


def test_a_long_label_is_cut_and_an_empty_one_is_filled() -> None:
    message = Message("Which?", buttons=(Button("x" * 200, "p:1"), Button(" \n", "p:2")))
    (first,), (second,) = body(message)["reply_markup"]["inline_keyboard"]
    assert first["text"] == "x" * 127 + "…"
    assert second["text"] == "…"
    assert render(message).degradations == ("label_cut",)


def test_a_long_text_is_split_between_words_with_the_buttons_under_the_last_part() -> None:
    text = " ".join(["слово"] * 1500)
    rendered = render(Message(text, buttons=(Button("Да", "p:1"),)))
    first, second, third = (request.json for request in rendered.requests)
    assert first["text"] + second["text"] + third["text"] == text
    assert first["text"].endswith(" ")
    assert [("reply_markup" in part) for part in (first, second, third)] == [False, False, True]
    assert rendered.degradations == ("text_split",)


def test_a_surrogate_pair_is_never_cut() -> None:
    first, second = bodies(Message("x" + "😀" * 2048))
    assert (first["text"], second["text"]) == ("x" + "😀" * 2047, "😀")


def test_a_style_over_a_split_goes_on_in_the_next_part() -> None:
    text = "a" * 4090 + " " + "b" * 20
    first, second = bodies(Message(text, spans=(Span(4085, len(text), "bold"),)))
    assert first["entities"] == [{"type": "bold", "offset": 4085, "length": 6}]
    assert second["entities"] == [{"type": "bold", "offset": 0, "length": 20}]


def test_a_message_without_words_is_not_sent() -> None:
    assert render(Message(" \n")) == Rendered((), ("empty_text",))


def test_buttons_without_words_get_an_ellipsis_to_hang_on() -> None:
    rendered = render(Message("", buttons=(Button("Yes", "p:1"),)))
    assert rendered.requests[0].json["text"] == "…"
    assert rendered.degradations == ("empty_text",)


# ── Sharing ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("share", "asks"), [("phone", "request_contact"), ("location", "request_location")])
def test_what_telegram_shares_itself_is_asked_for_by_a_keyboard_of_its_own(share: Any, asks: str) -> None:
    message = Message("Where?", buttons=(Button("Here", share=share), Button("Skip", "p:1")))
    assert body(message)["reply_markup"] == {
        "keyboard": [[{"text": "Here", asks: True}], [{"text": "Skip"}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }
    assert render(message).degradations == ()


@pytest.mark.parametrize("url", ["https://a.io", ""])
def test_a_link_beside_a_share_is_written_into_the_text(url: str) -> None:
    message = Message("Where?", buttons=(Button("Here", share="location"), Button("Map", url=url)))
    assert body(message)["text"] == f"Where?\n\nMap: {url}"
    assert body(message)["reply_markup"]["keyboard"] == [[{"text": "Here", "request_location": True}]]
    assert render(message).degradations == ("links_as_text",)


def test_choices_that_are_too_many_leave_the_keyboard_to_the_share() -> None:
    choices = tuple(Button(f"Choice {n}", f"p:{n}") for n in range(1, 102))
    message = Message("Where?", buttons=(*choices, Button("Here", share="location")))
    assert body(message)["reply_markup"]["keyboard"] == [[{"text": "Here", "request_location": True}]]
    assert "\n101. Choice 101" in body(message)["text"]
    assert render(message).degradations == ("choices_as_text",)


# ── Several choices, and taking an earlier message's place ───────────────────────────────────────────

DRINKS = (Button("Tea", "p:0", selected=True), Button("Coffee", "p:1"), Button("Done", "p:2"))


def rows(message: Message) -> list[tuple[str, str]]:
    keyboard = body(message)["reply_markup"]["inline_keyboard"]
    return [(button["text"], button["callback_data"]) for (button,) in keyboard]


def test_of_several_choices_those_taken_are_marked() -> None:
    assert rows(Message("Which?", buttons=DRINKS, several=True)) == [
        ("✓ Tea", "p:0"),
        ("Coffee", "p:1"),
        ("Done", "p:2"),
    ]


def test_a_single_choice_is_never_marked() -> None:
    assert rows(Message("Which?", buttons=DRINKS))[0] == ("Tea", "p:0")


def test_what_takes_a_messages_place_is_an_edit_of_it() -> None:
    message = Message("Which?", (Span(0, 5, "bold"),), DRINKS, several=True, replaces="122")
    (request,) = render(message).requests
    assert request.url.endswith("/editMessageText")
    assert request.json == {
        "chat_id": 987654321,
        "message_id": 122,
        "text": "Which?",
        "entities": [{"type": "bold", "offset": 0, "length": 5}],
        "reply_markup": {"inline_keyboard": [[b] for b in buttons_of(DRINKS)]},
    }


def buttons_of(drinks: tuple[Button, ...]) -> list[dict[str, str]]:
    labels = ["✓ " * drink.selected + drink.text for drink in drinks]
    return [{"text": label, "callback_data": d.data} for label, d in zip(labels, drinks, strict=True)]


def test_what_takes_a_messages_place_without_buttons_takes_its_buttons_away() -> None:
    assert body(Message("Tea it is", replaces="122")) == {
        "chat_id": 987654321,
        "message_id": 122,
        "text": "Tea it is",
    }


def test_of_a_text_in_parts_the_last_is_edited_which_has_the_buttons() -> None:
    text = " ".join(["слово"] * 1500)
    new = bodies(Message(text, buttons=DRINKS, several=True))[-1]
    (edited,) = bodies(Message(text, buttons=DRINKS, several=True, replaces="9"))
    assert edited == {**new, "message_id": 9}


@pytest.mark.parametrize("replaces", ["0123abcd/00000001/0001", "-5", "1" * 19, "٣", "1 "])
def test_what_no_message_of_telegrams_is_called_cannot_be_edited(replaces: str) -> None:
    (request,) = render(Message("Which?", buttons=DRINKS, several=True, replaces=replaces)).requests
    assert request.url.endswith("/sendMessage")
    assert "message_id" not in request.json
    assert render(Message("Which?", replaces=replaces)).degradations == ("sent_anew",)


def test_no_message_can_be_edited_to_share() -> None:
    message = Message("Where?", buttons=(Button("Here", share="location"),), replaces="122")
    (request,) = render(message).requests
    assert request.url.endswith("/sendMessage")
    assert render(message).degradations == ("sent_anew",)


def test_choices_do_not_become_text_by_being_taken() -> None:
    for length in range(60, 130):
        untaken = tuple(Button("Щ" * length, f"p:{n}") for n in range(50))
        taken = tuple(Button(choice.text, choice.data, selected=True) for choice in untaken)
        assert are_text(untaken) == are_text(taken)


def are_text(choices: tuple[Button, ...]) -> bool:
    rendered = render(Message("Which?", buttons=choices, several=True))
    return "choices_as_text" in rendered.degradations


def test_several_choices_that_are_too_many_are_numbered_without_the_one_that_finishes() -> None:
    choices = tuple(Button(f"Choice {n}", f"p:{n}", selected=n == 2) for n in range(1, 102))
    text = body(Message("Which?", buttons=choices, several=True))["text"]
    assert text.startswith("Which?\n\n1. Choice 1\n2. ✓ Choice 2\n3. ")
    assert text.endswith("\n100. Choice 100")


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────

PICTURE = Media("image", "https://a.io/a_b.png")


def test_the_address_of_a_file_is_written_below_the_text() -> None:
    message = Message("Our menu", (Span(0, 3, "bold"),), DRINKS, (PICTURE, PICTURE))
    assert body(message)["text"] == f"Our menu\n\n{PICTURE.url}\n{PICTURE.url}"
    assert body(message)["entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    assert render(message).degradations == ("media_as_links",)


def test_a_file_without_words_is_its_address() -> None:
    assert body(Message(" ", (Span(0, 1, "bold"),), media=(PICTURE,)))["text"] == PICTURE.url


def test_a_file_that_has_no_address_is_told_to_be_missing() -> None:
    message = Message("Our menu", media=(Media("image", media_id="m"),))
    assert body(message)["text"] == "Our menu"
    assert render(message).degradations == ("media_dropped",)


# ── Interpret ────────────────────────────────────────────────────────────────────────────────────────


def test_an_accepted_message_is_sent_under_its_id() -> None:
    answer = {"ok": True, "result": {"message_id": 365, "date": 1793370000, "text": "Hi"}}
    assert ADAPTER.interpret(response(200, answer)) == Delivery(Outcome.SENT, "365")


@pytest.mark.parametrize(
    ("status", "description", "outcome"),
    [
        (400, "Bad Request: message text is empty", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: message is too long", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: BUTTON_DATA_INVALID", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: reply markup is too long", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: chat not found", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: private chat not found", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: USER_IS_BLOCKED", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: group chat was upgraded to a supergroup chat", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: message is not modified: specified new message content", Outcome.ALREADY_SO),
        (400, "Bad Request: message to edit not found", Outcome.ALREADY_SO),
        (400, "Bad Request: failed to get HTTP URL content", Outcome.MEDIA_FAILED),
        (400, "Bad Request: wrong file identifier/HTTP URL specified", Outcome.MEDIA_FAILED),
        (401, "Unauthorized", Outcome.CREDENTIAL_BAD),
        (403, "Forbidden: bot was blocked by the user", Outcome.RECIPIENT_GONE),
        (403, "Forbidden: user is deactivated", Outcome.RECIPIENT_GONE),
        (404, "Not Found", Outcome.CREDENTIAL_BAD),
        (409, "Conflict: terminated by other getUpdates request", Outcome.RETRY),
        (413, "Request Entity Too Large", Outcome.BAD_PAYLOAD),
        (421, "Misdirected Request: unallowed token", Outcome.CREDENTIAL_BAD),
        (429, "Too Many Requests: retry after 17", Outcome.CHAT_LIMITED),
        (500, "Internal Server Error: restart", Outcome.RETRY),
        (502, "Bad Gateway", Outcome.RETRY),
    ],
)
def test_a_refusal_is_sorted_by_status_and_words(status: int, description: str, outcome: Outcome) -> None:
    answer = {"ok": False, "error_code": status, "description": description}
    delivery = ADAPTER.interpret(response(status, answer))
    assert delivery == Delivery(outcome, reason=f"{status} {description}")


@pytest.mark.parametrize(
    ("asked", "header", "seconds"),
    [
        pytest.param(17, {}, 17.0, id="in the body"),
        pytest.param(None, {"retry_after": "5"}, 5.0, id="in the header"),
        pytest.param(3, {"retry_after": "5"}, 3.0, id="the body first"),
        pytest.param("soon", {"retry_after": "Wed, 21 Oct"}, None, id="neither readable"),
        pytest.param(-1, {"retry_after": "nan"}, None, id="neither sensible"),
        pytest.param(10**400, {}, None, id="no number of seconds"),
        pytest.param(10**9, {}, 86400.0, id="at most a day"),
    ],
)
def test_the_wait_is_the_one_that_telegram_names(asked: Any, header: dict[str, str], seconds: float) -> None:
    answer = {"ok": False, "error_code": 429, "description": "", "parameters": {"retry_after": asked}}
    assert ADAPTER.interpret(response(429, answer, **header)).retry_after_seconds == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"ok": 1}'])
def test_an_answer_that_cannot_be_read_is_tried_again(body: bytes) -> None:
    assert ADAPTER.interpret(Response(200, body)).outcome is Outcome.RETRY


def test_the_reason_quotes_nothing_of_the_message() -> None:
    said = "Bad Request: inline keyboard button URL 'https://a/?name=Ivan' is invalid: Wrong HTTP URL"
    answer = {"ok": False, "error_code": 400, "description": said}
    assert "Ivan" not in ADAPTER.interpret(response(400, answer)).reason
