"""What Telegram answers to a call, by its status; a 400 by its words, which are no stable interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import prod
from typing import Any

from shared.platforms.answers import by_status, decoded, part, reason, wait_of
from shared.platforms.base import Delivery, Outcome, Response

_BY_STATUS: Mapping[int, Outcome] = {
    401: Outcome.CREDENTIAL_BAD,
    403: Outcome.RECIPIENT_GONE,
    404: Outcome.CREDENTIAL_BAD,  # the method exists, so it is the token that is not known
    409: Outcome.RETRY,
    413: Outcome.MEDIA_FAILED,  # only a file can be that large
    420: Outcome.CHAT_LIMITED,
    421: Outcome.CREDENTIAL_BAD,
    429: Outcome.CHAT_LIMITED,  # it does not say whose limit it is; a hold on the whole bot costs more
}

_WORDS: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.CREDENTIAL_BAD: (
        "logged out",  # of this server, for another
        "frozen_method_invalid",  # Telegram has frozen the bot
    ),
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
        "file must be non-empty",
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

_FILES = ("photo", "animation", "video", "audio", "document", "voice", "video_note", "sticker")
"""Where a message's file is. Telegram decides itself what it makes of one; of what moves it names two."""

_ABOUT_A_BUTTON = "button url"
"""An address of a link is refused in nearly the same words as that of a file."""


def interpret(response: Response) -> Delivery:
    """What became of a message; of an album the first message's id stands for all."""
    answer = decoded(response)
    if answer.get("ok") is True:
        messages = _messages(answer)
        return Delivery(Outcome.SENT, _message_id(messages[0]), file_ids=_file_ids(messages))
    said = answer.get("description")
    outcome = _outcome(response.status, said.lower() if isinstance(said, str) else "")
    wait = wait_of(response, part(answer, "parameters").get("retry_after"))
    return Delivery(outcome, retry_after_seconds=wait, reason=reason(response.status, said))


def _messages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The messages that were made, several of an album, or one that says nothing."""
    result = answer.get("result")
    made = result if isinstance(result, list) and result else [result]
    return [each if isinstance(each, dict) else {} for each in made]


def _message_id(message: Mapping[str, Any]) -> str:
    message_id = message.get("message_id")
    return str(message_id) if type(message_id) is int and message_id > 0 else ""


def _file_ids(messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """One of each message, "" for one that cannot be read; none at all of a text."""
    found = tuple(map(_file_id, messages))
    return found if any(found) else ()


def _file_id(message: Mapping[str, Any]) -> str:
    file = next((message[name] for name in _FILES if message.get(name)), None)
    if isinstance(file, list):  # a photo, in several sizes
        file = max((size for size in file if isinstance(size, dict)), key=_area, default=None)
    file_id = file.get("file_id") if isinstance(file, dict) else None
    return file_id if isinstance(file_id, str) else ""


def _area(size: Mapping[str, Any]) -> int:
    sides = [size.get(side) for side in ("width", "height")]
    return prod(side if isinstance(side, int) else 0 for side in sides)


def _outcome(status: int, said: str) -> Outcome:
    if status != HTTPStatus.BAD_REQUEST:
        return _BY_STATUS.get(status) or by_status(status)
    if _ABOUT_A_BUTTON in said:
        return Outcome.BAD_PAYLOAD
    found = (outcome for outcome, words in _WORDS.items() if any(each in said for each in words))
    return next(found, Outcome.BAD_PAYLOAD)
