"""What interpreting any messenger's answer takes: reading it without trusting it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from shared.exchange import wait_named
from shared.platforms.base import Outcome, Response

_LONGEST_REASON = 200

_TOO_SLOW = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
"""Refusals of the moment, not of what was sent."""

_QUOTED = re.compile(r"""(?<!\w)'(?:.*'|.*)|"[^"]*"?|“[^”]*”?|https?://\S+""", re.DOTALL | re.IGNORECASE)
"""Addresses are taken for ours: that of a file is known to few. An apostrophe within a word (can't) opens
nothing; what one opens may hold others, up to the last.
"""


def decoded(response: Response) -> Mapping[str, Any]:
    """The answer's JSON object, or an empty one for anything else."""
    try:
        answer = msgspec.json.decode(response.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def part(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under a key, or an empty one."""
    value = answer.get(key)
    return value if isinstance(value, dict) else {}


def number_of(value: object) -> int | None:
    """A code in a messenger's answer, None for what is no number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def by_status(status: int) -> Outcome:
    """The outcome by HTTP status alone, for an answer that says nothing else we know."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Outcome.CREDENTIAL_BAD
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome.BOT_LIMITED
    is_refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Outcome.BAD_PAYLOAD if is_refusal and status not in _TOO_SLOW else Outcome.RETRY


def reason(code: object, words: object) -> str:
    """A line for people: the code and what the messenger said, without what it quoted of ours."""
    said = _QUOTED.sub("…", words) if isinstance(words, str) else ""
    return f"{code} {said}"[:_LONGEST_REASON].strip()


def wait_of(response: Response, asked: object = None) -> float | None:
    """The seconds to wait that the answer names, in its body (`asked`) or its `Retry-After`."""
    for value in (asked, response.headers.get("retry-after")):
        seconds = wait_named(value)
        if seconds is not None:
            return seconds
    return None
