"""People in the web chat, for Locust: each holds the conversation of a bot again and again.

A `turn` is what a person feels: from sending a word until the bot's answer can be read. It passes webhook,
both queues, both workers and the history. The calls that make it up are listed beside it.

`BOT_ID` names the bot, which has to be connected to the web chat. `SAYS` is what a person says, one word
after the other, separated by `|`: by default what the onboarding example asks for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from locust import FastHttpUser, between, task

SAYS = os.environ.get("SAYS", "Ada|Lovelace|Cook|РФ").split("|")
THINKS: Callable[[Any], float] = between(
    float(os.environ.get("THINKS_FROM", "1")), float(os.environ.get("THINKS_TO", "3"))
)

_LOOKS_EVERY_SECONDS = 0.35
"""As the chat's page does after something was sent."""

_PATIENCE_SECONDS = 60.0


class Unanswered(Exception):
    """Nothing came in all that time."""


class Person(FastHttpUser):
    """Somebody with the chat's page open."""

    wait_time = THINKS

    def on_start(self) -> None:
        self._path = f"/api/webhook/webchat/{os.environ['BOT_ID']}"

    @task
    def converse(self) -> None:
        """A conversation from its first word to its end, by a new person each time."""
        self._headers: dict[str, str] = {}
        self._after = ""
        words: list[dict[str, Any]] = [{"start": True}, *({"text": text} for text in SAYS)]
        for said in words:
            if not self._turn(said):
                return
            time.sleep(THINKS(self))

    def _turn(self, said: dict[str, Any]) -> bool:
        begun = time.perf_counter()
        failure: Exception | None = None
        try:
            self._say(said)
            self._wait_for_an_answer(begun + _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told as the turn's failure
            failure = error
        self.environment.events.request.fire(
            request_type="turn",
            name="start" if "start" in said else "answer",
            response_time=(time.perf_counter() - begun) * 1000,
            response_length=0,
            exception=failure,
            context={},
        )
        return failure is None

    def _say(self, said: dict[str, Any]) -> None:
        with self.client.post(
            self._path, json=said, headers=self._headers, name="say", catch_response=True
        ) as response:
            answer = response.json()
            self._headers = {"Authorization": f"Bearer {answer['chat_token']}"}

    def _wait_for_an_answer(self, until: float) -> None:
        while time.perf_counter() < until:
            if self._hears():
                return
            time.sleep(_LOOKS_EVERY_SECONDS)
        raise Unanswered

    def _hears(self) -> bool:
        """Whether the bot has said anything since; what is read once is not read again."""
        query = f"?after={self._after}" if self._after else ""
        with self.client.get(
            self._path + query, headers=self._headers, name="look", catch_response=True
        ) as response:
            items = response.json()["items"]
        self._after = items[-1]["id"] if items else self._after
        return any(item["from"] == "bot" for item in items)
