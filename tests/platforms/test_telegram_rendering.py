from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.dialog.messages import Button, Media, Message, Span
from shared.platforms.base import Attachment, Outcome, Rendered, Request, Response
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.aiogram_models import method_of, unknown_to_aiogram
from tests.platforms.cases import DELIVERY_ID, SETTINGS, credential
from tests.standins.server import Incoming
from tests.standins.telegram import TelegramStandIn

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


@pytest.mark.parametrize("chat_id", ["@somebody", "", "٣", "-", "9" * 5000])
def test_a_chat_id_that_is_no_number_is_passed_on_as_it_is(chat_id: str) -> None:
    (request,) = ADAPTER.render(Message("Hi"), chat_id, CREDENTIAL, DELIVERY_ID).requests
    assert request.json["chat_id"] == chat_id


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
    "url",
    [
        "http://localhost/x",
        "ftp://a.io",
        "https://",
        "https://a b.io",
        "a.io",
        "tg://",
        "tg://@a_bot",
        "tg://чат",
    ],
)
def test_a_link_that_telegram_would_refuse_is_written_into_the_text(url: str) -> None:
    message = Message("See", buttons=(Button("Site", url=url), Button("Yes", "p:1")))
    assert body(message)["text"] == f"See\n\nSite: {url}"
    assert len(body(message)["reply_markup"]["inline_keyboard"]) == 1
    assert render(message).degradations == ("links_as_text",)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8080/x",
        "https://кафе.рф/меню",
        "tg://resolve?domain=a",
        "TG://settings/x",
        "HTTPS://A.io?x#y",
    ],
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


def test_an_emoji_of_several_is_never_cut() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    first, second = bodies(Message(family * 400))
    assert (first["text"], second["text"]) == (family * 372, family * 28)


def test_a_style_over_a_split_goes_on_in_the_next_part() -> None:
    text = "a" * 4090 + " " + "b" * 20
    first, second = bodies(Message(text, spans=(Span(4085, len(text), "bold"),)))
    assert first["entities"] == [{"type": "bold", "offset": 4085, "length": 6}]
    assert second["entities"] == [{"type": "bold", "offset": 0, "length": 20}]


@pytest.mark.parametrize("text", [" \n", "\u2800", "\u200b \u200d", "\ufeff"])
def test_a_message_without_words_is_not_sent(text: str) -> None:
    assert render(Message(text)) == Rendered((), ("empty_text",))


@pytest.mark.parametrize("text", ["", "\u2800"])
def test_buttons_without_words_get_an_ellipsis_to_hang_on(text: str) -> None:
    rendered = render(Message(text, buttons=(Button("Yes", "p:1"),)))
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


@pytest.mark.parametrize(
    ("button", "several"),
    [
        pytest.param(Button("x" * 129, "p:1"), False, id="a label too long for a key"),
        pytest.param(Button("Tea", "p:1"), True, id="one of several"),
    ],
)
def test_what_would_be_no_answer_when_typed_is_no_key(button: Button, *, several: bool) -> None:
    """A key writes what is on it: half a label is none, and several are taken by `1,2`."""
    shown = (button, Button("Coffee", "p:2"), Button("Done", "p:3"), Button("Here", share="location"))
    message = Message("Where?", buttons=shown, several=several)
    assert body(message)["reply_markup"]["keyboard"] == [[{"text": "Here", "request_location": True}]]
    done = "" if several else "\n3. Done"
    assert body(message)["text"] == f"Where?\n\n1. {button.text}\n2. Coffee{done}"
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
VIDEO = Media("video", "https://a.io/a.mp4")
SOUND = Media("audio", "https://a.io/a.mp3")
PAPER = Media("file", "https://a.io/a.pdf")
GIF = Media("image", "https://a.io/a.gif")
NO_KEYBOARD = {"remove_keyboard": True}
MENU = Message("Our menu", (Span(0, 3, "bold"),))
BOLD = [{"type": "bold", "offset": 0, "length": 3}]


def methods(message: Message) -> list[str]:
    return [request.url.rpartition("/")[2] for request in render(message).requests]


