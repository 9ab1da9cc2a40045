"""A hold: what stands against all messages of one bot on one messenger for a while."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import msgspec

from shared.credential import Credential


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Until when, and why. `refused` is the mark of the credential that the messenger does not accept.

    Without it, the messenger only wants the bot to wait.
    """

    until: datetime
    reason: str
    refused: str = ""


class Holds(Protocol):
    """Holds, known to all senders within seconds."""

    def get(self, bot_id: str, platform: str) -> Hold | None:
        """The hold that is on the bot now, as far as is known."""
        ...

    def put(self, bot_id: str, platform: str, hold: Hold) -> None: ...


def mark_of(credential: Credential) -> str:
    """Tells a credential from the one that takes its place, without telling its secrets."""
    return sha256(json.dumps(dict(credential.settings), sort_keys=True).encode()).hexdigest()


class _NoHolds:
    def get(self, bot_id: str, platform: str) -> Hold | None:  # noqa: ARG002
        return None

    def put(self, bot_id: str, platform: str, hold: Hold) -> None:
        pass


NO_HOLDS: Holds = _NoHolds()
"""For a sender of its own, which no other one has to heed."""
