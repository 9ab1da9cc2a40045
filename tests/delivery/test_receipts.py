"""Where a receipt goes: to its message, once that is there, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.delivery.failures import Failures
from shared.delivery.receipts import TRIES, ReceiptBook
from shared.dialog.history import DeliveryRecord, HistoryEntry, ReceiptRecord, delivery_id_of, place_of
from shared.dialog.state import Dialog
from shared.errors import Wait
from shared.queueing.envelopes import OutboundEnvelope, ReceiptEnvelope
from shared.storage.memory import MemoryDialogs, MemoryHistory

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


class NoQueue:
    """Nothing of this module is said again."""

    def send(self, envelope: OutboundEnvelope) -> None:
        raise NotImplementedError


@dataclass
class Desk:
    history: MemoryHistory = field(default_factory=MemoryHistory)
    names: Names = field(default_factory=Names)
    dialogs: MemoryDialogs = field(default_factory=MemoryDialogs)
    found: list[tuple[str, ...]] = field(default_factory=list)

    def gone(self, envelope: OutboundEnvelope, reason: str, at: datetime) -> None:
        self.found.append(("gone", envelope.dialog_id, envelope.platform_chat_id, str(envelope.turn), reason))

    def refused(self, bot_id: str, platform: str, reason: str, at: datetime) -> None:
        self.found.append(("refused", bot_id, platform, reason))

    def talk(self, bot_id: str = "b", epoch: str = "0a1b2c3d") -> None:
        times: dict[str, Any] = {"created_at": NOON, "updated_at": NOON, "last_interaction_at": NOON}
        chat: dict[str, Any] = {"bot_id": bot_id, "platform": "viber", "platform_chat_id": "42"}
        self.dialogs.commit(Dialog(id=DIALOG, epoch=epoch, turn=1, **chat, **times), None)

    def put(self, receive_count: int = 1, **receipt: Any) -> bool:
        given: dict[str, Any] = {"bot_id": "b", "platform": "viber", "status": "read", "trace_id": "t"}
        envelope = ReceiptEnvelope(at=NOON, **{**given, **receipt})
        failures = Failures(self.dialogs, self.history, NoQueue(), self)
        return ReceiptBook(self.history, self.names, failures).put(envelope, receive_count)

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


GONE: dict[str, Any] = {
    "delivery_id": ID,
    "status": "failed",
    "outcome": "recipient_gone",
    "reason": "131026",
}


@pytest.mark.parametrize("times", [1, 2])
def test_who_cannot_be_reached_is_told_to_the_dialog_as_the_sender_tells_it(times: int) -> None:
    desk = Desk()
    desk.send()
    desk.talk()
    for _ in range(times):
        assert desk.put(**GONE)
    assert desk.found == [("gone", DIALOG, "42", "7", "131026")] * times


def test_where_somebody_could_not_be_reached_is_told_as_the_messenger_tells_it() -> None:
    """In the meantime they may have gone to another number."""
    desk = Desk()
    desk.send()
    desk.talk()
    assert desk.put(**GONE, chat_id="41")
    assert desk.found == [("gone", DIALOG, "41", "7", "131026")]


@pytest.mark.parametrize("other", [{"bot_id": "another"}, {"epoch": "ffffffff"}], ids=["bot", "epoch"])
def test_nobody_can_tell_that_of_another_s_dialog_or_of_one_that_is_no_more(other: dict[str, str]) -> None:
    desk = Desk()
    desk.send()
    desk.talk(**other)
    assert desk.put(**GONE)
    assert desk.found == []


def test_a_credential_that_is_refused_afterwards_is_found_out_too() -> None:
    desk = Desk()
    desk.send()
    assert desk.put(delivery_id=ID, status="failed", outcome="credential_bad", reason="131042")
    assert desk.found == [("refused", "b", "viber", "131042")]


@pytest.mark.parametrize("outcome", ["", "bad_payload", "window_closed", "of a later version"])
def test_of_other_failures_only_the_history_tells(outcome: str) -> None:
    desk = Desk()
    desk.send()
    desk.talk()
    assert desk.put(delivery_id=ID, status="failed", outcome=outcome)
    assert desk.found == []


def test_a_failure_of_a_message_that_is_not_there_yet_waits_and_does_nothing() -> None:
    desk = Desk()
    desk.talk()
    with pytest.raises(Wait):
        desk.put(**GONE)
    assert desk.found == []
