"""E-mail and web addresses."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import SplitResult, urlsplit

from shared.scenario.inputs.limits import Limits, Surroundings

MAX_URL = 2000
"""Characters; browsers and servers take few longer ones."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_NEVER = frozenset('\\<>"{}|^`')
_WEB = ("http", "https")


def email(text: str, _limits: Limits, _surroundings: Surroundings) -> str | None:
    """The address with its domain in small letters; whether it has a mailbox is not looked up."""
    from email_validator import (  # noqa: PLC0415 (50 ms, for scenarios that ask for an address)
        EmailNotValidError,
        validate_email,
    )

    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError:
        return None


def url(text: str, _limits: Limits, _surroundings: Surroundings) -> str | None:
    """The address, with https where no scheme was written, and scheme and host in small letters."""
    if len(text) > MAX_URL or any(c in _NEVER or unicodedata.category(c) in _UNSAFE for c in text):
        return None
    is_whole = _SCHEME.match(text) is not None
    try:
        parts = urlsplit(text if is_whole else f"https://{text}")
        is_fit = parts.scheme in _WEB and _has_host(parts, needs_dot=not is_whole)
    except ValueError:
        return None
    return parts._replace(netloc=parts.netloc.lower().rstrip(".")).geturl() if is_fit else None


def _has_host(parts: SplitResult, *, needs_dot: bool) -> bool:
    """Whether it has a host, and a port that can be one; a name before an @ is a trick, or an e-mail."""
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.port == 0:
        return False
    return _is_ip(host) or (_is_name(host) and (not needs_dot or _has_word_at_end(host)))


def _is_ip(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 (few answers are addresses of the web)

    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    import idna  # noqa: PLC0415 (12 ms, for scenarios that ask for an address)

    try:
        idna.encode(host, uts46=True)
    except (idna.IDNAError, UnicodeError):
        return False
    return not host.rpartition(".")[2].isdigit()


def _has_word_at_end(host: str) -> bool:
    """Whether it ends like `example.com`, unlike `3.14` or `hello`."""
    return "." in host.strip(".") and host.rstrip(".").rpartition(".")[2][:1].isalpha()
