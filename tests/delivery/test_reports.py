"""What becomes of a sender's findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from shared.delivery.reports import Reports
from shared.dialog.events import ChatBlocked
from shared.errors import NotFound
from tests.delivery.stage import DIALOG, NOW, envelope
from tests.webhook.doubles import Queue


@dataclass
class Records:
    healths: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def health_of(self, bot_id: str, platform: str) -> Mapping[str, Any]:
        if (bot_id, platform) not in self.healths:
            raise NotFound("credential")
        return self.healths[bot_id, platform]

    def record_health(self, bot_id: str, platform: str, health: Mapping[str, Any]) -> None:
        self.healths[bot_id, platform] = health


def test_somebody_gone_is_an_event_of_their_dialog_the_same_however_often_it_is_told() -> None:
    queue = Queue()
    for _ in range(2):
        Reports(queue, Records()).gone(envelope(["one"], turn=7), "blocked", NOW)
    first, again = queue.envelopes
    assert first == again
    assert (first.dialog_id, first.bot_id, first.platform_chat_id) == (DIALOG, "b", "7")
    assert first.event == ChatBlocked(id="gone/e/7", occurred_at=NOW, reason="blocked")


def test_a_refused_credential_is_marked_beside_what_was_known_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    records = Records({("b", "telegram"): {"status": "ok", "webhook_url": "https://chat.example"}})
    Reports(Queue(), records).refused("b", "telegram", "401", NOW)
    assert records.healths["b", "telegram"] == {
        "status": "bad",
        "detail": "sending: 401",
        "checked_at": "2026-11-22T10:00:00+00:00",
        "webhook_url": "https://chat.example",
    }
    counted = json.loads(capsys.readouterr().out)
    assert (counted["refused_credentials"], counted["bot_id"]) == (1, "b")


def test_a_credential_removed_meanwhile_has_no_health() -> None:
    records = Records()
    Reports(Queue(), records).refused("b", "telegram", "401", NOW)
    assert records.healths == {}


def test_a_credential_that_was_checked_since_is_not_marked_for_what_was_before() -> None:
    health = {"status": "ok", "checked_at": (NOW + timedelta(minutes=1)).isoformat()}
    records = Records({("b", "telegram"): health})
    Reports(Queue(), records).refused("b", "telegram", "131042", NOW)
    assert records.healths == {("b", "telegram"): health}
