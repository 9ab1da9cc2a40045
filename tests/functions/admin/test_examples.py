"""The shipped examples, as `make run` takes them into use."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.functions.admin.conftest import Api

SHIPPED = sorted((Path(__file__).parents[3] / "infra" / "examples").glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_is_activated_with_nothing_to_mend(api: Api, bot: str, path: Path) -> None:
    body = {"name": path.stem, "scenario_data": msgspec.json.decode(path.read_bytes())}
    saved = api.create(f"/api/bots/{bot}/scenarios", body)
    assert saved["findings"] == []
    activated = api("POST", f"/api/scenarios/{saved['id']}/activate", json={})
    assert activated.status_code == 200, activated.text
    assert activated.json()["is_active"] is True
