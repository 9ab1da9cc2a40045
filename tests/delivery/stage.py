"""A sender on a stage: a script of what the messenger does next, and everything that came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.credential import Credential
from shared.delivery.holds import Hold
from shared.delivery.sender import Sender
from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.messages import Message
from shared.platforms.base import Capabilities, Delivery, Outcome, Rendered, Request, Response
from shared.queueing.envelopes import OutboundEnvelope
from shared.storage.memory import MemoryHistory

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DIALOG = "3f2c4d1e-0000-4000-8000-000000000001"
SENT = Delivery(Outcome.SENT, message_id="m")

Step = Delivery | Exception


class OneRequestPerLine:
    """A messenger that takes a line a request, and whose responses are outcomes by number."""

    platform = "telegram"

    def __init__(
        self, outcomes: list[Delivery], *, names_messages: bool, window: timedelta | None = None
    ) -> None:
        self.outcomes = outcomes
        self.capabilities = Capabilities(
            max_text=10,
            max_buttons=0,
            max_button_label=0,
            receipts_by_message_id=names_messages,
            window=window,
        )

    def verify(self, *_: Any) -> bool:
        raise NotImplementedError

    def parse(self, *_: Any) -> Any:
        raise NotImplementedError

    def render(self, message: Message, chat_id: str, _credential: Credential, delivery_id: str) -> Rendered:
        lines = message.text.split("\n") if message.text else []
        to = {"to": chat_id, "id": delivery_id}
        return Rendered(
            tuple(
                Request(
                    "url",
                    {"line": line, **to},
                    instead=_instead(line),
                    for_old_apps=_for_old_apps(line),
                    may_be_refused=line == "tidy",
                )
                for line in lines
            )
        )

    def render_template(self, message: Message, *_: Any) -> Rendered | None:
        name = message.template and message.template.name
        return Rendered((Request("url", {"line": f"template {name}"}),)) if name else None

    def interpret(self, response: Response) -> Delivery:
        return self.outcomes[int(response.body)]

    def typing(self, chat_id: str, _credential: Credential, last_message_id: str) -> Request | None:
        return Request("url", {"line": f"typing to {chat_id}, {last_message_id}"})


def _instead(line: str) -> Request | None:
    """A line that is a picture can be told by its address."""
    return Request("url", {"line": f"link to {line}"}) if line.startswith("picture") else None


def _for_old_apps(line: str) -> Request | None:
    """A line that asks to share can do without."""
    return Request("url", {"line": f"no button, {line}"}) if line.startswith("share") else None


class KeptNames(dict[tuple[str, str, str], str]):
    """Messengers' names of messages."""

    def put(self, bot_id: str, platform: str, message_id: str, delivery_id: str) -> None:
        self[bot_id, platform, message_id] = delivery_id

    def get(self, bot_id: str, platform: str, message_id: str) -> str | None:  # type: ignore[override]
        return dict.get(self, (bot_id, platform, message_id))


@dataclass
class Stage:
    """A sender, a script of what the messenger does next, and what came of it."""

    script: list[Step] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    history: MemoryHistory = field(default_factory=MemoryHistory)
    writes: int = 0
    is_active: bool = True
    seconds: float = 900.0
    now: datetime = NOW
    credential: Callable[[], Credential | None] | None = None
    fresh: Credential | None = None
    status: int = 200
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    names: KeptNames = field(default_factory=KeptNames)
    names_messages: bool = False
    window: timedelta | None = None
    found: list[tuple[str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def get(self, bot_id: str, platform: str) -> Hold | None:
        hold = self.holds.get((bot_id, platform))
        return hold if hold and hold.until > self.now else None

    def put(self, bot_id: str, platform: str, hold: Hold) -> None:
        self.holds[bot_id, platform] = hold

    def gone(self, _envelope: OutboundEnvelope, reason: str, _at: datetime) -> None:
        self.found.append(("gone", reason))

    def refused(self, _bot_id: str, _platform: str, reason: str, _at: datetime) -> None:
        self.found.append(("refused", reason))

    def send(self, request: Request) -> Response:
        self.lines.append(request.json["line"])
        step = self.script.pop(0) if self.script else SENT
        if isinstance(step, Exception):
            raise step
        self.adapter.outcomes.append(step)
        return Response(self.status, str(len(self.adapter.outcomes) - 1).encode())

    def record(self, entry: HistoryEntry) -> None:
        self.writes += 1
        self.history.record(entry)

    def of_turn(self, dialog_id: str, epoch: str, turn: int) -> list[HistoryEntry]:
        return self.history.of_turn(dialog_id, epoch, turn)

    def after(self, *place: Any, **order: Any) -> list[HistoryEntry]:
        return self.history.after(*place, **order)

    def deliver(self, *said: str | Message, is_repeat: bool = False, **more: Any) -> tuple[str, ...]:
        return self.sender().deliver(envelope(said, **more), is_repeat=is_repeat)

    def sender(self) -> Sender:
        self.adapter = OneRequestPerLine([], names_messages=self.names_messages, window=self.window)
        connected = Credential("c", "b", "telegram", is_active=self.is_active, settings={})
        return Sender(
            self,
            lambda *_: self.credential() if self.credential else connected,
            lambda _: self.adapter,
            self,
            lambda: self.now,
            lambda: self.seconds,
            lambda *_: self.fresh or connected,
            holds=self,
            names=self.names,
            findings=self,
            hint=lambda request: self.hints.append(request.json["line"]),
        )

    def records(self) -> list[DeliveryRecord]:
        found = [entry.delivery for entry in self.history.of_turn(DIALOG, "e", 1)]
        return [record for record in found if record]

    def statuses(self) -> list[str]:
        return [record.status for record in self.records()]


def envelope(said: Sequence[str | Message], *, turn: int = 1, **more: Any) -> OutboundEnvelope:
    return OutboundEnvelope(
        dialog_id=DIALOG,
        epoch="e",
        turn=turn,
        bot_id="b",
        platform="telegram",
        platform_chat_id="7",
        messages=tuple(each if isinstance(each, Message) else Message(each) for each in said),
        trace_id="t",
        **more,
    )
