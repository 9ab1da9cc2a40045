"""Main systems of bots as they are saved: what is wrong with one, who is told of it, and that it is tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from functions.admin.bots.sync_schemas import OF_PERSONS, PostgresSent, SyncChange
from shared.admin_api.outside import Outside
from shared.admin_api.problems import pointer
from shared.backend.sync.runs import FACTS
from shared.errors import Invalid, NotAccepted, NotFound, Violation
from shared.observability import logger
from shared.queueing.envelopes import SyncCheckEnvelope
from shared.queueing.producer import SqsSyncs
from shared.storage.bot_settings import SYNC, DynamoBotSettings, StoredSettings
from shared.storage.bots import Bot, DynamoBots, pointer_of
from shared.storage.scenarios import DynamoScenarios

CHECKING: Final[Mapping[str, Any]] = {"status": "checking", "problems": []}

_NOT_ASKED: Final[Mapping[str, Any]] = {
    "status": "failed",
    "problems": ["It could not be looked at; ask for that with POST …/sync/test."],
}


@dataclass(frozen=True, slots=True)
class MainSystems:
    """What a sync has to do with beside its own settings."""

    settings: DynamoBotSettings
    bots: DynamoBots
    scenarios: DynamoScenarios
    syncs: SqsSyncs
    outside: Outside

    def require_right(self, change: SyncChange, bot: Bot) -> None:
        """Raises `Invalid` with all that can be told without asking the main system."""
        violations = [*change.violations(), *self._misled(change), *self._unknown(change, bot)]
        if violations:
            raise Invalid("The sync is not valid; every reason is listed in errors.", violations)

    def follow(self, bot_id: str) -> None:
        """Let the bot's turns know what is set by now, whoever else changes the bot, or sets this.

        What they were told is compared with what is set once more: of two at once, the last to tell tells
        what holds.
        """
        known = _told_to_turns(self.settings.find(bot_id, SYNC))
        bot = self.bots.get(bot_id)
        if known == {"has_sync": bot.has_sync, "contact_fields": {**bot.contact_fields}}:
            return
        told = None
        while known != told:
            self.bots.change(bot_id, **known)
            told, known = known, _told_to_turns(self.settings.find(bot_id, SYNC))

    def ask(self, stored: StoredSettings) -> StoredSettings:
        """Ask for the main system to be tried; the settings with the health that they have until then.

        Raises `NotAccepted` where that cannot be asked for; the health says so.
        """
        self._record(stored, CHECKING)
        try:
            self.syncs.send(SyncCheckEnvelope(bot_id=stored.bot_id, trace_id=str(uuid4())))
        except NotAccepted:
            self._record(stored, _NOT_ASKED)
            raise
        return replace(stored, health={**CHECKING})

    def ask_if_possible(self, stored: StoredSettings) -> StoredSettings:
        """As `ask`, but no failure of a change: a secret that was made is shown only once."""
        try:
            return self.ask(stored)
        except NotAccepted as error:
            logger.warning("a sync is not looked at", extra={"bot_id": stored.bot_id, "reason": str(error)})
            return replace(stored, health={**_NOT_ASKED})

    def _record(self, stored: StoredSettings, health: Mapping[str, Any]) -> None:
        self.settings.record_health(stored.bot_id, SYNC, health, met=stored.updated_at)

    def _misled(self, change: SyncChange) -> Iterator[Violation]:
        sink = change.sink
        if isinstance(sink, PostgresSent):
            field, flaw = "host", self.outside.flaw_of_host(sink.host, sink.port)
        else:
            field, flaw = "url", self.outside.flaw_of_url(sink.url)
        if flaw:
            yield Violation(pointer(["sink", field]), flaw, "address")

    def _unknown(self, change: SyncChange, bot: Bot) -> Iterator[Violation]:
        """Variables that the active scenario does not have; none of them before the first activation."""
        variables = self._variables_of(bot)
        if variables is None:
            return
        for path, source in _variables_named(change):
            if source not in variables:
                yield Violation(pointer(path), "The active scenario has no such variable.", "unknown")

    def _variables_of(self, bot: Bot) -> frozenset[str] | None:
        from shared.scenario.columns import types_of  # noqa: PLC0415 (the language is slow to import)

        active = pointer_of(bot)
        if active is None:
            return None
        with suppress(NotFound):
            return frozenset(types_of(self.scenarios.document(active.scenario_id, active.revision)))
        return None


def _told_to_turns(stored: StoredSettings | None) -> dict[str, Any]:
    contact = None if stored is None else stored.public.get("contact")
    return {"has_sync": stored is not None, "contact_fields": contact["fields"] if contact else {}}


def _variables_named(change: SyncChange) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the way to it."""
    for source in change.mapping.keys() - FACTS:
        yield ("mapping", source), source
    matched = {} if change.contact is None else change.contact.match
    for column, source in matched.items():
        if source not in OF_PERSONS:
            yield ("contact", "match", column), source
