"""Rows in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from shared.backend.sync.base import Delivery, RowRefused, Sample
from shared.backend.sync.mapping import Row
from shared.backend.sync.postgresql import PostgresSystem
from shared.guard import Guard
from tests.backend.sync.conftest import MakeSink, Query, grant
from tests.backend.sync.runs import a_run

IVAN: Row = {"telegram_id": "42", "name": "Иван", "age": 30}

Put = Callable[..., None]


@pytest.fixture
def put(sink: MakeSink, guard: Guard) -> Put:
    """Puts a row, by the usual sink with anything changed."""

    def put_row(row: Row, order: str | None = None, **changed: Any) -> None:
        PostgresSystem(sink(**changed), guard, order).put(Delivery(a_run(), row, 10))

    return put_row


# --- rows that arrive ------------------------------------------------------------------------------


@pytest.mark.usefixtures("staff")
def test_a_row_put_twice_is_one(put: Put, query: Query) -> None:
    put(IVAN)
    put(IVAN)
    assert query("SELECT telegram_id, name, age FROM staff") == [("42", "Иван", 30)]


@pytest.mark.usefixtures("staff")
def test_only_what_the_row_has_is_changed(put: Put, query: Query) -> None:
    query("INSERT INTO staff VALUES ('42', 'Ivan', 29, now(), 'tall'), ('43', 'Olga', 31, now(), '')")
    put({"telegram_id": "42", "age": 30})
    assert query("SELECT name, age, note FROM staff ORDER BY 1") == [("Ivan", 30, "tall"), ("Olga", 31, "")]


@pytest.mark.usefixtures("staff")
def test_a_row_of_nothing_but_its_key_is_put_and_changes_nothing(put: Put, query: Query) -> None:
    put({"telegram_id": "42"})
    put(IVAN)
    put({"telegram_id": "42"})
    assert query("SELECT telegram_id, name FROM staff") == [("42", "Иван")]


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", "second"),
        ("2026-11-23T11:00:00Z", "2026-11-23T10:00:00Z", "first"),
        ("2026-11-23T10:00:00Z", "2026-11-23T12:30:00+02:00", "second"),
        (None, "2026-11-23T10:00:00Z", "second"),
    ],
)
def test_an_older_run_never_takes_the_place_of_a_newer(
    put: Put, query: Query, first: str | None, second: str, name: str
) -> None:
    begun = {"started": first} if first else {}
    put({"telegram_id": "42", "name": "first", **begun}, "started")
    put({"telegram_id": "42", "name": "second", "started": second}, "started")
    assert query("SELECT name FROM staff") == [(name,)]


TYPES: list[tuple[str, Any, Any]] = [
    ("text", "a ' \" ; -- \\ %s {} $1 😀\nb", ...),
    ("text", "x" * 200_000, ...),
    ("text", 5, "5"),
    ("text", ["a", "b"], '["a", "b"]'),
    ("integer", "12", 12),
    ("bigint", 2**62, ...),
    ("numeric(10,2)", 1.5, Decimal("1.50")),
    ("double precision", 1.5, ...),
    ("boolean", True, ...),
    ("text[]", ["a", "b, c", '"', "й"], ...),
    ("integer[]", [1, 2], ...),
    ("jsonb", {"a": [1, {"b": None}]}, ...),
    ("json", ["x"], ...),
    ("mood", "glad", ...),
    ("date", "2026-12-31", ...),
    ("date", "2026-12-31T23:30:00Z", "2026-12-31"),
    ("timestamptz", "2026-12-31T23:30:00Z", "2026-12-31 23:30:00+00"),
    ("timestamptz", "2026-12-31T23:30:00+03:00", "2026-12-31 20:30:00+00"),
    ("timestamp", "2026-12-31T23:30:00Z", "2026-12-31 23:30:00"),
    ("time", "08:30", "08:30:00"),
    ("uuid", "5f0c6c1e-0e3f-4c39-9ed4-3f6f1f7f8f10", ...),
]
"""The type of a column, what is put there, and what is found, `...` for the same."""

_AS_TEXT = ("date", "time", "timestamp", "timestamptz", "uuid")


def test_values_arrive_in_the_types_of_their_columns(put: Put, query: Query) -> None:
    query("CREATE TYPE mood AS ENUM ('glad', 'sad')")
    columns = [f"c{place} {kind}" for place, (kind, *_) in enumerate(TYPES)]
    query(f"CREATE TABLE typed (id text PRIMARY KEY, {', '.join(columns)})")
    grant(query)

    put(
        {f"c{place}": given for place, (_, given, _) in enumerate(TYPES)} | {"id": "1"},
        table="typed",
        key=("id",),
    )

    shown = [f"c{place}{'::text' if kind in _AS_TEXT else ''}" for place, (kind, *_) in enumerate(TYPES)]
    query("ALTER ROLE postgres SET timezone = 'UTC'")
    (found,) = query(f"SELECT {', '.join(shown)} FROM typed")
    assert list(found) == [given if stored is ... else stored for _, given, stored in TYPES]


HOSTILE = "x\"; DROP TABLE staff; -- %s %(a)s {} ' й"
QUOTED = '"' + HOSTILE.replace('"', '""') + '"'


@pytest.mark.usefixtures("staff")
def test_names_and_values_are_never_read_as_sql(put: Put, query: Query) -> None:
    query(f"CREATE SCHEMA {QUOTED}; CREATE TABLE {QUOTED}.{QUOTED} ({QUOTED} text PRIMARY KEY, b text)")
    grant(query, QUOTED)
    row = {HOSTILE: HOSTILE, "b": "'); DELETE FROM staff; --"}

    for _ in range(2):
        put(row, table=f"{HOSTILE}.{HOSTILE}", key=(HOSTILE,))

    assert query(f"SELECT * FROM {QUOTED}.{QUOTED}") == [(HOSTILE, "'); DELETE FROM staff; --")]
    assert query("SELECT count(*) FROM staff") == [(0,)]


# --- rows that are refused -------------------------------------------------------------------------

STRICT = """
    CREATE TABLE boss (id integer PRIMARY KEY);
    CREATE TABLE strict (
        telegram_id text PRIMARY KEY,
        name varchar(20),
        age integer NOT NULL CONSTRAINT adult CHECK (age > 17),
        shout text GENERATED ALWAYS AS (upper(name)) STORED,
        boss integer CONSTRAINT led REFERENCES boss,
        badge integer CONSTRAINT badged UNIQUE,
        late integer CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED
    );
    INSERT INTO strict (telegram_id, age, badge, late) VALUES ('1', 30, 1001, 1002);
    CREATE TABLE loud (telegram_id text PRIMARY KEY, age integer);
    CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'not %', NEW.age; END $$;
    CREATE TRIGGER shouting BEFORE INSERT ON loud FOR EACH ROW EXECUTE FUNCTION shout();
    CREATE TABLE louder (telegram_id text PRIMARY KEY, age integer);
    CREATE FUNCTION shout_as_the_server() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'not %', NEW.age USING ERRCODE = '42501'; END $$;
    CREATE TRIGGER shouting BEFORE INSERT ON louder FOR EACH ROW EXECUTE FUNCTION shout_as_the_server();
    CREATE DOMAIN needed AS integer NOT NULL;
    CREATE TABLE needy (telegram_id text PRIMARY KEY, age integer, level needed DEFAULT 1);
    CREATE VIEW seen AS SELECT telegram_id, age FROM strict;
