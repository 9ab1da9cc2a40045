"""Transcripts of conversations, as people read them, played through the engine.

    > Ann                      the person writes
    > [Cook]                   the person presses the newest button with this label
    > (image)                  the person sends something other than text
    < What is your position?   the bot says; further lines of the message are indented
      [Cook] [Manager]         its buttons; a link is [words](address)
    = position: "cook"         what a variable holds now, as JSON, or nothing where it has no value
    = ended: completed         how the run ended in this turn
    * language: ru             what the messenger tells of the person, said before the first line

Styles are shown as an author writes them. Lines that start with # and blank lines are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import msgspec

from shared.dialog.events import ContentType, Person
from shared.dialog.messages import Button, Message
from tests.dialog.talk import Talk

_SIGNS = {"bold": "*", "italic": "_", "code": "`"}


def play(document: Mapping[str, Any], transcript: str) -> Talk:
    """Hold the conversation; raises AssertionError where it goes another way."""
    lines = [line for line in transcript.splitlines() if line.strip() and not line.startswith("#")]
    facts = dict(line[1:].strip().split(": ", 1) for line in lines if line.startswith("*"))
    talk = Talk(document, person=Person(**facts) if facts else None)
    for turn in _turns(line for line in lines if not line.startswith("*")):
        _act(talk, turn[0].removeprefix(">").strip())
        told = [line for line in turn[1:] if not line.startswith("=")]
        assert list(_lines(talk.turn.messages)) == told, turn[0]
        for line in turn[1:]:
            if line.startswith("="):
                _look(talk, *line[1:].strip().split(":", 1))
    return talk


def _turns(lines: Iterable[str]) -> Iterator[list[str]]:
    turn: list[str] = []
    for line in lines:
        if line.startswith(">"):
            if turn:
                yield turn
            turn = []
        turn.append(line)
    if turn:
        yield turn


def _act(talk: Talk, line: str) -> None:
    if line.startswith("[") and line.endswith("]"):
        talk.press(line[1:-1])
    elif line.startswith("(") and (content := line[1:-1]) in get_args(ContentType):
        talk.say("", content)  # type: ignore[arg-type]
    else:
        talk.say(line)


def _look(talk: Talk, name: str, expected: str) -> None:
    if name == "ended":
        assert [status for _, status in talk.ended] == [expected.strip()]
    elif expected.strip():
        assert talk.variables.get(name) == msgspec.json.decode(expected), name
    else:
        assert name not in talk.variables


def _lines(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        first, *others = marked(message).split("\n")
        yield f"< {first}"
        yield from (f"  {line}" for line in others if line.strip())
        if message.buttons:
            yield "  " + " ".join(map(_button, message.buttons))


def _button(button: Button) -> str:
    return f"[{button.text}]({button.url})" if button.url else f"[{button.text}]"


def marked(message: Message) -> str:
    """The text with its styles as an author writes them."""
    signs: list[tuple[int, int, str]] = []
    for span in message.spans:
        opening, closing = ("[", f"]({span.url})") if span.style == "link" else (_SIGNS[span.style],) * 2
        signs += [(span.start, 1, opening), (span.end, 0, closing)]
    text = message.text
    for position, _, sign in sorted(signs, key=lambda each: each[:2], reverse=True):
        text = text[:position] + sign + text[position:]
    return text


def fenced(markdown: str) -> list[tuple[str, str]]:
    """Every fenced block of a document: its language and what is in it."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)