@pytest.mark.parametrize(
    ("file", "method", "field"),
    [
        (PICTURE, "sendPhoto", "photo"),
        (VIDEO, "sendVideo", "video"),
        (SOUND, "sendAudio", "audio"),
        (PAPER, "sendDocument", "document"),
        (GIF, "sendAnimation", "animation"),
        (Media("image", "https://a.io/a.GIF?x=1#y"), "sendAnimation", "animation"),
        (Media("image", "https://a.io/a.png?x=.gif"), "sendPhoto", "photo"),
        (Media("file", "https://a.io/a.gif"), "sendDocument", "document"),
    ],
)
def test_a_file_is_fetched_by_telegram_and_has_the_text_for_its_caption(
    file: Media, method: str, field: str
) -> None:
    message = replace(MENU, media=(file,))
    assert methods(message) == [method]
    assert body(message) == {
        "chat_id": 987654321,
        field: file.url,
        "caption": "Our menu",
        "caption_entities": BOLD,
        "reply_markup": NO_KEYBOARD,
    }
    assert render(message).degradations == ()


def test_a_file_without_words_has_no_caption() -> None:
    message = Message(" ", (Span(0, 1, "bold"),), media=(PICTURE,))
    assert body(message) == {"chat_id": 987654321, "photo": PICTURE.url, "reply_markup": NO_KEYBOARD}


@pytest.mark.parametrize("text", ["Our menu", ""])
def test_buttons_are_under_the_file(text: str) -> None:
    message = Message(
        text, buttons=(Button("Yes", "p:1"), Button("Site", url="https://a.io")), media=(VIDEO,)
    )
    assert methods(message) == ["sendVideo"]
    labels = [button["text"] for (button,) in body(message)["reply_markup"]["inline_keyboard"]]
    assert labels == ["Yes", "Site"]


def test_a_share_is_asked_for_under_a_file_too() -> None:
    message = Message("Where?", buttons=(Button("Here", share="location"),), media=(PICTURE,))
    assert body(message)["reply_markup"]["keyboard"] == [[{"text": "Here", "request_location": True}]]


@pytest.mark.parametrize(("text", "fits"), [("x" * 1024, True), ("x" * 1025, False), ("😀" * 513, False)])
def test_what_is_too_long_for_a_caption_is_a_message_behind_the_file(text: str, *, fits: bool) -> None:
    message = Message(text, buttons=(Button("Yes", "p:1"),), media=(PICTURE,))
    assert methods(message) == (["sendPhoto"] if fits else ["sendPhoto", "sendMessage"])
    assert ["reply_markup" in body for body in bodies(message)] == ([True] if fits else [False, True])
    assert render(message).degradations == (() if fits else ("caption_apart",))


def test_files_that_go_together_are_an_album_with_one_caption() -> None:
    message = replace(MENU, media=(PICTURE, VIDEO, PICTURE))
    assert methods(message) == ["sendMediaGroup"]
    assert body(message) == {
        "chat_id": 987654321,
        "media": [
            {"type": "photo", "media": PICTURE.url, "caption": "Our menu", "caption_entities": BOLD},
            {"type": "video", "media": VIDEO.url},
            {"type": "photo", "media": PICTURE.url},
        ],
    }
    assert render(message).degradations == ()


@pytest.mark.parametrize(
    ("media", "called"),
    [
        pytest.param([PAPER] * 2, ["sendMediaGroup"], id="documents"),
        pytest.param([SOUND] * 2, ["sendMediaGroup"], id="sounds"),
        pytest.param([PICTURE] * 10, ["sendMediaGroup"], id="ten"),
        pytest.param([PICTURE] * 11, ["sendMediaGroup", "sendPhoto"], id="eleven"),
        pytest.param([PICTURE] * 12, ["sendMediaGroup"] * 2, id="twelve"),
        pytest.param([PICTURE, PAPER], ["sendPhoto", "sendDocument"], id="a picture and a document"),
        pytest.param(
            [PICTURE, GIF, PICTURE], ["sendPhoto", "sendAnimation", "sendPhoto"], id="one that moves"
        ),
        pytest.param([GIF, GIF], ["sendAnimation"] * 2, id="two that move"),
        pytest.param([SOUND, PAPER], ["sendAudio", "sendDocument"], id="a sound and a document"),
        pytest.param(
            [PAPER, PICTURE, VIDEO, SOUND],
            ["sendDocument", "sendMediaGroup", "sendAudio"],
            id="in their order",
        ),
        pytest.param(
            [Media("image", "https://a.io/" + "x" * 1600)] * 2,
            ["sendPhoto", "sendPhoto"],
            id="addresses too long",
        ),
    ],
)
def test_albums_are_of_two_to_ten_neighbours_of_a_kind(media: list[Media], called: list[str]) -> None:
    message = Message("Look", media=tuple(media))
    assert methods(message) == called
    shown = [item for body in bodies(message) for item in body.get("media", [body])]
    assert len(shown) == len(media)
    assert [item.get("caption") for item in shown].count("Look") == 1


