from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.backend.accounts import ClaimedMemberships, Role, User

ACCOUNT = UUID("7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a001")
OTHER = UUID("7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a002")


@pytest.mark.parametrize(("name", "role"), [("viewer", 1), ("editor", 2), ("admin", 3)])
def test_role_is_read_from_the_accounts_of_the_token(name: str, role: int) -> None:
    user = User("u", {"app_metadata": {"accounts": {str(ACCOUNT): name}}})

    assert ClaimedMemberships().role(user, ACCOUNT) == Role(role)
    assert ClaimedMemberships().role(user, OTHER) is None


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"app_metadata": None},
        {"app_metadata": "admin"},
        {"app_metadata": {"accounts": None}},
        {"app_metadata": {"accounts": [str(ACCOUNT)]}},
        {"app_metadata": {"accounts": {str(ACCOUNT): None}}},
        {"app_metadata": {"accounts": {str(ACCOUNT): "owner"}}},
        {"app_metadata": {"accounts": {str(ACCOUNT): "ADMIN"}}},
        {"app_metadata": {"accounts": {str(ACCOUNT): ["admin"]}}},
        {"app_metadata": {"accounts": {str(ACCOUNT): 3}}},
        {"app_metadata": {"accounts": {"*": "admin"}}},
        {"user_metadata": {"accounts": {str(ACCOUNT): "admin"}}},
        {"accounts": {str(ACCOUNT): "admin"}},
    ],
    ids=repr,
)
def test_claims_of_another_shape_are_no_membership(claims: dict[str, Any]) -> None:
    assert ClaimedMemberships().role(User("u", claims), ACCOUNT) is None


def test_claims_stay_out_of_repr() -> None:
    assert "secret" not in repr(User("u", {"email": "secret"}))
