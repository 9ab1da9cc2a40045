"""A table of a real PostgreSQL, as a bot's main system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.backend.sync.settings import PostgresSink
from shared.guard import Guard
from tests.postgres import Postgres

STAFF = """
    CREATE TABLE staff (
        telegram_id text PRIMARY KEY, name varchar(20), age integer, started timestamptz, note text
    )
"""

MakeSink = Callable[..., PostgresSink]
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def query(postgres: Postgres, database: str) -> Query:
    """Asks or tells the database as its owner."""

    def ask(statement: str) -> list[tuple[Any, ...]]:
        with postgres.connected(database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return ask


@pytest.fixture
def staff(query: Query) -> None:
    """A table, and the right to write to it."""
    query(STAFF)
    grant(query)


def grant(query: Query, schema: str = "public") -> None:
    """The right to write to all tables that there are."""
    query(f"GRANT USAGE ON SCHEMA {schema} TO {Postgres.user}")
    query(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {Postgres.user}")


@pytest.fixture
def guard(postgres: Postgres) -> Guard:
    return Guard(f"{postgres.host}:{postgres.port}")


@pytest.fixture
def sink(postgres: Postgres, database: str) -> MakeSink:
    """The sink with anything changed."""

    def make(**changed: Any) -> PostgresSink:
        usual: dict[str, Any] = {
            "host": postgres.host,
            "port": postgres.port,
            "database": database,
            "user": postgres.user,
            "password": postgres.password,
            "table": "staff",
            "key": ("telegram_id",),
            "ca_certificate": postgres.ca_certificate,
        }
        return PostgresSink(**(usual | changed))

    return make
