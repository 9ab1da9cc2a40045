"""Stands where API Gateway stands: an HTTP client whose requests reach a Lambda as events."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
from fastapi import FastAPI

from shared.admin_api.app import lambda_handler_of

Handler = Callable[[Any, Any], dict[str, Any]]


class LambdaTransport(httpx.BaseTransport):
    """Hands each request to a handler as an HTTP API does (payload format 2.0)."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._handler(event_of(request), None)
        body = answer.get("body", "")
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        return httpx.Response(answer["statusCode"], headers=answer.get("headers"), content=content)


def event_of(request: httpx.Request) -> dict[str, Any]:
    path, _, query = request.url.raw_path.decode().partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "requestContext": {"http": {"method": request.method, "path": path, "sourceIp": "127.0.0.1"}},
        "body": base64.b64encode(request.read()).decode(),
        "isBase64Encoded": True,
    }


def client_of(app: FastAPI) -> httpx.Client:
    return httpx.Client(transport=LambdaTransport(lambda_handler_of(app)), base_url="https://api.invalid")
