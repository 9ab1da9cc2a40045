from __future__ import annotations

from typing import Any, NoReturn

import pytest

from shared.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unauthenticated
from shared.webhook.gateway import MAX_BODY_BYTES, at_the_door, read_call
from tests.webhook.doubles import BOT_ID, body_of, gateway_event


def test_a_call_is_read() -> None:
    event = gateway_event("{}", headers={"X-Thing": "1"}, query={"a": "b"})
    call = read_call(event)
    assert (call.bot_id, call.trace_id, call.host) == (BOT_ID, "request-1", "api.parley.example")
    assert call.request.method == "POST"
    assert call.request.headers["x-thing"] == "1"
    assert call.request.query == {"a": "b"}
    assert call.request.body == b"{}"


def test_a_body_in_base64_is_given_as_its_bytes() -> None:
    assert read_call(gateway_event(b"\xff\x00{}")).request.body == b"\xff\x00{}"


def test_a_text_body_is_given_as_utf_8() -> None:
    assert read_call(gateway_event("{привет}")).request.body == "{привет}".encode()


def test_an_event_with_nothing_in_it_but_the_bot_is_read() -> None:
    call = read_call({"pathParameters": {"bot_id": BOT_ID}})
    assert (call.request.method, call.request.body, dict(call.request.headers)) == ("", b"", {})
    assert call.trace_id


def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert len(read_call(gateway_event(b"x" * MAX_BODY_BYTES)).request.body) == MAX_BODY_BYTES
    for body in (b"x" * (MAX_BODY_BYTES + 1), "x" * (MAX_BODY_BYTES + 1), "я" * (MAX_BODY_BYTES // 2 + 1)):
        with pytest.raises(TooLarge):
            read_call(gateway_event(body))


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(gateway_event("not base64!") | {"isBase64Encoded": True}, id="no base64"),
        pytest.param(gateway_event("YWJjZ") | {"isBase64Encoded": True}, id="cut off"),
        pytest.param(gateway_event("я") | {"isBase64Encoded": True}, id="not even ASCII"),
        pytest.param(gateway_event('"\ud800"'), id="half a character"),
    ],
)
def test_a_damaged_body_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_call(event)


@pytest.mark.parametrize(
    "bot_id",
    [
        "",
        "1",
        "../../etc/passwd",
        BOT_ID.replace("-", ""),
        "{" + BOT_ID + "}",
        "urn:uuid:" + BOT_ID,
        BOT_ID + " ",
        BOT_ID[:-2] + "_b",
        BOT_ID.replace("1", "١"),
        "x" * 100_000,
    ],
)
def test_what_is_no_uuid_is_no_bot(bot_id: str) -> None:
    with pytest.raises(NotFound):
        read_call(gateway_event("{}", bot_id=bot_id))


def test_a_bot_id_in_capitals_is_the_same_bot() -> None:
    assert read_call(gateway_event("{}", bot_id=BOT_ID.upper())).bot_id == BOT_ID


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("bot"), 404),
        (Unauthenticated("no proof"), 401),
        (Forbidden("not from there"), 403),
        (Invalid("no JSON"), 400),
        (TooLarge(10), 413),
        (Conflict("elsewhere"), 400),
    ],
)
def test_a_refusal_is_answered_with_a_problem_document(error: Exception, status: int) -> None:
    def refuse(_: object) -> NoReturn:
        raise error

    answer = at_the_door(refuse, {})
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert body_of(answer)["status"] == status
    assert body_of(answer)["detail"] == str(error)


def test_a_fault_of_ours_is_a_503_that_tells_nothing(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> NoReturn:
        raise RuntimeError("secret-token and what the person said")

    answer = at_the_door(fail, {})
    assert answer["statusCode"] == 503
    told = answer["body"] + capsys.readouterr().out + caplog.text
    assert "webhook_failures" in told
    assert "secret-token" not in told
