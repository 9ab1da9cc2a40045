from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.dialog.messages import Button, Media, Message, Span, Template
from shared.platforms.base import Delivery, Outcome, Rendered, Request, Response
from shared.platforms.whatsapp import WhatsAppAdapter
from tests.platforms.cases import DELIVERY_ID, SETTINGS, credential
from tests.standins.server import Incoming
from tests.standins.whatsapp import WhatsAppStandIn

OUTBOUND = Path(__file__).parent / "outbound" / "whatsapp"
ADAPTER = WhatsAppAdapter("https://whatsapp.test/", "v25.0")
CREDENTIAL = credential("whatsapp")
CHAT = "16505551234"


def render(message: Message, chat_id: str = CHAT) -> Rendered:
    return ADAPTER.render(message, chat_id, CREDENTIAL, DELIVERY_ID)


def bodies(message: Message) -> list[Any]:
    return [request.json for request in render(message).requests]


def text(message: Message) -> str:
    (only,) = bodies(message)
    body: str = only["text"]["body"]
    return body


def interactive(message: Message) -> Any:
    (only,) = bodies(message)
    assert only["type"] == "interactive"
    return only["interactive"]


def choices(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label, f"p:{n}") for n, label in enumerate(labels))


def test_a_place_is_asked_for_by_whatsapps_own_request() -> None:
    message = Message("Where are you?", buttons=(Button("Here", share="location"),))
    assert interactive(message) == {
        "type": "location_request_message",
        "body": {"text": "Where are you?"},
        "action": {"name": "send_location"},
    }
    assert render(message).degradations == ()


HERE, PHONE = Button("Here", share="location"), Button("My number", share="phone")
SITE = Button("Site", url="https://a.io")


@pytest.mark.parametrize(
    ("buttons", "kind", "degradations"),
    [
        pytest.param((PHONE,), "request_contact_info", (), id="a phone"),
        pytest.param((*choices("Skip"), HERE), "button", ("share_dropped",), id="a choice before a place"),
        pytest.param(
            (HERE, SITE), "location_request_message", ("links_as_text",), id="a place before a link"
        ),
        pytest.param((PHONE, SITE), "request_contact_info", ("links_as_text",), id="a phone before a link"),
        pytest.param(
            (HERE, PHONE), "location_request_message", ("share_dropped",), id="the first of two requests"
        ),
        pytest.param(
            (*choices(*"abcdefghijk"), HERE),
            "location_request_message",
            ("choices_as_text",),
            id="a place beside many choices",
        ),
    ],
)
def test_a_message_has_buttons_of_one_kind(
    buttons: tuple[Button, ...], kind: str, degradations: tuple[str, ...]
) -> None:
    rendered = render(Message("Where?", buttons=buttons))
    (request,) = rendered.requests
    assert request.json.get("interactive", {"type": "text"})["type"] == kind
    assert rendered.degradations == degradations


def test_several_choices_are_numbered_without_the_one_that_finishes() -> None:
    tea, *others = choices("Tea", "Coffee", "Done")
    message = Message("Which?", buttons=(replace(tea, selected=True), *others), several=True)
    assert text(message) == "Which?\n\n1. ✓ Tea\n2. Coffee"
    assert render(message).degradations == ("choices_as_text",)


def test_what_should_take_a_messages_place_is_sent_anew() -> None:
    message = Message("Tea it is", replaces="wamid.1")
    assert text(message) == "Tea it is"
    assert render(message).degradations == ("sent_anew",)


def test_the_address_of_what_cannot_be_shown_is_written_below_the_text_and_is_no_markup() -> None:
    address = "https://a.io/_a_*b*" + "x" * 2000
    message = Message("Our menu", (Span(0, 3, "bold"),), media=(Media("image", address),))
    assert text(message) == f"*Our* menu\n\n{address}"
    assert render(message).degradations == ("media_as_links",)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.io/b/c.pdf", "c.pdf"),
        ("https://a.io/c%20d.pdf?e=f.g#h.i", "c d.pdf"),
        ("https://a.io/%D1%8F.pdf", "я.pdf"),
        ("https://a.io/%FF%0A.pdf", "\ufffd .pdf"),
        ("https://a.io/..%2F..%5Cc.pdf", "c.pdf"),
        ("https://a.io/c%E2%80%AE%00.pdf", "c.pdf"),
        ("https://a.io/.pdf", None),
        ("https://a.io/c", None),
        ("https://a.io/", None),
        ("https://a.io", None),
        ("https://a.io?b=c.pdf", None),
        ("https://a.io/" + "c" * 240 + ".pdf", None),
    ],
)
def test_a_document_is_named_by_the_end_of_its_address(url: str, name: str | None) -> None:
    (body,) = bodies(Message("", media=(Media("file", url),)))
    assert body["document"].get("filename") == name


