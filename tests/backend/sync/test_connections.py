"""Getting into a PostgreSQL, and being thrown out of it."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from shared.backend.sync.base import Delivery, Unreachable
from shared.backend.sync.connections import connected
from shared.backend.sync.postgresql import PostgresSystem
from shared.guard import Guard
from tests.backend.sync.conftest import MakeSink, Query
from tests.backend.sync.runs import a_run
from tests.certificates import Authority
from tests.postgres import Postgres

IVAN = {"telegram_id": "42", "name": "Иван"}

Put = Callable[..., None]


@pytest.fixture
def put(sink: MakeSink, guard: Guard) -> Put:
    def put_row(seconds: float = 10, guard: Guard = guard, **changed: Any) -> None:
        PostgresSystem(sink(**changed), guard).put(Delivery(a_run(), IVAN, seconds))

    return put_row


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("tls", ["verify-full", "require"])
def test_a_connection_is_by_tls_and_shut_afterwards(
    sink: MakeSink, guard: Guard, query: Query, tls: str
) -> None:
    ours = "FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name = 'parley'"
    with connected(
        sink(tls=tls, ca_certificate="" if tls == "require" else sink().ca_certificate), guard, 10
    ):
        assert query(f"SELECT ssl {ours}") == [(True,)]
    until = time.monotonic() + 5
    while query(f"SELECT 1 {ours}") and time.monotonic() < until:
        time.sleep(0.01)
    assert query(f"SELECT 1 {ours}") == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "wr0ng-pass"}, "password authentication failed"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"database": "nope"}, 'database "nope" does not exist'),
        ({"ca_certificate": ""}, "certificate verify failed"),
        ({"ca_certificate": Authority().certificate}, "certificate verify failed"),
        ({"ca_certificate": "no PEM"}, "could not read root certificate file"),
    ],
)
def test_who_is_not_let_in_is_told_why(put: Put, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreachable, match=words) as told:
        put(**changed)
    assert "wr0ng-pass" not in str(told.value)
    assert "127.0.0.1" not in str(told.value)


def test_a_certificate_is_held_to_the_name_and_not_to_the_address(put: Put, postgres: Postgres) -> None:
    elsewhere = Guard(f"db.example:{postgres.port}", resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(Unreachable, match="does not match host name"):
        put(guard=elsewhere, host="db.example")


@pytest.mark.parametrize("listed", ["", "localhost:5432", "127.0.0.1:{port}"])
def test_nobody_is_asked_at_a_private_address_that_the_deployment_does_not_list(
    put: Put, postgres: Postgres, query: Query, listed: str
) -> None:
    with pytest.raises(Unreachable, match="localhost: the address is not a public one"):
        put(guard=Guard(listed.format(port=postgres.port)))


def test_a_name_that_is_not_known_and_a_port_where_nobody_is_are_told(put: Put) -> None:
    with pytest.raises(Unreachable, match=r"nobody\.invalid: the name is not known"):
        put(host="nobody.invalid")
    with pytest.raises(Unreachable, match="Connection refused"):
        put(port=9, guard=Guard("localhost:9"))


@contextmanager
def listener(answer: bytes = b"") -> Iterator[int]:
    """The port of somebody who takes connections, perhaps says something, and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                held.append(client)
                if answer:
                    client.recv(8)
                    client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        for client in held:
            client.close()


@pytest.mark.parametrize("seconds", [2, 0.4])
def test_who_says_nothing_keeps_nobody_waiting(put: Put, seconds: float) -> None:
    begun = time.monotonic()
    with listener() as port, pytest.raises(Unreachable, match="timeout"):
        put(seconds, port=port, guard=Guard(f"localhost:{port}"))
    assert time.monotonic() - begun < 4


def test_nothing_is_told_to_a_server_without_tls(put: Put) -> None:
    with listener(b"N") as port, pytest.raises(Unreachable, match="does not support SSL"):
        put(port=port, tls="require", guard=Guard(f"localhost:{port}"))


@pytest.mark.usefixtures("staff")
def test_a_row_that_is_locked_is_waited_for_only_so_long(put: Put, postgres: Postgres, database: str) -> None:
    put()
    with postgres.connected(database) as other, other.transaction():
        other.execute("SELECT * FROM staff FOR UPDATE")
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="timeout"):
            put(1)
        assert time.monotonic() - begun < 3


def test_a_server_that_freezes_keeps_nobody_waiting(sink: MakeSink, guard: Guard) -> None:
    """It neither answers nor heeds the bounds that it was told: the connection is cut from our side."""

    def ask(connection: psycopg.Connection) -> None:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        try:
            connection.execute("SELECT 1")
        finally:
            os.kill(backend, signal.SIGCONT)

    begun = time.monotonic()
    with pytest.raises(Unreachable), connected(sink(), guard, 1) as connection:
        ask(connection)
    assert time.monotonic() - begun < 4


# --- thrown out ------------------------------------------------------------------------------------

SLOW = """
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$;
    CREATE TRIGGER lingering AFTER INSERT ON staff FOR EACH ROW EXECUTE FUNCTION linger();
"""


def once_it_lingers(query: Query, do: Callable[[], object]) -> threading.Thread:
    """Does it when the row is in, and its transaction not over."""

    def wait() -> None:
        until = time.monotonic() + 10
        while not query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            assert time.monotonic() < until
            time.sleep(0.02)
        do()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.usefixtures("staff")
def test_a_connection_that_is_ended_in_the_middle_leaves_nothing_and_the_next_puts_the_row(
    put: Put, query: Query
) -> None:
    query(SLOW)
    ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley'"
    thread = once_it_lingers(query, lambda: query(ours))
    with pytest.raises(Unreachable, match="terminating connection"):
        put()
    thread.join()
    query("DROP TRIGGER lingering ON staff")
    assert query("SELECT count(*) FROM staff") == [(0,)]

    put()
    assert query("SELECT name FROM staff") == [("Иван",)]


@pytest.mark.usefixtures("staff")
def test_a_server_that_crashes_in_the_middle_has_the_row_once_it_is_back(
    put: Put, query: Query, postgres: Postgres
) -> None:
    query(SLOW)
    thread = once_it_lingers(query, postgres.stop)
    with pytest.raises(Unreachable):
        put()
    thread.join()
    with pytest.raises(Unreachable, match="Connection refused"):
        put()

    postgres.start()
    query("DROP TRIGGER lingering ON staff")
    assert query("SELECT count(*) FROM staff") == [(0,)]
    put()
    put()
    assert query("SELECT name FROM staff") == [("Иван",)]


def test_a_full_server_is_waited_for(put: Put, query: Query) -> None:
    query(f"ALTER ROLE {Postgres.user} CONNECTION LIMIT 0")
    try:
        with pytest.raises(Unreachable, match="too many connections"):
            put()
    finally:
        query(f"ALTER ROLE {Postgres.user} CONNECTION LIMIT -1")


def test_errors_of_statements_come_through_as_they_are(sink: MakeSink, guard: Guard) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), connected(sink(), guard, 10) as connection:
        connection.execute("SELECT 1/0")
