"""What a run collected reaches the account: as a row, and as a file that anybody with the link can read."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from tests.deployed.admin import Admin, eventually
from tests.deployed.webchat import WebchatPerson

pytestmark = pytest.mark.deployed


def told_everything(person: WebchatPerson) -> str:
    """Hold the onboarding conversation to its end; the name of the chat."""
    person.start()
    person.next()
    for answer in ("Zoë", "=Petrov", "Cook", "Blue Whale", "РФ"):
        person.say(answer)
        person.next()
    return person.chat_id


def test_a_run_that_ended_is_a_result_and_a_line_of_an_export(
    admin: Admin, bot_id: str, visitor: WebchatPerson
) -> None:
    chat_id = told_everything(visitor)

    def result() -> dict[str, Any] | None:
        items = admin.get(f"/api/bots/{bot_id}/results", platform="webchat", status="completed")["items"]
        return next((item for item in items if item["platform_chat_id"] == chat_id), None)

    found = eventually(result)
    assert "Zoë" in found["values"].values()
    export = admin.post(f"/api/bots/{bot_id}/exports", {"format": "csv", "filters": {"platform": "webchat"}})
    ready = eventually(lambda: _unless_under_way(admin.get(f"/api/exports/{export['id']}")))

    assert ready["status"] == "ready", ready
    file = httpx.get(ready["download_url"]).raise_for_status()
    lines = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    (line,) = [line for line in lines if line["platform_chat_id"] == chat_id]
    assert (line["status"], line["dialog_id"]) == ("completed", found["dialog_id"])
    assert {"Zoë", "'=Petrov"} <= set(line.values())
    assert len(lines) == ready["rows"] == ready["rows_total"]


def _unless_under_way(export: dict[str, Any]) -> dict[str, Any] | None:
    return None if export["status"] in ("queued", "running") else export
