"""Who is calling, and what they may do in which account."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from shared.backend.accounts import Memberships, Role, User
from shared.errors import Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class Principal:
    """A user who has shown a good token."""

    user: User
    memberships: Memberships

    def require(self, role: Role, account_id: str, what: str) -> None:
        """Let pass whoever has that role in the account, or a higher one.

        Raises `NotFound(what)` for a stranger to the account, `Forbidden` for a member of lower role.
        """
        held = self.memberships.role(self.user, UUID(account_id))
        if held is None:
            raise NotFound(what)
        if held < role:
            raise Forbidden(f"This takes the role {role.name.lower()}; yours is {held.name.lower()}.")


def principal_of(request: Request) -> Principal:
    """The caller, as the door has left it on the request."""
    principal: Principal = request.state.principal
    return principal
