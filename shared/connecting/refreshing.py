"""A menu of commands that follows what its bot's active scenario says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from shared.connecting import connector_for
from shared.connecting.base import Answered
from shared.connecting.caller import Caller, call_by_http
from shared.connecting.menus import Menus, menus_of
from shared.connecting.performing import late_after, perform, told_of
from shared.credential import Credential
from shared.errors import GiveUp, Wait
from shared.observability import logger
from shared.queueing.envelopes import MenuEnvelope
from shared.storage.bots import Bot, pointer_of

WITH_MENUS = ("telegram",)
"""The messengers that list a bot's commands."""

TRY_AGAIN_SECONDS = 30


class Documents(Protocol):
    """The scenarios as they were saved."""

    def document(self, scenario_id: str, revision: int) -> Mapping[str, Any]:
        """Raises `NotFound`."""
        ...


class MenuRefused(GiveUp):
    """A messenger does not take a menu, or nothing at all of this bot; says why."""


def active_menus(bot: Bot, scenarios: Documents) -> Menus:
    """The menus of the bot's active scenario, empty for a bot that has none. Raises `NotFound`."""
    active = pointer_of(bot)
    return menus_of(scenarios.document(active.scenario_id, active.revision)) if active else {}


def refresh_menu(
    work: MenuEnvelope,
    credential: Credential,
    menus: Menus,
    addresses: object,
    caller: Caller = call_by_http,
) -> None:
    """Have the messenger list these commands and no others. Raises `Wait` and `MenuRefused`."""
    connector = connector_for(work.platform, addresses)
    steps = connector.listing(credential, menus, work.former_languages)
    report = perform(connector, steps, caller, late_after())
    failed = next((each for each in report.taken if each.reading.answered is not Answered.DONE), None)
    if failed is None:
        return
    detail = told_of(failed)["detail"]
    logger.warning("a menu was not set", extra={"bot_id": work.bot_id, "detail": detail})
    if failed.reading.answered is Answered.LATER:
        raise Wait(failed.reading.retry_after_seconds or TRY_AGAIN_SECONDS, detail)
    raise MenuRefused(f"the menu was not set: {detail}")
