"""All webhooks are registered at a new address, and a run that was broken off goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from infra.register import Connection, Registration, addresses_of, connections
from shared.connecting.base import Call
from shared.connecting.registrar import Registrar
from shared.credential import Credential
from shared.platforms import MessengerAddresses
from shared.platforms.base import Response
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from tests.conftest import ENVIRONMENT, Aws

OLD, NEW = "https://old.example.com", "https://new.example.com"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DONE = Response(200, b'{"ok": true, "result": true}')
LIMITED = Response(429, json.dumps({"ok": False, "parameters": {"retry_after": 9}}).encode())
WRONG = Response(401, b'{"ok": false, "description": "Unauthorized"}')


class Telegram:
    """Answers as told, then does as asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers: Iterator[Response] = iter(answers)
        self.webhooks: list[str] = []

    def __call__(self, call: Call) -> Response:
        answer = next(self.answers, DONE)
        if answer is DONE and call.url.endswith("/setWebhook"):
            self.webhooks.append((call.json or {})["url"])
        return answer


class Records:
    def record_health(self, bot_id: str, platform: str, health: Mapping[str, Any]) -> None:
        """Nobody looks at it here."""


def credential(bot_id: str, _: str = "", *, is_active: bool = True) -> Credential:
    settings = {"bot_token": "1:a", "webhook_secret": "s"}
    return Credential("c", bot_id, "telegram", is_active=is_active, settings=settings)


def run(telegram: Telegram, *found: Connection, reveal: Any = credential, **more: Any) -> list[str]:
    registrar = Registrar(MessengerAddresses(), Records(), telegram)
    registration = Registration(registrar, reveal, NEW, **{"sleep": lambda _: None, **more})
    return [outcome for _, outcome in registration.run(found)]


def test_what_is_elsewhere_is_registered_and_what_is_there_is_passed_over() -> None:
    telegram = Telegram()
    there = Connection("b2", "telegram", f"{NEW}/api/webhook/telegram/b2")
    elsewhere = Connection("b1", "telegram", f"{OLD}/api/webhook/telegram/b1")

    assert run(telegram, elsewhere, there, Connection("b3", "telegram", "")) == [
        "registered",
        "registered before",
        "registered",
    ]
    assert sorted(telegram.webhooks) == [f"{NEW}/api/webhook/telegram/b{n}" for n in (1, 3)]
    assert run(telegram, there, again=True) == ["registered"]


@pytest.mark.parametrize("found", [None, credential("b", is_active=False)], ids=["gone", "off"])
def test_what_is_switched_off_is_left_alone(found: Credential | None) -> None:
    telegram = Telegram()
    assert run(telegram, Connection("b", "telegram", ""), reveal=lambda *_: found) == ["switched off"]
    assert telegram.webhooks == []


def test_a_messenger_is_waited_for_as_long_as_it_asks() -> None:
    waits: list[float] = []
    assert run(Telegram(LIMITED, LIMITED), Connection("b", "telegram", ""), sleep=waits.append) == [
        "registered"
    ]
    assert waits == [9, 9]


def test_what_stays_wrong_is_left_and_the_others_go_on() -> None:
    found = [Connection(f"b{n}", "telegram", "") for n in range(2)]

    def reveal(bot_id: str, _: str) -> Credential:
        if bot_id == "b0":
            raise RuntimeError("a key that decrypts nothing")
        return credential(bot_id)

    assert run(Telegram(), *found, reveal=reveal) == ["left: RuntimeError", "registered"]
    assert run(Telegram(WRONG), found[0]) == ["left: credential: 401 Unauthorized"]
    assert run(Telegram(*[LIMITED] * 4), found[0]) == ["left: credential: 429"]


def test_every_connection_is_found_with_what_was_registered(aws_account: Aws) -> None:
    bots, credentials = DynamoBots(), DynamoCredentials(aws_account.kms)
    for bot in ("b1", "b2", "b3"):
        bots.create(Bot(id=bot, account_id="a", name="B", created_at=NOW, updated_at=NOW))
        settings = {"bot_token": f"{bot}:a"}
        credentials.create(bot, "telegram", settings, {"bot_token"}, is_active=True, identity=bot)
    credentials.record_health("b1", "telegram", {"status": "ok", "webhook_url": f"{OLD}/1"})
    credentials.record_health("b2", "telegram", {"status": "bad", "webhook_url": f"{OLD}/2"})

    of_an_operator = boto3.client("dynamodb")
    found = connections(of_an_operator, ENVIRONMENT["CREDENTIALS_TABLE"])

    assert sorted(found) == [
        Connection("b1", "telegram", f"{OLD}/1"),
        Connection("b2", "telegram", ""),
        Connection("b3", "telegram", ""),
    ]


def test_the_stack_says_where_its_messengers_are() -> None:
    names = ("TelegramApiUrl", "WhatsAppApiUrl", "WhatsAppApiVersion", "ViberApiUrl")
    assert addresses_of({name: name for name in names}) == MessengerAddresses(*names)
