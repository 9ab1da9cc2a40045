"""Memberships that live in the account's own database: one table behind PostgREST."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final
from uuid import UUID

from shared.backend.accounts import ROLES, ClaimedMemberships, Memberships, Role, User
from shared.backend.configured_http import ConfiguredHttp
from shared.backend.kept import Kept, Patience
from shared.backend.keys import read_secret
from shared.backend.postgrest import PostgRest, QueryRefused
from shared.errors import AnswerTooLarge, NotAnswered
from shared.settings import AdminSettings, MissingSetting

PATIENCE: Final = Patience(fresh_seconds=60, stale_seconds=60, pause_seconds=5)
"""A minute, and not a moment longer where the database is down: then nobody is let in."""

MOST_REMEMBERED: Final = 1000
"""Pairs of a person and an account."""

_MOST_ROWS: Final = 50
_TIMEOUT_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class MembershipTable:
    """Where a row says that a person belongs to an account, in a role by the names of `roles`."""

    schema: str
    table: str
    user: str
    account: str
    role: str
    roles: Mapping[str, Role]

    @classmethod
    def of(cls, settings: AdminSettings) -> MembershipTable:
        """Raises `ValueError` for settings that are not as they should be."""
        schema, _, table = settings.memberships_table.rpartition(".")
        user, account, role = _columns(settings.memberships_columns)
        return cls(schema or "public", table, user, account, role, _roles(settings.memberships_roles))


class StoredMemberships:
    """Memberships as the table has them; what a token says of them counts for nothing."""

    def __init__(
        self,
        database: Callable[[], PostgRest],
        table: MembershipTable,
        patience: Patience = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`database` raises `Unavailable` where its key cannot be had."""
        self._database = database
        self._table = table
        self._patience = patience
        self._clock = clock
        self._kept = lru_cache(maxsize=MOST_REMEMBERED)(self._remembered)

    def role(self, user: User, account_id: UUID) -> Role | None:
        """The highest that any row gives; none to whom the token does not name. Raises `Unavailable`."""
        if not user.id:
            return None
        return max(self._kept(user.id, str(account_id)).get(), default=None)

    def _remembered(self, user_id: str, account_id: str) -> Kept[tuple[Role, ...]]:
        read = partial(self._read, user_id, account_id)
        return Kept("memberships", read, self._patience, self._clock)

    def _read(self, user_id: str, account_id: str) -> tuple[Role, ...]:
        table = self._table
        where = {table.user: user_id, table.account: account_id}
        try:
            rows = self._database().select(
                table.schema, table.table, [table.role], where, _MOST_ROWS, _TIMEOUT_SECONDS
            )
        except QueryRefused as refused:
            if refused.is_of_a_value:
                return ()
            raise OSError(str(refused)) from None
        except (NotAnswered, AnswerTooLarge) as error:
            raise OSError(str(error)) from None
        return tuple(self._known(row.get(table.role) for row in rows))

    def _known(self, names: Iterable[object]) -> Iterable[Role]:
        found = (self._table.roles.get(name) for name in names if isinstance(name, str))
        return (role for role in found if role is not None)


def memberships(settings: AdminSettings) -> Memberships:
    """Those of the table that the settings name, or of the tokens. Raises `MissingSetting`, `ValueError`."""
    if not settings.memberships_table:
        return ClaimedMemberships()
    for name in ("supabase_url", "supabase_service_key_name"):
        if not getattr(settings, name):
            raise MissingSetting(name.upper())
    key = Kept("the service key", partial(read_secret, settings.supabase_service_key_name))
    return StoredMemberships(partial(_database, settings.supabase_url, key), MembershipTable.of(settings))


def _database(url: str, key: Kept[bytes]) -> PostgRest:
    return PostgRest(ConfiguredHttp(), url, key.get().decode())


def _columns(text: str) -> tuple[str, str, str]:
    try:
        user, account, role = (name.strip() for name in text.split(","))
    except ValueError:
        raise ValueError(f"MEMBERSHIPS_COLUMNS: “{text}” is not like user_id,account_id,role") from None
    return user, account, role


def _roles(text: str) -> dict[str, Role]:
    """Ours by their own names, and those of the account's system: `owner=admin,member=editor`."""
    pairs = [entry.split("=") for entry in text.split(",") if entry.strip()]
    try:
        return ROLES | {theirs.strip(): ROLES[ours.strip()] for theirs, ours in pairs}
    except (KeyError, ValueError):
        raise ValueError(f"MEMBERSHIPS_ROLES: “{text}” is not like owner=admin,member=editor") from None
