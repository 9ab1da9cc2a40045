from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    ConversationStarted,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.dialog.messages import Button, Media, Message, Span
from shared.errors import UnreadableUpdate
from shared.platforms.base import Delivery, Outcome, Parsed, Rendered, Response, WebhookRequest
from shared.platforms.viber import ViberAdapter
from tests.platforms.cases import (
    DELIVERY_ID,
    RECEIVED_AT,
    credential,
    payload,
    payload_names,
    response,
)

ADAPTER = ViberAdapter("https://viber.test")
CREDENTIAL = credential("viber")
CHAT = "01234567890A/+b="
SENT_AT = datetime.fromtimestamp(1793370000.25, UTC)
PERSON = Person(first_name="Иван Петров", language="ru")


def parse(name: str) -> Parsed:
    return ADAPTER.parse(payload("viber", name), CREDENTIAL, RECEIVED_AT)


def only_event(name: str) -> Any:
    (addressed,) = parse(name).events
    assert addressed.chat_id == CHAT
    return addressed.event


def token(name: str) -> str:
    return str(payload("viber", name)["message_token"])


def render(message: Message) -> Rendered:
    return ADAPTER.render(message, CHAT, CREDENTIAL, DELIVERY_ID)


def bodies(message: Message) -> list[Any]:
    return [request.json for request in render(message).requests]


def body(message: Message) -> Any:
    (only,) = bodies(message)
    return only


# ── Verify ───────────────────────────────────────────────────────────────────────────────────────────

BODY = '{"event": "message", "text": "п"}'.encode()
TOKEN = CREDENTIAL.settings["auth_token"]


def signed(content: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("signature", "is_genuine"),
    [
        pytest.param(signed(BODY, TOKEN), True, id="the bot's"),
        pytest.param(signed(BODY + b" ", TOKEN), False, id="of another body"),
        pytest.param(signed(BODY, "another"), False, id="by another token"),
        pytest.param("", False, id="empty"),
        pytest.param("\ud800é", False, id="not even text"),
        pytest.param(None, False, id="none"),
    ],
)
def test_only_the_auth_token_signs_a_callback(signature: str | None, *, is_genuine: bool) -> None:
    headers = {} if signature is None else {"x-viber-content-signature": signature}
    assert ADAPTER.verify(WebhookRequest("POST", headers, {}, BODY), CREDENTIAL) is is_genuine


def test_without_a_token_nothing_is_genuine() -> None:
    request = WebhookRequest("POST", {"x-viber-content-signature": signed(BODY, "")}, {}, BODY)
    assert not ADAPTER.verify(request, credential("viber", auth_token=""))


# ── Parse ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_a_message_of_its_sender_and_time() -> None:
    assert only_event("text") == MessageReceived(
        id=token("text"), occurred_at=SENT_AT, person=PERSON, text="Повар 👨‍🍳"
    )


def test_a_message_token_keeps_all_its_digits() -> None:
    assert int(only_event("text").id) > 2**53
    assert only_event("text").id == token("text")


def test_a_text_that_is_what_a_button_carries_is_a_press() -> None:
    assert only_event("press") == ButtonPressed(
        id=token("press"), occurred_at=SENT_AT, person=PERSON, data="p:a1b2c3d4:1:3:1"
    )


def test_a_text_that_only_begins_like_a_press_is_a_message() -> None:
    assert only_event("almost_a_press").text == "p:a1b2c3d4:1:3:1 please"


@pytest.mark.parametrize(("name", "words"), [("start", "/start"), ("start_payload", "/start cook-2026_1")])
def test_a_command_is_a_message_as_it_came(name: str, words: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert event.text == words
    assert not parse(name).wants_welcome


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("url", "text", "https://example.com/cv"),
        ("picture", "image", "Моя кухня"),
        ("video", "video", ""),
        ("file", "file", ""),
        ("sticker", "sticker", ""),
        ("contact", "contact", ""),
        ("location", "location", ""),
        ("unheard_of_content", "unsupported", ""),
    ],
)
def test_what_is_not_text_is_a_message_of_its_kind(name: str, content: ContentType, words: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert (event.content, event.text) == (content, words)


PICTURE = "https://dl-media.viber.com/5/media/2/short/any/sig/image/0x0/1.jpg?Expires=1"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("picture", ReceivedFile("image", PICTURE, "1.jpg", size=6520)),
        ("video", ReceivedFile("video", "https://dl-media.viber.com/1.mp4", size=100000)),
        ("file", ReceivedFile("file", "https://dl-media.viber.com/cv.pdf", "cv.pdf", size=88000)),
        ("sticker", None),
        ("url", None),
    ],
)
def test_a_file_is_known_by_its_address(name: str, file: ReceivedFile | None) -> None:
    assert only_event(name).file == file


