"""The last messages of a dialog as a model reads them: in order, within bounds, and masked."""

from __future__ import annotations

from typing import Any

import pytest

from shared.dialog.history import Author, HistoryEntry
from shared.dialog.sealing import MASK, sealed
from shared.llm.base import Said
from shared.llm.conversation import MAX_MESSAGE_TOKENS, MAX_TOKENS, last_messages
from shared.llm.tokens import tokens_in, tokens_of
from tests.llm.desk import DIALOG, NOON, Consulted
from tests.standins.openai import OpenAiStandIn

ENVELOPE = {"id": "1", "occurred_at": "2026-11-22T12:00:00Z"}


def entry(turn: int, author: Author, data: dict[str, Any]) -> HistoryEntry:
    return HistoryEntry(
        dialog_id=DIALOG,
        epoch="e1",
        turn=turn,
        n=0 if "event" in data else 1,
        message_type=author,
        message_data=data,
        timestamp=NOON,
        created_at=NOON,
    )


def wrote(text: str, **event: Any) -> dict[str, Any]:
    told = {"text": text} if text else {}
    return {"event": {"type": "message_received", **ENVELOPE, **told, **event}}


def pressed(label: str) -> dict[str, Any]:
    event = {"type": "button_pressed", **ENVELOPE, "data": "e1:1:1:0"}
    return {"event": event, **({"label": label} if label else {})}


def seal(data: dict[str, Any]) -> dict[str, Any]:
    return sealed(data, is_private=True, sensitive=(), seal=lambda _: "c2VjcmV0")


def read(author: Author, data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(said.role, said.words) for said in last_messages([entry(1, author, data)], 10)]


@pytest.mark.parametrize(
    ("author", "data", "said"),
    [
        ("user", wrote("Do you have cake?"), [("user", "Do you have cake?")]),
        ("user", pressed("Yes, please"), [("user", "Yes, please")]),
        ("user", wrote("2") | {"label": "Two guests"}, [("user", "Two guests")]),
        ("user", pressed(""), []),
        ("user", wrote("", content="image"), [("user", "[image]")]),
        ("user", wrote("my cat", content="image"), [("user", "my cat")]),
        (
            "user",
            wrote("", content="location", place={"latitude": 51.1, "longitude": 7.2}),
            [("user", "[location]")],
        ),
        ("user", wrote("", content="contact", contact={"phone": "+49301234"}), [("user", "[contact]")]),
        ("bot", {"text": "Hello!"}, [("assistant", "Hello!")]),
        (
            "bot",
            {"text": "Your pin is 4000.", "masked": "Your pin is •••."},
            [("assistant", "Your pin is •••.")],
        ),
        ("bot", {"text": "", "media": [{"type": "image"}]}, []),
        ("operator", {"text": "I am Eve."}, [("assistant", "I am Eve.")]),
        ("operator", {"event": {"type": "operator_wrote", **ENVELOPE, "text": "I am Eve."}}, []),
        ("system", {"event": {"type": "task_finished", **ENVELOPE, "result": {"text": "x"}}}, []),
        ("user", {"event": {"type": "conversation_started", **ENVELOPE, "payload": "promo"}}, []),
        ("user", {"omitted": "400000 bytes are too many"}, []),
    ],
)
def test_an_entry_is_read_as_who_said_what(author: Author, data: dict[str, Any], said: list[Any]) -> None:
    assert read(author, data) == said


@pytest.mark.parametrize(
    "data",
    [
        wrote("my pin is 4000"),
        wrote("4000") | {"label": "4000"},
        pressed("4000"),
        wrote("", content="image", file={"type": "image", "reference": "4000"}),
        wrote("", content="contact", contact={"phone": "4000"}),
    ],
)
def test_what_is_sealed_is_masked(data: dict[str, Any]) -> None:
    assert read("user", seal(data)) == [("user", MASK)]


