"""What an http step sends: the request as the engine shows it (`shared.scenario.requests`), with its secrets.

Only here do secrets and what people wrote come together, each encoded for its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from shared.errors import TaskFailed
from shared.exchange import Ask
from shared.scenario.addresses import in_called_address
from shared.scenario.headers import OURS

SAFE = ("GET", "HEAD")
"""What may be asked twice: the others might be done twice."""

USER_AGENT = "Parley"

_FORM = "application/x-www-form-urlencoded"
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


def ask_of(request: Mapping[str, Any], secrets: Mapping[str, str], task_id: str) -> Ask:
    """The request with its secrets in it, under the task's id, so that its receiver knows it again.

    Raises `TaskFailed`.
    """
    whole = _with_secrets(request, secrets)
    headers = _headers(whole["headers"])
    content, content_type = _content(whole["body"], headers.get("content-type", ""))
    ours = {"accept": "*/*", "user-agent": USER_AGENT}
    if whole["method"] not in SAFE:
        ours["idempotency-key"] = task_id
    if content:
        ours["content-type"] = content_type
    return Ask(whole["method"], whole["url"], ours | headers, content)


def _with_secrets(request: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Offsets count what stands before a secret without any other, so the last goes in first."""
    whole: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(request))
    for mark in reversed(whole["secrets"]):
        holder, key = _place(whole, mark["at"])
        before, after = holder[key][: mark["offset"]], holder[key][mark["offset"] :]
        value = secrets[mark["name"]]
        holder[key] = before + (in_called_address(value, before) if mark["at"] == "/url" else value) + after
    return whole


def _place(document: Any, pointer: str) -> tuple[Any, Any]:
    """What holds the text that a JSON pointer leads to, and under which key."""
    *way, last = (token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
    for token in way:
        document = document[_key(document, token)]
    return document, _key(document, last)


def _key(holder: Any, token: str) -> Any:
    return int(token) if isinstance(holder, list) else token


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    headers = {name.lower(): value.strip() for name, value in given.items()}
    for name, value in headers.items():
        if name in OURS:
            raise TaskFailed(f"the header “{name}” cannot be set")
        if _CONTROLS.search(value):
            raise TaskFailed(f"the header “{name}” would have more than one line")
    return headers


def _content(body: Any, content_type: str) -> tuple[bytes, str]:
    """The body, and of what type it is where its author does not say."""
    if body is None:
        return b"", ""
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    if isinstance(body, dict) and content_type.partition(";")[0].strip().lower() == _FORM:
        return urlencode(_fields(body), doseq=True).encode(), _FORM
    return msgspec.json.encode(body), "application/json"


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """A form's: what has no value is left out, and truth is written as in JSON."""
    return {name: _field(value) for name, value in body.items() if value is not None}


def _field(value: Any) -> Any:
    if isinstance(value, list):
        return [_field(each) for each in value]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
