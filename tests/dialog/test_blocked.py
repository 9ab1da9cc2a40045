"""A person blocks the bot: clocks stop, nothing is lost, and any word of theirs opens the chat again."""

from __future__ import annotations

from shared.dialog.processor import has_open_run
from tests.dialog.talk import Talk
from tests.scenario.documents import ask, choose, say, scenario

DOCUMENT = scenario(
    ask("a", "x", "Name?", expected_input={"timeout": {"after": "1h", "remind": "Well?"}}, next_step="b"),
    say("b", "Hello {{ x }}!"),
)


def status_of(talk: Talk) -> str:
    return talk.dialog.status


def test_its_clocks_stop_until_the_person_is_back() -> None:
    talk = Talk(DOCUMENT)
    talk.start()
    assert talk.block() == []
    assert status_of(talk) == "blocked"
    assert talk.wait(10_000) == []
    assert talk.unblock() == []
    assert status_of(talk) == "active"
    assert talk.wait(3600) == ["Well?"]


def test_a_word_opens_the_chat_and_answers() -> None:
    talk = Talk(DOCUMENT)
    talk.start()
    talk.block()
    assert talk.say("Ann") == ["Hello Ann!"]
    assert status_of(talk) == "completed"


def test_blocking_twice_is_blocking_once() -> None:
    talk = Talk(DOCUMENT)
    talk.start()
    talk.block()
    talk.block()
    talk.unblock()
    assert status_of(talk) == "active"
    talk.unblock()
    assert status_of(talk) == "active"


def test_a_run_that_is_over_stays_over() -> None:
    talk = Talk(DOCUMENT)
    talk.start()
    talk.say("Ann")
    talk.block()
    assert status_of(talk) == "blocked"
    assert not has_open_run(talk.dialog)
    talk.unblock()
    assert status_of(talk) == "completed"


def test_an_open_run_stays_open() -> None:
    talk = Talk(DOCUMENT)
    talk.start()
    talk.block()
    assert has_open_run(talk.dialog)


def test_what_goes_on_by_itself_goes_on_behind_the_block() -> None:
    talk = Talk(scenario(say("a", wait="1m", next_step="b"), ask("b", "x", "Name?")))
    talk.start()
    talk.block()
    talk.wait(60)
    assert status_of(talk) == "blocked"
    assert talk.say("Ann") == []
    assert talk.variables == {"x": "Ann"}


def test_the_clock_of_a_question_that_comes_behind_the_block_runs_once_the_person_is_back() -> None:
    talk = Talk(
        scenario(say("think", llm={"prompt": "?", "variable": "w"}, next_step="a"), *DOCUMENT["steps"])
    )
    talk.start()
    talk.block()
    talk.finish(text="warm")
    assert talk.wait(10_000) == []
    talk.unblock()
    assert talk.wait(3600) == ["Well?"]


def test_a_hand_off_is_still_one_afterwards() -> None:
    talk = Talk(DOCUMENT)
    talk.start()
    talk.hand_off()
    talk.block()
    talk.unblock()
    assert status_of(talk) == "handed_off"
    assert talk.wait(10_000) == []
    assert talk.give_back() == ["Name?"]
    assert talk.wait(3600) == ["Well?"]


def test_a_press_closes_the_message_it_was_under() -> None:
    talk = Talk(scenario(choose("a", "x", "S", "L", next_step="b"), say("b", "Fine.")))
    talk.start()
    talk.press("S", message_id="77")
    assert talk.message.closes == "77"


def test_a_press_that_nothing_is_said_to_closes_its_message_with_what_is_said_next() -> None:
    thinks = {"id": "b", "llm": {"prompt": "Think", "variable": "y"}, "next_step": "c"}
    talk = Talk(scenario(choose("a", "x", "S", "L", next_step="b"), thinks, ask("c", "z", "Fine?")))
    talk.start()
    assert talk.press("S", message_id="77") == []
    assert talk.finish(text="so") == ["Fine?"]
    assert talk.message.closes == "77"
    assert talk.say("/start") != []
    assert talk.message.closes == ""


def test_a_press_without_a_message_closes_none() -> None:
    talk = Talk(scenario(choose("a", "x", "S", "L", next_step="b"), say("b", "Fine.")))
    talk.start()
    talk.press("S")
    assert talk.message.closes == ""
