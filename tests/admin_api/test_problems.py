from __future__ import annotations

from typing import Any

import httpx
import pytest

TITLES = {
    "not-found": (404, "Not found", "Bot not found."),
    "unauthenticated": (401, "Not authenticated", "Who?"),
    "forbidden": (403, "The role does not reach this far", "No."),
    "conflict": (409, "In conflict with what is there", "There is one."),
    "too-large": (413, "The body is too large", "At most 10 bytes are taken here."),
    "unavailable": (503, "Not available at the moment", "The source is not available at the moment."),
}


@pytest.mark.parametrize("kind", TITLES)
def test_error_of_the_domain_is_a_problem_document(client: httpx.Client, kind: str) -> None:
    status, title, detail = TITLES[kind]

    answer = client.get(f"/errors/{kind}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"urn:parley:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": [],
    }


def test_invalid_input_is_told_with_every_violation(client: httpx.Client) -> None:
    answer = client.get("/errors/invalid")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/a/0", "message": "is bad", "code": "bad"},
        {"pointer": "/b", "message": "is worse", "code": "invalid"},
    ]


def test_error_that_is_no_refusal_is_a_fault_of_ours(client: httpx.Client) -> None:
    assert client.get("/errors/again").status_code == 500


BODIES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no name": ({}, [("/name", "missing")]),
    "empty name": ({"name": " "}, [("/name", "string_too_short")]),
    "long name": ({"name": "x" * 201}, [("/name", "string_too_long")]),
    "name with NUL": ({"name": "a\0b"}, [("/name", "value_error")]),
    "name on two lines": ({"name": "a\nb"}, [("/name", "value_error")]),
    "note with NUL": ({"name": "a", "note": "\0"}, [("/note", "value_error")]),
    "number for a name": ({"name": 7}, [("/name", "string_type")]),
    "null for a name": ({"name": None}, [("/name", "string_type")]),
    "text for a number": ({"name": "a", "size": "7"}, [("/size", "int_type")]),
    "truth for a number": ({"name": "a", "size": True}, [("/size", "int_type")]),
    "unknown field": ({"name": "a", "nmae": "b"}, [("/nmae", "extra_forbidden")]),
    "unknown field with a slash": ({"name": "a", "x/y~z": 1}, [("/x~1y~0z", "extra_forbidden")]),
    "deep inside": ({"name": "a", "parts": [{}, {"n": "x"}]}, [("/parts/1/n", "int_type")]),
    "several": (
        {"size": "7", "x": 1},
        [("/name", "missing"), ("/size", "int_type"), ("/x", "extra_forbidden")],
    ),
    "a list": ([], [("", "model_attributes_type")]),
    "a string": ("name", [("", "model_attributes_type")]),
    "null": (None, [("", "missing")]),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES.keys())
def test_body_that_is_not_valid_is_told_where_and_why(
    client: httpx.Client, body: Any, expected: list[tuple[str, str]]
) -> None:
    answer = client.post("/things", json=body)

    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == expected


def test_message_says_what_is_wrong_in_words(client: httpx.Client) -> None:
    errors = client.post("/things", json={"nmae": "a"}).json()["errors"]

    assert [error["message"] for error in errors] == ["This is required.", "There is no such field here."]


def test_no_body_is_a_missing_one(client: httpx.Client) -> None:
    answer = client.post("/things")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "", "message": "This is required.", "code": "missing"}]


def test_fields_that_only_the_server_writes_may_come_back(client: httpx.Client) -> None:
    answer = client.post("/things", json={"id": 7, "name": " a ", "note": "two\nlines"})

    assert answer.json() == {"name": "a", "note": "two\nlines", "size": 0, "parts": []}


NOT_JSON = {
    "garbage": b"garbage",
    "cut off": b'{"name": ',
    "form": b"name=a",
    "NaN": b'{"name": "a", "size": NaN}',
    "infinite": b'{"name": "a", "size": 1e999}',
    "lone surrogate": rb'{"name": "\ud800abc"}',
    "lone low surrogate": rb'{"name": "\udc00"}',
    "Latin-1": '{"name": "é"}'.encode("latin-1"),
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_body_that_is_not_json_is_refused(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/things", content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:parley:problem:not-json"


@pytest.mark.parametrize(
    "label", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_body_is_read_as_json_whatever_its_label(client: httpx.Client, label: str) -> None:
    answer = client.post("/things", content=b'{"name": "a"}', headers={"Content-Type": label})

    assert answer.status_code == 200


def test_thousands_of_errors_are_cut_to_what_fits(client: httpx.Client) -> None:
    answer = client.post("/things", json={"name": "a"} | {f"x{n}": 0 for n in range(10_000)})

    assert len(answer.json()["errors"]) == 500


def test_part_of_a_path_that_is_not_valid_is_not_found(client: httpx.Client) -> None:
    assert client.get("/things/seven").status_code == 404


def test_secret_sent_in_the_wrong_place_is_not_repeated(client: httpx.Client) -> None:
    bodies: list[Any] = [
        {"name": ["hunter2"]},
        {"name": "\0hunter2"},
        {"name": "a", "size": "hunter2"},
        "hunter2",
    ]

    assert not [body for body in bodies if "hunter2" in client.post("/things", json=body).text]
