"""The demo's main system lets in what shows its token or its signature, and keeps what it was told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from infra.local.main_system import Access, Book, MainSystem, RunningMainSystem
from infra.local.ports import free_port

ACCESS = Access("http://127.0.0.1:8001", "token-of-the-orders", "whsec_c2VjcmV0LW9mLXRoZS1kZW1v")
TOKEN = {"Authorization": "Bearer token-of-the-orders"}
ROW = {"run": "dialog:epoch:1", "status": "completed", "name": "Ann Lee", "number": 2718}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "book.json"


@pytest.fixture
def client(file: Path) -> TestClient:
    return TestClient(MainSystem(Book(file), ACCESS).app)


def signed(body: str, secret: str = ACCESS.signing_secret, at: datetime | None = None) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    signature = Webhook(secret).sign("dialog:epoch:1", moment, body)
    return {
        "webhook-id": "dialog:epoch:1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def told(row: Mapping[str, Any] = ROW) -> str:
    return json.dumps({"type": f"run.{row.get('status')}", "data": {"fields": row}})


def test_an_order_is_shown_to_who_has_the_token(client: TestClient) -> None:
    assert client.get("/orders/GG-1042", headers=TOKEN).json()["status"] == "on_the_way"
    assert client.get("/orders/GG-9999", headers=TOKEN).status_code == 404


@pytest.mark.parametrize("shown", ["", "Bearer wrong", "Bearer ñ", "token-of-the-orders"])
def test_nobody_else_is_let_in(client: TestClient, shown: str) -> None:
    sent = {b"authorization": shown.encode()}
    assert client.get("/orders/GG-1042", headers=sent).status_code == 401
    assert client.post("/orders/GG-1042/complaints", headers=sent, json={"words": "x"}).status_code == 401
    assert "Nothing yet" in client.get("/").text


def test_a_complaint_is_kept_with_its_order(client: TestClient, file: Path) -> None:
    made = client.post("/orders/GG-1041/complaints", headers=TOKEN, json={"words": "Cold!"})
    assert made.status_code == 201
    assert Book(file).complaints == [{"order": "GG-1041", "words": "Cold!"}]
    unknown = client.post("/orders/GG-9999/complaints", headers=TOKEN, json={"words": "Cold!"})
    assert unknown.status_code == 404


def test_a_signed_row_is_entered_once_however_often_it_comes(client: TestClient, file: Path) -> None:
    half, late = {**ROW, "status": "running", "name": "Ann"}, {**ROW, "status": "running", "name": "A"}
    for row in (half, ROW, ROW, late):
        assert client.post("/staff", content=told(row), headers=signed(told(row))).status_code == 204
    assert list(Book(file).staff.values()) == [ROW]
    assert client.get("/").text.count("Ann Lee") == 1


def test_a_later_run_of_the_same_person_takes_the_row_s_place(client: TestClient, file: Path) -> None:
    again = {**ROW, "run": "dialog:epoch:2", "status": "running", "name": "Ann Li"}
    for row in (ROW, again):
        client.post("/staff", content=told(row), headers=signed(told(row)))
    assert list(Book(file).staff.values()) == [again]


@pytest.mark.parametrize(
    "body",
    [json.dumps({"type": "sync.test", "data": {"fields": ROW}}), told({"run": "x"})],
    ids=["a trial", "broken off early"],
)
def test_what_names_nobody_is_taken_and_not_entered(client: TestClient, file: Path, body: str) -> None:
    assert client.post("/staff", content=body, headers=signed(body)).status_code == 204
    assert Book(file).staff == {}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(told(), secret="whsec_YW5vdGhlciBzZWNyZXQ="),
        signed(told() + " "),
        signed(told(), at=datetime.now(UTC) - timedelta(minutes=10)),
    ],
    ids=["no signature", "another secret", "another body", "sent again much later"],
)
def test_a_row_that_is_not_signed_now_by_this_secret_is_refused(
    client: TestClient, file: Path, headers: dict[str, str]
) -> None:
    assert client.post("/staff", content=told(), headers=headers).status_code == 401
    assert Book(file).staff == {}


def test_what_people_wrote_is_shown_as_words(client: TestClient) -> None:
    row = {**ROW, "name": "<script>alert(1)</script>"}
    client.post("/staff", content=told(row), headers=signed(told(row)))
    assert "<script>" not in client.get("/").text
    assert "&lt;script&gt;" in client.get("/").text


def test_a_restart_finds_the_same_address_secrets_and_rows(tmp_path: Path) -> None:
    port = free_port()
    first = RunningMainSystem(tmp_path / "main-system", port)
    first.start()
    access = first.access
    row = httpx.post(f"{access.url}/staff", content=told(), headers=signed(told(), access.signing_secret))
    assert row.status_code == 204
    first.stop()

    second = RunningMainSystem(tmp_path / "main-system", port)
    second.start()
    try:
        assert replace(second.access) == access
        assert "Ann Lee" in httpx.get(access.url).text
    finally:
        second.stop()


def test_what_opens_it_is_not_shown() -> None:
    assert "token-of-the-orders" not in repr(ACCESS)
    assert "whsec_" not in repr(ACCESS)
