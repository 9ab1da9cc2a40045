"""The records of people that scenarios read: the collaborators."""

from __future__ import annotations

from functools import partial

from functions.workers.tasks.collaborators import Collaborators
from shared.backend.contacts.by_postgrest import PostgRestRecords
from shared.backend.contacts.looking_up import Contacts, Records
from shared.backend.postgrest import PostgRest
from shared.backend.sync.settings import PostgresSink, Sink, SupabaseSink, SyncSettings, settings_of
from shared.errors import TaskFailed
from shared.storage.bot_settings import SYNC, RevealedSettings
from shared.storage.read_cache import ReadCache
from shared.tasks.performing import Job


def contact_job(collaborators: Collaborators) -> Job:
    """The row for `contact`."""
    sync_of = partial(_sync, collaborators.bot_settings)
    return Job(Contacts(sync_of, partial(_records, collaborators)).perform)


def _sync(settings: ReadCache[RevealedSettings], bot_id: str) -> SyncSettings | None:
    found = settings.get(bot_id, SYNC)
    return settings_of(found.public, found.secrets) if found else None


def _records(collaborators: Collaborators, sink: Sink) -> Records:
    if isinstance(sink, SupabaseSink):
        return PostgRestRecords(PostgRest(collaborators.outbound, sink.url, sink.service_key))
    if isinstance(sink, PostgresSink):
        from shared.backend.contacts.by_postgresql import PostgresRecords  # noqa: PLC0415 (psycopg)

        return PostgresRecords(sink, collaborators.guard)
    raise TaskFailed("the main system is a webhook, which cannot be asked for a person's record")
