"""What Telegram answers to a call, by its status; a 400 by its words, which are no stable interface."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.platforms.answers import by_status, decoded, part, reason, wait_of
from shared.platforms.base import Delivery, Outcome, Response

_BY_STATUS: Mapping[int, Outcome] = {
    401: Outcome.CREDENTIAL_BAD,
    403: Outcome.RECIPIENT_GONE,
    404: Outcome.CREDENTIAL_BAD,  # the method exists, so it is the token that is not known
    409: Outcome.RETRY,
    420: Outcome.CHAT_LIMITED,
    421: Outcome.CREDENTIAL_BAD,
    429: Outcome.CHAT_LIMITED,  # it does not say whose limit it is; a hold on the whole bot costs more
}

_WORDS: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.ALREADY_SO: (
        "message is not modified",
        "message to edit not found",  # the person has removed it, buttons and all
        "message to delete not found",
        "message can't be edited",
        "message_id_invalid",
    ),
    Outcome.RECIPIENT_GONE: (
        "chat not found",
        "group chat was upgraded",
        "have no rights to send",
        # Codes of the layer below, which come through where a 403 has no words of its own.
        "user_is_blocked",
        "input_user_deactivated",
        "user_is_bot",
        "peer_id_invalid",
        "chat_write_forbidden",
    ),
    Outcome.MEDIA_FAILED: (
        "http url",  # wrong, failed to get its content, invalid: Telegram fetches itself
        "url host is empty",
        "wrong type of the web page content",
        "wrong file",
        "wrong remote file",
        "type of file mismatch",
        "file is too big",
        "can't upload file by url",
        "can't use the media of the specified type in the album",
        "failed to send message #",  # one of an album
        "group send failed",
        "there is no caption in the message to edit",  # its file was sent as an address
        "webpage_curl_failed",
        "webpage_media_empty",
        "external_url_invalid",
        "media_empty",
        "media_invalid",
        "image_process_failed",
        "photo_",
        "video_content_type_invalid",
        "video_file_invalid",
        "document_invalid",
    ),
}

_ABOUT_A_BUTTON = "button url"
"""An address of a link is refused in nearly the same words as that of a file."""


def interpret(response: Response) -> Delivery:
    """What became of a message; of an album the first message's id stands for all."""
    answer = decoded(response)
    if answer.get("ok") is True:
        return Delivery(Outcome.SENT, _message_id(answer))
    said = answer.get("description")
    outcome = _outcome(response.status, said.lower() if isinstance(said, str) else "")
    wait = wait_of(response, part(answer, "parameters").get("retry_after"))
    return Delivery(outcome, retry_after_seconds=wait, reason=reason(response.status, said))


def _message_id(answer: Mapping[str, Any]) -> str:
    result = answer.get("result")
    first = result[0] if isinstance(result, list) and result else result
    message_id = first.get("message_id") if isinstance(first, dict) else None
    return str(message_id) if type(message_id) is int and message_id > 0 else ""


def _outcome(status: int, said: str) -> Outcome:
    if status != HTTPStatus.BAD_REQUEST:
        return _BY_STATUS.get(status) or by_status(status)
    if _ABOUT_A_BUTTON in said:
        return Outcome.BAD_PAYLOAD
    found = (outcome for outcome, words in _WORDS.items() if any(each in said for each in words))
    return next(found, Outcome.BAD_PAYLOAD)
