"""Menus that follow the activation of scenarios, shown by a Telegram that is strict."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.connecting.base import Call
from shared.connecting.caller import Unanswered
from shared.connecting.menus import Menus
from shared.connecting.refreshing import TRY_AGAIN_SECONDS, MenuRefused, active_menus, refresh_menu
from shared.credential import Credential
from shared.errors import Wait
from shared.platforms import PLATFORMS, MessengerAddresses
from shared.platforms.base import Response
from shared.queueing.envelopes import MenuEnvelope
from shared.storage.bots import Bot
from tests.standins.telegram import TelegramStandIn

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HELP: Menus = {"de": (("help", "Hilfe"),), "": (("help", "Help"),)}


@pytest.fixture(scope="module")
def running() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as standin:
        yield standin


@pytest.fixture
def telegram(running: TelegramStandIn) -> TelegramStandIn:
    running.menus.clear()
    return running


def refresh(telegram: TelegramStandIn, menus: Menus, *former: str) -> None:
    credential = Credential("c", "b", "telegram", is_active=True, settings={"bot_token": telegram.token})
    work = MenuEnvelope(bot_id="b", platform="telegram", trace_id="t", former_languages=former)
    refresh_menu(work, credential, menus, MessengerAddresses(telegram_api_url=telegram.url))


def test_a_menu_is_shown_in_the_languages_of_the_scenario(telegram: TelegramStandIn) -> None:
    refresh(telegram, HELP)
    assert telegram.menus == {
        "de": [{"command": "help", "description": "Hilfe"}],
        "": [{"command": "help", "description": "Help"}],
    }


@pytest.mark.parametrize(
    ("menus", "languages"),
    [({"": (("stop", "Stop"),)}, {""}), ({"fr": (("stop", "Arrêt"),)}, {"fr"}), ({}, set())],
)
def test_a_language_of_the_scenario_before_is_no_more(
    telegram: TelegramStandIn, menus: Menus, languages: set[str]
) -> None:
    refresh(telegram, HELP)
    refresh(telegram, menus, "de", "")
    assert set(telegram.menus) == languages


@pytest.mark.parametrize("platform", sorted(set(PLATFORMS) - {"telegram"}))
def test_where_there_are_no_menus_nobody_is_asked(platform: str) -> None:
    def unexpected(call: Call) -> Response:
        raise AssertionError(call)

    work = MenuEnvelope(bot_id="b", platform=platform, trace_id="t", former_languages=("de",))
    credential = Credential("c", "b", platform, is_active=True, settings={})
    refresh_menu(work, credential, HELP, MessengerAddresses(), unexpected)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Unanswered("ConnectTimeout"), TRY_AGAIN_SECONDS),
        (Response(429, b'{"ok": false, "parameters": {"retry_after": 3000}}'), 3000),
    ],
    ids=["no answer", "too often"],
)
def test_what_passes_is_waited_for_as_long_as_the_messenger_asks(answer: Any, seconds: float) -> None:
    with pytest.raises(Wait) as wait:
        refresh_by(answer)
    assert wait.value.seconds == seconds
    assert "secret" not in str(wait.value)


@pytest.mark.parametrize(
    "answer",
    [
        Response(400, b'{"ok": false, "description": "BOT_COMMAND_INVALID"}'),
        Response(401, b'{"ok": false, "description": "Unauthorized"}'),
    ],
    ids=["refused", "another token"],
)
def test_what_a_messenger_refuses_is_told(answer: Response) -> None:
    with pytest.raises(MenuRefused) as told:
        refresh_by(answer)
    assert "secret" not in str(told.value)


def refresh_by(answer: Any) -> None:
    """With a messenger that answers so."""

    def caller(_: Call) -> Response:
        if isinstance(answer, Exception):
            raise answer
        return Response(answer.status, answer.body)

    work = MenuEnvelope(bot_id="b", platform="telegram", trace_id="t")
    credential = Credential("c", "b", "telegram", is_active=True, settings={"bot_token": "1:secret"})
    refresh_menu(work, credential, HELP, MessengerAddresses(), caller)


class Saved:
    def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
        assert (scenario_id, revision) == ("s", 2)
        return {"commands": {"/help": {"description": "Help"}}}


@pytest.mark.parametrize(
    ("active", "menus"),
    [({"active_scenario_id": "s", "active_revision": 2}, {"": (("help", "Help"),)}), ({}, {})],
    ids=["active", "none active"],
)
def test_the_menus_are_those_of_the_active_revision(active: dict[str, Any], menus: Menus) -> None:
    bot = Bot(id="b", account_id="a", name="A bot", created_at=NOW, updated_at=NOW, **active)
    assert active_menus(bot, Saved()) == menus
