"""What an http step brings back: bounded, and without the secrets that it was asked with."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from shared.errors import TaskFailed
from shared.exchange import Reply
from shared.scenario.caps import MAX_DEPTH

SUCCESS = range(200, 300)

MAX_HEADERS = 50
MAX_HEADER = 1000
"""Characters of a header's value that are kept."""

MASK = "***"

SHORTEST_SECRET = 4
"""What is shorter can be guessed, and is part of too much that is none."""

_CHARACTER_SETS = re.compile(
    "utf-16(be|le)?|us-ascii|iso-8859-([1-9]|1[0-6])|windows-(125[0-8]|874)|koi8-[ru]"
    "|gbk|gb18030|gb2312|big5|euc-(jp|kr)|shift_jis|iso-2022-jp"
)
"""Those of the web (WHATWG Encoding); Python has others, some of which are programs of a kind."""

_WITHHELD = frozenset({"set-cookie"})
"""Another secret, of the server's."""


def result_of(reply: Reply, secrets: Collection[str]) -> dict[str, Any]:
    """`status`, `body` and `headers`, as the engine takes them. Raises `TaskFailed`."""
    masked = _masking(secrets)
    headers: dict[str, str] = masked(dict(_kept(reply.headers)))
    short = {name: value[:MAX_HEADER] for name, value in headers.items()}
    return {"status": reply.status, "body": masked(_body(reply)), "headers": short}


def _kept(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [each for each in headers.items() if each[0] not in _WITHHELD][:MAX_HEADERS]


def _body(reply: Reply) -> Any:
    """JSON where its type says so, text otherwise, and null where there is none."""
    if not reply.body:
        return None
    media_type, _, parameters = reply.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() == "application/json" or media_type.strip().endswith("+json"):
        return _parsed(reply)
    return _text(reply.body, parameters)


def _parsed(reply: Reply) -> Any:
    try:
        body = msgspec.json.decode(reply.body.removeprefix(BOM_UTF8))
        if _is_shallow(body, MAX_DEPTH):
            return body
    except (ValueError, RecursionError):
        pass
    if reply.status in SUCCESS:
        raise TaskFailed("the server's answer is not the JSON that it says it is")
    return _text(reply.body, "")


def _is_shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(part, levels - 1) for part in parts)


def _text(body: bytes, parameters: str) -> str:
    """In the character set that the type's parameters name; what is not in it shows as such."""
    named = (part.strip().removeprefix("charset=") for part in parameters.split(";") if "charset=" in part)
    name = next(named, "").strip("\"'")
    return body.decode(name if _CHARACTER_SETS.fullmatch(name) else "utf-8", "replace")


def _masking(secrets: Collection[str]) -> Callable[[Any], Any]:
    """What puts a mask in the place of every secret, in each of the ways that it may be written."""
    kept = (secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
    written = {form for secret in kept for form in _forms(secret)}
    longest_first = sorted(written, key=len, reverse=True)

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            for form in longest_first:
                value = value.replace(form, MASK)
            return value
        if isinstance(value, dict):
            return {masked(key): masked(each) for key, each in value.items()}
        if isinstance(value, list):
            return [masked(each) for each in value]
        return MASK if str(value) in written else value

    return masked if written else lambda value: value


def _forms(secret: str) -> tuple[str, ...]:
    """Plainly, as in an address, a form or JSON, and as servers read a header that is not all ASCII."""
    in_json = msgspec.json.encode(secret).decode()[1:-1]
    in_address = quote(secret, safe=""), quote(secret), quote_plus(secret)
    return secret, *in_address, in_json, secret.encode().decode("latin-1")
