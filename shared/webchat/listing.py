"""A dialog's history as its person sees it. Pure.

The dialog worker records what a person did (entry 0 of a turn, which tells how many messages the bot
will say), the sender records each message once it is out, perhaps after the next turn has begun. A
reader goes on from the last item it has, so the list must never show anything that something else may
still slip in before: it stops where a turn is not yet told to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from shared.dialog import presses
from shared.dialog.history import HistoryEntry, entry_key
from shared.dialog.state import Dialog
from shared.errors import Invalid, Violation
from shared.platforms.webchat import WebchatAdapter, client_id_of

PATIENCE = timedelta(minutes=10)
"""A turn not told by then is waited for no longer; should it be told yet, a fresh list shows it."""

SOON = timedelta(minutes=1)
"""A message due later than that is not being typed yet."""

LONGEST_TASK = timedelta(minutes=2)
"""What a task takes at most; one that has not come back by then may have broken off."""

MAX_LIST_BYTES = 1_000_000
"""Of the items in one answer. A Lambda may answer 6 MB, with each letter beyond ASCII as six characters."""

_LAST = 9999
_PLACE = re.compile(r"([0-9a-z]{1,36})/([0-9]{8})/([0-9]{4})")

Item = dict[str, Any]


class Place(msgspec.Struct, frozen=True):
    """Where a reader stands: the last entry it has seen."""

    epoch: str
    turn: int
    n: int

    @classmethod
    def read(cls, given: str) -> Place:
        """Raises `Invalid` for anything that was never an item's id."""
        match = _PLACE.fullmatch(given)
        if match is None:
            raise Invalid("“after” must be the id of an item", (Violation("/after", "is no id"),))
        return cls(match[1], int(match[2]), int(match[3]))

    @property
    def key(self) -> str:
        return entry_key(self.epoch, self.turn, self.n)

    @property
    def before_its_turn(self) -> str:
        """The last key the turn before could have; entry 0 tells whether a turn is told to its end."""
        return entry_key(self.epoch, self.turn - 1, _LAST) if self.turn else ""


class Told(msgspec.Struct, frozen=True):
    """What can be shown for good; `is_complete` unless the last turn is still being told.

    `next_at` is when the next message is due, where the author lets the person wait for it.
    """

    entries: tuple[HistoryEntry, ...]
    is_complete: bool
    next_at: datetime | None = None

    def is_typing(self, now: datetime) -> bool:
        """Whether more can be expected any moment."""
        return not self.is_complete and (self.next_at is None or self.next_at - now < SOON)


def told(entries: Iterable[HistoryEntry], now: datetime) -> Told:
    """The entries, in order, up to the first turn that is not told to its end."""
    shown: list[HistoryEntry] = []
    for _, group in groupby(entries, key=lambda entry: entry.turn):
        turn = list(group)
        decided = [entry for entry in turn if _is_decided(entry)]
        if decided and _is_awaited(turn, decided, now):
            shown += [entry for place, entry in enumerate(decided) if entry.n == place]
            return Told(tuple(shown), is_complete=False, next_at=_next_at(turn))
        shown += decided
    return Told(tuple(shown), is_complete=True)


def _is_decided(entry: HistoryEntry) -> bool:
    """Whether the sender is done with the message; until then it is as good as not there."""
    return entry.delivery is None or entry.delivery.status != "queued"


def _is_awaited(turn: Sequence[HistoryEntry], decided: Sequence[HistoryEntry], now: datetime) -> bool:
    """Whether there is more of the turn to come; every message that came, and one due, renew the patience."""
    first = decided[0]
    if first.n != 0 or len(decided) > first.messages:
        return False
    times = [first.created_at, *(entry.timestamp for entry in decided), _next_at(turn)]
    return now - max(filter(None, times)) <= PATIENCE


def _next_at(turn: Iterable[HistoryEntry]) -> datetime | None:
    delays = (entry.delivery.not_before for entry in turn if entry.delivery)
    return next(filter(None, delays), None)


def items_of(entries: Iterable[HistoryEntry]) -> Iterator[Item]:
    """The items of entries that have something to show."""
    for entry in entries:
        shown = _by_person(entry) if entry.message_type == "user" else _by_us(entry)
        if shown is not None:
            yield {"id": entry.key, **shown, "at": _rfc3339(entry.timestamp)}


def fitting(items: Iterable[Item]) -> Iterator[Item]:
    """The first items, at least one, as many as fit into one answer; a reader goes on from there."""
    taken = 0
    for item in items:
        size = len(msgspec.json.encode(item))
        if taken and taken + size > MAX_LIST_BYTES:
            return
        taken += size
        yield item


def is_at_work(dialog: Dialog, now: datetime) -> bool:
    """Whether something is found out that the person waits for."""
    pending = dialog.pending
    return pending is not None and pending.kind != "wait" and now - dialog.updated_at < LONGEST_TASK


def open_ask(dialog: Dialog) -> str | None:
    """What the values of the open question's buttons begin with; None if none is open."""
    if dialog.ask is None:
        return None
    return presses.beginning(dialog.epoch, dialog.run, dialog.ask.number)


def _by_person(entry: HistoryEntry) -> Item | None:
    event: Mapping[str, Any] = entry.message_data.get("event") or {}
    item = {"from": "user", "text": "", "media": [], "buttons": [], "ref": client_id_of(event.get("id", ""))}
    match event.get("type"):
        case "message_received":
            return item | {"text": event.get("text", "")} | _shared(event)
        case "button_pressed":
            return item | {"text": entry.message_data.get("label", ""), "pressed": event.get("data", "")}
        case _:
            return None


def _by_us(entry: HistoryEntry) -> Item | None:
    if entry.message_type == "system" or (entry.delivery and entry.delivery.status == "failed"):
        return None
    data = entry.message_data
    buttons = [shown for button in data.get("buttons", ()) if (shown := _button(button))]
    media = [_file(file) for file in data.get("media", ()) if file.get("url")]
    text = data.get("text", "")
    if not (text or buttons or media):
        return None
    author = "operator" if data.get("by_operator") else entry.message_type
    item = {"from": author, "text": text, "media": media, "buttons": buttons}
    return item | {name: data[name] for name in ("spans", "several", "replaces") if data.get(name)}


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    """As what the page shows it; what no browser shows is a file."""
    facts = file["type"], file.get("content_type", ""), file.get("size", 0)
    shown = WebchatAdapter.capabilities.shown_as(*facts) or "file"
    named = {"name": file["file_name"]} if file.get("file_name") else {}
    return {"type": shown, "url": file["url"], **named}


def _shared(event: Mapping[str, Any]) -> Item:
    """A place or a contact among the words, as `POST` takes them."""
    shared: Item = {}
    if place := event.get("place"):
        shared["location"] = place
    if contact := event.get("contact"):
        shared["contact"] = {name: words for name, words in contact.items() if name != "own"}
    return shared


def _button(button: Mapping[str, Any]) -> dict[str, Any] | None:
    """None for what a browser cannot share, and for a link that leads nowhere."""
    if button.get("url"):
        return {"text": button["text"], "url": button["url"]}
    if button.get("share") == "location":
        return {"text": button["text"], "share": "location"}
    if not button.get("data"):
        return None
    choice = {"text": button["text"], "value": button["data"]}
    return choice | {"selected": True} if button.get("selected") else choice


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