@pytest.mark.parametrize(
    "url", ["https://a.io/" + "x" * 2000 + ".jpg", "tg://a.io/x.jpg", "javascript:alert(1)"]
)
def test_what_whatsapp_could_not_fetch_is_not_sent_as_a_file(url: str) -> None:
    assert text(Message("See", media=(Media("image", url),))) == f"See\n\n{url}"


@pytest.mark.parametrize(
    ("kind", "end", "shown"),
    [
        ("image", "jpg", "image"),
        ("image", "PNG", "image"),
        ("image", "php?id=5", "image"),
        ("image", "webp", "document"),
        ("image", "GIF?x=1", "document"),
        ("video", "mp4", "video"),
        ("video", "mov", "document"),
        ("audio", "ogg", "audio"),
        ("audio", "wav", "document"),
        ("file", "gif", "document"),
    ],
)
def test_a_file_of_a_kind_that_is_not_shown_is_a_document(kind: Any, end: str, shown: str) -> None:
    rendered = render(Message("", media=(Media(kind, f"https://a.io/it.{end}"),)))
    assert rendered.requests[0].json["type"] == shown
    assert rendered.degradations == (("media_as_file",) if shown == "document" and kind != "file" else ())


VIDEO = Media("video", "https://a.io/it.mp4", "m", "a film.mp4", "video/mp4", 900_000, file_id="7788")


@pytest.mark.parametrize(
    ("changed", "shown", "degradations"),
    [
        pytest.param({}, "video", (), id="as it is"),
        pytest.param({"size": 16_000_001}, "document", ("media_as_file",), id="too large"),
        pytest.param({"content_type": "video/webm"}, "document", ("media_as_file",), id="of another kind"),
        pytest.param({"content_type": "video/3gpp; x=y"}, "video", (), id="of a kind with parameters"),
        pytest.param({"size": 100_000_001}, "text", ("media_as_links",), id="too large altogether"),
        pytest.param({"type": "image", "content_type": "image/png"}, "image", (), id="a picture"),
        pytest.param({"type": "audio", "content_type": "audio/ogg; codecs=opus"}, "audio", (), id="a voice"),
    ],
)
def test_a_file_of_the_library_is_shown_as_what_whatsapp_can_show(
    changed: dict[str, Any], shown: str, degradations: tuple[str, ...]
) -> None:
    rendered = render(Message("", media=(replace(VIDEO, **changed),)))
    (request,) = rendered.requests
    assert request.json["type"] == shown
    assert rendered.degradations == degradations
    if shown != "text":
        named = {"filename": "a film.mp4"} if shown == "document" else {}
        assert request.json[shown] == {"id": "7788", **named}
        assert request.instead is not None
        assert request.instead.json["text"] == {"body": VIDEO.url}


@pytest.mark.parametrize("text", ["Look", ""])
def test_without_an_address_only_words_can_go_in_the_place_of_a_file(text: str) -> None:
    (request,) = render(Message(text, media=(replace(VIDEO, url=""),))).requests
    assert request.json["video"]["id"] == "7788"
    assert (request.instead.json["text"] if request.instead else {}) == ({"body": text} if text else {})


def test_a_file_that_whatsapp_knows_stands_above_buttons() -> None:
    (request,) = render(Message("Look", media=(VIDEO,), buttons=(Button("Yes", "p:1"),))).requests
    assert request.json["interactive"]["header"] == {"type": "video", "video": {"id": "7788"}}


def outbound(name: str) -> Any:
    return json.loads((OUTBOUND / f"{name}.json").read_text("utf-8"))


