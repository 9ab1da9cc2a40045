"""Commands: words that come before everything, return where they should, and go back."""

from __future__ import annotations

from typing import Any

import pytest

from shared.scenario.words import FALLBACKS
from tests.dialog.talk import Talk
from tests.scenario.documents import Document, ask, choose, say, scenario

EN = FALLBACKS["en"]
HELP = {"/help": {"next_step": "help", "resume": True}}
YES_NO = [{"text": "Yes", "value": True}, {"text": "No", "value": False}]


def two_questions(**commands: Any) -> Document:
    return scenario(
        ask("name", "name", "Name?", next_step="age"),
        ask("age", "age", "Age?", next_step="bye"),
        say("bye", "Bye {{ name }}!", end=True),
        say("help", "Help for {{ name }}."),
        choose("menu", "menu", "a", "b", text="Menu?"),
        ask("topic", "topic", "Topic?", next_step="help"),
        commands=commands,
    )


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("/help", "/help"),
        ("/help", "/HELP"),
        ("/help", " /help "),
        ("/help", "/help@MyBot"),
        ("help", "Help!"),
        ("меню", "МЕНЮ"),
        ("🔙", "🔙"),
    ],
)
def test_a_whole_message_equal_to_one_wins(word: str, typed: str) -> None:
    talk = Talk(two_questions(**{word: {"next_step": "menu"}}))
    talk.start()
    assert talk.say(typed) == ["Menu?"]
    assert talk.variables == {}


@pytest.mark.parametrize("typed", ["/help me", "please /help", "/helpful", "", "/help@My-Bot"])
def test_what_only_contains_one_is_an_answer(typed: str) -> None:
    talk = Talk(two_questions(**HELP))
    talk.start()
    talk.say(typed)
    assert talk.variables.get("name", "") == typed


def test_a_caption_is_no_command() -> None:
    talk = Talk(two_questions(**HELP))
    talk.start()
    assert talk.say("/help", "image") == ["Age?"]


