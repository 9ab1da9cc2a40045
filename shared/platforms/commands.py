"""The one command that means the same on every platform."""

from __future__ import annotations


def start_payload(text: str) -> str | None:
    """What follows `/start` (`""` if nothing does), or None if the text is not that command.

    `/start`, `/start payload` and `/start@bot payload`, in any case: where a messenger has no
    commands of its own, people type it by hand.
    """
    text = text.strip()
    if text[:1] != "/":
        return None
    command, *payload = text.split(None, 1)
    if command.partition("@")[0].lower() != "/start":
        return None
    return payload[0] if payload else ""
