"""The tables of Parley as PynamoDB models: every key and index is documented here, and only here.

All models talk through the one client of `shared.aws`. Left alone, PynamoDB would give each model a
session, a client and a pool of TLS connections of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.connection.table import TableConnection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from shared import aws
from shared.settings import required

MAX_ITEM_BYTES = 390 * 1024
"""DynamoDB refuses items over 400 KB with an error that does not say which; we refuse sooner, by name."""

_MAX_HASH_KEY_BYTES = 2048
_MAX_RANGE_KEY_BYTES = 1024
_MAX_NUMBER = 10**38


class Table(Model):
    """The base of all models. `Meta.variable` is the environment variable with the table's name."""

    class Meta:
        table_name = ""
        variable: ClassVar[str] = ""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        if not cls.Meta.table_name:
            cls.Meta.table_name = required(cls.Meta.variable)
        connection = super()._get_connection()
        connection.connection._client = aws.client("dynamodb")  # type: ignore[assignment]  # noqa: SLF001
        return connection

    @classmethod
    def find(
        cls, hash_key: str, range_key: str | int | None = None, attributes: Sequence[str] | None = None
    ) -> Self | None:
        """The item, by a consistent read, or None; also for a key that no item can have.

        Keys come out of URLs: DynamoDB answers an empty or overlong one with an error, not with nothing.
        """
        if not _is_key(hash_key, _MAX_HASH_KEY_BYTES):
            return None
        if range_key is not None and not _is_key(range_key, _MAX_RANGE_KEY_BYTES):
            return None
        try:
            return cls.get(hash_key, range_key, consistent_read=True, attributes_to_get=attributes)
        except cls.DoesNotExist:
            return None

    @classmethod
    def transaction(cls) -> TransactWrite:
        """Writes that happen all or not at all, of any of the tables."""
        return TransactWrite(connection=cls._get_connection().connection)

    def size(self) -> int:
        """The bytes DynamoDB will count for this item, near enough: names and values."""
        return sum(
            len(name.encode()) + _size_of(value)
            for name, typed in self.serialize().items()
            for value in typed.values()
        )


def _is_key(value: str | int, max_bytes: int) -> bool:
    if isinstance(value, int):
        return abs(value) < _MAX_NUMBER
    return value.isprintable() and 0 < len(value.encode()) <= max_bytes


def whole(number: float | None) -> int | None:
    """A number as PynamoDB types it, as the whole number that all of ours are."""
    return None if number is None else int(number)


def _size_of(value: Any) -> int:
    return len(value) if isinstance(value, bytes) else len(str(value).encode())


class ByAccount(GlobalSecondaryIndex["BotInstance"]):  # type: ignore[no-untyped-call]
    """The bots of an account in order of their making."""

    class Meta:
        index_name = "by_account"
        projection = AllProjection()

    account_id = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class BotInstance(Table):
    """Bots. Key: `id`. Index `by_account`: `account_id`, `created_at`. `active_called` and `contact_fields`
    are JSON.

    Only a deleted one has `deleted_at`: see `DeletedBot`.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "BOTS_TABLE"

    id = UnicodeAttribute(hash_key=True)
    account_id = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute(default="")
    timezone = UnicodeAttribute(default="UTC")
    is_active = BooleanAttribute()
    active_scenario_id = UnicodeAttribute(null=True)
    active_revision = NumberAttribute(null=True)
    active_called = UnicodeAttribute(null=True)
    active_running = UnicodeAttribute(null=True)
    has_sync = BooleanAttribute(null=True)
    contact_fields = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    deleted_at = UTCDateTimeAttribute(null=True)

    by_account = ByAccount()


class DeletedBot(Table):
    """What stays of deleted bots, in their own place and outside of the index. Key: `id`."""

    class Meta(Table.Meta):
        table_name = ""
        variable = "BOTS_TABLE"

    id = UnicodeAttribute(hash_key=True)
    deleted_at = UTCDateTimeAttribute()


class BotPlatformCredential(Table):
    """Credentials. Key: `bot_id`, `platform`.

    `public`, `hints` and `health` are JSON objects; `ciphertext` is the secrets', by KMS. `marker` is the
    key of the `IdentityMarker` that the credential holds.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "CREDENTIALS_TABLE"

    bot_id = UnicodeAttribute(hash_key=True)
    platform = UnicodeAttribute(range_key=True)
    id = UnicodeAttribute()
    is_active = BooleanAttribute()
    public = UnicodeAttribute()
    hints = UnicodeAttribute()
    health = UnicodeAttribute(default="{}")
    ciphertext = BinaryAttribute(legacy_encoding=False)
    marker = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()


