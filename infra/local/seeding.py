"""The demo account: a bot for each example, which runs it in the web chat."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.local.admin_api import DEMO_ACCOUNT_ID, AdminApi
from infra.local.commands import ROOT
from infra.local.main_system import Access


@dataclass(frozen=True)
class Outside:
    """What the examples work with outside of Parley; there is no model where nobody brought a key for one."""

    main_system: Access
    model: Mapping[str, Any] | None = field(default=None, repr=False)


Setting = tuple[str, Mapping[str, Any]]
"""Where below a bot's address it is put, and what."""


def ask_a_model(outside: Outside) -> Setting | None:
    return ("llm", outside.model) if outside.model else None


def look_orders_up(outside: Outside) -> Setting:
    return "secrets/orders_token", {"value": outside.main_system.orders_token}


def keep_the_staff_list(outside: Outside) -> Setting:
    """The list has a row for each person, told when half is known, and again at the end."""
    main_system = outside.main_system
    sink = {
        "type": "webhook",
        "url": f"{main_system.url}/staff",
        "signing_secret": main_system.signing_secret,
    }
    mapping = {
        "run.id": "run",
        "run.status": "status",
        "personnel_number": "number",
        "full_name": "name",
        "phone": "phone",
        "position": "position",
        "since": "since",
    }
    return "sync", {"sink": sink, "mapping": mapping}


@dataclass(frozen=True)
class Example:
    """A scenario, and the bot that runs it.

    Its first step shows the picture, if there is one; `address` is that of its main system in the file, whose
    place the demo's takes. `needs` are the settings that the bot gets, as far as there is something to set.
    """

    file: Path
    bot_name: str
    picture: Path | None = None
    address: str = ""
    needs: tuple[Callable[[Outside], Setting | None], ...] = ()

    def digest(self, outside: Outside) -> str:
        picture = self.picture.read_bytes() if self.picture else b""
        return hashlib.sha256(self._text(outside).encode() + picture).hexdigest()

    def scenario(self, outside: Outside, media_id: str | None) -> dict[str, Any]:
        """A body for the admin API. The file itself names no media id: each library gives its own."""
        document = json.loads(self._text(outside))
        if media_id is not None:
            document["steps"][0]["message"]["media"] = [{"type": "image", "media_id": media_id}]
        return {"name": self.bot_name, "scenario_data": document}

    def settings(self, outside: Outside) -> list[Setting]:
        return [setting for need in self.needs if (setting := need(outside))]

    def _text(self, outside: Outside) -> str:
        text = self.file.read_text(encoding="utf-8")
        return text.replace(self.address, outside.main_system.url) if self.address else text


_BOTS = f"/api/accounts/{DEMO_ACCOUNT_ID}/bots"
_FOLDER = ROOT / "infra" / "examples"
_ORDERS = "https://orders.greengarden.example"
EXAMPLES = (
    Example(_FOLDER / "onboarding.json", "Onboarding"),
    Example(_FOLDER / "restaurant.json", "Table booking", _FOLDER / "green-garden.png"),
    Example(_FOLDER / "quiz.json", "Kitchen quiz"),
    Example(_FOLDER / "feedback.json", "Feedback"),
    Example(_FOLDER / "faq.json", "Questions and answers"),
    Example(_FOLDER / "survey.json", "Staff survey"),
    Example(_FOLDER / "helpdesk.json", "Help desk", needs=(ask_a_model,)),
    Example(_FOLDER / "newcomer.json", "New colleague", needs=(ask_a_model,)),
    Example(_FOLDER / "order.json", "Where is my order", address=_ORDERS, needs=(look_orders_up,)),
    Example(_FOLDER / "staff.json", "Staff list", needs=(keep_the_staff_list,)),
)


@dataclass(frozen=True)
class Seed:
    """What was seeded for an example, from which text of it, and with which settings."""

    bot_name: str
    bot_id: str
    scenario_id: str
    scenario_digest: str
    settings_digest: str = ""


