from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ChatUnblocked,
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
from shared.platforms.base import (
    Delivery,
    Outcome,
    Parsed,
    Receipt,
    Rendered,
    Response,
    WebhookRequest,
)
from shared.platforms.viber import ViberAdapter
from tests.platforms.cases import (
    DELIVERY_ID,
    PAYLOADS,
    RECEIVED_AT,
    Samples,
    credential,
    message_in,
    payload,
    payload_names,
    response,
)

ADAPTER = ViberAdapter("https://viber.test")
CREDENTIAL = credential("viber")
CHAT = "01234567890A/+b="
SENT_AT = datetime.fromtimestamp(1793370000.25, UTC)
PERSON = Person(first_name="Иван Петров", language="ru")


SAMPLES = Samples(ADAPTER, CHAT)
parse, only_event = SAMPLES.parse, SAMPLES.only_event


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


@pytest.mark.parametrize(("name", "least"), [("text", 2**53), ("beyond_64_bits", 2**64)])
def test_a_message_token_keeps_all_its_digits(name: str, least: int) -> None:
    event_id = only_event(name).id
    assert int(event_id) > least
    assert f'"message_token": {event_id},' in (PAYLOADS / "viber" / f"{name}.json").read_text()


def test_a_person_is_known_by_an_id_of_any_signs() -> None:
    (addressed,) = parse("text_of_another_device").events
    assert addressed.chat_id == "Zz/9+0aB1cD2eF3gH4iJ5k=="


def test_what_was_sent_along_to_be_tracked_is_no_press() -> None:
    event = only_event("text_after_tracking")
    assert isinstance(event, MessageReceived)
    assert event.text == "Да"


def test_a_text_that_is_what_a_button_carries_is_a_press() -> None:
    assert only_event("press") == ButtonPressed(
        id=token("press"), occurred_at=SENT_AT, person=PERSON, data="p:a1b2c3d4:1:3:1"
    )


def test_a_text_that_only_begins_like_a_press_is_a_message() -> None:
    assert only_event("almost_a_press").text == "p:a1b2c3d4:1:3:1 please"


@pytest.mark.parametrize(("name", "words"), [("start", "/start"), ("start_payload", "/start cook-2026_1")])
def test_a_command_is_a_message_as_it_came(name: str, words: str) -> None:
    assert message_in(only_event(name)) == ("text", words)
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
        ("rich_media", "unsupported", ""),
        ("picture_bare", "image", ""),
        ("file_measured_otherwise", "file", ""),
        ("sticker_by_number", "sticker", ""),
        ("contact_without_number", "contact", ""),
        ("contact_with_avatar", "contact", ""),
    ],
)
def test_what_is_not_text_is_a_message_of_its_kind(name: str, content: ContentType, words: str) -> None:
    assert message_in(only_event(name)) == (content, words)


def test_a_kind_unheard_of_is_a_message_that_is_counted() -> None:
    assert parse("unheard_of_content").ignored == ("unknown",)
    assert parse("rich_media").ignored == ()


PICTURE = "https://dl-media.viber.com/5/media/2/short/any/sig/image/0x0/1.jpg?Expires=1"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("picture", ReceivedFile("image", PICTURE, "1.jpg", size=6520)),
        ("video", ReceivedFile("video", "https://dl-media.viber.com/1.mp4", size=100000)),
        ("file", ReceivedFile("file", "https://dl-media.viber.com/cv.pdf", "cv.pdf", size=88000)),
        ("picture_bare", ReceivedFile("image", "https://dl-media.viber.com/2.jpg")),
        (
            "file_measured_otherwise",
            ReceivedFile("file", "https://dl-media.viber.com/voice.m4a", "voice.m4a", size=41000),
        ),
        ("sticker", None),
        ("sticker_by_number", None),
        ("url", None),
    ],
)
def test_a_file_is_known_by_its_address(name: str, file: ReceivedFile | None) -> None:
    assert only_event(name).file == file


