"""What a table of PostgreSQL is like, as its database describes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from shared.backend.sync.mapping import Row
from shared.backend.sync.settings import TableName

_COLUMNS: Final = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type, typtype IN ('d', 'e') AS is_choosy,
        attgenerated <> '' OR attidentity = 'a' AS is_made,
        attnotnull AND NOT atthasdef AND attidentity = '' AS is_needed
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    WHERE attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text)) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""


class Column(NamedTuple):
    """`is_choosy`: its type takes only some values. `is_made`: the database fills it in by itself.
    `is_needed`: it has to have a value, and has none by default.
    """

    name: str
    type: str
    is_choosy: bool
    is_made: bool
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """One table, looked at over a connection."""

    connection: psycopg.Connection
    table: TableName

    def columns(self) -> list[Column]:
        """None if there is no such table, or the user may not see it."""
        with self.connection.cursor(row_factory=class_row(Column)) as cursor:
            return cursor.execute(_COLUMNS, self.table).fetchall()

    def misfits(self, row: Row) -> Iterator[Column]:
        """The columns whose types do not take what the row has for them."""
        return (each for each in self.columns() if each.name in row and not self._takes(each, row[each.name]))

    def _takes(self, column: Column, value: Any) -> bool:
        """Whether the type takes the value; that another column's demands one is no matter."""
        read = sql.SQL("SELECT (jsonb_populate_record(NULL::{}, %s)).{}")
        try:
            with self.connection.transaction():
                query = read.format(quoted(*self.table), quoted(column.name))
                self.connection.execute(query, [Jsonb({column.name: value})])
        except psycopg.errors.NotNullViolation:
            return True
        except (psycopg.DataError, psycopg.IntegrityError):
            return False
        return True


def quoted(*names: str) -> sql.Identifier:
    """psycopg takes a percent sign for the place of a parameter, in names as well."""
    return sql.Identifier(*(name.replace("%", "%%") for name in names))
