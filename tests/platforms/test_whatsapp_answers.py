from __future__ import annotations

from typing import Any

import pytest

from shared.platforms.base import Delivery, Outcome, Response
from shared.platforms.whatsapp import WhatsAppAdapter
from shared.platforms.whatsapp_media import WhatsAppUploads
from tests.platforms.cases import response

ADAPTER = WhatsAppAdapter()
CHAT = "16505551234"


def test_an_accepted_message_is_sent_under_its_id() -> None:
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": CHAT, "wa_id": CHAT}],
        "messages": [{"id": "wamid.ABC", "message_status": "accepted"}],
    }
    assert ADAPTER.interpret(response(200, answer)) == Delivery(Outcome.SENT, "wamid.ABC")


CODES = {
    Outcome.RETRY: (1, 2, 131000, 131016, 131057, 133004),
    Outcome.BOT_LIMITED: (4, 80007, 130429, 131048, 131064),
    Outcome.CHAT_LIMITED: (131056,),
    Outcome.WINDOW_CLOSED: (131047, 470),
    Outcome.RECIPIENT_GONE: (131026, 131021, 131030),
    Outcome.MEDIA_FAILED: (131052, 131053),
    Outcome.CREDENTIAL_BAD: (
        0,
        3,
        10,
        190,
        200,
        299,
        131005,
        33,
        131045,
        133010,
        133016,
        368,
        131031,
        131037,
        131042,
        131044,
    ),
    Outcome.BAD_PAYLOAD: (
        *(100, 131008, 131009, 131051, 135000, 132000, 132001, 132005, 132007, 132008, 132012),
        *(132015, 132016, 132018, 132068, 132069, 131020, 131041, 130472, 130497, 131049),
        *(131050, 131062, 131063, 137000),
    ),
}


@pytest.mark.parametrize(
    ("code", "outcome"), [(code, outcome) for outcome, codes in CODES.items() for code in codes]
)
def test_a_refusal_is_sorted_by_its_code(code: int, outcome: Outcome) -> None:
    error = {
        "message": f"(#{code}) Something",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "What happened"},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    delivery = ADAPTER.interpret(response(400, {"error": error}))
    assert (delivery.outcome, delivery.reason) == (outcome, f"{code} What happened")


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        pytest.param(400, {"code": 100, "is_transient": True}, Outcome.RETRY, id="transient"),
        pytest.param(400, {"code": 999999}, Outcome.BAD_PAYLOAD, id="a code unheard of"),
        pytest.param(401, {"code": "190"}, Outcome.CREDENTIAL_BAD, id="a code that is no number"),
        pytest.param(429, {}, Outcome.BOT_LIMITED, id="too many"),
        pytest.param(503, {"error_data": "text"}, Outcome.RETRY, id="unavailable"),
        pytest.param(400, "text", Outcome.BAD_PAYLOAD, id="an error that is text"),
        pytest.param(400, {"code": 131056, "is_transient": True}, Outcome.CHAT_LIMITED, id="a limit is one"),
        pytest.param(400, {"code": [190]}, Outcome.BAD_PAYLOAD, id="a code that is a list"),
    ],
)
def test_without_a_known_code_the_status_decides(status: int, error: Any, outcome: Outcome) -> None:
    assert ADAPTER.interpret(response(status, {"error": error})).outcome is outcome


def test_a_file_s_id_that_is_none_is_a_file_that_failed() -> None:
    words = "(#100) Param image['id'] is not a valid whatsapp business account media attachment ID"
    assert ADAPTER.interpret(response(400, {"error": {"code": 100, "message": words}})) == Delivery(
        Outcome.MEDIA_FAILED,
        reason="100 (#100) Param image[…] is not a valid whatsapp business account media attachment ID",
    )


def test_a_number_that_is_gone_is_a_bad_credential_and_no_fault_of_the_message() -> None:
    words = "Unsupported post request. Object with ID '106' does not exist, cannot be loaded"
    error = {"code": 100, "error_subcode": 33, "type": "GraphMethodException", "message": words}
    refusal = response(400, {"error": error})
    assert ADAPTER.interpret(refusal).outcome is Outcome.CREDENTIAL_BAD
    assert WhatsAppUploads().interpret(refusal).outcome is Outcome.CREDENTIAL_BAD


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"messages": []}', b'{"messages": [{"id": 5}]}'])
def test_an_answer_that_cannot_be_read_is_tried_again(body: bytes) -> None:
    assert ADAPTER.interpret(Response(200, body)).outcome is Outcome.RETRY


@pytest.mark.parametrize(
    ("code", "seconds"),
    [(131056, 6), (130429, 2), (80007, 60), (4, 60), (131057, 60), (131048, 900), (131000, None), (0, None)],
)
def test_a_limit_has_a_wait_of_its_own(code: int, seconds: float | None) -> None:
    error = {"error": {"code": code, "message": "Later"}}
    assert ADAPTER.interpret(response(400, error)).retry_after_seconds == seconds


def test_the_wait_is_the_one_that_the_header_names() -> None:
    answer = {"error": {"code": 130429, "message": "Rate limit hit"}}
    assert ADAPTER.interpret(response(429, answer, retry_after="30")).retry_after_seconds == 30
