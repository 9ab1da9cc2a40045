"""A dialog in memory with one scenario; every turn is checked for what must hold of all turns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    ConversationStarted,
    Event,
    MessageReceived,
    Person,
)
from shared.dialog.messages import Button, Message
from shared.dialog.processor import Moment, ScenarioProcessor, Turn
from shared.dialog.state import Dialog
from shared.scenario.caps import MAX_TURN_BYTES, MAX_TURN_MESSAGES
from shared.scenario.compiler import compile_scenario
from shared.scenario.document import read

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DATA = re.compile(r"p:[0-9a-z]{8}:[0-9a-z]{1,7}:[0-9a-z]{1,7}:[0-9a-z]{1,2}")


def new_dialog(**fields: Any) -> Dialog:
    known: dict[str, Any] = {
        "id": "dialog",
        "bot_id": "bot",
        "platform": "telegram",
        "platform_chat_id": "1",
        "epoch": "0123abcd",
        "created_at": NOW,
        "updated_at": NOW,
        "last_interaction_at": NOW,
    }
    return Dialog(**(known | fields))


class Talk:
    """One person and one scenario. What the bot said last is in `turn`."""

    def __init__(self, document: Mapping[str, Any], *, person: Person | None = None, **dialog: Any) -> None:
        read(deepcopy(dict(document)))
        self.processor = ScenarioProcessor(compile_scenario(document))
        self.person = person
        self.dialog = new_dialog(**dialog)
        self.turn = Turn(self.dialog, ())
        self.shown: list[Button] = []
        self.random = 0.5
        self.events = 0

    # --- what the person does ---------------------------------------------------------------------

    def start(self, payload: str = "", **fields: Any) -> list[str]:
        return self.send(ConversationStarted(payload=payload, **self._event(), **fields))

    def say(self, text: str, content: ContentType = "text") -> list[str]:
        return self.send(MessageReceived(text=text, content=content, **self._event()))

    def press(self, label: str, *, back: int = 0) -> list[str]:
        """Press the button with this label: the newest one, or one that was shown `back` times before."""
        return self.press_data([b.data for b in self.shown if b.text == label and b.data][-1 - back])

    def press_data(self, data: str) -> list[str]:
        return self.send(ButtonPressed(data=data, **self._event()))

    def _event(self) -> dict[str, Any]:
        self.events += 1
        return {"id": str(self.events), "occurred_at": NOW, "person": self.person}

    def send(self, event: Event) -> list[str]:
        """Apply the event; what the bot says to it."""
        self.turn = checked(self.processor, self.dialog, event, self.moment)
        self.dialog = self.turn.dialog
        self.shown += [button for message in self.turn.messages for button in message.buttons]
        return [message.text for message in self.turn.messages]

    @property
    def moment(self) -> Moment:
        return Moment(NOW + timedelta(seconds=self.events), self.random)

    # --- what is to be seen -----------------------------------------------------------------------

    @property
    def message(self) -> Message:
        return self.turn.messages[-1]

    @property
    def labels(self) -> list[str]:
        """The buttons under the last message."""
        return [button.text for button in self.message.buttons]

    @property
    def variables(self) -> dict[str, Any]:
        return self.dialog.variables

    @property
    def ended(self) -> list[tuple[int, str]]:
        """The runs that the last turn closed."""
        return [(run["run"], run["status"]) for run in self.turn.ended_runs]


def checked(processor: ScenarioProcessor, dialog: Dialog, event: Event, moment: Moment) -> Turn:
    """Apply the event, and see that the turn is pure, repeatable, within bounds, and can be saved."""
    before = msgspec.json.encode(dialog)
    turn = processor.advance(dialog, event, moment)
    assert msgspec.json.encode(dialog) == before, "the dialog that came in was changed"
    saved = msgspec.json.encode(turn)
    loaded = msgspec.json.decode(before, type=Dialog)
    assert msgspec.json.encode(processor.advance(loaded, event, moment)) == saved, "not the same again"
    assert msgspec.json.encode(msgspec.json.decode(saved, type=Turn)) == saved, "not the same once saved"
    assert len(saved) <= MAX_TURN_BYTES + 100_000
    assert len(turn.messages) <= MAX_TURN_MESSAGES
    for message in turn.messages:
        check_message(message)
    return turn


def check_message(message: Message) -> None:
    assert message.text.strip()
    assert not re.search("[\x00\ud800-\udfff]", message.text)
    for span in message.spans:
        assert 0 <= span.start < span.end <= len(message.text)
    for button in message.buttons:
        assert button.text.strip()
        assert bool(button.url) != bool(DATA.fullmatch(button.data))
        assert len(button.data.encode()) <= 40