class IdentityMarker(Table):
    """Identities in use, among the credentials, so that no two bots share a token or a phone number.

    Key: `bot_id` (here "identity#" and a hash), `platform` (here "#", which no platform is called).
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "CREDENTIALS_TABLE"

    bot_id = UnicodeAttribute(hash_key=True)
    platform = UnicodeAttribute(range_key=True, default="#")
    owner = UnicodeAttribute()


class ByBot(GlobalSecondaryIndex["BotScenario"]):  # type: ignore[no-untyped-call]
    """The scenarios of a bot in order of their making."""

    class Meta:
        index_name = "by_bot"
        projection = AllProjection()

    bot_id = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class BotScenario(Table):
    """Heads of scenarios. Key: `id`. Index `by_bot`: `bot_id`, `created_at`."""

    class Meta(Table.Meta):
        table_name = ""
        variable = "SCENARIOS_TABLE"

    id = UnicodeAttribute(hash_key=True)
    bot_id = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute(default="")
    version = UnicodeAttribute(default="")
    latest_revision = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()

    by_bot = ByBot()


class ScenarioRevision(Table):
    """Immutable revisions of scenarios. Key: `scenario_id`, `revision` (1, 2, …).

    `document` is the scenario as JSON, compressed with zlib.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "REVISIONS_TABLE"

    scenario_id = UnicodeAttribute(hash_key=True)
    revision = NumberAttribute(range_key=True)
    document = BinaryAttribute(legacy_encoding=False)
    created_at = UTCDateTimeAttribute()


class ByActivity(GlobalSecondaryIndex["BotDialogState"]):  # type: ignore[no-untyped-call]
    """The dialogs of a bot by the hour of their last turn, spread over shards; keys only."""

    class Meta:
        index_name = "by_activity"
        projection = KeysOnlyProjection()

    listing_shard = UnicodeAttribute(hash_key=True)
    last_active_hour = UnicodeAttribute(range_key=True)


class BotDialogState(Table):
    """Dialogs. Key: `id`. Index `by_activity`: `listing_shard` ("{bot_id}#{0..7}"), `last_active_hour`.

    `state` is the whole dialog as JSON, and the only truth; the other attributes repeat from it what
    keys, conditions and people at the console need. In the place of a deleted one lies a `DeletedDialog`.
    `alias_of` is the id of the dialog in which a person goes on: beside all else of one that was left for
    it, or with `bot_id` alone under the id of an identity that never had one.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "DIALOGS_TABLE"

    id = UnicodeAttribute(hash_key=True)
    bot_id = UnicodeAttribute()
    platform = UnicodeAttribute()
    platform_chat_id = UnicodeAttribute()
    status = UnicodeAttribute()
    current_step = UnicodeAttribute(null=True)
    run = NumberAttribute()
    scenario_id = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    turn = NumberAttribute()
    epoch = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    last_interaction_at = UTCDateTimeAttribute()
    listing_shard = UnicodeAttribute()
    last_active_hour = UnicodeAttribute()
    state = UnicodeAttribute()
    remains = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    alias_of = UnicodeAttribute(null=True)

    by_activity = ByActivity()


class DeletedDialog(Table):
    """What is left of deleted dialogs, in their place and outside of the index. Key: `id`.

    `remains` is JSON. DynamoDB deletes the item some time after `expires_at`.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "DIALOGS_TABLE"

    id = UnicodeAttribute(hash_key=True)
    remains = UnicodeAttribute()
    expires_at = TTLAttribute()


class ByRunEnd(GlobalSecondaryIndex["BotDialogHistory"]):  # type: ignore[no-untyped-call]
    """The entries of a bot that ended a run, in order of that, spread over shards; no others are in it."""

    class Meta:
        index_name = "by_run_end"
        projection = IncludeProjection(["payload"])

    results_shard = UnicodeAttribute(hash_key=True)
    run_end = UnicodeAttribute(range_key=True)
    payload = UnicodeAttribute()


