"""The chat's page: one HTML document that loads nothing but the files it shows, and lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol

import msgspec

from shared.errors import NotFound, Refused
from shared.platforms.base import WebhookAnswer
from shared.platforms.webchat import PLATFORM
from shared.webchat.origins import allowed_origins
from shared.webhook.gateway import LambdaAnswer, LambdaEvent, at_the_door, read_call, respond
from shared.webhook.proof import Credentials, known

_POLICY = (
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data: 'self' https:",
    "media-src 'self' https:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)


_FOR_ANY_PAGE = {"cache-control": "public, max-age=300", "cross-origin-resource-policy": "cross-origin"}


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class Sources:
    """The page's files, put together once a container: style and script inline, so that it is
    one request, and allowed by their hashes, so that nothing else that is inline runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def policy(self) -> str:
        """The content security policy, but for who may frame the page."""
        script, style = _hash(self._read("chat.js")), _hash(self._read("style.css"))
        return "; ".join((*_POLICY, f"script-src '{script}'", f"style-src '{style}'"))

    def chat(self, bot_id: str, name: str) -> str:
        """The page of a bot; its address of calls is relative, so that any path prefix will do."""
        words = {"{{bot_id}}": html.escape(bot_id), "{{name}}": html.escape(name)}
        return _filled(self._template, words)

    def widget(self, name: str) -> str:
        """The script that puts a bot's chat on any page; it finds the chat by its own address."""
        return _filled(self._read("widget.js"), {"{{name}}": json.dumps(name)})

    @cached_property
    def missing(self) -> str:
        """The page for an address that leads to no chat."""
        return _filled(self._read("missing.html"), {"{{style}}": self._read("style.css")})

    @cached_property
    def _template(self) -> str:
        parts = {"{{style}}": self._read("style.css"), "{{script}}": self._read("chat.js")}
        return _filled(self._read("page.html"), parts)

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")


class PageDoor(msgspec.Struct, frozen=True):
    """`/chat/{bot_id}`: the page or, with `?as=script`, what puts it on another one.

    `find_bot` raises `NotFound`.
    """

    credentials: Credentials
    find_bot: Callable[[str], _Named]
    sources: Sources

    def answer(self, event: LambdaEvent) -> LambdaAnswer:
        """Answer API Gateway's event, with the head alone where no more is asked for. Never raises."""
        answer = at_the_door(self._answer, event)
        return answer | {"body": ""} if str(event.get("routeKey")).startswith("HEAD ") else answer

    def _answer(self, event: LambdaEvent) -> LambdaAnswer:
        try:
            return self._chat(event)
        except Refused:
            page = WebhookAnswer(404, self.sources.missing, "text/html; charset=utf-8")
            return respond(page, self._headers(()) | {"cache-control": "no-store"})

    def _chat(self, event: LambdaEvent) -> LambdaAnswer:
        call = read_call(event)
        credential = known(self.credentials, call.bot_id, PLATFORM)
        if not credential.is_active:
            raise NotFound("bot")
        name = self.find_bot(call.bot_id).name
        if call.request.query.get("as") == "script":
            script = WebhookAnswer(200, self.sources.widget(name), "text/javascript; charset=utf-8")
            return respond(script, _FOR_ANY_PAGE)
        answer = WebhookAnswer(200, self.sources.chat(call.bot_id, name), "text/html; charset=utf-8")
        return respond(answer, self._headers(allowed_origins(credential)))

    def _headers(self, framed_by: tuple[str, ...]) -> dict[str, str]:
        ancestors = " ".join(("'self'", *framed_by))
        return {
            "content-security-policy": f"{self.sources.policy}; frame-ancestors {ancestors}",
            "cache-control": "public, max-age=60",
            "referrer-policy": "no-referrer",
        }


def _filled(template: str, words: dict[str, str]) -> str:
    """Every placeholder once; what is put in is not looked at again."""
    pattern = "|".join(map(re.escape, words))
    return re.sub(pattern, lambda match: words[match[0]], template)


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
