"""A whole Parley in one process: real engine, real repositories over DynamoDB, a messenger that counts.

It can be killed at any call it makes to AWS or to the messenger, before the call or after it, and is then
started again: what was in its hands is delivered once more, as SQS would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from botocore.exceptions import ClientError

from shared import aws
from shared.credential import Credential
from shared.deletion.fence import Fence
from shared.delivery.sender import Sender
from shared.dialog.events import (
    ButtonPressed,
    Event,
    GivenBack,
    HandedOff,
    MessageReceived,
    OperatorWrote,
    TaskFinished,
    TimerFired,
)
from shared.dialog.history import HistoryEntry
from shared.dialog.manager import DialogManager, Outside
from shared.dialog.ports import HistoryRepository, StateRepository
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.dialog.replay import Difference, replay
from shared.dialog.state import Dialog, dialog_id_of
from shared.errors import Wait
from shared.platforms import adapter_for
from shared.platforms.base import Request, Response
from shared.queueing.consumer import Record
from shared.queueing.envelopes import (
    InboundEnvelope,
    OutboundEnvelope,
    TaskEnvelope,
    read_inbound,
    read_outbound,
    read_work,
)
from shared.queueing.giving_up import DeadLetters, giving_up
from shared.queueing.producer import SqsDeletions, SqsInbound, SqsOutbound, SqsTurnTasks
from shared.queueing.timers import Delays, Schedules, ScheduleTarget, Timers
from shared.storage.bots import Bot, DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.scenarios import DynamoScenarios, Scenario
from shared.storage.task_results import DynamoTaskResults
from shared.tasks.performing import Attempt, Job, TaskWorker, tries_of
from tests.dialog.doubles import PaperSealer

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BOT_ID = str(uuid5(NAMESPACE_URL, "bot"))
SCENARIO_ID = str(uuid5(NAMESPACE_URL, "scenario"))
CHAT_ID = "4242"
DIALOG_ID = dialog_id_of(BOT_ID, "telegram", CHAT_ID)


class Killed(BaseException):
    """The process is gone: no `except Exception` sees it."""


@dataclass(frozen=True)
class Death:
    """Before a call or after it; `has_sent` is whether what was done by then is in a queue already."""

    number: int
    after: bool
    has_sent: bool


@dataclass
class Fate:
    """Counts the calls that leave the process, and ends it at one of them.

    `begun` tells of each message that was taken up how many calls there had been by then.
    """

    kill_at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)

    def deaths(self) -> Iterator[Death]:
        """All that there are: before each call, and after the last one of a message.

        After any other the process has come as far as before the next one.
        """
        for first, end in pairwise([*self.begun, len(self.calls)]):
            for number in range(first, end):
                yield Death(number, after=False, has_sent=self._has_sent(first, number))
            if end > first:
                yield Death(end - 1, after=True, has_sent=self._has_sent(first, end))

    def _has_sent(self, first: int, end: int) -> bool:
        return any(call.startswith("SendMessage") for call in self.calls[first:end])

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        number = len(self.calls)
        self.calls.append(name)
        if number == self.kill_at and not self.after:
            raise Killed(name)
        yield
        if number == self.kill_at:
            raise Killed(name)


@dataclass
class Messenger:
    """Answers as Telegram does; remembers what it was sent."""

    fate: Fate = field(default_factory=Fate)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(self, request: Request) -> Response:
        with self.fate.call("messenger"):
            self.sent.append(dict(request.json))
            result = {"message_id": len(self.sent), "date": 0, "chat": {"id": 1, "type": "private"}}
            return Response(200, json.dumps({"ok": True, "result": result}).encode())


@dataclass
class Queue:
    """A FIFO queue of one group; with `deduplicates` off, its five minutes have always just passed."""

    deduplicates: bool = True
    bodies: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def put(self, body: str, name: str) -> None:
        if not (self.deduplicates and name in self.names):
            self.bodies.append(body)
        self.names.add(name)


class SqsClient:
    """The calls our producers make, over a `Queue`; what is delayed lies in `delays` until it is due."""

    def __init__(self, queue: Queue, fate: Fate) -> None:
        self._queue = queue
        self._fate = fate

    def send_message(self, **message: Any) -> dict[str, Any]:
        with self._fate.call("SendMessage"):
            body = message["MessageBody"]
            self._queue.put(body, message.get("MessageDeduplicationId", body))
        return {"MessageId": "1"}

    def send_message_batch(self, **batch: Any) -> dict[str, Any]:
        with self._fate.call("SendMessageBatch"):
            for message in batch["Entries"]:
                self._queue.put(message["MessageBody"], message["MessageDeduplicationId"])
        return {}


class SchedulerClient:
    """The one call our timers make: schedules, of which there is one of a name."""

    def __init__(self, schedules: dict[str, str], fate: Fate) -> None:
        self._schedules = schedules
        self._fate = fate

    def create_schedule(self, **schedule: Any) -> None:
        with self._fate.call("CreateSchedule"):
            if schedule["Name"] in self._schedules:
                answer = {"Error": {"Code": "ConflictException", "Message": ""}}
                raise ClientError(answer, "CreateSchedule")  # type: ignore[arg-type]
            self._schedules[schedule["Name"]] = schedule["Target"]["Input"]


class MortalSealer(PaperSealer):
    """Fate sees it seal."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    def seal(self, plain: bytes, context: Mapping[str, str]) -> str:
        with self._fate.call("Encrypt"):
            return super().seal(plain, context)


