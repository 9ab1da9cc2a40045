"""A dialog made anew from its history, turn by turn, and compared with what was said and saved. Pure.

The history holds every event with its time, its random number, and what it was applied by wherever that
was not what its run was bound to already. So the same engine must say the same again, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

import msgspec

from shared.dialog.events import Event
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Media, Message
from shared.dialog.processor import Moment, ScenarioProcessor, Turn
from shared.dialog.sealing import Data, context_of, opened
from shared.dialog.state import Dialog, Remains
from shared.dialog.turns import Followed, Program, made, new_dialog, stamped
from shared.queueing.envelopes import InboundEnvelope

ProgramOf = Callable[[str, int, Mapping[str, int], Mapping[str, str]], ScenarioProcessor]
"""The processor of a revision with those that it calls, as `CompiledScenarios.get`."""

OpenSealed = Callable[[str, Mapping[str, str]], bytes]
"""Decrypts what was sealed in a context, as `KmsSealer.open`."""


_NOT_THE_ENGINE_S = {"outbox", "platform_chat_id", "identities"}
"""What of a dialog is more than its events make it: where they came from is not in the history."""


class Difference(msgspec.Struct, frozen=True):
    """The first thing that did not come out as it is written.

    `what` is a path into the turn (`messages/2`, `label`) or into the dialog as it was saved
    (`dialog/variables`). Where `expected` and `got` are both None, `what` says why nobody can tell.
    """

    turn: int
    what: str
    expected: Any = None
    got: Any = None

    def __str__(self) -> str:
        if self.expected is None and self.got is None:
            return f"turn {self.turn}: {self.what}"
        return (
            f"turn {self.turn}: {self.what} is {_shown(self.expected)}, and a replay gives {_shown(self.got)}"
        )


def replay(
    stored: Dialog,
    entries: Iterable[HistoryEntry],
    program_of: ProgramOf,
    open_sealed: OpenSealed | None = None,
) -> Difference | None:
    """The first difference between a dialog with its history, in order, and what the engine makes of it.

    Entries of turns made since the dialog was read are left alone. Without `open_sealed`, a replay ends
    at the first turn that has something sealed. Raises what `program_of` and `open_sealed` raise.
    """
    replaying = _Replaying(stored, program_of, open_sealed)
    known = (entry for entry in entries if entry.turn <= stored.turn)
    try:
        for number, of_turn in groupby(known, key=lambda entry: entry.turn):
            replaying.take(number, list(of_turn))
        replaying.compare_with_stored()
    except _Differs as differs:
        return differs.difference
    return None


class _Differs(Exception):
    def __init__(self, turn: int, what: str, expected: Any = None, got: Any = None) -> None:
        super().__init__(what)
        self.difference = Difference(turn, what, expected, got)


@dataclass(slots=True)
class _Replaying:
    stored: Dialog
    program_of: ProgramOf
    open_sealed: OpenSealed | None
    dialog: Dialog | None = None
    number: int = 0
    said: Turn | None = None

    def take(self, number: int, entries: list[HistoryEntry]) -> None:
        """Repeat one turn, and compare."""
        self.number += 1
        if number != self.number:
            what = "begins at" if self.dialog is None else "has a gap up to"
            raise _Differs(self.number, f"the history {what} turn {number}")
        if entries[0].n != 0:
            raise _Differs(number, "the event is not in the history")
        data = self._data(entries[0])
        turn = self._turn(entries[0], data)
        self._compare(data, turn, entries)
        self.dialog = _reloaded(stamped(turn, _event_of(data), entries[0].created_at))
        self.said = turn

    def _data(self, entry: HistoryEntry) -> Data:
        data = entry.message_data
        if "omitted" in data:
            raise _Differs(entry.turn, f"the event was not kept: {data['omitted']}")
        if "sealed" in data and not (data["sealed"] and self.open_sealed):
            raise _Differs(entry.turn, f"erased at turn {entry.turn}")
        return opened(data, self._open)

    def _open(self, text: str) -> bytes:
        return self.open_sealed(text, context_of(self.stored)) if self.open_sealed else b"{}"

    def _turn(self, entry: HistoryEntry, data: Data) -> Turn:
        event, moment = _event_of(data), Moment(entry.created_at, data["random"])
        envelope = self._envelope(event, entry)
        dialog = self.dialog or new_dialog(envelope, entry.created_at, self._remains())
        program = None if "not_applied" in data else self._program(dialog, data)
        return made(program, dialog, event, moment, has_sync=data.get("has_sync", False))

    def _remains(self) -> Remains | None:
        """What lay in the dialog's place: it remembers more events than it has turns."""
        if self.stored.predecessor_deleted_at is None:
            return None
        known = self.stored.recent_events
        former = known[: max(len(known) - self.stored.turn, 0)]
        return Remains("", self.stored.predecessor_deleted_at, former)

    def _program(self, dialog: Dialog, data: Data) -> Program:
        if "scenario" in data:
            followed = msgspec.convert(data["scenario"], Followed)
            former = self._own(dialog).scenario if followed.how == "moved" else None
            return Program(self._processor(followed), followed, former)
        if dialog.scenario_id is None:
            raise _Differs(self.number, "the history does not say what the turn followed")
        return Program(self._own(dialog))

    def _own(self, dialog: Dialog) -> ScenarioProcessor:
        return self._processor(Followed.by(dialog))

    def _processor(self, followed: Followed) -> ScenarioProcessor:
        return self.program_of(followed.id, followed.revision, followed.called, followed.contact_fields)

    def _envelope(self, event: Event, entry: HistoryEntry) -> InboundEnvelope:
        return InboundEnvelope(
            dialog_id=self.stored.id,
            bot_id=self.stored.bot_id,
            platform=self.stored.platform,
            platform_chat_id=self.stored.platform_chat_id,
            event=event,
            received_at=entry.created_at,
            trace_id="",
        )

    # --- comparing ----------------------------------------------------------------------------------

    def _compare(self, data: Data, turn: Turn, entries: list[HistoryEntry]) -> None:
        told = entries[0].messages
        self._same("number of messages", told, len(_as_counted(turn, told).messages))
        self._same("label", data.get("label", ""), turn.label)
        self._same("notes", data.get("notes", []), turn.notes)
        ended = data.get("ended_runs", [])
        self._same("ended_runs", ended, _as_told(turn.ended_runs, ended))
        for entry in entries[1:]:
            if "omitted" not in entry.message_data:
                said = _as_said(turn.messages[entry.n - 1], entry.message_data)
                self._same(f"messages/{entry.n}", entry.message_data, said)

    def compare_with_stored(self) -> None:
        """Compare the last turn's dialog with the one that was saved, and what that one still wants said."""
        self._same("number of turns", self.stored.turn, self.number)
        if self.dialog is None or self.said is None:
            return
        known = None if self.stored.run_started_at is None else self.dialog.run_started_at
        self.dialog.run_started_at = known  # a dialog may be older than this field
        for name in self.stored.__struct_fields__:
            if name not in _NOT_THE_ENGINE_S:
                self._same(f"dialog/{name}", getattr(self.stored, name), getattr(self.dialog, name))
        if outbox := self.stored.outbox:
            said = _as_counted(self.said, len(outbox.messages))
            for name in ("messages", "timers", "tasks"):
                self._same(f"outbox/{name}", getattr(outbox, name), getattr(said, name))

    def _same(self, what: str, expected: Any, got: Any) -> None:
        if _bytes(expected) != _bytes(got):
            raise _Differs(self.number, what, msgspec.to_builtins(expected), msgspec.to_builtins(got))


