"""Where the keys that sign tokens come from: a shared secret in SSM, or the keys the issuer publishes.

A source belongs to its algorithms and gives keys of no other kind, so that no token can have itself
checked with a public key as if it were a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from jwt import PyJWK, PyJWTError

from shared import aws
from shared.backend.configured_http import ConfiguredHttp
from shared.backend.kept import Kept
from shared.errors import AnswerTooLarge, NotAnswered
from shared.exchange import Ask

MIN_SECRET_BYTES: Final = 32
"""RFC 7518, 3.2: a key of HS256 is at least as long as its hash."""

MIN_KEY_BITS: Final = {"ES256": 256, "RS256": 2048}

_TIMEOUT_SECONDS: Final = 3
_MAX_SET_BYTES: Final = 65_536
_ALGORITHMS: Final[Mapping[Any, str]] = {("EC", "P-256"): "ES256", ("RSA", None): "RS256"}


class KeySource(Protocol):
    """The keys of one issuer for some algorithms."""

    def find(self, algorithm: str, key_id: str) -> Any | None:
        """The key to verify a signature with; None if the issuer has no such. Raises `Unavailable`."""
        ...


class SharedSecret:
    """One secret for every token, whatever key they name."""

    def __init__(self, secret: Kept[bytes]) -> None:
        self._secret = secret

    def find(self, algorithm: str, key_id: str) -> bytes:  # noqa: ARG002 - as the protocol has it
        return self._secret.get()


class PublishedKeys:
    """The issuer's JSON Web Key Set; a key id never seen makes it be fetched anew."""

    def __init__(self, keys: Kept[Mapping[str, PyJWK]]) -> None:
        self._keys = keys

    def find(self, algorithm: str, key_id: str) -> Any | None:
        found = self._keys.get().get(key_id) or self._keys.newer().get(key_id)
        return found.key if found is not None and found.algorithm_name == algorithm else None


def read_secret(name: str) -> bytes:
    """The SSM parameter of that name. Raises `OSError` if SSM does not give it, or it is too short."""
    try:
        answer = aws.client("ssm").get_parameter(Name=name, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise OSError(f"SSM did not give {name}") from error
    secret: bytes = answer["Parameter"]["Value"].encode()
    if len(secret) < MIN_SECRET_BYTES:
        raise OSError(f"the secret in {name} is shorter than {MIN_SECRET_BYTES} bytes")
    return secret


def read_keys(url: str, read: Callable[[str], bytes] | None = None) -> dict[str, PyJWK]:
    """The usable keys of the set at `url`, by id. Raises `OSError` if there is no set to be had."""
    try:
        document = json.loads((read or _read)(url))
        return {str(key.key_id): key for key in _usable(document["keys"])}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OSError(f"{url} is no JSON Web Key Set") from error


def _usable(listed: Iterable[Mapping[str, Any]]) -> Iterable[PyJWK]:
    """Those that verify ES256 or RS256; a set may hold keys for other purposes, and odd ones."""
    for jwk in listed:
        algorithm = _ALGORITHMS.get((jwk.get("kty"), jwk.get("crv")))
        if algorithm is not None and _is_for(jwk, algorithm):
            key = _key(jwk, algorithm)
            if key is not None and key.key.key_size >= MIN_KEY_BITS[algorithm]:
                yield key


def _is_for(jwk: Mapping[str, Any], algorithm: str) -> bool:
    names_itself = isinstance(jwk.get("kid"), str)
    return names_itself and jwk.get("alg", algorithm) == algorithm and jwk.get("use", "sig") == "sig"


def _key(jwk: Mapping[str, Any], algorithm: str) -> PyJWK | None:
    try:
        return PyJWK(dict(jwk), algorithm)
    except PyJWTError:
        return None


def _read(url: str) -> bytes:
    http = ConfiguredHttp()
    try:
        reply = http.request(Ask("GET", url, {}), timeout_seconds=_TIMEOUT_SECONDS, most_bytes=_MAX_SET_BYTES)
    except (NotAnswered, AnswerTooLarge) as error:
        raise OSError(f"{url}: {error}") from None
    if reply.status != HTTPStatus.OK:
        raise OSError(f"{url} answers {reply.status}")
    return reply.body
