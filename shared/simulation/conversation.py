"""A dialog in memory: the engine of a deployment, with nothing around it.

Time stands still until somebody lets it pass, and `random` is always the same, so the same acts always
make the same conversation.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from shared.dialog.events import FROM_PERSON, Event, Person, TaskFinished, TimerFired
from shared.dialog.messages import Message
from shared.dialog.processor import Moment, ScenarioProcessor
from shared.dialog.state import Dialog, Status, Task, Timer
from shared.scenario.compiled import CompiledScenario
from shared.scenario.compiler import compile_scenario
from shared.scenario.fields import CONTACT
from shared.scenario.kinds import fits, kind_of
from shared.scenario.variables import NOTHING_KNOWN
from shared.simulation.board import Board
from shared.simulation.errors import Senseless

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When a conversation takes place unless somebody says so."""

EPOCH = "00000000"

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""No conversation begins earlier, or lasts longer."""

Documents = Mapping[str, Mapping[str, Any]]
"""The documents of called scenarios by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a conversation begins; every run of it starts with the `given` variables.

    Among these `contact` is what is known of the person; `contact_fields` has the types that the bot's
    settings say, and nothing where there are none.
    """

    platform: str = "telegram"
    language: str = "en"
    now: datetime = NOON
    given: Mapping[str, Any] = field(default_factory=dict)
    random: float = 0.5
    bot_name: str = ""
    timezone: str = "UTC"
    contact_fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def record(self) -> Mapping[str, Any]:
        """What is known of the person."""
        record = self.given.get(CONTACT)
        return record if isinstance(record, Mapping) else {}

    def known_of(self, records: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
        """The types of what may be known of people: as the settings say, or else told from the records."""
        return self.contact_fields or _types_in(records)


def _types_in(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for name, value in (pair for record in records for pair in record.items()):
        kinds = found.setdefault(name, set())
        if value is not None:
            kinds.add("date" if fits(value, "date") else kind_of(value))
    return {name: kinds.pop() if len(kinds) == 1 else "any" for name, kinds in found.items()}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one act brought about, and how the dialog stands after it.

    `task` is the work that waits to be answered, `due` when something will happen by itself.
    """

    messages: tuple[Message, ...]
    notes: tuple[str, ...]
    ended_runs: tuple[dict[str, Any], ...]
    step: str | None
    status: Status
    variables: dict[str, Any]
    task: Task | None
    due: tuple[datetime, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Program:
    """A scenario with those that it calls, compiled once for many conversations."""

    scenario: CompiledScenario
    called: Mapping[str, CompiledScenario]

    @classmethod
    def of(
        cls,
        document: Mapping[str, Any],
        called: Documents | None = None,
        contact: Mapping[str, str] = NOTHING_KNOWN,
    ) -> Program:
        """Compile documents whose form `document.read` has accepted."""
        compiled = partial(compile_scenario, contact=contact)
        others = {scenario_id: compiled(each) for scenario_id, each in (called or {}).items()}
        return cls(compiled(document), others)

    def begin(self, opening: Opening) -> Conversation:
        """A conversation before its first word. Raises `Senseless` for variables that are none."""
        unknown = opening.given.keys() - self.scenario.environment.variables - {CONTACT}
        if unknown:
            raise Senseless(f"“given” names {', '.join(sorted(unknown))}, which the scenario does not know")
        if not isinstance(opening.given.get(CONTACT), Mapping | None):
            raise Senseless("“contact” in “given” is a map: a value for each field")
        if beside := opening.record.keys() - self.scenario.contact:
            named = ", ".join(sorted(beside))
            raise Senseless(f"“contact” in “given” names {named}, which nobody knows of people here")
        given = {**self.scenario.initial, **opening.given}
        initial = {name: value for name, value in given.items() if value is not None and name != CONTACT}
        begun = msgspec.structs.replace(self.scenario, initial=initial)
        return Conversation(begun, self.called, opening)


class Conversation:
    """One dialog. `messages`, `notes` and `ended_runs` are those since the last act began, `ways` all."""

    def __init__(
        self, scenario: CompiledScenario, called: Mapping[str, CompiledScenario], opening: Opening
    ) -> None:
        self._processor = ScenarioProcessor(scenario, called)
        self._person = Person(language=opening.language)
        self._random = opening.random
        self._record = dict(opening.record)
        self._events = 0
        self._timers: list[tuple[datetime, int]] = []
        self._tasks: dict[int, Task] = {}
        self.now = _in_reach(opening.now)
        self.dialog = _dialog_of(opening, self.now)
        self.board = Board()
        self.messages: list[Message] = []
        self.notes: list[str] = []
        self.ended_runs: list[dict[str, Any]] = []
        self.ways: set[tuple[str, str, str]] = set()

    # --- what happens -------------------------------------------------------------------------------

    def begin_act(self) -> None:
        """What was said until now is no longer what was said last."""
        for last in (self.messages, self.notes, self.ended_runs):
            last.clear()

    def apply(self, event: Event) -> None:
        """One turn of the engine; delays between its messages are over at once.

        What is known of the person comes at once, too: nobody has to answer that.
        """
        is_persons = isinstance(event, FROM_PERSON)
        if is_persons:
            event = msgspec.structs.replace(event, person=self._person)
        turn = self._processor.advance(self.dialog, event, Moment(self.now, self._random))
        self.dialog = msgspec.structs.replace(
            turn.dialog,
            turn=self.dialog.turn + 1,
            updated_at=self.now,
            last_interaction_at=self.now if is_persons else self.dialog.last_interaction_at,
        )
        for timer in turn.timers:
            heapq.heappush(self._timers, (timer.due, timer.number))
        self._tasks |= {task.number: task for task in turn.tasks}
        self.board.show(turn.messages, self.dialog)
        self.messages += turn.messages
        self.notes += turn.notes
        self.ended_runs += turn.ended_runs
        self.ways.update(turn.ways)
        if (asked := self.dialog.contact_task) is not None:
            result = {"contact": self._record}
            self.apply(TaskFinished(epoch=EPOCH, task=asked, result=result, **self.stamp()))

    def advance(self, seconds: int) -> None:
        """Let time pass; everything that falls due happens at its own time."""
        until = min(self.now + timedelta(seconds=seconds), LAST)
        while self._timers and self._timers[0][0] <= until:
            due, number = heapq.heappop(self._timers)
            self.now = max(self.now, due)
            self.apply(TimerFired(epoch=EPOCH, timer=number, **self.stamp()))
        self.now = until

    def stamp(self) -> dict[str, Any]:
        """The id and the time of the next event."""
        self._events += 1
        return {"id": str(self._events), "occurred_at": self.now}

    # --- how it stands ------------------------------------------------------------------------------

    @property
    def task(self) -> Task | None:
        """The task that the dialog waits for."""
        pending = self.dialog.pending
        return self._tasks.get(pending.number) if pending else None

    @property
    def labels(self) -> list[str]:
        """The scenario's own buttons under the last message with any since the last act began."""
        for message in reversed(self.messages):
            if own := [button.text for button in message.buttons if self.board.is_of_author(button)]:
                return own
        return []

    def outcome(self) -> Outcome:
        """What the last act brought about."""
        return Outcome(
            messages=tuple(self.messages),
            notes=tuple(self.notes),
            ended_runs=tuple(self.ended_runs),
            step=self.dialog.current_step,
            status=self.dialog.status,
            variables=self.dialog.variables,
            task=self.task,
            due=tuple(sorted(timer.due for timer in _timers_of(self.dialog))),
            now=self.now,
        )


def _in_reach(moment: datetime) -> datetime:
    """In UTC, which it is in unless it says otherwise."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(aware, FIRST), LAST).astimezone(UTC)


def _dialog_of(opening: Opening, now: datetime) -> Dialog:
    return Dialog(
        id="simulation",
        bot_id="simulation",
        platform=opening.platform,
        platform_chat_id="simulation",
        epoch=EPOCH,
        created_at=now,
        updated_at=now,
        last_interaction_at=now,
        bot_name=opening.bot_name,
        timezone=opening.timezone,
    )


def _timers_of(dialog: Dialog) -> Iterator[Timer]:
    """The timers that still mean something."""
    holders = (dialog.ask, dialog.detour and dialog.detour.ask, dialog.pending, dialog.handoff)
    return (holder.timer for holder in holders if holder and holder.timer)
