"""The calls, made to messengers that refuse what the real ones would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from shared.connecting import connector_for
from shared.connecting.base import Answered, Call
from shared.connecting.caller import call_by_http
from shared.connecting.menus import Menus
from shared.connecting.performing import Report, perform
from shared.credential import Credential
from shared.platforms import MessengerAddresses
from shared.platforms.base import Response
from tests.standins.server import Answer, Incoming, StandIn
from tests.standins.telegram import TelegramStandIn
from tests.standins.viber import ViberStandIn
from tests.standins.whatsapp import WhatsAppStandIn

MENUS: Menus = {"de": (("help", "Hilfe"),), "": (("help", "Help"),)}
SETTINGS: dict[str, dict[str, str]] = {
    "telegram": {"bot_token": TelegramStandIn().token, "webhook_secret": "s3cret"},
    "whatsapp": {
        "phone_number_id": "106540352242922",
        "access_token": "EAAstandin0123456789token",
        "app_secret": "standin-app-secret",
        "verify_token": "verify-me",
        "business_account_id": "102290129340398",
    },
    "viber": {"auth_token": ViberStandIn().auth_token, "sender_name": "Bot"},
    "webchat": {},
}
NOTHING: Mapping[str, str] = MappingProxyType({})
PROOFS = {"telegram": "bot_token", "whatsapp": "access_token", "viber": "auth_token"}


class OurWebhook(StandIn):
    """Answers as our own webhooks do while they are being registered."""

    is_down = False

    def is_send(self, request: Incoming) -> bool:
        return False

    def answer(self, request: Incoming) -> Answer:
        if self.is_down or request.query.get("hub.verify_token", "verify-me") != "verify-me":
            return Answer(403)
        return Answer(200, request.query.get("hub.challenge", "").encode())


@dataclass
class World:
    telegram: TelegramStandIn
    whatsapp: WhatsAppStandIn
    viber: ViberStandIn
    webhook: OurWebhook

    def connect(
        self, platform: str, menus: Menus | None = None, changed: Mapping[str, str] = NOTHING
    ) -> Report:
        credential = self.credential(platform, changed)
        connector = connector_for(platform, self.addresses)
        return perform(connector, connector.connecting(credential, self.webhook.url, menus), call_by_http)

    def disconnect(self, platform: str) -> Report:
        connector = connector_for(platform, self.addresses)
        return perform(connector, connector.disconnecting(self.credential(platform)), call_by_http)

    def credential(self, platform: str, changed: Mapping[str, str] = NOTHING) -> Credential:
        return Credential("c", "b", platform, is_active=True, settings={**SETTINGS[platform], **changed})

    @property
    def addresses(self) -> MessengerAddresses:
        return MessengerAddresses(self.telegram.url, self.whatsapp.url, "v25.0", self.viber.url)


@pytest.fixture(scope="module")
def standins() -> Iterator[World]:
    with ExitStack() as stack:
        messengers = (TelegramStandIn(), WhatsAppStandIn(), ViberStandIn(), OurWebhook())
        yield World(*(stack.enter_context(each) for each in messengers))  # type: ignore[arg-type]


@pytest.fixture
def world(standins: World) -> World:
    standins.telegram.webhook = standins.whatsapp.callback = standins.viber.webhook = ""
    standins.webhook.is_down = False
    standins.telegram.menus.clear()
    return standins


def registered(world: World, platform: str) -> str:
    return {
        "telegram": world.telegram.webhook,
        "whatsapp": world.whatsapp.callback,
        "viber": world.viber.webhook,
    }[platform]


@pytest.mark.parametrize("platform", PROOFS)
def test_what_is_connected_calls_the_webhook_until_it_is_disconnected(world: World, platform: str) -> None:
    for _ in range(2):
        assert world.connect(platform).failure is None
        assert registered(world, platform) == world.webhook.url
    for _ in range(2):
        assert world.disconnect(platform).failure is None
        assert registered(world, platform) == ""


@pytest.mark.parametrize(
    ("platform", "name"), [("telegram", "Stand-in"), ("whatsapp", "Stand-in"), ("viber", "Stand-in")]
)
def test_the_account_is_named(world: World, platform: str, name: str) -> None:
    assert world.connect(platform).account["name"] == name


@pytest.mark.parametrize(("platform", "field"), PROOFS.items())
def test_a_wrong_token_is_found_out_before_anything_is_registered(
    world: World, platform: str, field: str
) -> None:
    report = world.connect(platform, changed={field: "123:another"})

    assert report.failure is not None
    assert report.failure is report.taken[0]
    assert report.failure.step.proof == field
    assert report.failure.reading.answered is Answered.CREDENTIAL_BAD
    assert "another" not in report.failure.reading.detail
    assert registered(world, platform) == ""


@pytest.mark.parametrize("platform", ["whatsapp", "viber"])
def test_a_webhook_that_does_not_answer_is_refused(world: World, platform: str) -> None:
    world.webhook.is_down = True

    failed = world.connect(platform).failure

    assert failed is not None
    assert (failed.step.name, failed.reading.answered) == ("webhook", Answered.REFUSED)


def test_telegram_gets_the_secret_and_every_kind_of_update_that_is_read(world: World) -> None:
    world.connect("telegram")

    assert world.telegram.webhook_settings == {
        "url": world.webhook.url,
        "secret_token": "s3cret",
        "allowed_updates": [
            "message",
            "edited_message",
            "callback_query",
            "my_chat_member",
            "message_reaction",
        ],
    }


def test_telegram_gets_the_menus_by_language(world: World) -> None:
    world.connect("telegram", MENUS)
    assert world.telegram.menus == {
        "de": [{"command": "help", "description": "Hilfe"}],
        "": [{"command": "help", "description": "Help"}],
    }
    world.connect("telegram", None)
    assert "" in world.telegram.menus
    world.connect("telegram", {})
    assert "" not in world.telegram.menus


def test_a_menu_that_is_refused_leaves_the_bot_connected(world: World) -> None:
    report = world.connect("telegram", {"": (("Not-a-word", "x"),)})

    assert report.failure is None
    assert report.taken[-1].reading.answered is Answered.REFUSED
    assert registered(world, "telegram") == world.webhook.url


@pytest.mark.parametrize("field", ["phone_number_id", "business_account_id"])
def test_whatsapp_tells_an_id_that_is_not_of_the_token(world: World, field: str) -> None:
    failed = world.connect("whatsapp", changed={field: "1"}).failure

    assert failed is not None
    assert failed.reading.answered is Answered.CREDENTIAL_BAD


def test_whatsapp_without_an_account_s_id_is_left_to_the_app_s_subscription(world: World) -> None:
    names = [each.step.name for each in world.connect("whatsapp", changed={"business_account_id": ""}).taken]
    assert names == ["credential", "webhook"]


def test_a_messenger_that_is_not_there_is_for_later(world: World) -> None:
    connector = connector_for("viber", MessengerAddresses(viber_api_url="http://127.0.0.1:9"))
    steps = connector.connecting(world.credential("viber"), world.webhook.url, None)

    failed = perform(connector, steps, call_by_http).failure

    assert failed is not None
    assert failed.reading.answered is Answered.LATER
    assert failed.reading.detail == "no answer (ConnectError)"


def test_no_step_is_begun_when_it_is_late() -> None:
    calls: list[Call] = []

    def caller(call: Call) -> Response:
        calls.append(call)
        return Response(200, b'{"status": 0}')

    connector = connector_for("viber")
    credential = Credential("c", "b", "viber", is_active=True, settings=SETTINGS["viber"])
    steps = connector.connecting(credential, "https://a.example", None)

    report = perform(connector, steps, caller, lambda: len(calls) == 1)

    assert len(calls) == 1
    assert report.failure is not None
    assert report.failure.reading.detail == "there was no time left for it"


def test_an_endless_answer_is_read_up_to_its_limit() -> None:
    class Endless(OurWebhook):
        def answer(self, request: Incoming) -> Answer:
            return Answer(200, b" " * 5_000_000)

    with Endless() as endless:
        assert len(call_by_http(Call("GET", endless.url)).body) == 100_000


def test_the_web_chat_has_nobody_to_tell() -> None:
    connector, credential = connector_for("webchat"), Credential("c", "b", "webchat", True, {})  # noqa: FBT003
    assert connector.connecting(credential, "https://a.example", {}) == ()
    assert connector.disconnecting(credential) == ()


def test_no_call_shows_its_token() -> None:
    calls: list[Any] = []
    for platform, settings in SETTINGS.items():
        credential = Credential("c", "b", platform, is_active=True, settings=settings)
        calls += connector_for(platform).connecting(credential, "https://a.example", MENUS)
        calls += connector_for(platform).disconnecting(credential)

    assert len(calls) == 12
    secrets = {value for each in SETTINGS.values() for name, value in each.items() if len(value) > 15}
    assert not [secret for secret in secrets if secret in repr(calls)]
