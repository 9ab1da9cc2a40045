"""Which accounts a person belongs to, and in which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Protocol
from uuid import UUID


class Role(IntEnum):
    """What a member may do; a higher one includes the lower.

    `VIEWER` reads; `EDITOR` also writes bots, scenarios and dialogs; `ADMIN` also handles platforms
    and secrets.
    """

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


ROLES: Final = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class User:
    """Who a verified token speaks for; `claims` is all that its issuer said of them."""

    id: str
    claims: Mapping[str, Any] = field(repr=False)


class Memberships(Protocol):
    """Where memberships are kept: in the token, or in the account's own database."""

    def role(self, user: User, account_id: UUID) -> Role | None:
        """The user's role in the account; None if they are no member, or there is no such account."""
        ...


class ClaimedMemberships:
    """Memberships that the token itself carries: `app_metadata.accounts` is `{account id: role}`.

    Only the backend can write `app_metadata`, so it can be trusted as far as the token. What is not
    shaped like that is no membership.
    """

    def role(self, user: User, account_id: UUID) -> Role | None:
        metadata = user.claims.get("app_metadata")
        accounts = metadata.get("accounts") if isinstance(metadata, Mapping) else None
        name = accounts.get(str(account_id)) if isinstance(accounts, Mapping) else None
        return ROLES.get(name) if isinstance(name, str) else None
