"""What the linter tells."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend. `path` holds step ids from the start, or nothing."""

    severity: Severity
    code: str
    message: str
    pointer: str
    step_id: str | None = None
    path: tuple[str, ...] = ()
