"""Whatever is to be said: Telegram gets nothing that it would refuse, and nothing said is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.dialog.messages import Media, Message
from shared.platforms.base import Rendered, Request
from shared.platforms.formatting import is_blank
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.aiogram_models import method_of, unknown_to_aiogram
from tests.platforms.cases import DELIVERY_ID, credential
from tests.platforms.strategies import about, addresses, any_text, library_files, messages, words

ADAPTER = TelegramAdapter()

thoroughly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

kinds = st.sampled_from(["image", "image", "video", "audio", "file"])
places = addresses | st.sampled_from(["", "https://a.io/a.gif"])
files = st.lists(st.builds(Media, kinds, places) | library_files, max_size=13).map(tuple)
texts = st.one_of(any_text, words, st.just(""), about(1024))


@st.composite
def with_files(draw: st.DrawFn) -> Message:
    message = draw(messages())
    text = draw(texts)
    spans = tuple(span for span in message.spans if span.end <= len(text))
    closes = draw(st.sampled_from(["", "120", "wamid.1"]))
    return replace(message, text=text, spans=spans, media=draw(files), closes=closes)


anything = messages() | with_files()


def render(message: Message) -> Rendered:
    return ADAPTER.render(message, "12345", credential("telegram"), DELIVERY_ID)


def method(request: Request) -> str:
    return request.url.rpartition("/")[2]


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def letters(text: str) -> str:
    """What can be seen of it."""
    return "".join(character for character in text if not is_blank(character))


def shown(request: Request) -> Iterator[Any]:
    """What a request shows, message by message."""
    yield from request.json.get("media", [request.json])


def said(requests: list[Request]) -> str:
    items = [item for request in requests for item in shown(request)]
    return letters("".join(item.get("text", item.get("caption", "")) for item in items))


# ── Limits ───────────────────────────────────────────────────────────────────────────────────────────


@thoroughly
@given(anything)
def test_no_call_breaks_a_limit(message: Message) -> None:
    for request in render(message).requests:
        assert_fits(request)
        if request.instead is not None:
            assert_fits(request.instead)


def assert_fits(request: Request) -> None:
    for item in shown(request):
        assert_text_fits(item.get("text", "-"), item.get("entities", ()), 4096)
        assert_text_fits(item.get("caption", "-"), item.get("caption_entities", ()), 1024)
    if "media" in request.json:
        kinds = {item["type"] for item in request.json["media"]}
        assert 2 <= len(request.json["media"]) <= 10
        assert kinds <= {"photo", "video"} or len(kinds) == 1
        assert "reply_markup" not in request.json
    assert_markup_fits(request)
    assert_carries_what_it_shows(request)


def assert_carries_what_it_shows(request: Request) -> None:
    sources = sources_of(request)
    carried = [(part.place, f"attach://{part.part}") for part in request.attachments]
    assert carried == [(place, each) for place, each in enumerate(sources) if each.startswith("attach:")]
    assert all(part.storage_path and part.file_name for part in request.attachments)


def sources_of(request: Request) -> list[str]:
    """Where its files come from, in order."""
    names = ("photo", "animation", "video", "audio", "document", "media")
    return [item[name] for item in shown(request) for name in names if name in item]


def assert_text_fits(text: str, entities: list[Any], limit: int) -> None:
    assert letters(text)
    assert units(text) <= limit
    assert len(entities) <= 100
    for entity in entities:
        assert 0 <= entity["offset"] < entity["offset"] + entity["length"] <= units(text)


def assert_markup_fits(request: Request) -> None:
    markup = request.json.get("reply_markup", {"remove_keyboard": True})
    if markup == {"remove_keyboard": True}:
        assert method(request).startswith("send") or "reply_markup" not in request.json
        return
    kind = "keyboard" if "keyboard" in markup else "inline_keyboard"
    assert kind == "inline_keyboard" or method(request).startswith("send")
    buttons = [button for row in markup[kind] for button in row]
    assert 1 <= len(buttons) <= 100
    assert len(json.dumps(markup, ensure_ascii=False).encode()) <= 10_240
    for button in buttons:
        assert button["text"].strip()
        assert 1 <= len(button.get("callback_data", "x").encode()) <= 64
        assert kind == "keyboard" or ("url" in button) is not ("callback_data" in button)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything)
def test_every_call_is_one_that_aiogram_knows(message: Message) -> None:
    for request in render(message).requests:
        for each in (request, request.instead or request):
            model = method_of(each)
            assert unknown_to_aiogram(model) == []
            body = msgspec.json.decode(msgspec.json.encode(each.json))
            assert model.model_dump(mode="json", exclude_unset=True, warnings=False) == body


# ── Nothing is lost ──────────────────────────────────────────────────────────────────────────────────


@thoroughly
@given(anything)
def test_all_that_is_said_is_there_in_order(message: Message) -> None:
    message = replace(
        message, spans=tuple(span for span in message.spans if span.style != "link"), replaces=""
    )
    rendered = render(message)
    text = said(list(rendered.requests))
    assert text.startswith(letters(message.text)) or text == "…"
    if "choices_as_text" in rendered.degradations:
        choices = [button for button in message.buttons if button.data]
        for choice in choices[:-1] if message.several else choices:
            assert letters(choice.text) in text


@thoroughly
@given(with_files())
def test_every_file_is_shown_or_its_address_is_there(message: Message) -> None:
    message = replace(message, replaces="")
    requests = list(render(message).requests)
    shown_by = [source.partition("://file")[0] for request in requests for source in sources_of(request)]
    told = said(requests)
    for file in message.media:
        assert source_of(file) in shown_by or letters(file.url) in told
    assert shown_by == [source_of(file) for file in message.media if is_shown(file)]


def source_of(file: Media) -> str:
    return file.file_id or ("attach" if file.storage_path else file.url)


def is_shown(file: Media) -> bool:
    is_there = bool(file.file_id or file.storage_path or file.url.startswith("https://a.io"))
    is_there = is_there or file.url.startswith("https://cdn.io")
    return is_there and file.size <= 50_000_000


@thoroughly
@given(with_files())
def test_where_no_file_can_be_had_the_same_is_said_with_the_addresses(message: Message) -> None:
    for request in render(message).requests:
        if request.instead is None:
            continue
        told = said([request.instead])
        assert told.startswith(said([request]))
        fetched = [source for source in sources_of(request) if source.startswith("https:")]
        assert all(letters(address) in told for address in fetched)
        assert request.instead.json.get("reply_markup") == request.json.get("reply_markup") or (
            method(request) == "sendMediaGroup"
        )


@thoroughly
@given(anything)
def test_nothing_is_given_up_twice_or_without_a_word(message: Message) -> None:
    rendered = render(message)
    assert len(rendered.degradations) == len(set(rendered.degradations))
    nothing = [file for file in message.media if not (file.url or file.file_id or file.storage_path)]
    for word, is_so in [("media_gone", True), ("media_dropped", False)]:
        assert (word in rendered.degradations) is any(bool(file.media_id) is is_so for file in nothing)
    if not rendered.requests:
        assert rendered.degradations


# ── Styles ───────────────────────────────────────────────────────────────────────────────────────────


@thoroughly
@given(anything)
def test_every_style_is_on_its_own_words(message: Message) -> None:
    spans = tuple(span for span in message.spans if span.style != "link")
    items = [item for request in render(replace(message, spans=spans)).requests for item in shown(request)]
    styled = [(item, key) for item in items for key in ("entities", "caption_entities") if key in item]
    if not styled:
        return
    found = [list(styles_of(item, key)) for item, key in styled]
    if len([item for item in items if "text" in item]) <= 1:
        assert found == [[(s.style, message.text[s.start : s.end]) for s in spans if s.end > s.start]]


def styles_of(item: Any, key: str) -> Iterator[tuple[str, str]]:
    text = item["text" if key == "entities" else "caption"].encode("utf-16-le")
    for entity in item[key]:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        yield entity["type"], text[2 * start : 2 * end].decode("utf-16-le")
