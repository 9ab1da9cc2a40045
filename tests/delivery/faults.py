"""A messenger at its worst, and senders that deliver to it in parallel.

    python -m tests.delivery.faults [--messages 5000] [--dialogs 200] [--bots 5] [--handlers 8]

Every message has a fate that is drawn before: the faults that its tries meet one after the other, and how
it ends. So afterwards it is known what should have become of each.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from shared.credential import Credential
from shared.delivery.holds import Hold
from shared.delivery.sender import Sender
from shared.delivery.transport import AnswerLost, HttpTransport
from shared.dialog.history import DeliveryRecord
from shared.dialog.messages import Message
from shared.platforms.base import Capabilities, Delivery, Outcome, Rendered, Request, Response
from shared.queueing.envelopes import OutboundEnvelope
from shared.storage.memory import MemoryHistory
from tests.delivery.queue import FastClock, FifoQueue, work
from tests.standins.server import Answer, Incoming, StandIn, answer_json

Fault = Literal["chat limit", "bot limit", "5xx", "reset", "lost", "late"]
End = Literal["sent", "400", "403"]

FAULTS: tuple[Fault, ...] = ("chat limit", "chat limit", "bot limit", "5xx", "5xx", "reset", "lost", "late")
LOSE_THE_ANSWER: frozenset[Fault] = frozenset({"reset", "lost", "late"})
SPEED = 50.0
TIMEOUT_SECONDS = 0.3


@dataclass
class Fate:
    """What the next tries meet, and what comes of the message in the end."""

    faults: list[Fault]
    end: End
    drawn: frozenset[Fault] = frozenset()

    def __post_init__(self) -> None:
        self.drawn = frozenset(self.faults)


class Messenger(StandIn):
    """Does to each message what its fate says; `taken` are the texts of each chat as it has shown them."""

    def __init__(self, fates: dict[str, Fate]) -> None:
        super().__init__()
        self.fates = fates
        self.taken: dict[str, list[str]] = defaultdict(list)
        self.gone: set[str] = set()

    def is_send(self, _request: Incoming) -> bool:
        return True

    def handle(self, request: Incoming) -> Answer | None:
        """As `answer`, without keeping each request; None where the connection is to be dropped."""
        return self._meet(request.body["to"], request.body["text"])

    def answer(self, request: Incoming) -> Answer:
        raise NotImplementedError

    def _meet(self, chat_id: str, text: str) -> Answer | None:
        with self.changed:
            fate = self.fates[text]
            fault = fate.faults.pop(0) if fate.faults and chat_id not in self.gone else None
            if fault in {"lost", "late"} or (fault is None and fate.end == "sent"):
                answer = self._take(chat_id, text)
            else:
                answer = self._refuse(fault, fate.end, chat_id)
        if fault == "late":
            time.sleep(TIMEOUT_SECONDS * 2)
        return None if fault in {"lost", "reset"} else answer

    def _take(self, chat_id: str, text: str) -> Answer:
        if chat_id in self.gone:
            return answer_json({}, 403)
        self.taken[chat_id].append(text)
        return answer_json({"id": f"{text}/{len(self.taken[chat_id])}"})

    def _refuse(self, fault: Fault | None, end: End, chat_id: str) -> Answer:
        match fault:
            case "chat limit" | "bot limit":
                return answer_json({"whose": fault.split()[0], "retry_after": 2}, 429)
            case "5xx" | "reset":
                return answer_json({}, 503)
        if end == "403":
            self.gone.add(chat_id)
        return answer_json({}, int(end) if end != "sent" and chat_id not in self.gone else 403)


class Plain:
    """The least that an adapter has to do."""

    platform = "plain"
    capabilities = Capabilities(max_text=1000, max_buttons=0, max_button_label=0)

    def __init__(self, url: str) -> None:
        self._url = url

    def verify(self, *_: Any) -> bool:
        raise NotImplementedError

    def parse(self, *_: Any) -> Any:
        raise NotImplementedError

    def render_template(self, *_: Any) -> None:
        return None

    def typing(self, *_: Any) -> None:
        return None

    def render(self, message: Message, chat_id: str, *_: Any) -> Rendered:
        return Rendered((Request(self._url, {"text": message.text, "to": chat_id}),))

    def interpret(self, response: Response) -> Delivery:
        said = json.loads(response.body)
        match response.status:
            case 200:
                return Delivery(Outcome.SENT, said["id"])
            case 429:
                whose = Outcome.BOT_LIMITED if said["whose"] == "bot" else Outcome.CHAT_LIMITED
                return Delivery(whose, retry_after_seconds=said["retry_after"], reason="429")
            case 400:
                return Delivery(Outcome.BAD_PAYLOAD, reason="400")
            case 403:
                return Delivery(Outcome.RECIPIENT_GONE, reason="403")
        return Delivery(Outcome.RETRY, reason=str(response.status))


@dataclass
class Watched:
    """A transport; `lost` are the texts whose answers were lost, by fate or by the machine's being slow."""

    transport: HttpTransport
    lost: set[str] = field(default_factory=set)

    def send(self, request: Request) -> Response:
        try:
            return self.transport.send(request)
        except AnswerLost:
            self.lost.add(request.json["text"])
            raise


