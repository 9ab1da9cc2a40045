"""What a sender finds out that concerns more than the message it was sending."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.queueing.envelopes import OutboundEnvelope


class Findings(Protocol):
    """Hears of it before the message's failure is recorded, and perhaps again after a crash."""

    def gone(self, envelope: OutboundEnvelope, reason: str, at: datetime) -> None:
        """The person cannot be reached any more."""
        ...

    def refused(self, bot_id: str, platform: str, reason: str, at: datetime) -> None:
        """The messenger does not accept the bot's credential."""
        ...


class _Nobody:
    def gone(self, envelope: OutboundEnvelope, reason: str, at: datetime) -> None:
        pass

    def refused(self, bot_id: str, platform: str, reason: str, at: datetime) -> None:
        pass


NOBODY: Findings = _Nobody()
