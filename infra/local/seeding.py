"""The demo account: a bot for each example, which runs it in the web chat."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local.admin_api import DEMO_ACCOUNT_ID, AdminApi
from infra.local.commands import ROOT


@dataclass(frozen=True)
class Example:
    """A scenario, and the bot that runs it; its first step shows the picture, if there is one."""

    file: Path
    bot_name: str
    picture: Path | None = None

    @property
    def digest(self) -> str:
        files = filter(None, (self.file, self.picture))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    def scenario(self, media_id: str | None) -> dict[str, Any]:
        """A body for the admin API. The file itself names no media id: each library gives its own."""
        document = json.loads(self.file.read_text(encoding="utf-8"))
        if media_id is not None:
            document["steps"][0]["message"]["media"] = [{"type": "image", "media_id": media_id}]
        return {"name": self.bot_name, "scenario_data": document}


_BOTS = f"/api/accounts/{DEMO_ACCOUNT_ID}/bots"
_FOLDER = ROOT / "infra" / "examples"
EXAMPLES = (
    Example(_FOLDER / "onboarding.json", "Onboarding"),
    Example(_FOLDER / "restaurant.json", "Table booking", _FOLDER / "green-garden.png"),
    Example(_FOLDER / "quiz.json", "Kitchen quiz"),
    Example(_FOLDER / "feedback.json", "Feedback"),
    Example(_FOLDER / "faq.json", "Questions and answers"),
    Example(_FOLDER / "survey.json", "Staff survey"),
)


@dataclass(frozen=True)
class Seed:
    """What was seeded for an example, and from which text of it."""

    bot_name: str
    bot_id: str
    scenario_id: str
    scenario_digest: str


def save(seeds: Iterable[Seed], file: Path) -> None:
    file.write_text(json.dumps([asdict(seed) for seed in seeds], indent=2))


def load(file: Path) -> list[Seed]:
    """What was seeded before: nothing, if an older version of this program wrote it another way."""
    kept = json.loads(file.read_text()) if file.exists() else []
    return [Seed(**each) for each in kept] if isinstance(kept, list) else []


def seed_all(api: AdminApi, before: Iterable[Seed], examples: Iterable[Example] = EXAMPLES) -> list[Seed]:
    """Make what is not there yet, in the order of the examples.

    A bot that people already talk to is left alone: only a changed file reaches it, as a new revision.
    """
    bots = _bots_by_name(api)
    seeded = {seed.bot_name: seed for seed in before if seed.bot_id in bots.values()}
    return [_seed(api, each, seeded.get(each.bot_name), bots) for each in examples]


def _seed(api: AdminApi, example: Example, before: Seed | None, bots: Mapping[str, str]) -> Seed:
    if before is None:
        return _first_seed(api, example, bots.get(example.bot_name))
    if before.scenario_digest == example.digest:
        return before
    return _with_scenario(api, example, before.bot_id, before.scenario_id)


def _first_seed(api: AdminApi, example: Example, bot_id: str | None) -> Seed:
    """Also takes up a seeding that was cut short."""
    if bot_id is None:
        described = {"name": example.bot_name, "description": "One of Parley's examples"}
        bot_id = str(api.post(_BOTS, described)["id"])
    if api.find(f"/api/bots/{bot_id}/platforms/webchat") is None:
        web_chat = {"platform": "webchat", "credentials": {}, "is_active": True}
        api.post(f"/api/bots/{bot_id}/platforms", web_chat)
    there = api.get(f"/api/bots/{bot_id}/scenarios")["items"]
    seed = _with_scenario(api, example, bot_id, str(there[0]["id"]) if there else None)
    api.post(f"/api/bots/{bot_id}/activate")
    return seed


def _with_scenario(api: AdminApi, example: Example, bot_id: str, scenario_id: str | None) -> Seed:
    """Save the example as the scenario's newest revision, and activate it."""
    scenario = example.scenario(_in_library(api, bot_id, example.picture))
    if scenario_id is None:
        scenario_id = str(api.post(f"/api/bots/{bot_id}/scenarios", scenario)["id"])
    else:
        api.put(f"/api/scenarios/{scenario_id}", scenario)
    api.post(f"/api/scenarios/{scenario_id}/activate", {})
    return Seed(example.bot_name, bot_id, scenario_id, example.digest)


def _in_library(api: AdminApi, bot_id: str, picture: Path | None) -> str | None:
    return None if picture is None else str(api.upload(f"/api/bots/{bot_id}/media", picture)["id"])


def _bots_by_name(api: AdminApi) -> dict[str, str]:
    return {bot["name"]: str(bot["id"]) for bot in api.get(_BOTS)["items"]}
