"""A dialog is deleted whole wherever the worker dies, and what follows it is whole as well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.dialog.events import DeletionRequested
from shared.dialog.state import Remains
from shared.queueing.envelopes import read_deletion
from tests.deletion.account import ENDLESS, Account
from tests.dialog.world import DIALOG_ID, World

ASKING: dict[str, Any] = {
    "version": "1",
    "steps": [
        {
            "id": "name",
            "message": {"text": "What is your name?"},
            "expected_input": {
                "type": "text",
                "variable": "name",
                "timeout": {"after": "2h", "remind": "Hm?"},
            },
            "next_step": "town",
        },
        {
            "id": "town",
            "message": {"text": "And your town, {{ name }}?"},
            "expected_input": {"type": "text", "variable": "town"},
            "next_step": "name",
        },
    ],
}


CALLS = 11
"""Those that the word and the deletion make; the sender's follow."""


def talked() -> World:
    """A conversation in the midst of a question, with a word and then its deletion in the queue."""
    world = World(ASKING, deduplicates=False)
    world.say("hello")
    world.settle()
    world.say("Ada")
    world.tell(DeletionRequested(epoch=world.dialog.epoch, id="delete", occurred_at=world.now))
    return world


def removed(account: Account, world: World) -> None:
    """The worker of deletions does what it is asked for."""
    for body in world.deletions.bodies:
        account.remover.perform(read_deletion(body), ENDLESS)


@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after it"])
@pytest.mark.parametrize("place", range(CALLS + 4))
def test_nothing_is_left_wherever_the_worker_dies(account: Account, place: int, *, after: bool) -> None:
    world = talked()
    epoch = world.dialog.epoch
    world.fate.kill_at, world.fate.after = len(world.fate.calls) + place, after

    world.settle()
    removed(account, world)

    assert len(world.fate.calls) > place
    assert isinstance(world.dialogs.find(DIALOG_ID), Remains)
    assert account.left() == LEFT
    world.now += timedelta(minutes=1)
    world.say("again")
    world.settle()
    assert world.dialog.epoch != epoch
    assert [entry.n for entry in world.entries] == [0, 1]
    assert world.texts[-1] == "What is your name?"
    assert world.difference() is None


LEFT = {"BOTS_TABLE": 1, "SCENARIOS_TABLE": 1, "REVISIONS_TABLE": 1, "DIALOGS_TABLE": 1}


def test_what_fires_after_it_does_nothing(account: Account) -> None:
    world = talked()
    world.settle()
    removed(account, world)
    said = list(world.texts)

    world.later(days=2)

    assert world.texts == said
    assert account.left() == LEFT
