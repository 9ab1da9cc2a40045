"""Connected accounts on platforms. Their secrets are encrypted before they leave this process."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from shared.credential import Credential
from shared.errors import Conflict, Invalid, NotFound, Violation
from shared.settings import required
from shared.storage.bots import DynamoBots
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused, refused_writes
from shared.storage.tables import BotPlatformCredential, IdentityMarker

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

MAX_SECRET_BYTES = 4096
"""What KMS encrypts in one call."""

_HINT_LENGTH = 4
_SHORTEST_HINTED = 8
"""Of a shorter secret, four characters would give too much away."""

_REMEMBERED = 256
"""How many decrypted credentials are remembered, so that an unchanged one is not decrypted again."""

_EXISTS = "the bot is connected to this platform already"
_TAKEN = "another bot is connected to this account of the platform"
_CHANGED = "the credential was changed by somebody else"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    """A credential as its owner may see it: `public` settings, and a hint of each secret.

    A hint is the secret's last four characters, or "" if it is too short for that.
    """

    id: str
    bot_id: str
    platform: str
    is_active: bool
    public: dict[str, str] = field(repr=False)
    hints: dict[str, str] = field(repr=False)
    health: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class DynamoCredentials:
    """Credentials over DynamoDB and KMS.

    Each one's secrets are one ciphertext, bound to its bot and platform: in another item it does not
    decrypt. `key_id` defaults to the environment's `CREDENTIALS_KEY_ID`.
    """

    def __init__(self, kms: KMSClient, key_id: str | None = None, clock: Clock = utc_now) -> None:
        self._kms = kms
        self._key_id = key_id or required("CREDENTIALS_KEY_ID")
        self._clock = clock
        self._bots = DynamoBots()
        self._open = lru_cache(maxsize=_REMEMBERED)(self._decrypt)

    def create(
        self,
        bot_id: str,
        platform: str,
        settings: Mapping[str, str],
        secret_fields: Collection[str],
        is_active: bool,  # noqa: FBT001
        identity: str,
    ) -> StoredCredential:
        """Connect a bot to a platform.

        `identity` is what the platform knows the account by (a token, the id of a phone number; "" for
        nothing of the kind), and is kept as a hash. Raises `Conflict` if the bot has the platform
        already or another bot has the identity, and `Invalid` if the secrets are too long.
        """
        now = self._clock()
        item = BotPlatformCredential(
            bot_id, platform, id=str(uuid4()), is_active=is_active, created_at=now, updated_at=now
        )
        self._fill(item, settings, secret_fields, identity)
        with _transaction(_EXISTS, claims=item.marker is not None) as transaction:
            transaction.save(item, BotPlatformCredential.bot_id.does_not_exist())
            _claim(transaction, item)
        return _stored_of(item)

    def replace(  # noqa: PLR0913 - what `create` takes, and what was met
        self,
        bot_id: str,
        platform: str,
        settings: Mapping[str, str],
        secret_fields: Collection[str],
        is_active: bool,  # noqa: FBT001
        identity: str,
        *,
        met: datetime | None = None,
    ) -> StoredCredential:
        """Put new settings in the place of all the old ones; the id, its making and its health stay.

        `met` is the `updated_at` that the caller has seen. Raises `NotFound`, `Conflict` if somebody else
        has changed the credential since, and what `create` raises.
        """
        item = _existing(bot_id, platform)
        unchanged, former = _unchanged(item, met), item.marker
        item.is_active, item.updated_at = is_active, self._clock()
        self._fill(item, settings, secret_fields, identity)
        moves = item.marker != former
        with _transaction(_CHANGED, claims=moves and item.marker is not None) as transaction:
            transaction.save(item, unchanged)
            if moves:
                _release(transaction, former, bot_id)
                _claim(transaction, item)
        return _stored_of(item)

    def health_of(self, bot_id: str, platform: str) -> dict[str, Any]:
        """How the platform last took to the credential. Raises `NotFound`."""
        return self.get(bot_id, platform).health

    def record_health(self, bot_id: str, platform: str, health: Mapping[str, Any]) -> None:
        """Keep how the platform last took to the credential. Raises `NotFound`."""
        written = BotPlatformCredential.health.set(_json(health))
        try:
            BotPlatformCredential(bot_id, platform).update([written], BotPlatformCredential.bot_id.exists())
        except UpdateError as error:
            if is_refused(error):
                raise NotFound("credential") from None
            raise

    def delete(self, bot_id: str, platform: str) -> None:
        """Disconnect the bot; its identity is free for another. Raises `NotFound`, `Conflict`."""
        item = _existing(bot_id, platform)
        with _transaction(_CHANGED) as transaction:
            transaction.delete(item, _unchanged(item))
            _release(transaction, item.marker, bot_id)

    def get(self, bot_id: str, platform: str) -> StoredCredential:
        """The credential without its secrets (a consistent read). Raises `NotFound`."""
        return _stored_of(_existing(bot_id, platform))

    def of_bot(self, bot_id: str) -> list[StoredCredential]:
        """All of the bot's credentials, by platform (a consistent read)."""
        return [_stored_of(item) for item in BotPlatformCredential.query(bot_id, consistent_read=True)]

    def reveal(self, bot_id: str, platform: str) -> Credential | None:
        """The credential with its secrets; active only if its bot is, too, and None if that is gone.

        Three calls (credential, bot, KMS), the last only for a ciphertext not seen before: cache this.
        """
        stored = self.reveal_of_any(bot_id, platform)
        is_active = None if stored is None else self._bots.is_active(bot_id)
        if stored is None or is_active is None:
            return None
        return replace(stored, is_active=stored.is_active and is_active)

    def reveal_of_any(self, bot_id: str, platform: str) -> Credential | None:
        """The credential with its secrets, or None, whether its bot is active, switched off or deleted."""
        item = BotPlatformCredential.find(bot_id, platform)
        if item is None:
            return None
        secrets = self._open(item.ciphertext, bot_id, platform)
        return Credential(item.id, bot_id, platform, item.is_active, _map(item.public) | secrets)

    def _fill(
        self,
        item: BotPlatformCredential,
        settings: Mapping[str, str],
        secret_fields: Collection[str],
        identity: str,
    ) -> None:
        secrets = {name: value for name, value in settings.items() if name in secret_fields}
        item.public = _json({name: value for name, value in settings.items() if name not in secret_fields})
        item.hints = _json({name: hint_of(value) for name, value in secrets.items()})
        item.ciphertext = self._encrypt(_json(secrets).encode(), _context(item.bot_id, item.platform))
        item.marker = _marker_key(item.platform, identity) if identity else None

    def _encrypt(self, plaintext: bytes, context: dict[str, str]) -> bytes:
        if len(plaintext) > MAX_SECRET_BYTES:
            message = f"are {len(plaintext)} bytes long together; {MAX_SECRET_BYTES} are the most"
            raise Invalid("the secrets are too long", [Violation("/credentials", message, "too_long")])
        answer = self._kms.encrypt(KeyId=self._key_id, Plaintext=plaintext, EncryptionContext=context)
        return answer["CiphertextBlob"]

    def _decrypt(self, ciphertext: bytes, bot_id: str, platform: str) -> dict[str, str]:
        answer = self._kms.decrypt(
            KeyId=self._key_id, CiphertextBlob=ciphertext, EncryptionContext=_context(bot_id, platform)
        )
        return _map(answer["Plaintext"])


