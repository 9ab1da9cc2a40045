"""A dialog in memory with one scenario; every turn is checked for what must hold of all turns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ChatUnblocked,
    ContentType,
    ConversationStarted,
    Event,
    GivenBack,
    HandedOff,
    MessageReceived,
    OperatorWrote,
    Person,
    Place,
    ReceivedFile,
    RunRequested,
    SharedContact,
    TaskFinished,
    TimerFired,
)
from shared.dialog.messages import Button, Message
from shared.dialog.processor import Moment, ScenarioProcessor, Turn
from shared.dialog.state import Dialog, Task, Timer
from shared.scenario.caps import MAX_TURN_BYTES, MAX_TURN_MESSAGES
from shared.scenario.compiled import CompiledScenario
from shared.scenario.compiler import compile_scenario
from shared.scenario.document import read
from shared.scenario.variables import NOTHING_KNOWN

FileKind = Literal["image", "video", "audio", "file"]
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

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        person: Person | None = None,
        called: Mapping[str, Mapping[str, Any]] | None = None,
        contact: Mapping[str, str] = NOTHING_KNOWN,
        **dialog: Any,
    ) -> None:
        self.processor = ScenarioProcessor(
            _compiled(document, contact),
            {id_: _compiled(child, contact) for id_, child in (called or {}).items()},
        )
        self.person = person
        self.dialog = new_dialog(**dialog)
        self.turn = Turn(self.dialog, ())
        self.shown: list[Button] = []
        self.random = 0.5
        self.events = 0
        self.passed = timedelta()

    # --- what the person does ---------------------------------------------------------------------

    def start(self, payload: str = "", **fields: Any) -> list[str]:
        return self.send(ConversationStarted(payload=payload, **self._event(), **fields))

    def say(self, text: str, content: ContentType = "text", **fields: Any) -> list[str]:
        return self.send(MessageReceived(text=text, content=content, **fields, **self._event()))

    def send_file(
        self, kind: FileKind = "image", caption: str = "", album: str = "", **file: Any
    ) -> list[str]:
        return self.say(caption, kind, album=album, file=ReceivedFile(kind, **file))

    def share_contact(self, phone: str, **contact: Any) -> list[str]:
        return self.say("", "contact", contact=SharedContact(phone, **{"own": True, **contact}))

    def share_place(self, latitude: float, longitude: float, title: str = "") -> list[str]:
        return self.say("", "location", place=Place(latitude, longitude, title))

    def press(self, label: str, *, back: int = 0, message_id: str = "") -> list[str]:
        """Press the button with this label: the newest one, or one that was shown `back` times before."""
        return self.press_data(
            [b.data for b in self.shown if b.text == label and b.data][-1 - back], message_id
        )

    def press_data(self, data: str, message_id: str = "") -> list[str]:
        return self.send(ButtonPressed(data=data, message_id=message_id, **self._event()))

    # --- what happens otherwise -------------------------------------------------------------------

    def wait(self, seconds: float) -> list[str]:
        """Let time pass; what is said when timers are due, in order."""
        until, said = self.now + timedelta(seconds=seconds), []
        while (timer := self._next_timer()) and timer.due <= until:
            self.passed = max(self.passed, timer.due - NOW)
            said += self.fire(timer.number)
        self.passed = until - NOW
        return said

    def fire(self, timer: int, epoch: str = "") -> list[str]:
        """A timer comes, be it waited for or not."""
        return self.send(TimerFired(timer=timer, epoch=epoch or self.dialog.epoch, **self._event()))

    def finish(self, **result: Any) -> list[str]:
        """The task that is pending comes back."""
        return self.finish_task(self.task.number, **result)

    def fail(self, error: str = "timeout") -> list[str]:
        return self.send(
            TaskFinished(task=self.task.number, epoch=self.dialog.epoch, error=error, **self._event())
        )

    def finish_task(self, number: int, **result: Any) -> list[str]:
        return self.send(TaskFinished(task=number, epoch=self.dialog.epoch, result=result, **self._event()))

    def run_by_api(self, **variables: Any) -> list[str]:
        return self.send(RunRequested(variables=variables, **self._event()))

    def block(self) -> list[str]:
        return self.send(ChatBlocked(**self._event()))

    def unblock(self) -> list[str]:
        return self.send(ChatUnblocked(**self._event()))

    def hand_off(self, reason: str = "") -> list[str]:
        return self.send(HandedOff(reason=reason, **self._event()))

    def operator(self, text: str) -> list[str]:
        return self.send(OperatorWrote(text=text, **self._event()))

    def give_back(self, step_id: str | None = None) -> list[str]:
        return self.send(GivenBack(step_id=step_id, **self._event()))

    def _event(self) -> dict[str, Any]:
        self.events += 1
        return {"id": str(self.events), "occurred_at": self.now, "person": self.person}

    def send(self, event: Event) -> list[str]:
        """Apply the event; what the bot says to it, but for what was said already."""
        self.turn = checked(self.processor, self.dialog, event, self.moment)
        self.dialog = self.turn.dialog
        self.shown += [button for message in self.turn.messages for button in message.buttons]
        self.tasks = (*self.tasks, *self.turn.tasks)
        return [message.text for message in self.turn.messages if not message.is_said]

    tasks: tuple[Task, ...] = ()

    @property
    def task(self) -> Task:
        """The task that the dialog waits for."""
        assert self.dialog.pending
        return next(task for task in self.tasks if task.number == self.dialog.pending.number)

    @property
    def now(self) -> datetime:
        return NOW + self.passed

    @property
    def moment(self) -> Moment:
        return Moment(self.now, self.random)

    def _next_timer(self) -> Timer | None:
        dialog = self.dialog
        asks = [dialog.ask, dialog.detour.ask if dialog.detour else None]
        timers = [each.timer for each in (*asks, dialog.pending, dialog.handoff) if each and each.timer]
        return min(timers, key=lambda timer: timer.due, default=None)

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


def _compiled(document: Mapping[str, Any], contact: Mapping[str, str]) -> CompiledScenario:
    read(deepcopy(dict(document)))
    return compile_scenario(document, contact=contact)


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
    assert message.text.strip() or message.media
    assert not re.search("[\x00\ud800-\udfff]", message.text)
    for span in message.spans:
        assert 0 <= span.start < span.end <= len(message.text)
    for button in message.buttons:
        assert button.text.strip()
        assert [bool(button.url), bool(DATA.fullmatch(button.data)), bool(button.share)].count(True) == 1
        assert len(button.data.encode()) <= 40
