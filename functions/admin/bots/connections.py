"""The webhooks of a bot that is switched off or on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.connecting.performing import late_after
from shared.connecting.registrar import REMOVED, Registrar
from shared.credential import Credential
from shared.storage.bots import Bot
from shared.storage.credentials import DynamoCredentials, StoredCredential


@dataclass(frozen=True, slots=True)
class Connections:
    """Tells the messengers, as far as they can be reached; what came of it is in each `health`."""

    credentials: DynamoCredentials
    registrar: Registrar

    def follow(self, before: Bot, after: Bot, base_url: Callable[[], str]) -> None:
        """Tell what has changed; `base_url` is the API's address, asked for where it is needed."""
        if before.is_active and not after.is_active:
            self._switch_off(after.id)
        elif after.is_active and not before.is_active:
            self._switch_on(after.id, base_url)

    def _switch_off(self, bot_id: str) -> None:
        """Have no messenger call the bot's webhooks any more."""
        is_late = late_after()
        for credential in self._revealed(bot_id, lambda stored: stored.is_active):
            self.registrar.disconnect(credential, is_late)

    def _switch_on(self, bot_id: str, base_url: Callable[[], str]) -> None:
        """Connect what was disconnected when the bot was switched off; the rest waits to be asked for."""
        is_late = late_after()
        for credential in self._revealed(bot_id, _was_removed):
            self.registrar.connect(credential, base_url(), is_late=is_late)

    def _revealed(self, bot_id: str, is_meant: Callable[[StoredCredential], bool]) -> Iterator[Credential]:
        for stored in filter(is_meant, self.credentials.of_bot(bot_id)):
            credential = self.credentials.reveal(bot_id, stored.platform)
            if credential is not None:
                yield credential


def _was_removed(stored: StoredCredential) -> bool:
    return stored.is_active and stored.health.get("webhook_url") == REMOVED
