from __future__ import annotations

import logging

import httpx
import pytest
from fastapi import APIRouter, Depends

from shared.admin_api.access import Public
from shared.admin_api.app import Guard, create_app
from shared.admin_api.door import MAX_BODY_BYTES
from shared.admin_api.json_route import JsonRoute
from tests.admin_api.conftest import GOOD
from tests.admin_api.gateway import client_of


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_good_token_opens_the_door(client: httpx.Client, scheme: str) -> None:
    assert client.get("/things", headers={"Authorization": f"{scheme} {GOOD}"}).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer  ", "Basic Z29vZA==", GOOD])
@pytest.mark.parametrize("path", ["/things", "/nowhere", "/errors/bug"])
def test_without_a_token_every_address_is_closed(client: httpx.Client, authorization: str, path: str) -> None:
    answer = client.get(path, headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="parley"'
    assert answer.json()["detail"] == "Send a token: Authorization: Bearer <JWT>."


def test_bad_token_is_challenged(client: httpx.Client) -> None:
    answer = client.get("/things", headers={"Authorization": "Bearer bad"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="parley", error="invalid_token"'


def test_stranger_is_told_nothing_of_what_is_behind_the_door(client: httpx.Client) -> None:
    answers = [
        client.request(method, path, headers={"Authorization": "Bearer bad"}, content=content)
        for method, path, content in [
            ("GET", "/things", b""),
            ("GET", "/nowhere", b""),
            ("PATCH", "/things", b"{"),
            ("POST", "/things", b"x" * (MAX_BODY_BYTES + 1)),
        ]
    ]

    assert {answer.content for answer in answers} == {answers[0].content}


def test_silent_issuer_is_503_with_a_time_to_come_back(client: httpx.Client) -> None:
    answer = client.get("/things", headers={"Authorization": "Bearer token of a silent issuer"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"


def test_body_of_the_largest_size_passes_and_a_byte_more_does_not(client: httpx.Client) -> None:
    frame = len(b'{"name":""}')
    for size, status in ((MAX_BODY_BYTES, 422), (MAX_BODY_BYTES + 1, 413)):
        answer = client.post("/things", content=b'{"name":"' + b"x" * (size - frame) + b'"}')

        assert answer.status_code == status
        assert answer.json()["status"] == status


def test_fault_of_ours_is_logged_with_its_place_and_told_as_an_id(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    root = "1-67891233-abcdef012345678912345678"
    with caplog.at_level(logging.ERROR):
        answer = client.get("/errors/bug", headers={"X-Amzn-Trace-Id": f"Self=1-2;Root={root};Sampled=1"})

    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:parley:problem:internal",
        "title": "Something went wrong here",
        "status": 500,
        "detail": "This is a fault of the server; it has been recorded. Try again, or report its trace_id.",
        "errors": [],
        "trace_id": root,
    }
    (record,) = caplog.records
    logged = record.__dict__
    assert (logged["trace_id"], logged["error"], logged["path"]) == (root, "RuntimeError", "/errors/bug")
    assert logged["stack"][-1].endswith("in error")
    assert "hunter2" not in str(logged) + answer.text


def test_fault_behind_a_public_address_is_logged_without_what_makes_it_known(
    guard: Guard, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter(route_class=JsonRoute)

    @router.get("/shown/{key}", dependencies=[Depends(Public())])
    def show(key: str) -> None:
        raise RuntimeError(key)

    with caplog.at_level(logging.DEBUG):
        answer = client_of(create_app(router, guard)).get("/shown/a-secret")

    assert answer.status_code == 500
    assert [record.__dict__["path"] for record in caplog.records] == ["/shown/{key}"]
    assert "a-secret" not in caplog.text + str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize(
    "header", ["", "Root=", "Root=<script>", "Root=1;Root=\u00e9", "=;;=", "Root=" + "a" * 99]
)
def test_odd_trace_header_is_replaced_by_an_id_of_our_own(client: httpx.Client, header: str) -> None:
    answer = client.get("/errors/bug", headers=[(b"X-Amzn-Trace-Id", header.encode())])

    assert len(answer.json()["trace_id"]) == 36