@pytest.mark.parametrize("size", [None, "6520", -1, 0, 1.5, True, 10**30, []])
def test_a_file_of_a_strange_size_is_a_file_nevertheless(size: Any) -> None:
    callback = payload("viber", "file")
    callback["message"]["size"] = size
    (addressed,) = ADAPTER.parse(callback, CREDENTIAL, RECEIVED_AT).events
    event: Any = addressed.event
    assert event.file == ReceivedFile("file", "https://dl-media.viber.com/cv.pdf", "cv.pdf")


def test_a_place_has_no_name() -> None:
    assert only_event("location").place == Place(50.76891, 6.11499)


def test_a_contact_is_never_surely_the_persons_own() -> None:
    assert only_event("contact").contact == SharedContact("+79990000000", "Анна")
    assert only_event("contact_with_avatar").contact == SharedContact("+79990000000", "Anna")


def test_a_contact_without_a_number_is_none() -> None:
    assert only_event("contact_without_number").contact is None


@pytest.mark.parametrize("name", ["nameless", "text_unnamed", "conversation_started_nameless"])
def test_somebody_who_does_not_tell_a_name_has_none(name: str) -> None:
    assert only_event(name).person == Person()


@pytest.mark.parametrize(
    ("name", "start", "needs_welcome"),
    [
        ("conversation_started", "", True),
        ("conversation_started_by_link", "cook-2026_1", False),
        ("conversation_started_again", "", False),
        ("conversation_started_again_by_link", "cook-2026_1", False),
    ],
)
def test_who_opens_the_chat_is_to_be_welcomed_and_only_a_link_begins_anew(
    name: str, start: str, *, needs_welcome: bool
) -> None:
    assert only_event(name) == ConversationStarted(
        id=token(name), occurred_at=SENT_AT, person=PERSON, payload=start, only_opens=not start
    )
    assert parse(name).wants_welcome
    assert parse(name).needs_welcome is needs_welcome


@pytest.mark.parametrize("name", ["subscribed", "subscribed_again"])
def test_who_subscribes_opens_the_chat_or_opens_it_again(name: str) -> None:
    opened, again = parse(name).events
    assert {opened.chat_id, again.chat_id} == {CHAT}
    assert opened.event == ConversationStarted(
        id=token(name), occurred_at=SENT_AT, person=PERSON, only_opens=True
    )
    assert again.event == ChatUnblocked(id=token(name), occurred_at=SENT_AT, person=PERSON)
    assert not parse(name).wants_welcome


def test_who_unsubscribes_cannot_be_written_to() -> None:
    assert only_event("unsubscribed") == ChatBlocked(
        id=token("unsubscribed"), occurred_at=SENT_AT, reason="unsubscribed"
    )


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("delivered", "delivered", ""),
        ("seen", "read", ""),
        ("failed", "failed", "failure description"),
        ("failed_without_words", "failed", ""),
    ],
)
def test_a_receipt_names_the_message_by_its_token(name: str, status: Any, reason: str) -> None:
    receipt = Receipt(status, SENT_AT, message_id=token(name), chat_id=CHAT, reason=reason)
    assert parse(name) == Parsed(receipts=(receipt,))


def test_what_failed_is_told_without_what_was_said() -> None:
    callback = {**payload("viber", "failed"), "desc": "Text 'my secret' is " + "too long " * 100}
    (receipt,) = ADAPTER.parse(callback, CREDENTIAL, RECEIVED_AT).receipts
    assert receipt.reason.startswith("Text … is too long")
    assert len(receipt.reason) <= 200


def test_receipts_of_several_devices_are_alike_but_for_their_time() -> None:
    (first,), (second,) = parse("delivered").receipts, parse("delivered_to_another_device").receipts
    assert first.at < second.at
    assert msgspec.structs.replace(second, at=first.at) == first


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("webhook", "webhook"),
        ("client_status", "client_status"),
        ("action", "action"),
        ("unheard_of", "unknown"),
        ("in_a_group", "group"),
        ("delivered_in_a_group", "group"),
    ],
)
def test_what_is_no_word_of_a_person_to_the_bot_is_ignored(name: str, reason: str) -> None:
    assert parse(name) == Parsed(ignored=(reason,))


