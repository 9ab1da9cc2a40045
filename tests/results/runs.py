"""Results as tests want them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.dialog.results import RunResult

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCENARIO = "7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff"


def run(number: int = 1, **fields: Any) -> RunResult:
    usual: dict[str, Any] = {
        "dialog_id": "0f6c1d2e-7a5b-5c3d-9e8f-102132435465",
        "platform": "telegram",
        "platform_chat_id": "42",
        "status": "completed",
        "scenario_id": SCENARIO,
        "revision": 1,
        "started_at": NOON - timedelta(hours=1),
        "ended_at": NOON,
        "values": {"name": f"Анна {number}"},
    }
    return RunResult(run=number, **(usual | fields))
