"""Menus of commands that follow the activation of scenarios: their collaborators."""

from __future__ import annotations

from functions.workers.tasks.collaborators import Collaborators
from shared.connecting.refreshing import active_menus, refresh_menu
from shared.errors import NotFound
from shared.queueing.envelopes import MenuEnvelope
from shared.storage.bots import DynamoBots
from shared.storage.scenarios import DynamoScenarios
from shared.tasks.performing import Attempt, Job


def menu_job(collaborators: Collaborators) -> Job:
    """The row for `menu`: by the scenario that is active when it comes to it, whichever that is."""
    bots, scenarios = DynamoBots(), DynamoScenarios()

    def refresh(work: MenuEnvelope, _attempt: Attempt) -> None:
        credential = collaborators.credentials.get(work.bot_id, work.platform)
        if credential is None or not credential.is_active:
            return  # it gets its menu when it is connected
        try:
            menus = active_menus(bots.get(work.bot_id), scenarios)
        except NotFound:
            return  # deleted since
        refresh_menu(work, credential, menus, collaborators.settings)

    return Job(refresh)
