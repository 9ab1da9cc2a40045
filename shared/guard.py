"""What may be connected to of what others name: public addresses, and what the deployment lists beside them.

A name is looked up here, all that it stands for is looked at, and the connection is to be made to an address
that comes from here: a name that means another thing a moment later leads nowhere else.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Thread
from urllib.parse import urlsplit

from shared.errors import AddressRefused, NotAnswered

LOOK_UP_SECONDS = 8.0
"""For a name to be looked up, where whoever asks has no less time."""

_LAST_PORT = 65_535
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4, as a gateway to it writes them (RFC 6052)."""

_GIVEN_OUT = IPv6Network("2000::/3")
"""The only addresses of IPv6 that anybody was ever given (RFC 4291): none of those beside them is public,
though Python holds some of them to be.
"""


def addresses_of(host: str, port: int) -> list[str]:
    """All addresses of a name, each once, in the system's order. Raises `OSError`, `ValueError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(text: str) -> bool:
    """Whether the address is one that everybody can reach, whatever way it is written in."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    real = _unwrapped(address)
    return real is not None and real.is_global and not real.is_multicast


class Guard:
    """Says where a connection may go.

    `private_hosts` is the deployment's list of `host:port` with commas between: what is named exactly so may
    lie anywhere. `allows` says which addresses are open to everybody.
    """

    def __init__(
        self,
        private_hosts: str = "",
        *,
        resolve: Callable[[str, int], Sequence[str]] = addresses_of,
        allows: Callable[[str], bool] = is_public,
    ) -> None:
        self._private_hosts = frozenset(_listed(private_hosts))
        self._resolve = resolve
        self._allows = allows

    def addresses(self, host: str, port: int, seconds: float = LOOK_UP_SECONDS) -> Sequence[str]:
        """All that the name stands for, as long as everything of it may be connected to.

        Raises `AddressRefused`, and `NotAnswered` for a name that is not known in so many seconds.
        """
        found = self._looked_up(host, port, min(seconds, LOOK_UP_SECONDS))
        if self.lists(host, port) or all(map(self._allows, found)):
            return found
        raise AddressRefused("the address is not a public one")

    def lists(self, host: str, port: int) -> bool:
        """Whether the deployment names it."""
        return (host.lower(), port) in self._private_hosts

    def keeps_secret(self, url: str) -> bool:
        """Whether nobody on the way hears what is sent there: by TLS, or to what the deployment names."""
        try:
            parts = urlsplit(url)
            return parts.scheme == "https" or self.lists(parts.hostname or "", parts.port or 80)
        except ValueError:
            return False

    def checked_address(self, host: str, port: int, seconds: float = LOOK_UP_SECONDS) -> str:
        """The first of them, for a client that connects to one."""
        return self.addresses(host, port, seconds)[0]

    def _looked_up(self, host: str, port: int, seconds: float) -> Sequence[str]:
        if not 0 < port <= _LAST_PORT:
            raise AddressRefused("there is no such port")
        try:
            found = _in_time(lambda: self._resolve(host, port), seconds)
        except TimeoutError:
            raise NotAnswered("the name was not looked up in time") from None
        except (OSError, ValueError):
            found = ()
        if not found:
            raise NotAnswered("the name is not known")
        return found


def _in_time(look_up: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """What is found. The system's look-up knows no limit: beyond it, it goes on by itself, for nobody.

    Raises `TimeoutError`, and what the look-up raises.
    """
    found: Future[Sequence[str]] = Future()
    Thread(target=_settle, args=(found, look_up), daemon=True).start()
    return found.result(seconds)


def _settle(found: Future[Sequence[str]], look_up: Callable[[], Sequence[str]]) -> None:
    try:
        found.set_result(look_up())
    except Exception as error:  # noqa: BLE001 (it is raised again where it is waited for)
        found.set_exception(error)


def _listed(private_hosts: str) -> list[tuple[str, int]]:
    """Raises `ValueError` for what is no `host:port`, so that a deployment is told at once."""
    return [_pair(entry.strip()) for entry in private_hosts.split(",") if entry.strip()]


def _pair(entry: str) -> tuple[str, int]:
    found = _HOST_AND_PORT.fullmatch(entry)
    if found is None:
        raise ValueError(f"PRIVATE_HOSTS: “{entry}” is not host:port")
    return found["host"].strip("[]").lower(), int(found["port"])


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address | None:
    """The address that is meant; None for one that is nobody's, or leads through somebody's tunnel."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped:
        return address.ipv4_mapped
    is_tunnel = address.sixtofour or address.teredo
    return address if address in _GIVEN_OUT and not is_tunnel else None
