"""Routes that take JSON, strictly."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from fastapi import Request, Response

from shared.admin_api.api_route import ApiRoute, Handle


class JsonRequest(Request):
    """A request whose body is JSON as RFC 8259 has it: UTF-8, no NaN, no lone surrogates, bounded depth."""

    async def json(self) -> Any:
        try:
            return msgspec.json.decode(await self.body())
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None
        except RecursionError:
            raise json.JSONDecodeError("JSON is nested too deeply", "", 0) from None


class JsonRoute(ApiRoute):
    """Reads every body as JSON, whatever its label says: the label that curl gives is a form's."""

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            others = [header for header in request.scope["headers"] if header[0] != b"content-type"]
            headers = [*others, (b"content-type", b"application/json")]
            return await handle(JsonRequest({**request.scope, "headers": headers}, request.receive))

        return handle_json
