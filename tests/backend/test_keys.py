from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared import aws
from shared.backend.keys import read_keys, read_secret
from tests.backend.tokens import SECRET
from tests.conftest import Aws

_EC = ec.generate_private_key(ec.SECP256R1()).public_key()
_P384 = ec.generate_private_key(ec.SECP384R1()).public_key()
_RSA = rsa.generate_private_key(65537, 2048).public_key()
_SHORT_RSA = rsa.generate_private_key(65537, 1024).public_key()


def ec_jwk(key: ec.EllipticCurvePublicKey = _EC, **members: Any) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(key, as_dict=True) | {"kid": "e"} | members


def rsa_jwk(key: rsa.RSAPublicKey = _RSA, **members: Any) -> dict[str, Any]:
    return RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "r"} | members


def published(document: Any) -> Callable[[str], bytes]:
    return lambda _url: json.dumps(document).encode()


def test_keys_are_found_by_their_ids() -> None:
    listed = [ec_jwk(kid="one", alg="ES256", use="sig"), rsa_jwk(kid="two")]

    keys = read_keys("https://issuer.invalid", published({"keys": listed}))

    assert {name: key.algorithm_name for name, key in keys.items()} == {"one": "ES256", "two": "RS256"}


OTHER_KINDS: dict[str, dict[str, Any]] = {
    "a secret": {"kty": "oct", "kid": "k", "k": "c2VjcmV0"},
    "a secret posing as RSA": {"kty": "oct", "kid": "k", "k": "c2VjcmV0", "alg": "RS256"},
    "P-384": ec_jwk(_P384),
    "for encryption": ec_jwk(use="enc"),
    "for HS256": ec_jwk(alg="HS256"),
    "not on its curve": ec_jwk(x="AA"),
    "a short RSA key": rsa_jwk(_SHORT_RSA),
    "for RS512": rsa_jwk(alg="RS512"),
    "without an id": {name: value for name, value in rsa_jwk().items() if name != "kid"},
    "without a modulus": {name: value for name, value in rsa_jwk().items() if name != "n"},
    "empty": {},
}


@pytest.mark.parametrize("jwk", OTHER_KINDS.values(), ids=OTHER_KINDS.keys())
def test_key_of_another_kind_is_left_out(jwk: dict[str, Any]) -> None:
    keys = read_keys("https://issuer.invalid", published({"keys": [jwk, ec_jwk(kid="good")]}))

    assert set(keys) == {"good"}


@pytest.mark.parametrize(
    "document", [None, [], {}, {"keys": None}, {"keys": ["key"]}, {"keys": [{"kty": ["EC"]}]}], ids=repr
)
def test_what_is_no_key_set_is_refused(document: Any) -> None:
    with pytest.raises(OSError, match="no JSON Web Key Set"):
        read_keys("https://issuer.invalid", published(document))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://issuer.invalid/keys", "ftp://issuer.invalid"])
def test_keys_come_over_https_only(url: str) -> None:
    with pytest.raises(OSError, match="not an https address"):
        read_keys(url)


BROKEN = {
    "/garbage": b"\x16\x03\x01\x02\x00\r\n",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "/long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
}
"""Answers that are no HTTP, or not to their end."""


class _Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path in BROKEN:
            self.wfile.write(BROKEN[self.path])
            return
        self.send_response({"/keys": 200, "/moved": 302}.get(self.path, 503))
        self.send_header("Location", "/keys")
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [ec_jwk()]}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Issuer) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_keys_are_fetched_over_http(issuer: str) -> None:
    assert set(read_keys(f"{issuer}/keys")) == {"e"}


@pytest.mark.parametrize("path", ["/moved", "/down"])
def test_redirect_and_error_are_no_keys(issuer: str, path: str) -> None:
    with pytest.raises(OSError, match=r"answers (302|503)"):
        read_keys(issuer + path)


@pytest.mark.parametrize("path", BROKEN)
def test_answer_that_breaks_is_no_keys(issuer: str, path: str) -> None:
    with pytest.raises(OSError, match=r"no HTTP|no JSON Web Key Set"):
        read_keys(issuer + path)


def test_nobody_listening_is_no_keys() -> None:
    with pytest.raises(OSError, match="refused"):
        read_keys("http://127.0.0.1:1/keys")


def test_secret_is_read_from_ssm_decrypted(aws_account: Aws) -> None:
    aws.client("ssm").put_parameter(Name="/parley/jwt-secret", Value=SECRET, Type="SecureString")

    assert read_secret("/parley/jwt-secret") == SECRET.encode()


def test_secret_that_is_not_there_is_an_os_error(aws_account: Aws) -> None:
    with pytest.raises(OSError, match="SSM did not give /parley/jwt-secret"):
        read_secret("/parley/jwt-secret")


def test_short_secret_is_refused_without_being_told(aws_account: Aws) -> None:
    aws.client("ssm").put_parameter(Name="/parley/jwt-secret", Value="short", Type="SecureString")

    with pytest.raises(OSError, match="shorter than 32 bytes") as caught:
        read_secret("/parley/jwt-secret")
    assert "short " not in str(caught.value)
