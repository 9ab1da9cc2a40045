"""A deleted bot leaves nothing but the sign that it was deleted, wherever its removal is broken off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from shared.deletion.connections import PATIENCE
from shared.dialog.ports import Found
from shared.dialog.state import Identities, dialog_id_of
from shared.errors import Wait
from shared.queueing.envelopes import BotDeletionEnvelope, read_deletion
from shared.storage.tables import TABLES
from tests.conftest import Call
from tests.deletion.account import ENDLESS, NOON, Account, steps_until

EVERYTHING = {table.Meta.variable for table in TABLES} - {"CACHE_TABLE"} | {"objects", "schedules"}
SIGN = {"BOTS_TABLE": 1}


def asked(bot_id: str) -> BotDeletionEnvelope:
    return BotDeletionEnvelope(bot_id=bot_id, trace_id="t")


def test_nothing_stays_but_the_sign(account: Account) -> None:
    bot_id = account.bot()
    assert account.left().keys() == EVERYTHING
    account.bots.delete(bot_id)

    assert account.remover.perform(asked(bot_id), ENDLESS) is True

    assert account.left() == SIGN
    assert account.asked() == []
    assert account.messenger.calls == ["deleteWebhook"]


def test_nothing_stays_of_the_other_identities_of_a_person(account: Account) -> None:
    bot_id = account.bot(dialogs=0)
    dialog = account.bare_dialog(bot_id, "1")
    places = tuple(dialog_id_of(bot_id, "telegram", chat) for chat in ("2", "3"))
    known = msgspec.structs.replace(dialog, identities=Identities(places))
    account.dialogs.join(known, dialog.turn, [Found(place) for place in places])
    assert account.left()["DIALOGS_TABLE"] == 3
    account.bots.delete(bot_id)

    account.remover.perform(asked(bot_id), ENDLESS)

    assert account.left() == SIGN


def test_nothing_of_another_bot_is_touched(account: Account) -> None:
    account.bot()
    before = account.left()
    bot_id = account.bot(dialogs=3)
    account.bots.delete(bot_id)

    account.remover.perform(asked(bot_id), ENDLESS)

    assert account.left() == {**before, "BOTS_TABLE": 2}


def test_a_bot_that_lives_is_left_alone(account: Account) -> None:
    """The call that asked for its removal failed before it deleted the bot."""
    bot_id = account.bot()
    before = account.left()

    assert account.remover.perform(asked(bot_id), ENDLESS) is False

    assert account.left() == before
    assert account.messenger.calls == []


def test_a_removal_of_what_is_removed_does_nothing(account: Account) -> None:
    bot_id = account.bot(dialogs=0)
    account.bots.delete(bot_id)
    for _ in range(2):
        assert account.remover.perform(asked(bot_id), ENDLESS) is True

    assert account.left() == SIGN
    assert account.messenger.calls == ["deleteWebhook"]


def test_what_there_is_no_time_for_is_asked_for_again(account: Account) -> None:
    bot_id = account.bot()
    account.bots.delete(bot_id)

    assert account.remover.perform(asked(bot_id), steps_until(0)) is False

    (again,) = account.asked()
    assert read_deletion(again) == asked(bot_id)


def test_it_comes_to_an_end_however_often_it_is_broken_off(account: Account) -> None:
    bot_id = account.bot(dialogs=3)
    account.bots.delete(bot_id)
    for invocation in count():
        account.asked()
        if account.remover.perform(asked(bot_id), steps_until(15)):
            break
        assert invocation < 100

    assert account.left() == SIGN


class Killed(BaseException):
    """The process is gone: no `except Exception` sees it."""


@contextmanager
def _killed_at(account: Account, place: int, *, is_done: bool) -> Iterator[None]:
    """End the process at its call to AWS of that number, before it is made or once it is."""
    numbers = count()
    made: list[int] = []

    def leaving(**_: Any) -> None:
        made.append(next(numbers))
        if made[-1] == place and not is_done:
            raise Killed

    def returning(**_: Any) -> None:
        if made[-1] >= place and is_done:
            raise Killed

    events = [client.meta.events for client in account.clients]
    for each in events:
        each.register("before-call.*.*", leaving, unique_id="kill-leaving")
        each.register("after-call.*.*", returning, unique_id="kill-returning")
    try:
        yield
    finally:
        for each in events:
            each.unregister("before-call.*.*", unique_id="kill-leaving")
            each.unregister("after-call.*.*", unique_id="kill-returning")


@pytest.mark.parametrize("is_done", [False, True], ids=["before a call", "after it"])
def test_it_is_resumed_after_being_killed_at_any_call(account: Account, *, is_done: bool) -> None:
    for place in count():
        bot_id, was_killed = account.bot(dialogs=1), False
        account.bots.delete(bot_id)
        try:
            with _killed_at(account, place, is_done=is_done):
                account.remover.perform(asked(bot_id), ENDLESS)
        except Killed:
            was_killed = True
        assert account.remover.perform(asked(bot_id), ENDLESS) is True
        assert account.left() == {"BOTS_TABLE": place + 1}
        if not was_killed:
            break

    assert place > 25


def test_a_messenger_that_does_not_answer_hinders_nothing_else(account: Account) -> None:
    bot_id = account.bot()
    account.bots.delete(bot_id)
    account.messenger.is_down = True
    with pytest.raises(Wait):
        account.remover.perform(asked(bot_id), ENDLESS)
    assert account.left() == {**SIGN, "CREDENTIALS_TABLE": 2}

    account.messenger.is_down = False
    assert account.remover.perform(asked(bot_id), ENDLESS) is True
    assert account.left() == SIGN


def test_a_messenger_is_not_waited_for_for_ever(account: Account) -> None:
    bot_id = account.bot()
    account.bots.delete(bot_id)
    account.messenger.is_down = True
    account.now = NOON + PATIENCE + timedelta(seconds=1)

    assert account.remover.perform(asked(bot_id), ENDLESS) is True
    assert account.left() == SIGN


def test_its_account_at_the_messenger_is_free_for_another_bot(account: Account) -> None:
    bot_id = account.bot()
    account.bots.delete(bot_id)
    account.remover.perform(asked(bot_id), ENDLESS)

    settings = {"bot_token": "1:a"}
    account.credentials.create("another", "telegram", settings, settings, is_active=True, identity=bot_id)


@pytest.mark.parametrize("dialogs", [300])
def test_hundreds_of_dialogs_cost_three_calls_each(
    account: Account, aws_calls: list[Call], dialogs: int
) -> None:
    """History read and deleted, files looked for; the items themselves 25 at a time."""
    bot_id = account.bot(dialogs=0)
    for number in range(dialogs):
        dialog = account.bare_dialog(bot_id, str(number))
        account.tell(dialog.id, dialog.epoch)
    account.bots.delete(bot_id)
    aws_calls.clear()

    assert account.remover.perform(asked(bot_id), ENDLESS) is True

    assert len(aws_calls) / dialogs < 3.3
    assert "Scan" not in {call.operation for call in aws_calls}
    assert account.left() == SIGN
