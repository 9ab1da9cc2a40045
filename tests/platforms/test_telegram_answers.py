from __future__ import annotations

from typing import Any

import pytest

from shared.platforms.base import Delivery, Outcome, Response
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.cases import response

ADAPTER = TelegramAdapter()


def test_an_accepted_message_is_sent_under_its_id() -> None:
    answer = {"ok": True, "result": {"message_id": 365, "date": 1793370000, "text": "Hi"}}
    assert ADAPTER.interpret(response(200, answer)) == Delivery(Outcome.SENT, "365")


@pytest.mark.parametrize(
    ("result", "message_id"),
    [
        pytest.param([{"message_id": 7}, {"message_id": 8}], "7", id="an album"),
        pytest.param(True, "", id="done"),
        pytest.param([], "", id="nothing"),
        pytest.param([5], "", id="a list of something else"),
        pytest.param({}, "", id="no id"),
    ],
)
def test_an_accepted_album_is_sent_under_its_first_id(result: Any, message_id: str) -> None:
    answer = {"ok": True, "result": result}
    assert ADAPTER.interpret(response(200, answer)) == Delivery(Outcome.SENT, message_id)


SIZES = [
    {"file_id": "s", "width": 90, "height": 67},
    {"file_id": "l", "width": 1280, "height": 960},
    {"file_id": "m", "width": 320, "height": 240},
]


@pytest.mark.parametrize(
    ("result", "file_ids"),
    [
        pytest.param({"photo": SIZES}, ("l",), id="the largest of a photo"),
        pytest.param({"photo": SIZES[:1]}, ("s",), id="its only size"),
        pytest.param({"video": {"file_id": "v"}}, ("v",), id="a video"),
        pytest.param({"audio": {"file_id": "a"}}, ("a",), id="a sound"),
        pytest.param({"document": {"file_id": "d"}}, ("d",), id="a document"),
        pytest.param({"animation": {"file_id": "g"}, "document": {"file_id": "d"}}, ("g",), id="what moves"),
        pytest.param({"sticker": {"file_id": "w"}}, ("w",), id="a document taken for a sticker"),
        pytest.param([{"photo": SIZES}, {"video": {"file_id": "v"}}], ("l", "v"), id="an album"),
        pytest.param([{"photo": SIZES}, {"message_id": 8}], ("l", ""), id="an album with one unread"),
        pytest.param({"text": "Hi"}, (), id="a text"),
        pytest.param({"photo": []}, (), id="a photo of no size"),
        pytest.param({"photo": [5, {"width": "x"}]}, (), id="sizes that are none"),
        pytest.param({"video": {"file_id": 5}}, (), id="an id that is none"),
    ],
)
def test_what_telegram_made_of_a_file_is_told(result: Any, file_ids: tuple[str, ...]) -> None:
    assert ADAPTER.interpret(response(200, {"ok": True, "result": result})).file_ids == file_ids


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ('failed to send message #2 with the error message "WEBPAGE_CURL_FAILED"', Outcome.MEDIA_FAILED),
        ('failed to send message #1 with the error message "USER_IS_BLOCKED"', Outcome.RECIPIENT_GONE),
        ("inline keyboard button URL 'https://a' is invalid: Wrong HTTP URL", Outcome.BAD_PAYLOAD),
    ],
)
def test_what_is_wrong_may_be_quoted(said: str, outcome: Outcome) -> None:
    answer = {"ok": False, "error_code": 400, "description": f"Bad Request: {said}"}
    assert ADAPTER.interpret(response(400, answer)).outcome is outcome


