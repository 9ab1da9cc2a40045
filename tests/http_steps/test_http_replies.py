"""What an http step brings back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import TaskFailed
from shared.http_steps.replies import MASK, MAX_HEADER, MAX_HEADERS, result_of
from shared.outbound_http import Reply


def body_of(body: bytes, content_type: str = "application/json", status: int = 200, *secrets: str) -> Any:
    headers = {"content-type": content_type} if content_type else {}
    return result_of(Reply(status, headers, body), secrets)["body"]


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b'{"a": [1, 1.5, null]}', {"a": [1, 1.5, None]}),
        ("application/json; charset=utf-8", b'"\xc3\xa9"', "é"),
        ("application/problem+json", b"[]", []),
        ("Application/JSON", b"true", True),
        ("application/json", b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ("application/json", b"", None),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("text/plain; charset=utf-8", "é".encode(), "é"),
        ("text/html; charset=ISO-8859-1", b"\xe9", "é"),
        ('text/html; boundary=x; charset="windows-1251"', "Ж".encode("cp1251"), "Ж"),
        ("text/plain; charset=unicode_escape", rb"\ud800", r"\ud800"),
        ("text/plain; charset=no-such", b"a", "a"),
        ("", b"a\xff", "a\ufffd"),
    ],
    ids=repr,
)
def test_an_answer_is_read_by_its_type(content_type: str, body: bytes, expected: Any) -> None:
    assert body_of(body, content_type) == expected


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b"1e999", b"[" * 100_000, b"[" * 40 + b"]" * 40, rb'"\ud800"', b"\xff"],
    ids=lambda body: repr(body[:10]),
)
def test_what_says_it_is_json_and_is_not_is_a_failure(body: bytes) -> None:
    with pytest.raises(TaskFailed, match="not the JSON"):
        body_of(body)
    assert isinstance(body_of(body, status=500), str), "a refusal may look as it likes"


def test_headers_are_kept_within_bounds_and_without_the_servers_own_secrets() -> None:
    many = {f"x-{n}": "v" * 2000 for n in range(100)}
    headers = result_of(Reply(200, {"set-cookie": "session=s", **many}, b""), [])["headers"]
    assert len(headers) == MAX_HEADERS
    assert {len(value) for value in headers.values()} == {MAX_HEADER}
    assert "set-cookie" not in headers


def test_a_secret_that_comes_back_is_masked_wherever_it_stands() -> None:
    secret, number = "s/cret é", "12345"
    body = {
        "a": [f"Bearer {secret}!"],
        secret: {"url": "https://a/?k=s%2Fcret%20%C3%A9"},
        "n": 12345,
        "m": 123456,
    }
    headers = {"content-type": "application/json", "location": "https://a/s/cret%20%C3%A9"}
    result = result_of(Reply(200, headers, json.dumps(body).encode()), [secret, number])
    assert result["body"] == {
        "a": [f"Bearer {MASK}!"],
        MASK: {"url": f"https://a/?k={MASK}"},
        "n": MASK,
        "m": 123456,
    }
    assert result["headers"]["location"] == f"https://a/{MASK}"


@pytest.mark.parametrize("sent", ['hush "hush"', r"hush \"hush\"", "hush+%22hush%22", "hush%20%22hush%22"])
def test_a_secret_that_comes_back_as_it_was_sent_is_masked(sent: str) -> None:
    assert body_of(f"You said: {sent}.".encode(), "text/plain", 400, 'hush "hush"') == f"You said: {MASK}."


def test_a_secret_where_a_header_is_cut_off_leaves_nothing_of_it() -> None:
    headers = {"x-echo": "a" * (MAX_HEADER - 4) + "hush-hush"}
    result = result_of(Reply(200, headers, b""), ["hush-hush"])
    assert result["headers"]["x-echo"] == "a" * (MAX_HEADER - 4) + MASK


def test_a_secret_within_another_leaves_nothing_of_it() -> None:
    assert body_of(b"abcdef", "text/plain", 200, "abcd", "abcdef") == MASK


def test_what_is_too_short_for_a_secret_wrecks_no_answer() -> None:
    assert body_of(b"nothing at all", "text/plain", 200, "", "a", "not") == "nothing at all"
