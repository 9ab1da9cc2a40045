"""Timeouts, reminders, waits: a timer belongs to what waits for it, and else does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from shared.dialog.state import Dialog
from shared.scenario.caps import MAX_SILENT_TURNS
from shared.scenario.words import FALLBACKS
from tests.dialog.talk import Talk
from tests.scenario.documents import Document, ask, say, scenario

EN = FALLBACKS["en"]
HOUR = 3600


def question(**timeout: Any) -> Document:
    return scenario(
        ask("a", "x", "Name?", expected_input={"timeout": timeout}, set={"said": "'yes'"}, next_step="b"),
        say("b", "Hello {{ x }}!"),
        say("late", "Another time."),
    )


def plain(dialog: Dialog) -> tuple[Any, ...]:
    return dialog.ask, dialog.variables, dialog.status, dialog.run


class TestTimeouts:
    def test_reminders_come_at_their_times_and_then_the_next_step(self) -> None:
        talk = Talk(question(after="24h", remind="Still there?", every="6h", times=3, next_step="late"))
        talk.start()
        assert talk.wait(24 * HOUR - 1) == []
        assert talk.wait(1) == ["Still there?"]
        assert talk.wait(6 * HOUR) == ["Still there?"]
        assert talk.wait(6 * HOUR) == ["Still there?"]
        assert talk.wait(6 * HOUR) == ["Another time."]
        assert talk.variables == {}
        assert talk.ended == [(1, "completed")]

    def test_without_a_reminder_the_next_step_comes_first(self) -> None:
        talk = Talk(question(after="30s", next_step="late"))
        talk.start()
        assert talk.wait(30) == ["Another time."]

    def test_without_a_next_step_the_question_stays_open(self) -> None:
        talk = Talk(question(after="30s", remind="Still there?", times=2))
        talk.start()
        assert talk.wait(10_000) == ["Still there?"] * 2
        assert talk.say("Ann") == ["Hello Ann!"]

    def test_a_reminder_keeps_the_ask_and_shows_its_buttons(self) -> None:
        document = question(after="1m", remind="Well?")
        document["steps"][0]["buttons"] = [{"text": "Ann", "value": "Ann"}]
        talk = Talk(document)
        talk.start()
        talk.wait(60)
        assert talk.labels == ["Ann"]
        assert talk.press("Ann") == ["Hello Ann!"]

    def test_the_timer_of_an_answered_question_does_nothing(self) -> None:
        talk = Talk(question(after="1m", remind="Well?", next_step="late"))
        talk.start()
        assert talk.dialog.ask
        assert talk.dialog.ask.timer
        number = talk.dialog.ask.timer.number
        talk.say("Ann")
        before = plain(talk.dialog)
        assert talk.fire(number) == []
        assert plain(talk.dialog) == before

    def test_a_timer_of_another_epoch_does_nothing(self) -> None:
        talk = Talk(question(after="1m", remind="Well?"))
        talk.start()
        assert talk.fire(1, epoch="ffffffff") == []

    def test_a_timer_that_comes_twice_reminds_once(self) -> None:
        talk = Talk(question(after="1m", remind="Well?", times=5))
        talk.start()
        assert talk.fire(1) == ["Well?"]
        assert talk.fire(1) == []

    def test_a_refused_answer_restarts_the_clock(self) -> None:
        document = question(after="1h", remind="Well?", times=1)
        document["steps"][0]["expected_input"]["validation"] = {"min_length": 3}
        talk = Talk(document)
        talk.start()
        talk.wait(HOUR)
        talk.say("A")
        assert talk.wait(HOUR - 1) == []
        assert talk.wait(1) == ["Well?"]

    def test_defaults_hold_for_every_question(self) -> None:
        document = scenario(ask("a", "x"), defaults={"timeout": {"after": "5s", "remind": "Well?"}})
        talk = Talk(document)
        talk.start()
        assert talk.wait(5) == ["Well?"]

    def test_only_timers_that_are_still_waited_for_are_set(self) -> None:
        document = scenario(
            ask(
                "a",
                expected_input={
                    "timeout": {"after": "1m", "remind": "?"},
                    "max_attempts": 1,
                    "on_failure": "a",
                },
            )
        )
        document["steps"][0]["expected_input"]["validation"] = {"min_length": 3}
        talk = Talk(document)
        talk.start()
        talk.say("x")
        assert [timer.number for timer in talk.turn.timers] == [2]

    def test_a_blocked_off_run_has_no_timers(self) -> None:
        document = question(after="1m", next_step="gone")
        talk = Talk(document)
        talk.start()
        assert talk.wait(60) == [EN["action_failed"]]
        assert talk.ended == [(1, "broken_off")]


class TestWaits:
    def test_it_goes_on_by_itself(self) -> None:
        talk = Talk(scenario(say("a", "One.", wait="90s", next_step="b"), say("b", "Two.")))
        assert talk.start() == ["One."]
        assert talk.dialog.status == "busy"
        assert talk.wait(89) == []
        assert talk.wait(1) == ["Two."]
        assert talk.ended == [(1, "completed")]

    def test_what_is_said_meanwhile_is_answered_once_and_answers_nothing(self) -> None:
        talk = Talk(scenario(say("a", wait="90s", next_step="b"), ask("b", "x", "Name?")))
        talk.start()
        assert talk.say("Ann") == [EN["busy"]]
        assert talk.say("Ann?") == []
        assert talk.wait(90) == ["Name?"]
        assert talk.variables == {}

    def test_a_question_of_the_same_step_opens_afterwards(self) -> None:
        talk = Talk(
            scenario(ask("a", "x", "Think. Then: name?", wait="10s", next_step="b"), say("b", "{{ x }}"))
        )
        assert talk.start() == ["Think. Then: name?"]
        assert talk.say("Ann") == [EN["busy"]]
        assert talk.wait(10) == []
        assert talk.say("Ann") == ["Ann"]

    def test_start_gives_it_up(self) -> None:
        talk = Talk(scenario(say("a", "One.", wait="90s", next_step="b"), say("b", "Two.")))
        talk.start()
        talk.start()
        assert talk.fire(1) == []
        assert talk.wait(90) == ["Two."]

    def test_a_circle_of_waits_ends_by_itself(self) -> None:
        talk = Talk(scenario(say("a", "Tick", wait="1m", next_step="a")))
        talk.start()
        said = talk.wait(60 * (MAX_SILENT_TURNS + 10))
        assert said == ["Tick"] * MAX_SILENT_TURNS + [EN["action_failed"]]
        assert talk.dialog.status == "completed"

    def test_a_word_from_the_person_winds_that_up_again(self) -> None:
        talk = Talk(scenario(say("a", "Tick", wait="1m", next_step="a")))
        talk.start()
        talk.wait(60 * 40)
        talk.say("hm")
        assert len(talk.wait(60 * 40)) == 40

    def test_timers_that_nothing_waits_for_do_not_count(self) -> None:
        talk = Talk(question(after="1m", remind="Well?"))
        talk.start()
        for _ in range(60):
            talk.fire(999)
        assert talk.wait(60) == ["Well?"]


class TestDelays:
    def test_a_delay_is_the_messages_own(self) -> None:
        talk = Talk(scenario({"id": "a", "message": [{"text": "One"}, {"text": "Two", "delay": "3s"}]}))
        talk.start()
        assert [message.delay for message in talk.turn.messages] == [0, 3]
        assert talk.turn.timers == ()

    def test_a_clock_begins_to_run_when_all_has_been_said(self) -> None:
        step = ask("a", "x", expected_input={"timeout": {"after": "1m", "remind": "Well?"}})
        step["message"] = [{"text": "One", "delay": "2s"}, {"text": "Name?", "delay": "3s"}]
        talk = Talk(scenario(step))
        talk.start()
        assert talk.wait(64) == []
        assert talk.wait(1) == ["Well?"]


@pytest.mark.parametrize("seconds", [1, 900, 901, 7 * 24 * HOUR, 365 * 24 * HOUR])
def test_a_timer_says_when_it_is_due(seconds: int) -> None:
    talk = Talk(scenario(say("a", wait=f"{seconds}s", next_step="b"), say("b")))
    talk.start()
    (timer,) = talk.turn.timers
    assert (timer.due - talk.now).total_seconds() == seconds
