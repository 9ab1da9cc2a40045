"""Holds as senders of several processes see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.delivery.holds import Hold
from shared.storage.holds import CACHED_SECONDS, DynamoHolds
from tests.conftest import Call

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOLD = Hold(NOON + timedelta(seconds=17), "slow down")


@dataclass
class Time:
    passed: float = 1000.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed - 1000)

    def ticks(self) -> float:
        return self.passed


def sender(time: Time) -> DynamoHolds:
    return DynamoHolds(time.now, time.ticks)


@pytest.mark.usefixtures("aws_account")
def test_a_hold_reaches_every_sender_within_two_seconds() -> None:
    time = Time()
    one, other = sender(time), sender(time)
    assert other.get("b", "telegram") is None
    one.put("b", "telegram", HOLD)
    assert one.get("b", "telegram") == HOLD
    assert other.get("b", "telegram") is None, "as it saw it a moment ago"
    time.passed += CACHED_SECONDS
    assert other.get("b", "telegram") == HOLD


@pytest.mark.usefixtures("aws_account")
@pytest.mark.parametrize("other", [("c", "telegram"), ("b", "viber")])
def test_a_hold_is_on_one_bot_on_one_messenger(other: tuple[str, str]) -> None:
    holds = sender(Time())
    holds.put("b", "telegram", HOLD)
    assert holds.get(*other) is None


@pytest.mark.usefixtures("aws_account")
def test_a_hold_ends_by_the_clock_whether_or_not_it_still_lies_there() -> None:
    time = Time()
    holds = sender(time)
    holds.put("b", "telegram", HOLD)
    time.passed += 17
    assert holds.get("b", "telegram") is None
    assert sender(time).get("b", "telegram") is None


def test_looking_costs_one_read_in_two_seconds(aws_calls: list[Call]) -> None:
    time = Time()
    holds = sender(time)
    for _ in range(5):
        holds.get("b", "telegram")
    assert [call.name for call in aws_calls] == ["dynamodb:GetItem"]
    time.passed += CACHED_SECONDS
    holds.get("b", "telegram")
    assert len(aws_calls) == 2
