"""Whatever is to be said: no request breaks a limit of its messenger, and nothing said is lost."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.dialog.messages import Button, Media, Message
from shared.platforms.base import Capabilities, PlatformAdapter, Rendered, Request
from shared.platforms.formatting import is_blank, split, utf16_length
from shared.platforms.markup import HAIR_SPACE, WORD_JOINER, Markup, marked_up
from shared.platforms.viber import ViberAdapter
from tests.platforms.cases import DELIVERY_ID, credential
from tests.platforms.strategies import any_files, any_text, messages

VIBER = ViberAdapter()
WHATSAPP_MARKUP = Markup({"bold": "*", "italic": "_", "code": "`"}, has_lists=True)

thoroughly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def render(adapter: PlatformAdapter, message: Message) -> tuple[list[Any], Rendered]:
    rendered = adapter.render(message, "12345", credential(adapter.platform), DELIVERY_ID)
    return [json.loads(msgspec.json.encode(request.json)) for request in rendered.requests], rendered


def letters(text: str) -> str:
    """What a person reads of it, whatever stands between."""
    between = rf"[\s*_~`{HAIR_SPACE}{WORD_JOINER}]"
    return "".join(letter for letter in re.sub(between, "", text) if not is_blank(letter))


def assert_said(message: Message, texts: list[str], capabilities: Capabilities, rendered: Rendered) -> None:
    """All of the text is there in order, and what became text of the buttons is there too."""
    said = letters("".join(texts))
    linked = [span.url for span in message.spans if span.style == "link"]
    if not linked:
        assert said.startswith(letters(message.text)) or said == "…"
    if "choices_as_text" in rendered.degradations:
        choices = [button for button in message.buttons if button.data]
        for choice in choices[:-1] if message.several else choices:
            assert letters(" ".join(choice.text.split())) in said
    for file in message.media:
        assert letters(file.url) in said
    assert len(rendered.degradations) == len(set(rendered.degradations))
    assert capabilities.max_text >= max(map(len, texts), default=0)


# ── Markers ──────────────────────────────────────────────────────────────────────────────────────────


OPENS_A_STYLE = re.compile(r"(?<![^\W_])_(?=\S)[^\n]*?(?<=\S)_(?![^\W_])|([*~`])(?=\S)[^\n]*?(?<=\S)\1")
MAKES_A_LIST = re.compile(r"^\s*(?:>|[*-]\s)", re.MULTILINE)


@thoroughly
@given(any_text)
def test_what_a_person_wrote_is_never_markup(text: str) -> None:
    shown, _ = marked_up(text, (), WHATSAPP_MARKUP)
    assert not OPENS_A_STYLE.search(shown)
    assert not MAKES_A_LIST.search(shown)
    assert shown.replace(HAIR_SPACE, "").replace(WORD_JOINER, "") == text.replace(HAIR_SPACE, "").replace(
        WORD_JOINER, ""
    )


SHARES = ("share-phone", "location-picker")


# ── Viber ────────────────────────────────────────────────────────────────────────────────────────────


def assert_fits_viber(body: Any) -> None:
    assert len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) <= 30_000
    assert 1 <= len(body["sender"]["name"]) <= 28
    if body["type"] == "text":
        assert body["text"].strip()
        assert utf16_length(body["text"]) <= 7000
    else:
        assert utf16_length(body.get("text", "")) <= 512
        assert 1 <= len(body["media"]) <= 2000
        assert_file_fits_viber(body)
    assert ("text" in body) is (body["type"] in ("text", "picture"))
    buttons = body.get("keyboard", {"Buttons": [{"Text": "-", "ActionBody": "-"}]})["Buttons"]
    assert 1 <= len(buttons) <= 12
    assert ("min_api_version" in body) is any(b.get("ActionType") in SHARES for b in buttons)
    for button in buttons:
        assert 1 <= utf16_length(button["Text"]) <= 250
        assert "<" not in button["Text"]
        assert unescape(button["Text"]).strip()
        assert 1 <= len(button["ActionBody"].encode()) <= 100


def assert_file_fits_viber(body: Any) -> None:
    if body["type"] in ("video", "file"):
        assert 1 <= body["size"] <= {"video": 26_000_000, "file": 50_000_000}[body["type"]]
    if body["type"] == "video":
        assert body["media"].endswith(".mp4")
        assert 0 <= body.get("duration", 0) <= 180
    if body["type"] == "file":
        assert 3 <= len(body["file_name"]) <= 256
        assert "." in body["file_name"].strip(".")
        assert "/" not in body["file_name"]
        assert not body["file_name"].endswith(".exe")


@st.composite
def with_files(draw: st.DrawFn) -> Message:
    return replace(draw(messages()), media=tuple(draw(any_files)))


LARGEST = tuple(Button("\x01" * 250, url="https://a.io/" + "я" * 43) for _ in range(12))


@thoroughly
@given(with_files())
@example(Message("\x01" * 7000, buttons=LARGEST))
@example(Message("😀" * 256, buttons=LARGEST, media=(Media("image", "https://a.io/" + "x" * 1983 + ".jpg"),)))
def test_viber_gets_nothing_it_would_refuse(message: Message) -> None:
    bodies, rendered = render(VIBER, message)
    others = [each for request in rendered.requests for each in others_of(request)]
    for body in (*bodies, *(json.loads(msgspec.json.encode(other.json)) for other in others)):
        assert_fits_viber(body)
    assert [i for i, body in enumerate(bodies) if "keyboard" in body] in ([], [len(bodies) - 1])
    said = [body.get("text", "") + body.get("media", "") for body in bodies if body["type"] not in FILES]
    assert_said(message, [*said, *files_of(bodies)], VIBER.capabilities, rendered)


FILES = ("picture", "video", "file")


def others_of(request: Request) -> list[Request]:
    """What may be sent in its place, and in the place of that."""
    others = [other for other in (request.instead, request.for_old_apps) if other]
    return [*others, *(further for other in others for further in others_of(other))]


def files_of(bodies: list[Any]) -> list[str]:
    """Captions, and behind them the addresses, where a test looks for what is said."""
    files = [body for body in bodies if body["type"] in FILES]
    return [body.get("text", "") for body in files] + [body["media"] for body in files]


@thoroughly
@given(with_files())
@example(Message("я" * 7000 + " b" * 7000, buttons=LARGEST))
def test_a_welcome_of_vibers_is_one_that_it_takes(message: Message) -> None:
    assert_fits_viber(VIBER.welcome(message, credential("viber")))


# ── Splitting ────────────────────────────────────────────────────────────────────────────────────────


@thoroughly
@given(any_text, st.integers(2, 300))
def test_splitting_loses_only_blanks_and_keeps_to_the_limit(text: str, limit: int) -> None:
    parts = [text[a:b] for a, b in split(text, limit, lambda a, b: utf16_length(text[a:b]))]
    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert letters("".join(parts)) == letters(text)
    assert all(part.strip() for part in parts)


@thoroughly
@given(st.lists(st.text("abЯ😀", min_size=1, max_size=20), min_size=1, max_size=200).map(" ".join))
def test_words_shorter_than_the_limit_are_never_cut(text: str) -> None:
    parts = [text[a:b] for a, b in split(text, 50, lambda a, b: utf16_length(text[a:b]))]
    assert [word for part in parts for word in part.split()] == text.split()