def said(requests: Iterable[Request | None]) -> list[Any]:
    """What the requests say, without whom it goes to."""
    envelope = {"messaging_product", "recipient_type", "to", "biz_opaque_callback_data"}
    whole = [json.loads(msgspec.json.encode(request.json)) for request in requests if request]
    return [{key: body[key] for key in body if key not in envelope} for body in whole]


@pytest.mark.parametrize("name", sorted(path.stem for path in OUTBOUND.glob("*.json")))
def test_a_message_is_said_as_written_down(name: str) -> None:
    expected = outbound(name)
    rendered = render(msgspec.convert(expected["message"], Message))
    assert said(rendered.requests) == expected["requests"]
    assert said(request.instead for request in rendered.requests) == expected.get("instead", [])
    assert list(rendered.degradations) == expected.get("degradations", [])


@pytest.mark.parametrize("name", sorted(path.stem for path in OUTBOUND.glob("*.json")))
def test_what_is_written_down_is_taken(name: str) -> None:
    rendered = render(msgspec.convert(outbound(name)["message"], Message))
    given = [each for request in rendered.requests for each in (request, request.instead) if each]
    assert [sent(request).outcome for request in given] == [Outcome.SENT] * len(given)


def sent(
    request: Request,
    *,
    is_late: bool = False,
    approved: Sequence[tuple[str, str, int]] = (),
    unreachable: Sequence[str] = (),
) -> Delivery:
    """What our own WhatsApp makes of it: at once, or a day after the person wrote."""
    settings = SETTINGS["whatsapp"]
    messenger = WhatsAppStandIn(settings["access_token"], phone_number_id=settings["phone_number_id"])
    messenger.person("", number=CHAT).wrote()
    messenger.pass_time(hours=24 if is_late else 0)
    messenger.unreachable.update(unreachable)
    for name, language, parameters in approved:
        messenger.approve(name, language, parameters)
    return taken(messenger, request)


def taken(messenger: WhatsAppStandIn, request: Request) -> Delivery:
    headers = {"content-type": "application/json", **request.headers}
    path = request.url.removeprefix("https://whatsapp.test")
    answer = messenger.handle(Incoming("POST", path, {}, headers, msgspec.json.encode(request.json)))
    assert answer is not None
    return ADAPTER.interpret(Response(answer.status, answer.body, answer.headers))


def test_where_a_file_cannot_be_had_its_address_can_be_sent() -> None:
    url = "https://a.io/menu.jpg"
    (request,) = render(Message("Our menu", media=(Media("image", url),))).requests
    assert sent(request, unreachable=[url]).outcome is Outcome.MEDIA_FAILED
    assert request.instead is not None
    assert sent(request.instead, unreachable=[url]).outcome is Outcome.SENT


@pytest.mark.parametrize("words", ["Our menu", ""])
@pytest.mark.parametrize("buttons", [(), (Button("Yes", "p:1"),)], ids=["alone", "above buttons"])
@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("image", "image/png"), ("video", "video/mp4"), ("audio", "audio/ogg"), ("file", "application/pdf")],
)
def test_a_file_that_whatsapp_has_is_shown_by_its_id_until_it_has_it_no_more(
    kind: Any, content_type: str, buttons: tuple[Button, ...], words: str
) -> None:
    messenger = WhatsAppStandIn(SETTINGS["whatsapp"]["access_token"])
    messenger.person("", number=CHAT).wrote()
    file_id = messenger.receive(b"a file", content_type)
    file = Media(kind, "https://a.io/a", "m", "a.pdf", content_type, 6, file_id=file_id)
    requests = render(Message(words, media=(file,), buttons=buttons)).requests
    assert {taken(messenger, request).outcome for request in requests} == {Outcome.SENT}
    messenger.files.clear()
    assert taken(messenger, requests[0]).outcome is Outcome.MEDIA_FAILED


# ── Templates ────────────────────────────────────────────────────────────────────────────────────────

REMINDER = Message("Are you there?", template=Template("still_there", "en", ("Anna", " the\n kitchen ", "")))


def template_of(message: Message) -> Any:
    rendered = ADAPTER.render_template(message, CHAT, CREDENTIAL, DELIVERY_ID)
    assert rendered is not None
    assert rendered.degradations == ("sent_as_template",)
    (request,) = rendered.requests
    return request


