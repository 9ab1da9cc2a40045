"""Connections to the PostgreSQL of a main system: to an address that was looked at, by TLS, for a while."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any, Final

import certifi
import psycopg

from shared.backend.sync.base import Unreachable
from shared.backend.sync.settings import PostgresSink
from shared.errors import AddressRefused, NotAnswered
from shared.guard import Guard

CONNECT_SECONDS: Final = 8
"""For the connection to be made."""

_LEAST_SECONDS: Final = 2
"""For anything: psycopg takes one for two, and to it as to the server none means as long as it likes."""

_GRACE_SECONDS: Final = 1.0
"""After the time that the server is told, so that it can say what it was about."""

_SESSION: Final[Mapping[str, Any]] = {
    "application_name": "parley",
    "client_encoding": "UTF8",
    "gssencmode": "disable",
    "sslcertmode": "disable",
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_HASHED: Final = "scram-sha-256,md5"
"""How a password is told to somebody who shows no certificate that counts: never in the clear."""

_BOUNDS: Final = (
    "SELECT set_config(name, %s, true) FROM unnest('{statement_timeout,lock_timeout}'::text[]) name"
)

_PASSING: Final = re.compile("08|25006|40|53|55006|55P03|57|58|XX")
"""How the states (SQLSTATE) begin of a server that has trouble of its own."""

_WHERE: Final = re.compile(r"^.*?connection to server at .*? failed: |^connection failed: ")
_LONGEST_WORDS: Final = 300


@contextmanager
def connected(sink: PostgresSink, guard: Guard, seconds: float) -> Iterator[psycopg.Connection]:
    """A connection within a transaction, which is lost unless it is committed.

    Raises `Unreachable` where none comes about, or it breaks, or the server has trouble of its own; what else
    the server says is raised as it is.
    """
    seconds = max(seconds, _LEAST_SECONDS)
    with _told():
        to_connect = min(seconds, CONNECT_SECONDS)
        connection = _connect(sink, _address(sink, guard, to_connect), to_connect)
        with _closing(connection), _cut_off(connection, seconds + _GRACE_SECONDS):
            connection.execute(_BOUNDS, [f"{seconds:.0f}s"])
            yield connection


def is_passing(error: psycopg.Error) -> bool:
    """Whether the same may go well another time, with nobody doing anything about it."""
    if error.sqlstate:
        return _PASSING.match(error.sqlstate) is not None
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if not is_passing(error):
            raise
        raise Unreachable(_words_of(error)) from None


def _words_of(error: psycopg.Error) -> str:
    """The first line of what was said, without the address that the name stood for."""
    words = error.diag.message_primary or str(error).partition("\n")[0]
    return f"the database says: {_WHERE.sub('', words)[:_LONGEST_WORDS]}"


def _address(sink: PostgresSink, guard: Guard, seconds: float) -> str:
    try:
        return guard.checked_address(sink.host, sink.port, seconds)
    except (AddressRefused, NotAnswered) as error:
        raise Unreachable(f"{sink.host}: {error}") from None


def _connect(sink: PostgresSink, address: str, seconds: float) -> psycopg.Connection:
    with _trusted(sink) as trust:
        return psycopg.connect(
            host=sink.host,
            hostaddr=address,
            port=sink.port,
            dbname=sink.database,
            user=sink.user,
            password=sink.password,
            connect_timeout=int(seconds),
            prepare_threshold=None,
            **trust,
            **_SESSION,
        )


@contextmanager
def _trusted(sink: PostgresSink) -> Iterator[dict[str, Any]]:
    """What the certificate is held to. libpq reads authorities from a file only."""
    if sink.tls == "require":
        yield {"sslmode": "require", "require_auth": _HASHED}
    elif not sink.ca_certificate:
        yield {"sslmode": "verify-full", "sslrootcert": certifi.where()}
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as authority:
            authority.write(sink.ca_certificate)
            authority.flush()
            yield {"sslmode": "verify-full", "sslrootcert": authority.name}


@contextmanager
def _closing(connection: psycopg.Connection) -> Iterator[None]:
    try:
        yield
    finally:
        connection.close()


@contextmanager
def _cut_off(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Break the connection when the time is over: a server that says nothing keeps nobody waiting."""
    timer = Timer(seconds, _shut, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _shut(connection: psycopg.Connection) -> None:
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)
