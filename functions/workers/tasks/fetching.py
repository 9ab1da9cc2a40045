"""Bringing in what people send: its collaborators."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from functions.workers.tasks.collaborators import Collaborators
from shared.media.fetching import Fetcher
from shared.media.sources import sources_of
from shared.media.store import media_store
from shared.settings import MediaSettings
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.media import DynamoMedia
from shared.tasks.performing import Job


def fetch_job(collaborators: Collaborators) -> Job:
    """The row for `fetch`."""
    bots, credentials = DynamoBots(), collaborators.credentials
    fetcher = Fetcher(
        media=DynamoMedia(),
        store=media_store(MediaSettings.from_environment()),
        http=collaborators.outbound,
        sources=sources_of(collaborators.settings),
        credential_of=credentials.get,
        fresh_credential_of=credentials.refresh,
        epoch_of=DynamoDialogs().epoch_of,
        has_bot=lambda bot_id: bots.is_active(bot_id) is not None,
        now=partial(datetime.now, UTC),
    )
    return Job(fetcher.fetch, fetcher.give_up)
