"""Durations as authors write them: `30s`, `15m`, `24h`, `7d`."""

from __future__ import annotations

import re

_FORM = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

LONGEST = 365 * 86400
"""Seconds; no timer of a scenario is set further ahead."""


def seconds_of(duration: str) -> int:
    """The duration in seconds; 0 for what is none."""
    match = _FORM.fullmatch(duration)
    return int(match[1]) * _SECONDS[match[2]] if match else 0
