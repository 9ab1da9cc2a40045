"""What the benchmarks read, and how they end when it cannot be read: one sentence, exit status 1."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from shared.errors import Invalid

ROOT = Path(__file__).resolve().parents[2]
ONBOARDING = ROOT / "infra" / "examples" / "onboarding.json"


class Unusable(Exception):
    """An input no benchmark can run on; its words are for the person at the terminal."""


def ending_well(main: Callable[[], None]) -> None:
    """Run a program; an input that it cannot use is told in one sentence."""
    try:
        main()
    except Unusable as unusable:
        sys.exit(f"error: {unusable}")


def say(*lines: str) -> None:
    """Print: the lines are what a program is run for."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def read_scenario(path: Path) -> Mapping[str, Any]:
    """A scenario document, checked against the schema."""
    # Only here: what the schema needs is nothing that a turn needs.
    from shared.scenario import document  # noqa: PLC0415

    try:
        scenario = json.loads(_bytes_of(path))
        document.read(scenario)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} is not JSON: {error}") from error
    except Invalid as error:
        found = "; ".join(f"{v.pointer}: {v.message}" for v in error.violations[:3])
        raise Unusable(f"{path} is not a scenario: {found or error}") from error
    return cast("Mapping[str, Any]", scenario)


def read_bodies(path: Path) -> list[bytes]:
    """Webhook bodies, one a line, as they are: whether they are JSON is found out when they are run."""
    bodies = [line for line in _bytes_of(path).splitlines() if line.strip()]
    if not bodies:
        raise Unusable(f"{path} holds no bodies: one JSON update a line is wanted")
    return bodies


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror or error}") from error