@pytest.mark.parametrize("name", payload_names("viber"))
def test_every_payload_is_an_event_a_receipt_or_ignored(name: str) -> None:
    parsed = parse(name)
    is_ignored = bool(parsed.ignored) and name != "unheard_of_content"
    assert [bool(parsed.events), bool(parsed.receipts), is_ignored].count(True) == 1


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
        pytest.param(without("unsubscribed", "user_id"), id="left by nobody"),
        pytest.param(without("seen", "message_token"), id="a receipt for nothing"),
        pytest.param({**payload("viber", "text"), "message_token": "1"}, id="a token that is text"),
        pytest.param({**payload("viber", "text"), "message_token": 4.9e18}, id="a token without its digits"),
        pytest.param({**payload("viber", "text"), "message_token": 10**40}, id="a token beyond all numbers"),
        pytest.param({**payload("viber", "text"), "message_token": -1}, id="a token below them"),
        pytest.param({**payload("viber", "text"), "sender": {"id": ""}}, id="an empty id"),
        pytest.param({**payload("viber", "text"), "sender": {"id": "x" * 257}}, id="an id without end"),
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


JPG, PNG = "https://a.io/menu.jpg", "https://a.io/p/2.PNG?v=1#top"
MP4 = "https://a.io/tour.mp4"
YES = (Button("Yes", "p:1"),)


def image(url: str = JPG) -> Media:
    return Media("image", url)


def outline(content: Any) -> tuple[Any, ...]:
    """What is shown and how, without what all requests have."""
    buttons = content.get("keyboard", {}).get("Buttons", ())
    shown = (content["type"], content.get("text"), content.get("media"), *(b["Text"] for b in buttons))
    return tuple(each for each in shown if each is not None)


FILES: list[Any] = [
    pytest.param(Message("Menu", media=(image(),)), [("picture", "Menu", JPG)], (), id="a picture"),
    pytest.param(Message("", media=(image(PNG),)), [("picture", "", PNG)], (), id="a picture alone"),
    pytest.param(
        Message("Menu?", media=(image(),), buttons=YES),
        [("picture", "Menu?", JPG, "Yes")],
        (),
        id="a picture above buttons",
    ),
    pytest.param(
        Message("", media=(image(),), buttons=YES), [("picture", "", JPG, "Yes")], (), id="only with buttons"
    ),
    pytest.param(
        Message("Both", media=(image(), image(PNG))),
        [("picture", "", JPG), ("picture", "Both", PNG)],
        (),
        id="two pictures",
    ),
    pytest.param(
        Message("a" * 512, media=(image(),)), [("picture", "a" * 512, JPG)], (), id="the longest caption"
    ),
    pytest.param(
        Message("a" * 513, media=(image(),), buttons=YES),
        [("picture", "", JPG), ("text", "a" * 513, "Yes")],
        (),
        id="more than a caption",
    ),
    pytest.param(
        Message("😀" * 257, media=(image(),)),
        [("picture", "", JPG), ("text", "😀" * 257)],
        (),
        id="more than a caption in UTF-16",
    ),
    pytest.param(
        Message("Menu", (Span(0, 4, "bold"),), media=(image(),)),
        [("picture", "", JPG), ("text", "*Menu*")],
        (),
        id="a style, which no caption surely shows",
    ),
    pytest.param(
        Message("See https://a.io", media=(image(),)),
        [("picture", "", JPG), ("text", "See https://a.io")],
        (),
        id="a link, which no caption surely has",
    ),
    pytest.param(
        Message("Tour", media=(Media("video", MP4),)),
        [("text", f"Tour\n\n{MP4}")],
        ("media_as_links",),
        id="a video of unknown size",
    ),
    pytest.param(
        Message("", media=(Media("video", MP4),), buttons=YES),
        [("url", MP4, "Yes")],
        ("media_as_links",),
        id="a video without a word",
    ),
    pytest.param(
        Message(
            " ", media=(image(), Media("file", "https://a.io/a.pdf"), Media("audio", "https://a.io/a.mp3"))
        ),
        [("picture", "", JPG), ("url", "https://a.io/a.pdf"), ("url", "https://a.io/a.mp3")],
        ("media_as_links",),
        id="a picture and files without a word",
    ),
    pytest.param(
        Message("Menu", media=(image(), Media("video", MP4))),
        [("picture", "", JPG), ("text", f"Menu\n\n{MP4}")],
        ("media_as_links",),
        id="a picture and a video",
    ),
    *(
        pytest.param(
            Message("Menu", media=(image(url),)), [("text", f"Menu\n\n{url}")], ("media_as_links",), id=why
        )
        for url, why in [
            ("https://a.io/menu.gif", "a GIF, which may be animated"),
            ("https://a.io/menu", "an address without an end"),
            ("https://a.io/.jpg", "an address of nothing but its end"),
            ("https://a.io/menu?f=a.jpg", "an end in the query"),
            ("https://a.io.jpg", "an end of the host"),
            ("https://a.io/меню.jpg", "an address that is not plain"),
            ("https://a.io/_a_*b*", "an address that looks like markup"),
            ("https://a.io/" + "x" * 2000 + ".jpg", "an address beyond 2000 characters"),
        ]
    ),
    pytest.param(
        Message("", media=(Media("file", "https://a.io/" + "x" * 2000),)),
        [("text", "https://a.io/" + "x" * 2000)],
        ("media_as_links",),
        id="an address too long for a message of its own",
    ),
    pytest.param(
        Message("Menu", media=(Media("image", media_id="m1"),)),
        [("text", "Menu")],
        ("media_gone",),
        id="a file without an address",
    ),
    pytest.param(
        Message("", media=(Media("image", media_id="m1"),)),
        [],
        ("media_gone", "empty_text"),
        id="nothing but that",
    ),
    pytest.param(
        Message("", media=(Media("video", MP4),), buttons=(Button("Site", url="https://a.io/" + "x" * 99),)),
        [("text", f"{MP4}\n\nSite: https://a.io/" + "x" * 99)],
        ("media_as_links", "links_as_text"),
        id="a file beside what has to be written out",
    ),
    pytest.param(
        Message(
            "Which?", media=(image(),), buttons=(Button("Tea", "p:0"), Button("Done", "p:1")), several=True
        ),
        [("picture", "Which?\n\n1. Tea", JPG)],
        ("choices_as_text",),
        id="numbers in a caption",
    ),
    pytest.param(
        Message(
            "x" * 500, media=(image(),), buttons=tuple(Button("\x01" * 250, f"p:{n}") for n in range(12))
        ),
        [("picture", "x" * 500, JPG, *["\x01" * 250] * 12)],
        (),
        id="the largest keyboard",
    ),
]


