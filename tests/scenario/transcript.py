"""Transcripts of conversations, as people read them, played by the simulator.

    > Ann                      the person writes
    > [Cook]                   the person presses the newest button with this label
    > (photo: my dog)          the person sends something other than text, here with a caption; `(photo of
                               album a)`, `(contact +49… Ann)`, or somebody else's `(contact +49… of
                               Olga)`, `(location 52.5 13.4)`, `(sticker)`
    ~ 25h                      time passes
    ! {"llm": "Yes"}           a task comes back
    @ Good evening             an operator writes; `@ takes over`, `@ gives back`
    < What is your position?   the bot says; further lines of the message are indented
      [Cook] [Manager]         its buttons, one that is taken is [✓ …]; a link is [words](address)
    = position: "cook"         what a variable holds now, as JSON, or nothing where it has no value
    = ended: completed         how the run ended; likewise `status`, `step`, and `request`, of which there
                               may be more than is written
    * language: ru             so it is from the beginning: `language`, `platform`, `now`

Styles are shown as an author writes them. Lines that start with # and blank lines are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from shared.dialog.events import ContentType, MessageReceived
from shared.dialog.messages import Button, Media, Message
from shared.scenario.document import read
from shared.scenario.models import TestTurn
from shared.simulation.acts import act, hand_off
from shared.simulation.conversation import Conversation, Documents, Opening, Program
from shared.simulation.expectations import is_within

_SIGNS = {"bold": "*", "italic": "_", "code": "`"}
_THING = re.compile(
    r"\((?P<kind>\w+)(?: of album (?P<album>\w+))?(?: (?P<rest>[^:]*))?(?:: (?P<caption>.*))?\)"
)


def play(document: Mapping[str, Any], transcript: str, called: Documents | None = None) -> Conversation:
    """Hold the conversation; raises AssertionError where it goes another way."""
    lines = [line for line in transcript.splitlines() if line.strip() and not line.startswith("#")]
    conversation = begun(document, lines, called or {})
    for turn in turns(lines):
        do(conversation, turn[0])
        told = [line for line in turn[1:] if not line.startswith("=")]
        assert list(said(conversation)) == told, turn[0]
        for line in turn[1:]:
            if line.startswith("="):
                _look(conversation, *line[1:].strip().split(":", 1))
    return conversation


def begun(document: Mapping[str, Any], lines: Iterable[str], called: Documents) -> Conversation:
    """The conversation before its first word; its `*` lines say what is so from the beginning."""
    facts: dict[str, Any] = dict(line[1:].strip().split(": ", 1) for line in lines if line.startswith("*"))
    if "now" in facts:
        facts["now"] = datetime.fromisoformat(facts["now"])
    if "contact" in facts:
        facts["given"] = {"contact": msgspec.json.decode(facts.pop("contact"))}
    for each in (document, *called.values()):
        read(dict(each))
    opening = Opening(**facts)
    return Program.of(document, called, opening.known_of([opening.record])).begin(opening)


def turns(lines: Iterable[str]) -> Iterator[list[str]]:
    """Each act with what follows it."""
    turn: list[str] = []
    for line in lines:
        if line[0] in _ACTS:
            if turn:
                yield turn
            turn = []
        if line[0] != "*":
            turn.append(line)
    if turn:
        yield turn


# --- acts -------------------------------------------------------------------------------------------


def do(conversation: Conversation, line: str) -> None:
    _ACTS[line[0]](conversation, line[1:].strip())


def _do(conversation: Conversation, turn: dict[str, Any]) -> None:
    act(conversation, TestTurn.model_validate(turn))


def _person(conversation: Conversation, words: str) -> None:
    if words.startswith("[") and words.endswith("]"):
        _do(conversation, {"press": words[1:-1]})
    elif thing := _THING.fullmatch(words):
        _send(conversation, **thing.groupdict())
    else:
        _do(conversation, {"send": words})


def _send(
    conversation: Conversation, kind: str, album: str | None, rest: str | None, caption: str | None
) -> None:
    if kind in ("photo", "video", "audio", "file"):
        _do(conversation, {kind: {"caption": caption or "", "album": album or ""}})
    elif kind == "contact":
        phone, _, name = (rest or "").rpartition(" ")
        number = phone.removesuffix(" of")
        contact = {"phone": number, "first_name": name, "own": number == phone}
        _do(conversation, {"contact": contact})
    elif kind == "location":
        latitude, longitude = map(float, (rest or "").split())
        _do(conversation, {"location": {"latitude": latitude, "longitude": longitude}})
    else:
        _send_content(conversation, msgspec.convert(kind, ContentType))


def _send_content(conversation: Conversation, content: ContentType) -> None:
    """What no test of an author sends."""
    conversation.begin_act()
    conversation.apply(MessageReceived(content=content, **conversation.stamp()))


def _wait(conversation: Conversation, duration: str) -> None:
    _do(conversation, {"advance": duration})


def _respond(conversation: Conversation, answer: str) -> None:
    _do(conversation, {"respond": msgspec.json.decode(answer)})


def _operator(conversation: Conversation, words: str) -> None:
    if words == "takes over":
        hand_off(conversation)
    elif words == "gives back":
        _do(conversation, {"give_back": True})
    else:
        _do(conversation, {"operator": words})


_ACTS: Mapping[str, Callable[[Conversation, str], None]] = {
    ">": _person,
    "~": _wait,
    "!": _respond,
    "@": _operator,
}


# --- what is so -------------------------------------------------------------------------------------


def _look(conversation: Conversation, name: str, expected: str) -> None:
    found = fact(conversation, name)
    if name in ("ended", "status", "step"):
        assert found == expected.strip(), name
    elif not expected.strip():
        assert found is msgspec.UNSET, name
    elif name == "request":
        assert is_within(msgspec.json.decode(expected), found), found
    else:
        assert found == msgspec.json.decode(expected), name


def fact(conversation: Conversation, name: str) -> Any:
    """What is so now; UNSET for a variable without a value."""
    match name:
        case "ended":
            return ", ".join(run["status"] for run in conversation.ended_runs)
        case "status":
            return conversation.dialog.status
        case "step":
            return conversation.dialog.current_step
        case "request":
            return conversation.task.request if conversation.task else msgspec.UNSET
        case _:
            return conversation.dialog.variables.get(name, msgspec.UNSET)


# --- what is said -----------------------------------------------------------------------------------


def said(conversation: Conversation) -> Iterator[str]:
    """What the bot has said since the last act, line by line."""
    for message in conversation.messages:
        first, *others = marked(message).split("\n")
        yield f"< {first}" if not message.delay else f"< (after {message.delay} s) {first}"
        yield from (f"  {line}" for line in others if line.strip())
        yield from map(_media, message.media)
        if message.template:
            yield f"  (template {message.template.name}: {', '.join(message.template.parameters)})"
        if message.buttons:
            yield "  " + " ".join(map(_button, message.buttons))


def _media(media: Media) -> str:
    return f"  ({media.type} {media.url or media.media_id})"


def _button(button: Button) -> str:
    mark = "✓ " if button.selected else ""
    target = button.url or button.share
    return f"[{mark}{button.text}]({target})" if target else f"[{mark}{button.text}]"


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
    """Every fenced block of a document: what it says of itself, and what is in it."""
    return re.findall(r"^```(\S[^\n]*)\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)
