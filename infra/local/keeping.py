"""What one start of an embedded run leaves for the next: secrets that were made, ports that were taken."""

import os
from collections.abc import Callable
from pathlib import Path

from infra.local.ports import free_port_above, is_free


def write_secret(file: Path, text: str) -> None:
    """Whole or not at all, and for this user only."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    new.replace(file)


def kept_secret(file: Path, made: Callable[[], str]) -> str:
    """The secret of this file, which is made at the first start."""
    if not file.exists():
        write_secret(file, made())
    return file.read_text()


def kept_port(file: Path, above: int, is_ours: Callable[[], bool] = lambda: False) -> int:
    """The same at every start, where it is still free, or taken by what an earlier run of ours left."""
    before = int(file.read_text()) if file.exists() else None
    if before is not None and (is_free(before) or is_ours()):
        return before
    port = free_port_above(above)
    file.write_text(str(port))
    return port
