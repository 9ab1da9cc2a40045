"""Supabase as a main system: a row for a run through PostgREST, which may be put again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from shared.backend.postgrest import PostgRest, QueryRefused
from shared.backend.sync.base import Delivery, RowRefused, Sample, Unreachable
from shared.backend.sync.settings import SupabaseSink, table_of
from shared.errors import AddressRefused, AnswerTooLarge, NotAnswered

_KEPT_OUT: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)
_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}
"""The types of columns, as OpenAPI calls them, that take only some values of JSON."""


@dataclass(frozen=True, slots=True)
class SupabaseSystem:
    """A table behind PostgREST, asked as the project's service."""

    sink: SupabaseSink
    api: PostgRest

    def put(self, delivery: Delivery) -> None:
        with _told():
            self.api.upsert(*table_of(self.sink.table), delivery.row, self.sink.key, delivery.seconds)

    def problems(self, sample: Sample) -> Sequence[str]:
        schema, table = table_of(self.sink.table)
        try:
            with _told():
                described = self.api.description(schema, sample.seconds)
        except RowRefused as refused:
            return refused.reasons
        columns = (described.get("definitions") or {}).get(table, {}).get("properties")
        if not columns:
            return [f"there is no table “{self.sink.table}”, or the key may not see it"]
        return [*_flaws(columns, sample), *_flaws_of_key(columns, self.sink.key)]


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (AddressRefused, AnswerTooLarge, NotAnswered) as error:
        raise Unreachable(f"Supabase: {error}") from None
    except QueryRefused as refused:
        if refused.status in _KEPT_OUT or refused.status < HTTPStatus.BAD_REQUEST:
            raise Unreachable(f"Supabase answers {refused.status}") from None
        raise RowRefused(_words_of(refused)) from None


def _words_of(refused: QueryRefused) -> str:
    """For people, without any value of the row."""
    if refused.message:
        return refused.message
    if refused.is_of_a_value:
        return f"a column does not take what is mapped to it ({refused.code})"
    return f"Supabase answers {refused.status} {refused.code}".strip()


def _flaws(columns: Mapping[str, Mapping[str, Any]], sample: Sample) -> Iterator[str]:
    yield from (f"the table has no column “{name}”" for name in sorted(sample.columns) if name not in columns)
    for name, value in sample.row.items():
        kind = columns.get(name, {}).get("type")
        wanted = _JSON_TYPES.get(kind) if isinstance(kind, str) else None
        if wanted is not None and type(value) not in wanted:
            yield f"“{name}” is of type {kind}, which does not take what is mapped to it"


def _flaws_of_key(columns: Mapping[str, Mapping[str, Any]], key: Sequence[str]) -> Iterator[str]:
    """OpenAPI tells primary keys, and no other index: only where none is told of the key, is it a flaw."""
    primary = {name for name, column in columns.items() if "<pk" in str(column.get("description", ""))}
    if not primary and set(key) <= columns.keys():
        yield f"there is no primary key, and perhaps no unique index of {', '.join(key)}"
