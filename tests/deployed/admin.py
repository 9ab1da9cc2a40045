"""An outside program that uses the admin API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx


class Admin:
    """Calls as an admin; anything but a success fails the test."""

    def __init__(self, api_url: str, token: str) -> None:
        self._api_url = api_url
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        return self._call("PUT", path, json=body)

    def dialog_of(self, bot_id: str, platform: str, chat_id: str) -> dict[str, Any] | None:
        """The dialog of one person, looked for in the list as an operator would."""
        listed = self.get(f"/api/bots/{bot_id}/platforms/{platform}/dialogs", limit=200)["items"]
        found = [dialog for dialog in listed if dialog["platform_chat_id"] == chat_id]
        return found[0] if found else None

    def history(self, dialog_id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(f"/api/dialogs/{dialog_id}/history", limit=200)["items"]
        return items

    def _call(self, method: str, path: str, **more: Any) -> Any:
        response = httpx.request(method, self._api_url + path, headers=self._headers, timeout=60, **more)
        assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
        return response.json() if response.content else None


def eventually(claim: Callable[[], Any], seconds: float = 30) -> Any:
    """What `claim` returns once it returns something true; fails after that time."""
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found
