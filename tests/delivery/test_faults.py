"""Parallel senders against a messenger at its worst: nothing is lost, and nobody waits for another."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.delivery.holds import Hold
from tests.delivery.faults import LOSE_THE_ANSWER, Fate, Trial, wrongs


@pytest.mark.parametrize(("messages", "dialogs"), [(5000, 200), (200, 16)], ids=["many", "few"])
def test_everything_is_delivered_in_order_or_failed_for_its_reason(messages: int, dialogs: int) -> None:
    trial = Trial(messages, dialogs, bots=5, seed=messages)
    messenger = trial.run(handlers=8)
    assert wrongs(trial, messenger) == []
    drawn = {fault for fate in trial.fates.values() for fault in fate.drawn}
    assert drawn >= {"chat limit", "bot limit", "5xx", "reset", "lost"}
    meant = {text for text, fate in trial.fates.items() if not fate.faults and fate.drawn & LOSE_THE_ANSWER}
    assert trial.lost >= meant, "the faults were met"


def test_the_judge_sees_what_is_wrong() -> None:
    trial = Trial(messages=20, dialogs=2)
    trial.fates.update({text: Fate([], "sent") for text in trial.fates})
    messenger = trial.run(handlers=2)
    assert wrongs(trial, messenger) == []
    messenger.taken["0"].reverse()
    assert "0: out of order" in wrongs(trial, messenger)
    lost = messenger.taken["1"].pop()
    assert f"{lost}: lost" in wrongs(trial, messenger)


def quiet(trial: Trial) -> None:
    for text in trial.fates:
        trial.fates[text] = Fate([], "sent")


def test_a_held_bot_delays_no_other() -> None:
    trial = Trial(messages=120, dialogs=20, speed=20.0)
    quiet(trial)
    hold = Hold(trial.clock.now() + timedelta(seconds=40), "slow down")
    trial.holds.put("bot-0", "plain", hold)
    messenger = trial.run(handlers=4)
    assert wrongs(trial, messenger) == []
    sent_at = {dialog: trial.last_sent(int(dialog)) for dialog in trial.turns}
    held = {dialog for dialog in sent_at if trial.bot_of(int(dialog)) == "bot-0"}
    assert held
    assert all(sent_at[dialog] >= hold.until for dialog in held)
    assert all(sent_at[dialog] < hold.until for dialog in sent_at.keys() - held)


def test_a_dialog_that_waits_delays_no_other() -> None:
    trial = Trial(messages=120, dialogs=20, speed=20.0)
    quiet(trial)
    trial.fates[trial.turns["3"][0][0]] = Fate(["chat limit"] * 10, "sent")
    messenger = trial.run(handlers=4)
    assert wrongs(trial, messenger) == []
    waited = trial.last_sent(3)
    assert all(trial.last_sent(int(dialog)) < waited for dialog in trial.turns if dialog != "3")