@pytest.mark.parametrize(("message", "shown", "degradations"), FILES)
def test_a_file_is_shown_as_well_as_viber_can(
    message: Message, shown: list[Any], degradations: tuple[str, ...]
) -> None:
    assert [outline(content) for content in bodies(message)] == shown
    assert render(message).degradations == degradations


def test_a_picture_that_viber_cannot_have_is_its_words_and_address_instead() -> None:
    (request,) = render(Message("Menu?", media=(image(),), buttons=YES)).requests
    assert request.instead is not None
    assert (request.instead.url, request.instead.headers) == (request.url, request.headers)
    assert request.instead.json == {
        **{name: request.json[name] for name in ("receiver", "sender", "keyboard")},
        "type": "text",
        "text": f"Menu?\n\n{JPG}",
    }


def test_a_picture_without_words_is_its_address_instead() -> None:
    (request,) = render(Message("", media=(image(),))).requests
    assert request.instead is not None
    assert request.instead.json["text"] == JPG


LIBRARY = "https://cdn.io/media/m/k/"
TOUR = Media("video", LIBRARY + "tour.mp4", "m", "tour.mp4", "video/mp4", 900_000, duration_seconds=12.4)
NO_FILES: list[tuple[dict[str, Any], str]] = [
    ({"size": 50_000_001}, "a file too large"),
    ({"size": 0}, "a file of unknown size"),
    ({"file_name": "setup.EXE"}, "a file that viber does not pass on"),
    ({"file_name": "menu"}, "a name without an end"),
    ({"file_name": "..."}, "nothing but dots"),
    ({"file_name": "m" * 253 + ".pdf"}, "a name too long"),
]
PDF = Media("file", LIBRARY + "menu.pdf", "m", "menu.pdf", "application/pdf", 88_000)