def test_a_place_has_no_name() -> None:
    assert only_event("location").place == Place(50.76891, 6.11499)


def test_a_contact_is_never_surely_the_persons_own() -> None:
    assert only_event("contact").contact == SharedContact("+79990000000", "Анна")


def test_somebody_who_does_not_tell_a_name_has_none() -> None:
    assert only_event("nameless").person == Person()


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("conversation_started", ""),
        ("conversation_started_by_link", "cook-2026_1"),
        ("conversation_started_again", ""),
        ("conversation_started_again_by_link", "cook-2026_1"),
    ],
)
def test_who_opens_the_chat_is_to_be_welcomed_and_only_a_link_begins_anew(name: str, start: str) -> None:
    assert only_event(name) == ConversationStarted(
        id=token(name), occurred_at=SENT_AT, person=PERSON, payload=start, only_opens=not start
    )
    assert parse(name).wants_welcome


def test_who_subscribes_only_opens_the_chat_and_cannot_be_welcomed_in_the_answer() -> None:
    event = only_event("subscribed")
    assert isinstance(event, ConversationStarted)
    assert event.only_opens
    assert not parse("subscribed").wants_welcome


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unsubscribed", "unsubscribed"),
        ("delivered", "delivered"),
        ("seen", "seen"),
        ("failed", "failed"),
        ("webhook", "webhook"),
        ("unheard_of", "unknown"),
    ],
)
def test_what_is_no_word_of_a_person_to_the_bot_is_ignored(name: str, reason: str) -> None:
    assert parse(name) == Parsed(ignored=(reason,))


@pytest.mark.parametrize("name", payload_names("viber"))
def test_every_payload_is_either_an_event_or_ignored(name: str) -> None:
    parsed = parse(name)
    assert len(parsed.events) + len(parsed.ignored) == 1


def without(name: str, field: str) -> Any:
    callback = payload("viber", name)
    del callback[field]
    return callback


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param([], id="not an object"),
        pytest.param({}, id="no event"),
        pytest.param({"event": []}, id="an event without a name"),
        pytest.param(without("text", "sender"), id="a message from nobody"),
        pytest.param(without("text", "message"), id="a message of nothing"),
        pytest.param(without("text", "message_token"), id="no token"),
        pytest.param(without("text", "timestamp"), id="no time"),
        pytest.param(without("conversation_started", "user"), id="opened by nobody"),
        pytest.param({**payload("viber", "text"), "message_token": "1"}, id="a token that is text"),
        pytest.param({**payload("viber", "text"), "timestamp": 10**20}, id="beyond the calendar"),
    ],
)
def test_a_known_event_in_another_shape_is_not_guessed_at(broken: Any) -> None:
    with pytest.raises((msgspec.ValidationError, UnreadableUpdate, ValueError, OSError)):
        ADAPTER.parse(broken, CREDENTIAL, RECEIVED_AT)


# ── Render ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_one_send_message_with_the_token_in_a_header() -> None:
    (request,) = render(Message("Hello")).requests
    assert request.url == "https://viber.test/pa/send_message"
    assert request.headers == {"x-viber-auth-token": TOKEN}
    assert request.json == {
        "receiver": CHAT,
        "sender": {"name": "Onboarding"},
        "type": "text",
        "text": "Hello",
    }
    assert TOKEN not in repr(request)


@pytest.mark.parametrize(("share", "action"), [("phone", "share-phone"), ("location", "location-picker")])
def test_what_viber_shares_itself_is_a_button_for_clients_that_know_it(share: Any, action: str) -> None:
    message = Message("Where?", buttons=(Button("Here", share=share), Button("Skip", "p:1")))
    share_button, skip = body(message)["keyboard"]["Buttons"]
    assert share_button == {
        "Columns": 6,
        "Rows": 1,
        "Text": "Here",
        "ActionType": action,
        "ActionBody": "reply",
    }
    assert skip["ActionType"] == "reply"
    assert body(message)["min_api_version"] == 3
    assert render(message).degradations == ()


def test_without_a_share_no_client_is_too_old() -> None:
    assert "min_api_version" not in body(Message("Skip?", buttons=(Button("Skip", "p:1"),)))


