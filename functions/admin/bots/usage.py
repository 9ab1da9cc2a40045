"""The route of what language models cost a bot."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

from functions.admin.bots.settings import ReadableBot, Settings
from shared.admin_api.collaborators import collaborator
from shared.admin_api.fields import Moment, View
from shared.admin_api.json_route import JsonRoute
from shared.errors import Invalid, Violation
from shared.llm.settings import MAX_TOKENS_PER_DAY
from shared.llm.usage import Usage
from shared.storage.bot_settings import LLM, StoredSettings
from shared.storage.clock import utc_now
from shared.storage.usage import KEPT, DynamoUsage

DAYS_SHOWN: Final = 30
"""Up to today, where nobody says which."""

router = APIRouter(route_class=JsonRoute)

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NO_DAY: Final = "a day is written 2026-11-23, a moment with its zone: 2026-11-23T00:00:00Z"

_usage_of: Callable[[Request], DynamoUsage] = collaborator("usage")


def _day(given: Any, read: ValidatorFunctionWrapHandler) -> dt.date:
    """A day is written 2026-11-23; a moment stands for the day in UTC that it is in."""
    with suppress(ValueError, OverflowError):
        if isinstance(given, str) and _DAY.fullmatch(given):
            return dt.date.fromisoformat(given)
        moment: dt.datetime = read(given)
        return moment.date()
    raise ValueError(_NO_DAY)


Day = Annotated[Moment, WrapValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Counters(View):
    """Calls and tokens that were paid for, and what the cache of answers has saved."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cache_hits: int
    saved_tokens: int


class DayView(Counters):
    """A day in UTC."""

    day: dt.date


class BudgetView(View):
    """The tokens of today in UTC, in and out together."""

    day: dt.date
    max_tokens: int
    used: int
    left: int

    @classmethod
    def of(cls, stored: StoredSettings, day: dt.date, used: Usage) -> Self:
        most = int(stored.public.get("max_tokens_per_day", MAX_TOKENS_PER_DAY))
        return cls(day=day, max_tokens=most, used=used.tokens, left=max(most - used.tokens, 0))


class UsageView(View):
    """From one day to the other, both of them too; days on which nothing happened are left out."""

    since: dt.date
    until: dt.date
    days: list[DayView]
    total: Counters
    budget: BudgetView | None


@router.get("/api/bots/{bot_id}/usage")
def read_usage(
    bot: ReadableBot,
    settings: Settings,
    usage: Annotated[DynamoUsage, Depends(_usage_of)],
    since: Annotated[Day | None, Query(description="The first day, in UTC.")] = None,
    until: Annotated[Day | None, Query(description="The last day, in UTC.")] = None,
) -> UsageView:
    """What its language model cost the bot. `budget` is today's, and null for a bot without a model."""
    today = utc_now().date()
    last = until or today
    first = since or max(last, dt.date.min + timedelta(DAYS_SHOWN)) - timedelta(DAYS_SHOWN - 1)
    _require_kept(first, last)
    days = usage.days(bot.id, first, last)
    return UsageView(
        since=first,
        until=last,
        days=[DayView(day=day, **asdict(used)) for day, used in days.items()],
        total=Counters.model_validate(sum(days.values(), Usage())),
        budget=_budget(settings.find(bot.id, LLM), today, usage),
    )


def _budget(model: StoredSettings | None, today: dt.date, usage: DynamoUsage) -> BudgetView | None:
    return None if model is None else BudgetView.of(model, today, usage.of_day(model.bot_id, today))


def _require_kept(first: dt.date, last: dt.date) -> None:
    """Raises `Invalid` for more days than are kept at all."""
    if last - first > KEPT:
        words = f"In the query: at most {KEPT.days} days can be asked for at once."
        raise Invalid("These are too many days.", [Violation("/since", words)])
