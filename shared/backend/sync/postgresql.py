"""PostgreSQL as a main system: a row for a run, by one statement that may be repeated."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from shared.backend.sync.base import Delivery, RowRefused, Sample
from shared.backend.sync.connections import connected, is_passing
from shared.backend.sync.inspection import Column, Inspection, quoted
from shared.backend.sync.mapping import Row
from shared.backend.sync.settings import PostgresSink, table_of
from shared.guard import Guard

_ABOUT_NAMES: Final = re.compile("0A|3F|42|55")
"""How the states (SQLSTATE) begin whose words name tables, columns and rights, and no value."""

_NOTHING: Final = "23502"
_NO_KEY: Final = "42P10"
_CONSTRAINTS: Final[Mapping[str, str]] = {
    "23503": "a row that is referred to is not there",
    "23505": "another row has the same already",
    "23514": "the table does not allow this",
    "23P01": "it collides with another row",
}
_LONGEST_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class PostgresSystem:
    """A table of a database. A connection lasts for one row, so that none is left behind.

    Where `order` names the column that has the begin of a run, an older run never takes the place of a newer.
    """

    sink: PostgresSink
    guard: Guard
    order: str | None = None

    def put(self, delivery: Delivery) -> None:
        with connected(self.sink, self.guard, delivery.seconds) as connection:
            try:
                self._upsert(connection, delivery.row)
                connection.commit()
            except psycopg.Error as error:
                if is_passing(error):
                    raise
                connection.rollback()
                raise RowRefused(*self._reasons(connection, error, delivery.row)) from None

    def problems(self, sample: Sample) -> Sequence[str]:
        with connected(self.sink, self.guard, sample.seconds) as connection:
            try:
                found = list(self._seen(connection, sample))
                if not found:
                    self._try(connection, sample.row)
            except psycopg.Error as error:
                if is_passing(error):
                    raise
                return [words_of(error)]
            return found

    def _upsert(self, connection: psycopg.Connection, row: Row) -> None:
        connection.execute(self._statement(row), [Jsonb(row)])

    def _statement(self, row: Row) -> sql.Composed:
        """Names are quoted, the values are one parameter, and the types of the table read them."""
        return sql.SQL(
            "INSERT INTO {table} AS kept ({columns})"
            " SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %s) ON CONFLICT ({key}) DO {update}"
        ).format(
            table=quoted(*table_of(self.sink.table)),
            columns=_listed(row),
            key=_listed(self.sink.key),
            update=self._update(row),
        )

    def _update(self, row: Row) -> sql.Composable:
        others = [quoted(column) for column in row if column not in self.sink.key]
        if not others:
            return sql.SQL("NOTHING")
        update = sql.SQL("UPDATE SET {}").format(_assigned(others))
        if self.order is None or self.order not in row:
            return update
        is_newer = sql.SQL(" WHERE kept.{0} IS NULL OR kept.{0} <= EXCLUDED.{0}")
        return update + is_newer.format(quoted(self.order))

    def _reasons(self, connection: psycopg.Connection, error: psycopg.Error, row: Row) -> list[str]:
        """What an error means; of values that were not taken, the columns that they were meant for.

        That they cannot be found out, in time perhaps, makes no other answer of it.
        """
        misfits: list[Column] = []
        if isinstance(error, psycopg.DataError):
            with suppress(psycopg.Error):
                misfits += self._inspect(connection).misfits(row)
        return [_misfit(column) for column in misfits] or [words_of(error)]

    def _inspect(self, connection: psycopg.Connection) -> Inspection:
        return Inspection(connection, table_of(self.sink.table))

    def _seen(self, connection: psycopg.Connection, sample: Sample) -> Iterator[str]:
        """What the table's own description tells."""
        table = self._inspect(connection)
        columns = table.columns()
        if not columns:
            yield f"there is no table “{self.sink.table}”, or the user may not see it"
            return
        yield from _flaws(columns, sample.columns)
        yield from (_misfit(column) for column in table.misfits(sample.row) if not column.is_choosy)

    def _try(self, connection: psycopg.Connection, row: Row) -> None:
        """Put a made-up row, and take it back. What the table has against made-up values is no matter.

        A type that demands a value does so whatever the values are; only its error names no column.
        """
        try:
            with connection.transaction(force_rollback=True):
                self._upsert(connection, row)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if error.sqlstate == _NOTHING and not error.diag.column_name:
                raise


def _flaws(columns: Iterable[Column], mapped: Collection[str]) -> Iterator[str]:
    """Why a row of what is mapped could not be put, whatever is in it."""
    by_name = {column.name: column for column in columns}
    yield from (f"the table has no column “{name}”" for name in sorted(mapped) if name not in by_name)
    for name, column in by_name.items():
        if name in mapped and column.is_made:
            yield f"“{name}” is filled in by the database itself"
        elif name not in mapped and column.is_needed:
            yield f"“{name}” has to have a value, and nothing is mapped to it"


def _misfit(column: Column) -> str:
    return f"“{column.name}” is of type {column.type}, which does not take what is mapped to it"


def words_of(error: psycopg.Error) -> str:
    """For people, without any value of the row."""
    state, told = error.sqlstate or "", error.diag
    if state == _NOTHING:
        return f"“{told.column_name or told.datatype_name}” has to have a value"
    if state == _NO_KEY:
        return "there is no primary key or unique index of exactly the columns of the key"
    if state in _CONSTRAINTS:
        return f"{_CONSTRAINTS[state]} (constraint “{told.constraint_name}”)"
    is_the_servers = not told.context  # what functions and triggers say may quote values
    if is_the_servers and _ABOUT_NAMES.match(state) and told.message_primary:
        return told.message_primary[:_LONGEST_WORDS]
    return f"the database refuses it ({state})"


def _assigned(names: Iterable[sql.Identifier]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in names)


def _listed(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(quoted(name) for name in names)