def save(seeds: Iterable[Seed], file: Path) -> None:
    file.write_text(json.dumps([asdict(seed) for seed in seeds], indent=2))


def load(file: Path) -> list[Seed]:
    """What was seeded before: nothing, if an older version of this program wrote it another way."""
    kept = json.loads(file.read_text()) if file.exists() else []
    return [Seed(**each) for each in kept] if isinstance(kept, list) else []


def seed_all(
    api: AdminApi, before: Iterable[Seed], outside: Outside, examples: Iterable[Example] = EXAMPLES
) -> list[Seed]:
    """Make what is not there yet, in the order of the examples.

    A bot that people already talk to is left alone: only a changed file reaches it, as a new revision, and
    changed settings.
    """
    bots = _bots_by_name(api)
    seeded = {seed.bot_name: seed for seed in before if seed.bot_id in bots.values()}
    seeding = _Seeding(api, outside)
    return [seeding.seed(each, seeded.get(each.bot_name), bots.get(each.bot_name)) for each in examples]


def bots_without_a_model(seeds: Iterable[Seed], examples: Iterable[Example] = EXAMPLES) -> list[str]:
    """Which would understand more if somebody brought a key."""
    wanting = {each.bot_name for each in examples if ask_a_model in each.needs}
    return [seed.bot_name for seed in seeds if seed.bot_name in wanting and not seed.settings_digest]


@dataclass(frozen=True)
class _Seeding:
    api: AdminApi
    outside: Outside

    def seed(self, example: Example, before: Seed | None, bot_id: str | None) -> Seed:
        if before is None:
            return self._first_seed(example, bot_id)
        if before.scenario_digest != example.digest(self.outside):
            before = self._with_scenario(example, before)
        return self._with_settings(example, before)

    def _first_seed(self, example: Example, bot_id: str | None) -> Seed:
        """Also takes up a seeding that was cut short."""
        if bot_id is None:
            described = {"name": example.bot_name, "description": "One of Parley's examples"}
            bot_id = str(self.api.post(_BOTS, described)["id"])
        if self.api.find(f"/api/bots/{bot_id}/platforms/webchat") is None:
            web_chat = {"platform": "webchat", "credentials": {}, "is_active": True}
            self.api.post(f"/api/bots/{bot_id}/platforms", web_chat)
        there = self.api.get(f"/api/bots/{bot_id}/scenarios")["items"]
        begun = Seed(example.bot_name, bot_id, str(there[0]["id"]) if there else "", "")
        seed = self._with_settings(example, self._with_scenario(example, begun))
        self.api.post(f"/api/bots/{bot_id}/activate")
        return seed

    def _with_scenario(self, example: Example, seed: Seed) -> Seed:
        """Save the example as the scenario's newest revision, and activate it."""
        scenario = example.scenario(self.outside, self._in_library(seed.bot_id, example.picture))
        scenario_id = seed.scenario_id
        if scenario_id:
            self.api.put(f"/api/scenarios/{scenario_id}", scenario)
        else:
            scenario_id = str(self.api.post(f"/api/bots/{seed.bot_id}/scenarios", scenario)["id"])
        self.api.post(f"/api/scenarios/{scenario_id}/activate", {})
        return replace(seed, scenario_id=scenario_id, scenario_digest=example.digest(self.outside))

    def _with_settings(self, example: Example, seed: Seed) -> Seed:
        """Put what is to be set; it is checked against the scenario, which therefore comes first."""
        settings = example.settings(self.outside)
        digest = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
        if not settings or digest == seed.settings_digest:
            return seed
        for name, body in settings:
            self.api.put(f"/api/bots/{seed.bot_id}/{name}", body)
        return replace(seed, settings_digest=digest)

    def _in_library(self, bot_id: str, picture: Path | None) -> str | None:
        return str(self.api.upload(f"/api/bots/{bot_id}/media", picture)["id"]) if picture else None


def _bots_by_name(api: AdminApi) -> dict[str, str]:
    return {bot["name"]: str(bot["id"]) for bot in api.get(_BOTS)["items"]}