def _as_said(message: Message, told: Data) -> Message:
    """The message as it was kept: with what was known of its files when it was sent. An entry may be older
    than what masks it.
    """
    shown: Sequence[Data] = told.get("media", ())
    pairs = zip(message.media, shown, strict=False)
    media = [msgspec.convert(kept, Media) if _is_of_library(each, kept) else each for each, kept in pairs]
    kept: Message = msgspec.structs.replace(
        message,
        media=(*media, *message.media[len(shown) :]),
        masked=message.masked if "masked" in told else "",
    )
    return kept


def _is_of_library(file: Media, told: Data) -> bool:
    """Whether it is the file that was told of; the engine knows no more of one than its id."""
    return bool(file.media_id) and told.get("media_id") == file.media_id


def _as_counted(turn: Turn, told: int) -> Turn:
    """The turn without what a webhook has said: its entry may be older than the record of that."""
    is_older = not told and all(message.is_said for message in turn.messages)
    known: Turn = msgspec.structs.replace(turn, messages=()) if is_older else turn
    return known


def _as_told(runs: Sequence[Data], told: Sequence[Data]) -> list[Data]:
    """The runs with no more of each than was told: an entry may be older than what is told today."""
    nothing: Data = {}
    pairs = zip_longest(runs, told[: len(runs)], fillvalue=nothing)
    return [{name: run[name] for name in run if not known or name in known} for run, known in pairs]


def _event_of(data: Data) -> Event:
    event: Event = msgspec.convert(data["event"], Event)
    return event


def _reloaded(dialog: Dialog) -> Dialog:
    """As the next turn meets it."""
    return msgspec.json.decode(msgspec.json.encode(dialog), type=Dialog)


def _bytes(value: Any) -> bytes:
    """As it is saved."""
    return msgspec.json.encode(value)


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
