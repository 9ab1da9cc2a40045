"""A page costs what it shows, however much there is: as many reads with many dialogs as with few."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.storage.history import DynamoHistory
from tests.conftest import Aws
from tests.functions.admin.conftest import NOW, Api, Talk, entry

FEW, MANY = 160, 480
"""Both more than a page takes from each of the shards that the dialogs are spread over."""

PAGE = 10
MOST_ITEMS = FEW * 2
"""Looked at for a page, where a filter leaves some of them out; fewer than there are."""


CHANCE = 3
"""Queries more or less: chance puts dialogs into shards, and a page ends somewhere in each."""


@dataclass
class Reads:
    """What DynamoDB was asked, and how many items it looked at for that."""

    calls: list[str] = field(default_factory=list)
    items: int = 0

    def note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        self.items += parsed.get("ScannedCount", 1 if "Item" in parsed else 0)
        self.items += sum(map(len, parsed.get("Responses", {}).values()))


@contextmanager
def counted(account: Aws) -> Iterator[Reads]:
    reads, events = Reads(), account.dynamodb.meta.events
    events.register("after-call.dynamodb.*", reads.note, unique_id="reads")
    yield reads
    events.unregister("after-call.dynamodb.*", unique_id="reads")


def cost_of_pages(api: Api, account: Aws, path: str, pages: int = 3) -> list[list[str]]:
    """The calls that each of the first pages takes; every one of them is full, and has a next one."""
    costs, cursor = [], ""
    for _ in range(pages):
        with counted(account) as reads:
            page = api("GET", path + f"limit={PAGE}{cursor}").json()
        assert len(page["items"]) == PAGE
        assert reads.items <= MOST_ITEMS
        cursor = f"&cursor={page['next_cursor']}"
        costs.append(sorted(reads.calls))
    return costs


FILTERS = ("", "platform=telegram&", "status=active&", "since=2026-11-01T00:00:00Z&")


def test_page_of_dialogs_costs_the_same_however_many_there_are(
    api: Api, aws_account: Aws, bot: str, talk: Talk
) -> None:
    def costs() -> dict[str, Any]:
        path = f"/api/bots/{bot}/dialogs?"
        return {each: cost_of_pages(api, aws_account, path + each) for each in FILTERS}

    for number in range(FEW):
        talk(bot, last_interaction_at=NOW - timedelta(minutes=number % 600))
    with_few = costs()
    for number in range(MANY - FEW):
        talk(bot, last_interaction_at=NOW - timedelta(minutes=number % 600))

    for each, now in costs().items():
        assert max(map(len, now)) <= max(map(len, with_few[each])) + CHANCE


def test_page_of_history_costs_the_same_however_long_it_is(
    api: Api, aws_account: Aws, bot: str, talk: Talk
) -> None:
    dialog = talk(bot)
    path = f"/api/dialogs/{dialog.id}/history?"
    for turn in range(1, 40):
        for n in (0, 1):
            DynamoHistory().record(entry(dialog, turn, n))
    with_few = cost_of_pages(api, aws_account, path)
    for turn in range(40, 240):
        for n in (0, 1):
            DynamoHistory().record(entry(dialog, turn, n))

    assert cost_of_pages(api, aws_account, path) == with_few
