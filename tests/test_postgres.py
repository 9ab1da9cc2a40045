"""The PostgreSQL of the suite is what the tests over it take it for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.postgres import Postgres


@pytest.fixture
def options(postgres: Postgres, database: str, tmp_path: Path) -> dict[str, Any]:
    authority = tmp_path / "authority.pem"
    authority.write_text(postgres.ca_certificate)
    return {
        "host": postgres.host,
        "port": postgres.port,
        "dbname": database,
        "user": postgres.user,
        "password": postgres.password,
        "sslmode": "verify-full",
        "sslrootcert": str(authority),
    }


def test_it_takes_a_user_by_password_over_tls(options: dict[str, Any]) -> None:
    with psycopg.connect(**options) as connection:
        uses_tls = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert uses_tls == (True,)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"sslmode": "disable"}, "no encryption"),
        ({"host": "db.invalid", "hostaddr": "127.0.0.1"}, "does not match host name"),
        ({"sslrootcert": "system"}, "certificate verify failed"),
    ],
)
def test_it_takes_nobody_else(options: dict[str, Any], changed: dict[str, Any], words: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=words):
        psycopg.connect(**(options | changed))


def test_what_was_written_is_there_after_a_crash(postgres: Postgres, database: str) -> None:
    with postgres.connected(database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    postgres.stop()
    postgres.start()
    with postgres.connected(database) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
