"""Bots: who owns them, whether they run, and the scenario that their new runs follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import msgspec
from pynamodb.exceptions import PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import And, Condition
from pynamodb.expressions.update import Action

from shared.dialog.ports import ActiveScenario, Running
from shared.errors import Conflict, NoSuchBot
from shared.pages import Page, Position
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_overtaken, is_refused, refused_writes
from shared.storage.paging import page_of, slice_of
from shared.storage.tables import BotInstance, BotScenario, DeletedBot, whole

CHANGEABLE = frozenset(
    {
        "name",
        "description",
        "timezone",
        "is_active",
        "active_scenario_id",
        "active_revision",
        "active_called",
        "active_running",
        "has_sync",
        "contact_fields",
    }
)
"""The fields of a bot that can be changed once it exists."""

_MAPPINGS = ("active_called", "contact_fields")
"""Those that are saved as JSON."""

_CHANGED = "the bot was changed by somebody else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot; the active pointer is None until a scenario has been activated.

    `active_called` are the revisions of called scenarios that the activation has locked, by id;
    `active_running` is what it means for runs under way. The bot's sync is told here in so far as turns need
    it: `has_sync` says that runs which end are sent somewhere, `contact_fields` maps the fields of people's
    records in the account's main system to their types.
    """

    id: str
    account_id: str
    name: str
    description: str = ""
    timezone: str = "UTC"
    is_active: bool = True
    active_scenario_id: str | None = None
    active_revision: int | None = None
    active_called: Mapping[str, int] = field(default_factory=dict)
    active_running: Running = "keep"
    has_sync: bool = False
    contact_fields: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime


def pointer_of(bot: Bot) -> ActiveScenario | None:
    """What a new run of the bot starts with; None before the first activation."""
    if bot.active_scenario_id is None or bot.active_revision is None:
        return None
    return ActiveScenario(
        bot_name=bot.name,
        timezone=bot.timezone,
        scenario_id=bot.active_scenario_id,
        revision=bot.active_revision,
        called=bot.active_called,
        running=bot.active_running,
        has_sync=bot.has_sync,
        contact_fields=bot.contact_fields,
    )


class DynamoBots:
    """Bots over DynamoDB; fulfils `ports.BotRepository`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def create(self, bot: Bot) -> None:
        """Keep a new bot. Raises `Conflict` if its id is taken."""
        try:
            _item_of(bot).save(BotInstance.id.does_not_exist())
        except PutError as error:
            if is_refused(error):
                raise Conflict("a bot with this id exists already") from None
            raise

    def get(self, bot_id: str) -> Bot:
        """The bot as last changed (a consistent read). Raises `NotFound`."""
        return _bot_of(_living(bot_id))

    def change(self, bot_id: str, *, met: datetime | None = None, **fields: Any) -> Bot:
        """Set some of the fields in `CHANGEABLE`, and `updated_at`, in one write; None clears a field.

        `met` is the `updated_at` of the bot that the caller has seen. Raises `NotFound`, and `Conflict`
        if the bot has been changed since.
        """
        item = BotInstance(bot_id)
        try:
            item.update(_actions(fields, self._clock()), _exists_unchanged(met))
        except UpdateError as error:
            if not is_overtaken(error):
                raise
            self.get(bot_id)
            raise Conflict(_CHANGED) from None
        return _bot_of(item)

    def activate(
        self, bot_id: str, scenario_id: str, revision: int, *, called: Mapping[str, int], running: Running
    ) -> Bot:
        """Let new runs follow the scenario, if that and all that it calls are still the bot's.

        Raises `NotFound`, and `Conflict` if one of them was deleted meanwhile.
        """
        fields = {
            "active_scenario_id": scenario_id,
            "active_revision": revision,
            "active_called": called,
            "active_running": running,
        }
        is_the_bots = BotScenario.bot_id == bot_id
        try:
            with BotInstance.transaction() as transaction:
                for needed in {scenario_id, *called}:
                    transaction.condition_check(BotScenario, needed, condition=is_the_bots)
                actions = _actions(fields, self._clock())
                transaction.update(BotInstance(bot_id), actions, _exists_unchanged(None))
        except TransactWriteError as error:
            if not refused_writes(error):
                raise
            self.get(bot_id)
            raise Conflict("a scenario that is needed was deleted, or another activated, meanwhile") from None
        return self.get(bot_id)

    def delete(self, bot_id: str, *, met: datetime | None = None) -> None:
        """Let nothing be left of the bot but that it was deleted: from now on it is as if it had never been.

        `met` is as in `change`. Raises `NotFound`, `Conflict`.
        """
        try:
            DeletedBot(bot_id, deleted_at=self._clock()).save(_exists_unchanged(met))
        except PutError as error:
            if not is_overtaken(error):
                raise
            self.get(bot_id)
            raise Conflict(_CHANGED) from None

    def deleted_at(self, bot_id: str) -> datetime | None:
        """When the bot was deleted (a consistent read); None if it lives, or has never been."""
        item = BotInstance.find(bot_id, attributes=["deleted_at"])
        return None if item is None else item.deleted_at

    def of_account(self, account_id: str, limit: int, start: Position | None = None) -> Page[Bot]:
        """The account's bots, the newest first."""
        found = BotInstance.by_account.query(account_id, scan_index_forward=False, **slice_of(limit, start))
        return page_of(found, _bot_of)

    def active_scenario(self, bot_id: str) -> ActiveScenario | None:
        """The pointer a new run follows (a consistent read), if the bot has one. Raises `NoSuchBot`."""
        return pointer_of(self.get(bot_id))

    def is_active(self, bot_id: str) -> bool | None:
        """Whether the bot is switched on (a consistent read); None if there is no such bot."""
        item = BotInstance.find(bot_id, attributes=["is_active", "deleted_at"])
        return None if item is None or _is_deleted(item) else item.is_active


