"""Write webhook bodies for a scenario, by talking to it.

    python -m tests.benchmarks.bodies --scenario S.json --chats 100 --press > B.jsonl

Every chat sends /start and answers what it is asked until its run ends: with words, and where there are
buttons with one of them, chats and questions taking turns. Buttons are typed by their label, or with
--press pressed. What a button carries depends on the bot, the chat and the time, so presses are only
good for the pipeline of these benchmarks; typed labels are good everywhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.dialog.state import Ask
from tests.benchmarks.files import Unusable, ending_well, read_scenario, say
from tests.benchmarks.pipeline import Pipeline
from tests.benchmarks.updates import CHAT_IDS, UPDATES, Deed, Pressed, Typed

WORDS = ("Ada", "Lovelace", "Riverside Kitchen", "Мария", "Иванова", "Кухня на Невском")
"""What people answer; all of it fits a question for a name."""

MAX_ANSWERS = 100
"""A conversation that takes more has no end."""

_FIRST_CHAT = 100_001
_BEGUN_AT = datetime(2026, 1, 1, 9, tzinfo=UTC)


def converse(platform: str, document: Mapping[str, Any], chats: int, *, press: bool) -> Iterator[Deed]:
    """What the people of so many chats do, one deed of each in turn, until all runs have ended."""
    pipeline = Pipeline(platform, document)
    people = _People(platform=platform, pipeline=pipeline, variables=_variables(document), press=press)
    doing: dict[int, Typed | Pressed] = {_FIRST_CHAT + n: Typed("/start") for n in range(chats)}
    number = 0
    for _ in range(MAX_ANSWERS):
        following = {}
        for chat, did in doing.items():
            number += 1
            deed = Deed(chat, number, _BEGUN_AT + timedelta(seconds=number / chats), did)
            yield deed
            pipeline.take(written(platform, deed))
            following[chat] = people.answer_of(chat)
        doing = {chat: did for chat, did in following.items() if did}
        if not doing:
            return
    raise Unusable(f"this scenario does not end after {MAX_ANSWERS} answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """They answer what they are asked; `variables` tells what each step asks for."""

    platform: str
    pipeline: Pipeline
    variables: Mapping[str, str]
    press: bool

    def answer_of(self, chat: int) -> Typed | Pressed | None:
        """What follows in the chat whose turn was the last; None once its run has ended."""
        dialog = self.pipeline.dialog_with(CHAT_IDS[self.platform](chat))
        if dialog is None or dialog.ask is None:
            return None
        chosen = chat + dialog.ask.number
        if not dialog.ask.choices:
            return Typed(WORDS[chosen % len(WORDS)])
        return self._choose(dialog.ask, chosen % len(dialog.ask.choices))

    def _choose(self, ask: Ask, index: int) -> Typed | Pressed:
        choice, said = ask.choices[index], self.pipeline.said[-1]
        if not self.press:
            return Typed(choice.label)
        meaning = f"{self.variables[ask.step_id]}:{choice.value}"
        return Pressed(choice.label, said.buttons[index].data, said.text, meaning)


def written(platform: str, deed: Deed) -> bytes:
    """The deed as the platform's webhook body."""
    return json.dumps(UPDATES[platform](deed), ensure_ascii=False, separators=(",", ":")).encode()


def _variables(document: Mapping[str, Any]) -> dict[str, str]:
    """The variable that each step asks for, by the step's id."""
    asked = ((step["id"], step.get("expected_input") or {}) for step in document["steps"])
    return {step_id: expected.get("variable", "") for step_id, expected in asked}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bodies", description=__doc__)
    parser.add_argument("--platform", choices=list(UPDATES), default="telegram")
    parser.add_argument("--scenario", type=Path, required=True, help="a scenario document")
    parser.add_argument("--chats", type=int, default=100)
    parser.add_argument("--press", action="store_true", help="press buttons rather than type their labels")
    options = parser.parse_args(arguments)
    if options.chats < 1:
        raise Unusable("--chats must be at least 1")
    document = read_scenario(options.scenario)
    for deed in converse(options.platform, document, options.chats, press=options.press):
        say(written(options.platform, deed).decode())


if __name__ == "__main__":
    ending_well(main)
