"""Credentials in memory, so that the warm path of a webhook or a send reads none."""

from __future__ import annotations

from shared.credential import Credential
from shared.storage.read_cache import ReadCache


class CredentialCache(ReadCache[Credential]):
    """Credentials by bot and platform. That one is switched off is kept as briefly as that there is none:
    what comes meanwhile is dropped, also just after somebody switches it on.

    `load` is `DynamoCredentials.reveal` or the like.
    """

    def _lifetime(self, value: Credential) -> float:
        return self._seconds if value.is_active else self._unknown_seconds
