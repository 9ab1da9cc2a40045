"""A file that a person sends is brought in, whatever becomes of the event that it came with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.dialog.events import MessageReceived, ReceivedFile
from shared.dialog.manager import LATE_AFTER, Applied
from shared.dialog.state import Task
from shared.queueing.envelopes import InboundEnvelope
from tests.dialog.test_manager import Parley, every_dialog_replays, sealed
from tests.dialog.world import NOW

__all__ = ["every_dialog_replays"]

PHOTO = ReceivedFile("image", "AgACAg", size=122_880, media_id="m-1")
REQUEST = {"type": "image", "reference": "AgACAg", "size": 122_880, "media_id": "m-1"}
ASKING: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "photo",
            "message": {"text": "A photo?"},
            "expected_input": {"type": "media", "variable": "photo"},
            "next_step": "look",
        },
        {
            "id": "look",
            "http": {"method": "GET", "url": "https://api.example.com/look", "variable": "seen"},
            "next_step": "photo",
        },
    ],
}


def a_photo(update: str = "2", ago: timedelta = timedelta(0), file: ReceivedFile = PHOTO) -> InboundEnvelope:
    return sealed(MessageReceived(id=update, occurred_at=NOW - ago, content="image", file=file))


def fetches(parley: Parley) -> list[Task]:
    return [task for task in parley.tasks.tasks if task.kind == "fetch"]


def test_an_answer_that_is_a_file_is_fetched_beside_the_work_of_its_turn() -> None:
    parley = Parley(ASKING)
    parley.say("hello")

    assert parley.manager.handle(a_photo()) is Applied.TURN

    assert [(task.kind, task.number) for task in parley.tasks.tasks] == [("http", 1), ("fetch", 2)]
    assert fetches(parley)[0].request == REQUEST
    assert parley.dialog.pending.number == 1
    assert parley.dialog.variables["photo"]["media_id"] == "m-1"
    (entry,) = [entry for entry in parley.entries if entry.message_data["event"]["id"] == "2"]
    assert entry.message_data["event"]["file"]["media_id"] == "m-1"


def test_a_file_whose_event_comes_twice_is_fetched_under_one_number() -> None:
    parley = Parley()

    for _ in range(2):
        parley.manager.handle(a_photo())

    first, again = fetches(parley)
    assert first == again


@pytest.mark.parametrize("is_late", [True, False], ids=["late", "without a scenario"])
def test_a_file_that_nothing_is_done_with_is_fetched_all_the_same(*, is_late: bool) -> None:
    parley = Parley()
    if is_late:
        parley.say("hello")
    else:
        parley.activate(None)

    applied = parley.manager.handle(a_photo(ago=LATE_AFTER + timedelta(seconds=1)))

    assert applied is (Applied.LATE if is_late else Applied.NO_SCENARIO)
    assert [task.request for task in fetches(parley)] == [REQUEST]


def test_a_file_without_a_name_in_the_library_is_not_fetched() -> None:
    parley = Parley()
    parley.manager.handle(a_photo(file=ReceivedFile("image", "AgACAg")))
    assert parley.tasks.tasks == []
