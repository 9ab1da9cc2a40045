"""A deleted dialog leaves nothing, and its successor is left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.dialog.state import Dialog, Remains
from shared.queueing.envelopes import DialogDeletionEnvelope, read_deletion
from shared.queueing.timers import LATEST
from shared.tasks.results import TaskResult
from tests.deletion.account import ENDLESS, NOON, Account, steps_until

LATER = NOON + timedelta(hours=1)


def asked(dialog: Dialog, **fields: Any) -> DialogDeletionEnvelope:
    given: dict[str, Any] = {"deleted_at": NOON, "serial": dialog.serial, "trace_id": "t"} | fields
    place: dict[str, Any] = {"dialog_id": dialog.id, "bot_id": dialog.bot_id, "platform": dialog.platform}
    return DialogDeletionEnvelope(epoch=dialog.epoch, **place, **given)


@pytest.fixture
def dialog(account: Account) -> Dialog:
    """One that was deleted a moment ago, with nothing removed yet."""
    dialog = account.bare_dialog("6f9619ff-8b86-4d11-b42d-00c04fc964ff", "1", serial=2)
    account.tell(dialog.id, dialog.epoch)
    account.file(dialog.bot_id, dialog.id)
    account.schedule(f"{dialog.id}-{dialog.epoch}-2")
    account.task_results.keep(f"{dialog.id}:{dialog.epoch}:1", TaskResult(NOON))
    account.refuse(dialog.bot_id, f"{dialog.id}:{dialog.epoch}")
    account.dialogs.delete(dialog, Remains(dialog.epoch, NOON, ()))
    return dialog


def test_nothing_stays_but_the_remains(account: Account, dialog: Dialog) -> None:
    kept = {
        "DIALOGS_TABLE",
        "HISTORY_TABLE",
        "MEDIA_TABLE",
        "CACHE_TABLE",
        "REFUSALS_TABLE",
        "objects",
        "schedules",
    }
    assert account.left().keys() == kept

    assert account.remover.perform(asked(dialog), ENDLESS) is True

    assert account.left() == {"DIALOGS_TABLE": 1}


def test_it_is_looked_at_once_more(account: Account, dialog: Dialog) -> None:
    """What a sender had in its hands is written down after the first time."""
    account.remover.perform(asked(dialog), ENDLESS)
    account.tell(dialog.id, dialog.epoch)
    (second,) = map(read_deletion, account.asked())
    assert second == asked(dialog, is_second_look=True)

    assert account.remover.perform(second, ENDLESS) is True

    assert account.left() == {"DIALOGS_TABLE": 1}
    assert account.asked() == []


def successor(account: Account, dialog: Dialog) -> None:
    met = account.dialogs.find(dialog.id)
    assert isinstance(met, Remains)
    account.dialogs.commit(msgspec.structs.replace(dialog, epoch="e2"), met)
    account.tell(dialog.id, "e2")
    account.file(dialog.bot_id, dialog.id, at=LATER)
    account.schedule(f"{dialog.id}-e2-1")


def test_what_its_successor_has_stays(account: Account, dialog: Dialog) -> None:
    successor(account, dialog)

    account.remover.perform(asked(dialog), ENDLESS)

    assert account.left() == {
        "DIALOGS_TABLE": 1,
        "HISTORY_TABLE": 2,
        "MEDIA_TABLE": 1,
        "objects": 1,
        "schedules": 1,
    }
    assert len(account.history.after(dialog.id, "e2", "", 10)) == 2
    assert account.schedules == [f"{dialog.id}-e2-1"]


def test_what_another_dialog_has_stays(account: Account, dialog: Dialog) -> None:
    account.dialog(dialog.bot_id, "2")
    before = account.left()

    account.remover.perform(asked(dialog), ENDLESS)

    after = account.left()
    assert {kind: before[kind] - after.get(kind, 0) for kind in before} == {
        "DIALOGS_TABLE": 0,
        "HISTORY_TABLE": 2,
        "MEDIA_TABLE": 1,
        "CACHE_TABLE": 1,
        "REFUSALS_TABLE": 1,
        "objects": 1,
        "schedules": 1,
    }


@pytest.mark.parametrize("looks", range(1, 5))
def test_what_there_is_no_time_for_is_asked_for_again(account: Account, dialog: Dialog, looks: int) -> None:
    assert account.remover.perform(asked(dialog), steps_until(looks - 1)) is False
    assert list(map(read_deletion, account.asked())) == [asked(dialog)]

    assert account.remover.perform(asked(dialog), ENDLESS) is True
    assert account.left() == {"DIALOGS_TABLE": 1}


def test_a_long_history_goes_in_steps(account: Account, dialog: Dialog) -> None:
    for turn in range(60):
        account.tell(dialog.id, dialog.epoch, turn)

    assert account.remover.perform(asked(dialog), steps_until(2)) is False
    assert account.left()["HISTORY_TABLE"] == 120 - 2 * 25
    assert account.remover.perform(asked(dialog), ENDLESS) is True


def test_of_countless_timers_the_latest_are_taken_back(account: Account, dialog: Dialog) -> None:
    serial = LATEST * 10
    account.schedule(f"{dialog.id}-{dialog.epoch}-{serial}")

    account.remover.perform(asked(dialog, serial=serial), ENDLESS)

    assert account.schedules == [f"{dialog.id}-{dialog.epoch}-2"]


Write = Callable[[Account, Dialog], object]

LATE: dict[str, Write] = {
    "a receipt": lambda account, dialog: account.history.receive(
        dialog.id, f"{dialog.epoch}/00000001/0001", account.receipt
    ),
    "a file id": lambda account, dialog: account.media.forget_file_id("gone", "telegram", "f"),
}


@pytest.mark.parametrize("write", LATE.values(), ids=LATE)
def test_what_comes_after_leaves_no_trace(account: Account, dialog: Dialog, write: Write) -> None:
    account.remover.perform(asked(dialog), ENDLESS)

    write(account, dialog)

    assert account.left() == {"DIALOGS_TABLE": 1}