@pytest.mark.parametrize(
    ("status", "description", "outcome"),
    [
        (400, "Bad Request: message text is empty", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: message is too long", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: BUTTON_DATA_INVALID", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: reply markup is too long", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: chat not found", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: private chat not found", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: USER_IS_BLOCKED", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: group chat was upgraded to a supergroup chat", Outcome.RECIPIENT_GONE),
        (400, "Bad Request: message is not modified: specified new message content", Outcome.ALREADY_SO),
        (400, "Bad Request: message to edit not found", Outcome.ALREADY_SO),
        (400, "Bad Request: message can't be edited", Outcome.ALREADY_SO),
        (400, "Bad Request: MESSAGE_ID_INVALID", Outcome.ALREADY_SO),
        (400, "Bad Request: there is no text in the message to edit", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: there is no caption in the message to edit", Outcome.MEDIA_FAILED),
        (400, "Bad Request: failed to get HTTP URL content", Outcome.MEDIA_FAILED),
        (400, "Bad Request: wrong HTTP URL specified", Outcome.MEDIA_FAILED),
        (400, "Bad Request: invalid file HTTP URL specified: Unsupported URL protocol", Outcome.MEDIA_FAILED),
        (400, "Bad Request: wrong type of the web page content", Outcome.MEDIA_FAILED),
        (400, "Bad Request: wrong file identifier/HTTP URL specified", Outcome.MEDIA_FAILED),
        (400, "Bad Request: wrong remote file identifier specified: Wrong padding", Outcome.MEDIA_FAILED),
        (400, "Bad Request: file is too big", Outcome.MEDIA_FAILED),
        (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", Outcome.MEDIA_FAILED),
        (400, "Bad Request: IMAGE_PROCESS_FAILED", Outcome.MEDIA_FAILED),
        (400, "Bad Request: WEBPAGE_CURL_FAILED", Outcome.MEDIA_FAILED),
        (400, "Bad Request: Group send failed", Outcome.MEDIA_FAILED),
        (400, "Bad Request: can't use the media of the specified type in the album", Outcome.MEDIA_FAILED),
        (400, "Bad Request: message caption is too long", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: can't parse entities: unsupported start tag", Outcome.BAD_PAYLOAD),
        (400, "Bad Request: FROZEN_METHOD_INVALID", Outcome.CREDENTIAL_BAD),
        (400, "Logged out", Outcome.CREDENTIAL_BAD),
        (401, "Unauthorized", Outcome.CREDENTIAL_BAD),
        (403, "Forbidden: bot was blocked by the user", Outcome.RECIPIENT_GONE),
        (403, "Forbidden: user is deactivated", Outcome.RECIPIENT_GONE),
        (403, "Forbidden: bot can't initiate conversation with a user", Outcome.RECIPIENT_GONE),
        (403, "Forbidden: bot can't send messages to bots", Outcome.RECIPIENT_GONE),
        (404, "Not Found", Outcome.CREDENTIAL_BAD),
        (404, "Not Found: method not found", Outcome.CREDENTIAL_BAD),
        (409, "Conflict: terminated by other getUpdates request", Outcome.RETRY),
        (413, "Request Entity Too Large", Outcome.MEDIA_FAILED),
        (420, "Flood: retry after 5", Outcome.CHAT_LIMITED),
        (421, "Misdirected Request: unallowed token", Outcome.CREDENTIAL_BAD),
        (429, "Too Many Requests: retry after 17", Outcome.CHAT_LIMITED),
        (500, "Internal Server Error: restart", Outcome.RETRY),
        (502, "Bad Gateway", Outcome.RETRY),
    ],
)
def test_a_refusal_is_sorted_by_status_and_words(status: int, description: str, outcome: Outcome) -> None:
    answer = {"ok": False, "error_code": status, "description": description}
    delivery = ADAPTER.interpret(response(status, answer))
    assert delivery == Delivery(outcome, reason=f"{status} {description}")


@pytest.mark.parametrize(
    ("asked", "header", "seconds"),
    [
        pytest.param(17, {}, 17.0, id="in the body"),
        pytest.param(None, {"retry_after": "5"}, 5.0, id="in the header"),
        pytest.param(3, {"retry_after": "5"}, 3.0, id="the body first"),
        pytest.param("soon", {"retry_after": "Wed, 21 Oct"}, None, id="neither readable"),
        pytest.param(-1, {"retry_after": "nan"}, None, id="neither sensible"),
        pytest.param(10**400, {}, None, id="no number of seconds"),
        pytest.param(10**9, {}, 86400.0, id="at most a day"),
    ],
)
def test_the_wait_is_the_one_that_telegram_names(asked: Any, header: dict[str, str], seconds: float) -> None:
    answer = {"ok": False, "error_code": 429, "description": "", "parameters": {"retry_after": asked}}
    assert ADAPTER.interpret(response(429, answer, **header)).retry_after_seconds == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"ok": 1}'])
def test_an_answer_that_cannot_be_read_is_tried_again(body: bytes) -> None:
    assert ADAPTER.interpret(Response(200, body)).outcome is Outcome.RETRY


@pytest.mark.parametrize("address", ["https://a/?name=Ivan", "https://a/?name=it's Ivan", "' Ivan"])
def test_the_reason_quotes_nothing_of_the_message(address: str) -> None:
    said = f"Bad Request: can't use the button URL '{address}' is invalid: Wrong HTTP URL"
    answer = {"ok": False, "error_code": 400, "description": said}
    reason = ADAPTER.interpret(response(400, answer)).reason
    assert reason == "400 Bad Request: can't use the button URL … is invalid: Wrong HTTP URL"


@pytest.mark.parametrize("address", ["https://cdn.example/media/1/key/a.png", "HTTP://b.example/?q=1"])
def test_the_reason_names_no_address_that_we_have_sent(address: str) -> None:
    answer = {"ok": False, "error_code": 400, "description": f"Bad Request: failed to get {address} (404)"}
    reason = ADAPTER.interpret(response(400, answer)).reason
    assert reason == "400 Bad Request: failed to get … (404)"
