"""What the commands cannot work with."""

from __future__ import annotations

from shared.errors import ParleyError


class Unreadable(ParleyError):
    """A file that holds no scenario or cannot be written, or a dialog that is not there."""
