"""From what a platform told to what goes into the inbound queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import msgspec

from shared.credential import Credential
from shared.dialog.events import Event, MessageReceived
from shared.dialog.state import dialog_id_of
from shared.observability import logger
from shared.platforms.base import AddressedEvent, Receipt
from shared.queueing.envelopes import InboundEnvelope, ReceiptEnvelope
from shared.webhook.gateway import Call

MAX_EVENT_BYTES = 100_000
"""Far more than any messenger lets a person write, and little beside what a queue and a table take."""

MAX_REASON = 500
"""Characters that are kept of why a message was not delivered."""


class Sealed(NamedTuple):
    """What goes into the queue, and what is wrong with the rest, never in its own words."""

    envelopes: tuple[InboundEnvelope, ...]
    unreadable: tuple[str, ...] = ()


def seal(
    events: Sequence[AddressedEvent], call: Call, credential: Credential, received_at: datetime
) -> Sealed:
    """One envelope per event, in order, but for those too large."""
    envelopes = [_sealed(addressed, call, credential, received_at) for addressed in events]
    kept = [each for each in envelopes if len(msgspec.json.encode(each.event)) <= MAX_EVENT_BYTES]
    return Sealed(tuple(kept), () if len(kept) == len(envelopes) else ("an event too large to be kept",))


def _sealed(
    addressed: AddressedEvent, call: Call, credential: Credential, received_at: datetime
) -> InboundEnvelope:
    dialog_id = dialog_id_of(credential.bot_id, credential.platform, addressed.chat_id)
    return InboundEnvelope(
        dialog_id=dialog_id,
        bot_id=credential.bot_id,
        platform=credential.platform,
        platform_chat_id=addressed.chat_id,
        event=_with_file_named(addressed.event, dialog_id),
        received_at=received_at,
        trace_id=call.trace_id,
        alias=addressed.alias,
    )


def _with_file_named(event: Event, dialog_id: str) -> Event:
    """With the id that its file will have in the library: the same whenever the event comes again."""
    if not isinstance(event, MessageReceived) or event.file is None or not event.file.reference:
        return event
    media_id = str(uuid5(UUID(dialog_id), event.id))
    named: Event = msgspec.structs.replace(event, file=msgspec.structs.replace(event.file, media_id=media_id))
    return named


def seal_receipts(
    receipts: Sequence[Receipt], call: Call, credential: Credential
) -> tuple[ReceiptEnvelope, ...]:
    """One envelope per receipt."""
    return tuple(
        ReceiptEnvelope(
            bot_id=credential.bot_id,
            platform=credential.platform,
            status=receipt.status,
            at=receipt.at,
            trace_id=call.trace_id,
            delivery_id=receipt.delivery_id,
            message_id=receipt.message_id,
            reason=receipt.reason[:MAX_REASON],
            outcome=receipt.outcome.value if receipt.outcome else "",
            chat_id=receipt.chat_id,
        )
        for receipt in receipts
    )


def tell(envelopes: Sequence[InboundEnvelope]) -> None:
    """Log what was taken in, so that its trace can be followed; never what it says."""
    for envelope in envelopes:
        logger.info(
            "event taken in",
            extra={
                "trace_id": envelope.trace_id,
                "bot_id": envelope.bot_id,
                "platform": envelope.platform,
                "dialog_id": envelope.dialog_id,
                "event_type": type(envelope.event).__name__,
            },
        )
