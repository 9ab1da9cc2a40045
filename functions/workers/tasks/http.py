"""The http steps of scenarios: their collaborators."""

from __future__ import annotations

from functools import partial

from functions.workers.tasks.collaborators import Collaborators
from shared.http_steps.performing import HttpSteps
from shared.storage.bot_settings import VALUE, RevealedSettings, name_of_secret
from shared.storage.read_cache import ReadCache
from shared.tasks.performing import Job


def http_job(collaborators: Collaborators) -> Job:
    """The row for `http`."""
    secret_of = partial(_secret, collaborators.bot_settings)
    return Job(HttpSteps(collaborators.outbound, collaborators.guard, secret_of).perform)


def _secret(settings: ReadCache[RevealedSettings], bot_id: str, name: str) -> str | None:
    found = settings.get(bot_id, name_of_secret(name))
    return found.secrets[VALUE] if found else None
