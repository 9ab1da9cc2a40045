"""What a start leaves for the next one is found again by it, and by nobody else."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from infra.local.keeping import kept_port, kept_secret
from infra.local.ports import free_port


def test_a_secret_is_made_once_and_for_one_user(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    assert kept_secret(file, lambda: "first") == "first"
    assert kept_secret(file, lambda: "second") == "first"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_port_is_taken_again(tmp_path: Path) -> None:
    file = tmp_path / "port"
    port = kept_port(file, above=free_port())
    assert kept_port(file, above=free_port()) == port


def test_a_port_that_somebody_took_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(str(port))
        assert kept_port(file, above=port, is_ours=lambda: True) == port
        other = kept_port(file, above=port)
    assert other != port
    assert file.read_text() == str(other)
