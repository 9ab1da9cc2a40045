"""A replay repeats a dialog, or says where it comes to something else and what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.dialog.events import ConversationStarted, Person
from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.replay import Difference, replay
from shared.dialog.state import Dialog
from tests.dialog.test_manager import Parley, every_dialog_replays, sealed
from tests.dialog.world import NOW

__all__ = ["every_dialog_replays"]

DOCUMENT: dict[str, Any] = {
    "version": "1.0",
    "timezone": "Asia/Tokyo",
    "variables": {"visits": {"type": "integer", "initial": 0, "scope": "person"}},
    "steps": [
        {
            "id": "name",
            "before": {"visits": "visits + 1", "luck": "random", "begun": "now"},
            "message": {"text": "{{ user.first_name }}, {{ bot.name }} at {{ now }}: name? {{ 1 / 0 }}"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "size",
        },
        {
            "id": "size",
            "message": [{"text": "*Thanks*, {{ name }}."}, {"text": "Size?"}],
            "buttons": [{"text": "S", "value": 1}, {"text": "L", "value": 2.5}],
            "expected_input": {"type": "button", "variable": "size"},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "{{ label(size) }}, {{ today }}, {{ luck }}"}},
    ],
}


def talked() -> Parley:
    """Two runs, with everything in them that a replay needs to know: time, chance, names, a mistake."""
    parley = Parley(DOCUMENT)
    person = Person("Анна", language="ru")
    parley.manager.handle(sealed(ConversationStarted(id="1", occurred_at=NOW, payload="ref", person=person)))
    for text in ("Bob \U0001f600", "nonsense", "L", "more", "/start", "Cat"):
        parley.now += timedelta(hours=1, microseconds=7)
        parley.say(text)
    record_messages(parley)
    return parley


def record_messages(parley: Parley, **known: Any) -> None:
    """As the sender does, with what is known of files."""
    for envelope in parley.outbound.envelopes:
        for n, said in enumerate(envelope.messages, 1):
            media = tuple(replace(file, **known) if file.media_id else file for file in said.media)
            message = replace(said, media=media)
            parley.history.record(
                HistoryEntry(
                    dialog_id=envelope.dialog_id,
                    epoch=envelope.epoch,
                    turn=envelope.turn,
                    n=n,
                    message_type="bot",
                    message_data=msgspec.to_builtins(message),
                    timestamp=NOW,
                    created_at=NOW,
                    delivery=DeliveryRecord("sent", ("m",)),
                )
            )


def replayed(parley: Parley, entries: list[HistoryEntry], dialog: Dialog | None = None) -> Difference | None:
    return replay(dialog or parley.dialog, entries, parley.manager.scenarios.get, parley.sealer.open)


def reloaded(entry: HistoryEntry) -> HistoryEntry:
    return msgspec.json.decode(msgspec.json.encode(entry), type=HistoryEntry)


def test_a_dialog_is_repeated_to_the_byte() -> None:
    parley = talked()
    entries = [reloaded(entry) for entry in parley.entries]
    assert len(entries) > 14
    assert parley.dialog.variables["visits"] == 2
    assert replayed(parley, entries) is None


def test_a_dialog_from_before_runs_told_their_origin_is_repeated_too() -> None:
    parley = talked()
    entries = [reloaded(entry) for entry in parley.entries]
    ended = [run for entry in entries for run in entry.message_data.get("ended_runs", ())]
    assert len(ended) == 1
    for name in ("scenario_id", "revision", "started_at"):
        ended[0].pop(name)
    dialog = parley.dialog
    dialog.run_started_at = None

    assert replayed(parley, entries, dialog) is None


def welcomed() -> Parley:
    """Somebody whom a webhook has welcomed in its answer."""
    parley = Parley(DOCUMENT)
    started = ConversationStarted(
        id="1", occurred_at=NOW, person=Person("Анна"), only_opens=True, welcomed_by=1
    )
    parley.manager.handle(sealed(started))
    return parley


@pytest.mark.parametrize("more", [(), ("Bob",)], ids=["nothing more", "a word more"])
def test_a_dialog_that_a_webhook_has_welcomed_is_repeated(more: tuple[str, ...]) -> None:
    parley = welcomed()
    for text in more:
        parley.say(text)
    record_messages(parley)
    assert replayed(parley, list(parley.entries)) is None


@pytest.mark.parametrize("more", [(), ("Bob",)], ids=["nothing more", "a word more"])
def test_a_dialog_from_before_welcomes_were_recorded_is_repeated_too(more: tuple[str, ...]) -> None:
    parley = welcomed()
    parley.outbound.envelopes.clear()
    for text in more:
        parley.say(text)
    record_messages(parley)
    first, *others = parley.entries
    dialog = parley.dialog
    if not more:
        assert dialog.outbox
        dialog.outbox = msgspec.structs.replace(dialog.outbox, messages=())
    assert replayed(parley, [msgspec.structs.replace(first, messages=0), *others], dialog) is None


def test_a_dialog_from_before_messages_were_masked_is_repeated_too() -> None:
    parley = Parley(DOCUMENT | {"variables": {"name": {"type": "string", "sensitive": True}}})
    for text in ("/start", "Bob"):
        parley.say(text)
    record_messages(parley)
    entries = [reloaded(entry) for entry in parley.entries]
    assert replayed(parley, entries) is None
    (masked,) = [each.message_data for each in entries if "masked" in each.message_data]
    assert masked.pop("masked") == "Thanks, •••."
    assert replayed(parley, entries) is None


FILES = [{"media_id": "00000000-0000-4000-8000-000000000009"}, {"url": "https://a.io/b.png"}]
SHOWN = {
    "version": "1.0",
    "steps": [{"id": "look", "message": {"text": "Look", "media": FILES}, "end": True}],
}


def shown() -> tuple[Parley, list[HistoryEntry]]:
    """A dialog that shows a file of the library, and another, and its history."""
    parley = Parley(SHOWN)
    parley.say("/start")
    record_messages(parley, type="video", url="https://cdn.io/a.mp4", file_name="a.mp4", size=5, width=4)
    return parley, [reloaded(entry) for entry in parley.entries]


def test_what_was_known_of_a_file_when_it_was_sent_is_no_difference() -> None:
    assert replayed(*shown()) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda media: media[0].update(media_id="another"), id="another file"),
        pytest.param(lambda media: media[1].update(url="https://a.io/c.png"), id="another address"),
        pytest.param(lambda media: media.pop(), id="one less"),
        pytest.param(lambda media: media.append(media[1]), id="one more"),
    ],
)
def test_other_files_are_a_difference(change: Callable[[list[Any]], None]) -> None:
    parley, entries = shown()
    change(entries[1].message_data["media"])
    difference = replayed(parley, entries)
    assert difference
    assert difference.what == "messages/1"


def altered(turn: int, n: int, change: Callable[[dict[str, Any]], Any]) -> Callable[..., None]:
    def alter(entries: list[HistoryEntry]) -> None:
        (entry,) = [each for each in entries if (each.turn, each.n) == (turn, n)]
        change(entry.message_data)

    return alter


def without(turn: int, n: int | None = None) -> Callable[[list[HistoryEntry]], None]:
    def leave_out(entries: list[HistoryEntry]) -> None:
        entries[:] = [each for each in entries if each.turn != turn or n not in {None, each.n}]

    return leave_out


@pytest.mark.parametrize(
    ("change", "turn", "what"),
    [
        (altered(2, 0, lambda data: data["event"].update(text="Eve")), 2, "messages/1"),
        (altered(1, 0, lambda data: data.update(random=0.25)), 4, "ended_runs"),
        (altered(2, 2, lambda data: data.update(text="Which size?")), 2, "messages/2"),
        (altered(1, 0, lambda data: data["event"].pop("person")), 1, "messages/1"),
        (altered(1, 0, lambda data: data["scenario"].update(bot_name="Other")), 1, "messages/1"),
        (altered(1, 0, lambda data: data.pop("notes")), 1, "notes"),
        (altered(4, 0, lambda data: data.update(label="S")), 4, "label"),
        (altered(4, 0, lambda data: data.pop("ended_runs")), 4, "ended_runs"),
        (
            altered(1, 0, lambda data: data.pop("scenario")),
            1,
            "the history does not say what the turn followed",
        ),
        (altered(3, 0, lambda data: data.update(omitted="9 bytes")), 3, "the event was not kept: 9 bytes"),
        (altered(3, 0, lambda data: data.update(sealed="")), 3, "erased at turn 3"),
        (without(3), 3, "the history has a gap up to turn 4"),
        (without(1), 1, "the history begins at turn 2"),
        (without(4, 0), 4, "the event is not in the history"),
        (without(7), 6, "number of turns"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_first_difference_is_told(
    change: Callable[[list[HistoryEntry]], None], turn: int, what: str
) -> None:
    parley = talked()
    entries = [reloaded(entry) for entry in parley.entries]
    change(entries)
    found = replayed(parley, entries)
    assert found is not None
    assert (found.turn, found.what) == (turn, what)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"variables": {"name": "Cat", "visits": 3}}, "dialog/variables"),
        ({"status": "busy"}, "dialog/status"),
        ({"kept": {}}, "dialog/kept"),
        ({"current_step": "bye"}, "dialog/current_step"),
        ({"updated_at": NOW}, "dialog/updated_at"),
        ({"ask": None}, "dialog/ask"),
        ({"turn": 8}, "number of turns"),
    ],
    ids=str,
)
def test_a_dialog_that_was_saved_otherwise_is_told(change: dict[str, Any], what: str) -> None:
    parley = talked()
    other = msgspec.structs.replace(parley.dialog, **change)
    found = replayed(parley, list(parley.entries), other)
    assert found is not None
    assert found.what == what


def test_messages_that_are_not_sent_yet_are_found_in_the_outbox() -> None:
    parley = talked()
    entries = [entry for entry in parley.entries if entry.turn < 7 or entry.n == 0]
    outbox = msgspec.structs.replace(parley.dialog.outbox, messages=())
    found = replayed(parley, entries, msgspec.structs.replace(parley.dialog, outbox=outbox))
    assert found is not None
    assert found.what == "outbox/messages"


def test_turns_made_since_the_dialog_was_read_are_left_alone() -> None:
    parley = talked()
    dialog = parley.dialog
    parley.say("S")
    assert replayed(parley, list(parley.entries), dialog) is None


def test_a_difference_is_told_in_words() -> None:
    assert str(Difference(3, "messages/1", {"text": "да"}, {"text": "no"})) == (
        'turn 3: messages/1 is {"text":"да"}, and a replay gives {"text":"no"}'
    )
    assert str(Difference(3, "label", None, "S")) == 'turn 3: label is null, and a replay gives "S"'
    assert str(Difference(1, "erased at turn 1")) == "turn 1: erased at turn 1"


def test_a_dialog_without_turns_has_nothing_to_compare() -> None:
    parley = talked()
    found = replayed(parley, [])
    assert found is not None
    assert found.what == "number of turns"
