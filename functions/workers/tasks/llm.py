"""What language models do for dialogs: their collaborators."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache, lru_cache, partial

import msgspec

from functions.workers.tasks.collaborators import Collaborators
from shared.llm.asking import Asker
from shared.llm.consulting import Desk
from shared.llm.openai_provider import OpenAiProvider
from shared.llm.settings import ModelSettings
from shared.llm.understanding import Understander
from shared.storage.bot_settings import LLM
from shared.storage.history import DynamoHistory
from shared.storage.model_answers import DynamoModelAnswers
from shared.storage.usage import DynamoUsage
from shared.tasks.performing import Job

PROVIDERS = 32
"""How many bots' connections to their models a process remembers."""


def llm_job(collaborators: Collaborators) -> Job:
    """The row for `llm`."""
    last = partial(DynamoHistory().after, key="", newest_first=True)
    asker = Asker(
        _desk(collaborators),
        history=lambda dialog_id, epoch, most: last(dialog_id, epoch, limit=most),
        answers=DynamoModelAnswers(),
    )
    return Job(asker.answer)


def understand_job(collaborators: Collaborators) -> Job:
    """The row for `understand`."""
    return Job(Understander(_desk(collaborators)).answer)


@cache
def _desk(collaborators: Collaborators) -> Desk:
    return Desk(
        settings_of=partial(_settings_of, collaborators),
        provider_of=lru_cache(PROVIDERS)(partial(OpenAiProvider, guard=collaborators.guard)),
        usage=DynamoUsage(),
        today=lambda: datetime.now(UTC).date(),
        sleep=time.sleep,
    )


def _settings_of(collaborators: Collaborators, bot_id: str) -> ModelSettings | None:
    found = collaborators.bot_settings.get(bot_id, LLM)
    return msgspec.convert({**found.public, **found.secrets}, ModelSettings) if found else None
