"""A person's record, looked up in a main system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from shared.backend.contacts.by_postgrest import PostgRestRecords
from shared.backend.contacts.looking_up import Contacts, Record, Records
from shared.backend.postgrest import PostgRest
from shared.backend.sync.settings import ContactLookup, SupabaseSink, SyncSettings
from shared.dialog.state import Task
from shared.errors import TaskFailed
from shared.guard import Guard
from shared.outbound_http import OutboundHttp
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt
from shared.tasks.retrying import TryAgain, retried
from tests.standins.postgrest import PostgRestServer, Table

SINK = SupabaseSink(url="https://main.example", service_key="k", table="staff", key=("id",))
FIELDS = {"name": "string", "badge": "integer"}
WORK = TaskEnvelope(
    dialog_id="d",
    epoch="e",
    bot_id="b",
    platform="telegram",
    platform_chat_id="42",
    task=Task(
        number=1,
        kind="contact",
        request={"username": "ann", "variables": {"phone": "+49", "age": 7, "share": 2.0, "is_new": True}},
        timeout=10,
    ),
    trace_id="t",
)
ATTEMPT = Attempt(1, lambda: 10.0)


class Found:
    """A table that remembers what it was asked for."""

    def __init__(self, *records: Record, faults: int = 0) -> None:
        self.records = records
        self.faults = faults
        self.asked: list[Mapping[str, str]] = []

    def find(self, lookup: ContactLookup, wanted: Mapping[str, str], seconds: float) -> list[Record]:
        self.asked.append(wanted)
        if len(self.asked) <= self.faults:
            raise TryAgain("the main system is down")
        return [*self.records]


def looked_up(
    records: Records, match: dict[str, str], fields: dict[str, str] = FIELDS, work: TaskEnvelope = WORK
) -> dict[str, Any]:
    lookup = ContactLookup(table="staff", match=match, fields=fields)
    sync = SyncSettings(sink=SINK, mapping={}, contact=lookup)
    at_once = partial(retried, sleep=lambda _: None)
    return Contacts(lambda _: sync, lambda _: records, at_once).perform(work, ATTEMPT)


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        ({"chat": "platform_chat_id"}, {"chat": "42"}),
        ({"login": "username"}, {"login": "ann"}),
        ({"phone": "phone", "age": "age"}, {"phone": "+49", "age": "7"}),
        ({"share": "share"}, {"share": "2"}),
        ({"new": "is_new"}, {"new": "true"}),
    ],
)
def test_a_person_is_looked_for_by_what_is_known_of_them(
    match: dict[str, str], wanted: dict[str, str]
) -> None:
    table = Found({"name": "Ann", "badge": 7})
    assert looked_up(table, match) == {"contact": {"name": "Ann", "badge": 7}}
    assert table.asked == [wanted]


@pytest.mark.parametrize("match", [{"a": "no_such"}, {"a": "phone", "b": "no_such"}, {}])
def test_whom_nothing_is_known_of_is_nobody(match: dict[str, str]) -> None:
    table = Found({"name": "somebody"})
    assert looked_up(table, match) == {"contact": {}}
    assert table.asked == []


def test_no_variable_stands_for_the_chat_itself() -> None:
    request = {"username": "", "variables": {"platform_chat_id": "1", "username": "boss"}}
    work = TaskEnvelope(
        dialog_id="d",
        epoch="e",
        bot_id="b",
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=1, kind="contact", request=request, timeout=10),
        trace_id="t",
    )
    table = Found()
    looked_up(table, {"chat": "platform_chat_id"}, work=work)
    looked_up(table, {"login": "username"}, work=work)
    assert table.asked == [{"chat": "42"}]


def test_nobody_found_is_nobody() -> None:
    assert looked_up(Found(), {"chat": "platform_chat_id"}) == {"contact": {}}


def test_more_than_one_person_is_told_and_is_nobody() -> None:
    with pytest.raises(TaskFailed, match="more than one row of “staff”"):
        looked_up(Found({"name": "Ann"}, {"name": "Bo"}), {"chat": "platform_chat_id"})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "Ann", "Ann"),
        ("string", 7, "7"),
        ("string", True, "true"),
        ("integer", 7, 7),
        ("integer", 7.0, 7),
        ("integer", "7", 7),
        ("integer", "seven", "seven"),
        ("number", "1.50", 1.5),
        ("number", 1, 1),
        ("number", "nan", "nan"),
        ("boolean", False, False),
        ("date", "2024-05-01", "2024-05-01"),
        ("date", "2024-05-01T10:00:00+00:00", "2024-05-01T10:00:00+00:00"),
        ("list", ["a"], ["a"]),
        ("any", {"a": 1}, {"a": 1}),
    ],
)
def test_a_field_has_the_type_that_scenarios_expect(kind: str, value: Any, expected: Any) -> None:
    found = looked_up(Found({"x": value, "beside": 1}), {"chat": "platform_chat_id"}, {"x": kind})
    assert found == {"contact": {"x": expected}}
    assert type(found["contact"]["x"]) is type(expected)


def test_a_field_without_a_value_is_left_out() -> None:
    assert looked_up(Found({"name": None}), {"chat": "platform_chat_id"}) == {"contact": {}}


def test_a_bot_without_a_main_system_knows_nobody() -> None:
    def no_records(_sink: object) -> Records:
        raise AssertionError

    for sync in (None, SyncSettings(sink=SINK, mapping={})):
        contacts = Contacts(lambda _bot_id, sync=sync: sync, no_records)  # type: ignore[misc]
        assert contacts.perform(WORK, ATTEMPT) == {"contact": {}}


def test_a_main_system_that_was_down_is_asked_again() -> None:
    table = Found({"name": "Ann"}, faults=2)
    assert looked_up(table, {"chat": "platform_chat_id"})["contact"] == {"name": "Ann"}
    with pytest.raises(TaskFailed, match="is down"):
        looked_up(Found(faults=100), {"chat": "platform_chat_id"})


@pytest.fixture
def server() -> Iterator[PostgRestServer]:
    with PostgRestServer() as server:
        server.tables["staff"] = Table(
            {"telegram_id": "bigint", "name": "text", "badge": "bigint", "pay": "text"},
            [{"telegram_id": 42, "name": "Ann", "badge": 7, "pay": "much"}],
        )
        yield server


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(server: PostgRestServer) -> Ask:
    http = OutboundHttp(Guard(server.url.removeprefix("http://")))
    return partial(looked_up, PostgRestRecords(PostgRest(http, server.url, server.key)))


def test_behind_postgrest_only_the_fields_are_read(server: PostgRestServer, ask: Ask) -> None:
    assert ask({"telegram_id": "platform_chat_id"}) == {"contact": {"name": "Ann", "badge": 7}}
    assert "much" not in str(server.requests[-1].answer)


def test_what_no_value_of_the_column_can_be_is_nobodys(server: PostgRestServer, ask: Ask) -> None:
    assert ask({"telegram_id": "username"}) == {"contact": {}}


@pytest.mark.parametrize(
    ("match", "fields", "words"),
    [
        ({"no_such": "username"}, FIELDS, "no_such does not exist"),
        ({"name": "username"}, {"no_such": "string"}, "no_such does not exist"),
    ],
)
def test_a_setting_that_does_not_fit_the_table_is_told(
    ask: Ask, match: dict[str, str], fields: dict[str, str], words: str
) -> None:
    with pytest.raises(TaskFailed, match=words):
        ask(match, fields)


def test_a_private_main_system_is_not_asked(server: PostgRestServer) -> None:
    records = PostgRestRecords(PostgRest(OutboundHttp(), server.url, server.key))
    with pytest.raises(TaskFailed, match="not a public one"):
        looked_up(records, {"telegram_id": "platform_chat_id"})
    assert server.requests == []
