from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.storage.attempts import KEPT, LEASE, Attempt, DynamoAttempts
from shared.storage.tables import Cache
from tests.conftest import Aws

pytestmark = pytest.mark.usefixtures("aws_account")
FIRST, SECOND = Attempt("1", "digest"), Attempt("2", "digest")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> DynamoAttempts:
    return DynamoAttempts(clock)


def test_name_is_one_attempt_s_until_its_lease_runs_out(attempts: DynamoAttempts, clock: Clock) -> None:
    assert attempts.begin("name", FIRST) is None
    assert attempts.begin("name", SECOND) == FIRST
    assert attempts.begin("another", SECOND) is None
    clock.passes(LEASE)
    assert attempts.begin("name", SECOND) is None


def test_answer_is_kept_for_a_day(attempts: DynamoAttempts, clock: Clock) -> None:
    attempts.begin("name", FIRST)
    attempts.finish("name", FIRST, "sealed")
    clock.passes(KEPT - timedelta(seconds=1))
    assert attempts.begin("name", SECOND) == Attempt("1", "digest", "sealed")
    clock.passes(timedelta(seconds=1))
    assert attempts.begin("name", SECOND) is None


def test_attempt_given_up_frees_the_name(attempts: DynamoAttempts) -> None:
    attempts.begin("name", FIRST)
    attempts.give_up("name", FIRST)
    assert attempts.begin("name", SECOND) is None


def test_attempt_whose_lease_ran_out_takes_nothing_from_the_next(
    attempts: DynamoAttempts, clock: Clock
) -> None:
    attempts.begin("name", FIRST)
    clock.passes(LEASE)
    attempts.begin("name", SECOND)
    attempts.finish("name", FIRST, "late")
    attempts.give_up("name", FIRST)
    assert attempts.begin("name", Attempt("3", "digest")) == SECOND


def test_keys_are_where_the_admin_api_may_write(aws_account: Aws, attempts: DynamoAttempts) -> None:
    attempts.begin("name", FIRST)
    assert Cache.find("idempotency#name") is not None
