"""Where two features meet."""

from __future__ import annotations

from shared.dialog.events import Person
from shared.scenario.words import FALLBACKS
from tests.dialog.talk import Talk
from tests.scenario.documents import ask, choose, say, scenario

EN, RU = FALLBACKS["en"], FALLBACKS["ru"]
CHILD = "00000000-0000-4000-8000-000000000001"
LANGUAGES = [{"text": "English", "value": "en"}, {"text": "Русский", "value": "ru"}]


class TestTheLanguageIsSwitched:
    DOCUMENT = scenario(
        ask("a", "n", {"en": "Number?", "ru": "Число?"}, expected_input={"type": "number"}, next_step="b"),
        say("b", {"en": "It is {{ n }}.", "ru": "Это {{ n }}."}, end=True),
        choose("lang", "language", *LANGUAGES, text="Language? Язык?"),
        languages=["en", "ru"],
        commands={"/language": {"next_step": "lang", "resume": True}},
    )

    def test_in_the_middle_of_a_question_that_is_then_asked_in_the_new_one(self) -> None:
        talk = Talk(self.DOCUMENT)
        assert talk.start() == ["Number?"]
        talk.say("/language")
        assert talk.press("Русский") == ["Число?"]
        assert talk.say("нет") == [RU["not_number"]]
        assert talk.say("1,5") == ["Это 1,5."]

    def test_choices_are_shown_again_in_the_new_one(self) -> None:
        yes = [{"text": {"en": "Yes", "ru": "Да"}, "value": True}]
        document = scenario(
            choose("a", "x", *yes, next_step="b"),
            say("b", "{{ x }}", end=True),
            choose("lang", "language", *LANGUAGES),
            languages=["en", "ru"],
            commands={"/language": {"next_step": "lang", "resume": True}},
        )
        talk = Talk(document)
        talk.start()
        talk.say("/language")
        talk.press("Русский")
        assert talk.labels == ["Да"]
        assert talk.press("Да") == ["да"]

    def test_and_reminders_follow(self) -> None:
        document = self.DOCUMENT | {
            "defaults": {"timeout": {"after": "1h", "remind": {"en": "Well?", "ru": "Ну как?"}}}
        }
        talk = Talk(document, person=Person(language="en-GB"))
        talk.start()
        talk.say("/language")
        talk.press("Русский")
        assert talk.wait(3600) == ["Ну как?"]

    def test_a_called_scenario_speaks_the_callers(self) -> None:
        child = scenario(say("c", {"en": "Child", "ru": "Дитя"}), languages=["en", "ru"])
        document = scenario(
            choose("a", "language", *LANGUAGES, next_step="b"), {"id": "b", "scenario": {"id": CHILD}}
        )
        talk = Talk(document, called={CHILD: child})
        talk.start()
        assert talk.press("Русский") == ["Дитя"]


class TestTwoQuickMessages:
    def test_each_answers_a_question(self) -> None:
        talk = Talk(
            scenario(ask("a", "x", "A?", next_step="b"), ask("b", "y", "B?", next_step="c"), say("c", "C"))
        )
        talk.start()
        assert [talk.say("one"), talk.say("two")] == [["B?"], ["C"]]
        assert talk.variables == {"x": "one", "y": "two"}

    def test_the_second_one_waits_where_work_is_to_be_done(self) -> None:
        talk = Talk(
            scenario(ask("a", "x", "A?", next_step="b"), say("b", wait="1m", next_step="c"), ask("c", "y"))
        )
        talk.start()
        talk.say("one")
        assert talk.say("two") == [EN["busy"]]
        talk.wait(60)
        assert talk.variables == {"x": "one"}

    def test_two_presses_of_two_buttons_count_once(self) -> None:
        talk = Talk(scenario(choose("a", "x", "S", "L", next_step="b"), ask("b", "y", "B?")))
        talk.start()
        talk.press("S")
        assert talk.press("L") == [EN["stale_button"], "B?"]
        assert talk.variables == {"x": "S"}


class TestADeepLinkInMidRun:
    def test_begins_anew_with_its_payload(self) -> None:
        talk = Talk(scenario(ask("a", "x", "A?", next_step="b"), ask("b", "y", "B?")))
        talk.start()
        talk.say("one")
        assert talk.say("/start ref-7") == ["A?"]
        assert talk.variables == {"start_payload": "ref-7"}
        assert talk.ended == [(1, "abandoned")]

    def test_out_of_a_wait_a_call_and_a_command(self) -> None:
        child = scenario(say("c", wait="1h", next_step="d"), say("d"))
        document = scenario(
            {"id": "a", "scenario": {"id": CHILD}},
            ask("help", "topic", "Topic?"),
            commands={"/help": {"next_step": "help", "resume": True}},
        )
        talk = Talk(document, called={CHILD: child})
        talk.start()
        talk.say("/help")
        talk.say("/start x")
        assert talk.dialog.detour is None
        assert len(talk.dialog.calls) == 1
        assert talk.dialog.pending
        assert talk.dialog.status == "busy"


class TestACommandWithinACallWithinACommand:
    def test_returns_to_where_the_first_one_interrupted(self) -> None:
        child = scenario(ask("c", "v", "Inner?"))
        document = scenario(
            ask("a", "x", "A?", next_step="b"),
            say("b", "Done.", end=True),
            {"id": "more", "scenario": {"id": CHILD}},
            say("help", "Help."),
            commands={
                "more": {"next_step": "more", "resume": True},
                "help": {"next_step": "help", "resume": True},
            },
        )
        talk = Talk(document, called={CHILD: child})
        talk.start()
        assert talk.say("more") == ["Inner?"]
        assert talk.say("help") == ["Help.", "A?"]
        assert talk.dialog.calls == ()
        assert talk.say("one") == ["Done."]


class TestASensitiveAnswer:
    DOCUMENT = scenario(
        ask("a", "code", "Code?", expected_input={"validation": {"pattern": "[0-9]+"}}, next_step="b"),
        ask("b", "name", "Name?"),
        variables={"code": {"type": "string", "sensitive": True}},
    )

    def test_is_private_whether_it_fits_or_not(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert not talk.turn.is_private
        talk.say("x")
        assert talk.turn.is_private
        talk.say("1234")
        assert talk.turn.is_private
        talk.say("Ann")
        assert not talk.turn.is_private

    def test_what_is_said_to_a_person_of_the_account_may_have_been_one(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        talk.hand_off()
        talk.say("1234")
        assert talk.turn.is_private