class TestResume:
    def test_the_open_question_is_shown_again_as_the_same_ask(self) -> None:
        talk = Talk(two_questions(**HELP))
        talk.start()
        talk.say("Ann")
        before = talk.dialog.ask
        assert talk.say("/help") == ["Help for Ann.", "Age?"]
        assert talk.dialog.ask == before
        assert talk.dialog.detour is None
        assert talk.say("33") == ["Bye Ann!"]

    def test_buttons_of_the_interrupted_question_still_hold(self) -> None:
        talk = Talk(
            scenario(choose("a", "x", *YES_NO, next_step="b"), say("b", "Ok"), say("help"), commands=HELP)
        )
        talk.start()
        talk.say("/help")
        assert talk.press("Yes", back=1) == ["Ok"]

    def test_a_command_may_ask_before_it_returns(self) -> None:
        talk = Talk(two_questions(faq={"next_step": "topic", "resume": True}))
        talk.start()
        talk.say("Ann")
        assert talk.say("faq") == ["Topic?"]
        assert talk.say("wine") == ["Help for Ann.", "Age?"]
        assert talk.variables == {"name": "Ann", "topic": "wine"}

    def test_a_second_command_inside_takes_the_place_of_the_first(self) -> None:
        talk = Talk(two_questions(faq={"next_step": "topic", "resume": True}, **HELP))
        talk.start()
        talk.say("Ann")
        talk.say("faq")
        assert talk.say("/help") == ["Help for Ann.", "Age?"]
        assert talk.dialog.detour is None

    def test_a_second_one_that_does_not_return_leaves_for_good(self) -> None:
        talk = Talk(two_questions(faq={"next_step": "topic", "resume": True}, menu={"next_step": "menu"}))
        talk.start()
        talk.say("faq")
        talk.say("menu")
        assert talk.dialog.detour is None
        assert talk.press("a") == []
        assert talk.ended == [(1, "completed")]

    def test_scenario_level_conditions_are_not_asked_within(self) -> None:
        document = two_questions(**HELP) | {"conditions": [{"if": "true", "then": "menu"}]}
        talk = Talk(document)
        talk.start()
        assert talk.say("/help") == ["Help for .", "Name?"]

    def test_an_end_within_ends_the_run(self) -> None:
        talk = Talk(two_questions(quit={"next_step": "bye", "resume": True}))
        talk.start()
        talk.say("quit")
        assert talk.ended == [(1, "completed")]

    def test_start_within_begins_anew(self) -> None:
        talk = Talk(two_questions(faq={"next_step": "topic", "resume": True}))
        talk.start()
        talk.say("faq")
        assert talk.say("/start") == ["Name?"]
        assert talk.dialog.detour is None
        assert talk.dialog.run == 2

    def test_a_reminder_comes_while_a_command_is_being_followed(self) -> None:
        document = two_questions(faq={"next_step": "topic", "resume": True})
        document["steps"][0]["expected_input"]["timeout"] = {"after": "1h", "remind": "Still there?"}
        talk = Talk(document)
        talk.start()
        talk.say("faq")
        assert talk.wait(3600) == ["Still there?"]
        assert talk.say("wine") == ["Help for .", "Name?"]

    def test_a_command_does_not_restart_the_clock(self) -> None:
        document = two_questions(**HELP)
        document["steps"][0]["expected_input"]["timeout"] = {"after": "1h", "remind": "Still there?"}
        talk = Talk(document)
        talk.start()
        talk.wait(3000)
        talk.say("/help")
        assert talk.turn.timers == ()
        assert talk.wait(600) == ["Still there?"]

    def test_a_timeout_within_leaves_both(self) -> None:
        document = two_questions(faq={"next_step": "topic", "resume": True})
        document["steps"][0]["expected_input"]["timeout"] = {"after": "1h", "next_step": "menu"}
        talk = Talk(document)
        talk.start()
        talk.say("faq")
        assert talk.wait(3600) == ["Menu?"]
        assert talk.dialog.detour is None
        assert talk.dialog.ask
        assert talk.dialog.ask.step_id == "menu"

    def test_interrupted_work_begins_again(self) -> None:
        document = scenario(
            say("a", "Wait.", wait="10m", next_step="b"),
            say("b", "Done."),
            say("help", "Help."),
            commands=HELP,
        )
        talk = Talk(document)
        talk.start()
        first = talk.dialog.pending
        assert talk.say("/help") == ["Help."]
        assert talk.dialog.pending
        assert first
        assert talk.dialog.pending.number > first.number
        assert talk.fire(first.number) == []
        assert talk.wait(600) == ["Done."]

    def test_after_as_much_as_fits_into_a_turn_the_question_is_shown_last(self) -> None:
        many = {"id": "many", "message": [{"text": str(n)} for n in range(20)]}
        steps = ask("a", "x", "Name?"), many
        talk = Talk(scenario(*steps, commands={"many": {"next_step": "many", "resume": True}}))
        talk.start()
        assert talk.say("many") == [*map(str, range(19)), "Name?"]


@pytest.mark.parametrize("caption", ["/start", "/start x", "menu"])
def test_a_caption_is_none(caption: str) -> None:
    steps = ask("a", "x", expected_input={"type": "media"}, next_step="b"), ask("b", text="Thanks!")
    talk = Talk(scenario(*steps, commands={"menu": {"next_step": "a"}}))
    talk.start()
    assert talk.send_file(caption=caption) == ["Thanks!"]
    assert talk.variables["x"]["caption"] == caption


class TestOutsideOfARun:
    def test_after_the_end_one_begins_a_run_at_its_step(self) -> None:
        talk = Talk(two_questions(**HELP))
        talk.start()
        talk.say("Ann")
        talk.say("33")
        assert talk.say("/help") == ["Help for ."]
        assert talk.ended == [(2, "completed")]

    def test_the_first_word_may_be_one(self) -> None:
        talk = Talk(two_questions(menu={"next_step": "menu"}))
        assert talk.say("menu") == ["Menu?"]

    def test_a_first_word_that_returns_opens_the_dialog_too(self) -> None:
        talk = Talk(two_questions(**HELP))
        assert talk.say("/help") == ["Name?", "Help for .", "Name?"]
        assert talk.say("Ann") == ["Age?"]

    def test_so_it_does_where_nothing_is_asked(self) -> None:
        talk = Talk(scenario(say("a", "Hello."), say("help", "Help."), commands=HELP))
        assert talk.say("/help") == ["Hello.", "Help."]

    def test_going_back_before_anything_opens_the_dialog(self) -> None:
        talk = Talk(two_questions(back={"back": True}))
        assert talk.say("back") == ["Name?"]