@dataclass
class World:
    """`inbound` and `outbound` are what is in the queues; `fate` decides when the process dies.

    `called` are the documents of scenarios that may be called, by id, `sync` what the bot tells of its sync.
    Tasks wait in their queue for `respond`, unless there are `jobs` to do them by. The clock of dialogs goes
    on with `later` only; that of the sender also when a message is held back.
    """

    document: dict[str, Any]
    deduplicates: bool = True
    fate: Fate = field(default_factory=Fate)
    dialogs: StateRepository = field(default_factory=DynamoDialogs)
    history: HistoryRepository = field(default_factory=DynamoHistory)
    called: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    sync: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inbound = Queue(deduplicates=True)
        self.outbound = Queue(deduplicates=self.deduplicates)
        self.tasks = Queue(deduplicates=self.deduplicates)
        self.delays = Queue(deduplicates=False)
        self.deletions = Queue(deduplicates=False)
        self.dead_tasks = Queue(deduplicates=False)
        self.schedules: dict[str, str] = {}
        self.messenger = Messenger(self.fate)
        self.now = self.sending_now = NOW
        DynamoBots().create(
            Bot(
                id=BOT_ID,
                account_id=BOT_ID,
                name="Bot",
                timezone="Europe/Moscow",
                active_scenario_id=SCENARIO_ID,
                active_revision=1,
                active_called=dict.fromkeys(self.called, 1),
                created_at=NOW,
                updated_at=NOW,
                **self.sync,
            )
        )
        for scenario_id, document in {SCENARIO_ID: self.document, **self.called}.items():
            head = Scenario(id=scenario_id, bot_id=BOT_ID, name="s", created_at=NOW, updated_at=NOW)
            DynamoScenarios().create(head, document)
        self.start()

    def start(self) -> None:
        """A fresh process: nothing is left in memory."""
        sqs: Any = partial(SqsClient, fate=self.fate)
        scheduler: Any = SchedulerClient(self.schedules, self.fate)
        target = ScheduleTarget("group", "arn:role", "arn:inbound", "arn:dead")
        self.manager = DialogManager(
            self.dialogs,
            self.history,
            ActiveScenarios(DynamoBots(), clock=self.clock),
            CompiledScenarios(DynamoScenarios()),
            SqsOutbound(sqs(self.outbound), "http://queue/outbound.fifo"),
            Timers(
                Delays(sqs(self.delays), "http://queue/delays"),
                Schedules(lambda: scheduler, target),
                lambda: self.now,
            ),
            SqsTurnTasks(sqs(self.tasks), "http://queue/tasks.fifo", "http://queue/syncs.fifo"),
            SqsDeletions(sqs(self.deletions), "http://queue/deletions"),
            MortalSealer(self.fate),
            Outside(now=lambda: self.now, random=lambda: 0.5),
        )
        credential = Credential("c", BOT_ID, "telegram", is_active=True, settings={"bot_token": "1:a"})
        self.sender = Sender(
            self.history,
            lambda _bot, _platform: credential,
            adapter_for,
            self.messenger,
            lambda: self.sending_now,
            lambda: 900.0,
        )
        self.worker = TaskWorker(
            self.jobs,
            SqsInbound(sqs(self.inbound), "http://queue/inbound.fifo"),
            DynamoTaskResults(),
            lambda: self.now,
            Fence(lambda *_: credential, DynamoBots(), DynamoDialogs()).is_awaited,
        )
        self.dead_letters = DeadLetters(sqs(self.dead_tasks), "http://queue/tasks-dead.fifo")

    def clock(self) -> float:
        return self.now.timestamp()

    # --- what happens to it -----------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """An event arrives in the inbound queue."""
        envelope = InboundEnvelope(
            dialog_id=DIALOG_ID,
            bot_id=BOT_ID,
            platform="telegram",
            platform_chat_id=CHAT_ID,
            event=event,
            received_at=self.now,
            trace_id="t",
        )
        self.inbound.put(_encoded(envelope), event.id)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.tell(MessageReceived(text=text, **self._event()))

    def press(self, label: str) -> None:
        """Press the last button with this label."""
        said = [entry.message_data for entry in self.entries if entry.n]
        buttons = [button for message in said for button in message.get("buttons", ())]
        data = next(button["data"] for button in reversed(buttons) if button["text"] == label)
        self.tell(ButtonPressed(data=data, **self._event()))

    def respond(self, **result: Any) -> None:
        """The task that was sent last is done."""
        task = task_in(self.tasks.bodies[-1])
        done = TaskFinished(epoch=task.epoch, task=task.task.number, result=result, **self._event())
        self.tell(done)

    def operate(self, event: type[HandedOff | OperatorWrote | GivenBack], **fields: Any) -> None:
        self.tell(event(by="operator", **fields, **self._event()))

    def later(self, **time: float) -> None:
        """Time goes by; what is due by then arrives in the inbound queue, each when it is due."""
        end = self.now + timedelta(**time)
        self.settle()
        while due := self._next_due(end):
            self.now = due.occurred_at
            self.tell(due)
            self.settle()
        self.now = self.sending_now = end

    def _next_due(self, end: datetime) -> TimerFired | None:
        waiting = [*self.delays.bodies, *self.schedules.values()]
        events = [read_inbound(body).event for body in waiting]
        timers = [event for event in events if isinstance(event, TimerFired)]
        due = [each for each in timers if each.occurred_at <= end and each.id not in self.inbound.names]
        return min(due, key=lambda each: each.occurred_at, default=None)

    def _event(self) -> dict[str, Any]:
        return {"id": f"u{len(self.inbound.names) + 1}", "occurred_at": self.now}

    # --- what it does about it --------------------------------------------------------------------

    def settle(self) -> None:
        """Run all workers until the queues are empty, starting again whenever they are killed."""
        while self.inbound.bodies or (self.jobs and self.tasks.bodies):
            self._drain(self.inbound, lambda record: self.manager.handle(read_inbound(record.body)))
            if self.jobs:
                self._drain(self.tasks, giving_up(self._work, self._bury, "tasks", tries_of))
        self._drain(self.outbound, self._deliver)

    def _deliver(self, record: Record) -> None:
        self.sender.deliver(read_outbound(record.body), is_repeat=record.receive_count > 1)

    def _work(self, record: Record) -> None:
        self.worker.perform(read_work(record.body), Attempt(record.receive_count, lambda: 120.0))

    def _bury(self, record: Record, error: Exception) -> None:
        work = read_work(record.body)
        self.worker.give_up(work, error)
        self.dead_letters.put(record, work, error)

    def _drain(self, queue: Queue, handle: Callable[[Record], object]) -> None:
        received = 0
        while queue.bodies:
            received += 1
            try:
                self.fate.begun.append(len(self.fate.calls))
                with _every_aws_call(self.fate):
                    handle(Record("1", "handle", DIALOG_ID, received, queue.bodies[0]))
            except Killed:
                self.start()
                continue
            except Wait as wait:
                self.sending_now += timedelta(seconds=wait.seconds)
                continue
            queue.bodies.pop(0)
            received = 0

    def difference(self) -> Difference | None:
        """What a replay of the whole conversation finds."""
        program_of = CompiledScenarios(DynamoScenarios()).get
        return replay(self.dialog, self.entries, program_of, PaperSealer().open)

    @property
    def dialog(self) -> Dialog:
        dialog = self.dialogs.load(DIALOG_ID)
        assert dialog is not None
        return dialog

    @property
    def entries(self) -> list[HistoryEntry]:
        return self.history.after(DIALOG_ID, self.dialog.epoch, "", 200)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.messenger.sent]


def _encoded(envelope: InboundEnvelope | OutboundEnvelope) -> str:
    return msgspec.json.encode(envelope).decode()


@contextmanager
def _every_aws_call(fate: Fate) -> Iterator[None]:
    """Let fate see each call of the DynamoDB client, on its way out and on its way back."""
    events = aws.client("dynamodb").meta.events
    open_calls: list[Any] = []

    def leaving(model: Any, **_: Any) -> None:
        call = fate.call(model.name)
        call.__enter__()
        open_calls.append(call)

    def returning(**_: Any) -> None:
        open_calls.pop().__exit__(None, None, None)

    events.register("before-call.dynamodb", leaving, unique_id="fate-leaving")
    events.register("after-call.dynamodb", returning, unique_id="fate-returning")
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", unique_id="fate-leaving")
        events.unregister("after-call.dynamodb", unique_id="fate-returning")


def task_in(body: str) -> TaskEnvelope:
    """The dialog's task that lies in the tasks queue."""
    work = read_work(body)
    assert isinstance(work, TaskEnvelope)
    return work
