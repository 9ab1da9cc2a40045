"""One deployment for all tests here: the real template on an embedded AWS, with IAM enforced.

Stand-ins take the messengers' place; they refuse what the real ones would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.local.embedded import EmbeddedParley
from infra.local.ports import free_port
from infra.local.running import RunInfo
from infra.local.settings import Settings
from tests.deployed.admin import Admin
from tests.deployed.webchat import WebchatPerson
from tests.postgres import Postgres
from tests.standins.openai import OpenAiStandIn
from tests.standins.server import Answer, Incoming, StandIn, answer_json
from tests.standins.telegram import TelegramStandIn
from tests.standins.viber import ViberStandIn
from tests.standins.whatsapp import WhatsAppStandIn

TELEGRAM_SECRET = "a-secret-of-the-telegram-webhook"
ORDERS_TOKEN = "a-token-that-opens-the-orders"


@dataclass(frozen=True)
class Messengers:
    """Each with one bot's account, the tokens it knows, and what it was sent."""

    telegram: TelegramStandIn
    whatsapp: WhatsAppStandIn
    viber: ViberStandIn

    @property
    def all(self) -> tuple[StandIn, ...]:
        return self.telegram, self.whatsapp, self.viber


@pytest.fixture(scope="session")
def messengers() -> Iterator[Messengers]:
    with (
        TelegramStandIn(secret=TELEGRAM_SECRET) as telegram,
        WhatsAppStandIn() as whatsapp,
        ViberStandIn() as viber,
    ):
        yield Messengers(telegram, whatsapp, viber)


class Orders(StandIn):
    """A service that is careless enough to repeat the token that it was shown."""

    def answer(self, request: Incoming) -> Answer:
        heard = request.headers.get("authorization")
        if heard != f"Bearer {ORDERS_TOKEN}":
            return answer_json({"error": "nobody knows you"}, 401)
        return answer_json({"status": "free", "heard": heard}, 200 if request.path == "/orders/2" else 404)

    def is_send(self, request: Incoming) -> bool:
        return False


@dataclass(frozen=True)
class Outside:
    """What bots work with beside messengers."""

    models: OpenAiStandIn
    orders: Orders
    postgres: Postgres

    @property
    def private_hosts(self) -> str:
        servers = (server.url.removeprefix("http://") for server in (self.models, self.orders))
        return ",".join([*servers, f"{self.postgres.host}:{self.postgres.port}"])


@pytest.fixture(scope="session")
def outside(postgres: Postgres) -> Iterator[Outside]:
    with OpenAiStandIn() as models, Orders() as orders:
        yield Outside(models, orders, postgres)


@pytest.fixture(scope="session")
def parley(
    tmp_path_factory: pytest.TempPathFactory, messengers: Messengers, outside: Outside
) -> Iterator[RunInfo]:
    urls = {
        "TelegramApiUrl": messengers.telegram.url,
        "WhatsAppApiUrl": messengers.whatsapp.url,
        "ViberApiUrl": messengers.viber.url,
        "PrivateHosts": outside.private_hosts,
    }
    settings = Settings(port=free_port(), state_dir=tmp_path_factory.mktemp("parley"), parameters=urls)
    with EmbeddedParley(settings) as running:
        yield running


@pytest.fixture(scope="session")
def admin(parley: RunInfo) -> Admin:
    return Admin(parley.api_url, parley.admin_token)


@pytest.fixture(scope="session")
def bot_id(parley: RunInfo, admin: Admin, messengers: Messengers) -> str:
    """The seeded onboarding bot, connected to every messenger."""
    telegram, whatsapp, viber = messengers.telegram, messengers.whatsapp, messengers.viber
    credentials = {
        "telegram": {"bot_token": telegram.token, "webhook_secret": TELEGRAM_SECRET},
        "whatsapp": {
            "phone_number_id": whatsapp.phone_number_id,
            "access_token": whatsapp.access_token,
            "app_secret": whatsapp.app_secret,
        },
        "viber": {"auth_token": viber.auth_token, "sender_name": "Onboarding"},
    }
    for platform, fields in credentials.items():
        body = {"platform": platform, "credentials": fields, "is_active": True}
        admin.post(f"/api/bots/{parley.bot_id}/platforms", body)
    return parley.bot_id


@pytest.fixture(scope="session")
def webhook(parley: RunInfo, bot_id: str) -> dict[str, str]:
    """The address of the bot's webhook on each platform."""
    platforms = ("telegram", "whatsapp", "viber", "webchat")
    return {platform: f"{parley.api_url}/api/webhook/{platform}/{bot_id}" for platform in platforms}


@pytest.fixture
def visitor(webhook: dict[str, str]) -> WebchatPerson:
    """Somebody who has just opened the web chat."""
    return WebchatPerson(webhook["webchat"])
