"""The demo account: one bot that runs the onboarding scenario in the web chat."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local.admin_api import DEMO_ACCOUNT_ID, AdminApi
from infra.local.commands import ROOT

SCENARIO = ROOT / "infra" / "examples" / "onboarding.json"
BOT_NAME = "Onboarding"


@dataclass(frozen=True)
class Seed:
    """What was seeded, and from which text of the scenario."""

    bot_id: str
    scenario_id: str
    scenario_digest: str

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def load(cls, file: Path) -> "Seed | None":
        return cls(**json.loads(file.read_text())) if file.exists() else None


def seed(api: AdminApi, before: Seed | None) -> Seed:
    """Make what is not there yet. A bot that people already talk to is left alone.

    Only a changed example file reaches it, as a new revision.
    """
    digest = hashlib.sha256(SCENARIO.read_bytes()).hexdigest()
    if before is None or api.find(f"/api/bots/{before.bot_id}") is None:
        return _first_seed(api, digest)
    if before.scenario_digest == digest:
        return before
    api.put(f"/api/scenarios/{before.scenario_id}", _scenario())
    api.post(f"/api/scenarios/{before.scenario_id}/activate", {})
    return Seed(before.bot_id, before.scenario_id, digest)


def _first_seed(api: AdminApi, digest: str) -> Seed:
    """Also takes up a seeding that was cut short."""
    bot_id = str(_find_or_create_bot(api)["id"])
    if api.find(f"/api/bots/{bot_id}/platforms/webchat") is None:
        web_chat = {"platform": "webchat", "credentials": {}, "is_active": True}
        api.post(f"/api/bots/{bot_id}/platforms", web_chat)
    scenarios = api.get(f"/api/bots/{bot_id}/scenarios")["items"]
    scenario = scenarios[0] if scenarios else api.post(f"/api/bots/{bot_id}/scenarios", _scenario())
    api.post(f"/api/scenarios/{scenario['id']}/activate", {})
    api.post(f"/api/bots/{bot_id}/activate")
    return Seed(bot_id, str(scenario["id"]), digest)


def _find_or_create_bot(api: AdminApi) -> dict[str, Any]:
    path = f"/api/accounts/{DEMO_ACCOUNT_ID}/bots"
    named = [bot for bot in api.get(path)["items"] if bot["name"] == BOT_NAME]
    return named[0] if named else api.post(path, {"name": BOT_NAME, "description": "Parley's first bot"})


def _scenario() -> dict[str, Any]:
    document = json.loads(SCENARIO.read_text())
    return {"name": BOT_NAME, "scenario_data": document}
