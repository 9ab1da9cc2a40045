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
    """`columns` has their types by name: text, bigint, boolean, date or uuid. `key` is the primary one."""

    columns: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    key: tuple[str, ...] = ()


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
        if (request.method, request.path) == ("GET", _BELOW):
            return answer_json(self._described())
        table = self._table(request)
        match request.method:
            case "GET":
                return answer_json(self._selected(request, table))
            case "POST":
                return self._upserted(request, table)
        raise _refusal(405, "PGRST117", f"Unsupported HTTP method: {request.method}")

    def _require_key(self, request: Incoming) -> None:
        given = request.headers.get("apikey")
        if given is None:
            raise Refusal(answer_json({"message": "No API key found in request"}, 401))
        if given != self.key or request.headers.get("authorization") != f"Bearer {self.key}":
            raise Refusal(answer_json({"message": "Invalid API key"}, 401))

    def _table(self, request: Incoming) -> Table:
        profile = "accept-profile" if request.method == "GET" else "content-profile"
        schema = request.headers.get(profile, self.schema)
        if schema != self.schema:
            raise _refusal(406, "PGRST106", f"Invalid schema: {schema}")
        name = unquote(request.path.removeprefix(_BELOW))
        if not request.path.startswith(_BELOW) or name not in self.tables:
            raise _refusal(404, "PGRST205", f"Could not find the table '{schema}.{name}' in the schema cache")
        return self.tables[name]

    def _selected(self, request: Incoming, table: Table) -> list[Row]:
        query = dict(request.query)
        columns = [_bare(name) for name in _parted(query.pop("select", "*"))]
        limit = query.pop("limit", None)
        wanted = {_bare(name): _filter(table, _bare(name), value) for name, value in query.items()}
        if columns == ["*"]:
            columns = [*table.columns]
        for name in columns:
            _require_column(table, name)
        found = [row for row in table.rows if all(row.get(name) == value for name, value in wanted.items())]
        return [{name: row.get(name) for name in columns} for row in found[: _limit(limit)]]

    def _upserted(self, request: Incoming, table: Table) -> Answer:
        prefer = {part.strip() for part in request.headers.get("prefer", "").split(",")}
        if not isinstance(request.body, dict) or request.media_type != "application/json":
            raise _refusal(400, "PGRST102", "Empty or invalid json")
        row = {name: _stored(table, name, value) for name, value in request.body.items()}
        conflict = [*map(_bare, _parted(request.query.get("on_conflict", "")))]
        if set(conflict) != set(table.key):
            message = "there is no unique or exclusion constraint matching the ON CONFLICT specification"
            raise _refusal(400, "42P10", message)
        for name in table.key:
            if row.get(name) is None:
                raise _refusal(400, "23502", f'null value in column "{name}" violates not-null constraint')
        met = [each for each in table.rows if all(each.get(name) == row[name] for name in table.key)]
        if met and "resolution=merge-duplicates" not in prefer:
            raise _refusal(409, "23505", "duplicate key value violates unique constraint")
        for each in met:
            each.update(row)
        if not met:
            table.rows.append(row)
        return Answer(200 if met else 201)

    def _described(self) -> Mapping[str, Any]:
        return {
            "swagger": "2.0",
            "definitions": {
                name: {"properties": {column: _property(table, column) for column in table.columns}}
                for name, table in self.tables.items()
            },
        }


def _property(table: Table, column: str) -> Mapping[str, str]:
    kinds = {"bigint": "integer", "boolean": "boolean"}
    noted = {"description": "Note:\nThis is a Primary Key.<pk/>"} if column in table.key else {}
    return {"format": table.columns[column], "type": kinds.get(table.columns[column], "string"), **noted}


def _stored(table: Table, name: str, value: Any) -> Any:
    if name not in table.columns:
        raise _refusal(400, "PGRST204", f"Could not find the '{name}' column in the schema cache")
    return None if value is None else _read(table.columns[name], str(value))


def _parted(names: str) -> list[str]:
    """By the commas that are in no quotes."""
    return re.findall(r'"(?:[^"\\]|\\.)*"|[^,]+', names)


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
