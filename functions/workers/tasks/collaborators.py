"""What several kinds of work have in common, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from shared import aws
from shared.deletion.fence import Fence
from shared.guard import Guard
from shared.media.store import media_store
from shared.platforms import adapter_for
from shared.settings import MediaSettings, TasksSettings
from shared.storage.bot_settings import DynamoBotSettings, RevealedSettings
from shared.storage.bots import DynamoBots
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.read_cache import ReadCache
from shared.storage.sealing import KmsSealer
from shared.tasks.typing import Typing

if TYPE_CHECKING:
    from shared.delivery.transport import HttpTransport
    from shared.outbound_http import OutboundHttp
    from shared.platforms.base import PlatformAdapter, Request
    from shared.queueing.envelopes import TaskEnvelope

CARRYING_SECONDS = 40.0
"""For an answer to begin: a messenger may look at a large file for a while."""


class Collaborators:
    """Of a process: the first piece of work waits for none that only others need."""

    def __init__(self, settings: TasksSettings) -> None:
        self.settings = settings

    @cached_property
    def stored_credentials(self) -> DynamoCredentials:
        return DynamoCredentials(aws.client("kms"))

    @cached_property
    def credentials(self) -> CredentialCache:
        return CredentialCache(self.stored_credentials.reveal)

    @cached_property
    def bot_settings(self) -> ReadCache[RevealedSettings]:
        """Models, syncs and secrets of bots, in the clear for as long as they are kept."""
        sealer = KmsSealer(lambda: aws.client("kms"), self.settings.settings_key_id)
        return ReadCache(DynamoBotSettings(sealer).reveal)

    @cached_property
    def guard(self) -> Guard:
        """What addresses that tenants name may lead to."""
        return Guard(self.settings.private_hosts)

    @cached_property
    def outbound(self) -> OutboundHttp:
        """The client for such addresses."""
        from shared.outbound_http import OutboundHttp  # noqa: PLC0415 (most work needs no HTTP)

        return OutboundHttp(self.guard)

    @cached_property
    def fence(self) -> Fence:
        return Fence(self.credentials.get, DynamoBots(), DynamoDialogs())

    @cached_property
    def transport(self) -> HttpTransport:
        """An HTTP client towards messengers that takes files along."""
        from shared.delivery.transport import HttpTransport  # noqa: PLC0415 (most work needs no messenger)

        return HttpTransport(CARRYING_SECONDS, store=media_store(MediaSettings.from_environment()))

    def is_unwanted(self, work: TaskEnvelope) -> bool:
        """See `Fence`."""
        return self.fence.is_unwanted(work)

    def is_awaited(self, work: TaskEnvelope) -> bool:
        """See `Fence`."""
        return self.fence.is_awaited(work)

    @cached_property
    def adapter_of(self) -> Callable[[str], PlatformAdapter]:
        return cache(partial(adapter_for, addresses=self.settings))

    def typing_for(self, work: TaskEnvelope) -> AbstractContextManager[None]:
        """See `Typing`."""
        return Typing(self.credentials.get, self.adapter_of, self._hint).shown(work)

    def _hint(self, request: Request) -> None:
        self.transport.hint(request)

    def close(self) -> None:
        if "transport" in vars(self):
            self.transport.close()
