"""What is said again in another way, where a messenger took it and told afterwards that it was not delivered.

Its envelope goes through its dialog's queue, behind all that is on its way there. The record says which of
the messenger's names are answered for (`replaced`), so what is told twice is done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.messages import Message
from shared.platforms.base import Outcome
from shared.platforms.formatting import MEDIA_AS_LINKS, SENT_AS_TEMPLATE
from shared.queueing.envelopes import Remedy, Resend

SAID_AGAIN_WITHIN = timedelta(hours=1)
"""Messengers tell it within seconds. After that long nobody expects the message any more."""

REMEDIES: Mapping[str, Remedy] = {Outcome.WINDOW_CLOSED: "template", Outcome.MEDIA_FAILED: "links"}
"""By why a message was not delivered."""

_DEGRADATIONS: Mapping[Remedy, str] = {"template": SENT_AS_TEMPLATE, "links": MEDIA_AS_LINKS}


def is_answered(record: DeliveryRecord, message_id: str) -> bool:
    """Whether the failure is none of the message's any more: it was said again, or went out twice at once."""
    is_of_a_double = record.possibly_doubled and record.status == "sent"
    return message_id in record.replaced or (is_of_a_double and message_id not in record.message_ids)


def can_be_said(remedy: Remedy, message: Message, record: DeliveryRecord, message_id: str) -> bool:
    """Whether that way is left. Of a message that its sender is still at, its names are not known yet."""
    if record.status == "failed" or SENT_AS_TEMPLATE in record.degradations or _has_arrived(record):
        return False
    is_made = message.template is not None if remedy == "template" else bool(message.media)
    return is_made and (record.status == "queued" or message_id in _answerable(record, remedy))


def taken_up(record: DeliveryRecord, resend: Resend, *, is_redriven: bool) -> DeliveryRecord | None:
    """The record of the message as it is said again, or goes on to be; None where that was done before."""
    if resend.message_id in record.replaced:
        return _gone_on_with(record, resend, is_redriven=is_redriven)
    return None if record.status != "sent" or _has_arrived(record) else _begun(record, resend)


def _gone_on_with(record: DeliveryRecord, resend: Resend, *, is_redriven: bool) -> DeliveryRecord | None:
    if resend.message_id != list(record.replaced)[-1]:
        return None
    if record.status == "failed" and is_redriven:
        return msgspec.structs.replace(record, status="queued", attempts=0)
    return record if record.status == "queued" else None


def _begun(record: DeliveryRecord, resend: Resend) -> DeliveryRecord | None:
    answered = _answerable(record, resend.remedy)
    if resend.message_id not in answered:
        return None
    if resend.remedy == "links":
        answered = {resend.message_id: answered[resend.message_id]}
    answered[resend.message_id] = answered.pop(resend.message_id)  # the last one is what is under way
    return msgspec.structs.replace(
        record,
        status="queued",
        message_ids=tuple(name for name in record.message_ids if name not in answered),
        attempts=0,
        reason=resend.reason,
        degradations=tuple(dict.fromkeys((*record.degradations, _DEGRADATIONS[resend.remedy]))),
        replaced={**record.replaced, **answered},
    )


def is_later_word(entry: HistoryEntry, remedy: Remedy) -> bool:
    """Whether an entry after a message's turn shows that the dialog has gone on without the message.

    Where nothing but a template could be said, nothing else has reached the person since.
    """
    if entry.message_type == "user":
        return True
    record = entry.delivery
    if record is None or record.reached in ("queued", "failed"):
        return False
    return remedy == "links" or SENT_AS_TEMPLATE in record.degradations


def _has_arrived(record: DeliveryRecord) -> bool:
    """Of several requests nobody knows which one was delivered."""
    return len(record.message_ids) == 1 and record.reached in ("delivered", "read")


def _answerable(record: DeliveryRecord, remedy: Remedy) -> dict[str, int]:
    """The messenger's names that another try can answer for, with the places of their requests.

    A template is said in place of all. A request with its links is made once: those names come last that
    were told for it, and the others are in the order of the places left to them.
    """
    places = range(len(record.message_ids))
    if remedy == "links":
        places_left = [place for place in places if place not in record.replaced.values()]
        return dict(zip(record.message_ids, places_left, strict=False))
    return dict(zip(record.message_ids, places, strict=True))
