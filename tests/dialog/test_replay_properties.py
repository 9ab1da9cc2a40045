"""Whatever happens to a dialog, in whatever order, a replay comes to the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.dialog.events import (
    ButtonPressed,
    ConversationStarted,
    GivenBack,
    HandedOff,
    OperatorWrote,
    RunRequested,
    TaskFinished,
    TimerFired,
)
from shared.dialog.history import HistoryEntry
from shared.dialog.replay import replay as replayed
from shared.dialog.state import Dialog
from tests.dialog.test_manager import Parley, said, sealed
from tests.dialog.world import BOT_ID, SCENARIO_ID

SECRET = "4510123456"
CHILD = str(uuid5(NAMESPACE_URL, "child"))
CALLED: dict[str, Any] = {
    "version": "1.0",
    "variables": {"pin": {"type": "string", "sensitive": True}},
    "steps": [
        {"id": "pin", "message": {"text": "PIN?"}, "expected_input": {"type": "text", "variable": "pin"}},
    ],
}


def document(words: str) -> dict[str, Any]:
    """A bit of everything; its revisions differ in words, and in what leads where."""
    return {
        "version": "1.0",
        "languages": ["en", "ru"],
        "variables": {
            "passport": {"type": "string", "sensitive": True},
            "visits": {"type": "integer", "initial": 0, "scope": "person"},
        },
        "commands": {"/help": {"next_step": "help", "resume": True}, "/back": {"back": True}},
        "after_end": "restart",
        "conditions": [{"if": "visits > 2", "then": "talk"}],
        "steps": [
            {
                "id": "name",
                "before": {"visits": "visits + 1", "luck": "random"},
                "message": {"text": words},
                "expected_input": {
                    "type": "text",
                    "variable": "name",
                    "timeout": {"after": "1h", "remind": "Well?", "next_step": "talk"},
                },
                "next_step": "passport",
            },
            {
                "id": "passport",
                "message": {
                    "text": "Passport, {{ name }}{{ answered.contact ? ' of ' + contact.town : '' }}?"
                },
                "expected_input": {
                    "type": "text",
                    "variable": "passport",
                    "validation": {"pattern": "[0-9]+"},
                    "max_attempts": 2,
                    "on_failure": "talk",
                },
                "next_step": "choose",
            },
            {
                "id": "choose",
                "message": {"text": "{{ luck }}"},
                "buttons": [{"text": "Think", "value": 1}, {"text": "Call", "value": 2, "next_step": "call"}],
                "expected_input": {"type": "button", "variable": "choice"},
                "next_step": "think",
            },
            {"id": "think", "llm": {"prompt": "{{ name }}", "variable": "thought"}, "next_step": "pause"},
            {"id": "pause", "wait": "30s", "next_step": "choose"},
            {
                "id": "call",
                "scenario": {"id": CHILD, "outputs": {"length": "size(pin)"}},
                "next_step": "talk",
            },
            {"id": "talk", "handoff": {"reason": "{{ name }}", "timeout": "1h"}},
            {
                "id": "help",
                "message": {"text": "Help?"},
                "expected_input": {"type": "text", "variable": "topic"},
            },
        ],
    }


REVISIONS = (
    document("Name?"),
    document("Your name?"),
    {**document("?"), "steps": document("?")["steps"][:3], "first_message": "answer"},
)
SYNCS: tuple[dict[str, Any], ...] = (
    {"has_sync": False, "contact_fields": {}},
    {"has_sync": True, "contact_fields": {"town": "string"}},
    {"has_sync": True, "contact_fields": {"town": "date", "floor": "integer"}},
)
RESULTS: tuple[dict[str, Any], ...] = (
    {"text": "Hm"},
    {"contact": {"town": "Köln", "floor": 3}},
    {"contact": {"town": "2026-11-22"}},
    {"contact": {}},
)


class Life(Parley):
    """A dialog to which anything may happen."""

    def __init__(self) -> None:
        super().__init__(REVISIONS[0])
        head = self.scenarios.get(SCENARIO_ID)
        self.scenarios.create(replace(head, id=CHILD), CALLED)
        for each in REVISIONS[1:]:
            self.scenarios.add_revision(SCENARIO_ID, each, "s", "", "1.1")
        self.activate(1, called={CHILD: 1})
        self.events = 0

    def happen(self, kind: Callable[..., Any], **fields: Any) -> None:
        self.events += 1
        self.now += timedelta(seconds=7)
        self.manager.handle(sealed(kind(id=str(self.events), occurred_at=self.now, **fields)))

    def tell(self, text: str, minutes: int = 0) -> None:
        self.events += 1
        self.now += timedelta(seconds=7)
        envelope = said(text, str(self.events))
        at = self.now - timedelta(minutes=minutes)
        event = msgspec.structs.replace(envelope.event, occurred_at=at)
        self.manager.handle(msgspec.structs.replace(envelope, event=event))

    def press(self, place: int) -> None:
        shown = [b.data for e in self.outbound.envelopes for m in e.messages for b in m.buttons if b.data]
        self.happen(ButtonPressed, data=shown[place % len(shown)] if shown else "nothing")

    def fire(self, place: int) -> None:
        """A timer, perhaps long forgotten."""
        timers = self.timers.timers
        if timers:
            self.now += timedelta(hours=1)
            number = timers[place % len(timers)].number
            self.happen(TimerFired, epoch=self.epoch, timer=number)

    def finish(self, place: int, result: dict[str, Any]) -> None:
        tasks = self.tasks.tasks
        if tasks:
            number, fails = tasks[place % len(tasks)].number, place == 1
            answer: dict[str, Any] = {"error": "timeout"} if fails else {"result": result}
            self.happen(TaskFinished, epoch=self.epoch, task=number, **answer)

    def activated(self, revision: int, running: str) -> None:
        self.activate(revision, running, called={CHILD: 1})
        self.now += timedelta(minutes=1)

    def set_up(self, sync: dict[str, Any]) -> None:
        self.bots.change(BOT_ID, **sync)
        self.now += timedelta(minutes=1)

    @property
    def epoch(self) -> str:
        dialog: Dialog = self.dialog
        return dialog.epoch


WORDS = ["Anna", "7", "12345", "x", "/start", "/start ref", "/help", "/back", "Call", "think", "•••", ""]
PLACES = st.integers(-3, 3)
ACTS: st.SearchStrategy[Callable[[Life], None]] = st.one_of(
    st.builds(lambda text: lambda life: life.tell(text), st.sampled_from(WORDS)),
    st.builds(lambda text: lambda life: life.tell(text), st.sampled_from(WORDS)),
    st.builds(lambda text: lambda life: life.tell(text, 60), st.sampled_from(WORDS)),
    st.builds(lambda place: lambda life: life.press(place), PLACES),
    st.builds(lambda place: lambda life: life.fire(place), PLACES),
    st.builds(
        lambda place, result: lambda life: life.finish(place, result), PLACES, st.sampled_from(RESULTS)
    ),
    st.builds(lambda sync: lambda life: life.set_up(sync), st.sampled_from(SYNCS)),
    st.builds(
        lambda revision, running: lambda life: life.activated(revision, running),
        st.sampled_from([1, 2, 3]),
        st.sampled_from(["keep", "move", "restart"]),
    ),
    st.sampled_from(
        [
            lambda life: life.happen(HandedOff, reason="why"),
            lambda life: life.happen(OperatorWrote, text="Hello"),
            lambda life: life.happen(GivenBack),
            lambda life: life.happen(GivenBack, step_id="choose"),
            lambda life: life.happen(RunRequested, variables={"passport": SECRET, "colour": 1}),
            lambda life: life.happen(ConversationStarted, only_opens=True),
        ]
    ),
)


@settings(max_examples=60)
@given(st.sampled_from(SYNCS), st.lists(ACTS, min_size=5, max_size=40))
def test_any_dialog_replays(sync: dict[str, Any], acts: list[Callable[[Life], None]]) -> None:
    life = Life()
    life.set_up(sync)
    life.tell("hello")
    for act in acts:
        act(life)
    history = [msgspec.json.encode(entry) for entry in life.entries]
    entries = [msgspec.json.decode(each, type=HistoryEntry) for each in history]
    assert replayed(life.dialog, entries, life.manager.scenarios.get, life.sealer.open) is None
    assert SECRET.encode() not in b"".join(history)
