"""What a bot's runs came to, as the API shows it and as files."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.history import ChatAddress, HistoryEntry
from shared.dialog.results import Sought
from shared.queueing.envelopes import read_export
from shared.results.rows import json_lines
from shared.storage.bots import DynamoBots
from shared.storage.exports import DynamoExports
from shared.storage.history import DynamoHistory
from shared.storage.results import SHARDS, DynamoResults
from tests.conftest import Aws, Call
from tests.functions.admin.conftest import NOW, OTHER_ACCOUNT, Api, token_of

MASK = "•••"


def ended(bot: str, minutes: int = 0, platform: str = "telegram", **run: Any) -> HistoryEntry:
    """Record the end of a run, of somebody who has not been met before."""
    at = NOW + timedelta(minutes=minutes)
    usual: dict[str, Any] = {"run": 1, "status": "completed", "collected_data": {"name": "Анна"}}
    entry = HistoryEntry(
        dialog_id=str(uuid4()),
        epoch="e1",
        turn=3,
        n=0,
        message_type="user",
        message_data={"event": {"text": "bye"}, "ended_runs": [usual | run]},
        timestamp=at,
        created_at=at,
        chat=ChatAddress(bot, platform, "42"),
    )
    DynamoHistory().record(entry)
    return entry


def results(api: Api, bot: str, **params: Any) -> dict[str, Any]:
    answer = api("GET", f"/api/bots/{bot}/results", "viewer", params=params)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def test_a_result_is_a_row_with_its_columns(api: Api, bot: str, scenario: str) -> None:
    origin: dict[str, Any] = {"scenario_id": scenario, "revision": 1, "started_at": "2026-11-22T09:00:00Z"}
    entry = ended(bot, **origin, collected_data={"name": "Анна", "passport": MASK})

    assert results(api, bot) == {
        "items": [
            {
                "dialog_id": entry.dialog_id,
                "platform": "telegram",
                "platform_chat_id": "42",
                "run": 1,
                "status": "completed",
                **origin,
                "ended_at": "2026-11-22T10:00:00Z",
                "values": {"name": "Анна", "passport": MASK},
            }
        ],
        "next_cursor": None,
        "columns": [
            {"name": "name", "type": "string", "label": "What's your name?", "sensitive": False},
            {"name": "passport", "type": "any", "label": "", "sensitive": False},
        ],
    }


def test_columns_are_those_of_the_active_scenario_where_there_is_no_run(
    api: Api, bot: str, scenario: str
) -> None:
    assert results(api, bot)["columns"] == []
    DynamoBots().change(bot, active_scenario_id=scenario, active_revision=1)

    assert [column["name"] for column in results(api, bot)["columns"]] == ["name"]


def test_results_are_walked_page_by_page_the_latest_first(api: Api, bot: str) -> None:
    for n in range(7):
        ended(bot, n, run=n)
    found: list[int] = []
    cursor = None
    while not found or cursor:
        page = results(api, bot, limit=3, **({"cursor": cursor} if cursor else {}))
        found += [item["run"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert found == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("params", "runs"),
    [
        ({"status": "abandoned"}, [2]),
        ({"platform": "viber"}, [3]),
        ({"scenario_id": "7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff"}, [4]),
        ({"since": "2026-11-22T10:03:00Z"}, [4, 3]),
        ({"since": "2026-11-22T12:02:00+02:00", "until": "2026-11-22T10:03:00Z"}, [2]),
    ],
    ids=str,
)
def test_results_are_filtered(api: Api, bot: str, params: dict[str, str], runs: list[int]) -> None:
    ended(bot, 1, run=1)
    ended(bot, 2, run=2, status="abandoned")
    ended(bot, 3, "viber", run=3)
    ended(bot, 4, run=4, scenario_id="7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff", revision=9)

    assert [item["run"] for item in results(api, bot, **params)["items"]] == runs


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"status": "active"}, "/status"),
        ({"platform": "icq"}, "/platform"),
        ({"scenario_id": "1"}, "/scenario_id"),
        ({"since": "yesterday"}, "/since"),
        ({"until": "9999-12-31T23:59:59-12:00"}, "/until"),
        ({"until": "2026-11-22T10:00:00"}, "/until"),
        ({"cursor": "AAAA"}, "/cursor"),
    ],
    ids=str,
)
def test_filters_that_make_no_sense_are_refused(
    api: Api, bot: str, params: dict[str, str], pointer: str
) -> None:
    answer = api("GET", f"/api/bots/{bot}/results", params=params)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_results_of_another_bot_are_not_shown_nor_reached_by_its_cursor(api: Api, bot: str) -> None:
    for n in range(3):
        ended(bot, n)
    cursor = results(api, bot, limit=1)["next_cursor"]
    other = api.bot()

    assert results(api, other)["items"] == []
    assert api("GET", f"/api/bots/{other}/results", params={"cursor": cursor}).status_code == 422
    assert (
        api("GET", f"/api/bots/{bot}/results", params={"cursor": cursor, "status": "completed"}).status_code
        == 422
    )


@pytest.mark.parametrize("runs", [30, 120])
def test_a_page_costs_the_same_however_many_runs_there_are(
    api: Api, bot: str, scenario: str, aws_calls: list[Call], runs: int
) -> None:
    for n in range(runs):
        ended(bot, n, scenario_id=scenario, revision=1)
    results(api, bot, limit=1)
    aws_calls.clear()

    assert len(results(api, bot, limit=20)["items"]) == 20

    counted = Counter(call.name for call in aws_calls)
    assert counted.pop("dynamodb:GetItem") == 1
    assert set(counted) == {"dynamodb:Query"}
    assert SHARDS <= counted["dynamodb:Query"] <= 3 * SHARDS  # chance says which shards a page ends in


# --- exports ------------------------------------------------------------------------------------------


def test_an_export_is_taken_on_and_told_of(api: Api, bot: str, aws_account: Aws) -> None:
    draft = {
        "format": "csv",
        "since": "2026-11-01T00:00:00+02:00",
        "filters": {"platform": "viber", "scenario_id": "7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff"},
    }

    answer = api("POST", f"/api/bots/{bot}/exports", "viewer", json=draft)

    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert answer.headers["Location"] == f"/api/exports/{told['id']}"
    assert told == told | {
        "bot_id": bot,
        "format": "csv",
        "since": "2026-10-31T22:00:00Z",
        "filters": {**draft["filters"], "status": None},  # type: ignore[dict-item]
        "status": "queued",
        "rows": 0,
        "rows_total": None,
        "download_url": None,
        "until": told["created_at"],
    }
    assert api("GET", f"/api/exports/{told['id']}", "viewer").json() == told
    (message,) = aws_account.sqs.receive_message(QueueUrl=aws_account.exports)["Messages"]
    envelope = read_export(message["Body"])
    assert (envelope.export_id, envelope.bot_id) == (told["id"], bot)


@pytest.mark.parametrize(
    ("draft", "pointer"),
    [
        ({}, "/format"),
        ({"format": "xlsx"}, "/format"),
        ({"format": "csv", "since": 1763800000}, "/since"),
        ({"format": "csv", "since": "0001-01-01T00:00:00+14:00"}, "/since"),
        ({"format": "csv", "until": "2026-11-22T10:00:00"}, "/until"),
        ({"format": "csv", "filters": {"status": "active"}}, "/filters/status"),
        ({"format": "csv", "filters": {"bot_id": "x"}}, "/filters/bot_id"),
        ({"format": "csv", "filters": {"scenario_id": "x"}}, "/filters/scenario_id"),
    ],
    ids=str,
)
def test_an_export_that_makes_no_sense_is_refused(
    api: Api, bot: str, aws_account: Aws, draft: dict[str, Any], pointer: str
) -> None:
    answer = api("POST", f"/api/bots/{bot}/exports", json=draft)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert "Messages" not in aws_account.sqs.receive_message(QueueUrl=aws_account.exports)


def test_an_export_never_reaches_beyond_the_moment_it_is_asked_for(api: Api, bot: str) -> None:
    draft = {"format": "jsonl", "until": "2099-01-01T00:00:00Z"}
    told = api("POST", f"/api/bots/{bot}/exports", json=draft).json()

    assert told["until"] == told["created_at"]
    draft["until"] = "2026-01-01T00:00:00Z"
    assert api("POST", f"/api/bots/{bot}/exports", json=draft).json()["until"] == draft["until"]


def test_a_file_that_is_ready_is_linked_for_a_few_minutes(api: Api, bot: str, aws_account: Aws) -> None:
    export_id = api("POST", f"/api/bots/{bot}/exports", json={"format": "jsonl"}).json()["id"]
    exports = DynamoExports()
    queued = exports.find(export_id)
    assert queued is not None
    exports.save(queued.with_(status="ready", rows=2, size=9, finished_at=queued.created_at), queued)

    told = api("GET", f"/api/exports/{export_id}", "viewer").json()

    assert (told["status"], told["rows"], told["size"]) == ("ready", 2, 9)
    assert f"/exports/{bot}/{export_id}.jsonl?" in told["download_url"]
    assert "X-Amz-Expires=300" in told["download_url"]


def test_an_export_that_failed_says_why_and_has_no_link(api: Api, bot: str) -> None:
    export_id = api("POST", f"/api/bots/{bot}/exports", json={"format": "csv"}).json()["id"]
    exports = DynamoExports()
    queued = exports.find(export_id)
    assert queued is not None
    exports.save(queued.with_(status="failed", reason="Too many columns."), queued)

    told = api("GET", f"/api/exports/{export_id}").json()

    assert (told["status"], told["reason"], told["download_url"]) == ("failed", "Too many columns.", None)


def test_an_export_of_another_account_is_not_there(api: Api, bot: str) -> None:
    export_id = api("POST", f"/api/bots/{bot}/exports", json={"format": "csv"}).json()["id"]
    stranger = token_of("admin", OTHER_ACCOUNT)

    assert api("GET", f"/api/exports/{export_id}", token=stranger).status_code == 404
    assert api("POST", f"/api/bots/{bot}/exports", token=stranger, json={"format": "csv"}).status_code == 404
    assert api("GET", f"/api/exports/{bot}").status_code == 404


def test_an_export_that_the_queue_does_not_take_may_be_tried_again(
    api: Api, bot: str, aws_account: Aws
) -> None:
    aws_account.sqs.delete_queue(QueueUrl=aws_account.exports)

    answer = api("POST", f"/api/bots/{bot}/exports", json={"format": "csv"})

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_the_key_of_a_line_is_that_of_a_result(api: Api, bot: str) -> None:
    ended(bot, started_at="2026-11-22T09:00:00Z", scenario_id=str(uuid4()), revision=2)
    found = DynamoResults().of_bot(bot, Sought(), 10)

    assert msgspec.json.decode(json_lines(found.items)) == results(api, bot)["items"][0]
