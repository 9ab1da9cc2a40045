"""The client for addresses that others name: it goes to public ones only.

A name is looked up here, all that it stands for is looked at, and the connection is made to that very
address: a name that means another thing a moment later leads nowhere else. No redirect is followed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from shared.errors import AddressRefused, NotAnswered

TIMEOUT_SECONDS = 10.0
"""For a connection to be made, for an answer to begin, and between its parts."""

_LAST_PORT = 65_535
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4, as a gateway to it writes them (RFC 6052)."""

_GIVEN_OUT = IPv6Network("2000::/3")
"""The only addresses of IPv6 that anybody was ever given (RFC 4291): none of those beside them is public,
though Python holds some of them to be.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, its body still on the way; header names are lower-case. `parts` raises `NotAnswered`."""

    status: int
    headers: Mapping[str, str]
    parts: Iterator[bytes]


class OutboundHttp:
    """Gets what is at an address that somebody has named."""

    def __init__(
        self,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        resolve: Callable[[str, int], Sequence[str]] | None = None,
        allows: Callable[[str], bool] | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve or addresses_of
        self._allows = allows or is_public

    @contextmanager
    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, is_ours: bool = False
    ) -> Iterator[Answer]:
        """The answer of whoever is there. `is_ours`: a setting names it, so it may be anywhere.

        Raises `AddressRefused` before anything is sent, and `NotAnswered`.
        """
        asked = _checked(url)
        addresses = (_name_in(asked),) if is_ours else self._allowed(asked)
        with ExitStack() as stack, _told():
            answer = self._answer(stack, [_towards(asked, address) for address in addresses], headers or {})
            yield Answer(answer.status_code, dict(answer.headers), _parts(answer))

    def close(self) -> None:
        if "_client" in vars(self):
            self._client.close()

    def _allowed(self, asked: httpx.URL) -> Sequence[str]:
        """All that the name stands for, as long as everything of it is public."""
        try:
            addresses = self._resolve(_name_in(asked), asked.port or (443 if asked.scheme == "https" else 80))
        except (OSError, UnicodeError):
            raise NotAnswered("the name is not known") from None
        if not addresses or not all(map(self._allows, addresses)):
            raise AddressRefused("the address is not a public one")
        return addresses

    def _answer(self, stack: ExitStack, ways: Sequence[_Way], headers: Mapping[str, str]) -> httpx.Response:
        """That of the first address where anybody is."""
        for way in ways[:-1]:
            try:
                return stack.enter_context(self._stream(way, headers))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return stack.enter_context(self._stream(ways[-1], headers))

    @contextmanager
    def _stream(self, way: _Way, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        asking = {"accept-encoding": "identity", **headers, "host": way.host}
        extensions = {"sni_hostname": way.name}
        with self._client.stream("GET", way.url, headers=asking, extensions=extensions) as answer:
            yield answer

    @cached_property
    def _client(self) -> httpx.Client:
        """Keeps no connection: the next name may stand for the same address, and have another certificate."""
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(timeout=self._timeout_seconds, limits=limits, trust_env=False)


@dataclass(frozen=True, slots=True)
class _Way:
    """A URL with an address in the place of the name, and the name as headers and certificates have it."""

    url: httpx.URL
    host: str
    name: str


def addresses_of(host: str, port: int) -> list[str]:
    """All addresses of a name, each once, in the system's order. Raises `OSError`, `UnicodeError`."""
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


def _checked(url: str) -> httpx.URL:
    try:
        asked = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise AddressRefused("it is no address") from None
    if asked.scheme not in ("http", "https") or not asked.host:
        raise AddressRefused("it is no address of the web")
    if asked.port is not None and not 0 < asked.port <= _LAST_PORT:
        raise AddressRefused("there is no such port")
    if asked.userinfo:
        raise AddressRefused("the address has a password in it")
    return asked


def _towards(asked: httpx.URL, address: str) -> _Way:
    return _Way(asked.copy_with(host=address), asked.netloc.decode("ascii"), _name_in(asked))


def _name_in(asked: httpx.URL) -> str:
    """As it is looked up and certified: in ASCII."""
    return asked.raw_host.decode("ascii")


@contextmanager
def _told() -> Iterator[None]:
    """httpx' errors as ours, without the address that they name."""
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        raise AddressRefused("it is no address of the web") from None
    except httpx.HTTPError as error:
        raise NotAnswered(type(error).__name__) from None


def _parts(answer: httpx.Response) -> Iterator[bytes]:
    """The body as it comes in: what nobody asked to be packed is not unpacked."""
    with _told():
        yield from answer.iter_raw()
