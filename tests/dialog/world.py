"""A whole Parley in one process: real engine, real repositories over DynamoDB, a messenger that counts.

It can be killed at any call it makes to AWS or to the messenger, before the call or after it, and is then
started again: what was in its hands is delivered once more, as SQS would.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from shared import aws
from shared.credential import Credential
from shared.delivery.sender import Sender
from shared.dialog.events import Event, MessageReceived
from shared.dialog.history import HistoryEntry
from shared.dialog.manager import CompiledScenarios, DialogManager, Outside
from shared.dialog.ports import HistoryRepository, StateRepository
from shared.dialog.state import Dialog, dialog_id_of
from shared.platforms import adapter_for
from shared.platforms.base import Request, Response
from shared.queueing.envelopes import InboundEnvelope, OutboundEnvelope, read_inbound, read_outbound
from shared.queueing.producer import SqsOutbound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.scenarios import DynamoScenarios, Scenario

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BOT_ID = str(uuid5(NAMESPACE_URL, "bot"))
SCENARIO_ID = str(uuid5(NAMESPACE_URL, "scenario"))
CHAT_ID = "4242"
DIALOG_ID = dialog_id_of(BOT_ID, "telegram", CHAT_ID)


class Killed(BaseException):
    """The process is gone: no `except Exception` sees it."""


@dataclass
class Fate:
    """Counts the calls that leave the process, and ends it at one of them."""

    kill_at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)

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
    """The calls our producer makes, over a `Queue`."""

    def __init__(self, queue: Queue, fate: Fate) -> None:
        self._queue = queue
        self._fate = fate

    def send_message(self, **message: Any) -> dict[str, Any]:
        with self._fate.call("SendMessage"):
            self._queue.put(message["MessageBody"], message["MessageDeduplicationId"])
        return {"MessageId": "1"}


@dataclass
class World:
    """`inbound` and `outbound` are what is in the queues; `fate` decides when the process dies."""

    document: dict[str, Any]
    deduplicates: bool = True
    fate: Fate = field(default_factory=Fate)
    dialogs: StateRepository = field(default_factory=DynamoDialogs)
    history: HistoryRepository = field(default_factory=DynamoHistory)

    def __post_init__(self) -> None:
        self.inbound = Queue(deduplicates=True)
        self.outbound = Queue(deduplicates=self.deduplicates)
        self.messenger = Messenger(self.fate)
        DynamoBots().create(
            Bot(
                id=BOT_ID,
                account_id=BOT_ID,
                name="Bot",
                active_scenario_id=SCENARIO_ID,
                active_revision=1,
                created_at=NOW,
                updated_at=NOW,
            )
        )
        head = Scenario(
            id=SCENARIO_ID,
            bot_id=BOT_ID,
            name="s",
            description="",
            version="1.0",
            latest_revision=1,
            created_at=NOW,
            updated_at=NOW,
        )
        DynamoScenarios().create(head, self.document)
        self.start()

    def start(self) -> None:
        """A fresh process: nothing is left in memory."""
        self.manager = DialogManager(
            self.dialogs,
            self.history,
            DynamoBots(),
            CompiledScenarios(DynamoScenarios()),
            SqsOutbound(SqsClient(self.outbound, self.fate), "http://queue/outbound.fifo"),  # type: ignore[arg-type]
            Outside(now=lambda: NOW, random=lambda: 0.5),
        )
        credential = Credential("c", BOT_ID, "telegram", is_active=True, settings={"bot_token": "1:a"})
        self.sender = Sender(
            self.history,
            lambda _bot, _platform: credential,
            adapter_for,
            self.messenger,
            lambda: NOW,
            lambda: 900.0,
        )

    def tell(self, event: Event) -> None:
        """An event arrives in the inbound queue."""
        envelope = InboundEnvelope(
            dialog_id=DIALOG_ID,
            bot_id=BOT_ID,
            platform="telegram",
            platform_chat_id=CHAT_ID,
            event=event,
            received_at=NOW,
            trace_id="t",
        )
        self.inbound.put(_encoded(envelope), event.id)

    def say(self, *texts: str) -> None:
        for text in texts:
            number = len(self.inbound.names) + 1
            self.tell(MessageReceived(id=f"u{number}", occurred_at=NOW, text=text))

    def settle(self) -> None:
        """Run both workers until the queues are empty, starting again whenever they are killed."""
        self._drain(self.inbound, lambda body, **_: self.manager.handle(read_inbound(body)))
        self._drain(self.outbound, self._deliver)

    def _deliver(self, body: str, *, is_repeat: bool) -> None:
        self.sender.deliver(read_outbound(body), is_repeat=is_repeat)

    def _drain(self, queue: Queue, handle: Callable[..., Any]) -> None:
        received = 0
        while queue.bodies:
            received += 1
            try:
                with _every_aws_call(self.fate):
                    handle(queue.bodies[0], is_repeat=received > 1)
            except Killed:
                self.start()
                continue
            queue.bodies.pop(0)
            received = 0

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
