"""A deleted bot's connections: no messenger is to call it any more, and its accounts are free for another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.connecting.base import Answered
from shared.connecting.registrar import Registrar
from shared.errors import Wait
from shared.observability import logger
from shared.storage.credentials import DynamoCredentials

PATIENCE = timedelta(hours=1)
"""For a messenger that does not answer. After that its webhook stays, and calls what answers 404."""

WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Connections:
    """Ends connections at the messengers, then deletes their credentials."""

    credentials: DynamoCredentials
    registrar: Registrar
    now: Callable[[], datetime]

    def end(self, bot_id: str, deleted_at: datetime) -> list[str]:
        """End what can be ended; the platforms that are to be tried again."""
        platforms = [stored.platform for stored in self.credentials.of_bot(bot_id)]
        is_patient = self.now() - deleted_at < PATIENCE
        waiting = [each for each in platforms if not self._is_left(bot_id, each) and is_patient]
        for platform in platforms:
            if platform not in waiting:
                self.credentials.delete(bot_id, platform)
        return waiting

    def require_ended(self, bot_id: str, waiting: list[str]) -> None:
        """Raises `Wait` where some are to be tried again."""
        if waiting:
            logger.warning("a webhook is still to be removed", extra={"bot_id": bot_id, "platforms": waiting})
            raise Wait(WAIT_SECONDS, "a messenger does not answer")

    def _is_left(self, bot_id: str, platform: str) -> bool:
        """Whether trying again would change nothing."""
        credential = self.credentials.reveal_of_any(bot_id, platform)
        if credential is None:
            return True
        failure = self.registrar.disconnect(credential).failure
        return failure is None or failure.reading.answered is not Answered.LATER
