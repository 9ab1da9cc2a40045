"""What the webhooks answer to those who are not the messenger, and to bodies nobody expects."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.local.running import RunInfo
from tests.deployed.admin import eventually
from tests.deployed.conftest import TELEGRAM_SECRET, Messengers
from tests.standins.server import call

pytestmark = pytest.mark.deployed

PLATFORMS = ["telegram", "whatsapp", "viber"]


def proof(messengers: Messengers, platform: str, body: bytes) -> dict[str, str]:
    """The headers by which a messenger proves a body."""
    if platform == "telegram":
        return {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
    if platform == "whatsapp":
        digest = hmac.digest(messengers.whatsapp.app_secret.encode(), body, hashlib.sha256).hex()
        return {"X-Hub-Signature-256": f"sha256={digest}"}
    digest = hmac.digest(messengers.viber.auth_token.encode(), body, hashlib.sha256).hex()
    return {"X-Viber-Content-Signature": digest}


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    return call("POST", url, {"Content-Type": "application/json", **headers}, body).status


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"update_id": 1', 400),
        (b"", 400),
        (b"[]", 200),
        (b"null", 200),
        (b'{"unheard": "of"}', 200),
        (b'{"a": ' * 100_000 + b"1" + b"}" * 100_000, 200),
    ],
    ids=["cut off", "empty", "a list", "null", "unheard of", "deeply nested"],
)
def test_an_authentic_body_is_taken_if_it_is_json(
    platform: str, body: bytes, status: int, webhook: dict[str, str], messengers: Messengers
) -> None:
    assert post(webhook[platform], body, proof(messengers, platform, body)) == status


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("body", [b'{"update_id": 1}', b"no json"], ids=["json", "no json"])
def test_without_proof_nothing_is_looked_at(
    platform: str, body: bytes, webhook: dict[str, str], messengers: Messengers
) -> None:
    forged = {name: value[:-1] + "0" for name, value in proof(messengers, platform, b"other").items()}
    assert post(webhook[platform], body, {}) == 401
    assert post(webhook[platform], body, forged) == 401


@pytest.mark.parametrize("platform", [*PLATFORMS, "webchat"])
def test_an_unknown_bot_is_not_found(platform: str, parley: RunInfo) -> None:
    for bot in (str(uuid4()), "not-a-uuid", "%00"):
        assert post(f"{parley.api_url}/api/webhook/{platform}/{bot}", b"{}", {}) == 404


@pytest.mark.parametrize("platform", [*PLATFORMS, "webchat"])
def test_a_giant_body_is_too_large(platform: str, webhook: dict[str, str], messengers: Messengers) -> None:
    body = b'{"text": "' + b"x" * 5_000_000 + b'"}'
    headers = {} if platform == "webchat" else proof(messengers, platform, body)
    assert post(webhook[platform], body, headers) == 413


def test_a_body_beyond_the_gateways_limit_is_too_large(webhook: dict[str, str]) -> None:
    assert post(webhook["telegram"], b"x" * 11_000_000, {}) == 413


def test_an_update_that_breaks_the_parser_is_kept(
    webhook: dict[str, str], messengers: Messengers, parley: RunInfo
) -> None:
    body = json.dumps({"update_id": 5, "message": {"message_id": "not a number", "chat": 5}}).encode()
    assert post(webhook["telegram"], body, proof(messengers, "telegram", body)) == 200

    bucket = parley.outputs()["MediaBucketName"]
    s3 = parley.client("s3")
    digest = hashlib.sha256(body).hexdigest()

    def kept() -> Any:
        found = s3.list_objects_v2(Bucket=bucket, Prefix="unparsed/telegram/").get("Contents", [])
        return [item["Key"] for item in found if digest in item["Key"]]

    (key,) = eventually(kept)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body


def test_whatsapp_is_verified_by_its_token_only(
    webhook: dict[str, str], parley: RunInfo, bot_id: str
) -> None:
    wrong = {"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "42"}
    assert httpx.get(webhook["whatsapp"], params=wrong).status_code == 403


def test_a_web_chat_is_only_for_whoever_holds_its_token(webhook: dict[str, str]) -> None:
    url = webhook["webchat"]
    started = httpx.post(url, json={"start": True}, timeout=30).json()
    other = httpx.post(url, json={"start": True}, timeout=30).json()
    swapped = f"{started['chat_id']}.{other['chat_token'].partition('.')[2]}"
    for token in ("x", swapped, started["chat_token"][:-1]):
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(url, headers=headers, timeout=30).status_code == 401
        assert httpx.post(url, json={"text": "hi"}, headers=headers, timeout=30).status_code == 401
    assert httpx.get(url, timeout=30).status_code == 401
