"""Why a scenario cannot be deleted: new runs of its bot need it."""

from __future__ import annotations

from shared.errors import NotFound
from shared.storage.bots import Bot
from shared.storage.scenarios import DynamoScenarios, Scenario


def why_needed(head: Scenario, bot: Bot, scenarios: DynamoScenarios) -> str:
    """What is to be done first, by the bot as it is now."""
    if bot.active_scenario_id == head.id:
        return "This is the bot's active scenario. Activate another one first."
    name = _name_of(bot.active_scenario_id or "", scenarios)
    return f"The bot's active scenario {name} calls this one. Activate one that does not first."


def _name_of(scenario_id: str, scenarios: DynamoScenarios) -> str:
    try:
        return f"“{scenarios.get(scenario_id).name}” ({scenario_id})"
    except NotFound:
        return scenario_id
