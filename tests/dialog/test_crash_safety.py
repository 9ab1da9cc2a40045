"""Kill a worker at every call of a turn, before it and after it, and see that nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from shared.dialog.history import HistoryEntry
from shared.dialog.state import Dialog
from shared.storage.tables import TABLES
from tests.dialog.world import Fate, World

DOCUMENT: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "name",
            "message": {"text": "Name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "thanks",
        },
        {
            "id": "thanks",
            "message": [{"text": "Thanks, {{ name }}."}, {"text": "One more."}],
            "next_step": "city",
        },
        {
            "id": "city",
            "message": {"text": "City?"},
            "buttons": [{"text": "Riga", "value": "riga"}, {"text": "Oslo", "value": "oslo"}],
            "expected_input": {"type": "button", "variable": "city"},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "x" * 5000}, "end": True},
    ],
}
"""A turn of three messages, a turn that opens the dialog, and one whose message takes two requests."""


@dataclass(frozen=True)
class Life:
    """What a whole conversation left behind."""

    calls: list[str]
    texts: list[str]
    dialog: Dialog
    entries: list[HistoryEntry]

    @property
    def doubled(self) -> list[str]:
        """Texts that the history says may have been sent twice."""
        return [e.message_data["text"] for e in self.entries if e.delivery and e.delivery.possibly_doubled]


def live(*, kill_at: int | None = None, after: bool = False, deduplicates: bool = True) -> Life:
    with mock_aws():
        for table in TABLES:
            table.create_table(billing_mode="PAY_PER_REQUEST")
        world = World(DOCUMENT, deduplicates=deduplicates, fate=Fate(kill_at, after))
        for text in ("hello", "Ivan", "riga"):
            world.say(text)
            world.settle()
        return Life(list(world.fate.calls), world.texts, world.dialog, world.entries)


UNTROUBLED = live()
POINTS = [
    pytest.param(number, after, deduplicates, id=f"{number}-{'after' if after else 'before'}-{name}-{fresh}")
    for number, name in enumerate(UNTROUBLED.calls)
    for after in (False, True)
    for deduplicates, fresh in ((True, "deduplicated"), (False, "expired"))
]


def without_doubt(entry: HistoryEntry) -> HistoryEntry:
    """The entry as if its messenger had always answered: ids aside, for they count what was sent."""
    if entry.delivery is None:
        return entry
    settled = msgspec.structs.replace(
        entry.delivery, possibly_doubled=False, message_ids=("id",) * len(entry.delivery.message_ids)
    )
    return msgspec.structs.replace(entry, delivery=settled)


def in_order(texts: list[str]) -> list[str]:
    """The texts without immediate repeats."""
    return [text for place, text in enumerate(texts) if place == 0 or texts[place - 1] != text]


def test_a_conversation_without_faults_is_what_we_compare_with() -> None:
    assert UNTROUBLED.texts[:5] == ["Name?", "Thanks, Ivan.", "One more.", "City?", "x" * 4096]
    assert "".join(UNTROUBLED.texts[4:]) == "x" * 5000
    assert UNTROUBLED.dialog.variables == {"name": "Ivan", "city": "riga"}
    assert UNTROUBLED.doubled == []
    assert {"GetItem", "PutItem", "SendMessage", "messenger"} <= set(UNTROUBLED.calls)


@pytest.mark.parametrize(("number", "after", "deduplicates"), POINTS)
def test_a_worker_killed_anywhere_loses_nothing(number: int, *, after: bool, deduplicates: bool) -> None:
    life = live(kill_at=number, after=after, deduplicates=deduplicates)

    assert life.dialog == UNTROUBLED.dialog
    assert [without_doubt(entry) for entry in life.entries] == [without_doubt(e) for e in UNTROUBLED.entries]
    repeats = list(life.texts)
    for text in UNTROUBLED.texts:
        repeats.remove(text)
    assert len(repeats) <= 1, "one death doubles one message at the most"
    assert all(any(text in whole for whole in life.doubled) for text in repeats), "and it is recorded"
    assert in_order(life.texts) == UNTROUBLED.texts
