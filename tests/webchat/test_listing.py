from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.state import Ask, Dialog, Pending, dialog_id_of
from shared.errors import Invalid
from shared.webchat.listing import LONGEST_TASK, PATIENCE, Place, is_at_work, items_of, open_ask, told
from tests.webhook.doubles import BOT_ID

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DIALOG_ID = dialog_id_of(BOT_ID, "webchat", "chat")
SENT = DeliveryRecord("sent")


def said(turn: int, text: str, messages: int = 1, at: datetime = NOW) -> HistoryEntry:
    event = {"type": "message_received", "id": f"chat.client-{turn}", "text": text}
    return entry(turn, 0, "user", {"event": event}, at=at, messages=messages)


def answered(
    turn: int, n: int, text: str = "", status: Any = "sent", at: datetime = NOW, **data: Any
) -> HistoryEntry:
    return entry(turn, n, "bot", {"text": text, **data}, at=at, delivery=DeliveryRecord(status))


def delayed(turn: int, n: int, until: datetime) -> HistoryEntry:
    record = DeliveryRecord("queued", not_before=until)
    return entry(turn, n, "bot", {"text": "later"}, delivery=record)


def entry(turn: int, n: int, author: Any, data: dict[str, Any], **more: Any) -> HistoryEntry:
    at = more.pop("at", NOW)
    return HistoryEntry(
        dialog_id=DIALOG_ID,
        epoch="0123abcd",
        turn=turn,
        n=n,
        message_type=author,
        message_data=data,
        timestamp=at,
        created_at=at,
        **more,
    )


def places(entries: Any) -> list[tuple[int, int]]:
    return [(entry.turn, entry.n) for entry in entries]


def test_turns_told_to_their_end_are_shown_whole() -> None:
    entries = [
        said(1, "a", 2),
        answered(1, 1),
        answered(1, 2),
        said(2, "b", 0),
        said(3, "c", 1),
        answered(3, 1),
    ]
    result = told(entries, NOW)
    assert result.entries == tuple(entries)
    assert result.is_complete


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        pytest.param([said(1, "a", 1)], [(1, 0)], id="nothing told yet"),
        pytest.param([said(1, "a", 2), answered(1, 1)], [(1, 0), (1, 1)], id="half told"),
        pytest.param([said(1, "a", 2), answered(1, 2)], [(1, 0)], id="the second before the first"),
        pytest.param([said(1, "a", 1), said(2, "b", 0)], [(1, 0)], id="the next turn is there already"),
        pytest.param(
            [said(1, "a", 1), said(2, "b", 1), answered(2, 1)], [(1, 0)], id="the next turn is even told"
        ),
        pytest.param(
            [said(1, "a", 1), answered(1, 1, status="queued")], [(1, 0)], id="in the sender's hands"
        ),
    ],
)
def test_nothing_is_shown_that_something_may_still_slip_in_before(entries: Any, shown: Any) -> None:
    result = told(entries, NOW)
    assert places(result.entries) == shown
    assert not result.is_complete


def test_a_turn_that_is_never_told_does_not_hold_up_the_rest_for_ever() -> None:
    long_ago = NOW - PATIENCE - timedelta(seconds=1)
    entries = [said(1, "a", 2, at=long_ago), answered(1, 2, at=long_ago), said(2, "b", 0)]
    assert told(entries, NOW).is_complete
    assert places(told(entries, NOW).entries) == [(1, 0), (1, 2), (2, 0)]


def test_a_message_with_a_delay_is_waited_for_until_it_is_due_and_a_while_longer() -> None:
    due = NOW + timedelta(minutes=40)
    entries = [said(1, "a", 2), answered(1, 1), delayed(1, 2, due), said(2, "b", 0)]
    for now in (NOW, NOW + timedelta(minutes=39), due + PATIENCE):
        assert places(told(entries, now).entries) == [(1, 0), (1, 1)]
    assert told(entries, due + PATIENCE + timedelta(seconds=1)).is_complete


@pytest.mark.parametrize(("seconds", "is_typing"), [(3, True), (59, True), (61, False), (900, False)])
def test_only_a_message_that_is_due_soon_is_being_typed(seconds: int, *, is_typing: bool) -> None:
    entries = [said(1, "a", 2), answered(1, 1), delayed(1, 2, NOW + timedelta(seconds=seconds))]
    assert told(entries, NOW).is_typing(NOW) is is_typing


