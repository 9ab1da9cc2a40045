from __future__ import annotations

from typing import Any

import pytest
from pynamodb.pagination import ResultIterator

from shared.pages import Page, Position
from shared.storage.paging import page_of, slice_of
from tests.storage.pages import pages_of


def query(items: int, *, limit: int, exclusive_start_key: Position | None) -> dict[str, Any]:
    """Answers as DynamoDB does: with a position whenever it read as many items as it was asked for."""
    first = 0 if exclusive_start_key is None else int(exclusive_start_key["id"]["N"]) + 1
    found = [{"id": {"N": str(n)}, "name": {"S": "x"}} for n in range(first, items)][:limit]
    answer = {"Items": found, "Count": len(found), "ScannedCount": len(found)}
    return answer | ({"LastEvaluatedKey": {"id": found[-1]["id"]}} if len(found) == limit else {})


def page(items: int, limit: int, start: Position | None) -> Page[int]:
    asked = slice_of(limit, start)
    kwargs = {"limit": asked["page_size"], "exclusive_start_key": asked["last_evaluated_key"]}
    found: ResultIterator[Any] = ResultIterator(query, (items,), kwargs, limit=asked["limit"])
    return page_of(found, lambda item: int(item["id"]["N"]))


@pytest.mark.parametrize(
    ("items", "pages"),
    [
        (0, [[]]),
        (1, [[0]]),
        (3, [[0, 1, 2]]),
        (4, [[0, 1, 2], [3]]),
        (6, [[0, 1, 2], [3, 4, 5]]),
        (7, [[0, 1, 2], [3, 4, 5], [6]]),
    ],
)
def test_the_last_page_is_never_empty(items: int, pages: list[list[int]]) -> None:
    assert pages_of(lambda start: page(items, 3, start)) == pages