def test_a_share_stays_where_choices_are_too_many() -> None:
    choices = tuple(Button(f"Choice {n}", f"p:{n}") for n in range(1, 13))
    rendered = render(Message("Where?", buttons=(*choices, Button("Here", share="location"))))
    (request,) = rendered.requests
    assert [button["Text"] for button in request.json["keyboard"]["Buttons"]] == ["Here"]
    assert request.json["text"].endswith("\n12. Choice 12")
    assert rendered.degradations == ("choices_as_text",)


def test_several_choices_are_numbered_without_the_one_that_finishes() -> None:
    drinks = (Button("Tea", "p:0", selected=True), Button("Coffee", "p:1"), Button("Done", "p:2"))
    message = Message("Which?", buttons=(*drinks, Button("Menu", url="https://a.io")), several=True)
    assert body(message)["text"] == "Which?\n\n1. ✓ Tea\n2. Coffee"
    assert [button["Text"] for button in body(message)["keyboard"]["Buttons"]] == ["Menu"]
    assert render(message).degradations == ("choices_as_text",)


def test_what_should_take_a_messages_place_is_sent_anew() -> None:
    message = Message("Tea it is", replaces="4912661846655238145")
    assert body(message)["text"] == "Tea it is"
    assert render(message).degradations == ("sent_anew",)


def test_the_address_of_a_file_is_written_below_the_text_and_is_no_markup() -> None:
    message = Message("Our menu", (Span(0, 3, "bold"),), media=(Media("image", "https://a.io/_a_*b*"),))
    assert body(message)["text"] == "*Our* menu\n\nhttps://a.io/_a_*b*"
    assert render(message).degradations == ("media_as_links",)


def test_a_welcome_may_share_too() -> None:
    welcome = ADAPTER.welcome(Message("Your number?", buttons=(Button("Here", share="phone"),)), CREDENTIAL)
    assert welcome["min_api_version"] == 3
    assert welcome["keyboard"]["Buttons"][0]["ActionType"] == "share-phone"


def test_the_sender_has_at_most_28_characters_and_perhaps_an_avatar() -> None:
    named = credential("viber", sender_name="N" * 40, sender_avatar="https://a.io/a.jpg")
    (request,) = ADAPTER.render(Message("Hi"), CHAT, named, DELIVERY_ID).requests
    assert request.json["sender"] == {"name": "N" * 27 + "…", "avatar": "https://a.io/a.jpg"}


def test_buttons_are_a_keyboard_one_a_row() -> None:
    message = Message(
        "Position?", buttons=(Button("Fish & <Chips>", "p:1"), Button("Site", url="https://a.io/?b=1&c"))
    )
    assert body(message)["keyboard"] == {
        "Type": "keyboard",
        "DefaultHeight": False,
        "Buttons": [
            {
                "Columns": 6,
                "Rows": 1,
                "ActionType": "reply",
                "ActionBody": "p:1",
                "Text": "Fish &amp; &lt;Chips&gt;",
                "Silent": True,
            },
            {
                "Columns": 6,
                "Rows": 1,
                "ActionType": "open-url",
                "ActionBody": "https://a.io/?b=1&c",
                "Text": "Site",
                "Silent": True,
            },
        ],
    }
    assert render(message).degradations == ()


def test_a_label_is_cut_by_its_length_as_html() -> None:
    message = Message("?", buttons=(Button("&" * 60, "p:1"), Button("x" * 251, "p:2")))
    labels = [button["Text"] for button in body(message)["keyboard"]["Buttons"]]
    assert labels == ["&amp;" * 49 + "…", "x" * 249 + "…"]
    assert render(message).degradations == ("label_cut",)


def test_more_than_twelve_buttons_become_numbered_text() -> None:
    message = Message("Which?", buttons=tuple(Button(f"Choice {n}", f"p:{n}") for n in range(1, 14)))
    assert "keyboard" not in body(message)
    assert body(message)["text"].endswith("\n12. Choice 12\n13. Choice 13")
    assert render(message).degradations == ("choices_as_text",)


@pytest.mark.parametrize("url", ["intranet", "https://a.io/" + "x" * 250])
def test_a_link_that_no_button_can_have_is_written_out(url: str) -> None:
    message = Message("See", buttons=(Button("Site", url=url), Button("Yes", "p:1")))
    assert body(message)["text"] == f"See\n\nSite: {url}"
    assert len(body(message)["keyboard"]["Buttons"]) == 1
    assert render(message).degradations == ("links_as_text",)


def test_styles_are_markers_and_linked_words_are_followed_by_their_address() -> None:
    message = Message(
        "bold code site", spans=(Span(0, 4, "bold"), Span(5, 9, "code"), Span(10, 14, "link", "https://a.io"))
    )
    assert body(message)["text"] == "*bold* ```code``` site (https://a.io)"
    assert render(message).degradations == ("links_as_text",)


