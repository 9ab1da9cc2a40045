"""`Idempotency-Key`: a POST that is sent again is not carried out again; its first answer is.

An answer is kept for a day, sealed with a key that is made of the deployment's and the caller's own
Idempotency-Key, of which the table holds neither: some answers show a secret once.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec
from fastapi import Request, Response
from pynamodb.exceptions import PynamoDBException
from starlette.concurrency import run_in_threadpool

from shared.admin_api.principal import principal_of
from shared.admin_api.problems import Problem, ProblemError, problem_of
from shared.errors import Invalid, Violation
from shared.observability import describe
from shared.storage.attempts import Attempt, DynamoAttempts

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
"""In an answer that was given before."""

MAX_SEALED: Final = 380_000
"""Characters of a sealed answer that DynamoDB still takes in one item with all else."""

_RETRY_SECONDS: Final = 2
_NONCE_BYTES: Final = 12
_KEPT_HEADERS: Final = ("content-type", "etag", "location", "retry-after")
_KEY: Final = re.compile(r"[!-~]{1,255}")
_BOUNDARY: Final = re.compile(rb'boundary="?([^";,]+)', re.IGNORECASE)

_logger = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """What is kept of an answer; `body` is None where it was too large for that."""

    status: int
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its repetitions are known by: its name, a digest of what it carries, and its seal."""

    name: str
    body: str
    seal: bytes

    @classmethod
    def of(cls, request: Request, key: str, body: bytes, secret: bytes) -> Asked:
        """`secret` is the deployment's; with it no digest tells anything to whoever reads the table."""
        place = [principal_of(request).user.id, request.method, request.url.path, key]
        seal = hmac.digest(secret, b"idempotency " + msgspec.json.encode(place), hashlib.sha256)
        carried = request.url.query.encode() + b"\n" + _without_boundary(request, body)
        return cls(_digest(seal, b"name"), _digest(seal, b"body " + carried), seal)


@dataclass(frozen=True, slots=True)
class Repetitions:
    """Knows which requests were carried out, and what came of them."""

    attempts: DynamoAttempts
    secret: Callable[[], bytes]

    async def answer(
        self, request: Request, key: str, carry_out: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """The answer to the request: the first one's, if it was carried out before."""
        _require_key(key)
        body = await request.body()
        asked = await run_in_threadpool(lambda: Asked.of(request, key, body, self.secret()))
        begun = Attempt(str(uuid4()), asked.body)
        former = await run_in_threadpool(self.attempts.begin, asked.name, begun)
        if former is not None:
            return _repeated(asked, former)
        return await self._carried_out(asked, begun, lambda: carry_out(request))

    async def _carried_out(
        self, asked: Asked, begun: Attempt, carry_out: Callable[[], Awaitable[Response]]
    ) -> Response:
        try:
            response = await _answered(carry_out)
        except Exception:
            await run_in_threadpool(self.attempts.give_up, asked.name, begun)
            raise
        await run_in_threadpool(self._keep, asked, begun, response)
        return response

    def _keep(self, asked: Asked, begun: Attempt, response: Response) -> None:
        """That it cannot be kept is no reason to keep the answer from whoever waits for it now."""
        try:
            if response.status_code >= 500:  # noqa: PLR2004 - faults of ours: another try may fare better
                self.attempts.give_up(asked.name, begun)
            else:
                self.attempts.finish(asked.name, begun, sealed(_kept(response), asked.seal))
        except PynamoDBException as error:
            _logger.warning("the answer to a request could not be kept", extra=describe(error))


async def _answered(carry_out: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, a problem's too. Raises what is nobody's business."""
    try:
        return await carry_out()
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return problem.answer()


def _kept(response: Response) -> Answer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, headers, bytes(response.body))


def _repeated(asked: Asked, former: Attempt) -> Response:
    """The former attempt's answer. Raises the problem of one that has none, or that was another request's."""
    if former.body != asked.body:
        words = "This Idempotency-Key was sent before with another body. Take a new key for a new request."
        raise ProblemError(Problem("key-reused", words))
    if not former.answer:
        words = "The same request is being carried out. Ask again in a moment for its answer."
        raise ProblemError(Problem("under-way", words, headers={"Retry-After": str(_RETRY_SECONDS)}))
    answer = opened(former.answer, asked.seal)
    if answer.body is not None:
        return Response(answer.body, answer.status, {**answer.headers, REPLAYED: "true"})
    words = (
        "This was done, but its answer was too large to be kept. What was made is at the address Location."
    )
    place = {name: value for name, value in answer.headers.items() if name == "location"}
    return Problem("conflict", words, headers={**place, REPLAYED: "true"}).answer()


def sealed(answer: Answer, seal: bytes) -> str:
    """The answer as only who has the seal can read it; without its body where that is too large."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - few send a key

    nonce = os.urandom(_NONCE_BYTES)
    plain = zlib.compress(msgspec.msgpack.encode(answer))
    text = b64encode(nonce + AESGCM(seal).encrypt(nonce, plain, None)).decode()
    return text if len(text) <= MAX_SEALED else sealed(msgspec.structs.replace(answer, body=None), seal)


def opened(text: str, seal: bytes) -> Answer:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    whole = b64decode(text)
    plain = AESGCM(seal).decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], None)
    return msgspec.msgpack.decode(zlib.decompress(plain), type=Answer)


def _require_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        words = "In the header: a key is 1 to 255 visible ASCII characters; a new UUID is a good one."
        raise Invalid("The Idempotency-Key is not valid.", [Violation(f"/{HEADER}", words)])


def _without_boundary(request: Request, body: bytes) -> bytes:
    """The body as it is the same in each try: clients part the fields of a form by a new line each time."""
    found = _BOUNDARY.search(request.headers.get("content-type", "").encode())
    return body.replace(found[1].strip(), b"boundary") if found else body


def _digest(seal: bytes, about: bytes) -> str:
    return hmac.digest(seal, about, hashlib.sha256).hex()
