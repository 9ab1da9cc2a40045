"""The OpenAPI document of the whole API, as it is served: a file that `make openapi` writes."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import Response

DOCUMENT: Final = Path(__file__).with_name("openapi.json")

_CACHED: Final = "public, max-age=300"


def document_response() -> Response:
    content = _content()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": _CACHED, "Access-Control-Allow-Origin": "*"}
    return Response(content, headers=headers, media_type="application/json")


@cache
def _content() -> bytes:
    return DOCUMENT.read_bytes()