@pytest.mark.parametrize(
    ("text", "shown", "degradations"),
    [("Look", "Look", ("caption_apart",)), ("", "…", ("empty_text", "caption_apart"))],
)
def test_buttons_are_behind_an_album_which_can_have_none(
    text: str, shown: str, degradations: tuple[str, ...]
) -> None:
    message = Message(text, buttons=(Button("Yes", "p:1"),), media=(PICTURE, PICTURE))
    assert methods(message) == ["sendMediaGroup", "sendMessage"]
    assert bodies(message)[1]["text"] == shown
    assert "inline_keyboard" in bodies(message)[1]["reply_markup"]
    assert render(message).degradations == degradations


@pytest.mark.parametrize("url", ["nonsense", "http://localhost/a.png", "https://a.io/" + "x" * 3000])
def test_a_file_that_telegram_could_not_fetch_is_its_address(url: str) -> None:
    message = replace(MENU, media=(Media("image", url), PICTURE))
    assert methods(message) == (["sendPhoto"] if len(url) < 1000 else ["sendPhoto", "sendMessage"])
    assert bodies(message)[-1].get("caption", bodies(message)[-1].get("text")) == f"Our menu\n\n{url}"
    assert "media_as_links" in render(message).degradations


@pytest.mark.parametrize(
    ("file", "why"), [(Media("image", media_id="m"), "media_gone"), (Media("image"), "media_dropped")]
)
def test_a_file_of_which_there_is_nothing_is_told_to_be_missing(file: Media, why: str) -> None:
    message = Message("Our menu", media=(file,))
    assert body(message)["text"] == "Our menu"
    assert render(message).degradations == (why,)


def test_in_place_of_a_file_that_cannot_be_had_goes_a_text_with_its_address() -> None:
    message = replace(MENU, media=(PICTURE,), buttons=(Button("Yes", "p:1"),))
    (request,) = render(message).requests
    assert request.instead is not None
    assert request.instead.url == "https://telegram.test/bot123456789:AAEtelegram-token/sendMessage"
    assert request.instead.json == {
        "chat_id": 987654321,
        "text": f"Our menu\n\n{PICTURE.url}",
        "entities": BOLD,
        "reply_markup": {"inline_keyboard": [[{"text": "Yes", "callback_data": "p:1"}]]},
    }


def test_in_place_of_an_album_goes_one_text_whatever_the_length() -> None:
    media = tuple(Media("image", f"https://a.io/{n}" + "x" * 280) for n in range(10))
    (request,) = render(Message("m" * 1024, media=media)).requests
    assert request.instead is not None
    assert len(request.instead.json["text"]) <= 4096
    assert all(file.url in request.instead.json["text"] for file in media)


def test_what_has_no_file_has_nothing_else_to_be_sent() -> None:
    long = replace(MENU, text="x" * 1025, media=(PICTURE,))
    assert [request.instead is None for request in render(long).requests] == [False, True]


# ── Files of the library ─────────────────────────────────────────────────────────────────────────────

LIBRARY = Media(
    "image",
    "https://cdn.io/media/m/k/menu.jpg",
    media_id="m",
    file_name="menu.jpg",
    content_type="image/jpeg",
    size=80_000,
)
KNOWN = replace(LIBRARY, file_id="AgAC", storage_path="media/m/k/menu.jpg")
CARRIED = replace(LIBRARY, storage_path="media/m/k/menu.jpg")


def test_a_file_that_telegram_knows_goes_by_its_id() -> None:
    (request,) = render(replace(MENU, media=(KNOWN,))).requests
    assert (request.json["photo"], request.attachments) == ("AgAC", ())
    assert request.instead is not None
    assert request.instead.json["text"] == f"Our menu\n\n{LIBRARY.url}"


