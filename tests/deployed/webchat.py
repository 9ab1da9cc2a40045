"""Somebody at the web chat, as its page is: an HTTP client that posts and polls."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.standins.server import Answer, Said, Shown


class WebchatPerson:
    """Talks like the people of the stand-in messengers do."""

    def __init__(self, webhook_url: str) -> None:
        self.webhook_url = webhook_url
        self.chat_id = ""
        self.heard: list[Said] = []
        self._headers: dict[str, str] = {}
        self._after = ""
        self._read = 0

    def start(self) -> Answer:
        return self.post({"start": True})

    def say(self, text: str) -> Answer:
        return self.post({"text": text})

    def press(self, label: str) -> Answer:
        carried = [b.carries for said in reversed(self.heard) for b in said.buttons if b.label == label]
        return self.post({"button": carried[0]})

    def post(self, body: dict[str, Any]) -> Answer:
        response = httpx.post(self.webhook_url, json=body, headers=self._headers, timeout=60)
        if response.is_success:
            answer = response.json()
            self.chat_id = answer["chat_id"]
            self._headers = {"Authorization": f"Bearer {answer['chat_token']}"}
        return Answer(response.status_code, response.content, dict(response.headers))

    def next(self, timeout_seconds: float = 30.0) -> Said:
        deadline = time.monotonic() + timeout_seconds
        while len(self.heard) == self._read:
            if time.monotonic() > deadline:
                raise TimeoutError
            self._poll()
            time.sleep(0.1)
        self._read += 1
        return self.heard[self._read - 1]

    def unread(self) -> list[Said]:
        self._poll()
        return self.heard[self._read :]

    def _poll(self) -> None:
        query = {"after": self._after} if self._after else {}
        response = httpx.get(self.webhook_url, params=query, headers=self._headers, timeout=60)
        for item in response.raise_for_status().json()["items"]:
            self._after = item["id"]
            if item["from"] == "bot":
                buttons = tuple(Shown(b["text"], b["value"]) for b in item["buttons"])
                self.heard.append(Said(item["text"], buttons, item["id"], item))