@dataclass
class SharedHolds:
    """Holds as all senders see them at once."""

    clock: FastClock
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)

    def get(self, bot_id: str, platform: str) -> Hold | None:
        hold = self.holds.get((bot_id, platform))
        return hold if hold and hold.until > self.clock.now() else None

    def put(self, bot_id: str, platform: str, hold: Hold) -> None:
        self.holds[bot_id, platform] = hold


@dataclass
class Told:
    """Findings; who was told to be gone."""

    blocked: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def gone(self, envelope: OutboundEnvelope, *_: Any) -> None:
        with self._lock:
            self.blocked[envelope.dialog_id] += 1

    def refused(self, *_: Any) -> None:
        raise AssertionError("nobody has refused a credential")


@dataclass
class Trial:
    """So many messages over so many dialogs of so many bots; `fate_of` draws what each meets."""

    messages: int
    dialogs: int
    bots: int = 5
    seed: int = 1
    speed: float = SPEED

    def __post_init__(self) -> None:
        self.clock = FastClock(self.speed)
        self.queue = FifoQueue(self.clock)
        self.history = MemoryHistory()
        self.holds = SharedHolds(self.clock)
        self.told = Told()
        self.draw = random.Random(self.seed)
        self.turns: dict[str, list[list[str]]] = defaultdict(list)
        self.fates: dict[str, Fate] = {}
        self.lost: set[str] = set()
        self._write_all()

    def bot_of(self, dialog: int) -> str:
        return f"bot-{dialog % self.bots}"

    def dialog_id(self, dialog: int) -> str:
        return str(uuid5(NAMESPACE_URL, str(dialog)))

    def fate(self) -> Fate:
        faults = self.draw.choices(FAULTS, k=self.draw.choice((0, 0, 0, 0, 1, 1, 2, 3)))
        if "late" in faults and self.draw.random() < 0.8:  # it takes the most time of all
            faults = [fault for fault in faults if fault != "late"]
        ends: tuple[End, ...] = ("sent", "400", "403")
        end = self.draw.choices(ends, (0.96, 0.035, 0.005))[0]
        return Fate(faults, end)

    def run(self, handlers: int) -> Messenger:
        with Messenger(self.fates) as messenger:
            transport = HttpTransport(TIMEOUT_SECONDS)
            watched = Watched(transport, self.lost)
            try:
                work(self.queue, self._sender(messenger, watched), handlers)
            finally:
                transport.close()
        return messenger

    def record_of(self, dialog: int, turn: int, n: int) -> DeliveryRecord | None:
        entries = self.history.of_turn(self.dialog_id(dialog), "e", turn)
        return next((entry.delivery for entry in entries if entry.n == n), None)

    def last_sent(self, dialog: int) -> datetime:
        """When the dialog's last message was done with."""
        entries = self.history.of_turn(self.dialog_id(dialog), "e", len(self.turns[str(dialog)]))
        return max(entry.timestamp for entry in entries)

    def _sender(self, messenger: Messenger, transport: Watched) -> Sender:
        adapter = Plain(messenger.url)
        return Sender(
            history=self.history,
            credential_of=lambda bot, platform: Credential("c", bot, platform, is_active=True, settings={}),
            adapter_of=lambda _: adapter,
            transport=transport,
            now=self.clock.now,
            seconds_left=lambda: 900.0,
            holds=self.holds,
            findings=self.told,
        )

    def _write_all(self) -> None:
        written = 0
        while written < self.messages:
            dialog = self.draw.randrange(self.dialogs)
            turn = len(self.turns[str(dialog)]) + 1
            texts = [f"{dialog}/{turn}/{n}" for n in range(1, self.draw.randint(1, 3) + 1)]
            written += len(texts)
            self.turns[str(dialog)].append(texts)
            self.fates |= {text: self.fate() for text in texts}
            self.queue.send(self._envelope(dialog, turn, texts))

    def _envelope(self, dialog: int, turn: int, texts: Sequence[str]) -> OutboundEnvelope:
        return OutboundEnvelope(
            dialog_id=self.dialog_id(dialog),
            epoch="e",
            turn=turn,
            bot_id=self.bot_of(dialog),
            platform="plain",
            platform_chat_id=str(dialog),
            messages=tuple(map(Message, texts)),
            trace_id="t",
        )


