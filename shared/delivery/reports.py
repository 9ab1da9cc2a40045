"""Where a sender's findings go: to the dialog as an event, to the credential as health, to the counters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from shared.dialog.events import ChatBlocked
from shared.dialog.ports import InboundQueue
from shared.errors import NotFound
from shared.observability import count, logger
from shared.queueing.envelopes import InboundEnvelope, OutboundEnvelope


class HealthRecords(Protocol):
    """The health of credentials; both raise `NotFound`."""

    def health_of(self, bot_id: str, platform: str) -> Mapping[str, Any]: ...

    def record_health(self, bot_id: str, platform: str, health: Mapping[str, Any]) -> None: ...


class Reports(msgspec.Struct, frozen=True):
    """Fulfils `Findings`."""

    inbound: InboundQueue
    credentials: HealthRecords

    def gone(self, envelope: OutboundEnvelope, reason: str, at: datetime) -> None:
        """Tell the dialog, once for a turn however often it is tried. Raises `NotAccepted`."""
        event_id = f"gone/{envelope.epoch}/{envelope.turn}"
        told = InboundEnvelope(
            dialog_id=envelope.dialog_id,
            bot_id=envelope.bot_id,
            platform=envelope.platform,
            platform_chat_id=envelope.platform_chat_id,
            event=ChatBlocked(id=event_id, occurred_at=at, reason=reason),
            received_at=at,
            trace_id=envelope.trace_id,
        )
        self.inbound.send([told])

    def refused(self, bot_id: str, platform: str, reason: str, at: datetime) -> None:
        """Mark the credential, beside what was known of it, and count it: an alarm looks at the counter.

        A later check knows better: the credential may have been replaced since.
        """
        try:
            known = self.credentials.health_of(bot_id, platform)
        except NotFound:
            logger.info("a refused credential is gone", extra={"bot_id": bot_id})
            return
        if _is_later(known.get("checked_at"), at):
            return
        count("refused_credentials", bot_id=bot_id, platform=platform)
        told = {"status": "bad", "detail": f"sending: {reason}", "checked_at": at.isoformat()}
        self._record(bot_id, platform, {**known, **told})

    def _record(self, bot_id: str, platform: str, health: Mapping[str, Any]) -> None:
        try:
            self.credentials.record_health(bot_id, platform, health)
        except NotFound:
            logger.info("a refused credential is gone", extra={"bot_id": bot_id})


def _is_later(checked_at: Any, at: datetime) -> bool:
    return isinstance(checked_at, str) and datetime.fromisoformat(checked_at) > at
