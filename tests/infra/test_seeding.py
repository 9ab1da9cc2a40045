"""What `make run` finds set up: each example once, however often it is started."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.admin_api import DEMO_ACCOUNT_ID, AdminApi
from infra.local.errors import StartError
from infra.local.main_system import Access
from infra.local.seeding import (
    EXAMPLES,
    Example,
    Outside,
    Seed,
    ask_a_model,
    bots_without_a_model,
    load,
    look_orders_up,
    save,
    seed_all,
)
from shared.media.inspection import inspect

OUTSIDE = Outside(Access("http://127.0.0.1:8001", "the-token-of-the-orders", "whsec_c2lnbmVk"))
WITH_MODEL = replace(OUTSIDE, model={"provider": "openai", "model": "small", "api_key": "a-key-of-somebody"})

BOTS = f"/api/accounts/{DEMO_ACCOUNT_ID}/bots"


class RememberingApi(AdminApi):
    """An admin API that keeps what it is told, and every change that is asked of it."""

    def __init__(self) -> None:
        super().__init__("http://unused.invalid", "")
        self.kept: dict[str, Any] = {BOTS: {"items": []}}
        self.changes: list[str] = []
        self.refused = ""
        self.saved: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}

    def find(self, path: str) -> dict[str, Any] | None:
        return self.kept.get(path)

    def get(self, path: str) -> dict[str, Any]:
        return self.kept.get(path) or {"items": []}

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        self._change("POST", path)
        self._note(path, body)
        made: dict[str, Any] = {**body, "id": f"id-{len(self.changes)}"} if isinstance(body, dict) else {}
        self.kept.setdefault(path, {"items": []})["items"].append(made)
        if path.endswith("/platforms"):
            self.kept[f"{path}/webchat"] = made
        return made

    def put(self, path: str, body: object) -> dict[str, Any]:
        self._change("PUT", path)
        self._note(path, body)
        if path.startswith("/api/bots/"):
            self.settings["/".join(path.split("/")[4:])] = body
        return {}

    def upload(self, path: str, file: Path) -> dict[str, Any]:
        return self.post(path, {"file_name": file.name})

    def _note(self, path: str, body: object) -> None:
        if isinstance(body, dict) and "scenario_data" in body:
            self.saved.append(body["scenario_data"])

    def _change(self, method: str, path: str) -> None:
        if self.refused and path.endswith(self.refused):
            raise StartError(path)
        self.changes.append(f"{method} {path}")


@pytest.fixture
def api() -> RememberingApi:
    return RememberingApi()


@pytest.fixture
def example(tmp_path: Path) -> Example:
    file = tmp_path / "greeting.json"
    file.write_text(json.dumps({"version": "1", "steps": [{"id": "hi", "message": {"text": "Hi"}}]}))
    return Example(file, "Greeting")


def test_every_shipped_example_is_seeded() -> None:
    shipped = sorted((Path(__file__).parents[2] / "infra" / "examples").glob("*.json"))
    assert sorted(each.file for each in EXAMPLES) == shipped


def test_the_onboarding_bot_comes_first() -> None:
    assert EXAMPLES[0].file.name == "onboarding.json"


def test_an_example_gets_a_bot_in_the_web_chat(api: RememberingApi, example: Example) -> None:
    (seed,) = seed_all(api, [], OUTSIDE, [example])
    assert api.changes == [
        f"POST {BOTS}",
        f"POST /api/bots/{seed.bot_id}/platforms",
        f"POST /api/bots/{seed.bot_id}/scenarios",
        f"POST /api/scenarios/{seed.scenario_id}/activate",
        f"POST /api/bots/{seed.bot_id}/activate",
    ]


def test_a_restart_changes_nothing(api: RememberingApi, example: Example, tmp_path: Path) -> None:
    save(seed_all(api, [], OUTSIDE, [example]), tmp_path / "seed.json")
    api.changes.clear()
    before = load(tmp_path / "seed.json")
    assert seed_all(api, before, OUTSIDE, [example]) == before
    assert api.changes == []


def test_a_changed_file_comes_as_a_new_revision(api: RememberingApi, example: Example) -> None:
    before = seed_all(api, [], OUTSIDE, [example])
    api.changes.clear()
    example.file.write_text(example.file.read_text().replace("Hi", "Hello"))
    (seed,) = seed_all(api, before, OUTSIDE, [example])
    assert api.changes == [
        f"PUT /api/scenarios/{seed.scenario_id}",
        f"POST /api/scenarios/{seed.scenario_id}/activate",
    ]
    assert seed_all(api, [seed], OUTSIDE, [example]) == [seed]


def test_an_example_s_picture_is_in_the_library_before_its_first_step_shows_it(
    api: RememberingApi, example: Example, tmp_path: Path
) -> None:
    picture = tmp_path / "hall.png"
    picture.write_bytes(b"a hall")
    (seed,) = seed_all(api, [], OUTSIDE, [replace(example, picture=picture)])
    library = f"/api/bots/{seed.bot_id}/media"
    (shelved,) = api.kept[library]["items"]
    assert api.saved[0]["steps"][0]["message"] == {
        "text": "Hi",
        "media": [{"type": "image", "media_id": shelved["id"]}],
    }

    picture.write_bytes(b"another hall")
    seed_all(api, [seed], OUTSIDE, [replace(example, picture=picture)])
    assert len(api.kept[library]["items"]) == len(api.saved) == 2


def test_pictures_lie_beside_the_examples_and_the_library_takes_them() -> None:
    pictures = [each.picture for each in EXAMPLES if each.picture]
    assert pictures
    for picture in pictures:
        with picture.open("rb") as body:
            assert inspect(body, picture.name, {}).file_type == "image"


def test_the_address_of_the_demo_s_main_system_takes_its_place_in_the_scenario(
    api: RememberingApi, example: Example
) -> None:
    example.file.write_text(example.file.read_text().replace("Hi", "See https://orders.example/menu"))
    calling = replace(example, address="https://orders.example")
    before = seed_all(api, [], OUTSIDE, [calling])
    assert api.saved[-1]["steps"][0]["message"] == {"text": "See http://127.0.0.1:8001/menu"}

    moved = replace(OUTSIDE, main_system=replace(OUTSIDE.main_system, url="http://127.0.0.1:9001"))
    seed_all(api, before, moved, [calling])
    assert api.saved[-1]["steps"][0]["message"] == {"text": "See http://127.0.0.1:9001/menu"}


def test_a_bot_gets_its_settings_once_its_scenario_is_there(api: RememberingApi, example: Example) -> None:
    (seed,) = seed_all(api, [], OUTSIDE, [replace(example, needs=(look_orders_up,))])
    assert api.changes[-3:] == [
        f"POST /api/scenarios/{seed.scenario_id}/activate",
        f"PUT /api/bots/{seed.bot_id}/secrets/orders_token",
        f"POST /api/bots/{seed.bot_id}/activate",
    ]
    assert api.settings == {"secrets/orders_token": {"value": "the-token-of-the-orders"}}


def test_a_key_that_comes_later_reaches_the_bots_that_wait_for_one(
    api: RememberingApi, example: Example
) -> None:
    asking = replace(example, needs=(ask_a_model,))
    without = seed_all(api, [], OUTSIDE, [asking])
    assert bots_without_a_model(without, [asking]) == ["Greeting"]
    api.changes.clear()

    seeds = seed_all(api, without, WITH_MODEL, [asking])
    assert api.changes == [f"PUT /api/bots/{seeds[0].bot_id}/llm"]
    assert bots_without_a_model(seeds, [asking]) == []

    api.changes.clear()
    assert seed_all(api, seeds, WITH_MODEL, [asking]) == seeds
    assert seed_all(api, seeds, OUTSIDE, [asking]) == seeds, "a model that was set up stays"
    assert api.changes == []


def test_no_secret_is_in_what_is_noted_or_shown(
    api: RememberingApi, example: Example, tmp_path: Path
) -> None:
    seeds = seed_all(api, [], WITH_MODEL, [replace(example, needs=(ask_a_model, look_orders_up))])
    save(seeds, tmp_path / "seed.json")
    for secret in ("the-token-of-the-orders", "whsec_", "a-key-of-somebody"):
        assert secret not in repr(WITH_MODEL) + (tmp_path / "seed.json").read_text()


def test_a_deleted_bot_is_made_again(api: RememberingApi, example: Example) -> None:
    (before,) = seed_all(api, [], OUTSIDE, [example])
    api.kept[BOTS]["items"].clear()
    (seed,) = seed_all(api, [before], OUTSIDE, [example])
    assert seed.bot_id != before.bot_id


@pytest.mark.parametrize("refused", ["/platforms", "/scenarios", "/activate"])
def test_a_seeding_that_was_cut_short_is_taken_up(
    api: RememberingApi, example: Example, refused: str
) -> None:
    api.refused = refused
    with pytest.raises(StartError):
        seed_all(api, [], OUTSIDE, [example])
    api.refused = ""
    (seed,) = seed_all(api, [], OUTSIDE, [example])
    assert api.changes.count(f"POST {BOTS}") == 1
    assert api.changes.count(f"POST /api/bots/{seed.bot_id}/platforms") == 1
    assert api.changes.count(f"POST /api/bots/{seed.bot_id}/scenarios") == 1
    assert api.changes[-1] == f"POST /api/bots/{seed.bot_id}/activate"


def test_what_an_older_version_noted_is_no_hindrance(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text('{"bot_id": "a", "scenario_id": "b", "scenario_digest": "c"}')
    assert load(file) == []


def test_what_was_noted_before_there_were_settings_is_read(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text('[{"bot_name": "a", "bot_id": "b", "scenario_id": "c", "scenario_digest": "d"}]')
    assert load(file) == [Seed("a", "b", "c", "d", settings_digest="")]
