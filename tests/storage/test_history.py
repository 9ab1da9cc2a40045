"""One contract, held by the history in memory and by that in DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from shared.dialog.history import (
    RANKS,
    DeliveryRecord,
    HistoryEntry,
    ReceiptRecord,
    ReceiptStatus,
    entry_key,
)
from shared.storage.history import DynamoHistory
from shared.storage.memory import MemoryHistory
from shared.storage.tables import MAX_ITEM_BYTES, BotDialogHistory
from tests.conftest import Aws, Call

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIALOG = "0f6c1d2e-7a5b-5c3d-9e8f-102132435465"

History = MemoryHistory | DynamoHistory


@pytest.fixture(params=["memory", "dynamodb"])
def history(request: pytest.FixtureRequest) -> History:
    if request.param == "memory":
        return MemoryHistory()
    request.getfixturevalue("aws_account")
    return DynamoHistory()


def entry(turn: int = 1, n: int = 0, epoch: str = "e1", **fields: Any) -> HistoryEntry:
    given: dict[str, Any] = {
        "dialog_id": DIALOG,
        "message_type": "bot" if n else "user",
        "message_data": {"text": f"{turn}/{n}"},
        "timestamp": NOON,
        "created_at": NOON,
    }
    return HistoryEntry(epoch=epoch, turn=turn, n=n, **given | fields)


def a_full_entry() -> HistoryEntry:
    return entry(
        2,
        3,
        message_data={"text": "\x00😀\uffff", "spans": [{"start": 0, "end": 1.5}], "none": None},
        timestamp=NOON - timedelta(microseconds=1),
        messages=4,
        delivery=DeliveryRecord(
            "failed",
            ("m-1", "m-2"),
            3,
            in_doubt=True,
            possibly_doubled=True,
            reason="gone",
            degradations=("bold",),
            replaced={"m-0": 1},
        ),
    )


@pytest.mark.parametrize("kept", [entry(2), a_full_entry()], ids=["bare", "full"])
def test_an_entry_is_read_as_it_was_recorded(history: History, kept: HistoryEntry) -> None:
    history.record(kept)

    assert history.of_turn(DIALOG, "e1", 2) == [kept]
    assert history.find(DIALOG, kept.key) == kept
    assert history.find(DIALOG, entry_key("e1", 3, 1)) is None


def test_a_later_record_takes_the_place_of_an_earlier_one(history: History) -> None:
    for status in ("queued", "sent", "delivered"):
        history.record(entry(1, 1, delivery=DeliveryRecord(status)))

    (kept,) = history.of_turn(DIALOG, "e1", 1)
    assert kept.delivery == DeliveryRecord("delivered")


KEY = entry_key("e1", 1, 1)


def told(status: ReceiptStatus, reason: str = "") -> ReceiptRecord:
    return ReceiptRecord(status, NOON + timedelta(seconds=RANKS[status]), reason)


def receipt_of(history: History) -> ReceiptRecord | None:
    (kept,) = history.of_turn(DIALOG, "e1", 1)
    return kept.delivery.receipt if kept.delivery else None


@pytest.mark.parametrize(
    ("came", "stays"), [(order, max(order, key=RANKS.__getitem__)) for order in permutations(RANKS)]
)
def test_receipts_only_ever_tell_more(
    history: History, came: tuple[ReceiptStatus, ...], stays: ReceiptStatus
) -> None:
    history.record(entry(1, 1, delivery=DeliveryRecord("sent")))
    for status in (*came, *came):
        assert history.receive(DIALOG, KEY, told(status))
    assert receipt_of(history) == told(stays)


def test_a_failure_is_told_unless_the_message_was_delivered(history: History) -> None:
    history.record(entry(1, 1, delivery=DeliveryRecord("sent", reason="as sent")))
    history.receive(DIALOG, KEY, told("failed", "as the messenger says"))
    (kept,) = history.of_turn(DIALOG, "e1", 1)
    assert kept.delivery
    assert (kept.delivery.reached, kept.delivery.explained) == ("failed", "as the messenger says")
    assert (kept.delivery.status, kept.delivery.reason) == ("sent", "as sent")


def test_a_receipt_without_its_entry_leaves_nothing_behind(history: History) -> None:
    assert not history.receive(DIALOG, KEY, told("read"))
    assert history.of_turn(DIALOG, "e1", 1) == []


def test_what_the_sender_writes_late_takes_no_receipt_away(history: History) -> None:
    history.record(entry(1, 1, delivery=DeliveryRecord("queued")))
    history.receive(DIALOG, KEY, told("delivered"))
    history.record(entry(1, 1, delivery=DeliveryRecord("sent", ("m",))))
    (kept,) = history.after(DIALOG, "e1", "", 10)
    assert kept.delivery == DeliveryRecord("sent", ("m",), receipt=told("delivered"))
    history.record(kept)
    history.receive(DIALOG, KEY, told("read"))
    assert receipt_of(history) == told("read")


def test_a_turn_has_its_own_entries_in_order(history: History) -> None:
    turns = [(12, 0), (2, 10), (2, 9), (2, 0), (20, 0), (1, 0), (2, 1)]
    for turn, n in turns:
        history.record(entry(turn, n))
    history.record(entry(2, 5, epoch="e2"))
    history.record(entry(2, 6, dialog_id=str(uuid4())))

    assert [e.n for e in history.of_turn(DIALOG, "e1", 2)] == [0, 1, 9, 10]
    assert history.of_turn(DIALOG, "e1", 3) == []


PLACES = [(1, 0), (1, 1), (2, 0), (2, 1), (10, 0)]


@pytest.mark.parametrize(
    ("key", "limit", "newest_first", "found"),
    [
        ("", 100, False, PLACES),
        ("", 100, True, PLACES[::-1]),
        ("", 2, False, PLACES[:2]),
        ("", 2, True, PLACES[:-3:-1]),
        (entry_key("e1", 1, 1), 2, False, PLACES[2:4]),
        (entry_key("e1", 2, 1), 2, True, [(2, 0), (1, 1)]),
        (entry_key("e1", 1, 9999), 100, False, PLACES[2:]),
        (entry_key("e1", 2, 9999), 100, True, PLACES[3::-1]),
        (entry_key("e1", 10, 0), 100, False, []),
        (entry_key("e1", 1, 0), 100, True, []),
        (entry_key("e0", 10, 0), 100, False, PLACES),
        (entry_key("e2", 1, 0), 100, False, PLACES),
        (entry_key("e2", 1, 0), 100, True, PLACES[::-1]),
        ("e1/~", 100, False, PLACES),
        ("e1/" + "9" * 3000, 100, False, PLACES),
        ("\ud800", 100, False, PLACES),
    ],
    ids=[
        "all",
        "all, newest first",
        "the first",
        "the newest",
        "after a place",
        "before a place",
        "after a place where nothing is",
        "before a place where nothing is",
        "after the last",
        "before the first",
        "after a place of an earlier epoch",
        "after a place of a later epoch",
        "before a place of another epoch",
        "after what is no place",
        "after what is far too long",
        "after what is no text",
    ],
)
def test_entries_after_a_place(
    history: History, key: str, limit: int, *, newest_first: bool, found: list[tuple[int, int]]
) -> None:
    for turn, n in sorted(PLACES, key=lambda place: place[1]):
        history.record(entry(turn, n))
    for epoch in ("e0", "e2"):
        history.record(entry(5, 5, epoch=epoch))

    entries = history.after(DIALOG, "e1", key, limit, newest_first=newest_first)

    assert [(e.turn, e.n) for e in entries] == found


@pytest.mark.usefixtures("aws_account")
class TestItem:
    """What is particular to DynamoDB."""

    def test_a_record_is_one_write(self, aws_calls: list[Call]) -> None:
        DynamoHistory().record(entry())

        assert [call.name for call in aws_calls] == ["dynamodb:PutItem"]

    def test_a_message_s_record_and_its_receipt_are_one_write_each(self, aws_calls: list[Call]) -> None:
        DynamoHistory().record(entry(1, 1, delivery=DeliveryRecord("sent")))
        DynamoHistory().receive(DIALOG, KEY, told("read"))

        assert [call.name for call in aws_calls] == ["dynamodb:UpdateItem"] * 2

    def test_reads_are_one_consistent_query(self, aws_calls: list[Call]) -> None:
        for n in range(4):
            DynamoHistory().record(entry(1, n))
        aws_calls.clear()

        DynamoHistory().of_turn(DIALOG, "e1", 1)
        DynamoHistory().after(DIALOG, "e1", entry_key("e1", 1, 0), 2)

        assert [(call.name, call.params["ConsistentRead"]) for call in aws_calls] == [
            ("dynamodb:Query", True)
        ] * 2

    def test_an_entry_expires_when_its_retention_ends_however_often_it_is_recorded(
        self, aws_account: Aws
    ) -> None:
        for status in ("queued", "sent"):
            DynamoHistory(retention_days=30).record(entry(1, 1, delivery=DeliveryRecord(status)))

        key = {"dialog_id": {"S": DIALOG}, "entry": {"S": "e1/00000001/0001"}}
        item = aws_account.dynamodb.get_item(TableName=BotDialogHistory.Meta.table_name, Key=key)["Item"]
        assert item["expires_at"] == {"N": str(int((NOON + timedelta(days=30)).timestamp()))}
        assert item["delivery_status"] == {"S": "sent"}

    def test_a_committed_turn_is_recorded_however_large_its_entry_is(self) -> None:
        large = entry(1, message_data={"event": {"text": "я" * MAX_ITEM_BYTES}}, messages=3)

        DynamoHistory().record(large)

        (kept,) = DynamoHistory().of_turn(DIALOG, "e1", 1)
        assert kept.messages == 3
        assert list(kept.message_data) == ["omitted"]
        assert "bytes are too many" in kept.message_data["omitted"]
