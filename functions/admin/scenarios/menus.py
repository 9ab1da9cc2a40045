"""What an activation has messengers show anew."""

from __future__ import annotations

from uuid import uuid4

from shared.connecting.menus import menus_of
from shared.connecting.refreshing import WITH_MENUS, active_menus
from shared.errors import NotAccepted, NotFound
from shared.observability import logger
from shared.queueing.envelopes import MenuEnvelope
from shared.queueing.producer import SqsTasks
from shared.storage.bots import Bot
from shared.storage.credentials import is_connected
from shared.storage.scenarios import DynamoScenarios, Revision


def refresh_menus(before: Bot, chosen: Revision, scenarios: DynamoScenarios, tasks: SqsTasks) -> None:
    """Have the menus of connected messengers follow the activation, which stands even if they cannot.

    `before` is the bot as it was.
    """
    former = _former_languages(before, scenarios)
    if not former and not menus_of(chosen.document):
        return
    for platform in WITH_MENUS:
        if is_connected(before.id, platform):
            _put(
                MenuEnvelope(
                    bot_id=before.id, platform=platform, trace_id=str(uuid4()), former_languages=former
                ),
                tasks,
            )


def _former_languages(before: Bot, scenarios: DynamoScenarios) -> tuple[str, ...]:
    try:
        return tuple(active_menus(before, scenarios))
    except NotFound:
        return ()


def _put(work: MenuEnvelope, tasks: SqsTasks) -> None:
    try:
        tasks.menu(work)
    except NotAccepted as error:
        logger.error("a menu will not follow", extra={"bot_id": work.bot_id, "reason": str(error)})