def test_the_rest_of_a_turn_is_waited_for_after_its_last_message_however_long_the_turn_takes() -> None:
    late = NOW + timedelta(hours=3)
    entries = [said(1, "a", 2), answered(1, 1, at=late), said(2, "b", 0, at=late)]
    assert places(told(entries, late + PATIENCE).entries) == [(1, 0), (1, 1)]


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[HistoryEntry], list[HistoryEntry]]:
    """A conversation, and the order its entries are written in.

    The worker writes entry 0 of each turn in order; the sender writes each turn's messages in order,
    at any time after.
    """
    turns = [
        [said(turn, f"turn {turn}", count), *(answered(turn, n) for n in range(1, count + 1))]
        for turn, count in enumerate(draw(st.lists(st.integers(0, 3), min_size=1, max_size=6)), start=1)
    ]
    pending = [list(turn) for turn in turns]
    written: list[HistoryEntry] = []
    opened = 0
    while any(pending):
        ready = [i for i in range(opened) if pending[i]]
        if opened < len(pending):
            ready.append(opened)
        chosen = draw(st.sampled_from(ready))
        if chosen == opened:
            opened += 1
        written.append(pending[chosen].pop(0))
    return [entry for turn in turns for entry in turn], written


@given(interleavings())
def test_a_reader_that_goes_on_from_its_last_item_misses_and_repeats_nothing(case: Any) -> None:
    everything, written = case
    seen: list[HistoryEntry] = []
    for moment in range(len(written) + 1):
        recorded = sorted(written[:moment], key=lambda entry: entry.key)
        after = seen[-1].key if seen else ""
        seen += [entry for entry in told(recorded, NOW).entries if entry.key > after]
    assert seen == everything


def test_a_persons_words_and_presses_are_items_of_their_own() -> None:
    press = {"type": "button_pressed", "id": "chat.client-2", "data": "p:0123abcd:1:1:0"}
    stale = {"type": "button_pressed", "id": "chat.client-3", "data": "p:0123abcd:1:0:0"}
    entries = [
        said(1, "Anna"),
        entry(2, 0, "user", {"event": press, "label": "Cook"}),
        entry(3, 0, "user", {"event": stale}),
    ]
    plain = {"from": "user", "media": [], "buttons": [], "at": "2026-11-22T10:00:00.000Z"}
    assert list(items_of(entries)) == [
        {**plain, "id": "0123abcd/00000001/0000", "text": "Anna", "ref": "client-1"},
        {**plain, "id": "0123abcd/00000002/0000", "text": "Cook", "ref": "client-2"}
        | {"pressed": "p:0123abcd:1:1:0"},
        {**plain, "id": "0123abcd/00000003/0000", "text": "", "ref": "client-3"}
        | {"pressed": "p:0123abcd:1:0:0"},
    ]


def test_what_the_bot_says_is_shown_with_styles_buttons_and_links() -> None:
    spans = [{"start": 0, "end": 5, "style": "bold"}]
    buttons = [
        {"text": "Cook", "data": "p:0123abcd:1:1:0"},
        {"text": "Site", "url": "https://parley.example"},
    ]
    (item,) = items_of([answered(1, 1, "Hello", spans=spans, buttons=buttons)])
    assert item == {
        "id": "0123abcd/00000001/0001",
        "from": "bot",
        "text": "Hello",
        "spans": spans,
        "media": [],
        "buttons": [
            {"text": "Cook", "value": "p:0123abcd:1:1:0"},
            {"text": "Site", "url": "https://parley.example"},
        ],
        "at": "2026-11-22T10:00:00.000Z",
    }


def test_several_choices_tell_which_are_taken_and_what_they_take_the_place_of() -> None:
    buttons = [
        {"text": "Tea", "data": "p:0123abcd:1:1:0", "selected": True},
        {"text": "Done", "data": "p:0123abcd:1:1:1"},
    ]
    replaced = "0123abcd/00000001/0001"
    (item,) = items_of([answered(2, 1, "Which?", buttons=buttons, several=True, replaces=replaced)])
    assert (item["several"], item["replaces"]) == (True, replaced)
    assert item["buttons"] == [
        {"text": "Tea", "value": "p:0123abcd:1:1:0", "selected": True},
        {"text": "Done", "value": "p:0123abcd:1:1:1"},
    ]


def test_a_browser_is_asked_for_a_place_and_not_for_a_phone_number() -> None:
    shares = [{"text": "Here I am", "share": "location"}, {"text": "My number", "share": "phone"}]
    (item,) = items_of([answered(1, 1, "Where?", buttons=[*shares, {"text": "Nowhere", "url": ""}])])
    assert item["buttons"] == [{"text": "Here I am", "share": "location"}]


