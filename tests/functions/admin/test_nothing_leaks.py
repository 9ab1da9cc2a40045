"""After everything that can be asked, and much that cannot, no secret lies open anywhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from shared.platforms.base import Response
from tests.backend.tokens import SECRET, unsigned
from tests.conftest import items_of
from tests.functions.admin.conftest import (
    MODEL,
    NAMED_SECRET,
    SYNC,
    TELEGRAM,
    Api,
    Messenger,
    Talk,
    a_file,
    token_of,
)
from tests.functions.admin.test_access import ROUTES, path_of

KEEPING_SECRETS = ("CREDENTIALS_TABLE", "SETTINGS_TABLE", "REFUSALS_TABLE", "CACHE_TABLE")
WORDS = "Rumpelstiltskin"
LINK_KEY = "link-key-of-a-test"
CREDENTIALS: dict[str, dict[str, Any]] = {
    "telegram": {"bot_token": "987654321:AAF1-another_token_of_a_test"},
    "whatsapp": {
        "phone_number_id": "106540352242922",
        "access_token": "EAAG-access-token-of-a-test",
        "app_secret": "app-secret-of-a-test",
    },
    "viber": {"auth_token": "4f5e-auth-token-of-a-test", "sender_name": "Parley"},
    "webchat": {},
}
KNOWN_SECRETS = {
    SECRET,
    MODEL["api_key"],
    NAMED_SECRET,
    "another-secret-of-a-test",
    "a-password-of-a-database",
    "sk-another-key-of-a-test",
    TELEGRAM["bot_token"],
    *(value for given in CREDENTIALS.values() for name, value in given.items() if "token" in name),
    CREDENTIALS["whatsapp"]["app_secret"],
}
HOSTILE: tuple[dict[str, Any], ...] = (
    {"content": b"{" + " ".join(KNOWN_SECRETS).encode() + WORDS.encode()},
    {"json": [*KNOWN_SECRETS, WORDS]},
    {"json": {"name": sorted(KNOWN_SECRETS), "text": {"a": WORDS}, "is_active": WORDS, "limit": WORDS}},
    {"json": {"platform": "telegram", "credentials": {"bot_token": f"{TELEGRAM['bot_token']} {WORDS}"}}},
    {"json": {"platform": "viber", "credentials": CREDENTIALS["whatsapp"]}},
    {"json": {"value": f" another-secret-of-a-test {WORDS}"}},
    {"json": {**MODEL, "api_key": "sk-another-key-of-a-test", "base_url": f"https://{WORDS}:a@10.0.0.1"}},
    {"json": {**SYNC, "sink": {"type": "postgresql", "password": "a-password-of-a-database", "host": WORDS}}},
    {"json": {**SYNC, "mapping": {"name": WORDS, "run.id": WORDS}}},
    {"json": {"scenario_data": {"version": WORDS, "steps": [{"id": "a", "message": {"text": WORDS}}]}}},
)


@dataclass
class Story:
    """All that was answered, and which secrets there are by now."""

    api: Api
    secrets: set[str] = field(default_factory=lambda: set(KNOWN_SECRETS))
    refusals: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self.api(method, path, **more)
        if answer.status_code >= 400:
            self.refusals.append(f"{answer.headers} {answer.text}")
        return answer

    def tokens(self) -> set[str]:
        return {token_of(role).rpartition(".")[2] for role in ("admin", "viewer")}


def refusals_that_say(words: str) -> list[Response | Exception]:
    return [
        Response(200, b"{}"),
        Response(401, b'{"ok": false, "description": "' + words.encode() + b'"}'),
        Response(500, words.encode()),
        OSError(words),
        RuntimeError(words),
    ]


def connect_everything(story: Story, messenger: Messenger, bot: str) -> None:
    """Each messenger does as asked, then refuses, then breaks, and says so in words that hold secrets."""
    for platform, credentials in CREDENTIALS.items():
        body = {"platform": platform, "credentials": credentials}
        headers = {"Idempotency-Key": f"the key of {platform}".replace(" ", "-")}
        for _ in range(2):
            made = story.ask("POST", f"/api/bots/{bot}/platforms", json=body, headers=headers)
        shown = made.json().get("credentials", {})
        story.secrets |= {
            shown[name] for name in ("webhook_secret", "verify_token") if len(shown.get(name, "")) > 8
        }
        for refusal in refusals_that_say(" ".join(credentials.values())):
            messenger.answers = {"": refusal}
            story.ask("POST", f"/api/bots/{bot}/platforms/{platform}/connect")
        messenger.answers = {}


def send_runs_somewhere(story: Story, bot: str) -> None:
    """With a secret of the server's making, told once."""
    for _ in range(2):
        shown = story.ask("PUT", f"/api/bots/{bot}/sync", json=SYNC).json()["sink"]["signing_secret"]
        story.secrets |= {shown} if shown.startswith("whsec_") else set()


def ask_everything(story: Story, ids: dict[str, str]) -> None:
    for route, entry in sorted(ROUTES.items(), key=lambda each: each[0].startswith("DELETE")):
        method, path = route.partition(" ")[0], path_of(route, ids)
        for hostile in (*HOSTILE, {} if entry.body is None else {"json": entry.body}):
            story.ask(method, path, **({} if method == "GET" else hostile))
        for odd in ("?limit=" + WORDS, "?cursor=" + WORDS, "?since=" + WORDS, "?status=" + WORDS):
            story.ask(method, path + odd)
        story.ask(method, path, token=unsigned({"sub": WORDS}))
        story.ask(method, path, role="viewer")


def follow_links(story: Story, bot: str) -> None:
    """Public links to a file: its own, and one with a wrong name."""
    where = f"media/{bot}/{LINK_KEY}"
    media = a_file(
        bot, id=bot, file_name=f"{WORDS}.png", link_key=LINK_KEY, storage_path=f"{where}/{WORDS}.png"
    )
    for path, status in ((f"/{where}/{WORDS}.png", 302), (f"/{where}/not-{WORDS}.png", 404)):
        assert story.ask("GET", path, role=None).status_code == status
    assert LINK_KEY in story.ask("GET", f"/api/media/{media}", role="viewer").text


def test_no_secret_and_no_words_get_out(
    api: Api,
    ids: dict[str, str],
    talk: Talk,
    messenger: Messenger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    story, bot = Story(api), api.bot()
    talk(ids["bot"], chat="4242", variables={"name": WORDS})
    with caplog.at_level(logging.INFO):
        connect_everything(story, messenger, bot)
        send_runs_somewhere(story, bot)
        held = [items_of(table) for table in KEEPING_SECRETS]
        ask_everything(story, ids)
        follow_links(story, bot)
    held += [items_of(table) for table in KEEPING_SECRETS]
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    refused = "\n".join(story.refusals)

    assert len(story.secrets) == len(KNOWN_SECRETS) + 3, "what was made is known"
    assert "unexpected error" in logged, "faults of ours are among the story"
    assert all(
        f"'{status}" in refused or f'"status":{status}' in refused for status in (401, 403, 404, 409, 422)
    )
    for secret in story.secrets | story.tokens() | {LINK_KEY}:
        assert secret not in str(held)
        assert secret not in logged
        assert secret not in refused
    assert WORDS not in logged
    assert WORDS not in refused