class TestBack:
    def test_it_returns_to_the_previous_question_and_forgets_its_answer(self) -> None:
        talk = Talk(two_questions(**{"/back": {"back": True}}))
        talk.start()
        talk.say("Ann")
        assert talk.say("/back") == ["Name?"]
        assert talk.variables == {}
        assert talk.dialog.ask
        assert talk.dialog.ask.number == 3
        assert talk.say("Bob") == ["Age?"]

    def test_at_the_first_question_it_shows_that_again(self) -> None:
        talk = Talk(two_questions(**{"/back": {"back": True}}))
        talk.start()
        assert talk.say("/back") == ["Name?"]
        assert talk.dialog.ask
        assert talk.dialog.ask.number == 1

    def test_it_passes_a_question_that_is_answered_already(self) -> None:
        document = scenario(
            ask("a", "x", "A?", next_step="b"),
            ask("b", "y", "B?", next_step="c"),
            ask("c", "z", "C?"),
            commands={"back": {"back": True}},
        )
        talk = Talk(document)
        talk.start()
        talk.say("1")
        talk.say("2")
        assert talk.say("back") == ["B?"]
        assert talk.say("back") == ["A?"]
        assert talk.variables == {}

    def test_from_a_command_that_does_not_return_it_leads_to_the_interrupted_question(self) -> None:
        talk = Talk(two_questions(menu={"next_step": "menu"}, back={"back": True}))
        talk.start()
        talk.say("Ann")
        talk.say("menu")
        assert talk.say("back") == ["Age?"]

    def test_within_a_command_that_returns_it_returns(self) -> None:
        talk = Talk(two_questions(faq={"next_step": "topic", "resume": True}, back={"back": True}))
        talk.start()
        talk.say("faq")
        assert talk.say("back") == ["Name?"]
        assert talk.dialog.detour is None

    def test_from_a_called_scenario_it_leads_to_the_caller(self) -> None:
        id_ = "00000000-0000-4000-8000-000000000001"
        document = scenario(
            ask("a", "x", "A?", next_step="b"),
            {"id": "b", "scenario": {"id": id_}},
            commands={"back": {"back": True}},
        )
        talk = Talk(document, called={id_: scenario(ask("inner", "y", "Inner?"))})
        talk.start()
        assert talk.say("1") == ["Inner?"]
        assert talk.say("back") == ["A?"]
        assert talk.dialog.calls == ()

    @pytest.mark.parametrize("wait", [{}, {"wait": "10m"}])
    def test_at_the_first_question_of_all_it_stays_in_the_called_scenario(self, wait: Document) -> None:
        id_ = "00000000-0000-4000-8000-000000000001"
        steps = say("a", "Hello.", next_step="b"), {"id": "b", "scenario": {"id": id_}}
        child = scenario(ask("inner", "y", "Inner?", **wait))
        talk = Talk(scenario(*steps, commands={"back": {"back": True}}), called={id_: child})
        talk.start()
        assert talk.say("back") == [EN["busy"] if wait else "Inner?"]
        talk.wait(600)
        talk.say("1")
        assert talk.dialog.status == "completed"

    def test_while_nothing_can_be_gone_back_to_the_work_goes_on(self) -> None:
        talk = Talk(
            scenario(say("a", wait="10m", next_step="b"), say("b", "B"), commands={"back": {"back": True}})
        )
        talk.start()
        assert talk.say("back") == [EN["busy"]]
        assert talk.wait(600) == ["B"]