def test_a_template_is_filled_in_with_words_in_one_line() -> None:
    assert template_of(REMINDER).json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CHAT,
        "biz_opaque_callback_data": DELIVERY_ID,
        "type": "template",
        "template": {
            "name": "still_there",
            "language": {"code": "en"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": words} for words in ("Anna", "the kitchen", "…")],
                }
            ],
        },
    }


def test_a_template_without_parameters_has_no_components_and_its_language_an_underscore() -> None:
    request = template_of(Message("Hi", template=Template("hello", "pt-BR")))
    assert request.json["template"] == {"name": "hello", "language": {"code": "pt_BR"}}


def test_a_message_without_a_template_has_none() -> None:
    assert ADAPTER.render_template(Message("Hi"), CHAT, CREDENTIAL, DELIVERY_ID) is None


@pytest.mark.parametrize(
    ("approved", "outcome"),
    [
        pytest.param(("still_there", "en", 3), Outcome.SENT, id="as it is"),
        pytest.param(("still_there", "en", 2), Outcome.BAD_PAYLOAD, id="with fewer parameters"),
        pytest.param(("still_there", "de", 3), Outcome.BAD_PAYLOAD, id="in another language"),
    ],
)
def test_a_day_later_only_an_approved_template_is_taken(
    approved: tuple[str, str, int], outcome: Outcome
) -> None:
    (plain,) = render(REMINDER).requests
    assert sent(plain, is_late=True).outcome is Outcome.WINDOW_CLOSED
    assert sent(template_of(REMINDER), is_late=True, approved=[approved]).outcome is outcome


# ── Choices ──────────────────────────────────────────────────────────────────────────────────────────


def test_up_to_three_short_choices_are_reply_buttons() -> None:
    assert interactive(Message("Position?", buttons=choices("Food Guide", "Cook", "x" * 20))) == {
        "type": "button",
        "body": {"text": "Position?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "p:0", "title": "Food Guide"}},
                {"type": "reply", "reply": {"id": "p:1", "title": "Cook"}},
                {"type": "reply", "reply": {"id": "p:2", "title": "x" * 20}},
            ]
        },
    }
    assert render(Message("Position?", buttons=choices("Cook"))).degradations == ()


def test_four_choices_become_a_list() -> None:
    message = Message("Which?", buttons=choices("a", "b", "c", "d"))
    assert interactive(message) == {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {
            "button": "Choose",
            "sections": [{"rows": [{"id": f"p:{n}", "title": title} for n, title in enumerate("abcd")]}],
        },
    }
    assert render(message).degradations == ("choices_as_list",)


def test_a_choice_longer_than_a_button_makes_a_list_with_the_whole_label_below_the_title() -> None:
    label = "Master of the second kitchen"
    message = Message("Which?", buttons=choices(label, "Cook", "L" * 80))
    assert interactive(message)["action"]["sections"][0]["rows"] == [
        {"id": "p:0", "title": "Master of the second ki…", "description": label},
        {"id": "p:1", "title": "Cook"},
        {"id": "p:2", "title": "L" * 23 + "…", "description": "L" * 71 + "…"},
    ]
    assert render(message).degradations == ("choices_as_list", "label_cut")


@pytest.mark.parametrize(
    ("question", "opener"),
    [("Which?", "Choose"), ("Какая?", "Выбрать"), ("Який із них?", "Обрати"), ("?", "Choose")],
)
def test_a_list_is_opened_in_the_letters_of_the_message(question: str, opener: str) -> None:
    assert interactive(Message(question, buttons=choices(*"abcd")))["action"]["button"] == opener
    assert interactive(Message("", buttons=choices(question, *"abcd")))["action"]["button"] == opener


def test_labels_that_would_be_alike_are_numbered() -> None:
    message = Message("?", buttons=choices("Yes", "yes", "YES"))
    titles = [b["reply"]["title"] for b in interactive(message)["action"]["buttons"]]
    assert titles == ["Yes", "yes (2)", "YES (3)"]
    assert render(message).degradations == ("label_numbered",)


