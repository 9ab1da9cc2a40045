"""Stand-ins for what lies beyond the webhooks' door, and events as API Gateway sends them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.credential import Credential
from shared.errors import NotAccepted
from shared.queueing.envelopes import InboundEnvelope, ReceiptEnvelope
from shared.storage.credential_cache import CredentialCache

BOT_ID = "6f1c8f5e-1111-4a6b-8c2d-0123456789ab"
OTHER_BOT_ID = "6f1c8f5e-2222-4a6b-8c2d-0123456789ab"


def gateway_event(
    body: str | bytes | None = None,
    *,
    method: str = "POST",
    bot_id: str = BOT_ID,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    route: str = "/api/webhook/telegram/{bot_id}",
) -> dict[str, Any]:
    """An event of an HTTP API, format 2.0; bytes arrive base64-encoded, as the gateway does it."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {route}",
        "rawPath": route.replace("{bot_id}", bot_id),
        "headers": {"host": "api.parley.example", **(headers or {})},
        "requestContext": {
            "requestId": "request-1",
            "domainName": "api.parley.example",
            "http": {"method": method},
        },
        "pathParameters": {"bot_id": bot_id},
        "isBase64Encoded": isinstance(body, bytes),
    }
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    if query:
        event["queryStringParameters"] = dict(query)
    return event


def body_of(answer: Mapping[str, Any]) -> Any:
    return json.loads(answer["body"])


@dataclass
class Vault:
    """Where credentials are kept; counts how often they are read."""

    credentials: dict[tuple[str, str], Credential] = field(default_factory=dict)
    reads: int = 0

    def keep(self, platform: str, *, is_active: bool = True, bot_id: str = BOT_ID, **settings: str) -> None:
        credential = Credential("credential-1", bot_id, platform, is_active, settings)
        self.credentials[bot_id, platform] = credential

    def load(self, bot_id: str, platform: str) -> Credential | None:
        self.reads += 1
        return self.credentials.get((bot_id, platform))

    def cache(self) -> CredentialCache:
        """A cache whose clock the tests turn, by `now`."""
        self.now = 0.0
        return CredentialCache(self.load, clock=lambda: self.now)


class Queue:
    """An inbound queue that keeps what it was given, unless it is told to refuse."""

    def __init__(self) -> None:
        self.envelopes: list[InboundEnvelope] = []
        self.calls = 0
        self.refuses = False

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        self.calls += 1
        if self.refuses:
            raise NotAccepted("inbound", ["InternalError"])
        self.envelopes += envelopes


class Receipts:
    """A queue of receipts that keeps what it was given, unless it is told to refuse."""

    def __init__(self) -> None:
        self.envelopes: list[ReceiptEnvelope] = []
        self.refuses = False

    def send(self, envelopes: Sequence[ReceiptEnvelope]) -> None:
        if self.refuses:
            raise NotAccepted("receipts", ["InternalError"])
        self.envelopes += envelopes


class Bucket:
    """As much of an S3 client as keeping an object takes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuses = False

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        if self.refuses:
            raise ConnectionError("no storage")
        self.objects[f"{Bucket}/{Key}"] = Body
