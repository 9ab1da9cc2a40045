"""A scenario's own tests: what passes, what fails, where, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from shared.simulation.conversation import Opening
from shared.simulation.expectations import is_same, is_within
from shared.simulation.testing import Failure, run_tests
from tests.simulation.play import Json, ask, failure_of, say, scenario

START = {"send": "/start"}

CITIZENSHIPS = [{"text": "РФ", "value": "РФ"}, {"text": "СНГ", "value": "СНГ"}]
ONBOARDING = scenario(
    {
        "id": "welcome",
        "message": {"text": "Hello! What's your name?", "media": []},
        "expected_input": {"type": "text", "variable": "first_name"},
        "next_step": "ask_lastname",
    },
    {
        "id": "ask_lastname",
        "message": {"text": "Please enter your last name"},
        "expected_input": {"type": "text", "variable": "last_name"},
        "next_step": "ask_position",
    },
    {
        "id": "ask_position",
        "message": {"text": "What's your position in the company?"},
        "buttons": [{"text": "Food Guide", "value": "food-guide"}, {"text": "Cook", "value": "cook"}],
        "expected_input": {"type": "button", "variable": "position"},
        "next_step": "citizenship",
    },
    {
        "id": "citizenship",
        "message": {"text": "Your citizenship?"},
        "buttons": CITIZENSHIPS,
        "expected_input": {
            "type": "button",
            "variable": "citizenship",
            "timeout": {"after": "24h", "remind": "Are you still there, {{ first_name }}?"},
        },
        "next_step": "report",
    },
    {
        "id": "report",
        "http": {
            "method": "POST",
            "url": "https://hr.example/people",
            "body": {"name": "{{ first_name }}", "position": "{{ position }}"},
        },
        "next_step": "advise",
    },
    {
        "id": "advise",
        "llm": {"prompt": "Advise a {{ position }}", "reply": True, "on_error": "photo"},
        "next_step": "photo",
    },
    ask("photo", "media", next_step="phone"),
    ask("phone", "contact", next_step="place"),
    ask("place", "location", next_step="person"),
    say("person", "One moment", handoff={}, next_step="bye"),
    say("bye", "All done", end=True),
)


def test_test_of_the_language_s_description_passes() -> None:
    failure = failure_of(
        ONBOARDING,
        {"send": "/start"},
        {"expect": "Hello! What's your name?"},
        {"send": "Ivan"},
        {"expect": {"step": "ask_lastname"}},
        {"send": "Petrov"},
        {"press": "cook"},
        {"expect": {"variables": {"position": "cook"}, "buttons": ["РФ", "СНГ"]}},
        {"advance": "25h"},
        {"expect": {"contains": "Are you still there"}},
        {"press": "РФ"},
        {"expect": {"status": "busy", "request": {"method": "POST", "body": {"position": "cook"}}}},
        {"respond": {"http": {"status": 200, "body": {}}}},
        {"respond": {"llm": {"error": "timeout"}}},
        {"expect": {"step": "photo", "not": "Sorry"}},
        {"photo": {}},
        {"contact": {"phone": "+79990000000"}},
        {"location": {}},
        {"expect": {"status": "handed_off"}},
        {"operator": "Hello"},
        {"expect": "Hello"},
        {"give_back": True},
        {"press": "cook", "ask": -1},
        {"expect": {"end": True}},
        name="a cook from РФ",
        platform="telegram",
        language="en",
        now="2026-11-22T10:00:00Z",
        given={},
    )
    assert failure is None


SHORT = scenario(
    {
        "id": "name",
        "message": [{"text": "Привет *всем*"}, {"text": "Name?"}],
        "expected_input": {"type": "text", "variable": "name"},
        "set": {"length": "size(name)", "half": "size(name) * 0.5"},
        "next_step": "end",
    },
    say("end", "Bye", end=True),
)


FULFILLED: dict[str, Any] = {
    "one of the messages": "Name?",
    "as shown, without markup": "Привет всем",
    "text": {"text": "Name?"},
    "part": {"contains": "всем"},
    "nothing unwanted": {"not": "Goodbye"},
    "no buttons": {"buttons": []},
    "step": {"step": "name"},
    "status": {"status": "active"},
    "not over": {"end": False},
    "variable without a value": {"variables": {"name": None}},
    "nothing at all": {},
}


@pytest.mark.parametrize("expected", FULFILLED.values(), ids=FULFILLED.keys())
def test_expectation_is_met(expected: Any) -> None:
    assert failure_of(SHORT, START, {"expect": expected}) is None


UNMET: dict[str, tuple[Any, str]] = {
    "text": ("Hi", "expected the message “Hi”, but this was said: “Привет всем”, “Name?”"),
    "part of a message is not it": ("Name", "expected the message “Name”"),
    "part": ({"contains": "Ж"}, "expected a message with “Ж”"),
    "unwanted": ({"not": "Name"}, "expected no message with “Name”"),
    "buttons": ({"buttons": ["A"]}, 'expected the buttons ["A"], but they were []'),
    "step": ({"step": "end"}, "expected the step “end”, but it is “name”"),
    "status": ({"status": "busy"}, "expected the status “busy”, but it is “active”"),
    "end": ({"end": True}, "expected the run to have ended"),
    "variables": ({"variables": {"name": "x"}}, "expected name to be “x”, but it has no value"),
    "request": ({"request": {}}, "expected a request, but no task waits"),
    "all that is wrong": ({"step": "end", "end": True}, "“name”; expected the run to have ended"),
}


@pytest.mark.parametrize(("expected", "words"), UNMET.values(), ids=UNMET.keys())
def test_expectation_that_is_not_met_says_what_was(expected: Any, words: str) -> None:
    failure = failure_of(SHORT, START, {"expect": expected})
    assert failure is not None
    assert failure.turn == 1
    assert words in failure.message


def test_run_that_is_over_is_not_going_on() -> None:
    failure = failure_of(SHORT, START, {"send": "Ann"}, {"expect": {"end": False}})
    assert failure is not None
    assert failure.message == "expected the run to go on, but it has ended"


def test_what_was_said_before_the_last_act_is_not_expected_any_more() -> None:
    failure = failure_of(SHORT, START, {"send": "Ann"}, {"expect": "Name?"})
    assert failure is not None
    assert "this was said: “Bye”" in failure.message


def test_whole_and_fractional_numbers_are_the_same() -> None:
    expected = {"variables": {"length": 4.0, "half": 2}}
    assert failure_of(SHORT, START, {"send": "Юлия"}, {"expect": expected}) is None


def test_long_words_are_cut_in_a_report() -> None:
    failure = failure_of(SHORT, START, {"expect": "x" * 5000})
    assert failure is not None
    assert len(failure.message) < 1000


def test_test_may_begin_with_an_expectation() -> None:
    failure = failure_of(SHORT, {"expect": {"not": "x", "status": "active"}}, {"expect": "Hello"})
    assert failure is not None
    assert (failure.turn, failure.message) == (1, "expected the message “Hello”, but nothing was said")


class TestTask:
    CALL = scenario(
        {"id": "call", "http": {"method": "GET", "url": "https://api.example"}, "next_step": "end"},
        say("end", "Done", end=True),
        fallbacks={"busy": "One moment"},
        commands={"/stop": {"next_step": "end"}},
    )

    def test_left_unanswered_fails_the_test(self) -> None:
        failure = failure_of(self.CALL, START, {"expect": {"step": "call"}})
        assert failure is not None
        assert (failure.turn, failure.message) == (
            1,
            "the test ends while a task of kind http waits for its respond",
        )

    def test_forgotten_is_told_of_where_the_test_goes_wrong(self) -> None:
        failure = failure_of(self.CALL, START, {"expect": "Done"})
        assert failure is not None
        assert failure.message.endswith("(a task of kind http waits for its respond)")

    def test_does_not_stop_the_person(self) -> None:
        turns: list[Json] = [START, {"send": "Well?"}, {"expect": "One moment"}, {"respond": {"http": {}}}]
        assert failure_of(self.CALL, *turns, {"expect": "Done"}) is None

    def test_given_up_for_a_command_needs_no_answer(self) -> None:
        assert failure_of(self.CALL, START, {"send": "/stop"}, {"expect": {"end": True}}) is None


@pytest.mark.parametrize(
    ("turns", "turn", "words"),
    [
        pytest.param([START, {"press": "x"}], 1, "no button “x” is shown; there is none", id="press"),
        pytest.param([START, {"respond": {"llm": "x"}}], 1, "no task waits", id="respond"),
        pytest.param([START, {"give_back": True}], 1, "nobody has taken the dialog over", id="give_back"),
    ],
)
def test_act_that_cannot_happen_fails_the_test(turns: list[Json], turn: int, words: str) -> None:
    failure = failure_of(SHORT, *turns)
    assert failure is not None
    assert failure.turn == turn
    assert words in failure.message


def test_unknown_given_variable_fails_the_test() -> None:
    failure = failure_of(SHORT, START, given={"nmae": 1})
    assert failure is not None
    assert "nmae" in failure.message


KNOWING = scenario(
    ask("wish", next_step="bye"),
    say("bye", "{{ contact.name }} since {{ format(contact.hired, 'YYYY') }}, {{ contact.age + 1 }}"),
)
ANN: Json = {"name": "Ann", "hired": "2024-05-01", "age": 41}


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        (ANN, "Ann since 2024, 42"),
        ({**ANN, "age": None}, "Ann since 2024, "),
        ({}, " since , "),
        (None, " since , "),
    ],
)
def test_what_is_known_of_the_person_is_given(contact: Json | None, said: str) -> None:
    test = {"given": {"contact": contact}} if contact is not None else {}
    assert failure_of(KNOWING, START, {"send": "tea"}, {"expect": said}, **test) is None


def test_what_is_known_of_one_test_is_not_known_of_another() -> None:
    turns = [START, {"send": "tea"}]
    tests = [
        {"name": "known", "given": {"contact": ANN}, "turns": [*turns, {"expect": "Ann since 2024, 42"}]},
        {"name": "unknown", "turns": [*turns, {"expect": " since , "}]},
    ]
    assert run_tests({**KNOWING, "tests": tests}).has_passed


def test_the_bots_own_fields_say_what_may_be_known() -> None:
    document = {**KNOWING, "tests": [{"name": "t", "given": {"contact": ANN}, "turns": [START]}]}
    failures = [
        run_tests(document, setting=Opening(contact_fields=fields)).results[0].failure
        for fields in ({"name": "string"}, {"name": "string", "hired": "date", "age": "integer"})
    ]
    assert failures == [
        Failure(0, "“contact” in “given” names age, hired, which nobody knows of people here"),
        None,
    ]


def test_a_record_that_is_none_fails_the_test() -> None:
    tests = [{"name": "t", "given": {"contact": "Ann"}, "turns": [START]}]
    failure = run_tests({**KNOWING, "tests": tests}).results[0].failure
    assert failure == Failure(0, "“contact” in “given” is a map: a value for each field")


def test_report_has_every_test_in_order() -> None:
    tests = [
        {"name": name, "turns": [START, {"expect": text}]} for name, text in (("a", "Name?"), ("b", "x"))
    ]
    report = run_tests({**SHORT, "tests": tests})
    assert [(result.name, result.failure is None) for result in report.results] == [("a", True), ("b", False)]
    assert not report.has_passed
    assert run_tests({**SHORT, "tests": tests[:1]}).has_passed


def test_document_without_tests_has_nothing_to_fail() -> None:
    report = run_tests(SHORT)
    assert report.has_passed
    assert report.coverage.steps.covered == 0


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (False, 0, False),
        (None, None, True),
        ("1", 1, False),
        ([1, {"a": 2}], [1.0, {"a": 2.0}], True),
        ([True], [1], False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([1], [1, 2], False),
    ],
)
def test_json_is_compared_as_people_do(found: Any, expected: Any, *, same: bool) -> None:
    assert is_same(found, expected) is same


@pytest.mark.parametrize(
    ("expected", "found", "within"),
    [
        ({}, {"a": 1}, True),
        ({"a": {"b": 1.0}}, {"a": {"b": 1, "c": 2}, "d": 3}, True),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": None}, {}, False),
        ({"a": {"b": 1}}, {"a": 1}, False),
    ],
)
def test_object_is_looked_for_within_another(expected: Any, found: Any, *, within: bool) -> None:
    assert is_within(expected, found) is within
