"""The scenarios that a document calls: those of the same bot, the latest revision of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Invalid, NotFound
from shared.scenario.document import read
from shared.storage.bots import Bot
from shared.storage.scenarios import DynamoScenarios, Revision

MAX_CALLED = 50
MAX_STEPS_CALLED = 2000
"""Scenarios that are read for one, and steps in them; those beyond are taken not to exist.

All are linted with each answer that shows the one.
"""


@dataclass(frozen=True, slots=True)
class Called:
    """What is called, directly or by what is called, by id."""

    revisions: Mapping[str, Revision] = field(default_factory=dict)

    @property
    def documents(self) -> dict[str, dict[str, Any]]:
        return {scenario_id: revision.document for scenario_id, revision in self.revisions.items()}

    @property
    def numbers(self) -> dict[str, int]:
        """The revision of each, for an activation to lock."""
        return {scenario_id: revision.revision for scenario_id, revision in self.revisions.items()}


def called_by(document: Mapping[str, Any], bot: Bot, scenarios: DynamoScenarios) -> Called:
    """Read what is there of all that the document calls; another bot's scenario is not there."""
    found: dict[str, Revision] = {}
    waiting, seen, room = deque(ids_called_in(document)), set[str](), MAX_STEPS_CALLED
    while waiting and len(seen) < MAX_CALLED and room > 0:
        scenario_id = waiting.popleft()
        if scenario_id in seen:
            continue
        seen.add(scenario_id)
        if revision := _latest(scenario_id, bot, scenarios):
            found[scenario_id] = revision
            room -= len(revision.document["steps"])
            waiting.extend(ids_called_in(revision.document))
    return Called(found)


def ids_called_in(document: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the scenarios that its own steps call."""
    return (step["scenario"]["id"].lower() for step in document["steps"] if step.get("scenario"))


def _latest(scenario_id: str, bot: Bot, scenarios: DynamoScenarios) -> Revision | None:
    """The latest revision, if it is the bot's and still in the form that the language has now."""
    try:
        head = scenarios.get(scenario_id)
        if head.bot_id != bot.id:
            return None
        revision = scenarios.revision(scenario_id, head.latest_revision)
        read(revision.document)
    except (NotFound, Invalid):
        return None
    return revision
