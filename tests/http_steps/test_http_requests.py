"""What an http step sends: secrets in their places, each encoded for it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TaskFailed
from shared.http_steps.requests import ask_of
from shared.outbound_http import Ask
from shared.scenario.expressions import Environment
from shared.scenario.headers import OURS
from shared.scenario.requests import RequestTemplate

ENVIRONMENT = Environment({"text": cel.Type.STRING, "any": cel.Type.DYN})
SECRETS = {"token": "t0k&n/=?#é", "other": "o{}"}


def shown(values: dict[str, Any], **http: Any) -> dict[str, Any]:
    """The request as the engine shows it."""
    template = RequestTemplate(
        {"method": "POST", "url": "https://example.com/", **http}, ENVIRONMENT, lambda *_: None, ""
    )
    return template.show(values.__getitem__, ("en",), [])


def sent(values: dict[str, Any] | None = None, secrets: dict[str, str] = SECRETS, **http: Any) -> Ask:
    return ask_of(shown(values or {}, **http), secrets, "d:e:7")


def test_a_secret_is_percent_encoded_in_an_address() -> None:
    url = sent(
        {"text": "é/x"}, url="https://a.example/{{ text }}/{{ secret('token') }}?k={{ secret('token') }}"
    ).url
    assert urlsplit(url).netloc == "a.example"
    assert urlsplit(url).path == "/%C3%A9%2Fx/t0k%26n%2F%3D%3F%23%C3%A9"
    assert parse_qs(urlsplit(url).query) == {"k": ["t0k&n/=?#é"]}


def test_secrets_stand_where_they_were_written() -> None:
    ask = sent(
        {"text": "ÄÖ😀", "any": [1]},
        headers={
            "Authorization": "Bearer {{ secret('token') }}",
            "X-Both": "{{ text }}-{{ secret('other') }}.",
        },
        body={
            "a/b~c": ["{{ text }}{{ secret('token') }}{{ secret('other') }}{{ text }}", "{{ any }}"],
            "alone": "{{ secret('other') }}",
        },
    )
    assert ask.headers["authorization"] == "Bearer t0k&n/=?#é"
    assert ask.headers["x-both"] == "ÄÖ😀-o{}."
    assert json.loads(ask.content) == {
        "a/b~c": ["ÄÖ😀t0k&n/=?#éo{}ÄÖ😀", [1]],
        "alone": "o{}",
    }


def test_a_body_of_text_takes_secrets_too() -> None:
    assert sent(body="key={{ secret('other') }}").content == b"key=o{}"


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_a_person_writes_a_secret_stays_in_its_place(text: str, secret: str) -> None:
    text, secret = (each.encode(errors="ignore").decode().replace("\0", "") for each in (text, secret))
    ask = sent({"text": text}, {"token": secret}, body={"a": "{{ text }}|{{ secret('token') }}|{{ text }}"})
    shown_text = shown({"text": text}, body={"a": "{{ text }}|"})["body"]["a"]
    assert json.loads(ask.content) == {"a": f"{shown_text}{secret}|{shown_text[:-1]}"}


@pytest.mark.parametrize(
    ("body", "headers", "content", "content_type"),
    [
        (None, {}, b"", None),
        ({"a": 1}, {}, b'{"a":1}', "application/json"),
        ([], {}, b"[]", "application/json"),
        (7, {}, b"7", "application/json"),
        (False, {}, b"false", "application/json"),
        ("words", {}, b"words", "text/plain; charset=utf-8"),
        ("<a/>", {"Content-Type": "application/xml"}, b"<a/>", "application/xml"),
        ({"a": 1}, {"content-type": "application/vnd.api+json"}, b'{"a":1}', "application/vnd.api+json"),
        (
            {"a b": "x&y=é", "n": 1.5, "t": True, "no": None, "many": ["1", 2]},
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"a+b=x%26y%3D%C3%A9&n=1.5&t=true&many=1&many=2",
            "application/x-www-form-urlencoded",
        ),
    ],
    ids=repr,
)
def test_a_body_is_sent_as_what_it_is(
    body: Any, headers: dict[str, str], content: bytes, content_type: str | None
) -> None:
    ask = sent(body=body, headers=headers)
    assert (ask.content, ask.headers.get("content-type")) == (content, content_type)


@pytest.mark.parametrize("name", sorted(OURS))
def test_how_a_request_is_sent_is_not_the_authors(name: str) -> None:
    """The compiler says so first; older revisions were compiled by another."""
    with pytest.raises(TaskFailed, match=name):
        ask_of(shown({}) | {"headers": {name.title(): "x"}}, {}, "d:e:7")


def test_a_secret_makes_no_header_of_its_own() -> None:
    with pytest.raises(TaskFailed) as failed:
        sent(secrets={"token": "hush\r\nX-Evil: 1"}, headers={"X-Key": "{{ secret('token') }}"})
    assert "x-key" in str(failed.value)
    assert "hush" not in str(failed.value)


def test_the_end_of_a_line_that_came_along_with_a_secret_is_no_part_of_it() -> None:
    assert (
        sent(secrets={"token": "key\n"}, headers={"X-Key": "{{ secret('token') }}"}).headers["x-key"] == "key"
    )


@pytest.mark.parametrize(
    ("method", "has_key"), [("GET", False), ("HEAD", False), ("POST", True), ("PUT", True)]
)
def test_what_might_be_done_twice_carries_the_name_of_its_task(method: str, *, has_key: bool) -> None:
    assert sent(method=method).headers.get("idempotency-key") == ("d:e:7" if has_key else None)


def test_an_authors_own_headers_win() -> None:
    ask = sent(headers={"User-Agent": "mine", "Accept": "text/csv", "Idempotency-Key": "k"})
    assert (ask.headers["user-agent"], ask.headers["accept"], ask.headers["idempotency-key"]) == (
        "mine",
        "text/csv",
        "k",
    )
