from __future__ import annotations

from typing import Any

import pytest

from shared.dialog.messages import Button, Media, Message, Span
from shared.platforms.base import Rendered
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.cases import DELIVERY_ID, credential

ADAPTER = TelegramAdapter("https://telegram.test")
CREDENTIAL = credential("telegram")
CHAT = "987654321"


def render(message: Message) -> Rendered:
    return ADAPTER.render(message, CHAT, CREDENTIAL, DELIVERY_ID)


def bodies(message: Message) -> list[Any]:
    return [request.json for request in render(message).requests]


def body(message: Message) -> Any:
    (only,) = bodies(message)
    return only


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