@pytest.mark.parametrize("name", ["menu.jpg", ""])
def test_a_file_that_telegram_does_not_know_is_part_of_the_request(name: str) -> None:
    (request,) = render(replace(MENU, media=(replace(CARRIED, file_name=name),))).requests
    assert request.json["photo"] == "attach://file0"
    part = Attachment("file0", "m", "media/m/k/menu.jpg", "image/jpeg", "menu.jpg")
    assert request.attachments == (part,)
    assert request.instead is not None
    assert request.instead.attachments == ()


def test_an_album_carries_those_of_its_files_that_telegram_does_not_know() -> None:
    (request,) = render(replace(MENU, media=(PICTURE, CARRIED, KNOWN, CARRIED))).requests
    sources = [item["media"] for item in request.json["media"]]
    assert sources == [PICTURE.url, "attach://file1", "AgAC", "attach://file3"]
    assert [(part.part, part.place) for part in request.attachments] == [("file1", 1), ("file3", 3)]


def test_without_words_and_an_address_nothing_can_go_in_the_place_of_a_file() -> None:
    (request,) = render(Message("", media=(replace(CARRIED, url=""),))).requests
    assert request.instead is None


@pytest.mark.parametrize(
    ("changed", "method", "degradations"),
    [
        pytest.param({"size": 10_000_001}, "sendDocument", ("media_as_file",), id="a picture too large"),
        pytest.param({"width": 2001, "height": 100}, "sendDocument", ("media_as_file",), id="a strip"),
        pytest.param({"width": 2000, "height": 100}, "sendPhoto", (), id="one that is hardly one"),
        pytest.param({"width": 6000, "height": 4001}, "sendDocument", ("media_as_file",), id="a large one"),
        pytest.param(
            {"content_type": "image/tiff"}, "sendDocument", ("media_as_file",), id="a picture of its own kind"
        ),
        pytest.param({"content_type": "image/gif"}, "sendAnimation", (), id="one that moves"),
        pytest.param(
            {"type": "video", "content_type": "video/quicktime"},
            "sendDocument",
            ("media_as_file",),
            id="a video of another kind",
        ),
        pytest.param({"type": "audio", "content_type": "audio/mpeg; x=y"}, "sendAudio", (), id="a sound"),
        pytest.param(
            {"type": "file", "content_type": "image/gif"}, "sendDocument", (), id="a file of any kind"
        ),
        pytest.param(
            {"size": 50_000_001}, "sendMessage", ("media_as_links",), id="what is too large altogether"
        ),
    ],
)
def test_a_file_is_shown_as_what_telegram_can_show(
    changed: dict[str, Any], method: str, degradations: tuple[str, ...]
) -> None:
    message = replace(MENU, media=(replace(CARRIED, **changed),))
    assert methods(message) == [method]
    assert render(message).degradations == degradations


def test_pictures_too_large_are_an_album_of_documents() -> None:
    large = replace(CARRIED, size=11_000_000)
    assert methods(Message("", media=(large, large, CARRIED))) == ["sendMediaGroup", "sendPhoto"]
    assert {item["type"] for item in bodies(Message("", media=(large, large)))[0]["media"]} == {"document"}


# ── Changing and closing earlier messages ────────────────────────────────────────────────────────────


def test_the_place_of_a_file_is_taken_by_another_caption() -> None:
    message = replace(MENU, media=(PICTURE,), buttons=DRINKS, several=True, replaces="122")
    assert methods(message) == ["editMessageCaption"]
    keyboard = {"inline_keyboard": [[b] for b in buttons_of(DRINKS)]}
    assert body(message) == {
        "chat_id": 987654321,
        "message_id": 122,
        "caption": "Our menu",
        "caption_entities": BOLD,
        "reply_markup": keyboard,
    }
    (request,) = render(message).requests
    assert request.instead is not None
    assert request.instead.url.endswith("/editMessageText")
    assert request.instead.json == {
        "chat_id": 987654321,
        "message_id": 122,
        "text": f"Our menu\n\n{PICTURE.url}",
        "entities": BOLD,
        "reply_markup": keyboard,
    }