@pytest.mark.parametrize(
    ("file", "shown", "degradations"),
    [
        pytest.param(TOUR, {"type": "video", "size": 900_000, "duration": 12}, (), id="a video"),
        pytest.param(
            replace(TOUR, duration_seconds=0), {"type": "video", "size": 900_000}, (), id="of unknown length"
        ),
        pytest.param(
            replace(TOUR, duration_seconds=181),
            {"type": "file", "size": 900_000, "file_name": "tour.mp4"},
            ("media_as_file",),
            id="a video too long",
        ),
        pytest.param(
            replace(TOUR, size=26_000_001),
            {"type": "file", "size": 26_000_001, "file_name": "tour.mp4"},
            ("media_as_file",),
            id="a video too large",
        ),
        pytest.param(PDF, {"type": "file", "size": 88_000, "file_name": "menu.pdf"}, (), id="a file"),
        pytest.param(
            replace(PDF, type="audio", content_type="audio/mpeg", file_name="song.mp3"),
            {"type": "file", "size": 88_000, "file_name": "song.mp3"},
            ("media_as_file",),
            id="a sound",
        ),
        pytest.param(
            Media("image", LIBRARY + "menu.jpg", "m", "menu.jpg", "image/jpeg", 1_000_001),
            {"type": "file", "size": 1_000_001, "file_name": "menu.jpg"},
            ("media_as_file",),
            id="a picture too large",
        ),
        pytest.param(
            Media("image", LIBRARY + "menu.gif", "m", "menu.gif", "image/gif", 1_000),
            {"type": "file", "size": 1_000, "file_name": "menu.gif"},
            ("media_as_file",),
            id="a GIF, which may be animated",
        ),
        *(
            pytest.param(replace(PDF, **changed), {"type": "url"}, ("media_as_links",), id=why)
            for changed, why in NO_FILES
        ),
    ],
)
def test_a_file_of_the_library_is_shown_as_what_viber_can_show(
    file: Media, shown: dict[str, Any], degradations: tuple[str, ...]
) -> None:
    content = dict(body(Message("", media=(file,))))
    assert content.pop("media") == file.url
    assert {name: content[name] for name in content if name not in ("receiver", "sender")} == shown
    assert render(Message("", media=(file,))).degradations == degradations


def test_words_and_buttons_are_behind_a_video_and_the_address_can_take_its_place() -> None:
    video, words = render(Message("Tour", media=(TOUR,), buttons=YES)).requests
    assert outline(video.json) == ("video", TOUR.url)
    assert outline(words.json) == ("text", "Tour", "Yes")
    assert video.instead is not None
    assert outline(video.instead.json) == ("text", TOUR.url)


@pytest.mark.parametrize("media", [(), (image(),)], ids=["words", "a picture"])
def test_for_an_old_app_there_is_the_same_without_the_button_to_share(media: tuple[Media, ...]) -> None:
    message = Message("Your number?", media=media, buttons=(Button("Here", share="phone"), *YES))
    (request,) = render(message).requests
    assert request.for_old_apps is not None
    assert outline(request.for_old_apps.json)[-1] == "Yes"
    assert "min_api_version" not in request.for_old_apps.json
    if media:
        assert request.instead is not None
        assert request.instead.for_old_apps is not None
        assert outline(request.instead.for_old_apps.json) == ("text", f"Your number?\n\n{JPG}", "Yes")


def test_for_an_old_app_a_lonely_button_to_share_leaves_no_keyboard() -> None:
    (request,) = render(Message("Your number?", buttons=(Button("Here", share="phone"),))).requests
    assert request.for_old_apps is not None
    assert "keyboard" not in request.for_old_apps.json
    (plain,) = render(Message("Which?", buttons=YES)).requests
    assert plain.for_old_apps is None


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (Message("Hi", media=(image(),), buttons=YES), ("picture", "Hi", JPG, "Yes")),
        (Message("Hi", media=(image(), image(PNG)), buttons=YES), ("text", f"Hi\n\n{JPG}\n{PNG}", "Yes")),
        (Message("a" * 600, media=(image(),)), ("text", "a" * 600 + f"\n\n{JPG}")),
        (Message("", media=(Media("video", MP4),)), ("url", MP4)),
        (Message("", media=(Media("video", media_id="m1"),)), ("text", "…")),
    ],
)
def test_a_welcome_with_files_is_one_message_nevertheless(message: Message, shown: tuple[str, ...]) -> None:
    assert outline(ADAPTER.welcome(message, CREDENTIAL)) == shown


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


