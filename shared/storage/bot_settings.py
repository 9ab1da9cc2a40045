"""What a bot has beside its platforms: its language model, its sync, and secrets that scenarios name.

Secrets are sealed before they leave this process, bound to their bot and name. The admin API may seal and
not open, so a change keeps what is sealed, or brings all of it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
from pynamodb.exceptions import DeleteError, PutError, PynamoDBException, UpdateError
from pynamodb.expressions.condition import Condition

from shared.errors import Conflict, NotFound
from shared.pages import Page, Position
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_overtaken
from shared.storage.credentials import hint_of
from shared.storage.paging import page_of, slice_of
from shared.storage.sealing import KmsSealer
from shared.storage.tables import BotSettings

LLM: Final = "llm"
SYNC: Final = "sync"
VALUE: Final = "value"
"""Under this name lies the one secret of settings that hold a secret for scenarios."""

CHANGED = "they were changed by somebody else at the same time"

_SECRETS: Final = "secret#"


def name_of_secret(name: str) -> str:
    """The name of the settings that hold the secret which scenarios call so."""
    return _SECRETS + name


def is_secret(name: str) -> bool:
    """Whether settings of that name hold such a secret."""
    return name.startswith(_SECRETS)


def secret_name_of(name: str) -> str:
    """What scenarios call the secret that the settings of that name hold."""
    return name.removeprefix(_SECRETS)


def names_of(bot_id: str, most: int) -> frozenset[str] | None:
    """The names of all settings of a bot (a consistent read); None where there are more than `most`."""
    found = BotSettings.query(bot_id, attributes_to_get=["name"], consistent_read=True, limit=most + 1)
    names = frozenset(item.name for item in found)
    return names if len(names) <= most else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettings:
    """Settings as the members of their account may see them: what is `public`, and a hint of each secret.

    A hint is the secret's last four characters, or "" if it is too short for that. `health` is how what
    they lead to was last found.
    """

    bot_id: str
    name: str
    public: dict[str, Any] = field(repr=False)
    hints: dict[str, str] = field(repr=False)
    health: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RevealedSettings:
    """Settings with their secrets in the clear: for memory only. `updated_at` tells which version it is."""

    public: dict[str, Any] = field(repr=False)
    secrets: dict[str, str] = field(repr=False)
    updated_at: datetime


class DynamoBotSettings:
    """Settings over DynamoDB and KMS."""

    def __init__(self, sealer: KmsSealer, clock: Clock = utc_now) -> None:
        self._sealer = sealer
        self._clock = clock

    def put(
        self,
        bot_id: str,
        name: str,
        public: Mapping[str, Any],
        secrets: Mapping[str, str] | None,
        *,
        health: Mapping[str, Any] | None = None,
        met: datetime | None = None,
    ) -> StoredSettings:
        """Write settings in the place of any that are there; `secrets` of None keep those that are sealed.

        `met` is the `updated_at` that the caller has seen. Raises `Conflict` if somebody else has changed
        them since, and `NotFound` if there are none that could be kept.
        """
        found = BotSettings.find(bot_id, name)
        require_met(found.updated_at if found else None, met)
        item = self._written(found, BotSettings(bot_id, name), secrets)
        item.public, item.health = _json(public), _json(health or {})
        try:
            item.save(_unchanged(found))
        except PutError as error:
            raise _refusal(error) from None
        return _stored_of(item)

    def _written(
        self, found: BotSettings | None, item: BotSettings, secrets: Mapping[str, str] | None
    ) -> BotSettings:
        item.updated_at = self._clock()
        item.created_at = found.created_at if found else item.updated_at
        if secrets is not None:
            item.hints = _json({name: hint_of(value) for name, value in secrets.items()})
            item.sealed = self._sealer.seal(msgspec.json.encode(secrets), _context(item.bot_id, item.name))
        elif found is not None:
            item.hints, item.sealed = found.hints, found.sealed
        else:
            raise NotFound("settings")
        return item

    def get(self, bot_id: str, name: str) -> StoredSettings:
        """The settings without their secrets (a consistent read). Raises `NotFound`."""
        found = self.find(bot_id, name)
        if found is None:
            raise NotFound("settings")
        return found

    def find(self, bot_id: str, name: str) -> StoredSettings | None:
        """As `get`, or None."""
        item = BotSettings.find(bot_id, name)
        return None if item is None else _stored_of(item)

    def secrets(self, bot_id: str, limit: int, start: Position | None = None) -> Page[StoredSettings]:
        """The secrets that scenarios of the bot may name, by name, and none of their values."""
        begins = BotSettings.name.startswith(_SECRETS)
        found = BotSettings.query(bot_id, begins, consistent_read=True, **slice_of(limit, start))
        return page_of(found, _stored_of)

    def reveal(self, bot_id: str, name: str) -> RevealedSettings | None:
        """The settings with their secrets, or None. A call to DynamoDB and one or more to KMS: cache it."""
        item = BotSettings.find(bot_id, name)
        if item is None:
            return None
        opened = self._sealer.open(item.sealed, _context(bot_id, name))
        secrets = msgspec.json.decode(opened, type=dict[str, str])
        return RevealedSettings(msgspec.json.decode(item.public), secrets, item.updated_at)

    def record_health(self, bot_id: str, name: str, health: Mapping[str, Any], *, met: datetime) -> bool:
        """Keep how what the settings of that version lead to was found; False if they are others by now."""
        written = BotSettings.health.set(_json(health))
        try:
            BotSettings(bot_id, name).update([written], BotSettings.updated_at == met)
        except UpdateError as error:
            if is_overtaken(error):
                return False
            raise
        return True

    def delete(self, bot_id: str, name: str, *, met: datetime | None = None) -> None:
        """Forget the settings. Raises `NotFound`, and `Conflict` as `put` does."""
        found = BotSettings.find(bot_id, name)
        if found is None:
            raise NotFound("settings")
        require_met(found.updated_at, met)
        try:
            found.delete(_unchanged(found))
        except DeleteError as error:
            raise _refusal(error) from None


def require_met(current: datetime | None, met: datetime | None) -> None:
    """Raises `Conflict` where the caller has met another version than the current one."""
    if met is not None and met != current:
        raise Conflict(CHANGED)


def _context(bot_id: str, name: str) -> dict[str, str]:
    """What binds a ciphertext to its place; it shows in CloudTrail, so no secret may be in it."""
    return {"bot_id": bot_id, "name": name}


def _unchanged(found: BotSettings | None) -> Condition:
    if found is None:
        return BotSettings.bot_id.does_not_exist()
    return BotSettings.updated_at == found.updated_at


def _refusal(error: PynamoDBException) -> Exception:
    return Conflict(CHANGED) if is_overtaken(error) else error


def _json(values: Mapping[str, Any]) -> str:
    return msgspec.json.encode(values).decode()


def _stored_of(item: BotSettings) -> StoredSettings:
    return StoredSettings(
        bot_id=item.bot_id,
        name=item.name,
        public=msgspec.json.decode(item.public),
        hints=msgspec.json.decode(item.hints),
        health=msgspec.json.decode(item.health),
        created_at=item.created_at,
        updated_at=item.updated_at,
    )
