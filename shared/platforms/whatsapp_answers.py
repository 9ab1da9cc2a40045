"""What WhatsApp answers to a call, sorted by the error's code: neither title nor HTTP status is reliable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.platforms.answers import by_status, decoded, number_of, part, reason, wait_of
from shared.platforms.base import Delivery, Outcome, Response

_BY_CODE: Mapping[int | None, Outcome] = {
    code: outcome
    for outcome, codes in {
        Outcome.RETRY: (1, 2, 131000, 131016, 131057, 133004),
        Outcome.BOT_LIMITED: (4, 80007, 130429, 131048, 131064),
        Outcome.CHAT_LIMITED: (131056,),
        Outcome.WINDOW_CLOSED: (131047, 470),
        Outcome.RECIPIENT_GONE: (131021, 131026, 131030),
        Outcome.MEDIA_FAILED: (131052, 131053),
        Outcome.CREDENTIAL_BAD: (
            *(0, 3, 10, 33, 190, *range(200, 300), 131005, 131045, 133010, 133016),
            # The account is blocked, locked, unpaid, or has a name not approved: somebody has to see to it.
            *(368, 131031, 131037, 131042, 131044),
        ),
        Outcome.BAD_PAYLOAD: (
            *(100, 131008, 131009, 131020, 131041, 131051, 135000),
            *(132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069),
            # Not now, not to this person, not in this country, no advertising, not by this kind of id: for
            # this message that is final, for the person not. The wait of a day that 131049 wants would
            # hold up everything said to them after it.
            *(130472, 130497, 131049, 131050, 131062, 131063, 137000),
        ),
    }.items()
    for code in codes
}

_NO_SUCH_FILE = "media attachment id"
"""A file's id that is none, or has run out, is told of as any parameter that is wrong."""

NO_SUCH_OBJECT = 33
"""The subcode that says that an id in the address does not exist, or that the token may not see it."""

_LIMITS = (Outcome.CHAT_LIMITED, Outcome.BOT_LIMITED)

# How long to wait, in seconds, where the answer does not say: it hardly ever does.
_WAITS: Mapping[int | None, float] = {
    **dict.fromkeys((4, 80007), 60),  # calls of an hour, which are counted anew all the time
    130429: 2,  # messages of a second
    131056: 6,  # one message in six seconds to the same person, after some that were borrowed
    131057: 60,  # the number gets more throughput, which takes about a minute
    **dict.fromkeys((131048, 131064), 900),  # too much was found to be spam: trying on makes it worse
}


def meaning_of(error: Mapping[str, Any]) -> tuple[Outcome | None, str]:
    """What a failure means, told at once or afterwards, and its reason; no outcome for a code unheard of."""
    code, message = error.get("code"), error.get("message")
    words = part(error, "error_data").get("details") or message or error.get("title")
    outcome = _BY_CODE.get(number_of(code))
    if outcome is Outcome.BAD_PAYLOAD and _NO_SUCH_FILE in str(message).lower():
        outcome = Outcome.MEDIA_FAILED
    return outcome, reason("" if code is None else code, words)


def sort(response: Response) -> Delivery:
    """The outcome of whatever came."""
    answer = decoded(response)
    return _refused(response, part(answer, "error")) if "error" in answer else _accepted(response, answer)


def sort_of_number(response: Response) -> Delivery:
    """As `sort`, for a call on the bot's own number: one that is not there is no fault of what was sent."""
    delivery, error = sort(response), part(decoded(response), "error")
    is_gone = number_of(error.get("error_subcode")) == NO_SUCH_OBJECT
    if is_gone and delivery.outcome is Outcome.BAD_PAYLOAD:
        return msgspec.structs.replace(delivery, outcome=Outcome.CREDENTIAL_BAD)
    return delivery


def _refused(response: Response, error: Mapping[str, Any]) -> Delivery:
    known, why = meaning_of(error)
    outcome = known or by_status(response.status)
    if error.get("is_transient") is True and outcome not in _LIMITS:
        outcome = Outcome.RETRY
    wait = wait_of(response)
    return Delivery(
        outcome,
        retry_after_seconds=_WAITS.get(number_of(error.get("code"))) if wait is None else wait,
        reason=why,
    )


def _accepted(response: Response, answer: Mapping[str, Any]) -> Delivery:
    messages = answer.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict) and isinstance(first.get("id"), str):
        return Delivery(Outcome.SENT, first["id"])
    return Delivery(
        by_status(response.status),
        retry_after_seconds=wait_of(response),
        reason=reason(response.status, "no error and no message id"),
    )
