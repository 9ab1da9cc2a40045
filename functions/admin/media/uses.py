"""Where an active scenario shows a file."""

from __future__ import annotations

from collections.abc import Iterator

from shared.errors import NotFound
from shared.scenario.linting.steps import files_of
from shared.storage.bots import Bot, pointer_of
from shared.storage.scenarios import DynamoScenarios


def steps_that_show(media_id: str, bot: Bot, scenarios: DynamoScenarios) -> list[tuple[str, str]]:
    """The steps of the active revision, and of those that it has locked: scenario's id, step's id."""
    return list(dict.fromkeys(_steps(media_id, bot, scenarios)))


def _steps(media_id: str, bot: Bot, scenarios: DynamoScenarios) -> Iterator[tuple[str, str]]:
    active = pointer_of(bot)
    if active is None:
        return
    for scenario_id, revision in {**active.called, active.scenario_id: active.revision}.items():
        try:
            document = scenarios.document(scenario_id, revision)
        except NotFound:
            continue
        for pointer, media in files_of(document):
            if media["media_id"].lower() == media_id:
                yield scenario_id, document["steps"][int(pointer.split("/")[2])]["id"]
