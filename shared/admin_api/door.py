"""The one door of every admin app: nothing behind it runs for a stranger, and no error leaves it bare."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.admin_api.principal import Principal
from shared.admin_api.problems import Problem, ProblemError, problem_of
from shared.errors import TooLarge
from shared.observability import describe

MAX_BODY_BYTES: Final = 1_500_000
"""A scenario of the largest size, written with room to spare."""

_BARE_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="parley"'}
_logger = logging.getLogger(__name__)

Admit = Callable[[str], Principal]
"""Tells from a bearer token who is calling. Raises `Unauthenticated` or `Unavailable`."""

Bound = tuple[int, str]
"""The most bytes of a body, and advice to whoever sends more."""


class Door:
    """Authenticates, bounds the body, and answers whatever goes wrong with a problem document.

    Nobody is asked for a token at an address that `is_public`; `bound` tells how many bytes one takes, and
    what to do with more.
    """

    def __init__(
        self,
        app: ASGIApp,
        admit: Admit,
        is_public: Callable[[Scope], bool],
        bound: Callable[[Scope], Bound] = lambda _: (MAX_BODY_BYTES, ""),
    ) -> None:
        self._app = app
        self._admit = admit
        self._is_public = is_public
        self._bound = bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, _uncached(send))
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if not self._is_public(scope):
                principal = await run_in_threadpool(self._admit, bearer_of(Headers(scope=scope)))
                scope.setdefault("state", {})["principal"] = principal
            await self._app(scope, _replayed(await _read(receive, *self._bound(scope))), send)
        except Exception as error:  # noqa: BLE001 - one of the two outermost doors
            problem = problem_of(error) or _unexpected(error, scope, self._place_of(scope))
            await problem.answer()(scope, receive, send)

    def _place_of(self, scope: Scope) -> str:
        """The address, for the log; of a public one, which may be known to few, only its kind."""
        return getattr(scope.get("route"), "path", "") if self._is_public(scope) else str(scope["path"])


def bearer_of(headers: Headers) -> str:
    """The token of `Authorization: Bearer …`. Raises a 401 if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        detail = "Send a token: Authorization: Bearer <JWT>."
        raise ProblemError(Problem("unauthenticated", detail, headers=_BARE_CHALLENGE))
    return token.strip()


def _unexpected(error: Exception, scope: Scope, place: str) -> Problem:
    """A fault of ours: its kind and way go to the log, and to the caller only the id to find it by."""
    trace_id = _trace_id(Headers(scope=scope))
    request = {"trace_id": trace_id, "method": scope["method"], "path": place}
    frames = traceback.extract_tb(error.__traceback__)
    stack = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    _logger.error("unexpected error", extra={**request, **describe(error), "stack": stack})
    detail = "This is a fault of the server; it has been recorded. Try again, or report its trace_id."
    return Problem("internal", detail, more={"trace_id": trace_id})


def _trace_id(headers: Headers) -> str:
    """The id that API Gateway gave the request (`Root=1-…`), else a new one."""
    fields = dict(part.partition("=")[::2] for part in headers.get("x-amzn-trace-id", "").split(";"))
    root = fields.get("Root", "")
    is_id = root.replace("-", "").isalnum() and len(root) <= 64  # noqa: PLR2004 - theirs have 35
    return root if is_id else str(uuid4())


async def _read(receive: Receive, most_bytes: int, advice: str) -> bytes:
    """The whole body. Raises `TooLarge`."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most_bytes:
            raise TooLarge(most_bytes, advice)
    return bytes(body)


def _replayed(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _uncached(send: Send) -> Send:
    """Answers are a person's own, and some show a secret once; a public route may say otherwise."""

    async def send_uncached(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return send_uncached
