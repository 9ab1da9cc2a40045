"""What a document calls is read as far as it goes, and not for ever."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from functions.admin.scenarios.calling import MAX_CALLED, MAX_STEPS_CALLED, called_by
from shared.errors import NotFound
from shared.storage.bots import Bot
from shared.storage.scenarios import Revision, Scenario
from tests.functions.admin.conftest import NOW

BOT = Bot(id="bot", account_id="account", name="Bot", created_at=NOW, updated_at=NOW)
IDS = [str(UUID(int=number)) for number in range(MAX_CALLED + 10)]


def calling(*ids: str, steps: int = 1) -> dict[str, Any]:
    calls = [{"id": f"call_{n}", "scenario": {"id": each}} for n, each in enumerate(ids)]
    says = [{"id": f"say_{n}", "message": {"text": "Hi"}} for n in range(steps - len(calls))]
    return {"version": "1", "steps": [*calls, *says]}


class Shelf:
    """Scenarios by id, each of one revision of the number 7; counts what is read."""

    def __init__(self, **documents: dict[str, Any]) -> None:
        self.documents = documents
        self.reads = 0

    def get(self, scenario_id: str) -> Scenario:
        if scenario_id not in self.documents:
            raise NotFound("scenario")
        owner = "other" if "foreign" in self.documents[scenario_id] else BOT.id
        return Scenario(
            id=scenario_id, bot_id=owner, name="S", latest_revision=7, created_at=NOW, updated_at=NOW
        )

    def revision(self, scenario_id: str, n: int) -> Revision:
        self.reads += 1
        return Revision(scenario_id, n, self.documents[scenario_id], NOW)


def numbers(shelf: Any, *ids: str) -> dict[str, int]:
    return called_by(calling(*ids), BOT, shelf).numbers


def test_all_that_is_called_is_found_once_however_deep() -> None:
    a, b, c, d = IDS[:4]
    shelf = Shelf(**{a: calling(b.upper(), c), b: calling(c), c: calling(), d: calling()})
    assert numbers(shelf, a, c, a) == {a: 7, b: 7, c: 7}
    assert shelf.reads == 3


def test_circle_comes_to_an_end() -> None:
    a, b = IDS[:2]
    assert numbers(Shelf(**{a: calling(b), b: calling(a)}), a) == {a: 7, b: 7}


@pytest.mark.parametrize("document", [{"foreign": True}, {"version": "0", "former_word": 1}])
def test_what_is_another_bots_or_in_no_form_is_not_there(document: dict[str, Any]) -> None:
    assert numbers(Shelf(**{IDS[0]: document}), IDS[0], IDS[1]) == {}


def test_no_more_scenarios_are_read_than_anybody_calls() -> None:
    chain = {here: calling(following) for here, following in pairwise(IDS)}
    assert len(numbers(Shelf(**chain), IDS[0])) == MAX_CALLED


def test_no_more_steps_are_read_than_can_be_linted_in_time() -> None:
    chain = {here: calling(following, steps=500) for here, following in pairwise(IDS)}
    assert len(numbers(Shelf(**chain), IDS[0])) == MAX_STEPS_CALLED // 500
