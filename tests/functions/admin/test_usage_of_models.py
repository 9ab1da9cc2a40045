"""What a bot's model cost it, by the day, and what today has left."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from shared.llm.usage import Usage
from shared.storage.usage import DynamoUsage
from tests.functions.admin.conftest import MODEL, Api

CALL = Usage(calls=1, prompt_tokens=300, completion_tokens=100)
HIT = Usage(cache_hits=1, saved_tokens=400)
NOTHING = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "cache_hits": 0, "saved_tokens": 0}
ONE_CALL = NOTHING | {"calls": 1, "prompt_tokens": 300, "completion_tokens": 100}


def today() -> date:
    return datetime.now(UTC).date()


def count(bot: str, days_ago: int, used: Usage) -> str:
    """Count it to that day, which is told."""
    day = today() - timedelta(days=days_ago)
    DynamoUsage(lambda: datetime.combine(day, time(12), UTC)).add(bot, used)
    return day.isoformat()


def usage(api: Api, bot: str, query: str = "") -> Any:
    answer = api("GET", f"/api/bots/{bot}/usage{query}", "viewer")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_bot_that_asked_no_model_has_used_nothing(api: Api, bot: str) -> None:
    told = usage(api, bot)

    assert (told["days"], told["total"], told["budget"]) == ([], NOTHING, None)
    assert told["until"] == today().isoformat()
    assert told["since"] == (today() - timedelta(days=29)).isoformat()


def test_days_are_told_with_their_sum(api: Api, bot: str) -> None:
    count(api.bot(), 0, CALL)
    count(bot, 30, CALL)
    first, last = count(bot, 29, CALL), count(bot, 0, CALL)
    count(bot, 0, HIT)

    told = usage(api, bot)

    hit = {"cache_hits": 1, "saved_tokens": 400}
    assert told["days"] == [{"day": first, **ONE_CALL}, {"day": last, **ONE_CALL, **hit}]
    assert told["total"] == {name: value * 2 for name, value in ONE_CALL.items()} | hit


@pytest.mark.parametrize(
    "query",
    ["?since={day}&until={day}", "?since={day}T00:00:00Z&until={day}T23:59:59Z", "?until={day}"],
)
def test_days_are_chosen_by_day_or_moment(api: Api, bot: str, query: str) -> None:
    chosen = count(bot, 7, CALL)
    count(bot, 0, CALL)

    told = usage(api, bot, query.format(day=chosen))

    assert [day["day"] for day in told["days"]] == [chosen]
    assert told["until"] == chosen


def test_moment_stands_for_its_day_in_utc(api: Api, bot: str) -> None:
    told = usage(api, bot, "?since=2026-11-02T01:00:00%2B03:00&until=2026-11-01T23:00:00-02:00")

    assert (told["since"], told["until"]) == ("2026-11-01", "2026-11-02")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?since=yesterday", "/since"),
        ("?until=20261123", "/until"),
        ("?until=2026-11-31", "/until"),
        ("?since=2026-11-01T00:00:00", "/since"),
        ("?since=1793000000", "/since"),
        ("?since=2020-01-01&until=2026-01-01", "/since"),
    ],
)
def test_what_is_no_day_is_refused(api: Api, bot: str, query: str, pointer: str) -> None:
    answer = api("GET", f"/api/bots/{bot}/usage{query}")

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("query", ["?until=0001-01-01", "?since=9999-12-31&until=9999-12-31"])
def test_first_and_last_of_all_days_can_be_asked_for(api: Api, bot: str, query: str) -> None:
    assert usage(api, bot, query)["days"] == []


@pytest.mark.parametrize(("most", "left"), [(1000, 600), (400, 0), (100, 0)])
def test_budget_is_what_today_has_left(api: Api, bot: str, most: int, left: int) -> None:
    api("PUT", f"/api/bots/{bot}/llm", json={**MODEL, "max_tokens_per_day": most})
    count(bot, 1, CALL)
    day = count(bot, 0, CALL)
    count(bot, 0, HIT)

    for query in ("", "?until=2020-01-01"):
        budget = usage(api, bot, query)["budget"]
        assert budget == {"day": day, "max_tokens": most, "used": 400, "left": left}
