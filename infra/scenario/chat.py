"""A conversation with a scenario in the terminal, or through a pipe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from shared.dialog.messages import Button, Message
from shared.dialog.state import Task
from shared.scenario.models import TestTurn
from shared.simulation.acts import act, hand_off
from shared.simulation.conversation import Conversation, Outcome
from shared.simulation.errors import Senseless

HELP = """\
Write what the person writes; a button is pressed by its label, its value or its number.
  :press WHICH         press a button       :wait 25h            let time pass
  :photo [WORDS]       send a photo         :video, :audio, :file likewise
  :contact [+PHONE]    share a contact      :location [LAT LON]  share a place
  :take                an operator takes the dialog over
  :operator WORDS      ... writes           :back [STEP]         ... gives it back
  :respond {"http": {"status": 200, "body": {}}}   answer the task that waits
  :respond {"http": {"error": "timeout"}}          ... or let it fail
  :vars  :where  :help  :quit"""

PROMPT = "> "
_COMMAND = re.compile(r":[a-z]+")


class Chat:
    """Takes lines, shows what the bot says to them."""

    def __init__(self, conversation: Conversation, show: Callable[[str], None]) -> None:
        self._conversation = conversation
        self._show = show

    def run(self, lines: Iterable[str]) -> None:
        """Go through the lines until one says to quit."""
        self._do({"send": "/start"})
        for line in lines:
            if line.strip() == ":quit":
                return
            self.take(line.rstrip("\r\n"))

    def take(self, line: str) -> None:
        """One line: words of the person, or a command that begins with a colon."""
        name, _, rest = line.partition(" ")
        if not _COMMAND.fullmatch(name):
            self._do({"send": line})
        elif told := _TOLD.get(name):
            self._show(told(self._conversation))
        elif name == ":take":
            self._show_outcome(hand_off(self._conversation))
        elif made := _MADE.get(name):
            self._try(made, rest.strip())
        else:
            self._show(f"There is no {name}; see :help.")

    def _try(self, made: Callable[[str], Mapping[str, Any]], rest: str) -> None:
        try:
            turn = made(rest)
        except ValueError as error:
            self._show(f"! {error}")
        else:
            self._do(turn)

    def _do(self, turn: Mapping[str, Any]) -> None:
        try:
            outcome = act(self._conversation, TestTurn.model_validate(turn))
        except ValidationError as error:
            self._show(f"! {error.errors()[0]['msg'].removeprefix('Value error, ')}")
        except Senseless as error:
            self._show(f"! {error}")
        else:
            self._show_outcome(outcome)

    def _show_outcome(self, outcome: Outcome) -> None:
        for line in _lines_of(outcome):
            self._show(line)


# --- what is shown ----------------------------------------------------------------------------------


def _lines_of(outcome: Outcome) -> Iterator[str]:
    for message in outcome.messages:
        yield from _lines_of_message(message)
    for note in outcome.notes:
        yield f"! {note}"
    for run in outcome.ended_runs:
        yield f"— run {run['run']} is {run['status'].replace('_', ' ')}"
    if outcome.status == "handed_off":
        yield "— an operator has the dialog: :operator WORDS, :back"
    if task := outcome.task:
        yield f"— a task waits: {_json({task.kind: task.request})}"
        yield f"  answer it: :respond {json.dumps({task.kind: _answer_to(task)}, ensure_ascii=False)}"


def _lines_of_message(message: Message) -> Iterator[str]:
    author = "operator" if message.by_operator else "bot"
    if message.delay:
        yield f"  … {message.delay} s later"
    yield f"{author}: {message.text}".rstrip()
    for media in message.media:
        yield f"  ({media.type}: {media.url or media.media_id})"
    numbers = iter(range(1, len(message.buttons) + 1))
    for button in message.buttons:
        yield f"  {_button(button, numbers)}"


def _button(button: Button, numbers: Iterator[int]) -> str:
    if button.url:
        return f"↗ {button.text}: {button.url}"
    if button.share:
        return f"[:{'contact' if button.share == 'phone' else 'location'}] {button.text}"
    return f"[{next(numbers)}] {'✓ ' if button.selected else ''}{button.text}"


def _variables(conversation: Conversation) -> str:
    return _json(conversation.dialog.variables)


def _where(conversation: Conversation) -> str:
    outcome = conversation.outcome()
    due = ", ".join(f"{moment:%Y-%m-%d %H:%M:%S}" for moment in outcome.due)
    here = f"{outcome.now:%Y-%m-%d %H:%M:%S} UTC, step {outcome.step}, {outcome.status}"
    return f"{here}; due: {due}" if due else here


def _help(_conversation: Conversation) -> str:
    return HELP


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_TOLD: Mapping[str, Callable[[Conversation], str]] = {
    ":help": _help,
    ":vars": _variables,
    ":where": _where,
}


def _answer_to(task: Task) -> Any:
    """What the task might come back with, for whoever does not know the form by heart."""
    request = task.request
    match task.kind:
        case "llm":
            return _words_for(request)
        case "http":
            return {"status": 200, "body": {}}
        case "understand":
            return {name: about.get("choices", [None])[0] for name, about in request["fill"].items()}
        case _:
            return {}


def _words_for(request: Mapping[str, Any]) -> Any:
    words = "words of the model"
    if request["output"] == "object":
        return {"object": {}}
    if request["output"] == "choice":
        return request["options"][0]
    return {"text": words, "route": next(iter(request["routes"]))} if request["routes"] else words


# --- what is done -----------------------------------------------------------------------------------


def _press(rest: str) -> Mapping[str, Any]:
    return {"press": int(rest) if rest.isascii() and rest.isdecimal() else rest}


def _file(kind: str) -> Callable[[str], Mapping[str, Any]]:
    return lambda rest: {kind: {"caption": rest}}


def _contact(rest: str) -> Mapping[str, Any]:
    return {"contact": {"phone": rest} if rest else {}}


def _location(rest: str) -> Mapping[str, Any]:
    if not rest:
        return {"location": {}}
    latitude, longitude = (float(part) for part in rest.replace(",", " ").split())
    return {"location": {"latitude": latitude, "longitude": longitude}}


def _respond(rest: str) -> Mapping[str, Any]:
    return {"respond": json.loads(rest)}


_MADE: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    ":press": _press,
    ":wait": lambda rest: {"advance": rest},
    ":photo": _file("photo"),
    ":video": _file("video"),
    ":audio": _file("audio"),
    ":file": _file("file"),
    ":contact": _contact,
    ":location": _location,
    ":operator": lambda rest: {"operator": rest},
    ":back": lambda rest: {"give_back": rest or True},
    ":respond": _respond,
}
