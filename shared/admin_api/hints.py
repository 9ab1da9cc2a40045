"""Secrets as they are shown, and sent back as they were shown."""

from __future__ import annotations

from typing import Final

from shared.errors import Invalid, Violation

_DOTS: Final = "…"


def masked(hint: str) -> str:
    """How a secret is shown: its last characters, or nothing of it."""
    return _DOTS + hint


def sent_anew(sent: str | None, hint: str | None, pointer: str) -> str | None:
    """The secret that was sent; None where the one that is kept, of which this is the hint, is to stay.

    It stays where none is sent, or it as it is shown. Raises `Invalid` where there is none to stay.
    """
    if sent is not None and not sent.startswith(_DOTS):
        return sent
    if hint is not None and sent in {None, masked(hint)}:
        return None
    words = "This is required." if sent is None else "This is how a secret is shown, and not of this one."
    raise Invalid("A secret is missing.", [Violation(pointer, words, "missing")])
