"""The nice address: passes every request on to the emulated API, and has the gateway's own edges."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BODY_LIMIT_BYTES = 10 * 1024 * 1024
TIMEOUT_SECONDS = 30
# The emulator starts a process for each concurrent call; a laptop has room for a few.
CONCURRENT_CALLS = 8
# The emulator's answer for a Lambda that raised holds the error; the gateway's says nothing.
LAMBDA_FAILED = 502
FILES = "/media/"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
NOT_PASSED_ON = {b"host", b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"content-length"}

Headers = list[tuple[bytes, bytes]]
Preflight = Callable[[str, dict[str, str]], dict[str, Any] | None]
"""A Lambda's answer to OPTIONS, by path and headers; None where no route has this path."""


class Gateway:
    """One deployed API of the emulator."""

    def __init__(self, api_id: str, port: int, preflight: Preflight) -> None:
        self._preflight = preflight
        self._port = port
        self._host = f"{api_id}.execute-api.localhost:{port}".encode()
        self._room = asyncio.Semaphore(CONCURRENT_CALLS)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)

    @property
    def app(self) -> Starlette:
        routes = [Route("/{path:path}", self._answer, methods=METHODS)]
        return Starlette(routes=routes, lifespan=self._at_work)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return await asyncio.to_thread(self._answer_preflight, request)
        return await self._pass_on(request)

    @asynccontextmanager
    async def _at_work(self, _app: Starlette) -> AsyncIterator[None]:
        async with self._client:
            yield

    def _answer_preflight(self, request: Request) -> Response:
        answer = self._preflight(request.url.path, dict(request.headers))
        if answer is None:
            return JSONResponse({"message": "Not Found"}, 404)
        if "statusCode" not in answer:
            return JSONResponse({"message": "Internal Server Error"}, 500)
        return Response(answer.get("body"), answer["statusCode"], answer.get("headers"))

    async def _pass_on(self, request: Request) -> Response:
        body = await _body_within_limit(request)
        if body is None:
            return JSONResponse({"message": "Request Entity Too Large"}, 413)
        try:
            async with self._room:
                return await self._call(request, body)
        except httpx.TimeoutException:
            return JSONResponse({"message": "Endpoint request timed out"}, 504)
        except httpx.TransportError:
            return JSONResponse({"message": "Service Unavailable"}, 503)

    async def _call(self, request: Request, body: bytes) -> Response:
        call = httpx.Request(
            request.method,
            httpx.URL(scheme="http", host="127.0.0.1", port=self._port, raw_path=_raw_path(request)),
            headers=[(b"host", self._host), *_passed_on(request.headers.raw)],
            content=body,
        )
        answer = await self._client.send(call, stream=True)
        if answer.has_redirect_location and request.url.path.startswith(FILES):
            await answer.aclose()
            answer = await self._from_the_store(request, answer.headers["location"])
        content = b"".join([chunk async for chunk in answer.aiter_raw()])
        await answer.aclose()
        if answer.status_code == LAMBDA_FAILED:
            return JSONResponse({"message": "Internal Server Error"}, 500)
        passed = Response(content, answer.status_code)
        passed.raw_headers += [
            (name, value) for name, value in _passed_on(answer.headers.raw) if name.lower() != b"date"
        ]
        return passed

    async def _from_the_store(self, request: Request, location: str) -> httpx.Response:
        """A public file at its own address, as CloudFront serves it: the chat's page shows no other."""
        part = [(name, value) for name, value in request.headers.raw if name == b"range"]
        return await self._client.send(httpx.Request("GET", location, headers=part), stream=True)


async def _body_within_limit(request: Request) -> bytes | None:
    if int(request.headers.get("content-length") or 0) > BODY_LIMIT_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            return None
    return bytes(body)


def _raw_path(request: Request) -> bytes:
    """The path and query as they came: decoded and encoded anew, some would change."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in NOT_PASSED_ON]
