"""People's records in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.backend.contacts.by_postgresql import PostgresRecords
from shared.backend.contacts.looking_up import Record
from shared.backend.sync.settings import ContactLookup, PostgresSink
from shared.errors import TaskFailed
from shared.guard import Guard
from shared.tasks.retrying import TryAgain
from tests.postgres import Postgres

STAFF = """
    CREATE SCHEMA hr;
    CREATE TABLE hr."old staff" (
        telegram_id bigint, login text, name text, hired date, since timestamptz, score numeric,
        is_in boolean, "odd %s name" text, key uuid, tags text[], pay text
    );
    INSERT INTO hr."old staff" VALUES
        (42, 'ann', 'Ann', '2024-05-01', '2024-05-01 12:00+02', 1.50, true, 'x', NULL, '{a,b}', 'much'),
        (43, 'bo', 'Bo', NULL, NULL, NULL, false, '', gen_random_uuid(), '{}', 'more'),
        (44, 'bo', 'Other Bo', NULL, NULL, NULL, false, '', NULL, '{}', 'more')
"""
ALL = ("name", "hired", "since", "score", "is_in", "odd %s name", "key", "tags")

Find = Callable[..., list[Record]]


@pytest.fixture
def sink(postgres: Postgres, database: str) -> PostgresSink:
    with postgres.connected(database) as connection:
        connection.execute(STAFF)
        connection.execute(f"GRANT USAGE ON SCHEMA hr TO {postgres.user}".encode())
        connection.execute(f'GRANT SELECT ON hr."old staff" TO {postgres.user}'.encode())
    return PostgresSink(
        host=postgres.host,
        port=postgres.port,
        database=database,
        user=postgres.user,
        password=postgres.password,
        table="staff",
        key=("id",),
        ca_certificate=postgres.ca_certificate,
    )


@pytest.fixture
def find(postgres: Postgres, sink: PostgresSink) -> Find:
    def asked(*fields: str, table: str = "hr.old staff", **wanted: str) -> list[Record]:
        lookup = ContactLookup(
            table=table, match=dict.fromkeys(wanted, "username"), fields=dict.fromkeys(fields, "any")
        )
        guard = Guard(f"{postgres.host}:{postgres.port}")
        return PostgresRecords(sink, guard).find(lookup, wanted, 10)

    return asked


def test_a_record_is_as_json_has_it(find: Find) -> None:
    assert find(*ALL, telegram_id="42") == [
        {
            "name": "Ann",
            "hired": "2024-05-01",
            "since": "2024-05-01T10:00:00+00:00",
            "score": 1.5,
            "is_in": True,
            "odd %s name": "x",
            "key": None,
            "tags": ["a", "b"],
        }
    ]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"login": "ann"}, ["Ann"]),
        ({"is_in": "true", "score": "1.5"}, ["Ann"]),
        ({"odd %s name": "x"}, ["Ann"]),
        ({"hired": "2024-05-01"}, ["Ann"]),
        ({"login": "bo"}, ["Bo", "Other Bo"]),
        ({"login": "bo", "telegram_id": "44"}, ["Other Bo"]),
        ({"is_in": "false"}, ["Bo", "Other Bo"]),
        ({"telegram_id": "1"}, []),
        ({"telegram_id": "ann"}, []),
        ({"telegram_id": "9" * 40}, []),
        ({"key": "no uuid"}, []),
        ({"login": "' OR true --"}, []),
        ({"login": "%"}, []),
        ({"login": "a\0b"}, []),
    ],
    ids=repr,
)
def test_a_person_is_found_by_what_the_columns_hold(
    find: Find, wanted: dict[str, str], names: list[str]
) -> None:
    assert sorted(record["name"] for record in find("name", **wanted)) == names


@pytest.mark.parametrize(
    ("fields", "wanted", "table", "words"),
    [
        (["no_such"], {"login": "ann"}, "hr.old staff", 'column "no_such" does not exist'),
        (["name"], {"no_such": "ann"}, "hr.old staff", 'column "no_such" does not exist'),
        (["name"], {"login": "ann"}, "staff", 'relation "public.staff" does not exist'),
        (["datname"], {"datname": "x"}, "pg_catalog.pg_authid", "permission denied|does not exist"),
    ],
)
def test_a_setting_that_does_not_fit_is_told(
    find: Find, fields: list[str], wanted: dict[str, str], table: str, words: str
) -> None:
    with pytest.raises(TaskFailed, match=words):
        find(*fields, table=table, **wanted)


def test_what_was_asked_leaves_no_trace(postgres: Postgres, database: str, find: Find) -> None:
    with postgres.connected(database) as connection:
        connection.execute(
            """
            CREATE TABLE traces (at timestamptz); GRANT INSERT ON traces TO parley;
            CREATE FUNCTION traced() RETURNS text LANGUAGE sql AS
                'INSERT INTO public.traces VALUES (now()); SELECT ''ann'' AS login';
            CREATE VIEW hr.traced AS SELECT traced() AS login; GRANT SELECT ON hr.traced TO parley
            """
        )
        assert find("login", table="hr.traced", login="ann") == [{"login": "ann"}]
        assert connection.execute("SELECT * FROM traces").fetchall() == []


def test_a_database_that_lets_nobody_in_may_do_so_later(postgres: Postgres, sink: PostgresSink) -> None:
    lookup = ContactLookup(table="staff", match={"login": "username"}, fields={"name": "string"})
    with pytest.raises(TryAgain, match="not a public one"):
        PostgresRecords(sink, Guard()).find(lookup, {"login": "ann"}, 10)
    postgres.stop()
    try:
        with pytest.raises(TryAgain, match="the database says"):
            PostgresRecords(sink, Guard(f"{postgres.host}:{postgres.port}")).find(lookup, {"login": "a"}, 10)
    finally:
        postgres.start()
