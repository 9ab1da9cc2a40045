"""Whatever is to be said on WhatsApp: no request breaks a limit, nothing is lost, no file is all there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.dialog.messages import Button, Media, Message, Template
from shared.platforms.base import Request
from shared.platforms.formatting import utf16_length
from shared.platforms.whatsapp import WhatsAppAdapter
from tests.platforms.cases import DELIVERY_ID, credential
from tests.platforms.strategies import addresses, any_text, library_files, messages, words
from tests.platforms.test_limits import assert_said, render, thoroughly

WHATSAPP = WhatsAppAdapter()
CAPTIONED = ("image", "video", "document")
REQUESTS = ("location_request_message", "request_contact_info")

files = st.builds(
    Media,
    st.sampled_from(["image", "video", "audio", "file"]),
    addresses
    | st.sampled_from(["https://a.io/b%20c.pdf", "https://a.io/x.gif?y=1", "https://a.io/y.mov", ""]),
)


@st.composite
def with_files(draw: st.DrawFn) -> Message:
    """Any message, and any files with it."""
    message = draw(messages())
    return replace(message, media=tuple(draw(st.lists(files | library_files, max_size=4))))


def assert_fits(body: Any) -> None:
    kind = body["type"]
    assert set(body) == {
        *("messaging_product", "recipient_type", "to", "biz_opaque_callback_data", "type"),
        kind,
    }
    if kind == "text":
        assert 1 <= utf16_length(body["text"]["body"]) <= 4096
        assert body["text"]["body"].strip()
    elif kind == "interactive":
        assert_interactive_fits(body["interactive"])
    else:
        assert_file_fits(kind, body[kind])


def assert_file_fits(kind: str, file: Any) -> None:
    assert ("id" in file) is not ("link" in file)
    assert file.get("link", "https://").startswith("https://")
    assert len(file.get("link", "")) <= 2000
    assert kind in CAPTIONED or set(file) <= {"link", "id"}
    assert kind == "document" or "filename" not in file
    assert 1 <= utf16_length(file.get("caption", "-")) <= 1024
    assert 1 <= len(file.get("filename", "-")) <= 240


def assert_interactive_fits(interactive: Any) -> None:
    kind, action = interactive["type"], interactive["action"]
    assert 1 <= utf16_length(interactive["body"]["text"]) <= 1024
    assert interactive["body"]["text"].strip()
    if header := interactive.get("header"):
        assert kind in ("button", "cta_url")
        assert header["type"] in CAPTIONED
        assert_file_fits(header["type"], header[header["type"]])
    if kind in REQUESTS:
        assert set(action) == {"name"}
    elif kind == "cta_url":
        assert 1 <= len(action["parameters"]["display_text"]) <= 20
    else:
        assert_choices_fit(kind, action)


def assert_choices_fit(kind: str, action: Any) -> None:
    if kind == "button":
        rows, limit = [button["reply"] for button in action["buttons"]], 20
        assert 1 <= len(rows) <= 3
    else:
        (section,) = action["sections"]
        rows, limit = section["rows"], 24
        assert 1 <= len(rows) <= 10
        assert 1 <= len(action["button"]) <= 20
    assert all(1 <= len(row["title"].strip()) == len(row["title"]) <= limit for row in rows)
    assert all(1 <= len(row.get("description", "x")) <= 72 for row in rows)
    assert len({row["title"].casefold() for row in rows}) == len({row["id"] for row in rows}) == len(rows)


def files_of(body: Any) -> Iterator[Any]:
    content = body[body["type"]]
    shown = content.get("header", {"type": ""}) if body["type"] == "interactive" else body
    if shown["type"] in (*CAPTIONED, "audio"):
        yield shown[shown["type"]]


def words_of(body: Any) -> str:
    content = body[body["type"]]
    said: str = content["body"]["text"] if body["type"] == "interactive" else content.get("body", "")
    return said or content.get("caption", "")


def instead_of(request: Request) -> Any:
    return json.loads(msgspec.json.encode(request.instead.json)) if request.instead else None


@thoroughly
@given(with_files())
@example(Message("a" * 1025, buttons=(Button("Yes", "p:1"),)))
@example(Message("*" * 1024, media=(Media("image", "https://a.io/menu.jpg"),)))
def test_whatsapp_gets_nothing_it_would_refuse(message: Message) -> None:
    bodies, rendered = render(WHATSAPP, message)
    for body in bodies:
        assert_fits(body)
    shown = [file.get("id") or file["link"] for body in bodies for file in files_of(body)]
    written = tuple(media for media in message.media if (media.file_id or media.url) not in shown)
    texts = [text for body in bodies if (text := words_of(body))]
    assert_said(replace(message, media=written), texts, WHATSAPP.capabilities, rendered)


@thoroughly
@given(with_files())
def test_without_its_file_a_message_fits_and_says_the_same(message: Message) -> None:
    bodies, rendered = render(WHATSAPP, message)
    for body, request in zip(bodies, rendered.requests, strict=True):
        instead = instead_of(request)
        shown = [file.get("link") for file in files_of(body)]
        assert instead is not None or shown in ([], [None])
        assert instead is None or shown
        if instead:
            assert_fits(instead)
            assert not any(files_of(instead))
            assert words_of(instead).startswith(words_of(body))


@thoroughly
@given(st.lists(words | any_text, max_size=4))
def test_what_a_template_is_filled_with_is_words_in_one_line(parameters: list[str]) -> None:
    message = Message("Hi", template=Template("hello", "en-US", tuple(parameters)))
    rendered = WHATSAPP.render_template(message, "12345", credential("whatsapp"), DELIVERY_ID)
    assert rendered is not None
    components = rendered.requests[0].json["template"].get("components", [])
    filled = [each["text"] for component in components for each in component["parameters"]]
    assert len(filled) == len(parameters)
    for text in filled:
        assert 1 <= len(text) <= 1024
        assert text == " ".join(text.split())
