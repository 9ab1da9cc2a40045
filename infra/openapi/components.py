"""What the operations of the document refer to: headers, parameters, problems."""

from __future__ import annotations

from typing import Any, Final

from infra.openapi import webhooks
from shared.admin_api.idempotency import HEADER as IDEMPOTENCY_KEY
from shared.admin_api.idempotency import REPLAYED
from shared.admin_api.problems import KINDS, MEDIA_TYPE

Json = dict[str, Any]

RESPONSES: Final = {
    400: "BadRequest",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    412: "Changed",
    413: "TooLarge",
    422: "Invalid",
    429: "TooManyRequests",
    500: "Internal",
    503: "Unavailable",
}
"""The name of what is answered with each status that refuses."""

_HEADERS: Final[Json] = {
    "ETag": {"description": "The version of the object.", "schema": {"type": "string"}},
    "Location": {"description": "Where the object is.", "required": True, "schema": {"type": "string"}},
    REPLAYED: {
        "description": "The answer was given before, to a request of the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
_SHARED_PARAMETERS: Final[Json] = {
    "IdempotencyKey": {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "description": "Sent again with the same key, a request is answered, and not carried out, again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "ETags of versions that are known: 304 if the object is still one of them.",
        "schema": {"type": "string"},
    },
}

_PROBLEM_SCHEMAS: Final[Json] = {
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457), and what to do about it.",
        "required": ["type", "title", "status", "detail", "errors"],
        "properties": {
            "type": {"type": "string", "enum": [f"urn:parley:problem:{kind}" for kind in KINDS]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Violation"}},
            "trace_id": {"type": "string", "description": "By which a fault is found in the logs."},
        },
    },
    "Violation": {
        "type": "object",
        "description": "One thing that is wrong, and where.",
        "required": ["pointer", "message", "code"],
        "properties": {
            "pointer": {
                "type": "string",
                "description": "A JSON pointer (RFC 6901) into the request's body.",
            },
            "message": {"type": "string"},
            "code": {"type": "string"},
        },
    },
    "Throttled": {
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}},
    },
}


def components(schemas: Json) -> Json:
    theirs = {
        name: each for name, each in schemas.items() if name not in {"HTTPValidationError", "ValidationError"}
    }
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A JWT of Supabase Auth.",
    }
    return {
        "securitySchemes": {"bearer": bearer, **webhooks.SECURITY_SCHEMES},
        "parameters": _SHARED_PARAMETERS,
        "headers": _HEADERS,
        "responses": {name: _problem_response(status) for status, name in RESPONSES.items()},
        "schemas": dict(sorted((theirs | webhooks.SCHEMAS | _PROBLEM_SCHEMAS).items())),
    }


def _problem_response(status: int) -> Json:
    """The answer of one status; the gateway itself gives one, in its own words."""
    if status == 429:  # noqa: PLR2004 - too many requests
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Throttled"}}}
        return {"description": "Too many requests at once", "content": content}
    kinds = {kind: title for kind, (each, title) in KINDS.items() if each == status}
    schema = {"$ref": "#/components/schemas/Problem"}
    examples = {kind: {"value": _example_problem(kind, status)} for kind in kinds}
    return {
        "description": "; ".join(kinds.values()),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def _example_problem(kind: str, status: int) -> Json:
    title = KINDS[kind][1]
    errors = (
        [{"pointer": "/name", "message": "This is required.", "code": "missing"}] if kind == "invalid" else []
    )
    return {
        "type": f"urn:parley:problem:{kind}",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "errors": errors,
    }