def test_of_a_file_without_words_only_the_buttons_are_changed() -> None:
    message = Message("", media=(PICTURE,), buttons=DRINKS, several=True, replaces="122")
    assert methods(message) == ["editMessageReplyMarkup"]
    assert body(message)["reply_markup"]["inline_keyboard"]


@pytest.mark.parametrize("media", [(PICTURE, PICTURE), (PICTURE,)])
def test_of_files_with_words_behind_the_words_are_changed(media: tuple[Media, ...]) -> None:
    text = "Which?" if len(media) > 1 else "x" * 1025
    message = Message(text, media=media, buttons=DRINKS, several=True, replaces="122")
    assert methods(message) == ["editMessageText"]


def test_an_earlier_message_loses_its_buttons_first() -> None:
    message = replace(MENU, closes="120")
    assert methods(message) == ["editMessageReplyMarkup", "sendMessage"]
    assert bodies(message)[0] == {"chat_id": 987654321, "message_id": 120}


def test_only_the_buttons_of_an_earlier_message_may_stay_where_they_are() -> None:
    requests = render(replace(MENU, closes="120", media=(PICTURE,))).requests
    assert [request.may_be_refused for request in requests] == [True, False]


def test_an_earlier_message_loses_its_buttons_even_if_nothing_is_said() -> None:
    assert methods(Message(" ", closes="120")) == ["editMessageReplyMarkup"]


@pytest.mark.parametrize(
    ("closes", "replaces", "called"),
    [
        ("120", "122", ["editMessageReplyMarkup", "editMessageText"]),
        ("122", "122", ["editMessageText"]),
        ("0123abcd/00000001/0001", "", ["sendMessage"]),
        ("0", "", ["sendMessage"]),
        ("", "", ["sendMessage"]),
    ],
)
def test_only_another_message_of_telegrams_is_closed(closes: str, replaces: str, called: list[str]) -> None:
    assert methods(replace(MENU, closes=closes, replaces=replaces)) == called


# ── As written down ──────────────────────────────────────────────────────────────────────────────────

OUTBOUND = Path(__file__).parent / "outbound" / "telegram"

written_down = pytest.mark.parametrize("name", sorted(path.stem for path in OUTBOUND.glob("*.json")))


def outbound(name: str) -> Any:
    return json.loads((OUTBOUND / f"{name}.json").read_text("utf-8"))


def called(request: Request) -> dict[str, Any]:
    call = {"method": request.url.rpartition("/")[2], "body": request.json}
    return {**call, "instead": called(request.instead)} if request.instead else call


@written_down
def test_a_message_is_said_as_written_down(name: str) -> None:
    expected = outbound(name)
    rendered = render(msgspec.convert(expected["message"], Message))
    assert [called(request) for request in rendered.requests] == expected["requests"]
    assert list(rendered.degradations) == expected["degradations"]


@written_down
def test_what_is_written_down_is_known_to_aiogram(name: str) -> None:
    for request in render(msgspec.convert(outbound(name)["message"], Message)).requests:
        assert_known_to_aiogram(request)


def assert_known_to_aiogram(request: Request) -> None:
    method = method_of(request)
    assert unknown_to_aiogram(method) == []
    assert method.model_dump(mode="json", exclude_unset=True, warnings=False) == request.json
    if request.instead is not None:
        assert_known_to_aiogram(request.instead)


@written_down
def test_what_is_written_down_is_taken(name: str) -> None:
    """Of an edit, all but the message that is to be edited is as our own Telegram wants it."""
    for request in render(msgspec.convert(outbound(name)["message"], Message)).requests:
        for each in (request, request.instead or request):
            assert sent(each) is (Outcome.ALREADY_SO if "/edit" in each.url else Outcome.SENT)


def sent(request: Request) -> Outcome:
    messenger = TelegramStandIn(SETTINGS["telegram"]["bot_token"])
    messenger.person(chat_id=int(CHAT)).has_started = True
    path = request.url.removeprefix("https://telegram.test")
    headers = {"content-type": "application/json"}
    answer = messenger.handle(Incoming("POST", path, {}, headers, msgspec.json.encode(request.json)))
    assert answer is not None
    return ADAPTER.interpret(Response(answer.status, answer.body)).outcome