def wrongs(trial: Trial, messenger: Messenger) -> list[str]:
    """Everything that is not as it should be."""
    found = [wrong for dialog in trial.turns for wrong in _wrongs_of(trial, messenger, int(dialog))]
    gone = {trial.dialog_id(int(chat_id)) for chat_id in messenger.gone}
    if set(trial.told.blocked) != gone:
        found.append(f"told to be gone: {set(trial.told.blocked) ^ gone}")
    return found


def _wrongs_of(trial: Trial, messenger: Messenger, dialog: int) -> list[str]:
    shown = messenger.taken[str(dialog)]
    first = list(dict.fromkeys(shown))
    meant = [text for turn in trial.turns[str(dialog)] for text in turn]
    found = [] if first == [text for text in meant if text in first] else [f"{dialog}: out of order"]
    is_gone = False
    for text in meant:
        turn, n = map(int, text.split("/")[1:])
        record, fate = trial.record_of(dialog, turn, n), trial.fates[text]
        end = "403" if is_gone else fate.end
        found += _wrongs_of_message(text, record, end, shown.count(text), was_lost=text in trial.lost)
        is_gone = is_gone or fate.end == "403"
    return found


def _wrongs_of_message(
    text: str, record: DeliveryRecord | None, end: End, times: int, *, was_lost: bool
) -> list[str]:
    if record is None:
        return [f"{text}: not recorded"]
    found = []
    ended = "sent" if record.status == "sent" else record.reason
    if ended != end:
        found.append(f"{text}: {record.status} ({record.reason}), not {end}")
    if end == "sent" and not times:
        found.append(f"{text}: lost")
    if times > 1 and not was_lost:
        found.append(f"{text}: doubled, though no answer was lost")
    if times > 1 and not record.possibly_doubled:
        found.append(f"{text}: doubled, and nobody knows")
    if record.possibly_doubled and not was_lost:
        found.append(f"{text}: called doubled, though every answer came")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.delivery.faults", description=__doc__)
    for name, default in (("messages", 5000), ("dialogs", 200), ("bots", 5), ("handlers", 8), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    trial = Trial(given.messages, given.dialogs, given.bots, given.seed)
    begun = time.monotonic()
    messenger = trial.run(given.handlers)
    found = wrongs(trial, messenger)
    records = [trial.record_of(*map(int, text.split("/"))) for text in trial.fates]  # dialog, turn, number
    told = Counter(record.status if record else "none" for record in records)
    doubled = sum(bool(record and record.possibly_doubled) for record in records)
    shown_twice = sum(len(texts) - len(set(texts)) for texts in messenger.taken.values())
    print(f"{len(records)} messages in {time.monotonic() - begun:.0f} s: {dict(told)}")  # noqa: T201
    print(f"{doubled} possibly doubled, {shown_twice} shown twice; wrong: {len(found)}")  # noqa: T201
    print(*found[:20], sep="\n")  # noqa: T201
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
