"""`make clean`: refuse while Parley runs, and stop an emulator that a killed run left behind."""

import sys

from infra.local.emulator import stop_forgotten
from infra.local.errors import StartError
from infra.local.lock import StateLock
from infra.local.settings import Settings


def main() -> int:
    state = Settings().state_dir
    if not state.exists():
        return 0
    try:
        StateLock(state).take("make clean")
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    stop_forgotten(state / "emulator")
    return 0


if __name__ == "__main__":
    sys.exit(main())
