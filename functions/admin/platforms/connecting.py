"""Connecting a bot to a messenger on behalf of the API, and what its caller is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from shared.admin_api.problems import Problem, ProblemError
from shared.connecting.base import Answered
from shared.connecting.performing import Report, Taken, told_of
from shared.connecting.refreshing import active_menus
from shared.connecting.registrar import Registrar
from shared.credential import Credential
from shared.errors import Conflict, Invalid, NotFound, Violation
from shared.storage.bots import Bot
from shared.storage.credentials import DynamoCredentials, StoredCredential
from shared.storage.scenarios import DynamoScenarios

NAMES = {"telegram": "Telegram", "whatsapp": "WhatsApp", "viber": "Viber", "webchat": "The web chat"}

TRY_AGAIN_SECONDS = 30

_BOT_OFF = "The bot is switched off. Activate it first."
_CONNECTION_OFF = "The connection is switched off. PUT it with is_active first."


@dataclass(frozen=True, slots=True)
class Connections:
    """Connects what the API names, and disconnects what it deletes."""

    credentials: DynamoCredentials
    scenarios: DynamoScenarios
    registrar: Registrar

    def connect(self, bot: Bot, platform: str, base_url: str) -> tuple[Report, dict[str, Any]]:
        """Raises `Conflict` for what is switched off, and for what the messenger says: see `require_done`."""
        credential = self.credentials.reveal(bot.id, platform)
        if credential is None:
            raise NotFound("platform")
        if not credential.is_active:
            raise Conflict(_CONNECTION_OFF if bot.is_active else _BOT_OFF)
        report, health = self.registrar.connect(credential, base_url, active_menus(bot, self.scenarios))
        require_done(report, platform)
        return report, health

    def delete(self, stored: StoredCredential) -> None:
        """Delete the credential. The messenger hears of it first, for afterwards nobody could tell it, and
        another bot may have the account. That it should heed is no condition.
        """
        credential = self.credentials.reveal(stored.bot_id, stored.platform)
        if credential is not None:
            self.leave(credential)
        self.credentials.delete(stored.bot_id, stored.platform)

    def leave(self, credential: Credential) -> None:
        """Have a messenger call the bot no more by an account that it does not have now."""
        self.registrar.disconnect(credential)


def require_done(report: Report, platform: str) -> None:
    """Tell whoever asked what the messenger refuses: a field of the credential, or the webhook.

    Raises `Invalid`, `Conflict`, and a 503 where trying again may help.
    """
    failed = report.failure
    if failed is None:
        return
    words = f"{NAMES[platform]} does not do as asked: {told_of(failed)['detail']}."
    if failed.reading.answered is Answered.LATER:
        raise ProblemError(Problem("unavailable", words, headers=_retry_after(failed)))
    if not failed.step.proof:
        raise Conflict(words)
    raise Invalid(words, [Violation(f"/credentials/{failed.step.proof}", words, "refused_by_messenger")])


def _retry_after(failed: Taken) -> dict[str, str]:
    return {"Retry-After": str(ceil(failed.reading.retry_after_seconds or TRY_AGAIN_SECONDS))}
