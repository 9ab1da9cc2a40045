from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.api_jws import PyJWS
from jwt.utils import base64url_encode

from shared.backend.kept import Kept, Patience
from shared.backend.keys import PublishedKeys, SharedSecret
from shared.backend.tokens import TokenVerifier
from shared.errors import Unauthenticated, Unavailable
from tests.backend.tokens import SECRET, claims, signed, unsigned

_EC = ec.generate_private_key(ec.SECP256R1())
_RSA = rsa.generate_private_key(65537, 2048)
_STRANGER = ec.generate_private_key(ec.SECP256R1())
_NOW = int(time.time())


class Issuer:
    """Publishes keys, or does not answer; counts how often it was asked."""

    def __init__(self) -> None:
        self.keys = {
            "e": PyJWK(ECAlgorithm.to_jwk(_EC.public_key(), as_dict=True) | {"kid": "e"}, "ES256"),
            "r": PyJWK(RSAAlgorithm.to_jwk(_RSA.public_key(), as_dict=True) | {"kid": "r"}, "RS256"),
        }
        self.is_down = False
        self.asked = 0

    def __call__(self) -> Mapping[str, PyJWK]:
        self.asked += 1
        if self.is_down:
            raise OSError("down")
        return dict(self.keys)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> TokenVerifier:
    published = PublishedKeys(Kept("the keys", issuer, Patience(600, 3600, 15), clock))
    secret = SharedSecret(Kept("the secret", SECRET.encode))
    return TokenVerifier({"HS256": secret, "ES256": published, "RS256": published})


def public_pem() -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _RSA.public_key().public_bytes(serialization.Encoding.PEM, form)


def hmac_with_public_key() -> str:
    """The classic of algorithm confusion: signed with the public key as if it were a secret."""
    head, body, _ = unsigned(claims(), "HS256").split(".")
    digest = hmac.digest(public_pem(), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{base64url_encode(digest).decode()}"


@pytest.mark.parametrize(
    "token",
    [
        signed(claims()),
        signed(claims(), _EC, "ES256", kid="e"),
        signed(claims(), _RSA, "RS256", kid="r"),
        signed(claims(aud=["authenticated", "other"])),
        signed(claims(iat=_NOW + 30)),
    ],
    ids=["HS256", "ES256", "RS256", "several audiences", "issued by a clock ahead of ours"],
)
def test_good_token_tells_who_it_speaks_for(verifier: TokenVerifier, token: str) -> None:
    user = verifier.verify(token)

    assert user.id == claims()["sub"]
    assert user.claims["app_metadata"]["provider"] == "email"


BAD = {
    "empty": "",
    "garbage": "garbage",
    "three dots": "a.b.c",
    "not ASCII": "й.ц.у",
    "expired": signed(claims(exp=_NOW - 1)),
    "no expiry": signed(claims(exp=None)),
    "expiry in words": signed(claims(exp="never")),
    "not yet valid": signed(claims(nbf=_NOW + 600)),
    "wrong audience": signed(claims(aud="anon")),
    "no audience": signed(claims(aud=None)),
    "wrong secret": signed(claims(), "another-secret-of-tests-with-32-characters"),
    "none": unsigned(claims()),
    "None": unsigned(claims(), "None"),
    "none with a signature": unsigned(claims(), "none", "c2ln"),
    "HS512": signed(claims(), SECRET + SECRET, "HS512"),
    "PS256": signed(claims(), _RSA, "PS256", kid="r"),
    "stranger's key": signed(claims(), _STRANGER, "ES256", kid="e"),
    "unknown key": signed(claims(), _STRANGER, "ES256", kid="x"),
    "no key id": signed(claims(), _EC, "ES256"),
    "key of another algorithm": signed(claims(), _EC, "ES256", kid="r"),
    "public key as secret": hmac_with_public_key(),
    "changed after signing": signed(claims())[:-4] + "AAAA",
    "claims are a list": PyJWS().encode(b"[]", SECRET),
    "detached payload": PyJWS().encode(b"{}", SECRET, is_payload_detached=True),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD.keys())
def test_bad_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_algorithm_without_a_source_is_refused() -> None:
    only_secret = TokenVerifier({"HS256": SharedSecret(Kept("the secret", SECRET.encode))})

    with pytest.raises(Unauthenticated):
        only_secret.verify(signed(claims(), _EC, "ES256", kid="e"))


def test_new_key_is_fetched_when_a_token_names_it(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    verifier.verify(signed(claims(), _EC, "ES256", kid="e"))
    rotated = ECAlgorithm.to_jwk(_STRANGER.public_key(), as_dict=True) | {"kid": "new"}
    issuer.keys["new"] = PyJWK(rotated, "ES256")
    clock.now += 15

    verifier.verify(signed(claims(), _STRANGER, "ES256", kid="new"))

    assert issuer.asked == 2


def test_unknown_keys_do_not_make_the_issuer_be_asked_again_and_again(
    verifier: TokenVerifier, issuer: Issuer
) -> None:
    for n in range(50):
        with pytest.raises(Unauthenticated):
            verifier.verify(signed(claims(), _STRANGER, "ES256", kid=f"x{n}"))

    assert issuer.asked == 1


def test_silent_issuer_opens_no_door(verifier: TokenVerifier, issuer: Issuer) -> None:
    issuer.is_down = True

    with pytest.raises(Unavailable):
        verifier.verify(signed(claims(), _EC, "ES256", kid="e"))


def test_known_keys_serve_while_the_issuer_is_silent(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    verifier.verify(signed(claims(), _EC, "ES256", kid="e"))
    issuer.is_down = True
    clock.now += 700

    assert verifier.verify(signed(claims(), _RSA, "RS256", kid="r")).id
    with pytest.raises(Unavailable):
        verifier.verify(signed(claims(), _STRANGER, "ES256", kid="x"))


def test_withdrawn_key_verifies_nothing_once_the_set_is_fetched_anew(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    token = signed(claims(), _EC, "ES256", kid="e")
    verifier.verify(token)
    del issuer.keys["e"]
    clock.now += 600

    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_issuer_that_is_silent_for_long_closes_the_door(
    verifier: TokenVerifier, issuer: Issuer, clock: Clock
) -> None:
    token = signed(claims(), _EC, "ES256", kid="e")
    verifier.verify(token)
    issuer.is_down = True
    clock.now += 3600

    with pytest.raises(Unavailable):
        verifier.verify(token)


def test_error_does_not_repeat_the_token(verifier: TokenVerifier) -> None:
    token = signed(claims(aud="anon"))

    with pytest.raises(Unauthenticated) as caught:
        verifier.verify(token)
    assert token.split(".")[1] not in str(caught.value)


def test_token_without_a_subject_speaks_for_somebody_unnamed(verifier: TokenVerifier) -> None:
    assert verifier.verify(signed(claims(sub=None))).id == ""
