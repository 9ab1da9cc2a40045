"""One contract, held by the results in memory and by those in DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared.dialog.history import ChatAddress, HistoryEntry
from shared.dialog.results import RunResult, Sought
from shared.storage.history import DynamoHistory
from shared.storage.memory import MemoryHistory
from shared.storage.results import LOOKED_AT, SHARDS, DynamoResults
from tests.conftest import Aws, Call, items_of
from tests.storage.pages import pages_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = str(uuid4())
SCENARIO = str(uuid4())


class MemoryResults(MemoryHistory):
    """The history in memory lists results itself."""


Results = MemoryResults | DynamoResults


@pytest.fixture(params=["memory", "dynamodb"])
def results(request: pytest.FixtureRequest) -> Results:
    if request.param == "memory":
        return MemoryResults()
    request.getfixturevalue("aws_account")
    return DynamoResults()


def record(results: Results, *entries: HistoryEntry) -> None:
    history = results if isinstance(results, MemoryHistory) else DynamoHistory()
    for entry in entries:
        history.record(entry)


def ended(minutes: float = 0, bot: str = BOT, platform: str = "telegram", **run: Any) -> HistoryEntry:
    """The entry of a turn that ended a run so long after noon, of somebody who has not been met before."""
    return ended_together([run], minutes, bot, platform)


def ended_together(
    runs: list[dict[str, Any]], minutes: float = 0, bot: str = BOT, platform: str = "telegram"
) -> HistoryEntry:
    usual = {
        "run": 1,
        "status": "completed",
        "collected_data": {"name": "Анна"},
        "scenario_id": SCENARIO,
        "revision": 3,
        "started_at": "2026-11-22T11:00:00Z",
    }
    at = NOON + timedelta(minutes=minutes)
    return HistoryEntry(
        dialog_id=str(uuid4()),
        epoch="e1",
        turn=4,
        n=0,
        message_type="user",
        message_data={"event": {"text": "bye"}, "ended_runs": [usual | run for run in runs]},
        timestamp=at,
        created_at=at,
        chat=ChatAddress(bot, platform, "42"),
    )


def test_a_result_is_told_whole(results: Results) -> None:
    entry = ended(collected_data={"name": "Анна", "passport": "•••"})
    record(results, entry)

    (result,) = results.of_bot(BOT, Sought(), 10).items

    assert result == RunResult(
        dialog_id=entry.dialog_id,
        platform="telegram",
        platform_chat_id="42",
        run=1,
        status="completed",
        scenario_id=SCENARIO,
        revision=3,
        started_at=NOON - timedelta(hours=1),
        ended_at=NOON,
        values={"name": "Анна", "passport": "•••"},
    )


def test_a_run_from_before_its_origin_was_told_is_listed_without_it(results: Results) -> None:
    entry = ended()
    entry.message_data["ended_runs"] = [{"run": 1, "status": "abandoned", "collected_data": {}}]
    record(results, entry)

    (result,) = results.of_bot(BOT, Sought(), 10).items
    assert (result.scenario_id, result.revision, result.started_at) == (None, None, None)


def test_only_entries_that_ended_a_run_and_only_of_the_bot_are_listed(results: Results) -> None:
    said = HistoryEntry(
        dialog_id=str(uuid4()),
        epoch="e1",
        turn=1,
        n=0,
        message_type="user",
        message_data={"event": {"text": "hello"}},
        timestamp=NOON,
        created_at=NOON,
    )
    record(results, said, ended(bot=str(uuid4())))

    assert results.of_bot(BOT, Sought(), 10).items == []


def runs_in(pages: list[list[RunResult]]) -> list[int]:
    return [result.run for page in pages for result in page]


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_results_come_page_by_page_the_latest_first(results: Results, limit: int) -> None:
    record(results, *(ended(minutes=n // 2, run=n // 2) for n in range(12)))
    record(results, ended_together([{"run": 100}, {"run": 101}, {"run": 102}], minutes=2.5))

    pages = pages_of(lambda start: results.of_bot(BOT, Sought(), limit, start))

    assert runs_in(pages) == [5, 5, 4, 4, 3, 3, 102, 101, 100, 2, 2, 1, 1, 0, 0]
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


def test_a_run_that_ends_meanwhile_moves_no_other(results: Results) -> None:
    record(results, *(ended(minutes=n, run=n) for n in range(6)))
    first = results.of_bot(BOT, Sought(), 3)
    record(results, ended(minutes=9, run=9))

    rest = results.of_bot(BOT, Sought(), 10, first.next)

    assert runs_in([first.items, rest.items]) == [5, 4, 3, 2, 1, 0]
    assert rest.next is None


@pytest.mark.parametrize(
    ("sought", "runs"),
    [
        (Sought(since=NOON + timedelta(minutes=2)), [4, 3, 2]),
        (Sought(until=NOON + timedelta(minutes=2)), [1, 0]),
        (Sought(since=NOON + timedelta(minutes=1), until=NOON + timedelta(minutes=3)), [2, 1]),
        (Sought(since=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=1)), []),
        (Sought(since=NOON.replace(year=2030)), []),
        (Sought(platform="viber"), [3]),
        (Sought(status="abandoned"), [2]),
        (Sought(scenario_id="other"), [4]),
        (Sought(platform="viber", status="abandoned"), []),
    ],
    ids=str,
)
def test_results_are_sought_by_the_end_of_the_run_and_more(
    results: Results, sought: Sought, runs: list[int]
) -> None:
    record(
        results,
        ended(0, run=0),
        ended(1, run=1),
        ended(2, run=2, status="abandoned"),
        ended(3, platform="viber", run=3),
        ended(4, run=4, scenario_id="other"),
    )
    for limit in (1, 10):
        pages = pages_of(partial(results.of_bot, BOT, sought, limit))
        assert runs_in(pages) == runs


def test_what_is_rare_is_looked_for_in_bounded_steps() -> None:
    results = MemoryResults()
    record(results, *(ended(n, run=n) for n in range(LOOKED_AT + 5)))
    record(results, ended(-1, status="abandoned", run=7))
    first = results.of_bot(BOT, Sought(status="abandoned"), 10)
    rest = results.of_bot(BOT, Sought(status="abandoned"), 10, first.next)

    assert first.items == []
    assert [result.run for result in rest.items] == [7]
    assert rest.next is None


@pytest.mark.usefixtures("aws_account")
class TestIndex:
    """What is particular to DynamoDB."""

    @pytest.mark.parametrize("runs", [40, 160])
    def test_a_page_costs_a_query_of_each_shard_however_many_runs_there_are(
        self, aws_calls: list[Call], runs: int
    ) -> None:
        record(DynamoResults(), *(ended(n, run=n) for n in range(runs)))
        aws_calls.clear()

        page = DynamoResults().of_bot(BOT, Sought(), 20)

        assert len(page.items) == 20
        assert {call.name for call in aws_calls} == {"dynamodb:Query"}
        assert SHARDS <= len(aws_calls) <= 2 * SHARDS

    def test_an_end_of_a_run_costs_no_further_call(self, aws_calls: list[Call]) -> None:
        DynamoHistory().record(ended())

        assert [call.name for call in aws_calls] == ["dynamodb:PutItem"]

    def test_an_entry_that_ends_no_run_is_not_in_the_index(self, aws_account: Aws) -> None:
        entry = ended()
        record(
            DynamoResults(),
            HistoryEntry(**{f: getattr(entry, f) for f in entry.__struct_fields__ if f != "chat"}),
        )

        item = items_of("HISTORY_TABLE")[0]
        assert not {"results_shard", "run_end"} & item.keys()