def test_rows_that_begin_alike_are_numbered() -> None:
    message = Message("?", buttons=choices(*(f"The very same beginning, {n}" for n in "abcd")))
    titles = [row["title"] for row in interactive(message)["action"]["sections"][0]["rows"]]
    assert titles == [
        "The very same beginning…",
        "The very same begin… (2)",
        "The very same begin… (3)",
        "The very same begin… (4)",
    ]


def test_more_than_ten_choices_become_numbered_text() -> None:
    message = Message("Which?", buttons=choices(*(f"Choice {n}" for n in range(1, 12))))
    assert text(message).startswith("Which?\n\n1. Choice 1\n2. Choice 2\n")
    assert text(message).endswith("\n11. Choice 11")
    assert render(message).degradations == ("choices_as_text",)


def test_a_single_link_is_a_link_button() -> None:
    message = Message("See", buttons=(Button("Our site with everything", url="https://a.io/x"),))
    assert interactive(message) == {
        "type": "cta_url",
        "body": {"text": "See"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Our site with every…", "url": "https://a.io/x"},
        },
    }
    assert render(message).degradations == ("label_cut",)


@pytest.mark.parametrize(
    ("buttons", "written"),
    [
        pytest.param(
            (Button("A", url="https://a.io"), Button("B", url="https://b.io")),
            "See\n\nA: https://a.io\nB: https://b.io",
            id="two links",
        ),
        pytest.param((Button("A", url="intranet"),), "See\n\nA: intranet", id="not an address"),
        pytest.param(
            (Button("A", url="https://a.io/" + "x" * 2000),),
            "See\n\nA: https://a.io/" + "x" * 2000,
            id="too long",
        ),
    ],
)
def test_links_that_no_button_can_have_are_written_out(buttons: tuple[Button, ...], written: str) -> None:
    assert text(Message("See", buttons=buttons)) == written
    assert render(Message("See", buttons=buttons)).degradations == ("links_as_text",)


def test_a_link_beside_choices_is_written_out() -> None:
    message = Message("See", buttons=(Button("Yes", "p:1"), Button("Site", url="https://a.io")))
    assert interactive(message)["body"]["text"] == "See\n\nSite: https://a.io"
    assert len(interactive(message)["action"]["buttons"]) == 1


def test_a_long_text_goes_ahead_of_the_buttons_which_keep_its_end() -> None:
    question = "What is your position?"
    first, last = bodies(Message("слово " * 200 + "\n" + question, buttons=choices("Cook", "Guide")))
    assert (first["type"], first["text"]["body"]) == ("text", "слово " * 200 + "\n")
    assert (last["type"], last["interactive"]["body"]["text"]) == ("interactive", question)
    assert first["biz_opaque_callback_data"] == last["biz_opaque_callback_data"] == DELIVERY_ID


def test_a_long_text_without_buttons_is_split_between_words() -> None:
    long = "слово " * 1000
    first, second = bodies(Message(long))
    assert first["text"]["body"] + second["text"]["body"] == long
    assert render(Message(long)).degradations == ("text_split",)


def test_styles_are_markers() -> None:
    message = Message("bold it code", spans=(Span(0, 4, "bold"), Span(5, 7, "italic"), Span(8, 12, "code")))
    assert text(message) == "*bold* _it_ `code`"


def test_linked_words_are_followed_by_their_address() -> None:
    message = Message("Our site here", spans=(Span(4, 8, "link", "https://a_b.io/_c_"), Span(9, 13, "bold")))
    assert text(message) == "Our site (https://a_b.io/_c_) *here*"
    assert render(message).degradations == ("links_as_text",)


def test_a_style_that_markers_cannot_show_is_given_up() -> None:
    message = Message("unbold", spans=(Span(2, 6, "bold"),))
    assert (text(message), render(message).degradations) == ("unbold", ("styles_dropped",))


def test_a_message_without_words_is_not_sent() -> None:
    assert render(Message(" \n")) == Rendered((), ("empty_text",))
    assert render(Message("\u200d" * 5000)) == Rendered((), ("empty_text",))


def test_buttons_without_words_get_an_ellipsis_to_hang_on() -> None:
    message = Message("", buttons=choices("Yes"))
    assert interactive(message)["body"] == {"text": "…"}
    assert render(message).degradations == ("empty_text",)
