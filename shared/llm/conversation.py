"""The last messages of a dialog, as a model reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.dialog.history import HistoryEntry
from shared.dialog.sealing import MASK
from shared.llm.base import Role, Said
from shared.llm.tokens import tokens_in, tokens_of

MAX_TOKENS = 4_000
"""Of all messages together; the oldest are left out."""

MAX_MESSAGE_TOKENS = 1_000
_BYTES = 3 * MAX_MESSAGE_TOKENS

_ROLES: dict[str, Role] = {"user": "user", "bot": "assistant", "operator": "assistant"}


def last_messages(newest_first: Iterable[HistoryEntry], most: int) -> tuple[Said, ...]:
    """The last `most` messages, oldest first, as far as they take no more than `MAX_TOKENS`.

    What nobody should read is •••: the history keeps it sealed, and a masked text beside what prints it.
    """
    kept: list[Said] = []
    for said in _messages_of(newest_first):
        if len(kept) == most or tokens_of([*kept, said]) > MAX_TOKENS:
            break
        kept.append(said)
    return tuple(reversed(kept))


def _messages_of(entries: Iterable[HistoryEntry]) -> Iterator[Said]:
    for entry in entries:
        role = _ROLES.get(entry.message_type)
        words = _words_of(entry).strip()
        if role and words:
            yield Said(role, shortened(words))


def _words_of(entry: HistoryEntry) -> str:
    data = entry.message_data
    if "event" not in data:
        return str(data.get("masked") or data.get("text") or "")
    return str(data.get("label") or _words_of_event(data["event"]))


def _words_of_event(event: Mapping[str, Any]) -> str:
    """A text, a caption, or what kind of thing came; ••• for what is kept sealed."""
    match event.get("type"):
        case "message_received":
            return event.get("text") or (f"[{event['content']}]" if "content" in event else MASK)
        case "button_pressed":
            return "" if "data" in event else MASK
    return ""


def shortened(words: str) -> str:
    """A message with no more than its share of tokens."""
    if tokens_in(words) <= MAX_MESSAGE_TOKENS:
        return words
    return words.encode(errors="replace")[:_BYTES].decode(errors="ignore") + "…"