class BotDialogHistory(Table):
    """What was said, and how far it came. Key: `dialog_id`, `entry` ("epoch/turn/n").

    Index `by_run_end`: `results_shard` ("{bot_id}#{0..7}"), `run_end` ("{time}/{dialog_id}/{entry}"), both of
    them only on entries that ended a run.

    `payload` is the whole entry as JSON, but for the messenger's `receipt`, which has a hand of its own:
    JSON too, and of a `receipt_rank` that only rises. DynamoDB deletes the item some time after `expires_at`.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "HISTORY_TABLE"

    dialog_id = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    message_type = UnicodeAttribute()
    delivery_status = UnicodeAttribute(null=True)
    timestamp = UTCDateTimeAttribute()
    created_at = UTCDateTimeAttribute()
    payload = UnicodeAttribute()
    receipt = UnicodeAttribute(null=True)
    receipt_rank = NumberAttribute(null=True)
    results_shard = UnicodeAttribute(null=True)
    run_end = UnicodeAttribute(null=True)
    expires_at = TTLAttribute()

    by_run_end = ByRunEnd()


class ByOwner(GlobalSecondaryIndex["BotMediaFile"]):  # type: ignore[no-untyped-call]
    """The files of a bot's library, or of a dialog, in order of their coming."""

    class Meta:
        index_name = "by_owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class BotMediaFile(Table):
    """Files. Key: `id`. Index `by_owner`: `owner` ("bot#{bot_id}" or "dialog#{dialog_id}"), `created_at`.

    `variants` is JSON, `platform_file_ids` a map of platform → JSON. DynamoDB deletes what never arrived
    some time after `expires_at`.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "MEDIA_TABLE"

    id = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()
    bot_id = UnicodeAttribute()
    dialog_id = UnicodeAttribute(null=True)
    file_type = UnicodeAttribute()
    file_name = UnicodeAttribute()
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    content_type = UnicodeAttribute(null=True)
    file_size = NumberAttribute(attr_name="size", default=0)
    width = NumberAttribute(default=0)
    height = NumberAttribute(default=0)
    duration_seconds = NumberAttribute(default=0)
    storage_path = UnicodeAttribute(null=True)
    link_key = UnicodeAttribute(null=True)
    platform_file_ids: MapAttribute[str, str] = MapAttribute(default=dict)  # type: ignore[no-untyped-call]
    variants = UnicodeAttribute(default="{}")
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    expires_at = TTLAttribute(null=True)

    by_owner = ByOwner()


class BotSettings(Table):
    """What a bot has beside its platforms. Key: `bot_id`, `name` ("llm", "sync", "secret#" and a name).

    `public`, `hints` and `health` are JSON objects; `sealed` holds the secrets, encrypted by KMS.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "SETTINGS_TABLE"

    bot_id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    public = UnicodeAttribute()
    hints = UnicodeAttribute()
    health = UnicodeAttribute(default="{}")
    sealed = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()


class BotUsage(Table):
    """What language models cost a bot. Key: `bot_id`, `day` ("2026-11-23", in UTC).

    DynamoDB deletes the item some time after `expires_at`.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "USAGE_TABLE"

    bot_id = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)
    calls = NumberAttribute(default=0)
    prompt_tokens = NumberAttribute(default=0)
    completion_tokens = NumberAttribute(default=0)
    cache_hits = NumberAttribute(default=0)
    saved_tokens = NumberAttribute(default=0)
    expires_at = TTLAttribute()


class SyncRefusal(Table):
    """What a bot's sink has refused. Key: `bot_id`, `id`, which begins with when that was.

    `dialog` is "{dialog_id}:{epoch}", `refusal` is JSON, `sealed` the run with all that it collected,
    encrypted by KMS. DynamoDB deletes the item some time after `expires_at`.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "REFUSALS_TABLE"

    bot_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    dialog = UnicodeAttribute()
    refusal = UnicodeAttribute()
    sealed = UnicodeAttribute()
    expires_at = TTLAttribute()


class Cache(Table):
    """What is of use for a while. Key: `key`, whose first word tells the kind (see `holds` and `names`).

    DynamoDB deletes the item some time after `expires_at`: whoever reads it looks at the time as well.
    """

    class Meta(Table.Meta):
        table_name = ""
        variable = "CACHE_TABLE"

    key = UnicodeAttribute(hash_key=True)
    value = UnicodeAttribute()
    expires_at = TTLAttribute()


TABLES: tuple[type[Table], ...] = (
    BotInstance,
    BotPlatformCredential,
    BotScenario,
    ScenarioRevision,
    BotDialogState,
    BotDialogHistory,
    BotMediaFile,
    BotSettings,
    BotUsage,
    SyncRefusal,
    Cache,
)
