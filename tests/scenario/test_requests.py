"""HTTP requests: each value encoded for its place, each secret a mark that nobody can forge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.errors import ExpressionError
from shared.scenario.expressions import Environment
from shared.scenario.requests import RequestTemplate

ENVIRONMENT = Environment(
    {
        "text": cel.Type.STRING,
        "n": cel.Type.INT,
        "x": cel.Type.DOUBLE,
        "day": cel.Type.TIMESTAMP,
        "any": cel.Type.DYN,
    }
)
HOSTILE = [
    *["a b", "x&y=1#z", "../..", "😀", "مرحبا", "{{ n }}", "{{ secret('token') }}", "\x00\ud800", "%2e%2e"],
    *["a\r\nX-Evil: 1", '"}, {"admin": true', "<b>", "\u2028", "٣", "*b*", "\\{{"],
]


def read(http: dict[str, Any]) -> tuple[RequestTemplate, list[tuple[str, str, int]]]:
    reports: list[tuple[str, str, int]] = []

    def report(pointer: str, error: ExpressionError) -> None:
        reports.append((pointer, error.message, error.column))

    return RequestTemplate(http, ENVIRONMENT, report, "/steps/0/http"), reports


def show(languages: tuple[str, ...] = ("en",), *, values: dict[str, Any], **http: Any) -> dict[str, Any]:
    notes: list[str] = []
    template, reports = read({"method": "POST", "url": "https://example.com", **http})
    shown = template.show(values.__getitem__, languages, notes)
    assert (reports, notes) == ([], [])
    return shown


def test_a_request_without_expressions_is_what_was_written() -> None:
    body = {"a": [1, 1.5, None, True, {"b": "*not markup*"}], "": {}}
    assert show(
        values={},
        method="PUT",
        url="https://example.com/a?b=c",
        headers={"X-A": "b"},
        body=body,
        schema={"type": "object"},
    ) == {
        "method": "PUT",
        "url": "https://example.com/a?b=c",
        "headers": {"X-A": "b"},
        "body": body,
        "secrets": [],
        "schema": {"type": "object"},
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_stays_in_its_place_in_an_address(text: str) -> None:
    url = show(values={"text": text}, url="https://example.com/{{ text }}/end?q={{ text }}")["url"]
    parts = urlsplit(url)
    assert (parts.netloc, parts.fragment, parts.path.count("/")) == ("example.com", "", 2)
    assert unquote(parts.query) == "q=" + text.replace("\x00", "").replace("\ud800", "")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com{{ text }}", "https://example.com%2Eevil%2Etest"),
        ("https://api{{ text }}/{{ text }}", "https://api%2Eevil%2Etest/.evil.test"),
        ("https://example.com?q={{ text }}", "https://example.com?q=.evil.test"),
    ],
)
def test_a_value_makes_no_other_host_of_the_one_that_was_written(url: str, expected: str) -> None:
    assert show(values={"text": ".evil.test"}, url=url)["url"] == expected


@pytest.mark.parametrize("text", [".", ".."])
def test_a_value_leads_to_no_other_folder(text: str) -> None:
    url = show(values={"text": text}, url="https://example.com/a/{{ text }}/b?up={{ text }}")["url"]
    assert url == f"https://example.com/a//b?up={text}"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_header_has_one_line(text: str) -> None:
    shown = show(values={"text": text}, headers={"X-Name": "Hi {{ text }}\r\nX: y"})["headers"]
    assert list(shown) == ["X-Name"]
    assert shown["X-Name"].isprintable()
    assert shown["X-Name"].startswith("Hi ")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_in_a_body_is_a_value(text: str) -> None:
    shown = show(values={"text": text}, body={"a": "{{ text }}", "b": ["say {{ text }}!"]})
    clean = text.replace("\x00", "").replace("\ud800", "")
    assert shown["body"] == {"a": clean, "b": [f"say {clean}!"]}
    assert shown["secrets"] == []
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ("{{ n }}", 3),
        (" {{ n }}", " 3"),
        ("{{ n }}{{ n }}", "33"),
        ("{{ x }}", 1.5),
        ("price {{ x }}", "price 1,5"),
        ("{{ n > 2 }}", True),
        ("{{ any }}", {"a": [1, None, "z"]}),
        ("{{ any.a }}", [1, None, "z"]),
        ("{{ any.missing }}", None),
        ("{{ day }}", "2026-12-31"),
        ("on {{ day }}", "on 31.12.2026"),
        ("{{ day + hours(9) }}", "2026-12-31T09:00:00Z"),
        ("{{ hours(1) }}", 3600.0),
        ("{{ {1: true, false: b'x'} }}", {"1": True, "false": "x"}),
        ("{{ null }}", None),
        ("", ""),
        (r"\{{ n }}", "{{ n }}"),
    ],
)
def test_a_leaf_that_is_one_expression_keeps_its_type(leaf: str, expected: Any) -> None:
    template, _ = read({"method": "POST", "url": "https://example.com", "body": {"leaf": leaf}})
    values = {"n": 3, "x": 1.5, "day": datetime(2026, 12, 31, tzinfo=UTC), "any": {"a": [1, None, "z\x00"]}}
    assert template.show(values.__getitem__, ("ru",), [])["body"] == {"leaf": expected}


def test_a_body_may_be_one_text_or_one_value() -> None:
    assert show(values={"n": 3}, body="n={{ n }}")["body"] == "n=3"
    assert show(values={"n": 3}, body="{{ n }}")["body"] == 3
    assert show(values={"n": 3}, body=["{{ n }}"])["body"] == [3]
    assert show(values={})["body"] is None


def test_a_missing_value_is_empty_and_a_failure_is_noted() -> None:
    http = {
        "method": "GET",
        "url": "https://example.com/{{ text }}",
        "headers": {"A": "{{ 1 / n }}"},
        "body": ["{{ text }}", "a{{ n / 0 }}b"],
    }
    notes: list[str] = []
    shown = read(http)[0].show({"n": 0}.__getitem__, ("en",), notes)
    assert (shown["url"], shown["headers"], shown["body"]) == (
        "https://example.com/",
        {"A": ""},
        [None, "ab"],
    )
    assert notes == ["{{ 1 / n }}: divide by zero", "{{ n / 0 }}: divide by zero"]


def test_texts_of_a_request_have_languages() -> None:
    url = {"en": "https://example.com/en", "ru": "https://example.com/ru/{{ x }}"}
    headers = {"Accept-Language": {"en": "en", "ru": "ru"}}
    shown = show(("ru", "en"), values={"x": 1.5}, url=url, headers=headers)
    assert (shown["url"], shown["headers"]) == ("https://example.com/ru/1%2C5", {"Accept-Language": "ru"})
    assert show(("de",), values={}, url=url)["url"] == "https://example.com/en"


def test_a_secret_is_a_place() -> None:
    shown = show(
        values={"text": "Ёж/"},
        url="https://example.com/{{ text }}?key={{ secret('key') }}&n={{ secret( \"n\" ) }}",
        headers={"Authorization": "Bearer {{ secret('token') }}"},
        body={"a/b~": ["{{ secret('token') }}", "{{ text }} {{ secret('a.b-c') }}!"]},
    )
    assert shown["url"] == "https://example.com/%D0%81%D0%B6%2F?key=&n="
    assert shown["headers"] == {"Authorization": "Bearer "}
    assert shown["body"] == {"a/b~": ["", "Ёж/ !"]}
    assert shown["secrets"] == [
        {"at": "/url", "offset": 40, "name": "key"},
        {"at": "/url", "offset": 43, "name": "n"},
        {"at": "/headers/Authorization", "offset": 7, "name": "token"},
        {"at": "/body/a~1b~0/0", "offset": 0, "name": "token"},
        {"at": "/body/a~1b~0/1", "offset": 4, "name": "a.b-c"},
    ]


@given(st.text(max_size=30))
def test_what_a_person_writes_moves_no_secret(text: str) -> None:
    shown = show(
        values={"text": text},
        url="https://example.com/{{ text }}/{{ secret('a') }}",
        headers={"H": "{{ text }}{{ secret('b') }}."},
        body="{{ text }}{{ secret('c') }}.",
    )
    places = {each["name"]: each["offset"] for each in shown["secrets"]}
    assert places == {
        "a": len(shown["url"]),
        "b": len(shown["headers"]["H"]) - 1,
        "c": len(shown["body"]) - 1,
    }


@pytest.mark.parametrize(
    ("http", "pointer", "message", "column"),
    [
        ({"url": "https://{{ zz }}"}, "/url", "“zz”", 12),
        ({"url": {"en": "{{ n"}}, "/url/en", "not closed", 1),
        ({"headers": {"A/b": "x"}}, "/headers/A~1b", "name of a header", 1),
        ({"headers": {"A": "{{ n + }}"}}, "/headers/A", "ends too early", 6),
        ({"headers": {"Evil\r\nX": "y"}}, "/headers/Evil\r\nX", "name of a header", 1),
        ({"headers": {"Host": "b.example"}}, "/headers/Host", "is set where the request is sent", 1),
        ({"headers": {"content-LENGTH": "1"}}, "/headers/content-LENGTH", "is set where", 1),
        ({"body": {"a": ["{{ zz }}"]}}, "/body/a/0", "“zz”", 4),
        ({"body": "{{ secret('a') + 'b' }}"}, "/body", "a secret stands alone", 4),
        ({"body": "{{ text + secret('a') }}"}, "/body", "a secret stands alone", 11),
        ({"body": "{{ secret(text) }}"}, "/body", "a secret stands alone", 4),
        ({"body": "{{ secret('') }}"}, "/body", "a secret stands alone", 4),
    ],
)
def test_what_does_not_compile_is_reported_and_left_out(
    http: dict[str, Any], pointer: str, message: str, column: int
) -> None:
    template, reports = read({"method": "POST", "url": "https://example.com", **http})
    assert [(at, where) for at, _, where in reports] == [("/steps/0/http" + pointer, column)]
    assert message in reports[0][1]
    assert template.show(dict[str, Any]().__getitem__, (), [])["secrets"] == []


def test_the_word_secret_in_quotes_is_no_secret() -> None:
    assert show(values={}, body="{{ \"secret('a')\" }} secret('b')")["body"] == "secret('a') secret('b')"