"""
_NO_KEY = "there is no primary key or unique index of exactly the columns of the key"
_DOES_NOT_TAKE = "which does not take what is mapped to it"


@pytest.mark.parametrize(
    ("row", "changed", "reasons"),
    [
        (
            {"age": "Forty-Two", "name": "x" * 21},
            {},
            [
                f"“name” is of type character varying(20), {_DOES_NOT_TAKE}",
                f"“age” is of type integer, {_DOES_NOT_TAKE}",
            ],
        ),
        ({"age": 2**40}, {}, [f"“age” is of type integer, {_DOES_NOT_TAKE}"]),
        ({"age": 18, "nope": 1}, {}, ['column "nope" of relation "strict" does not exist']),
        ({}, {"table": "nope"}, ['relation "public.nope" does not exist']),
        ({}, {"table": "nope.staff"}, ['relation "nope.staff" does not exist']),
        ({"age": 18}, {"key": ("age",)}, [_NO_KEY]),
        ({"age": 18, "shout": "LOUD"}, {}, ['cannot insert a non-DEFAULT value into column "shout"']),
        ({"age": 17}, {}, ["the table does not allow this (constraint “adult”)"]),
        ({}, {}, ["“age” has to have a value"]),
        ({"age": 18, "boss": 5555}, {}, ["a row that is referred to is not there (constraint “led”)"]),
        ({"age": 18, "badge": 1001}, {}, ["another row has the same already (constraint “badged”)"]),
        ({"age": 18, "late": 1002}, {}, ["another row has the same already (constraint “once”)"]),
        ({}, {"table": "closed"}, ["permission denied for table closed"]),
        ({"age": 1234}, {"table": "loud"}, ["the database refuses it (P0001)"]),
        ({"age": 1234}, {"table": "louder"}, ["the database refuses it (42501)"]),
        ({"age": 18}, {"table": "needy"}, ["“needed” has to have a value"]),
    ],
    ids=str,
)
def test_a_row_that_will_never_fit_is_refused_with_reasons_that_quote_no_value(
    put: Put, query: Query, row: Row, changed: dict[str, Any], reasons: list[str]
) -> None:
    query(STRICT)
    grant(query)
    query("CREATE TABLE closed (telegram_id text PRIMARY KEY)")

    with pytest.raises(RowRefused) as refused:
        put({"telegram_id": "42", **row}, **({"table": "strict"} | changed))

    told = refused.value.reasons
    assert [any(map(reason.startswith, reasons)) for reason in told] == [True] * len(reasons), told
    assert not [value for value in row.values() if len(str(value)) > 2 and str(value) in str(refused.value)]
    assert query("SELECT count(*) FROM strict") == [(1,)]


def test_a_row_stays_refused_although_there_is_no_time_to_find_out_all_about_it(
    sink: MakeSink, guard: Guard, query: Query
) -> None:
    query("""
        CREATE FUNCTION slow(text) RETURNS bool LANGUAGE sql AS 'SELECT pg_sleep(9) IS NOT NULL';
        CREATE DOMAIN word AS text CHECK (slow(VALUE));
        CREATE TABLE t (telegram_id text PRIMARY KEY, age integer, note word);
    """)
    grant(query)
    row = {"telegram_id": "42", "age": "Forty-Two", "note": "x"}

    with pytest.raises(RowRefused, match="22P02"):
        PostgresSystem(sink(table="t"), guard).put(Delivery(a_run(), row, 2))


# --- what is looked at beforehand ------------------------------------------------------------------


@pytest.fixture
def problems(sink: MakeSink, guard: Guard, query: Query) -> Callable[..., list[str]]:
    def look(row: Row, columns: tuple[str, ...] = (), **changed: Any) -> list[str]:
        query(STRICT)
        grant(query)
        query("CREATE TABLE closed (telegram_id text PRIMARY KEY)")
        system = PostgresSystem(sink(**({"table": "strict"} | changed)), guard)
        whole = {"telegram_id": "text", **row}
        return list(system.problems(Sample(a_run(), {*whole, *columns}, whole, 10)))

    return look


@pytest.mark.parametrize(
    ("row", "changed", "told"),
    [
        ({"age": 18, "name": "text"}, {}, []),
        ({"age": 17, "boss": 5, "badge": 1001}, {}, []),
        ({"age": "text"}, {}, [f"“age” is of type integer, {_DOES_NOT_TAKE}"]),
        ({"age": 1, "nope": 1}, {}, ["the table has no column “nope”"]),
        ({}, {"columns": ("age", "nope")}, ["the table has no column “nope”"]),
        ({}, {"columns": ("age",)}, []),
        ({"name": "text"}, {}, ["“age” has to have a value, and nothing is mapped to it"]),
        ({"age": 1, "shout": "text"}, {}, ["“shout” is filled in by the database itself"]),
        ({"age": 1}, {"key": ("age",)}, [_NO_KEY]),
        (
            {"age": 18, "late": 1},
            {"key": ("late",)},
            ["ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters"],
        ),
        ({"age": 1, "badge": 1}, {"key": ("badge",)}, []),
        ({"age": 1}, {"table": "seen"}, []),
        ({"age": 1}, {"table": "needy"}, ["“needed” has to have a value"]),
        ({"age": 1}, {"table": "louder"}, ["the database refuses it (42501)"]),
        ({}, {"table": "nope"}, ["there is no table “nope”, or the user may not see it"]),
        ({}, {"table": "closed"}, ["permission denied for table closed"]),
    ],
    ids=str,
)
def test_a_table_is_looked_at_and_nothing_stays_in_it(
    problems: Callable[..., list[str]], query: Query, row: Row, changed: dict[str, Any], told: list[str]
) -> None:
    assert problems(row, **changed) == told
    assert query("SELECT count(*) FROM strict") == [(1,)]
