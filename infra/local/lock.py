import fcntl
import os
from pathlib import Path
from typing import IO

from infra.local.errors import StartError


class StateLock:
    """Held while a run uses a state folder. The system lets go of it when the run dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "lock"
        self._held: IO[str] | None = None

    def take(self, where: str) -> None:
        held = self._file.open("a+")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            owner = held.read().strip()
            held.close()
            raise StartError(f"Parley is already running: {owner}; stop that one first.") from None
        held.truncate(0)
        held.write(f"{where}, process {os.getpid()}")
        held.flush()
        self._held = held

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
