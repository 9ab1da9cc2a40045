"""Bearer tokens: JSON Web Tokens of Supabase Auth, verified before anything in them is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jwt

from shared.backend.accounts import User
from shared.backend.keys import KeySource
from shared.errors import Unauthenticated

AUDIENCE: Final = "authenticated"

_OPTIONS: Final[Any] = {"require": ["exp", "aud"], "verify_iat": False}
"""`iat` says when, not whether; a clock that lags behind the issuer's must not refuse a new token."""


class TokenVerifier:
    """Verifies tokens with the keys that belong to each algorithm; all other algorithms are refused."""

    def __init__(self, sources: Mapping[str, KeySource]) -> None:
        self._sources = dict(sources)

    def verify(self, token: str) -> User:
        """Who the token speaks for.

        Raises `Unauthenticated` if it does not hold, `Unavailable` if the keys cannot be had now.
        """
        algorithm, key_id = _header(token)
        source = self._sources.get(algorithm)
        key = None if source is None else source.find(algorithm, key_id)
        if key is None:
            raise Unauthenticated("The token is not signed by an issuer that is trusted here.")
        claims = _claims(token, key, algorithm)
        return User(id=str(claims.get("sub", "")), claims=claims)


def _header(token: str) -> tuple[str, str]:
    """Algorithm and key id as the token claims them, "" where they are missing or no strings."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise Unauthenticated("The token is not a JSON Web Token.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    return algorithm if isinstance(algorithm, str) else "", key_id if isinstance(key_id, str) else ""


def _claims(token: str, key: Any, algorithm: str) -> dict[str, Any]:
    try:
        return jwt.decode(token, key=key, algorithms=[algorithm], audience=AUDIENCE, options=_OPTIONS)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired.") from None
    except jwt.PyJWTError:
        raise Unauthenticated("The token is not valid here.") from None
