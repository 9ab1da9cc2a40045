"""How a deployment knows its admins, put together from its settings."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from jwt import PyJWK

from shared.backend.kept import Kept
from shared.backend.keys import KeySource, PublishedKeys, SharedSecret, read_keys, read_secret
from shared.backend.tokens import TokenVerifier
from shared.settings import AdminSettings, MissingSetting

JWKS_PATH = "/auth/v1/.well-known/jwks.json"


@dataclass(frozen=True, slots=True)
class Authentication:
    """The verifier of tokens, and a key for what the admin API itself signs.

    `signing_key` comes from the JWT secret, which is at hand anyway. A deployment that verifies by
    published keys alone makes it of its own names: that still tells one list's cursor from another's. Nobody
    is let in by it, and an answer kept under an Idempotency-Key is then sealed by that one alone.
    """

    verifier: TokenVerifier
    signing_key: Callable[[], bytes]


def authentication(settings: AdminSettings) -> Authentication:
    """Raises `MissingSetting` if the settings name no way to verify a token."""
    sources: dict[str, KeySource] = {}
    material: Callable[[], bytes] = f"{settings.supabase_url} {settings.bots_table}".encode
    if settings.supabase_jwt_secret_name:
        secret = Kept("the JWT secret", partial(read_secret, settings.supabase_jwt_secret_name))
        sources["HS256"], material = SharedSecret(secret), secret.get
    if settings.supabase_url:
        sources |= _published(settings.supabase_url.rstrip("/") + JWKS_PATH)
    if not sources:
        raise MissingSetting("SUPABASE_JWT_SECRET_NAME (or SUPABASE_URL)")
    return Authentication(TokenVerifier(sources), partial(_derived, material))


def _published(url: str) -> Mapping[str, KeySource]:
    keys: Kept[Mapping[str, PyJWK]] = Kept("the issuer's key set", partial(read_keys, url))
    source = PublishedKeys(keys)
    return {"ES256": source, "RS256": source}


def _derived(material: Callable[[], bytes]) -> bytes:
    return hmac.digest(material(), b"parley admin api cursor v1", hashlib.sha256)