def test_a_long_text_is_split_with_the_keyboard_under_the_last_part() -> None:
    long = "word " * 2000
    first, second = bodies(Message(long, buttons=(Button("Yes", "p:1"),)))
    assert first["text"] + second["text"] == long
    assert len(first["text"]) <= 7000
    assert ("keyboard" in first, "keyboard" in second) == (False, True)


def test_a_text_of_many_bytes_is_split_before_7000_characters() -> None:
    requests = render(Message("😀" * 7000)).requests
    assert len(requests) == 1
    requests = render(Message("\x01" * 7000)).requests
    assert len(requests) > 1
    assert all(len(msgspec.json.encode(request.json)) <= 30_000 for request in requests)


def test_a_message_without_words_is_not_sent() -> None:
    assert render(Message(" \n")) == Rendered((), ("empty_text",))


def test_the_welcome_is_the_message_without_a_receiver() -> None:
    message = Message("Hello!", buttons=(Button("Go", "p:1"),))
    welcome = ADAPTER.welcome(message, CREDENTIAL)
    expected = body(message)
    del expected["receiver"]
    assert welcome == expected


def test_a_welcome_is_a_single_message_whatever_its_length() -> None:
    welcome = ADAPTER.welcome(Message("word " * 2000), CREDENTIAL)
    assert welcome["text"].endswith("word…")
    assert len(welcome["text"]) <= 7000


def test_a_welcome_without_words_is_an_ellipsis() -> None:
    assert ADAPTER.welcome(Message(""), CREDENTIAL)["text"] == "…"


# ── Interpret ────────────────────────────────────────────────────────────────────────────────────────


def test_an_accepted_message_is_sent_under_its_token() -> None:
    answer = {"status": 0, "status_message": "ok", "message_token": 5741311803571721087, "billing_status": 1}
    assert ADAPTER.interpret(response(200, answer)) == Delivery(Outcome.SENT, "5741311803571721087")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((n, Outcome.CREDENTIAL_BAD) for n in (2, 7, 8, 9, 10, 15)),
        *((n, Outcome.RECIPIENT_GONE) for n in (5, 6)),
        *((n, Outcome.BAD_PAYLOAD) for n in (1, 3, 4, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22)),
        (12, Outcome.CHAT_LIMITED),
        *((n, Outcome.WINDOW_CLOSED) for n in (23, 24)),
        *((n, Outcome.RETRY) for n in (25, 999, -1)),
    ],
)
def test_a_refusal_is_sorted_by_its_status_although_http_says_200(status: int, outcome: Outcome) -> None:
    delivery = ADAPTER.interpret(response(200, {"status": status, "status_message": "notAllowed"}))
    assert delivery == Delivery(outcome, reason=f"{status} notAllowed")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, Outcome.CREDENTIAL_BAD),
        (413, Outcome.BAD_PAYLOAD),
        (429, Outcome.BOT_LIMITED),
        (500, Outcome.RETRY),
        (502, Outcome.RETRY),
        (302, Outcome.RETRY),
    ],
)
def test_an_error_of_http_is_sorted_by_it(status: int, outcome: Outcome) -> None:
    assert ADAPTER.interpret(Response(status, b"<html>")) == Delivery(outcome, reason=str(status))


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}", b'{"status": "0"}'])
def test_an_answer_that_cannot_be_read_is_tried_again(content: bytes) -> None:
    assert ADAPTER.interpret(Response(200, content)).outcome is Outcome.RETRY


def test_the_wait_is_the_one_that_the_header_names() -> None:
    answer = response(429, {}, retry_after="7")
    assert ADAPTER.interpret(answer).retry_after_seconds == 7


def test_buttons_without_words_get_an_ellipsis_to_hang_on() -> None:
    message = Message(" ", buttons=(Button("Yes", "p:1"),))
    assert body(message)["text"] == "…"
    assert render(message).degradations == ("empty_text",)


def test_an_address_too_long_for_a_button_is_not_hidden_behind_one() -> None:
    links = (Button("A", url="https://a.io"), Button("B", url="https://b.io/" + "x" * 300))
    assert body(Message("See", buttons=links))["text"].startswith("See\n\nB: https://b.io/xxx")


def test_a_style_that_markers_cannot_show_is_given_up() -> None:
    message = Message("unbold", spans=(Span(2, 6, "bold"),))
    assert (body(message)["text"], render(message).degradations) == ("unbold", ("styles_dropped",))