def is_connected(bot_id: str, platform: str) -> bool:
    """Whether the bot has an active credential of the platform (a consistent read, of nothing secret)."""
    item = BotPlatformCredential.find(bot_id, platform, attributes=["is_active"])
    return item is not None and item.is_active


def _context(bot_id: str, platform: str) -> dict[str, str]:
    """What KMS binds the ciphertext to; it shows in CloudTrail, so no secret may be in it."""
    return {"bot_id": bot_id, "platform": platform}


def _existing(bot_id: str, platform: str) -> BotPlatformCredential:
    item = BotPlatformCredential.find(bot_id, platform)
    if item is None:
        raise NotFound("credential")
    return item


def _unchanged(item: BotPlatformCredential, met: datetime | None = None) -> Condition:
    """That the item still is what was read, or even what the caller has met."""
    return BotPlatformCredential.updated_at == (met or item.updated_at)


@contextmanager
def _transaction(refusal: str, *, claims: bool = False) -> Iterator[TransactWrite]:
    """A transaction that raises `Conflict` with `refusal`, or that the identity it `claims` is taken.

    The claim, if any, is the last write of all.
    """
    try:
        with BotPlatformCredential.transaction() as transaction:
            yield transaction
    except TransactWriteError as error:
        refused = refused_writes(error)
        if not refused:
            raise
        taken = claims and refused == {len(list(error.cancellation_reasons)) - 1}
        raise Conflict(_TAKEN if taken else refusal) from None


def _claim(transaction: TransactWrite, item: BotPlatformCredential) -> None:
    if item.marker is not None:
        marker = IdentityMarker(item.marker, owner=item.bot_id)
        transaction.save(marker, IdentityMarker.bot_id.does_not_exist())


def _release(transaction: TransactWrite, marker: str | None, owner: str) -> None:
    if marker is not None:
        transaction.delete(IdentityMarker(marker), IdentityMarker.owner == owner)


def _marker_key(platform: str, identity: str) -> str:
    """A hash, because an identity may be a token."""
    return "identity#" + sha256(f"{platform}/{identity}".encode()).hexdigest()


def hint_of(secret: str) -> str:
    """What may be shown of a secret: its last characters, or nothing of a short one."""
    return secret[-_HINT_LENGTH:] if len(secret) >= _SHORTEST_HINTED else ""


def _json(values: Mapping[str, Any]) -> str:
    return msgspec.json.encode(values).decode()


def _map(text: str | bytes) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _stored_of(item: BotPlatformCredential) -> StoredCredential:
    return StoredCredential(
        id=item.id,
        bot_id=item.bot_id,
        platform=item.platform,
        is_active=item.is_active,
        public=_map(item.public),
        hints=_map(item.hints),
        health=msgspec.json.decode(item.health),
        created_at=item.created_at,
        updated_at=item.updated_at,
    )
