"""Leases: one has a name at a time, over DynamoDB as in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.media.leases import Leases
from shared.storage.leases import DynamoLeases
from shared.storage.memory import MemoryLeases

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Time:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["dynamodb", "memory"])
def leases(request: pytest.FixtureRequest, time: Time) -> Leases:
    if request.param == "memory":
        return MemoryLeases(time)
    request.getfixturevalue("aws_account")
    return DynamoLeases(time)


def test_only_one_has_a_lease(leases: Leases) -> None:
    assert leases.take("file", "one", 60)
    assert not leases.take("file", "other", 60)
    assert leases.take("another file", "other", 60)


def test_its_owner_takes_it_again_for_longer(leases: Leases, time: Time) -> None:
    leases.take("file", "one", 60)
    time.now += timedelta(seconds=50)
    assert leases.take("file", "one", 60)
    time.now += timedelta(seconds=50)
    assert not leases.take("file", "other", 60)


def test_a_dead_owner_s_lease_ends_by_itself(leases: Leases, time: Time) -> None:
    leases.take("file", "one", 60)
    time.now += timedelta(seconds=60)
    assert leases.take("file", "other", 60)
    assert not leases.take("file", "one", 60)


@pytest.mark.parametrize(("by", "is_free"), [("one", True), ("other", False)])
def test_only_its_owner_releases_it(leases: Leases, by: str, *, is_free: bool) -> None:
    leases.take("file", "one", 60)
    leases.release("file", by)
    assert leases.take("file", "third", 60) is is_free


def test_what_nobody_has_is_released_by_anybody(leases: Leases) -> None:
    leases.release("file", "one")
    assert leases.take("file", "other", 60)
