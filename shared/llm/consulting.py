"""Asking a bot's model within its budget: every call is counted, and an answer may be put right once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

import msgspec

from shared.errors import TaskFailed
from shared.llm.answers import KnownAnswer
from shared.llm.base import AnswerLost, Completion, Form, Provider, Question, Said
from shared.llm.expected import Unfit
from shared.llm.settings import ModelSettings
from shared.llm.tokens import tokens_of
from shared.llm.usage import Usage
from shared.observability import logger
from shared.tasks.performing import Attempt
from shared.tasks.retrying import TryAgain, retried

MAX_QUOTED = 8_000
"""Characters of an answer that does not fit, as it is shown to the model again."""

MAX_KB = 200
"""Of an answer as JSON: what comes of it has to find room in a dialog, and where answers are kept."""

_STOPPED = {
    "too_long": "The model's answer is longer than max_tokens allows.",
    "filtered": "The content filter of the model's provider held the answer back.",
    "refused": "The model refused to answer.",
}

Read = Callable[[str], dict[str, Any]]


class UsageStore(Protocol):
    """What models cost a bot, by the day; `shared.storage.usage` has it."""

    def add(self, bot_id: str, used: Usage) -> Usage:
        """Count it to today."""
        ...

    def of_day(self, bot_id: str, day: date) -> Usage:
        """What the day has come to by now."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Where bots consult their models. `provider_of` speaks for a bot with these settings."""

    settings_of: Callable[[str], ModelSettings | None]
    provider_of: Callable[[ModelSettings], Provider]
    usage: UsageStore
    today: Callable[[], date]
    sleep: Callable[[float], None]

    def consultation(self, bot_id: str, attempt: Attempt) -> Consultation:
        """Raises `TaskFailed` for a bot that has no model."""
        settings = self.settings_of(bot_id)
        if settings is None:
            raise TaskFailed("The bot has no language model; its settings are at …/llm.")
        return Consultation(self, bot_id, settings, attempt)


class Consultation:
    """All that is asked for one task. `used` is what it has cost so far, `model` who was asked last."""

    def __init__(self, desk: Desk, bot_id: str, settings: ModelSettings, attempt: Attempt) -> None:
        self.settings = settings
        self.used = Usage()
        self.model = settings.model
        self._desk = desk
        self._bot_id = bot_id
        self._attempt = attempt
        self._provider = desk.provider_of(settings)

    def answer(self, question: Question, read: Read) -> dict[str, Any]:
        """What `read` makes of the answer, or of a second one if it raises `Unfit`. Raises `TaskFailed`."""
        words = self._asked(question)
        try:
            return read(words)
        except Unfit as unfit:
            return self._repaired(question, words, unfit, read)

    def bill(self, *, cached: bool = False) -> dict[str, Any]:
        """What the result tells of the costs."""
        return {
            "model": self.model,
            "prompt_tokens": self.used.prompt_tokens,
            "completion_tokens": self.used.completion_tokens,
            "cached": cached,
        }

    def give_again(self, known: KnownAnswer) -> dict[str, Any]:
        """The result that was known already, and what it costs now; what it has saved is counted."""
        self.model = known.model
        self._desk.usage.add(self._bot_id, Usage(cache_hits=1, saved_tokens=known.tokens))
        return known.result | {"usage": self.bill(cached=True)}

    def _repaired(self, question: Question, words: str, unfit: Unfit, read: Read) -> dict[str, Any]:
        try:
            return read(self._asked(_again(question, words, unfit)))
        except Unfit as still:
            raise self._failed(f"The model's answer does not fit: {still}.") from None

    def _asked(self, question: Question) -> str:
        try:
            completion = retried(lambda: self._call(question), self._attempt, sleep=self._desk.sleep)
        except TaskFailed as failed:
            self._log(str(failed))
            raise self._failed(str(failed)) from None
        if completion.end != "done":
            raise self._failed(_STOPPED[completion.end])
        if len(msgspec.json.encode(completion.words)) > MAX_KB * 1000:
            raise self._failed(f"The model's answer is larger than {MAX_KB} KB.")
        return completion.words

    def _log(self, reason: str) -> None:
        about = {"bot_id": self._bot_id, "provider": self.settings.provider, "model": self.model}
        logger.warning("a model gave no answer", extra={**about, "reason": reason})

    def _failed(self, reason: str) -> TaskFailed:
        return TaskFailed(reason, {"usage": self.bill()} if self.used.calls else {})

    def _call(self, question: Question) -> Completion:
        self._require_budget(question)
        self.model = question.model
        try:
            completion = self._provider.ask(question, self._attempt.seconds_left)
        except AnswerLost:
            self._count(prompt_tokens=tokens_of(question.messages))
            raise
        except (TryAgain, TaskFailed):
            self._count()
            raise
        self.model = completion.model
        self._count(completion.prompt_tokens, completion.completion_tokens)
        return completion

    def _require_budget(self, question: Question) -> None:
        """Before a call, with what its question will take; others of the bot's may be under way."""
        today = self._desk.usage.of_day(self._bot_id, self._desk.today())
        budget = self.settings.max_tokens_per_day
        if today.tokens + tokens_of(question.messages) > budget:
            raise TaskFailed(f"The bot's budget for today ({budget} tokens) is used up.")

    def _count(self, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        used = Usage(calls=1, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        self.used += used
        self._desk.usage.add(self._bot_id, used)


def _again(question: Question, words: str, unfit: Unfit) -> Question:
    """The question with the answer that did not fit, and what was wrong with it."""
    answered = Said("assistant", words[:MAX_QUOTED] or "…")
    wrong = Said("user", f"Your answer does not fit: {unfit}. {_only(question.form)}")
    return replace(question, messages=(*question.messages, answered, wrong))


def _only(form: Form | None) -> str:
    if form is None:
        return "Answer again."
    return f"Answer again with nothing but JSON that fits this schema: {json.dumps(form.schema)}"
