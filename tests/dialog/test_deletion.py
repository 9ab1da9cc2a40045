"""Nothing that was meant for a deleted dialog, or a deleted bot, brings it back, or touches what follows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.dialog.events import (
    ChatBlocked,
    ConversationStarted,
    DeletionRequested,
    HandedOff,
    MessageReceived,
    OperatorWrote,
    RunRequested,
    TaskFinished,
    TimerFired,
)
from shared.dialog.manager import LATE_AFTER, Applied
from shared.dialog.state import RECENT_EVENTS, Remains
from shared.queueing.envelopes import InboundEnvelope
from shared.storage.dialogs import DynamoDialogs
from tests.conftest import items_of
from tests.dialog.test_manager import Parley, said, sealed
from tests.dialog.world import BOT_ID, DIALOG_ID, NOW

DELETED = NOW + timedelta(hours=1)
AFTER = DELETED + timedelta(seconds=1)


@pytest.fixture(params=["memory", "dynamodb"])
def parley(request: pytest.FixtureRequest) -> Parley:
    if request.param == "memory":
        return Parley()
    request.getfixturevalue("aws_account")
    return Parley(dialogs=DynamoDialogs())


def deletion(parley: Parley, **fields: Any) -> InboundEnvelope:
    given = {"id": "delete", "occurred_at": DELETED, "epoch": parley.dialog.epoch, "by": "u"} | fields
    return received(DeletionRequested(**given), DELETED)


def received(event: Any, at: Any) -> InboundEnvelope:
    return msgspec.structs.replace(sealed(event), received_at=at)


def word(text: str, at: Any = AFTER) -> InboundEnvelope:
    return received(MessageReceived(id=text, occurred_at=at, text=text), at)


def delete(parley: Parley) -> str:
    """Have a conversation, and delete it; the epoch that it was."""
    parley.say("hello")
    parley.say("one")
    epoch: str = parley.dialog.epoch
    assert parley.manager.handle(deletion(parley)) is Applied.DELETED
    parley.now = AFTER
    return epoch


def test_a_deleted_dialog_is_not_there(parley: Parley) -> None:
    delete(parley)

    assert parley.dialog is None


def test_what_is_left_tells_nothing_of_the_person(parley: Parley) -> None:
    epoch = delete(parley)
    remains = parley.dialogs.find(DIALOG_ID)

    assert isinstance(remains, Remains)
    assert (remains.epoch, remains.deleted_at, len(remains.recent_events)) == (epoch, DELETED, 3)
    assert all(len(known) == 12 for known in remains.recent_events)


@pytest.mark.usefixtures("aws_account")
def test_its_item_has_nothing_but_what_is_left() -> None:
    delete(Parley(dialogs=DynamoDialogs()))

    (item,) = items_of("DIALOGS_TABLE")
    assert set(item) == {"id", "remains", "expires_at"}


def test_the_rest_is_left_to_be_removed(parley: Parley) -> None:
    epoch = delete(parley)
    (asked,) = parley.deletions.dialogs

    assert (asked.dialog_id, asked.epoch, asked.bot_id) == (DIALOG_ID, epoch, BOT_ID)
    assert asked.deleted_at == DELETED


def test_a_deletion_that_comes_again_is_done_already(parley: Parley) -> None:
    parley.say("hello")
    asked = deletion(parley)
    for _ in range(3):
        assert parley.manager.handle(asked) is Applied.DELETED

    assert len(parley.deletions.dialogs) == 1


def test_a_new_word_opens_a_new_dialog_of_another_epoch(parley: Parley) -> None:
    epoch = delete(parley)

    assert parley.manager.handle(word("again")) is Applied.TURN

    assert parley.dialog.epoch != epoch
    assert (parley.dialog.turn, parley.dialog.run, parley.dialog.created_at) == (1, 1, AFTER)
    assert parley.dialog.variables == {"count": 0}


def test_a_deletion_does_not_touch_the_dialog_that_followed(parley: Parley) -> None:
    parley.say("hello")
    asked = deletion(parley)
    parley.manager.handle(asked)
    parley.now = AFTER
    parley.manager.handle(word("again"))
    epoch = parley.dialog.epoch

    assert parley.manager.handle(asked) is Applied.NO_DIALOG
    assert parley.dialog.epoch == epoch
    assert len(parley.deletions.dialogs) == 1


def test_a_deletion_of_nothing_does_nothing(parley: Parley) -> None:
    asked = received(DeletionRequested(id="d", occurred_at=DELETED, epoch="e"), DELETED)

    assert parley.manager.handle(asked) is Applied.NO_DIALOG
    assert (parley.dialog, parley.deletions.dialogs) == (None, [])


ABOUT_THE_PERSON = "a sender's finding"
"""Whichever dialog they are in, they cannot be reached."""

LATE: dict[str, tuple[Callable[[str], InboundEnvelope], Applied]] = {
    "a word that was applied, delivered again": (lambda _: said("one", "one"), Applied.KNOWN),
    "the word that opened it, delivered again": (lambda _: said("hello", "hello"), Applied.KNOWN),
    "the same, from its messenger, later": (
        lambda _: received(MessageReceived(id="one", occurred_at=NOW, text="one"), AFTER),
        Applied.KNOWN,
    ),
    "a word that was in the queue": (lambda _: said("two", "two"), Applied.LATE),
    "a start that was in the queue": (
        lambda _: received(ConversationStarted(id="s", occurred_at=NOW), NOW),
        Applied.LATE,
    ),
    "a word from its messenger, hours after it was said": (
        lambda _: received(MessageReceived(id="x", occurred_at=DELETED - LATE_AFTER * 2, text="x"), AFTER),
        Applied.LATE,
    ),
    "a run asked for before": (lambda _: received(RunRequested(id="r", occurred_at=NOW), NOW), Applied.LATE),
    "a dead letter, redriven": (lambda _: said("two", "two", met_turn=2), Applied.LATE),
    "a dead letter that would have opened it": (lambda _: said("two", "two", met_turn=0), Applied.LATE),
    "a timer": (
        lambda epoch: received(TimerFired(id="t", occurred_at=AFTER, epoch=epoch, timer=1), AFTER),
        Applied.NO_DIALOG,
    ),
    "a task's result": (
        lambda epoch: received(TaskFinished(id="t", occurred_at=AFTER, epoch=epoch, task=1), AFTER),
        Applied.NO_DIALOG,
    ),
    ABOUT_THE_PERSON: (
        lambda _: received(ChatBlocked(id="b", occurred_at=AFTER), AFTER),
        Applied.NO_DIALOG,
    ),
    "an operator's word": (
        lambda _: received(OperatorWrote(id="o", occurred_at=NOW, text="hi"), NOW),
        Applied.NO_DIALOG,
    ),
    "a hand-off": (lambda _: received(HandedOff(id="h", occurred_at=NOW), NOW), Applied.NO_DIALOG),
}


@pytest.mark.parametrize(("late", "applied"), LATE.values(), ids=LATE)
def test_nothing_brings_a_dialog_back(
    parley: Parley, late: Callable[[str], InboundEnvelope], applied: Applied
) -> None:
    epoch = delete(parley)
    sent = list(parley.outbound.envelopes)

    assert parley.manager.handle(late(epoch)) is applied

    assert parley.dialog is None
    assert parley.outbound.envelopes == sent
    assert len(parley.history.after(DIALOG_ID, epoch, "", 100)) == 2


@pytest.mark.parametrize(
    "late", [pytest.param(late, id=name) for name, (late, _) in LATE.items() if name != ABOUT_THE_PERSON]
)
def test_nothing_of_it_changes_the_dialog_that_followed(
    parley: Parley, late: Callable[[str], InboundEnvelope]
) -> None:
    epoch = delete(parley)
    parley.manager.handle(word("again"))
    parley.manager.handle(word("once"))
    before = (parley.dialog.status, parley.dialog.variables, parley.dialog.run)

    parley.manager.handle(late(epoch))

    assert (parley.dialog.status, parley.dialog.variables, parley.dialog.run) == before


def test_what_was_known_of_it_is_known_to_the_dialog_that_followed(parley: Parley) -> None:
    delete(parley)
    parley.manager.handle(word("again"))

    assert parley.manager.handle(said("one", "one")) is Applied.KNOWN
    assert parley.manager.handle(said("two", "two")) is Applied.LATE


@pytest.mark.parametrize("turns", [1, 2, RECENT_EVENTS - 1, RECENT_EVENTS + 3])
def test_the_dialog_that_followed_replays(turns: int) -> None:
    parley = Parley()
    delete(parley)
    for number in range(turns):
        parley.manager.handle(word(f"word {number}"))

    assert parley.dialog.turn == turns
    assert parley.difference() is None


def test_no_more_events_are_remembered_of_it_than_of_any(parley: Parley) -> None:
    for number in range(RECENT_EVENTS + 10):
        parley.say(f"word {number}")
    parley.manager.handle(deletion(parley))
    remains = parley.dialogs.find(DIALOG_ID)

    assert isinstance(remains, Remains)
    assert len(remains.recent_events) == RECENT_EVENTS


def test_a_turn_of_a_worker_that_has_it_still_in_hand_is_not_saved(parley: Parley) -> None:
    """Its lock is the second fence, should the queue let two work on one dialog."""
    parley.say("hello")
    in_hand = parley.dialog
    parley.manager.handle(deletion(parley))
    in_hand.turn += 1
    with pytest.raises(Exception, match="changed by another turn"):
        parley.dialogs.commit(in_hand, in_hand.turn - 1)

    assert parley.dialog is None


OF_A_BOT: dict[str, Any] = {
    "a word": MessageReceived(id="w", occurred_at=AFTER, text="w"),
    "a start": ConversationStarted(id="s", occurred_at=AFTER),
    "a timer": TimerFired(id="t", occurred_at=AFTER, epoch="e", timer=1),
    "a task's result": TaskFinished(id="t", occurred_at=AFTER, epoch="e", task=1),
    "a run": RunRequested(id="r", occurred_at=AFTER),
    "an operator's word": OperatorWrote(id="o", occurred_at=AFTER, text="hi"),
    "a block": ChatBlocked(id="b", occurred_at=AFTER),
    "a deletion": DeletionRequested(id="d", occurred_at=AFTER, epoch="e"),
}


@pytest.mark.parametrize("event", OF_A_BOT.values(), ids=OF_A_BOT)
@pytest.mark.parametrize("has_talked", [True, False])
def test_nothing_is_done_for_a_deleted_bot(parley: Parley, event: Any, *, has_talked: bool) -> None:
    if has_talked:
        parley.say("hello")
    before, sent = parley.dialog, list(parley.outbound.envelopes)
    parley.bots.delete(BOT_ID)
    parley.now = AFTER

    assert parley.manager.handle(received(event, AFTER)) is Applied.NO_BOT

    assert (parley.dialog, parley.outbound.envelopes) == (before, sent)


def test_a_dialog_is_not_opened_even_a_moment_after_its_bot_was_deleted(parley: Parley) -> None:
    """What goes on may go on for half a minute; what begins asks afresh."""
    parley.manager.active.read(BOT_ID)
    parley.bots.delete(BOT_ID)

    assert parley.say("hello") is Applied.NO_BOT
    assert parley.dialog is None
