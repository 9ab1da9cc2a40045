"""What holds for every type of input: which words refuse, and that nothing else ever happens."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.dialog.events import ContentType, Place, ReceivedFile, SharedContact
from shared.scenario.inputs import Limits
from shared.scenario.models import FallbackName, InputType
from shared.scenario.words import FALLBACKS
from tests.scenario.inputs.answers import take

KINDS = get_args(InputType)

WORDS = {
    "button": "!choose_button",
    "buttons": "!choose_buttons",
    "any": "!not_text",
    **{kind: f"!not_{kind}" for kind in KINDS if kind not in ("button", "buttons", "any")},
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_refused_in_the_words_of_the_type(kind: str) -> None:
    assert take(kind, " \x00 ") == WORDS[kind]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("media", "any")])
def test_a_photo_is_refused_in_the_words_of_the_type(kind: str) -> None:
    assert take(kind, content="image", file=ReceivedFile("image")) == WORDS[kind]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "any"])
def test_what_cannot_be_read_is_refused_as_such(kind: str) -> None:
    assert take(kind, content="unsupported") == "!unsupported"


def test_all_words_are_shipped_in_both_languages() -> None:
    names = set(get_args(FallbackName))
    assert {language: set(words) for language, words in FALLBACKS.items()} == {"en": names, "ru": names}


def test_all_words_say_something_and_print_as_they_stand() -> None:
    for text in (text for words in FALLBACKS.values() for text in words.values()):
        assert text.strip() == text
        assert not set(text) & set("{}*_`[]\\")


ANY_TEXT = st.text(st.characters(), max_size=30) | st.from_regex(r"[0-9٠-٩+., :/-]{1,20}", fullmatch=True)
SENT = st.fixed_dictionaries(
    {"content": st.sampled_from(get_args(ContentType))},
    optional={
        "place": st.builds(Place, st.floats(), st.floats(), ANY_TEXT),
        "contact": st.builds(SharedContact, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.booleans()),
        "file": st.builds(
            ReceivedFile,
            st.sampled_from(["image", "video", "audio", "file"]),
            ANY_TEXT,
            ANY_TEXT,
            ANY_TEXT,
            st.integers(),
            ANY_TEXT,
        ),
    },
)
BOUNDS = st.none() | st.integers() | st.floats() | ANY_TEXT | st.booleans()
LIMITS = st.builds(
    Limits,
    min_length=st.none() | st.integers(0, 40),
    max_length=st.none() | st.integers(1, 40),
    pattern=st.none() | ANY_TEXT,
    min=BOUNDS,
    max=BOUNDS,
    region=st.none() | st.sampled_from(["RU", "US", "ZZ"]),
    own=st.none() | st.booleans(),
    accept=st.none() | st.lists(st.sampled_from(["image", "file"]), min_size=1),
    max_bytes=st.none() | st.integers(1),
)
LANGUAGE = st.sampled_from(["en", "en-US", "ru", "de-AT", "ja", "", "no such"]) | st.text(max_size=5)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(text=ANY_TEXT, language=LANGUAGE, limits=LIMITS, sent=SENT)
@example(text="\ud800", language="en", limits=Limits(pattern="\ud800"), sent={"content": "text"})
def test_any_answer_is_taken_or_refused(
    kind: str, text: str, language: str, limits: Limits, sent: dict[str, Any]
) -> None:
    """And what is taken is JSON that comes back as it was."""
    value = take(kind, text, language, limits, **sent)
    assert msgspec.json.decode(msgspec.json.encode(value)) == value
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    if isinstance(value, str) and value.startswith("!not_"):
        assert value.removeprefix("!") in FALLBACKS["en"]


@pytest.mark.parametrize(
    "kind", ["text", "number", "integer", "date", "time", "email", "phone", "url", "any"]
)
@settings(max_examples=40)
@given(text=ANY_TEXT, language=LANGUAGE)
@example(text="İ.com", language="en")
@example(text="1.1.1", language="ru")
def test_a_stored_value_typed_again_is_the_same(kind: str, text: str, language: str) -> None:
    value = take(kind, text, language)
    if value not in (WORDS[kind], "!unsupported") and not isinstance(value, float):
        assert take(kind, str(value), language) == value


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_answer_is_soon_refused_or_taken(kind: str) -> None:
    for text in ("x" * 20_000, "1" * 20_000, "1," * 10_000, "\u202e" * 20_000, "a." * 10_000, "(" * 20_000):
        assert take(kind, text) is not None
