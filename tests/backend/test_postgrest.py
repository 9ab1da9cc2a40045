"""PostgREST, against a strict stand-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from shared.backend.postgrest import PostgRest, QueryRefused
from shared.errors import NotAnswered
from shared.guard import Guard
from shared.outbound_http import OutboundHttp
from tests.standins.postgrest import PostgRestServer, Table

HTTP = OutboundHttp(Guard(allows=lambda _: True))


@pytest.fixture(scope="module")
def serving() -> Iterator[PostgRestServer]:
    with PostgRestServer() as server:
        yield server


@pytest.fixture
def server(serving: PostgRestServer) -> PostgRestServer:
    serving.requests.clear()
    columns = {"id": "bigint", "name": "text", "odd name": "text", "is_in": "boolean", "limit": "bigint"}
    columns['a"\\b'] = "text"
    rows = [
        {"id": 1, "name": "Ann & Bo=*", "odd name": "a,b", "is_in": True},
        {"id": 2, "name": "Яна", "odd name": "é", "is_in": False},
        {"id": 3, "name": "Яна", "odd name": "", "is_in": False},
    ]
    serving.tables = {"staff": Table(columns, rows), "odd table": Table({"id": "bigint"}, [{"id": 7}])}
    return serving


def select(
    server: PostgRestServer, *columns: str, key: str = "service-key", **where: str
) -> list[dict[str, Any]]:
    return PostgRest(HTTP, server.url + "/", key).select("public", "staff", columns, where, 2, 5)


@pytest.mark.parametrize(
    ("columns", "where", "expected"),
    [
        (["name"], {"id": "1"}, [{"name": "Ann & Bo=*"}]),
        (["id"], {"name": "Ann & Bo=*"}, [{"id": 1}]),
        (["id", "is_in"], {"name": "Яна"}, [{"id": 2, "is_in": False}, {"id": 3, "is_in": False}]),
        (["odd name"], {"odd name": "a,b"}, [{"odd name": "a,b"}]),
        (["id"], {"name": "Яна", "id": "3"}, [{"id": 3}]),
        (["id"], {"id": "9"}, []),
        (["id"], {"is_in": "true"}, [{"id": 1}]),
        (["limit"], {"limit": "5", "id": "1"}, []),
        (['a"\\b'], {"id": "1", 'a"\\b': "x"}, []),
    ],
    ids=repr,
)
def test_rows_are_found_by_what_their_columns_hold(
    server: PostgRestServer, columns: list[str], where: Mapping[str, str], expected: list[dict[str, Any]]
) -> None:
    assert select(server, *columns, **where) == expected
    assert server.refusals == []


def test_no_value_is_anything_but_a_value(server: PostgRestServer) -> None:
    for hostile in ("1&name=eq.x", "1,2", "(1)", "*", "eq.1", "not.eq.1", "null", "x\r\ny"):
        assert select(server, "id", name=hostile) == []
    assert {recorded.path for recorded in server.requests} == {"/rest/v1/staff"}


def test_a_table_may_be_called_anything(server: PostgRestServer) -> None:
    rest = PostgRest(HTTP, server.url, "service-key")
    assert rest.select("public", "odd table", ["id"], {"id": "7"}, 1, 5) == [{"id": 7}]


@pytest.mark.parametrize(
    ("schema", "table", "columns", "where", "code"),
    [
        ("public", "no_such", ["id"], {}, "PGRST205"),
        ("hr", "staff", ["id"], {}, "PGRST106"),
        ("public", "staff", ["no_such"], {}, "42703"),
        ("public", "staff", ["id"], {"no_such": "1"}, "42703"),
        ("public", "staff", ["id"], {"id": "one"}, "22P02"),
    ],
)
def test_a_refusal_has_its_code(
    server: PostgRestServer, schema: str, table: str, columns: list[str], where: Mapping[str, str], code: str
) -> None:
    with pytest.raises(QueryRefused) as refused:
        PostgRest(HTTP, server.url, "service-key").select(schema, table, columns, where, 2, 5)
    assert refused.value.code == code
    server.refusals.clear()


def test_a_key_that_is_refused_is_not_told(server: PostgRestServer) -> None:
    with pytest.raises(QueryRefused) as refused:
        select(server, "id", key="hush")
    assert refused.value.status == 401
    assert "hush" not in repr(refused.value) + repr(PostgRest(HTTP, server.url, "hush"))
    server.refusals.clear()


@pytest.mark.parametrize("code", ["", "PGRST301", "PGRST100", "22P02", "hush", 7])
def test_a_refusal_that_quotes_what_it_was_sent_is_told_without_that(
    server: PostgRestServer, code: object
) -> None:
    server.fail_next(401, {"code": code, "message": "Invalid API key: hush"})
    with pytest.raises(QueryRefused) as refused:
        select(server, "id", key="hush")
    assert str(refused.value).startswith("401")
    assert "hush" not in f"{refused.value!r}{vars(refused.value)}"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_fault_that_may_pass_is_no_answer(server: PostgRestServer, status: int) -> None:
    server.fail_next(status, {"message": "busy"})
    with pytest.raises(NotAnswered, match=str(status)):
        select(server, "id")


@pytest.mark.parametrize("body", [{}, b"<html>", [1], b"", "rows"], ids=repr)
def test_what_is_no_list_of_rows_is_no_answer(server: PostgRestServer, body: object) -> None:
    server.fail_next(200, body)
    with pytest.raises(NotAnswered, match="no list of rows"):
        select(server, "id")