def test_the_newest_are_taken_and_told_from_the_oldest() -> None:
    entries = [entry(n, "user", wrote(f"word {n}")) for n in range(9, 0, -1)]
    assert [said.words for said in last_messages(entries, 3)] == ["word 7", "word 8", "word 9"]


def test_all_of_them_take_no_more_than_their_share() -> None:
    entries = [entry(n, "user", wrote("many words " * 100)) for n in range(50)]
    said = last_messages(entries, 50)
    assert 5 < len(said) < 50
    assert tokens_of(said) <= MAX_TOKENS


@pytest.mark.parametrize("text", ["a" * 50_000, "я" * 50_000, "中" * 50_000, "\U0001f600" * 50_000])
def test_one_alone_is_cut(text: str) -> None:
    (said,) = last_messages([entry(1, "user", wrote(text))], 10)
    assert tokens_in(said.words) <= MAX_MESSAGE_TOKENS + 1
    assert said.words.endswith("…")
    assert text.startswith(said.words[:-1])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("four", 2),
        ("Привет, мир", 7),
        ("你好世界", 4),
        ("\U0001f600", 2),
        ("half \ud83d", 2),
    ],
)
def test_tokens_are_estimated_rather_too_high(text: str, tokens: int) -> None:
    assert tokens_in(text) == tokens


def test_a_step_is_asked_with_as_many_as_it_wants(server: OpenAiStandIn) -> None:
    said = [entry(n, "user", wrote(f"word {n}")) for n in range(9, 0, -1)]
    desk = Consulted(server, said=said)
    everything = [f"word {n}" for n in range(1, 10)]
    for request, seen in (
        ({"history": 0}, []),
        ({"history": 2}, ["word 8", "word 9"]),
        ({"history": None}, everything),
        ({"history": None, "cache": 60}, []),
        ({"history": 1, "cache": 60}, ["word 9"]),
    ):
        desk.ask(prompt="And?", **request)
        assert [each["content"] for each in server.asked[-1]["messages"][1:]] == [*seen, "And?"]


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("Is it good?", ["Hello", "Have you cake?", "Wait!", "Is it good?"]),
        ("Have you cake?", ["Hello", "Wait!", "Have you cake?"]),
        ("Hello", ["Hello", "Have you cake?", "Wait!", "Hello"]),
        ("", ["Hello", "Have you cake?", "Wait!"]),
    ],
)
def test_what_the_prompt_repeats_is_told_once(server: OpenAiStandIn, prompt: str, told: list[str]) -> None:
    texts = [entry(2, "bot", {"text": "Wait!"}), entry(2, "user", wrote("Have you cake?"))]
    desk = Consulted(server, said=[*texts, entry(1, "user", wrote("Hello"))])
    desk.ask(history=10, prompt=prompt)
    assert [each["content"] for each in server.asked[0]["messages"][1:]] == told


@pytest.mark.parametrize("text", [" Have you cake?\n", "long words " * 500])
def test_what_the_prompt_repeats_is_known_however_it_was_written(server: OpenAiStandIn, text: str) -> None:
    Consulted(server, said=[entry(1, "user", wrote(text))]).ask(history=10, prompt=text.strip())
    assert [each["content"] for each in server.asked[0]["messages"][1:]] == [text.strip()]


def test_what_is_kept_secret_reaches_no_server(server: OpenAiStandIn) -> None:
    said = [
        entry(3, "bot", {"text": "Your pin is 4000.", "masked": "Your pin is •••."}),
        entry(2, "user", seal(wrote("4000"))),
        entry(1, "bot", {"text": "Your pin?"}),
    ]
    Consulted(server, said=said).ask(history=10)
    assert b"4000" not in server.last.raw
    assert [Said(each["role"], each["content"]) for each in server.asked[0]["messages"][1:4]] == [
        Said("assistant", "Your pin?"),
        Said("user", MASK),
        Said("assistant", "Your pin is •••."),
    ]