@pytest.mark.parametrize("url", ["intranet", "https://a.io/" + "x" * 88, "https://a.io/" + "я" * 44])
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


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("я" * 7000, 1, id="7000 characters of two bytes"),
        pytest.param("ก" * 7000, 1, id="of three"),
        pytest.param("😀" * 3500, 1, id="7000 units of UTF-16"),
        pytest.param("😀" * 3501, 2, id="one more"),
        pytest.param("\x01" * 7000, 2, id="42 kB of JSON"),
        pytest.param("words " * 5600, 5, id="33600 characters, parted between words"),
    ],
)
def test_a_text_is_split_by_its_length_in_utf_16_and_in_bytes(text: str, parts: int) -> None:
    requests = render(Message(text)).requests
    assert len(requests) == parts
    assert "".join(request.json["text"] for request in requests) == text
    assert all(len(msgspec.json.encode(request.json)) <= 30_000 for request in requests)


def test_a_message_without_words_is_not_sent() -> None:
    assert render(Message(" \n")) == Rendered((), ("empty_text",))
    assert render(Message("\u200d" * 9000)) == Rendered((), ("empty_text",))


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
    ("token", "message_id"),
    [
        (98765432109876543210, "98765432109876543210"),
        ("5741", "5741"),
        (5.7e18, ""),
        (True, ""),
        (None, ""),
        (10**40, ""),
    ],
)
def test_a_message_is_known_by_all_digits_of_its_token_or_not_at_all(token: Any, message_id: str) -> None:
    delivery = ADAPTER.interpret(response(200, {"status": 0, "message_token": token}))
    assert delivery == Delivery(Outcome.SENT, message_id)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((n, Outcome.CREDENTIAL_BAD) for n in (2, 7, 8, 9, 10, 15)),
        *((n, Outcome.RECIPIENT_GONE) for n in (5, 6)),
        (1, Outcome.MEDIA_FAILED),
        (13, Outcome.APP_TOO_OLD),
        *((n, Outcome.BAD_PAYLOAD) for n in (3, 4, 11, 14, 16, 17, 18, 19, 20, 21, 22)),
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
        (408, Outcome.RETRY),
        (413, Outcome.BAD_PAYLOAD),
        (429, Outcome.BOT_LIMITED),
        (500, Outcome.RETRY),
        (502, Outcome.RETRY),
        (302, Outcome.RETRY),
    ],
)
def test_an_error_of_http_is_sorted_by_it(status: int, outcome: Outcome) -> None:
    assert ADAPTER.interpret(Response(status, b"<html>")) == Delivery(outcome, reason=str(status))


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"{}", b'{"status": "0"}', b'{"status": false}', b'{"status": 0.0}']
)
def test_an_answer_that_cannot_be_read_is_tried_again(content: bytes) -> None:
    assert ADAPTER.interpret(Response(200, content)).outcome is Outcome.RETRY


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(
    status=st.sampled_from([200, 200, 204, 400, 429, 500]),
    content=st.dictionaries(
        st.sampled_from(["status", "status_message", "message_token", "failed_list"]), anything
    ).map(msgspec.json.encode)
    | st.binary(max_size=50),
    wait=st.none() | st.text(max_size=10) | st.integers().map(str),
)
def test_any_answer_at_all_has_an_outcome(status: int, content: bytes, wait: str | None) -> None:
    delivery = ADAPTER.interpret(Response(status, content, {"retry-after": wait} if wait else {}))
    assert delivery.outcome in Outcome
    assert len(delivery.reason) <= 200
    assert delivery.retry_after_seconds is None or delivery.retry_after_seconds >= 0


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
