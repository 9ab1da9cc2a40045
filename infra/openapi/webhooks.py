"""The routes that no FastAPI makes: what messengers and the chat's page call."""

from __future__ import annotations

from typing import Any, Final

_BOT: Final[dict[str, Any]] = {
    "name": "bot_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_AFTER: Final[dict[str, Any]] = {
    "name": "after",
    "in": "query",
    "description": "The `id` of the last item that is known; without it, the list begins at the beginning.",
    "schema": {"type": "string"},
}
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
_REFUSALS: Final = {
    "400": "The proof is good, but the body is not JSON, or not what is taken here",
    "401": "No proof, or one that does not hold",
    "403": "Not from here: another origin, or another verify token",
    "404": "No such bot, or it is not connected to this platform",
    "413": "The body is too large",
    "503": "It could not be taken in just now; send it again",
}

SCHEMAS: Final[dict[str, Any]] = {
    "Refusal": {
        "type": "object",
        "description": "A problem document (RFC 9457) of a webhook.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    },
    "ChatCall": {
        "type": "object",
        "description": (
            "What a person does: begins (`start`), writes (`text`), presses (`button`, a button's `value`),"
            " or shares. The first call needs no token; its answer gives one."
        ),
        "properties": {
            "start": {"type": "boolean"},
            "text": {"type": "string"},
            "button": {"type": "string"},
            "location": {"type": "object"},
            "contact": {"type": "object"},
        },
    },
    "ChatProof": {
        "type": "object",
        "required": ["chat_id", "chat_token", "accepted"],
        "properties": {
            "chat_id": {"type": "string"},
            "chat_token": {"type": "string", "description": "Proves the chat in every later call."},
            "accepted": {"type": "boolean", "description": "False where the bot is switched off."},
        },
    },
    "ChatItem": {
        "type": "object",
        "required": ["id", "from", "text", "media", "buttons", "at"],
        "properties": {
            "id": {"type": "string"},
            "from": {"enum": ["user", "bot", "operator"]},
            "text": {"type": "string"},
            "media": {"type": "array", "items": {"type": "object"}},
            "buttons": {"type": "array", "items": {"type": "object"}},
            "at": {"type": "string", "format": "date-time"},
        },
    },
    "ChatItems": {
        "type": "object",
        "required": ["items", "typing", "open_ask"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/ChatItem"}},
            "typing": {"type": "boolean", "description": "More is on its way."},
            "open_ask": {
                "type": ["string", "null"],
                "description": "What the values of the open question's buttons begin with.",
            },
        },
    },
}

SECURITY_SCHEMES: Final[dict[str, Any]] = {
    "telegram": {"type": "apiKey", "in": "header", "name": "X-Telegram-Bot-Api-Secret-Token"},
    "whatsapp": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hub-Signature-256",
        "description": "`sha256=` and the HMAC-SHA256 of the raw body with `app_secret`.",
    },
    "viber": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Viber-Content-Signature",
        "description": "The HMAC-SHA256 of the raw body with `auth_token`.",
    },
    "chat": {"type": "http", "scheme": "bearer", "description": "The `chat_token` of the first answer."},
}


def _refused(*statuses: str) -> dict[str, Any]:
    return {status: {"description": _REFUSALS[status], "content": _PROBLEM} for status in statuses}


def _json(schema: str, description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _update(platform: str, summary: str) -> dict[str, Any]:
    """Where a messenger posts its updates."""
    return {
        "operationId": f"receive_{platform}_update",
        "tags": ["webhooks"],
        "summary": summary,
        "security": [{platform: []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "200": {"description": "Taken in, whatever is in it"},
            **_refused("400", "401", "404", "413", "503"),
        },
    }


_VERIFICATION: Final[dict[str, Any]] = {
    "operationId": "verify_whatsapp_webhook",
    "tags": ["webhooks"],
    "summary": "Prove to WhatsApp that this address is ours",
    "security": [],
    "parameters": [
        {"name": f"hub.{name}", "in": "query", "required": True, "schema": {"type": "string"}}
        for name in ("mode", "verify_token", "challenge")
    ],
    "responses": {
        "200": {
            "description": "`hub.challenge`",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **_refused("403", "404", "503"),
    },
}
_CHAT: Final[dict[str, Any]] = {
    "parameters": [_BOT],
    "post": {
        "operationId": "do_in_web_chat",
        "tags": ["webhooks"],
        "summary": "Do something in the web chat",
        "security": [{}, {"chat": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/ChatCall"},
                    "examples": {"beginning": {"value": {"start": True}}, "words": {"value": {"text": "Hi"}}},
                }
            },
        },
        "responses": {
            "200": _json("ChatProof", "Taken in"),
            **_refused("400", "401", "403", "404", "413", "503"),
        },
    },
    "get": {
        "operationId": "list_web_chat",
        "tags": ["webhooks"],
        "summary": "List what was said in the web chat",
        "security": [{"chat": []}],
        "parameters": [_AFTER],
        "responses": {
            "200": _json("ChatItems", "What was said after `after`"),
            **_refused("400", "401", "403", "404", "503"),
        },
    },
    "options": {
        "operationId": "ask_leave_for_web_chat",
        "tags": ["webhooks"],
        "summary": "Ask whether a page of this origin may call (CORS)",
        "security": [],
        "responses": {
            "204": {"description": "It may, if the answer names the origin"},
            **_refused("403", "404", "503"),
        },
    },
}
_PAGE_OR_SCRIPT: Final = {kind: {"schema": {"type": "string"}} for kind in ("text/html", "text/javascript")}
_AS_SCRIPT: Final = {
    "name": "as",
    "in": "query",
    "description": "`script` for what puts the chat on any page.",
    "schema": {"type": "string", "enum": ["script"]},
}
_NO_CHAT: Final = "No such chat"
_PAGE: Final[dict[str, Any]] = {
    "parameters": [_BOT, _AS_SCRIPT],
    "get": {
        "operationId": "show_chat_page",
        "tags": ["webhooks"],
        "summary": "Show the page of the web chat",
        "security": [],
        "responses": {
            "200": {
                "description": "The page, or the script",
                "content": _PAGE_OR_SCRIPT,
            },
            "404": {"description": _NO_CHAT, "content": {"text/html": {"schema": {"type": "string"}}}},
            **_refused("503"),
        },
    },
    "head": {
        "operationId": "see_whether_there_is_a_chat_page",
        "tags": ["webhooks"],
        "summary": "See whether the web chat has a page",
        "security": [],
        "responses": {"200": {"description": "It has"}, "404": {"description": _NO_CHAT}},
    },
}

PATHS: Final[dict[str, Any]] = {
    "/api/webhook/telegram/{bot_id}": {
        "parameters": [_BOT],
        "post": _update("telegram", "Take in an update of Telegram's"),
    },
    "/api/webhook/whatsapp/{bot_id}": {
        "parameters": [_BOT],
        "post": _update("whatsapp", "Take in an update of WhatsApp's"),
        "get": _VERIFICATION,
    },
    "/api/webhook/viber/{bot_id}": {
        "parameters": [_BOT],
        "post": _update("viber", "Take in a callback of Viber's"),
    },
    "/api/webhook/webchat/{bot_id}": _CHAT,
    "/chat/{bot_id}": _PAGE,
}
