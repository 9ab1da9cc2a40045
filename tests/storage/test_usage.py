"""One contract, held by the counters in memory and by those in DynamoDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from shared.llm.usage import Usage
from shared.storage.batches import ItemsOfBots
from shared.storage.memory import MemoryUsage
from shared.storage.tables import BotUsage
from shared.storage.usage import KEPT, DynamoUsage
from tests.conftest import Call, items_of

TODAY = date(2026, 11, 22)
CALL = Usage(calls=1, prompt_tokens=100, completion_tokens=20)
HIT = Usage(cache_hits=1, saved_tokens=120)

Counters = MemoryUsage | DynamoUsage


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "dynamodb"])
def usage(request: pytest.FixtureRequest, time: Time) -> Counters:
    if request.param == "memory":
        return MemoryUsage(time)
    request.getfixturevalue("aws_account")
    return DynamoUsage(time)


def test_what_is_counted_adds_up(usage: Counters) -> None:
    usage.add("b", CALL)
    usage.add("b", HIT)

    sums = usage.add("b", CALL)

    assert sums == Usage(calls=2, prompt_tokens=200, completion_tokens=40, cache_hits=1, saved_tokens=120)
    assert sums.tokens == 240
    assert usage.of_day("b", TODAY) == sums


def test_bots_and_days_are_counted_apart(usage: Counters, time: Time) -> None:
    usage.add("b", CALL)
    usage.add("c", HIT)
    time.now += timedelta(hours=12)
    usage.add("b", HIT)

    assert usage.of_day("b", TODAY) == CALL
    assert usage.of_day("c", TODAY) == HIT
    assert usage.of_day("b", TODAY + timedelta(days=1)) == HIT
    assert usage.of_day("d", TODAY) == Usage()


def test_a_day_is_one_of_utc(usage: Counters, time: Time) -> None:
    time.now = datetime(2026, 11, 23, 2, tzinfo=timezone(timedelta(hours=3)))
    usage.add("b", CALL)

    assert usage.of_day("b", TODAY) == CALL


def test_days_are_told_in_order_and_both_ends_with_them(usage: Counters, time: Time) -> None:
    for _ in range(5):
        usage.add("b", CALL)
        usage.add("c", CALL)
        time.now += timedelta(days=1)

    since, until = TODAY + timedelta(days=1), TODAY + timedelta(days=3)
    assert list(usage.days("b", since, until)) == [since, since + timedelta(days=1), until]
    assert usage.days("b", since, until)[since] == CALL
    assert usage.days("b", until, since) == {}
    assert usage.days("d", since, until) == {}


def test_whoever_counts_at_once_loses_nothing(usage: Counters) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: usage.add("b", CALL), range(40)))

    assert usage.of_day("b", TODAY).calls == 40


@pytest.mark.usefixtures("aws_account")
def test_counting_is_one_call_and_expires(aws_calls: list[Call], time: Time) -> None:
    DynamoUsage(time).add("b", CALL)

    assert [call.name for call in aws_calls] == ["dynamodb:UpdateItem"]
    (item,) = items_of("USAGE_TABLE")
    expires_at = datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC)
    assert expires_at == datetime(2026, 11, 22, tzinfo=UTC) + KEPT


@pytest.mark.usefixtures("aws_account")
def test_all_of_a_bot_is_removed_and_nothing_of_another(time: Time) -> None:
    usage = DynamoUsage(time)
    for bot_id in "bbc":
        usage.add(bot_id, CALL)
        time.now += timedelta(days=1)

    list(ItemsOfBots(BotUsage).remove_of_bot("b"))

    assert [item["bot_id"]["S"] for item in items_of("USAGE_TABLE")] == ["c"]
