"""Rows through PostgREST, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.backend.postgrest import PostgRest
from shared.backend.sync.base import Delivery, RowRefused, Sample, Unreachable
from shared.backend.sync.settings import SupabaseSink
from shared.backend.sync.supabase import SupabaseSystem
from shared.guard import Guard
from shared.outbound_http import OutboundHttp
from tests.backend.sync.runs import a_run
from tests.standins.postgrest import PostgRestServer, Table

COLUMNS = {"telegram_id": "text", "name": "text", "age": "bigint", 'a, "b"': "text"}
IVAN = {"telegram_id": "42", "name": "Иван", "age": 30}


@pytest.fixture
def server() -> Iterator[PostgRestServer]:
    with PostgRestServer() as server:
        server.tables["staff"] = Table(COLUMNS, key=("telegram_id",))
        yield server


System = Callable[..., SupabaseSystem]


@pytest.fixture
def system(server: PostgRestServer) -> System:
    def make(**changed: Any) -> SupabaseSystem:
        usual: dict[str, Any] = {"url": server.url, "service_key": "service-key", "table": "staff"}
        sink = SupabaseSink(**({"key": ("telegram_id",)} | usual | changed))
        http = OutboundHttp(Guard(server.url.removeprefix("http://")))
        return SupabaseSystem(sink, PostgRest(http, sink.url, sink.service_key))

    return make


def test_a_row_put_twice_is_one_and_changes_what_it_has(server: PostgRestServer, system: System) -> None:
    for row in (IVAN, IVAN, {"telegram_id": "42", "age": 31}, {"telegram_id": "43"}):
        system().put(Delivery(a_run(), row, 5))
    assert server.tables["staff"].rows == [IVAN | {"age": 31}, {"telegram_id": "43"}]


def test_names_of_any_signs_and_another_schema_are_told_as_they_are(
    server: PostgRestServer, system: System
) -> None:
    server.schema = "hr"
    server.tables["the staff/2026?"] = Table(COLUMNS, key=("telegram_id", 'a, "b"'))
    row = {"telegram_id": "42", 'a, "b"': "x"}
    system(table="hr.the staff/2026?", key=("telegram_id", 'a, "b"')).put(Delivery(a_run(), row, 5))
    assert server.tables["the staff/2026?"].rows == [row]


@pytest.mark.parametrize(
    ("row", "changed", "reason"),
    [
        ({"age": "Forty-Two"}, {}, "a column does not take what is mapped to it (22P02)"),
        ({"nope": 1}, {}, "Could not find the 'nope' column in the schema cache"),
        ({}, {"table": "nope"}, "Could not find the table 'public.nope' in the schema cache"),
        ({}, {"table": "hr.staff"}, "Invalid schema: hr"),
        (
            {},
            {"key": ("name",)},
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        ),
    ],
    ids=str,
)
def test_a_row_that_will_never_fit_is_refused_with_a_reason_that_quotes_no_value(
    system: System, row: dict[str, Any], changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RowRefused) as refused:
        system(**changed).put(Delivery(a_run(), {"telegram_id": "42", **row}, 5))
    assert refused.value.reasons == (reason,)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "it answers 500"),
        (429, "it answers 429"),
        (401, "Supabase answers 401"),
        (302, "Supabase answers 302"),
    ],
)
def test_what_keeps_a_row_out_for_now_is_told(
    server: PostgRestServer, system: System, status: int, words: str
) -> None:
    server.fail_next(status, {})
    with pytest.raises(Unreachable, match=words):
        system().put(Delivery(a_run(), IVAN, 5))
    system().put(Delivery(a_run(), IVAN, 5))
    assert len(server.tables["staff"].rows) == 1


def test_a_wrong_key_is_told_and_not_shown(system: System) -> None:
    with pytest.raises(Unreachable, match="Supabase answers 401") as told:
        system(service_key="s3cret").put(Delivery(a_run(), IVAN, 5))
    assert "s3cret" not in repr(told.value)


def test_nobody_is_asked_at_a_private_address(system: System, server: PostgRestServer) -> None:
    ours = system()
    guarded = SupabaseSystem(ours.sink, PostgRest(OutboundHttp(Guard()), ours.sink.url, "service-key"))
    with pytest.raises(Unreachable, match="not a public one"):
        guarded.put(Delivery(a_run(), IVAN, 5))
    assert server.requests == []


@pytest.mark.parametrize(
    ("row", "changed", "told"),
    [
        (IVAN, {}, []),
        ({"nope": 1}, {}, ["the table has no column “nope”"]),
        ({"age": "text"}, {}, ["“age” is of type integer, which does not take what is mapped to it"]),
        ({}, {"table": "nope"}, ["there is no table “nope”, or the key may not see it"]),
        ({}, {"table": "loose"}, ["there is no primary key, and perhaps no unique index of telegram_id"]),
    ],
    ids=str,
)
def test_a_table_is_looked_at_as_it_is_described(
    server: PostgRestServer, system: System, row: dict[str, Any], changed: dict[str, Any], told: list[str]
) -> None:
    server.tables["loose"] = Table(COLUMNS)
    assert list(system(**changed).problems(Sample(a_run(), row.keys(), row, 5))) == told
    assert server.tables["staff"].rows == []
