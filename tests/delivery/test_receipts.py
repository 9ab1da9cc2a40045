"""Where a receipt goes: to its message, once that is there, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.delivery.receipts import TRIES, ReceiptBook
from shared.dialog.history import DeliveryRecord, HistoryEntry, ReceiptRecord, delivery_id_of, place_of
from shared.errors import Wait
from shared.queueing.envelopes import ReceiptEnvelope
from shared.storage.memory import MemoryHistory

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIALOG = "3f2c4d1e-0000-4000-8000-000000000001"
ID = delivery_id_of(DIALOG, "0a1b2c3d", 7, 2)


@dataclass
class Names:
    known: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def put(self, bot_id: str, platform: str, message_id: str, delivery_id: str) -> None:
        self.known[bot_id, platform, message_id] = delivery_id

    def get(self, bot_id: str, platform: str, message_id: str) -> str | None:
        return self.known.get((bot_id, platform, message_id))


@dataclass
class Desk:
    history: MemoryHistory = field(default_factory=MemoryHistory)
    names: Names = field(default_factory=Names)

    def put(self, receive_count: int = 1, **receipt: Any) -> bool:
        given: dict[str, Any] = {"bot_id": "b", "platform": "viber", "status": "read", "trace_id": "t"}
        envelope = ReceiptEnvelope(at=NOON, **{**given, **receipt})
        return ReceiptBook(self.history, self.names).put(envelope, receive_count)

    def send(self) -> None:
        entry = HistoryEntry(
            dialog_id=DIALOG,
            epoch="0a1b2c3d",
            turn=7,
            n=2,
            message_type="bot",
            message_data={},
            timestamp=NOON,
            created_at=NOON,
            delivery=DeliveryRecord("sent"),
        )
        self.history.record(entry)

    def receipt(self) -> ReceiptRecord | None:
        (entry,) = self.history.of_turn(DIALOG, "0a1b2c3d", 7)
        return entry.delivery.receipt if entry.delivery else None


def test_a_receipt_is_put_to_the_message_it_names() -> None:
    desk = Desk()
    desk.send()
    assert desk.put(delivery_id=ID, status="failed", reason="undeliverable")
    assert desk.receipt() == ReceiptRecord("failed", NOON, "undeliverable")


def test_a_messenger_s_own_name_leads_to_the_message() -> None:
    desk = Desk()
    desk.send()
    desk.names.put("b", "viber", "509", ID)
    assert desk.put(message_id="509")
    assert desk.receipt() == ReceiptRecord("read", NOON)


@pytest.mark.parametrize("named", [{"delivery_id": ID}, {"message_id": "509"}], ids=["by us", "by them"])
def test_a_receipt_waits_for_its_message_and_not_for_ever(named: dict[str, str]) -> None:
    desk = Desk()
    for received in range(1, TRIES):
        with pytest.raises(Wait) as wait:
            desk.put(received, **named)
        assert 0 < wait.value.seconds <= 120
    assert not desk.put(TRIES, **named)


def test_a_receipt_that_was_early_is_put_to_its_message_in_the_end() -> None:
    desk = Desk()
    with pytest.raises(Wait):
        desk.put(delivery_id=ID)
    desk.send()
    assert desk.put(2, delivery_id=ID)


@pytest.mark.parametrize(
    "foreign",
    ["campaign-7", "", f"{DIALOG}:0a1b2c3d:7", f"{DIALOG}:0a1b2c3d:7:2:1", f"{DIALOG}:zz:7:2", f"{ID}\n"],
)
def test_a_delivery_id_that_nobody_here_has_made_names_nothing(foreign: str) -> None:
    assert place_of(foreign) is None


def test_a_message_that_another_program_has_sent_is_nothing_to_wait_for() -> None:
    assert not Desk().put(delivery_id="campaign-7")
