"""A webhook as a main system: a signed message for a run, by the scheme of Standard Webhooks."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec

from shared.backend.sync.base import Delivery, RowRefused, Sample, Unreachable
from shared.backend.sync.mapping import Row
from shared.backend.sync.runs import Run
from shared.backend.sync.settings import WebhookSink
from shared.errors import AddressRefused, AnswerTooLarge, NotAnswered
from shared.exchange import Ask, Http, Reply

PREFIX: Final = "whsec_"
"""How signing secrets begin; the rest is base64."""
MOST_BYTES: Final = 100_000
"""Of an answer, of which nothing is read."""

_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_LONGEST_WAIT_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class WebhookSystem:
    """Somebody who takes messages, and has taken one when they answer 2xx; no redirect is followed."""

    sink: WebhookSink
    http: Http
    now: Callable[[], float] = time.time

    def put(self, delivery: Delivery) -> None:
        run = delivery.run
        self._post(run.snapshot, _body(f"run.{run.status}", self.now(), run, delivery.row), delivery.seconds)

    def problems(self, sample: Sample) -> Sequence[str]:
        """Sends a message of the type “sync.test”, with made-up values."""
        try:
            body = _body("sync.test", self.now(), sample.run, sample.row)
            self._post(sample.run.snapshot, body, sample.seconds)
        except RowRefused as refused:
            return refused.reasons
        return []

    def _post(self, name: str, body: bytes, seconds: float) -> None:
        headers = {
            "content-type": "application/json",
            "user-agent": "Parley",
            **signed_headers(self.sink.signing_secret, name, int(self.now()), body),
        }
        ask = Ask("POST", self.sink.url, headers, body)
        try:
            reply = self.http.request(ask, timeout_seconds=seconds, most_bytes=MOST_BYTES, most_redirects=0)
        except (AddressRefused, NotAnswered) as error:
            raise Unreachable(f"the webhook: {error}") from None
        except AnswerTooLarge:
            raise RowRefused("the webhook answers with more than is read") from None
        _require_taken(reply)


def signed_headers(secret: str, name: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What proves that a message is ours, of now, and which one it is."""
    key = b64decode(secret.removeprefix(PREFIX))
    signature = hmac.digest(key, f"{name}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(signature).decode()}",
    }


def _body(kind: str, at: float, run: Run, row: Row) -> bytes:
    moment = datetime.fromtimestamp(at, UTC).replace(microsecond=0)
    return msgspec.json.encode(
        {"type": kind, "timestamp": moment, "data": _grouped(run.facts) | {"fields": row}}
    )


def _grouped(facts: Mapping[str, Any]) -> dict[str, Any]:
    """“run.id” as the `id` in `run`."""
    grouped: dict[str, Any] = {}
    for name, value in facts.items():
        group, _, field = name.partition(".")
        grouped.setdefault(group, {})[field] = value
    return grouped


def _require_taken(reply: Reply) -> None:
    status = reply.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    is_refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if is_refusal and status not in _PASSING:
        raise RowRefused(f"the webhook answers {status}")
    raise Unreachable(f"the webhook answers {status}", _wait_of(reply))


def _wait_of(reply: Reply) -> float | None:
    """What `Retry-After` asks for in seconds."""
    asked = reply.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT_SECONDS) if asked.isdecimal() else None
