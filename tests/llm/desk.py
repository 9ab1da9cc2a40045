"""A desk where one bot consults the stand-in's models, and the tasks that it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.dialog.history import HistoryEntry
from shared.dialog.state import Task, TaskKind
from shared.guard import Guard
from shared.llm.asking import Asker
from shared.llm.consulting import Desk
from shared.llm.openai_provider import OpenAiProvider
from shared.llm.settings import ModelSettings
from shared.llm.understanding import Understander
from shared.llm.usage import Usage
from shared.queueing.envelopes import TaskEnvelope
from shared.storage.memory import MemoryModelAnswers, MemoryUsage
from shared.tasks.performing import Attempt
from tests.standins.openai import KEY, OpenAiStandIn

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = "b0000000-0000-4000-8000-000000000001"
DIALOG = "d0000000-0000-4000-8000-000000000001"


def a_task(kind: TaskKind, request: dict[str, Any], bot_id: str = BOT) -> TaskEnvelope:
    return TaskEnvelope(
        dialog_id=DIALOG,
        epoch="e1",
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id="1",
        task=Task(7, kind, request, 20),
        trace_id="t",
    )


@dataclass
class Consulted:
    """The desk, with what it keeps in memory. `waits` are the pauses that were made between tries."""

    server: OpenAiStandIn
    settings: dict[str, Any] = field(default_factory=dict)
    usage: MemoryUsage = field(default_factory=lambda: MemoryUsage(lambda: NOON))
    answers: MemoryModelAnswers = field(default_factory=lambda: MemoryModelAnswers(lambda: NOON))
    said: list[HistoryEntry] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    seconds: float = 20.0
    has_model: bool = True

    @property
    def used(self) -> Usage:
        return self.usage.of_day(BOT, NOON.date())

    def ask(self, bot_id: str = BOT, **request: Any) -> dict[str, Any]:
        """The result of an llm task. Raises `TaskFailed`."""
        asked = {"prompt": "How is it?", "output": "text", "history": 0, **request}
        asker = Asker(self._desk(), lambda *_: self.said, self.answers)
        return asker.answer(a_task("llm", asked, bot_id), self._attempt())

    def understand(self, **request: Any) -> dict[str, Any]:
        """The result of an understand task. Raises `TaskFailed`."""
        return Understander(self._desk()).answer(a_task("understand", request), self._attempt())

    def _desk(self) -> Desk:
        guard = Guard(self.server.url.removeprefix("http://"))
        return Desk(
            settings_of=lambda bot_id: self._settings(),
            provider_of=partial(OpenAiProvider, guard=guard),
            usage=self.usage,
            today=NOON.date,
            sleep=self.waits.append,
        )

    def _settings(self) -> ModelSettings | None:
        if not self.has_model:
            return None
        known = {"provider": "openai", "model": "gpt-test", "api_key": KEY, "base_url": self.server.base_url}
        return ModelSettings(**(known | self.settings))

    def _attempt(self) -> Attempt:
        return Attempt(1, lambda: self.seconds - sum(self.waits))