def test_files_are_shown_by_their_address() -> None:
    media = [{"type": "image", "url": "https://parley.example/a.png"}, {"type": "file", "media_id": "m"}]
    (item,) = items_of([answered(1, 1, media=media)])
    assert item["media"] == [{"type": "image", "url": "https://parley.example/a.png"}]


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ({"type": "image", "content_type": "image/png", "size": 9, "file_name": "a.png"}, ("image", "a.png")),
        ({"type": "image", "content_type": "image/tiff", "file_name": "a.tif"}, ("file", "a.tif")),
        ({"type": "video", "content_type": "video/mp4", "size": 10**9}, ("file", None)),
    ],
    ids=["what browsers show", "what they do not", "what is too large"],
)
def test_files_are_shown_as_what_browsers_can_show(
    file: dict[str, Any], shown: tuple[str, str | None]
) -> None:
    (item,) = items_of([answered(1, 1, media=[{"url": "https://parley.example/a", **file}])])
    assert [(each["type"], each.get("name")) for each in item["media"]] == [shown]


def test_a_shared_place_and_contact_are_shown_as_they_were_sent() -> None:
    place = {"latitude": 55.75, "longitude": 37.6, "title": "Café"}
    contact = {"phone": "+79990000000", "first_name": "Anna", "own": True}
    received = {"type": "message_received", "id": "chat.1", "content": "location"}
    located, shared = items_of(
        [
            entry(1, 0, "user", {"event": {**received, "place": place}}),
            entry(2, 0, "user", {"event": {**received, "contact": contact}}),
        ]
    )
    assert located["location"] == place
    assert shared["contact"] == {"phone": "+79990000000", "first_name": "Anna"}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(
            entry(1, 0, "user", {"event": {"type": "conversation_started", "id": "a"}}), id="a start"
        ),
        pytest.param(entry(1, 0, "user", {"event": {"type": "of another day", "id": "a"}}), id="unheard of"),
        pytest.param(entry(1, 0, "user", {"omitted": "too large"}), id="one too large to be kept"),
        pytest.param(entry(1, 0, "system", {"text": "timer"}), id="the system"),
        pytest.param(answered(1, 1, "Hello", status="failed"), id="one that was not delivered"),
        pytest.param(answered(1, 1), id="nothing at all"),
    ],
)
def test_what_has_nothing_to_show_is_no_item(entry: HistoryEntry) -> None:
    assert list(items_of([entry])) == []


def test_an_operators_words_are_shown_as_theirs() -> None:
    said_by = entry(1, 1, "operator", {"text": "Good day"}, delivery=SENT)
    for written in (said_by, answered(1, 1, "Good day", by_operator=True)):
        (item,) = items_of([written])
        assert (item["from"], item["text"]) == ("operator", "Good day")


@pytest.mark.parametrize(
    "given",
    [
        "1/2",
        "0123abcd/1/2",
        "0123abcd/00000001/0001/",
        "0123abcd/0000000a/0001",
        "0123abcd/٠٠٠٠٠٠٠١/0001",
        "x" * 37 + "/00000001/0001",
        "' OR 1=1",
        "../../00000001/0001",
        "0123abcd/00000001/0001\n",
        "x" * 100_000,
    ],
)
def test_garbage_is_no_place(given: str) -> None:
    with pytest.raises(Invalid, match="must be the id of an item"):
        Place.read(given)


def test_a_place_reads_its_turn_from_the_beginning() -> None:
    assert Place.read("0123abcd/00000002/0003").before_its_turn == "0123abcd/00000001/9999"
    assert Place.read("0123abcd/00000000/0000").before_its_turn == ""


def test_the_open_ask_is_what_the_values_of_its_buttons_begin_with() -> None:
    dialog = a_dialog(run=40, ask=Ask(3, "position"))
    assert open_ask(dialog) == "p:0123abcd:14:3:"
    dialog.ask = None
    assert open_ask(dialog) is None


def a_dialog(**fields: Any) -> Dialog:
    return Dialog(
        id=DIALOG_ID,
        bot_id=BOT_ID,
        platform="webchat",
        platform_chat_id="chat",
        epoch="0123abcd",
        created_at=NOW,
        updated_at=NOW,
        last_interaction_at=NOW,
        **fields,
    )


@pytest.mark.parametrize(
    ("pending", "after", "is_typing"),
    [
        (Pending("llm", 1, "think"), timedelta(seconds=1), True),
        (Pending("llm", 1, "think"), LONGEST_TASK, False),
        (Pending("wait", 1, "pause"), timedelta(seconds=1), False),
        (None, timedelta(seconds=1), False),
    ],
    ids=["a task", "a task that may have broken off", "a wait", "nothing"],
)
def test_a_bot_types_while_something_is_found_out(
    pending: Pending | None, after: timedelta, *, is_typing: bool
) -> None:
    assert is_at_work(a_dialog(pending=pending), NOW + after) is is_typing
