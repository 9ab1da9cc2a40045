"""A project's tables as PostgREST serves them behind Supabase's gateway, on loopback.

Written from PostgREST's reference (tables and views, schemas, errors) and Supabase's on API keys: it wants
its key twice, knows its columns and their types, and says in PostgREST's own words what it does not like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from tests.standins.server import Answer, Incoming, Refusal, StandIn, answer_json

Row = dict[str, Any]

_BELOW: Final = "/rest/v1/"
_TRUTHS: Final = {"true": True, "t": True, "false": False, "f": False}


@dataclass
class Table:
    """`columns` has their types by name: text, bigint, boolean, date or uuid."""

    columns: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)


class PostgRestServer(StandIn):
    """One project; `tables` are those of the schema that it exposes."""

    def __init__(self, key: str = "service-key", schema: str = "public") -> None:
        super().__init__()
        self.key = key
        self.schema = schema
        self.tables: dict[str, Table] = {}

    def is_send(self, request: Incoming) -> bool:
        return True

    def answer(self, request: Incoming) -> Answer:
        self._require_key(request)
        table = self._table(request)
        if request.method != "GET":
            raise _refusal(405, "PGRST117", f"Unsupported HTTP method: {request.method}")
        return answer_json(self._selected(request, table))

    def _require_key(self, request: Incoming) -> None:
        given = request.headers.get("apikey")
        if given is None:
            raise Refusal(answer_json({"message": "No API key found in request"}, 401))
        if given != self.key or request.headers.get("authorization") != f"Bearer {self.key}":
            raise Refusal(answer_json({"message": "Invalid API key"}, 401))

    def _table(self, request: Incoming) -> Table:
        schema = request.headers.get("accept-profile", self.schema)
        if schema != self.schema:
            raise _refusal(406, "PGRST106", f"Invalid schema: {schema}")
        name = unquote(request.path.removeprefix(_BELOW))
        if not request.path.startswith(_BELOW) or name not in self.tables:
            raise _refusal(404, "PGRST205", f"Could not find the table '{schema}.{name}' in the schema cache")
        return self.tables[name]

    def _selected(self, request: Incoming, table: Table) -> list[Row]:
        query = dict(request.query)
        columns = [_bare(name) for name in query.pop("select", "*").split(",")]
        limit = query.pop("limit", None)
        wanted = {_bare(name): _filter(table, _bare(name), value) for name, value in query.items()}
        if columns == ["*"]:
            columns = [*table.columns]
        for name in columns:
            _require_column(table, name)
        found = [row for row in table.rows if all(row.get(name) == value for name, value in wanted.items())]
        return [{name: row.get(name) for name in columns} for row in found[: _limit(limit)]]


def _bare(name: str) -> str:
    """A name without the quotes that let it have any signs."""
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)+)"', name)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if not re.fullmatch(r"[\w*]+", name):
        raise _refusal(400, "PGRST100", f'"failed to parse select parameter ({name})" (line 1, column 1)')
    return name


def _filter(table: Table, name: str, value: str) -> Any:
    operator, dot, wanted = value.partition(".")
    if not dot or operator != "eq":
        raise _refusal(400, "PGRST100", f'"failed to parse filter ({value})" (line 1, column 1)')
    _require_column(table, name)
    return _read(table.columns[name], wanted)


def _require_column(table: Table, name: str) -> None:
    if name not in table.columns:
        raise _refusal(400, "42703", f"column {name} does not exist")


def _read(kind: str, text: str) -> Any:
    """A value as PostgreSQL reads it out of a text."""
    readers: Mapping[str, Callable[[str], Any]] = {
        "bigint": int,
        "boolean": lambda text: _TRUTHS[text.lower()],
        "uuid": lambda text: re.fullmatch("[0-9a-f-]{36}", text.lower())[0],  # type: ignore[index]
    }
    try:
        return readers.get(kind, str)(text)
    except (ValueError, KeyError, TypeError):
        message = f"invalid input syntax for type {kind}: {json.dumps(text)}"
        raise _refusal(400, "22P02", message) from None


def _limit(text: str | None) -> int | None:
    if text is not None and not text.isdecimal():
        raise _refusal(400, "PGRST100", f'"failed to parse limit ({text})" (line 1, column 1)')
    return None if text is None else int(text)


def _refusal(status: int, code: str, message: str) -> Refusal:
    return Refusal(answer_json({"code": code, "message": message, "details": None, "hint": None}, status))
