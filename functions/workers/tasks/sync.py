"""Runs that go to accounts' main systems: the collaborators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from shared import aws
from shared.backend.sync.base import MainSystem
from shared.backend.sync.checking import Checking
from shared.backend.sync.delivering import Syncing
from shared.backend.sync.settings import (
    CurrentSync,
    PostgresSink,
    SupabaseSink,
    SyncSettings,
    WebhookSink,
    settings_of,
)
from shared.errors import NotFound
from shared.queueing.envelopes import SyncCheckEnvelope
from shared.scenario.columns import types_of
from shared.storage.bot_settings import SYNC, DynamoBotSettings
from shared.storage.bots import DynamoBots
from shared.storage.holds import DynamoHolds
from shared.storage.refusals import DynamoRefusals
from shared.storage.scenarios import DynamoScenarios
from shared.storage.sealing import KmsSealer
from shared.storage.sync_marks import DynamoSyncMarks
from shared.tasks.performing import Job

if TYPE_CHECKING:
    from functions.workers.tasks.collaborators import Collaborators


def sync_job(collaborators: Collaborators) -> Job:
    """The row for `sync`: a step waits for it."""
    return Job(_syncing(collaborators).perform_step)


def sync_run_job(collaborators: Collaborators) -> Job:
    """The row for `sync_run`: a run has ended."""
    syncing = _syncing(collaborators)
    return Job(syncing.perform_run, syncing.give_up)


def sync_redrive_job(collaborators: Collaborators) -> Job:
    """The row for `sync_redrive`."""
    return Job(_syncing(collaborators).redrive)


def sync_check_job(collaborators: Collaborators) -> Job:
    """The row for `sync_check`."""
    settings = DynamoBotSettings(_sealer(collaborators))
    checking = Checking(
        sync_of=partial(_current, settings),
        variables_of=_variables_of,
        system_of=partial(_system_of, collaborators),
        found=partial(_record, settings),
        now=partial(datetime.now, UTC),
    )
    return Job(checking.perform, partial(_tell_of_fault, settings))


def _syncing(collaborators: Collaborators) -> Syncing:
    settings = DynamoBotSettings(_sealer(collaborators))
    return Syncing(
        sync_of=partial(_current, settings),
        system_of=partial(_system_of, collaborators),
        marks=DynamoSyncMarks(),
        refusals=DynamoRefusals(_sealer(collaborators)),
        now=partial(datetime.now, UTC),
        is_gone=collaborators.is_unwanted,
        found=partial(_record, settings),
        holds=DynamoHolds(),
    )


def _sealer(collaborators: Collaborators) -> KmsSealer:
    return KmsSealer(lambda: aws.client("kms"), collaborators.settings.settings_key_id)


def _current(settings: DynamoBotSettings, bot_id: str) -> CurrentSync | None:
    """The sync as it is now, not as it is remembered: what it was a moment ago would refuse runs that fit,
    bring them where nobody looks for them, or drop them.
    """
    revealed = settings.reveal(bot_id, SYNC)
    if revealed is None:
        return None
    return CurrentSync(settings_of(revealed.public, revealed.secrets), revealed.updated_at)


def _record(settings: DynamoBotSettings, bot_id: str, sync: CurrentSync, health: Mapping[str, Any]) -> None:
    settings.record_health(bot_id, SYNC, health, met=sync.version)


def _tell_of_fault(settings: DynamoBotSettings, work: SyncCheckEnvelope, reason: str) -> None:
    """That nobody waits for a look that was given up."""
    if stored := settings.find(work.bot_id, SYNC):
        health = {"status": "failed", "checked_at": datetime.now(UTC), "problems": [reason]}
        settings.record_health(work.bot_id, SYNC, health, met=stored.updated_at)


def _variables_of(bot_id: str) -> dict[str, str] | None:
    """The types of the active scenario's variables; None before the first activation."""
    try:
        active = DynamoBots().active_scenario(bot_id)
        document = active and DynamoScenarios().document(active.scenario_id, active.revision)
    except NotFound:
        return None
    return types_of(document) if document else None


def _system_of(collaborators: Collaborators, settings: SyncSettings) -> MainSystem:
    match settings.sink:
        case PostgresSink() as sink:
            from shared.backend.sync.postgresql import PostgresSystem  # noqa: PLC0415 (its driver is dear)

            return PostgresSystem(sink, collaborators.guard, settings.mapping.get("run.started_at"))
        case SupabaseSink() as sink:
            from shared.backend.postgrest import PostgRest  # noqa: PLC0415 (as above: only who needs it)
            from shared.backend.sync.supabase import SupabaseSystem  # noqa: PLC0415

            return SupabaseSystem(sink, PostgRest(collaborators.outbound, sink.url, sink.service_key))
        case WebhookSink() as sink:
            from shared.backend.sync.webhook import WebhookSystem  # noqa: PLC0415

            return WebhookSystem(sink, collaborators.outbound)
