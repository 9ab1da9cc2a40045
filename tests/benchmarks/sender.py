"""What one sender delivers in a second, against a messenger that takes 100 ms for each message.

    python -m tests.benchmarks.sender [--batches 10]

A batch has ten dialogs with one message each, as SQS hands them out. The share is of what the sender's
threads would deliver if they did nothing but wait for the messenger. The history takes 5 ms for each write,
as DynamoDB does. Prints one line of JSON, and fails where the limit is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.credential import Credential
from shared.delivery.sender import Sender
from shared.delivery.transport import HttpTransport
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Message
from shared.dialog.state import dialog_id_of
from shared.platforms.telegram import TelegramAdapter
from shared.queueing.consumer import Record, consume
from shared.queueing.envelopes import OutboundEnvelope, read_outbound
from shared.storage.memory import MemoryHistory
from tests.benchmarks.files import Unusable, ending_well, say
from tests.benchmarks.pipeline import BOT_ID, SETTINGS
from tests.standins.server import Answer, Incoming
from tests.standins.telegram import TelegramStandIn

MIN_SHARE = 0.8
BATCHES = 10
DIALOGS = 10
THREADS = 5
"""As many as the sender's handler has, which a test compares."""

ANSWER_SECONDS = 0.1
WRITE_SECONDS = 0.005
_FIRST_CHAT = 1_000_000


@dataclass(frozen=True, slots=True)
class Throughput:
    """`share` is of what waiting alone would allow."""

    messages: int
    per_second: float
    share: float


class SlowTelegram(TelegramStandIn):
    """Takes its time for every message."""

    def handle(self, request: Incoming) -> Answer | None:
        time.sleep(ANSWER_SECONDS)
        return super().handle(request)


class SlowHistory(MemoryHistory):
    """Takes the time of a call to DynamoDB."""

    def record(self, entry: HistoryEntry) -> None:
        time.sleep(WRITE_SECONDS)
        super().record(entry)


class Unhidden:
    """No message has to wait here."""

    def hide(self, records: Sequence[Record], seconds: float) -> None:
        raise Unusable(f"{len(records)} message(s) had to wait for {seconds} s")


def measure(batches: int) -> Throughput:
    """Deliver so many batches, one after the other; a first one opens the connections."""
    with SlowTelegram(SETTINGS["telegram"]["bot_token"]) as telegram:
        for n in range(DIALOGS):
            telegram.person(chat_id=_FIRST_CHAT + n).has_started = True
        transport = HttpTransport()
        sender = _sender(TelegramAdapter(telegram.url), transport)
        try:
            _deliver(sender, _batch(0))
            begun = time.perf_counter()
            for number in range(1, batches + 1):
                _deliver(sender, _batch(number))
            seconds = time.perf_counter() - begun
        finally:
            transport.close()
        if len(telegram.requests) != (batches + 1) * DIALOGS or telegram.refusals:
            raise Unusable(f"the messages did not arrive: {telegram.refusals[:1]}")
    per_second = batches * DIALOGS / seconds
    return Throughput(
        batches * DIALOGS, round(per_second, 1), round(per_second * ANSWER_SECONDS / THREADS, 3)
    )


def _sender(adapter: TelegramAdapter, transport: HttpTransport) -> Sender:
    credential = Credential("c", BOT_ID, "telegram", is_active=True, settings=SETTINGS["telegram"])
    return Sender(
        history=SlowHistory(),
        credential_of=lambda *_: credential,
        adapter_of=lambda _: adapter,
        transport=transport,
        now=lambda: datetime.now(UTC),
        seconds_left=lambda: 900.0,
    )


def _deliver(sender: Sender, event: Mapping[str, Any]) -> None:
    consume(
        event,
        lambda record: _accept(sender.deliver(read_outbound(record.body), is_repeat=False)),
        Unhidden(),
        threads=THREADS,
    )


def _accept(given_up: tuple[str, ...]) -> None:
    if given_up:
        raise Unusable(f"given up: {given_up}")


def _batch(number: int) -> dict[str, Any]:
    return {"Records": [_record(number, _FIRST_CHAT + n) for n in range(DIALOGS)]}


def _record(number: int, chat_id: int) -> dict[str, Any]:
    envelope = OutboundEnvelope(
        dialog_id=dialog_id_of(BOT_ID, "telegram", str(chat_id)),
        epoch="00000000",
        turn=number,
        bot_id=BOT_ID,
        platform="telegram",
        platform_chat_id=str(chat_id),
        messages=(Message("What's your position?"),),
        trace_id="benchmark",
    )
    return {
        "messageId": f"{number}/{chat_id}",
        "receiptHandle": "benchmark",
        "body": msgspec.json.encode(envelope).decode(),
        "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": envelope.dialog_id},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sender", description=__doc__)
    parser.add_argument("--batches", type=int, default=BATCHES)
    throughput = measure(max(1, parser.parse_args(arguments).batches))
    say(json.dumps(asdict(throughput)))
    if throughput.share < MIN_SHARE:
        say(f"missed: {throughput.share} of what {THREADS} threads allow; {MIN_SHARE} is the least")
        sys.exit(1)


if __name__ == "__main__":
    ending_well(main)
