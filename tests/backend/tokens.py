"""Makes the tokens that tests show at the door, good and bad."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt

SECRET = "a-secret-of-tests-with-more-than-32-characters"


def claims(accounts: Any = None, **changed: Any) -> dict[str, Any]:
    """Claims as Supabase Auth writes them; a claim changed to None is left out."""
    usual = {
        "sub": "0c8d2f5e-3d43-4bd0-9a9c-0d6ff1f0b7a1",
        "aud": "authenticated",
        "role": "authenticated",
        "exp": int(time.time()) + 3600,
        "app_metadata": {"provider": "email", "accounts": accounts or {}},
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed(payload: Mapping[str, Any], key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(dict(payload), key, algorithm=algorithm, headers=header)


def unsigned(payload: Mapping[str, Any], algorithm: str = "none", signature: str = "") -> str:
    """A token whose header says whatever it likes, as a forger writes it."""
    parts = (json.dumps({"alg": algorithm, "typ": "JWT"}), json.dumps(payload))
    return (
        ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
        + "."
        + signature
    )
