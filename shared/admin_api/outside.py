"""Addresses that members of an account name, looked at when they are saved.

What a name stands for is looked at whenever it is called (`shared.guard`). Here is told what nobody has to
be asked for, so that whoever saves it hears of it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.guard import Guard, is_public

_VISIBLE: Final = re.compile(r"[!-~]{1,2000}")
_NAME: Final = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,62}")
"""Of two parts at least. What ends in a number is an address to most systems, however odd its form."""

_NEVER_PUBLIC: Final = ("localhost", "local", "localdomain", "internal", "home.arpa", "invalid", "test")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Outside:
    """Says what is wrong with an address, for people; "" for what the guard might let through."""

    guard: Guard

    def flaw_of_url(self, url: str) -> str:
        """Of an address to call by HTTP. Without TLS is called only what the deployment lists."""
        parts = _parts(url)
        if parts is None or parts.scheme not in _PORTS or not parts.hostname:
            return "this has to be an https address"
        if parts.username is not None or parts.query or parts.fragment:
            return "an address without a password, a question mark or a hash is needed here"
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        if parts.scheme == "http" and not self.guard.lists(parts.hostname, port):
            return "this has to be an https address"
        return self.flaw_of_host(parts.hostname, port)

    def flaw_of_host(self, host: str, port: int) -> str:
        """Of a name or an address of IP, and a port of it."""
        host = host.lower().strip("[]")
        if self.guard.lists(host, port) or (port and _may_be_public(host.removesuffix("."))):
            return ""
        return "the internet does not lead there; addresses beside it are listed by the deployment"


def _parts(url: str) -> SplitResult | None:
    """None for what is no address; to ask for its port raises nothing."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if _VISIBLE.fullmatch(url) and "\\" not in url and (parts.port or 0) >= 0:
            return parts
    return None


def _may_be_public(host: str) -> bool:
    with suppress(ValueError):
        ip_address(host)
        return is_public(host)
    is_reserved = any(host.endswith(f".{suffix}") for suffix in _NEVER_PUBLIC)
    return _NAME.fullmatch(host) is not None and not is_reserved
