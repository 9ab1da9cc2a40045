"""Connects credentials to their messengers, and keeps how that went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from shared.connecting import connector_for
from shared.connecting.caller import Caller, call_by_http
from shared.connecting.menus import Menus
from shared.connecting.performing import Report, late_after, perform
from shared.credential import Credential
from shared.errors import NotFound
from shared.observability import logger

REMOVED = ""
"""The `webhook_url` of what was to be disconnected and may be connected again; what never was has none."""


def _now() -> datetime:
    return datetime.now(UTC)


class HealthRecords(Protocol):
    def record_health(self, bot_id: str, platform: str, health: Mapping[str, Any]) -> None:
        """Raises `NotFound`."""
        ...


def webhook_url(base_url: str, platform: str, bot_id: str) -> str:
    """The address of a bot's webhook under that of the API."""
    return f"{base_url.rstrip('/')}/api/webhook/{platform}/{bot_id}"


@dataclass(frozen=True, slots=True)
class Registrar:
    """`addresses` are those of the messengers, as for `connector_for`."""

    addresses: object
    records: HealthRecords
    caller: Caller = call_by_http
    now: Callable[[], datetime] = _now

    def connect(
        self,
        credential: Credential,
        base_url: str,
        menus: Menus | None = None,
        is_late: Callable[[], bool] | None = None,
    ) -> tuple[Report, dict[str, Any]]:
        """What came of it, and the health that was recorded; None leaves the menus as they are."""
        url = webhook_url(base_url, credential.platform, credential.bot_id)
        connector = connector_for(credential.platform, self.addresses)
        steps = connector.connecting(credential, url, menus)
        report = perform(connector, steps, self.caller, is_late or late_after())
        return report, self._record(credential, report, report.health(self.now(), url))

    def disconnect(self, credential: Credential, is_late: Callable[[], bool] | None = None) -> Report:
        """Have the messenger call nothing any more. Whatever comes of it is recorded, and nothing raised.

        Where an answer was lost the webhook may be gone as well, so that is recorded in any case.
        """
        connector = connector_for(credential.platform, self.addresses)
        steps = connector.disconnecting(credential)
        report = perform(connector, steps, self.caller, is_late or late_after())
        self._record(credential, report, {**report.health(self.now(), REMOVED), "webhook_url": REMOVED})
        return report

    def _record(self, credential: Credential, report: Report, health: dict[str, Any]) -> dict[str, Any]:
        about = {"bot_id": credential.bot_id, "platform": credential.platform}
        if report.failure:
            logger.warning("a messenger did not do as asked", extra={**about, "detail": health["detail"]})
        try:
            self.records.record_health(**about, health=health)
        except NotFound:
            logger.info("the credential is gone", extra=about)
        return health
