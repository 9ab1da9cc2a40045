"""The engine, rule by rule of the language."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.dialog.engine.happenings import Happenings
from shared.dialog.events import ContentType, ConversationStarted, MessageReceived, Person
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Button, Span
from shared.dialog.presses import write
from shared.dialog.processor import Moment, has_open_run, starts_over
from shared.dialog.state import Outbox
from shared.scenario.compiler import compile_scenario
from shared.scenario.words import FALLBACKS
from tests.dialog.talk import NOW, Talk, new_dialog
from tests.scenario.documents import COMPLETED, Document, ask, choose, say, scenario

EN = FALLBACKS["en"]
RU = FALLBACKS["ru"]
INTEGER = {"type": "integer", "initial": 0}
YES_NO = [
    {"text": {"en": "Yes", "ru": "Да"}, "value": True},
    {"text": {"en": "No", "ru": "Нет"}, "value": False},
]
FRUIT = [{"text": "Apple", "value": "a"}, {"text": "Pear", "value": "p"}, {"text": "Plum", "value": "l"}]


class TestOpening:
    def test_the_first_word_only_opens_the_dialog(self) -> None:
        talk = Talk(scenario(ask("a", "x", "Name?")))
        assert talk.say("Ann") == ["Name?"]
        assert talk.variables == {}

    def test_the_first_word_answers_too_where_asked_to(self) -> None:
        talk = Talk(scenario(ask("a", "x", "Name?", next_step="b"), ask("b"), first_message="answer"))
        assert talk.say("Ann") == ["Name?", "?"]
        assert talk.variables == {"x": "Ann"}

    def test_a_first_word_that_does_not_fit_leaves_the_question_open(self) -> None:
        talk = Talk(scenario(choose("a", "x", *FRUIT), first_message="answer"))
        assert talk.say("Hello") == ["?", EN["choose_button"]]
        assert talk.say("plum") == []
        assert talk.variables == {"x": "l"}

    def test_a_first_press_opens_the_dialog(self) -> None:
        talk = Talk(scenario(ask("a", "x", "Name?")))
        assert talk.press_data("p:0123abcd:1:1:0") == ["Name?"]

    @pytest.mark.parametrize("data", ["", "garbage", "\ud800\x00", "x" * 10_000])
    def test_a_first_press_of_garbage_opens_the_dialog(self, data: str) -> None:
        assert Talk(scenario(ask("a", text="Name?"))).press_data(data) == ["Name?"]

    def test_a_photo_opens_the_dialog(self) -> None:
        assert Talk(scenario(ask("a", text="Name?"))).say("", "image") == ["Name?"]

    def test_opening_the_chat_changes_nothing_in_a_dialog(self) -> None:
        talk = Talk(scenario(ask("a", text="Name?")))
        assert talk.start(only_opens=True) == ["Name?"]
        assert talk.start(only_opens=True) == []
        assert talk.dialog.run == 1

    def test_a_welcome_that_was_said_is_not_said_again(self) -> None:
        talk = Talk(scenario({"id": "a", "message": [{"text": "Hi"}, {"text": "Name?"}]}))
        assert talk.start(welcomed_by=3) == []
        assert [(message.text, message.is_said) for message in talk.turn.messages] == [
            ("Hi", True),
            ("Name?", True),
        ]
        assert talk.start(welcomed_by=3) == []
        assert talk.turn.messages == ()
        assert talk.dialog.run == 1


class TestStart:
    @pytest.mark.parametrize(
        ("text", "payload"),
        [
            ("/start", ""),
            ("/start ref-7", "ref-7"),
            ("  /start  ref 7 ", "ref 7"),
            ("/start\nref", "ref"),
            ("/START", ""),
            ("/start@OnboardingBot", ""),
            ("/start@OnboardingBot ref", "ref"),
            ("/start é\x00", "é"),
        ],
    )
    def test_it_begins_anew_with_its_payload(self, text: str, payload: str) -> None:
        talk = Talk(scenario(ask("a", "x", "{{ start_payload }}?", next_step="b"), ask("b")))
        talk.start()
        talk.say("Ann")
        assert talk.say(text) == [f"{payload}?"]
        assert talk.variables == ({"start_payload": payload} if payload else {})
        assert talk.dialog.run == 2

    @pytest.mark.parametrize(
        "text",
        ["/started", "/start1", "start", "//start", "please /start", "/sta rt", "/start@", "/start@a-b"],
    )
    def test_what_only_looks_like_it_is_an_answer(self, text: str) -> None:
        talk = Talk(scenario(ask("a", "x", next_step="b"), ask("b")))
        talk.start()
        talk.say(text)
        assert talk.variables == {"x": text}

    def test_the_event_and_the_text_are_the_same(self) -> None:
        event = ConversationStarted(id="1", occurred_at=NOW, payload="ref")
        text = MessageReceived(id="1", occurred_at=NOW, text="/start ref")
        assert starts_over(event) == starts_over(text) == event

    def test_an_unfinished_run_is_closed_as_abandoned(self) -> None:
        talk = Talk(scenario(ask("a", "x", next_step="b"), ask("b", "y")))
        talk.start()
        talk.say("Ann")
        talk.start()
        assert talk.turn.ended_runs == ({"run": 1, "status": "abandoned", "collected_data": {"x": "Ann"}},)
        assert (talk.dialog.run, talk.dialog.asks, talk.variables) == (2, 1, {})

    def test_a_turn_may_abandon_one_run_and_complete_another(self) -> None:
        document = scenario(
            say("a", conditions=[{"if": "answered.start_payload", "then": None}], next_step="b"), ask("b")
        )
        talk = Talk(document)
        talk.start()
        talk.start("x")
        assert talk.ended == [(1, "abandoned"), (2, "completed")]

    def test_a_completed_run_is_not_abandoned(self) -> None:
        talk = Talk(scenario(say("a")))
        talk.start()
        assert talk.ended == [(1, "completed")]
        assert not has_open_run(talk.dialog)
        talk.start()
        assert talk.ended == [(2, "completed")]

    def test_initial_values_are_there_from_the_start(self) -> None:
        document = scenario(ask("a", "x"), variables={"n": INTEGER, "m": {"type": "any", "initial": [1, {}]}})
        talk = Talk(document)
        talk.start()
        assert talk.variables == {"n": 0, "m": [1, {}]}


class TestTexts:
    @pytest.mark.parametrize(
        "text",
        [
            "Ann",
            "  Ann  ",
            "محمد",
            "👩‍🚒",
            "{{ x }}",
            "<b>",
            "*",
            "0",
            "null",
            "x" * 4000,
            "a\nb",
            "\u202eabc",
        ],
    )
    def test_an_answer_is_kept_as_it_was_written(self, text: str) -> None:
        talk = Talk(scenario(ask("a", "x", next_step="b"), say("b", "{{ x }}")))
        talk.start()
        assert talk.say(text) == [text.strip()]
        assert talk.variables == {"x": text.strip()}

    @pytest.mark.parametrize("text", ["", "   ", "\x00", "\ud800", "\n\t"])
    def test_nothing_is_no_answer(self, text: str) -> None:
        talk = Talk(scenario(ask("a", "x")))
        talk.start()
        assert talk.say(text) == [EN["not_text"]]
        assert talk.variables == {}

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("image", "not_text"),
            ("sticker", "not_text"),
            ("location", "not_text"),
            ("unsupported", "unsupported"),
        ],
    )
    def test_something_else_is_no_answer(self, content: ContentType, words: str) -> None:
        talk = Talk(scenario(ask("a", "x")))
        talk.start()
        assert talk.say("", content) == [EN[words]]
        assert talk.dialog.ask is not None

    def test_a_caption_is_an_answer(self) -> None:
        talk = Talk(scenario(ask("a", "x")))
        talk.start()
        talk.say("my cat", "image")
        assert talk.variables == {"x": "my cat"}

    def test_limits_hold(self) -> None:
        limits = {"validation": {"min_length": 2, "max_length": 3, "pattern": "[a-z]+"}}
        talk = Talk(scenario(ask("a", "x", expected_input=limits)))
        talk.start()
        for text in ("a", "abcd", "A1"):
            assert talk.say(text) == [EN["not_text"]]
        assert talk.say(" abc ") == []
        assert talk.variables == {"x": "abc"}

    def test_a_question_without_a_variable_only_waits(self) -> None:
        talk = Talk(scenario(ask("a", next_step="b"), say("b", "{{ input.text }}/{{ input.value }}")))
        talk.start()
        assert talk.say(" Hi ") == ["Hi/Hi"]
        assert talk.variables == {}


class TestRefusing:
    def test_the_own_words_come_first_and_may_be_in_any_language(self) -> None:
        refused = {"error_message": {"en": "Only {{ n }}", "ru": "Только {{ n }}"}}
        document = scenario(choose("a", "x", *FRUIT, expected_input=refused), variables={"n": INTEGER})
        assert _refusal(document, "en") == "Only 0"
        assert _refusal(document, "ru") == "Только 0"

    def test_words_that_come_out_empty_are_replaced(self) -> None:
        document = scenario(ask("a", "x", expected_input={"error_message": "{{ x }}"}))
        assert _refusal(document, "en", "") == EN["not_text"]

    def test_the_buttons_are_shown_again(self) -> None:
        talk = Talk(scenario(choose("a", "x", *FRUIT)))
        talk.start()
        first = talk.message.buttons
        talk.say("Melon")
        assert talk.message.buttons == first

    def test_it_is_the_same_ask(self) -> None:
        talk = Talk(scenario(choose("a", "x", *FRUIT)))
        talk.start()
        talk.say("Melon")
        assert talk.press("Pear", back=1) == []
        assert talk.variables == {"x": "p"}

    @pytest.mark.parametrize("where", ["expected_input", "defaults"])
    def test_so_many_refused_answers_lead_to_on_failure(self, where: str) -> None:
        limits = {"max_attempts": 2, "on_failure": "b"}
        fields: Document = {"expected_input": limits} if where == "expected_input" else {}
        defaults = {} if fields else {"defaults": limits}
        talk = Talk(
            scenario(choose("a", "x", *FRUIT, set={"y": "1"}, **fields), say("b", "Too bad"), **defaults)
        )
        talk.start()
        assert talk.say("Melon") == [EN["choose_button"]]
        assert talk.say("", "image") == ["Too bad"]
        assert talk.variables == {}

    def test_attempts_are_counted_anew_with_every_ask(self) -> None:
        limits = {"max_attempts": 2, "on_failure": "b"}
        talk = Talk(scenario(choose("a", "x", *FRUIT, expected_input=limits, next_step="a"), say("b", "Bad")))
        talk.start()
        assert talk.say("Melon") == [EN["choose_button"]]
        assert talk.press("Pear") == ["?"]
        assert talk.say("Melon") == [EN["choose_button"]]

    def test_max_attempts_without_on_failure_refuses_for_ever(self) -> None:
        talk = Talk(scenario(ask("a", "x", expected_input={"max_attempts": 1})))
        talk.start()
        assert [talk.say("") for _ in range(3)] == [[EN["not_text"]]] * 3


def _refusal(document: Document, language: str, text: str = "?") -> str:
    talk = Talk(document, person=Person(language=language))
    talk.start()
    (words,) = talk.say(text)
    return words


class TestButtons:
    @pytest.mark.parametrize("value", ["a", "", "РФ", 1, 0, -1, True, False, 2**53, "1", "true"])
    def test_a_press_stores_the_value_with_its_type(self, value: Any) -> None:
        talk = Talk(
            scenario(choose("a", "x", {"text": "This", "value": value}, {"text": "Or", "value": "or"}))
        )
        talk.start()
        talk.press("This")
        assert talk.variables == {"x": value}
        assert type(talk.variables["x"]) is type(value)
        assert talk.turn.label == "This"

    @pytest.mark.parametrize(
        ("text", "value"),
        [("yes", True), ("Нет.", False), ("да 👍", True), ("2", False), ("true", True), ("٢", False)],
    )
    def test_a_choice_may_be_typed_in_any_language(self, text: str, value: Any) -> None:
        talk = Talk(scenario(choose("a", "x", *YES_NO), languages=["en", "ru"]))
        talk.start()
        talk.say(text)
        assert talk.variables == {"x": value}

    @pytest.mark.parametrize("text", ["", "maybe", "3", "yes or no", "🤷"])
    def test_what_is_no_choice_is_refused(self, text: str) -> None:
        talk = Talk(scenario(choose("a", "x", *YES_NO), languages=["en", "ru"]))
        talk.start()
        assert talk.say(text) == [EN["choose_button"]]
        assert talk.labels == ["Yes", "No"]

    def test_labels_that_are_numbers_switch_positions_off(self) -> None:
        talk = Talk(scenario(choose("a", "x", 5, 3, 1)))
        talk.start()
        talk.say("1")
        assert talk.variables == {"x": 1}

    def test_labels_of_emoji_alone_are_told_apart(self) -> None:
        talk = Talk(scenario(choose("a", "x", "👍", "👎")))
        talk.start()
        talk.say("👎🏿")
        assert talk.variables == {"x": "👎"}

    def test_a_button_may_lead_on_by_itself(self) -> None:
        buttons = [{"text": "On", "value": 1, "next_step": "c"}, {"text": "Off", "value": 2}]
        step = choose("a", "x", *buttons, set={"y": "x"}, conditions=[{"if": "true", "then": "b"}])
        document = scenario(step, say("b", "b"), say("c", "c{{ y }}"))
        assert _after(document, "On") == ["c1"]
        assert _after(document, "Off") == ["b"]

    def test_a_step_with_choices_needs_no_input(self) -> None:
        talk = Talk(
            scenario({"id": "a", "buttons": [{"text": "Go", "value": 1}], "next_step": "b"}, say("b", "!"))
        )
        assert talk.start() == [EN["choose_button"]]
        assert talk.press("Go") == ["!"]
        assert talk.variables == {}

    def test_buttons_come_with_the_last_message(self) -> None:
        step = choose("a", "x", *FRUIT) | {"message": [{"text": "One"}, {"text": "Two"}]}
        talk = Talk(scenario(step))
        talk.start()
        assert [len(message.buttons) for message in talk.turn.messages] == [0, 3]

    def test_a_label_may_be_worked_out_and_is_typed_as_shown(self) -> None:
        step = choose("b", "y", {"text": "I am {{ x }}", "value": 1}, {"text": "{{ z }}", "value": 2})
        talk = Talk(scenario(ask("a", "x", next_step="b"), step, variables={"z": {"type": "string"}}))
        talk.start()
        talk.say("Ann 👩")
        assert talk.labels == ["I am Ann 👩", "—"]
        talk.say("i am ann")
        assert talk.variables["y"] == 1

    def test_choices_are_fixed_when_they_are_shown(self) -> None:
        step = choose("a", "x", {"text": "{{ random }}", "value": 1}, "other")
        talk = Talk(scenario(step, conditions=[]))
        talk.random = 0.25
        talk.start()
        talk.random = 0.75
        talk.say("nothing")
        assert talk.labels == ["0.25", "other"]
        talk.say("0.25")
        assert talk.variables == {"x": 1}

    def test_garbage_that_is_pressed_changes_nothing(self) -> None:
        talk = Talk(scenario(choose("a", "x", *FRUIT)))
        talk.start()
        good = talk.message.buttons[0].data
        for data in (
            "",
            "p",
            "garbage",
            good + "\n",
            good.upper(),
            "\ud800",
            "p:0123abcd:1:1:3",
            "p:0123abcd:1:1:zz",
        ):
            assert talk.press_data(data) == [EN["stale_button"], "?"]
        assert talk.variables == {}


def _after(document: Document, label: str) -> list[str]:
    talk = Talk(document)
    talk.start()
    return talk.press(label)


class TestStalePresses:
    TWO: Document = scenario(choose("a", "x", *FRUIT, next_step="b"), choose("b", "y", "One", "Two"))

    def test_one_of_an_earlier_question_shows_the_open_one_again(self) -> None:
        talk = Talk(self.TWO)
        talk.start()
        talk.press("Apple")
        assert talk.press("Pear") == [EN["stale_button"], "?"]
        assert talk.labels == ["One", "Two"]
        assert talk.variables == {"x": "a"}
        talk.press("Two")
        assert talk.variables == {"x": "a", "y": "Two"}

    def test_the_accepted_button_pressed_again_is_silent(self) -> None:
        talk = Talk(self.TWO)
        talk.start()
        talk.press("Apple")
        assert talk.press("Apple") == []
        talk.press("One")
        assert talk.press("One") == []
        assert talk.ended == []

    def test_the_accepted_button_of_the_question_before_that_is_stale(self) -> None:
        document = scenario(
            choose("a", "x", *FRUIT, next_step="b"), choose("b", "y", "One", next_step="c"), ask("c", "z")
        )
        talk = Talk(document)
        talk.start()
        talk.press("Apple")
        talk.press("One")
        assert talk.press("Apple") == [EN["stale_button"], "?"]

    def test_a_typed_answer_makes_its_buttons_stale(self) -> None:
        talk = Talk(self.TWO)
        talk.start()
        talk.say("apple")
        assert talk.press("Apple") == [EN["stale_button"], "?"]

    def test_one_of_an_earlier_run_is_stale(self) -> None:
        talk = Talk(self.TWO)
        talk.start()
        talk.press("Apple")
        talk.start()
        assert talk.press("Apple", back=1) == [EN["stale_button"], "?"]
        assert talk.press("Apple") == ["?"]

    def test_one_of_another_epoch_is_stale(self) -> None:
        talk = Talk(self.TWO)
        talk.start()
        assert talk.press_data(write("fedcba98", 1, 1, 0)) == [EN["stale_button"], "?"]

    def test_one_of_the_same_step_asked_anew_is_stale(self) -> None:
        talk = Talk(scenario(choose("a", "x", *FRUIT, next_step="a")))
        talk.start()
        talk.press("Apple")
        assert talk.press("Pear", back=1) == [EN["stale_button"], "?"]
        assert talk.variables == {"x": "a"}

    def test_one_after_the_end_is_told_so(self) -> None:
        talk = Talk(self.TWO)
        talk.start()
        talk.press("Apple")
        talk.press("One")
        assert talk.press("Two") == [EN["ended"]]
        assert talk.variables == {"x": "a", "y": "One"}

    def test_of_a_long_question_what_fits_is_shown_again(self) -> None:
        messages = [{"text": str(n)} for n in range(20)]
        talk = Talk(scenario(choose("a", "x", *FRUIT) | {"message": messages}))
        assert len(talk.start()) == 20
        assert talk.press_data("old") == [EN["stale_button"], *(str(n) for n in range(1, 20))]


class TestQuickReplies:
    STEP = ask(
        "a",
        "x",
        "City?",
        buttons=[
            {"text": "Moscow 🏙", "value": "msk"},
            {"text": "Skip", "value": "-", "next_step": "c"},
            {"text": "Twelve", "value": 12},
            {"text": "Truth", "value": True},
            {"text": "Edges", "value": " e\u0301 "},
        ],
        set={"y": "1"},
        next_step="b",
    )
    DOCUMENT: Document = scenario(STEP, say("b", "City: {{ x }}"), say("c", "Skipped"))

    @pytest.mark.parametrize(
        ("label", "value"), [("Moscow 🏙", "msk"), ("Twelve", "12"), ("Truth", "true"), ("Edges", "é")]
    )
    def test_one_without_a_next_step_counts_as_if_its_value_were_typed(self, label: str, value: str) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.press(label) == [f"City: {value}"]
        assert talk.variables == {"x": value, "y": 1}

    def test_one_with_a_next_step_stores_nothing(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.press("Skip") == ["Skipped"]
        assert talk.variables == {"y": 1}

    @pytest.mark.parametrize(
        ("text", "said"), [("moscow", "City: msk"), ("SKIP!", "Skipped"), ("msk", "City: msk")]
    )
    def test_one_that_is_typed_counts_as_pressed(self, text: str, said: str) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.say(text) == [said]

    @pytest.mark.parametrize("text", ["1", "2", "Omsk"])
    def test_a_position_is_an_answer_like_any_other(self, text: str) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.say(text) == [f"City: {text}"]

    def test_its_value_has_to_fit(self) -> None:
        step = ask("a", "x", buttons=FRUIT, expected_input={"validation": {"min_length": 2}})
        talk = Talk(scenario(step))
        talk.start()
        assert talk.press("Apple") == [EN["not_text"]]
        assert talk.press("Apple") == [EN["not_text"]]
        talk.say("long enough")
        assert talk.variables == {"x": "long enough"}
        assert talk.press("Apple") == [EN["ended"]]


class TestConditionalChoices:
    STEP = choose(
        "a",
        "x",
        {"text": "Small", "value": 1, "show_if": "n < 10"},
        {"text": "Large", "value": 2, "show_if": "n > 5"},
        when_empty="b",
        before={"n": "n + 5"},
        next_step="a",
    )
    DOCUMENT: Document = scenario(STEP, say("b", "None left"), variables={"n": INTEGER})

    def test_only_those_that_hold_are_shown(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.labels == ["Small"]
        talk.press("Small")
        assert talk.labels == ["Large"]

    def test_one_that_is_hidden_cannot_be_typed(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.say("Large") == [EN["choose_button"]]

    def test_none_left_leads_to_when_empty_and_assigns_nothing(self) -> None:
        button = {"text": "x", "value": 1, "show_if": "false"}
        document = scenario(choose("a", "x", button, when_empty="b", set={"y": "1"}), say("b", "None left"))
        talk = Talk(document)
        assert talk.start() == ["None left"]
        assert talk.variables == {}

    @pytest.mark.parametrize("condition", ["other == 'x'", "1 / n > 0", "zz > 1", "n", "anything"])
    def test_what_is_not_decided_hides(self, condition: str) -> None:
        variables = {"n": INTEGER, "other": {"type": "string"}, "anything": {"type": "any", "initial": "yes"}}
        step = choose("a", "x", {"text": "A", "value": 1, "show_if": condition}, "B")
        talk = Talk(scenario(step, variables=variables))
        talk.start()
        assert talk.labels == ["B"]

    def test_none_left_and_nowhere_to_go_breaks_off(self) -> None:
        talk = Talk(scenario(choose("a", "x", {"text": "x", "value": 1, "show_if": "false"})))
        assert talk.start() == [EN["action_failed"]]
        assert talk.ended == [(1, "broken_off")]

    def test_links_are_hidden_too(self) -> None:
        link = {"text": "Docs", "url": "https://example.com", "show_if": "n > 1"}
        talk = Talk(scenario(say("a", buttons=[link]), variables={"n": INTEGER}))
        talk.start()
        assert talk.message.buttons == ()


class TestLinks:
    def test_a_step_with_links_only_does_not_wait(self) -> None:
        link = {
            "text": {"en": "Docs", "ru": "Справка"},
            "url": {"en": "https://e.x", "ru": "https://r.x/{{ n }}"},
        }
        document = scenario(
            say("a", "Read", buttons=[link], next_step="b"), say("b", "Bye"), variables={"n": INTEGER}
        )
        talk = Talk(document, person=Person(language="ru"))
        assert talk.start() == ["Read", "Bye"]
        assert talk.turn.messages[0].buttons == (Button("Справка", url="https://r.x/0"),)

    def test_links_stand_beside_choices(self) -> None:
        link = {"text": "Docs", "url": "https://example.com/?q={{ start_payload }}"}
        talk = Talk(scenario(choose("a", "x", *FRUIT, link)))
        talk.start("a b&c=é")
        assert talk.labels == ["Apple", "Pear", "Plum", "Docs"]
        assert talk.message.buttons[-1].url == "https://example.com/?q=a%20b%26c%3D%C3%A9"
        assert talk.say("docs") == [EN["choose_button"]]


class TestAssignments:
    def test_they_are_carried_out_in_order(self) -> None:
        document = scenario(
            ask("a", "x", "{{ n }}", before={"n": "n + 1", "m": "n * 10"}, set={"full": "x + '!'", "n": "m"}),
            variables={"n": INTEGER},
        )
        talk = Talk(document)
        assert talk.start() == ["1"]
        assert talk.variables == {"n": 1, "m": 10}
        talk.say("Ann")
        assert talk.variables == {"n": 10, "m": 10, "x": "Ann", "full": "Ann!"}

    @pytest.mark.parametrize(
        "source",
        [
            "1 / (n - n)",
            "[1][n + 5]",
            "{1: n}",
            "{true: n}",
            "zz",
            "size(later)",
            "type(n)",
            "0.0 / double(n)",
        ],
    )
    def test_what_is_not_decided_leaves_the_variable_as_it_was(self, source: str) -> None:
        variables = {"n": INTEGER, "later": {"type": "string"}, "v": {"type": "any", "initial": "old"}}
        talk = Talk(scenario(say("a", set={"v": source}), variables=variables))
        talk.start()
        assert talk.variables == {"n": 0, "v": "old"}

    @pytest.mark.parametrize(
        ("source", "value"),
        [
            ("now", "2026-11-22T10:00:00Z"),
            ("duration('90m')", "PT5400S"),
            ("[1, 2.5, true, 'x', null]", [1, 2.5, True, "x", None]),
            ("{'b': 1, 'a': [now]}", {"a": ["2026-11-22T10:00:00Z"], "b": 1}),
            ("18446744073709551615u", 2**64 - 1),
            ("1.0 + n", 1.0),
            ("b'abc'", "YWJj"),
        ],
    )
    def test_a_value_is_kept_as_it_will_be_saved(self, source: str, value: Any) -> None:
        variables = {"n": INTEGER, "v": {"type": "any"}}
        talk = Talk(scenario(say("a", set={"v": source}), variables=variables))
        talk.start()
        assert talk.variables["v"] == value

    def test_null_takes_the_value_away(self) -> None:
        document = scenario(ask("a", "x", set={"x": "null"}, conditions=[{"if": "answered.x", "then": None}]))
        talk = Talk(document)
        talk.start()
        talk.say("Ann")
        assert talk.variables == {}


class TestLeaving:
    @pytest.mark.parametrize(
        ("answer", "said"), [("1", "one"), ("2", "two"), ("3", "not one"), ("9", "by next_step")]
    )
    def test_the_first_condition_that_decides_wins(self, answer: str, said: str) -> None:
        conditions = [
            {"if": "x == '1'", "then": "one"},
            {"if": "x == '2' || x == '1'", "then": "two"},
            *([{"if": "x == '9'", "then": "zz", "else": "three"}] if answer == "3" else []),
        ]
        document = scenario(
            ask("a", "x", conditions=conditions, next_step="next"),
            say("one", "one"),
            say("two", "two"),
            say("three", "not one"),
            say("next", "by next_step"),
        )
        talk = Talk(document)
        talk.start()
        assert talk.say(answer) == [said]

    @pytest.mark.parametrize(
        "conditions", [[{"if": "true", "then": None}], [{"if": "false", "then": "b", "else": None}]]
    )
    def test_null_ends(self, conditions: list[Document]) -> None:
        document = scenario(
            say("a", conditions=conditions, next_step="b"), say("b"), conditions=[{"if": "true", "then": "b"}]
        )
        talk = Talk(document)
        assert talk.start() == ["…"]
        assert talk.ended == [(1, "completed")]

    @pytest.mark.parametrize("condition", ["other == 'x'", "1 / n == 1", "anything"])
    def test_a_condition_that_is_not_decided_takes_its_else(self, condition: str) -> None:
        variables = {"n": INTEGER, "other": {"type": "string"}, "anything": {"type": "any", "initial": "yes"}}
        steps = [say("b", "then"), say("c", "else"), say("d", "next")]
        with_else = say("a", "", conditions=[{"if": condition, "then": "b", "else": "c"}], next_step="d")
        without = say("a", "", conditions=[{"if": condition, "then": "b"}], next_step="d")
        assert Talk(scenario(with_else, *steps, variables=variables)).start() == ["else"]
        assert Talk(scenario(without, *steps, variables=variables)).start() == ["next"]

    def test_end_wins_over_everything(self) -> None:
        buttons = [{"text": "On", "value": 1, "next_step": "b"}]
        step = choose("a", "x", *buttons, end=True, set={"y": "x"}, next_step="b")
        talk = Talk(scenario(step, say("b"), conditions=[{"if": "true", "then": "b"}]))
        talk.start()
        assert talk.press("On") == []
        assert talk.turn.ended_runs == (
            {"run": 1, "status": "completed", "collected_data": {"x": 1, "y": 1}},
        )

    def test_a_step_that_leads_nowhere_ends_the_run(self) -> None:
        talk = Talk(scenario(say("a"), say("b")))
        assert talk.start() == ["…"]
        assert talk.ended == [(1, "completed")]

    def test_a_question_is_skipped_if_its_variable_has_a_value(self) -> None:
        step = ask("a", "x", expected_input={"skip_if_set": True}, set={"n": "n + 1"}, next_step="b")
        document = scenario(step, ask("b", next_step="a"), variables={"n": INTEGER})
        talk = Talk(document)
        talk.start()
        assert talk.dialog.current_step == "a"
        talk.say("Ann")
        talk.say("again")
        assert talk.dialog.current_step == "b"
        assert talk.variables == {"n": 2, "x": "Ann"}


class TestScenarioLevelConditions:
    def test_they_are_consulted_in_order_where_a_step_leads_nowhere(self) -> None:
        conditions = [
            {"if": "x == 'a'", "then": None},
            {"if": "x == 'b'", "then": "b"},
            {"if": "true", "then": "c"},
        ]
        document = scenario(
            ask("a", "x"), say("b", "b", end=True), say("c", "c", end=True), conditions=conditions
        )
        assert _said(document, "a") == ["c"]
        assert _said(document, "b") == ["b"]

    def test_one_is_decided_only_when_every_name_has_a_value(self) -> None:
        conditions = [{"if": "x == 'yes' || later == 'yes'", "then": "b"}, {"if": "x == 'yes'", "then": "c"}]
        document = scenario(
            ask("a", "x"),
            say("b", "b", end=True),
            ask("c", "later", "c"),
            conditions=conditions,
        )
        talk = Talk(document)
        talk.start()
        assert talk.say("yes") == ["c"]
        assert talk.say("no") == ["b"]

    def test_one_leads_somewhere_at_most_once_in_a_run(self) -> None:
        document = scenario(
            ask("a", "x"), say("b", "b"), conditions=[{"if": "x != ''", "then": "b"}], after_end="restart"
        )
        talk = Talk(document)
        talk.start()
        assert talk.say("x") == ["b"]
        talk.say("again")
        assert talk.say("x") == ["b"]

    def test_one_that_leads_nowhere_is_not_used_up(self) -> None:
        document = scenario(
            ask("a", "x"),
            ask("b", "x", "b?"),
            say("c", "c", end=True),
            conditions=[{"if": "x == 'c'", "then": "c"}, {"if": "x == 'b'", "then": "b"}],
        )
        talk = Talk(document)
        talk.start()
        assert talk.say("b") == ["b?"]
        assert talk.say("c") == ["c"]

    def test_one_with_after_counts_for_that_step_every_time(self) -> None:
        document = scenario(
            ask("a", "x", "a?"),
            ask("b", "y", "b?"),
            conditions=[
                {"if": "x != ''", "then": "b", "after": "a"},
                {"if": "y == 'back'", "then": "a", "after": "b"},
            ],
        )
        talk = Talk(document)
        talk.start()
        assert [talk.say(text) for text in ("1", "back", "2", "back", "3", "done")] == [
            ["b?"],
            ["a?"],
            ["b?"],
            ["a?"],
            ["b?"],
            [],
        ]

    def test_one_that_fails_is_skipped_and_noted(self) -> None:
        document = scenario(
            say("a"),
            say("b", "b", end=True),
            conditions=[{"if": "1 / n == 1", "then": "a"}, {"if": "true", "then": "b"}],
            variables={"n": INTEGER},
        )
        talk = Talk(document)
        assert talk.start() == ["…", "b"]
        assert talk.turn.notes == ("1 / n == 1: divide by zero",)

    def test_they_are_not_consulted_where_a_step_says_what_follows(self) -> None:
        document = scenario(
            say("a", conditions=[{"if": "false", "then": "b", "else": None}]),
            say("b", "b"),
            conditions=[{"if": "true", "then": "b"}],
        )
        assert Talk(document).start() == ["…"]


def _said(document: Document, answer: str) -> list[str]:
    talk = Talk(document)
    talk.start()
    return talk.say(answer)


class TestAfterTheEnd:
    @pytest.mark.parametrize(
        ("after_end", "said", "run"),
        [("tell", [EN["ended"]], 1), ("ignore", [], 1), ("restart", ["…"], 2), ("b", ["Again?"], 2)],
    )
    def test_a_message_does_what_the_author_wants(self, after_end: str, said: list[str], run: int) -> None:
        talk = Talk(scenario(say("a"), ask("b", "x", "Again?"), after_end=after_end))
        talk.start()
        assert talk.say("Hello?") == said
        assert talk.dialog.run == run

    def test_it_is_the_default_to_tell(self) -> None:
        talk = Talk(scenario(say("a"), fallbacks={"ended": "Bye, {{ platform }}"}))
        talk.start()
        assert talk.say("Hello?") == ["Bye, telegram"]

    def test_the_last_values_are_kept_until_the_next_run(self) -> None:
        talk = Talk(scenario(ask("a", "x"), fallbacks={"ended": "Bye, {{ x }}"}))
        talk.start()
        talk.say("Ann")
        assert talk.say("Hello?") == ["Bye, Ann"]

    def test_start_always_begins_anew(self) -> None:
        talk = Talk(scenario(say("a"), after_end="ignore"))
        talk.start()
        assert talk.say("/start") == ["…"]


class TestLanguages:
    DOCUMENT: Document = scenario(
        choose("a", "language", {"text": "English", "value": "en"}, {"text": "Русский", "value": "ru"},
               text={"en": "Language?", "ru": "Язык?", "pt-BR": "Idioma?"}, next_step="b"),
        choose("b", "x", *YES_NO, text={"en": "Sure: {{ 1.5 }}?", "ru": "Точно: {{ 1.5 }}?"}, next_step="c"),
        say("c", {"en": "{{ label(x) }}, {{ x }}", "ru": "{{ label(x) }}, {{ x }}"}),
        languages=["en", "ru", "pt-BR"],
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("ru", "Язык?"),
            ("ru-RU", "Язык?"),
            ("RU", "Язык?"),
            ("pt-br", "Idioma?"),
            ("pt", "Idioma?"),
            ("pt-PT", "Idioma?"),
            ("en-GB", "Language?"),
            ("de", "Language?"),
            ("", "Language?"),
            ("x" * 1000, "Language?"),
            ("-", "Language?"),
        ],
    )
    def test_the_messenger_tells_the_language(self, language: str, said: str) -> None:
        assert Talk(self.DOCUMENT, person=Person(language=language)).start() == [said]

    def test_the_variable_wins_over_the_messenger(self) -> None:
        talk = Talk(self.DOCUMENT, person=Person(language="en"))
        talk.start()
        assert talk.press("Русский") == ["Точно: 1,5?"]
        assert talk.labels == ["Да", "Нет"]
        assert talk.say("Yes") == ["Да, да"]

    def test_the_default_comes_last(self) -> None:
        talk = Talk(self.DOCUMENT | {"default_language": "ru"}, person=Person(language="de"))
        assert talk.start() == ["Язык?"]

    def test_the_bot_speaks_the_scenario_s_language(self) -> None:
        document = scenario(choose("a", "x", *FRUIT), languages=["en"])
        assert _refusal(document, "ru") == EN["choose_button"]
        document = scenario(choose("a", "x", *FRUIT), default_language="ru")
        assert _refusal(document, "en") == RU["choose_button"]

    def test_without_languages_the_bot_speaks_the_messenger_s(self) -> None:
        document = scenario(choose("a", "x", *FRUIT))
        assert _refusal(document, "ru-RU") == RU["choose_button"]
        assert _refusal(document, "de") == EN["choose_button"]
        assert _refusal(document, "") == EN["choose_button"]

    def test_own_words_replace_the_shipped_ones(self) -> None:
        own = {"choose_button": {"en": "Pick!", "ru": "Выберите!"}}
        document = scenario(choose("a", "x", *FRUIT), languages=["en", "ru"], fallbacks=own)
        assert _refusal(document, "ru") == "Выберите!"

    def test_what_the_messenger_tells_may_change(self) -> None:
        talk = Talk(self.DOCUMENT, person=Person(language="en", first_name="Ann"))
        talk.start()
        talk.person = None
        assert talk.say("?") == [EN["choose_button"]]
        talk.person = Person(language="ru")
        assert talk.say("?") == [RU["choose_button"]]


class TestNames:
    def test_everything_that_expressions_may_name(self) -> None:
        text = (
            "{{ user.first_name }} {{ user.last_name }} {{ user.username }} {{ user.language }} "
            "{{ bot.name }} {{ platform }} {{ now }} {{ random }} {{ start_payload }} {{ answered.x }}"
        )
        person = Person("Ann", "Lee", "ann", "en")
        talk = Talk(scenario(ask("a", "x", text)), person=person, bot_name="Guide")
        assert talk.start("ref") == ["Ann Lee ann en Guide telegram 2026-11-22 10:00 0.5 ref no"]

    def test_what_the_messenger_does_not_tell_has_no_value(self) -> None:
        talk = Talk(scenario(say("a", "Hi, {{ user.first_name != '' ? user.first_name : 'you' }}!")))
        assert talk.start() == ["Hi, !"]

    def test_names_from_the_messenger_are_cleaned(self) -> None:
        talk = Talk(scenario(say("a", "{{ user.first_name }}")), person=Person("A\x00nn "))
        assert talk.start() == ["Ann"]

    @pytest.mark.parametrize(("condition", "said"), [("score > 5", "more"), ("score + 1 > 6.5", "more")])
    def test_whole_and_fractional_numbers_meet(self, condition: str, said: str) -> None:
        document = scenario(
            choose("a", "score", {"text": "Much", "value": 6}, conditions=[{"if": condition, "then": "b"}]),
            say("b", "more"),
            variables={"score": {"type": "number", "initial": 0}},
        )
        assert _after(document, "Much") == [said]

    def test_mixed_values_of_buttons_are_dynamic(self) -> None:
        conditions = [{"if": "x == 1", "then": "b"}, {"if": "x == 'many'", "then": "c"}]
        document = scenario(
            choose("a", "x", 1, "many", conditions=conditions), say("b", "one"), say("c", "many")
        )
        assert _after(document, "1") == ["one"]
        assert _after(document, "many") == ["many"]

    def test_a_label_has_the_words_of_the_choice(self) -> None:
        document = scenario(
            choose("a", "x", {"text": "*Cook* {{ platform }}", "value": "cook"}, next_step="b"),
            say("b", "{{ label(x) }} / {{ upper }}", before={"upper": "label(x) + '!'"}),
        )
        talk = Talk(document)
        talk.start()
        assert talk.say("cook") == ["*Cook* telegram / *Cook* telegram!"]
        assert talk.message.spans == ()

    def test_a_label_of_a_value_that_is_no_choice_is_the_value(self) -> None:
        variables = {"x": {"type": "number", "initial": 1.5}}
        document = scenario(say("z", "{{ label(x) }}", end=True), choose("a", "x", 1), variables=variables)
        assert Talk(document, person=Person(language="ru")).start() == ["1,5"]

    def test_labels_that_name_one_another_have_an_end(self) -> None:
        document = scenario(
            choose("a", "x", {"text": "{{ label(y) }}!", "value": 1}, next_step="b"),
            choose("b", "y", {"text": "{{ label(x) }}?", "value": 1}, next_step="c"),
            say("c", "{{ label(x) }}{{ label(y) }}"),
        )
        talk = Talk(document)
        talk.start()
        talk.press("!")
        assert talk.press("!?") == ["!?"]


class TestMarkup:
    def test_what_a_person_typed_is_literal(self) -> None:
        talk = Talk(
            scenario(ask("a", "x", next_step="b"), say("b", "Hi, *{{ x }}* [go](https://e.x/{{ x }})"))
        )
        talk.start()
        assert talk.say("*A* _b_") == ["Hi, *A* _b_ go"]
        assert talk.message.spans == (
            Span(4, 11, "bold"),
            Span(12, 14, "link", "https://e.x/%2AA%2A%20_b_"),
        )

    def test_buttons_have_no_markup(self) -> None:
        talk = Talk(scenario(choose("a", "x", "*Bold*")))
        talk.start()
        assert talk.labels == ["*Bold*"]


class TestNotes:
    def test_an_author_s_mistakes_are_noted_once(self) -> None:
        step = say(
            "a", "{{ 1 / n }}{{ 1 / n }}.", set={"m": "1 / n"}, conditions=[{"if": "1 / n > 1", "then": None}]
        )
        talk = Talk(scenario(step, variables={"n": INTEGER}))
        talk.start()
        zero = "divide by zero"
        assert talk.turn.notes == (f"{{{{ 1 / n }}}}: {zero}", f"1 / n: {zero}", f"1 / n > 1: {zero}")

    def test_a_missing_value_is_not_noted(self) -> None:
        document = scenario(say("a", "{{ x }}.", set={"y": "x"}), ask("b", "x"))
        talk = Talk(document)
        talk.start()
        assert talk.turn.notes == ()

    def test_a_condition_that_is_neither_true_nor_false_is_noted(self) -> None:
        variables = {"x": {"type": "any", "initial": "yes"}}
        talk = Talk(scenario(say("a", conditions=[{"if": "x", "then": "a"}]), variables=variables))
        talk.start()
        assert talk.turn.notes == ("x: this must be true or false",)

    def test_a_message_that_comes_out_empty_is_not_sent(self) -> None:
        talk = Talk(scenario(ask("a", "x", " {{ x }} ")))
        assert talk.start() == []
        assert talk.turn.notes == ("a message came out empty and was not sent",)

    def test_buttons_are_sent_even_under_nothing(self) -> None:
        document = scenario(choose("a", "x", *FRUIT, text=""), fallbacks={"choose_button": ""})
        assert Talk(document).start() == ["—"]

    def test_notes_have_an_end(self) -> None:
        assignments = {f"v{n}": f"1 / n + {n}{' ' * 900}" for n in range(100)}
        talk = Talk(scenario(say("a", set=assignments), variables={"n": INTEGER}))
        talk.start()
        assert len(talk.turn.notes) == 50
        assert max(map(len, talk.turn.notes)) == 500


class TestBounds:
    def test_a_turn_passes_100_steps_and_no_more(self) -> None:
        steps = [{"id": f"s{n}", "next_step": f"s{n + 1}"} for n in range(100)]
        talk = Talk(scenario(*steps[1:], say("s100", "There")))
        assert talk.start() == ["There"]
        talk = Talk(scenario(*steps, say("s100", "There")))
        assert talk.start() == [EN["action_failed"]]
        assert talk.ended == [(1, "broken_off")]
        assert talk.turn.notes == ("more than 100 steps or 20 messages in one turn",)

    def test_a_turn_says_20_messages_and_no_more(self) -> None:
        steps = [say(f"s{n}", str(n), next_step=f"s{n + 1}") for n in range(20)]
        assert len(Talk(scenario(*steps[1:], say("s20"))).start()) == 20
        said = Talk(scenario(*steps, say("s20"))).start()
        assert said == [*(str(n) for n in range(19)), EN["action_failed"]]

    def test_a_circle_is_broken_off_and_the_dialog_can_begin_anew(self) -> None:
        document = scenario(say("a", conditions=[{"if": "answered.start_payload", "then": "a"}]))
        talk = Talk(document)
        assert talk.start("x")[-1] == EN["action_failed"]
        assert talk.ended == [(1, "broken_off")]
        assert talk.say("?") == [EN["ended"]]
        assert talk.start() == ["…"]

    def test_a_missing_step_breaks_off(self) -> None:
        talk = Talk(scenario(ask("a", "x", next_step="gone")))
        talk.start()
        assert talk.say("x") == [EN["action_failed"]]
        assert talk.turn.notes == ("there is no step “gone”",)

    def test_a_missing_start_breaks_off(self) -> None:
        assert Talk(scenario(say("a"), start="gone")).start() == [EN["action_failed"]]

    def test_a_run_collects_64_kilobytes(self) -> None:
        document = scenario(
            ask("a", "x", set={"y": "y + x"}, next_step="a"),
            variables={"y": {"type": "string", "initial": ""}},
        )
        talk = Talk(document)
        talk.start()
        for _ in range(5):
            talk.say("я" * 12_000)
        assert len(msgspec.json.encode(talk.variables)) <= 64 * 1024
        assert talk.turn.notes == ("“y” was not stored: a run collects at most 64 KB",)

    def test_a_turn_that_cannot_be_saved_is_broken_off(self) -> None:
        text = "{{ x }}" * 20
        document = scenario(ask("a", "x", next_step="b"), say("b", text), conditions=[])
        talk = Talk(document)
        talk.start()
        assert talk.say("я" * 16_000) == [EN["action_failed"]]
        assert talk.turn.notes == ("the turn takes more than 300 KB",)
        assert talk.ended == [(1, "completed")]

    def test_a_question_that_cannot_be_saved_is_broken_off(self) -> None:
        buttons = [{"text": "{{ x }}" + str(n), "value": n} for n in range(90)]
        talk = Talk(scenario(ask("a", "x", next_step="b"), choose("b", "y", *buttons)))
        talk.start()
        assert talk.say("я" * 16_000) == [EN["action_failed"]]
        assert talk.ended == [(1, "broken_off")]
        assert talk.dialog.ask is None

    def test_many_links_that_cannot_be_saved_are_broken_off(self) -> None:
        links = [{"text": "More", "url": f"https://example.com/{'x' * 1000}"}] * 50
        steps = [say(f"s{n}", "Read", buttons=links, next_step=f"s{n + 1}") for n in range(15)]
        talk = Talk(scenario(*steps, ask("s15")))
        assert talk.start() == [EN["action_failed"]]
        assert talk.turn.notes == ("the turn takes more than 300 KB",)

    def test_words_of_many_languages_that_cannot_be_saved_are_broken_off(self) -> None:
        words = {"en": "A", **{f"x{a}": a + "я" * 2_000 for a in "abcdefghijklmnopqrst"}}
        choices = [{"text": words, "value": n} for n in range(10)]
        talk = Talk(scenario(choose("a", "x", *choices)))
        assert talk.start() == [EN["action_failed"]]

    def test_a_long_turn_does_not_count_against_the_next(self) -> None:
        long = {"message": [{"text": "w" * 18_000}] * 10}
        talk = Talk(scenario(ask("a", "x", next_step="b") | long, ask("b", "y") | long))
        entry = HistoryEntry(
            dialog_id=talk.dialog.id,
            epoch=talk.dialog.epoch,
            turn=1,
            n=0,
            message_type="user",
            message_data={},
            timestamp=NOW,
            created_at=NOW,
        )
        talk.start()
        talk.dialog.outbox = Outbox("hash", entry, talk.turn.messages)
        assert len(talk.say("x")) == 10

    def test_a_label_is_cut(self) -> None:
        talk = Talk(scenario(ask("a", "x", next_step="b"), choose("b", "y", {"text": "{{ x }}", "value": 1})))
        talk.start()
        talk.say("я" * 5000)
        assert talk.labels == ["я" * 1000]

    BIG = "x" * 20_000

    @pytest.mark.parametrize(
        "step",
        [
            {"id": "a", "message": [{"text": "[x](https://x.example/{{ big }})"}] * 20},
            {
                "id": "a",
                "message": [{"media": [{"url": "https://x.example/{{ big }}", "type": "file"}]}] * 20,
            },
            {
                "id": "a",
                "message": {"text": "?"},
                "buttons": [{"for_each": "ten", "text": "x", "value": "big"}] * 2,
            },
            {
                "id": "a",
                "message": {"text": "?"},
                "buttons": [{"for_each": "ten", "text": "{{ big }}", "value": "index"}] * 20,
                "wait": "1m",
            },
        ],
        ids=["addresses", "files", "values", "a question that opens later"],
    )
    def test_whatever_is_too_much_to_be_saved_is_broken_off(self, step: Document) -> None:
        variables = {"big": {"initial": self.BIG}, "ten": {"initial": [*range(10)]}}
        talk = Talk(scenario(step, variables=variables))
        assert talk.start() == [EN["action_failed"]]
        assert talk.dialog.status == "completed"
        assert talk.dialog.pending is None

    def test_of_very_many_choices_each_can_be_pressed(self) -> None:
        button = {"for_each": "many", "text": "{{ index }}", "value": "index"}
        step = {"id": "a", "message": {"text": "?"}, "buttons": [button] * 30}
        talk = Talk(scenario(step, variables={"many": {"initial": [0] * 50}}))
        talk.start()
        assert len(talk.labels) == 1000
        assert talk.press_data(talk.message.buttons[-1].data) == []
        assert talk.dialog.status == "completed"

    def test_a_language_that_anybody_wrote_is_read_no_further_than_a_tag_is_long(self) -> None:
        long = "a-" * 8000
        dialog = new_dialog(variables={"language": long}, person=Person(language=long))
        event = ConversationStarted(id="1", occurred_at=NOW)
        own = compile_scenario(scenario(ask("a", "language")))
        assert len(Happenings(own, {}, dialog, event, Moment(NOW, 0.5)).languages()) < 50


class TestDrafts:
    """A scenario with mistakes runs as far as it can: nothing in a document makes the engine fail."""

    def test_the_mission_example_runs_until_its_first_missing_step(self) -> None:
        unfinished = COMPLETED | {"steps": COMPLETED["steps"][:3]}
        talk = Talk(unfinished)
        talk.start()
        talk.say("Ann")
        talk.say("Lee")
        assert talk.press("Cook") == [EN["action_failed"]]

    def test_an_expression_that_does_not_compile_is_never_decided(self) -> None:
        document = scenario(
            say("a", "Hello {{ zz }}", conditions=[{"if": "and", "then": "b", "else": "c"}], set={"x": "="}),
            say("b"),
            say("c", "c"),
            conditions=[{"if": "(", "then": "b"}],
        )
        assert Talk(document).start() == ["c"]

    def test_a_dialog_whose_step_is_gone_breaks_off(self) -> None:
        talk = Talk(scenario(choose("a", "x", *FRUIT)))
        talk.start()
        other = Talk(scenario(ask("b")))
        other.dialog = talk.dialog
        assert other.say("plum") == [EN["action_failed"]]
        other.dialog = talk.dialog
        assert other.press_data(talk.shown[0].data) == [EN["action_failed"]]

    @pytest.mark.parametrize("doubled", [ask("a", "x", "Second?"), say("a", "Second")])
    def test_of_doubled_steps_the_first_runs(self, doubled: Document) -> None:
        assert Talk(scenario(say("a", "First"), doubled)).start() == ["First"]
