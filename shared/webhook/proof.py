"""Whose call it is, and whether it comes from who it says."""

from __future__ import annotations

from typing import Protocol

from shared.credential import Credential
from shared.errors import NotFound, Unauthenticated
from shared.observability import count
from shared.platforms.base import PlatformAdapter
from shared.webhook.gateway import Call


class Credentials(Protocol):
    """Credentials by bot and platform, cached (`shared.storage.credential_cache`)."""

    def get(self, bot_id: str, platform: str) -> Credential | None: ...

    def refresh(self, bot_id: str, platform: str) -> Credential | None:
        """Read afresh, unless that was done a moment ago: then what is cached."""
        ...


def known(credentials: Credentials, bot_id: str, platform: str) -> Credential:
    """The bot's credential on the platform. Raises `NotFound`."""
    credential = credentials.get(bot_id, platform)
    if credential is None:
        raise NotFound("bot")
    return credential


def prove(
    adapter: PlatformAdapter, credentials: Credentials, call: Call, credential: Credential
) -> Credential:
    """The credential that the call proves; a secret changed a moment ago is read afresh once.

    Raises `Unauthenticated`.
    """
    if adapter.verify(call.request, credential):
        return credential
    fresh = credentials.refresh(call.bot_id, adapter.platform)
    if fresh is not None and adapter.verify(call.request, fresh):
        return fresh
    count("forged_calls", platform=adapter.platform, bot_id=call.bot_id)
    raise Unauthenticated("the call does not prove where it comes from")
