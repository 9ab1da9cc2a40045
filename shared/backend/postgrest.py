"""PostgREST: the tables of a database over HTTP, as every Supabase project has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from shared.errors import NotAnswered, ParleyError
from shared.exchange import Ask, Http, Reply

MOST_BYTES: Final = 2_000_000

_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_PLAIN: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset(
    {"and", "columns", "limit", "not", "offset", "on_conflict", "or", "order", "select"}
)
_CODE: Final = re.compile("[0-9A-Z]{1,10}")
_ABOUT_NAMES: Final = re.compile("0A|23|3F|42|55|PGRST106|PGRST2")
"""How the codes begin whose words name schemas, tables, columns and constraints, and no value."""

_LONGEST_WORDS: Final = 300


class QueryRefused(ParleyError):
    """PostgREST, or the database behind it, does not do what was asked.

    `code` is PostgREST's own (`PGRST…`) or the database's state, "" for what is none. Of their words only
    those are told, as `message`, that name tables and columns; others may quote a value, or the key.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code if _CODE.fullmatch(code) else ""
        self.message = message[:_LONGEST_WORDS] if _ABOUT_NAMES.match(self.code) else ""
        super().__init__(f"{status} {self.code}: {self.message}".strip(": "))

    @property
    def is_of_a_value(self) -> bool:
        """Whether a value is none that its column can hold (the states of a database that begin so)."""
        return self.code.startswith("22")


@dataclass(frozen=True, slots=True)
class PostgRest:
    """The API of one project, asked as its service: it sees every row."""

    http: Http
    url: str
    key: str = field(repr=False)

    def select(
        self,
        schema: str,
        table: str,
        columns: Sequence[str],
        where: Mapping[str, str],
        limit: int,
        seconds: float,
    ) -> list[dict[str, Any]]:
        """Rows whose columns equal what is given. Raises `NotAnswered`, `QueryRefused`."""
        query = {
            "select": ",".join(map(_quoted, columns)),
            **{_quoted(column): f"eq.{value}" for column, value in where.items()},
            "limit": str(limit),
        }
        path = f"/{quote(table, safe='')}?{urlencode(query)}"
        return _rows(self._asked("GET", path, _profile("accept", schema), seconds))

    def upsert(
        self, schema: str, table: str, row: Mapping[str, Any], key: Sequence[str], seconds: float
    ) -> None:
        """Put one row, in the place of what it has of the one with the same key.

        Raises `NotAnswered`, `QueryRefused`.
        """
        headers = {
            "content-type": "application/json",
            "prefer": "resolution=merge-duplicates,return=minimal",
            **_profile("content", schema),
        }
        query = urlencode({"on_conflict": ",".join(map(_quoted, key))})
        path = f"/{quote(table, safe='')}?{query}"
        self._asked("POST", path, headers, seconds, msgspec.json.encode(row))

    def description(self, schema: str, seconds: float) -> Mapping[str, Any]:
        """Of all tables, as OpenAPI has it. Raises `NotAnswered`, `QueryRefused`."""
        headers = {"accept": "application/openapi+json", **_profile("accept", schema)}
        reply = self._asked("GET", "/", headers, seconds)
        described = _decoded(reply.body)
        return described if isinstance(described, dict) else {}

    def _asked(
        self, method: str, path: str, headers: Mapping[str, str], seconds: float, content: bytes = b""
    ) -> Reply:
        own = {"apikey": self.key, "authorization": f"Bearer {self.key}", "accept": "application/json"}
        ask = Ask(method, f"{self.url.rstrip('/')}/rest/v1{path}", own | dict(headers), content)
        reply = self.http.request(ask, timeout_seconds=seconds, most_bytes=MOST_BYTES, most_redirects=0)
        _require_done(reply)
        return reply


def _profile(kind: str, schema: str) -> dict[str, str]:
    """The header that names the schema, where it is another than PostgREST's own."""
    return {f"{kind}-profile": schema} if schema != "public" else {}


def _require_done(reply: Reply) -> None:
    status = reply.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        raise NotAnswered(f"it answers {status}")
    if status not in range(200, 300):
        said = _decoded(reply.body)
        told = said if isinstance(said, dict) else {}
        raise QueryRefused(status, _text(told.get("code")), _text(told.get("message")))


def _rows(reply: Reply) -> list[dict[str, Any]]:
    rows = _decoded(reply.body)
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise NotAnswered("what it answers is no list of rows")


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""


def _quoted(column: str) -> str:
    """A name as it is, whatever it holds, or is called, that means something to PostgREST."""
    if _PLAIN.fullmatch(column) and column not in _RESERVED:
        return column
    escaped = column.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
