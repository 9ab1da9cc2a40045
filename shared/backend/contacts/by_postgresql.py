"""Records in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from shared.backend.contacts.looking_up import MOST_RECORDS, Record
from shared.backend.sync.base import Unreachable
from shared.backend.sync.connections import connected
from shared.backend.sync.inspection import quoted
from shared.backend.sync.postgresql import words_of
from shared.backend.sync.settings import ContactLookup, PostgresSink, table_of
from shared.errors import TaskFailed
from shared.guard import Guard
from shared.tasks.retrying import TryAgain


@dataclass(frozen=True, slots=True)
class PostgresRecords:
    """Fulfils `Records`."""

    sink: PostgresSink
    guard: Guard

    def find(self, lookup: ContactLookup, wanted: Mapping[str, str], seconds: float) -> list[Record]:
        try:
            with connected(self.sink, self.guard, seconds) as connection:
                found = connection.execute(_query(lookup), [*wanted.values()]).fetchall()
        except Unreachable as why:
            raise TryAgain(why.reason, why.after_seconds) from None
        except psycopg.DataError:
            return []  # what no value of the column can be, nobody's is
        except psycopg.Error as error:
            raise TaskFailed(f"the main system refuses to be asked: {words_of(error)}") from None
        return [record for (record,) in found]


def _query(lookup: ContactLookup) -> sql.Composed:
    """As JSON, so that a value looks as it does behind PostgREST."""
    return sql.SQL(
        "SELECT to_jsonb(found) FROM (SELECT {columns} FROM {table} WHERE {conditions} LIMIT {most}) AS found"
    ).format(
        columns=sql.SQL(", ").join(map(quoted, lookup.fields)),
        table=quoted(*table_of(lookup.table)),
        conditions=sql.SQL(" AND ").join(
            sql.SQL("{} = %s").format(quoted(column)) for column in lookup.match
        ),
        most=sql.Literal(MOST_RECORDS),
    )
