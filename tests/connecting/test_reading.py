"""What the messengers' answers mean, and that no answer at all is too much."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.connecting import connector_for
from shared.connecting.base import Answered
from shared.platforms.base import Response

TOKEN = "EAAJB" + "x" * 60


def telegram(code: int, description: str, **parameters: Any) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


def graph(code: Any, message: str = "no", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "OAuthException", "code": code, **more}}


DONE, BAD, REFUSED, LATER = Answered.DONE, Answered.CREDENTIAL_BAD, Answered.REFUSED, Answered.LATER

CASES: list[tuple[str, int, Any, Answered]] = [
    ("telegram", 200, {"ok": True, "result": True, "description": "Webhook was set"}, DONE),
    ("telegram", 401, telegram(401, "Unauthorized"), BAD),
    ("telegram", 404, telegram(404, "Not Found"), BAD),
    ("telegram", 421, telegram(421, "Misdirected Request: unallowed token"), BAD),
    ("telegram", 400, telegram(400, "Bad Request: bad webhook: IP address is reserved"), REFUSED),
    ("telegram", 409, telegram(409, "Conflict: terminated by other setWebhook"), LATER),
    ("telegram", 429, telegram(429, "Too Many Requests: retry after 5", retry_after=5), LATER),
    ("telegram", 500, telegram(500, "Internal Server Error: restart"), LATER),
    ("telegram", 200, {"ok": "true"}, LATER),
    ("telegram", 302, {}, LATER),
    ("whatsapp", 200, {"id": "1", "verified_name": "A"}, DONE),
    ("whatsapp", 200, {"success": True}, DONE),
    ("whatsapp", 200, {"success": False}, LATER),
    ("whatsapp", 401, graph(190, "Invalid OAuth access token"), BAD),
    ("whatsapp", 400, graph(190, f"Malformed access token {TOKEN}"), BAD),
    ("whatsapp", 403, graph(200, "(#200) You do not have the necessary permissions"), BAD),
    ("whatsapp", 403, graph(10, "(#10) Application does not have permission for this action"), BAD),
    ("whatsapp", 400, graph(100, "Unsupported get request", error_subcode=33), BAD),
    ("whatsapp", 400, graph(100, "(#100) Unexpected key"), REFUSED),
    ("whatsapp", 400, graph(2200, "(#2200) Callback verification failed"), REFUSED),
    ("whatsapp", 400, graph(4, "(#4) Application request limit reached"), LATER),
    ("whatsapp", 400, graph(80007, "rate limit"), LATER),
    ("whatsapp", 500, graph(1, "An unknown error occurred"), LATER),
    ("whatsapp", 400, graph([190]), REFUSED),
    ("viber", 200, {"status": 0, "status_message": "ok"}, DONE),
    ("viber", 200, {"status": 2, "status_message": "invalidAuthToken"}, BAD),
    ("viber", 200, {"status": 9, "status_message": "publicAccountSuspended"}, BAD),
    ("viber", 200, {"status": 1, "status_message": "Result from webhook server is invalid"}, REFUSED),
    ("viber", 200, {"status": 3, "status_message": "badData"}, REFUSED),
    ("viber", 200, {"status": 12, "status_message": "tooManyRequests"}, LATER),
    ("viber", 200, {"status": False}, LATER),
    ("viber", 200, {"status": [2]}, LATER),
    ("viber", 200, [], LATER),
    ("viber", 403, {}, BAD),
    ("viber", 502, {"status": 0}, LATER),
]


@pytest.mark.parametrize(("platform", "status", "body", "answered"), CASES, ids=lambda value: str(value)[:50])
def test_answer_is_sorted(platform: str, status: int, body: Any, answered: Answered) -> None:
    reading = connector_for(platform).read(Response(status, json.dumps(body).encode()))

    assert reading.answered is answered
    assert TOKEN not in reading.detail
    assert "xxxx" not in reading.detail
    assert len(reading.detail) <= 200


ACCOUNTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "telegram": (
        {"ok": True, "result": {"id": 7, "is_bot": True, "first_name": "Ann", "username": "ann_bot"}},
        {"id": "7", "name": "Ann", "username": "ann_bot"},
    ),
    "whatsapp": (
        {"id": "1", "verified_name": "Ann", "display_phone_number": "+1 555"},
        {"id": "1", "name": "Ann", "phone_number": "+1 555"},
    ),
    "viber": (
        {"status": 0, "id": "pa:1", "name": "Ann", "uri": "ann"},
        {"id": "pa:1", "name": "Ann", "username": "ann"},
    ),
}


@pytest.mark.parametrize("platform", ACCOUNTS)
def test_the_account_is_told_in_one_form(platform: str) -> None:
    body, account = ACCOUNTS[platform]
    assert connector_for(platform).read(Response(200, json.dumps(body).encode())).account == account


def test_a_wait_that_is_asked_for_is_told() -> None:
    body = json.dumps(telegram(429, "Too Many Requests", retry_after=5)).encode()
    assert connector_for("telegram").read(Response(429, body)).retry_after_seconds == 5


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["ok", "result", "error", "code", "status", "id"]), inner)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("platform", ["telegram", "whatsapp", "viber", "webchat"])
@given(status=st.integers(100, 599), body=_JSON.map(json.dumps).map(str.encode) | st.binary())
@settings(max_examples=60)
def test_no_answer_is_too_much(platform: str, status: int, body: bytes) -> None:
    assert connector_for(platform).read(Response(status, body)).answered in Answered
