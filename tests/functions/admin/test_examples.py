"""The shipped examples, as `make run` takes them into use."""

from __future__ import annotations

from base64 import b64encode

import pytest

from infra.local.main_system import Access
from infra.local.seeding import EXAMPLES, Example, Outside
from tests.functions.admin.conftest import MODEL, Api

SIGNING_SECRET = f"whsec_{b64encode(b'signed with this one secret of a test').decode()}"
OUTSIDE = Outside(Access("https://main.example.com", "token-of-the-orders", SIGNING_SECRET), MODEL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file.stem)
def test_a_shipped_scenario_is_activated_with_nothing_to_mend(api: Api, bot: str, example: Example) -> None:
    saved = api.create(f"/api/bots/{bot}/scenarios", example.scenario(OUTSIDE, media_id=None))
    activated = api("POST", f"/api/scenarios/{saved['id']}/activate", json={})
    assert activated.status_code == 200, activated.text
    assert activated.json()["is_active"] is True

    for name, body in example.settings(OUTSIDE):
        put = api("PUT", f"/api/bots/{bot}/{name}", json=body)
        assert put.status_code == 201, put.text
    assert api("GET", f"/api/scenarios/{saved['id']}").json()["findings"] == []
