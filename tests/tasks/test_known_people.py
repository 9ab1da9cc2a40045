"""A dialog whose person is looked up: the dialog worker and the tasks worker together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from shared.backend.contacts.looking_up import Contacts, Record
from shared.backend.sync.settings import ContactLookup, SupabaseSink, SyncSettings
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt, Job
from shared.tasks.retrying import TryAgain, retried
from tests.conftest import Aws
from tests.dialog.world import World
from tests.scenario.documents import ask, say, scenario

FIELDS = {"name": "string", "badge": "integer", "hired": "date"}
LOOKUP = ContactLookup(table="staff", match={"chat": "platform_chat_id"}, fields=FIELDS)
SYNC = SyncSettings(
    sink=SupabaseSink(url="https://main.example", service_key="k", table="runs", key=("id",)),
    mapping={},
    contact=LOOKUP,
)
DOCUMENT = scenario(
    ask("hello", "wish", "Hello {{ contact.name }}!", next_step="bye"),
    say("bye", "{{ contact.badge + 1 }} since {{ format(contact.hired, 'YYYY') }}: {{ wish }}"),
    first_message="answer",
)


class Staff:
    """A main system's table, which may be down; it remembers who was looked for."""

    def __init__(self, *records: Record, is_down: bool = False) -> None:
        self.records = records
        self.is_down = is_down
        self.asked: list[Mapping[str, str]] = []

    def find(self, lookup: ContactLookup, wanted: Mapping[str, str], seconds: float) -> list[Record]:
        self.asked.append(wanted)
        if self.is_down:
            raise TryAgain("the main system is down")
        return [*self.records]

    def jobs(self) -> dict[str, Job]:
        at_once = partial(retried, sleep=lambda _: None)
        contacts = Contacts(lambda _: SYNC, lambda _: self, at_once)
        return {"contact": Job(contacts.perform), "sync_run": Job(self._take)}

    def _take(self, work: TaskEnvelope, attempt: Attempt) -> None:
        self.told = work.task.request

    told: Mapping[str, Any] | None = None


@pytest.mark.parametrize(
    ("staff", "texts"),
    [
        (Staff({"name": "Ann", "badge": "41", "hired": "2024-05-01"}), ["Hello Ann!", "42 since 2024: tea"]),
        (Staff({"name": "Ann", "badge": "x", "hired": None}), ["Hello Ann!", " since : tea"]),
        (Staff(), ["Hello !", " since : tea"]),
        (Staff({"name": "Ann"}, {"name": "Olga"}), ["Hello !", " since : tea"]),
        (Staff(is_down=True), ["Hello !", " since : tea"]),
    ],
    ids=["known", "known in parts", "unknown", "two of them", "down"],
)
def test_the_first_word_is_answered_once_it_is_known_who_said_it(
    staff: Staff, texts: list[str], aws_account: Aws
) -> None:
    sync = {"has_sync": True, "contact_fields": FIELDS}
    world = World(DOCUMENT, jobs=staff.jobs(), sync=sync)
    world.say("tea")
    world.settle()
    assert world.texts == texts
    assert set(map(str, staff.asked)) == {str({"chat": world.dialog.platform_chat_id})}
    assert staff.told is not None
    assert (staff.told["status"], staff.told["collected_data"]) == ("completed", {"wish": "tea"})
    assert world.difference() is None
    assert world.dead_tasks.bodies == []