def _living(bot_id: str) -> BotInstance:
    item = BotInstance.find(bot_id)
    if item is None or _is_deleted(item):
        raise NoSuchBot
    return item


def _is_deleted(item: BotInstance) -> bool:
    deleted_at: datetime | None = item.deleted_at
    return deleted_at is not None


def _actions(fields: dict[str, Any], now: datetime) -> list[Action]:
    unknown = fields.keys() - CHANGEABLE
    if unknown:
        raise TypeError(f"a bot's {', '.join(sorted(unknown))} cannot be changed")
    actions: list[Action] = [BotInstance.updated_at.set(now)]
    for name, value in fields.items():
        attribute = getattr(BotInstance, name)
        saved = _json(value) if name in _MAPPINGS else value
        actions.append(attribute.remove() if saved is None else attribute.set(saved))
    return actions


def _json(mapping: Mapping[str, Any] | None) -> str | None:
    return msgspec.json.encode(mapping).decode() if mapping else None


def _exists_unchanged(met: datetime | None) -> Condition:
    exists = BotInstance.account_id.exists()  # a deleted one has none
    return exists if met is None else And(exists, BotInstance.updated_at == met)


def _item_of(bot: Bot) -> BotInstance:
    return BotInstance(
        bot.id,
        account_id=bot.account_id,
        name=bot.name,
        description=bot.description,
        timezone=bot.timezone,
        is_active=bot.is_active,
        active_scenario_id=bot.active_scenario_id,
        active_revision=bot.active_revision,
        active_called=_json(bot.active_called),
        active_running=bot.active_running,
        has_sync=bot.has_sync,
        contact_fields=_json(bot.contact_fields),
        created_at=bot.created_at,
        updated_at=bot.updated_at,
    )


def _bot_of(item: BotInstance) -> Bot:
    return Bot(
        id=item.id,
        account_id=item.account_id,
        name=item.name,
        description=item.description,
        timezone=item.timezone,
        is_active=item.is_active,
        active_scenario_id=item.active_scenario_id,
        active_revision=whole(item.active_revision),
        active_called=_called_of(item.active_called),
        active_running=cast("Running", item.active_running or "keep"),
        has_sync=bool(item.has_sync),
        contact_fields=_fields_of(item.contact_fields),
        created_at=item.created_at,
        updated_at=item.updated_at,
    )


def _called_of(saved: str | None) -> dict[str, int]:
    return msgspec.json.decode(saved, type=dict[str, int]) if saved else {}


def _fields_of(saved: str | None) -> dict[str, str]:
    return msgspec.json.decode(saved, type=dict[str, str]) if saved else {}
