"""What a step does: tasks for others, calls of scenarios, and people who take over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest

from shared.scenario.caps import MAX_COLLECTED_BYTES
from shared.scenario.words import FALLBACKS
from tests.dialog.talk import Talk
from tests.scenario.documents import Document, ask, choose, say, scenario

EN = FALLBACKS["en"]
CHILD = "00000000-0000-4000-8000-000000000001"
GRANDCHILD = "00000000-0000-4000-8000-000000000002"
YES_NO = [{"text": "Yes", "value": True}, {"text": "No", "value": False}]


def llm(**fields: Any) -> Document:
    step = {"id": "a", "llm": {"prompt": "Say {{ start_payload }}", **fields}, "next_step": "b"}
    steps = step, ask("b", "y", "B {{ x }}?"), say("sorry", "Sorry."), say("food", "Food.")
    return scenario(*steps, variables={"x": {"type": "any"}})


class TestLanguageModels:
    def test_a_task_is_emitted_and_the_dialog_stops(self) -> None:
        talk = Talk(llm(variable="x", system="Be kind.", history=3, model="m", temperature=0, timeout="7s"))
        assert talk.start("hi") == []
        assert talk.dialog.status == "busy"
        (task,) = talk.turn.tasks
        assert (task.kind, task.timeout) == ("llm", 7)
        expected = {"prompt": "Say hi", "system": "Be kind.", "output": "text", "history": 3, "model": "m"}
        assert expected.items() <= task.request.items()

    def test_its_words_are_stored_and_the_dialog_goes_on(self) -> None:
        talk = Talk(llm(variable="x"))
        talk.start()
        assert talk.finish(text="hello") == ["B hello?"]
        assert talk.dialog.status == "active"

    def test_a_reply_is_said_as_it_is(self) -> None:
        talk = Talk(llm(reply=True))
        talk.start()
        assert talk.finish(text="*not bold* {{ now }}") == ["*not bold* {{ now }}", "B ?"]
        assert talk.turn.messages[0].spans == ()

    def test_a_reply_that_is_kept_as_sensitive_is_masked_for_others(self) -> None:
        document = llm(reply=True, variable="x")
        document["variables"]["x"] = {"type": "string", "sensitive": True}
        talk = Talk(document)
        talk.start()
        talk.finish(text="You are ill.")
        assert [(m.text, m.masked) for m in talk.turn.messages] == [
            ("You are ill.", "•••"),
            ("B You are ill.?", "B •••?"),
        ]

    @pytest.mark.parametrize(
        ("fields", "result"),
        [
            ({"output": {"type": "choice", "options": ["a", "b"]}}, {"choice": "c"}),
            ({"output": {"type": "choice", "options": ["a", "b"]}}, {"text": "a"}),
            ({"output": {"type": "object"}}, {"object": "no"}),
            ({}, {"text": ""}),
            ({}, {"text": 7}),
            ({}, {}),
            ({"routes": {"food": {"step": "food", "when": "hungry"}}}, {"route": "drinks"}),
            ({}, {"text": "x" * MAX_COLLECTED_BYTES}),
        ],
    )
    def test_what_does_not_fit_is_a_failure(self, fields: dict[str, Any], result: dict[str, Any]) -> None:
        talk = Talk(llm(variable="x", on_error="sorry", **fields))
        talk.start()
        assert talk.finish(**result) == ["Sorry."]
        assert talk.turn.notes

    @pytest.mark.parametrize(
        ("fields", "result", "value"),
        [
            ({"output": {"type": "choice", "options": ["a", "b"]}}, {"choice": "b"}, "b"),
            ({"output": {"type": "object"}}, {"object": {"n": 1, "l": [None]}}, {"n": 1, "l": [None]}),
        ],
    )
    def test_what_fits_is_stored(self, fields: dict[str, Any], result: dict[str, Any], value: Any) -> None:
        talk = Talk(llm(variable="x", **fields))
        talk.start()
        talk.finish(**result)
        assert talk.variables["x"] == value

    def test_a_route_leads_to_its_step(self) -> None:
        talk = Talk(llm(routes={"food": {"step": "food", "when": "hungry"}}))
        talk.start()
        assert talk.finish(route="food") == ["Food."]
        assert ("", "a", "routes/food") in talk.turn.ways

    def test_a_failure_without_on_error_is_told_and_goes_on(self) -> None:
        talk = Talk(llm(variable="x"))
        talk.start()
        assert talk.fail() == [EN["action_failed"], "B ?"]
        assert talk.variables == {}

    def test_a_result_after_the_run_has_ended_changes_nothing(self) -> None:
        talk = Talk(llm(variable="x"))
        talk.start()
        number = talk.task.number
        talk.start()
        assert talk.finish_task(number, text="late") == []
        assert "x" not in talk.variables
        assert talk.dialog.pending
        assert talk.dialog.pending.number != number

    def test_a_result_that_comes_twice_counts_once(self) -> None:
        talk = Talk(llm(variable="x"))
        talk.start()
        number = talk.task.number
        talk.finish(text="one")
        assert talk.finish_task(number, text="two") == []
        assert talk.variables["x"] == "one"

    def test_its_reply_may_be_the_question(self) -> None:
        step = choose("a", "x", *YES_NO, next_step="b", llm={"prompt": "Ask.", "reply": True})
        del step["message"]
        talk = Talk(scenario(step, say("b", "{{ x }}")))
        assert talk.start() == []
        assert talk.finish(text="Shall we?") == ["Shall we?"]
        assert talk.labels == ["Yes", "No"]
        assert talk.press("Yes") == ["yes"]

    def test_sensitive_variables_are_masked_before_anything_leaves(self) -> None:
        document = scenario(
            ask("a", "passport", next_step="b"),
            {"id": "b", "llm": {"prompt": "{{ passport }}, {{ 'no ' + passport }}"}},
            variables={"passport": {"type": "string", "sensitive": True}},
        )
        talk = Talk(document)
        talk.start()
        talk.say("4509 123456")
        assert "4509" not in str(talk.task.request)
        assert talk.turn.is_private

    @pytest.mark.parametrize("route", [["food"], {"food": 1}, 7, True])
    def test_a_route_that_is_no_name_is_a_failure(self, route: Any) -> None:
        talk = Talk(llm(on_error="sorry", routes={"food": {"step": "food", "when": "hungry"}}))
        talk.start()
        assert talk.finish(route=route) == ["Sorry."]

    @pytest.mark.parametrize(
        ("fields", "is_only"), [({}, True), ({"variable": "x"}, False), ({"reply": True}, False)]
    )
    def test_a_model_is_told_where_nothing_but_its_route_is_used(
        self, fields: Document, *, is_only: bool
    ) -> None:
        talk = Talk(llm(routes={"food": {"step": "food", "when": "hungry"}}, **fields))
        talk.start()
        assert talk.task.request.get("only_route", False) is is_only

    def test_where_no_route_fits_the_dialog_goes_on(self) -> None:
        talk = Talk(llm(on_error="sorry", routes={"food": {"step": "food", "when": "hungry"}}))
        talk.start()
        assert talk.finish() == ["B ?"]

    @pytest.mark.parametrize("name", ["input.text", "input.value"])
    def test_what_was_just_said_for_a_sensitive_variable_is_masked_too(self, name: str) -> None:
        steps = ask("a", "code", next_step="b"), {"id": "b", "llm": {"prompt": f"Check {{{{ {name} }}}}"}}
        talk = Talk(scenario(*steps, variables={"code": {"type": "string", "sensitive": True}}))
        talk.start()
        talk.say("1234")
        assert talk.task.request["prompt"] == "Check •••"


class TestHttp:
    STEP: ClassVar[Document] = {
        "id": "a",
        "http": {"method": "GET", "url": "https://x.example/", "variable": "x"},
    }

    def test_a_success_is_stored_whole(self) -> None:
        talk = Talk(scenario(self.STEP | {"next_step": "b"}, say("b", "{{ x.status }} {{ x.body.n }}")))
        talk.start()
        assert talk.task.kind == "http"
        assert talk.finish(status=201, body={"n": 5}, headers={}) == ["201 5"]

    @pytest.mark.parametrize("result", [{"status": 404, "body": ""}, {"status": 302}, {}, {"status": "200"}])
    def test_anything_else_is_a_failure(self, result: dict[str, Any]) -> None:
        step = self.STEP | {"http": {**self.STEP["http"], "on_error": "sorry"}, "next_step": "b"}
        talk = Talk(scenario(step, say("b"), say("sorry", "Sorry {{ answered.x }}.")))
        talk.start()
        assert talk.finish(**result) == ["Sorry no."]

    def test_a_map_in_a_body_is_in_the_same_order_whenever_it_is_replayed(self) -> None:
        letters = dict.fromkeys("qwertyuiopasdfgh", 1)
        request = {"method": "POST", "url": "https://x.example/", "body": {"all": "{{ x }}"}}
        talk = Talk(scenario({"id": "a", "http": request}, variables={"x": {"initial": letters}}))
        talk.start()
        assert list(talk.task.request["body"]["all"]) == sorted(letters)

    def test_an_answer_that_cannot_be_kept_is_a_failure(self) -> None:
        step = self.STEP | {"http": {**self.STEP["http"], "on_error": "sorry"}, "next_step": "b"}
        talk = Talk(scenario(step, say("b", "Status {{ x.status }}"), say("sorry", "Sorry.")))
        talk.start()
        assert talk.finish(status=200, body="x" * MAX_COLLECTED_BYTES, headers={}) == ["Sorry."]
        assert talk.turn.notes[-1] == "step “a”: what came back cannot be kept"


class TestSync:
    def test_it_emits_what_was_collected(self) -> None:
        talk = Talk(
            scenario(ask("a", "x", next_step="b"), {"id": "b", "sync": {}, "next_step": "c"}, say("c", "C"))
        )
        talk.start()
        talk.say("Ann")
        assert talk.task.request == {"run": 1, "status": "running", "collected_data": {"x": "Ann"}}
        assert talk.finish() == ["C"]

    def test_its_failure_is_not_the_persons_business(self) -> None:
        talk = Talk(scenario({"id": "b", "sync": {}, "next_step": "c"}, say("c", "C")))
        talk.start()
        assert talk.fail() == ["C"]
        assert talk.turn.notes


class TestUnderstanding:
    DOCUMENT = scenario(
        ask(
            "all", "wish", "What would you like?", expected_input={"understand": {"fill": ["size", "guests"]}}
        ),
        choose("size", "size", "S", "L", text="Size?", expected_input={"skip_if_set": True}),
        ask("guests", "guests", "How many?", expected_input={"type": "integer", "skip_if_set": True}),
        say("bye", "{{ size }} for {{ guests }}", end=True),
    )
    for _step, _next in zip(DOCUMENT["steps"], ["size", "guests", "bye"], strict=False):
        _step["next_step"] = _next

    def test_a_model_is_told_what_to_look_for(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.say("a large one for four") == []
        assert talk.task.kind == "understand"
        assert talk.task.request["text"] == "a large one for four"
        assert talk.task.request["fill"]["size"]["choices"] == ["S", "L"]

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"size": "L", "guests": 4}, ["L for 4"]),
            ({"size": "l"}, ["How many?"]),
            ({"size": "XXL", "guests": "four"}, ["Size?"]),
            ({"size": None, "guests": 2}, ["Size?"]),
            ({}, ["Size?"]),
            ({"other": 1}, ["Size?"]),
        ],
    )
    def test_each_value_goes_through_its_own_stages(self, values: dict[str, Any], said: list[str]) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        talk.say("something")
        assert talk.finish(values=values) == said
        assert "other" not in talk.variables

    def test_a_failure_leaves_everything_to_be_asked(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        talk.say("something")
        assert talk.fail() == ["Size?"]

    @pytest.mark.parametrize("action", [{}, {"wait": "1m"}])
    def test_cut_short_it_leaves_everything_to_be_asked(self, action: Document) -> None:
        told = {"understand": {"fill": ["day"]}}
        commands = {"help": {"next_step": "help", "resume": True}}
        steps = ask("a", text="Tell!", expected_input=told, next_step="b", **action), ask("b", "day", "Day?")
        talk = Talk(scenario(*steps, say("help", "Help."), commands=commands))
        talk.start()
        talk.wait(60)
        talk.say("on monday")
        assert talk.say("help") == ["Help.", "Day?"]

    @pytest.mark.parametrize("found", [{"values": {"day": "monday"}}, {"error": "timeout"}])
    def test_the_route_that_was_chosen_before_is_taken_after_it(self, found: dict[str, Any]) -> None:
        model = {"prompt": "?", "routes": {"b": {"step": "b", "when": "…"}}}
        told = {"understand": {"fill": ["day"]}}
        steps = (
            ask("a", expected_input=told, next_step="day", llm=model),
            ask("day", "day"),
            ask("b", text="B?"),
        )
        talk = Talk(scenario(*steps))
        talk.start()
        talk.finish(route="b")
        talk.say("on monday")
        assert (talk.fail() if "error" in found else talk.finish(**found)) == ["B?"]

    def test_the_day_is_told_that_it_is_where_the_dialog_is(self) -> None:
        talk = Talk(self.DOCUMENT | {"timezone": "Pacific/Kiritimati"})
        talk.start()
        talk.say("tomorrow")
        assert talk.task.request["today"] == (talk.now + timedelta(hours=14)).date().isoformat()

    def test_what_a_button_says_is_read_too(self) -> None:
        told = {"understand": {"fill": ["day"]}}
        step = ask("a", expected_input=told, buttons=[{"text": "On Monday!", "value": "monday"}])
        talk = Talk(scenario(step, ask("b", "day", "Day?")))
        talk.start()
        talk.press("On Monday!")
        assert talk.task.request["text"] == "monday"

    def test_for_a_sensitive_variable_all_of_it_is_private(self) -> None:
        talk = Talk(self.sensitive("day"))
        talk.start()
        talk.say("my number is 4000")
        assert talk.turn.is_private
        talk.finish(values={"day": "4000"})
        assert talk.turn.is_private

    def test_no_model_reads_an_answer_that_nobody_should(self) -> None:
        talk = Talk(self.sensitive("told"))
        talk.start()
        assert talk.say("4000") == ["4000?"]
        assert talk.turn.tasks == ()

    def test_what_is_asked_about_is_told_without_what_nobody_should_read(self) -> None:
        document = self.sensitive("other")
        document["steps"][1]["message"]["text"] = "Is it {{ other }}?"
        document["variables"]["other"]["initial"] = "4000"
        talk = Talk(document)
        talk.start()
        talk.say("yes")
        assert talk.task.request["fill"]["day"]["question"] == "Is it •••?"

    @pytest.mark.parametrize(
        ("buttons", "told"),
        [
            ([{"text": "As {{ other }}", "value": "x"}], None),
            ([{"for_each": "other.split('')", "text": "{{ item }}", "value": "item"}], None),
            ([{"text": "At {{ platform }}", "value": "x"}], ["At telegram"]),
        ],
    )
    def test_choices_made_of_what_nobody_should_read_are_not_told(
        self, buttons: list[Document], told: list[str] | None
    ) -> None:
        document = self.sensitive("other")
        document["steps"][1] |= {"buttons": buttons, "expected_input": {"type": "button", "variable": "day"}}
        document["variables"]["other"]["initial"] = "4000"
        talk = Talk(document)
        talk.start()
        talk.say("yes")
        assert talk.task.request["fill"]["day"].get("choices") == told
        assert "4000" not in str(talk.task.request)

    def sensitive(self, name: str) -> Document:
        told = {"understand": {"fill": ["day"]}}
        steps = ask("a", "told", expected_input=told, next_step="b"), ask("b", "day", "{{ told }}?")
        return scenario(*steps, variables={name: {"type": "string", "sensitive": True}})


class TestCalls:
    INNER = scenario(
        ask("inner", "got", "{{ greeting }}?", next_step="out"),
        say("out", "Thanks.", set={"twice": "got + got"}),
        variables={"greeting": {"type": "string"}, "secret_of_caller": {"type": "string"}},
    )

    def document(self, **call: Any) -> Document:
        step = {"id": "call", "scenario": {"id": CHILD, **call}, "next_step": "after"}
        return scenario(
            ask("a", "name", "Name?", next_step="call"),
            step,
            say("after", "After: {{ result }}."),
            say("help", "Help {{ name }}."),
            commands={"/help": {"next_step": "help", "resume": True}, "menu": {"next_step": "help"}},
            variables={"result": {"type": "string"}},
        )

    def talk(self, **call: Any) -> Talk:
        talk = Talk(self.document(**call), called={CHILD: self.INNER})
        talk.start()
        return talk

    def test_it_runs_and_comes_back_with_outputs(self) -> None:
        talk = self.talk(inputs={"greeting": "'Hi ' + name"}, outputs={"result": "twice"})
        assert talk.say("Ann") == ["Hi Ann?"]
        assert talk.dialog.variables == {"name": "Ann"}
        assert talk.say("ab") == ["Thanks.", "After: abab."]
        assert talk.dialog.variables == {"name": "Ann", "result": "abab"}
        assert talk.ended == [(1, "completed")]

    def test_it_sees_only_its_inputs(self) -> None:
        child = scenario(say("c", "[{{ name }}]"), variables={"name": {"type": "string"}})
        talk = Talk(self.document(), called={CHILD: child})
        talk.start()
        assert talk.say("Ann") == ["[]", "After: ."]

    def test_the_callers_commands_hold_within(self) -> None:
        talk = self.talk(inputs={"greeting": "'Hi'"})
        talk.say("Ann")
        assert talk.say("/help") == ["Help Ann.", "Hi?"]
        assert talk.say("x") == ["Thanks.", "After: ."]

    def test_a_command_that_does_not_return_leaves_it(self) -> None:
        talk = self.talk()
        talk.say("Ann")
        assert talk.say("menu") == ["Help Ann."]
        assert talk.dialog.calls == ()
        assert talk.ended == [(1, "completed")]

    def test_start_interrupts_it(self) -> None:
        talk = self.talk()
        talk.say("Ann")
        assert talk.say("/start x") == ["Name?"]
        assert talk.dialog.calls == ()
        assert talk.turn.ended_runs[0]["collected_data"] == {"name": "Ann"}

    def test_an_end_within_ends_only_the_call(self) -> None:
        talk = Talk(self.document(), called={CHILD: scenario(say("c", "C", end=True))})
        talk.start()
        assert talk.say("Ann") == ["C", "After: ."]

    def test_its_reminders_are_its_own(self) -> None:
        child = scenario(
            ask("c", "v", "C?", expected_input={"timeout": {"after": "1m", "next_step": "d"}}), say("d")
        )
        talk = Talk(self.document(), called={CHILD: child})
        talk.start()
        talk.say("Ann")
        assert talk.wait(60) == ["…", "After: ."]

    def test_calls_may_call(self) -> None:
        child = scenario({"id": "c", "scenario": {"id": GRANDCHILD, "outputs": {"deep": "v"}}}, say("end"))
        child["steps"][0]["next_step"] = "end"
        grandchild = scenario(ask("g", "v", "Deep?"))
        talk = Talk(self.document(outputs={"result": "deep"}), called={CHILD: child, GRANDCHILD: grandchild})
        talk.start()
        assert talk.say("Ann") == ["Deep?"]
        assert len(talk.dialog.calls) == 2
        assert talk.say("x") == ["…", "After: x."]

    @pytest.mark.parametrize("called", [{}, {CHILD: scenario({"id": "c", "scenario": {"id": CHILD}})}])
    def test_one_that_cannot_be_entered_breaks_the_run_off(self, called: dict[str, Document]) -> None:
        talk = Talk(self.document(), called=called)
        talk.start()
        assert talk.say("Ann") == [EN["action_failed"]]
        assert talk.ended == [(1, "broken_off")]

    def test_a_question_of_the_calling_step_is_asked_afterwards(self) -> None:
        document = scenario(
            ask("a", "x", "First this. Then: x?", scenario={"id": CHILD}, next_step="b"), say("b", "{{ x }}")
        )
        talk = Talk(document, called={CHILD: scenario(ask("c", "v", "C?"))})
        assert talk.start() == ["First this. Then: x?", "C?"]
        assert talk.say("inner") == []
        assert talk.say("outer") == ["outer"]


class TestHandOff:
    DOCUMENT = scenario(
        ask("a", "x", "Name?", next_step="b", expected_input={"timeout": {"after": "1h", "remind": "Well?"}}),
        say(
            "b",
            "Wait for us.",
            handoff={"reason": "Ask {{ x }}", "timeout": "2h", "next_step": "late"},
            next_step="c",
        ),
        say("c", "Back."),
        say("late", "Nobody came."),
    )

    def handed_off(self) -> Talk:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.say("Ann") == ["Wait for us."]
        assert talk.dialog.status == "handed_off"
        assert talk.dialog.handoff
        assert talk.dialog.handoff.reason == "Ask Ann"
        return talk

    @pytest.mark.parametrize("text", ["hello", "/start", "/start x", "menu"])
    def test_nothing_is_interpreted_meanwhile(self, text: str) -> None:
        talk = self.handed_off()
        assert talk.say(text) == []
        assert talk.dialog.run == 1
        assert talk.dialog.status == "handed_off"

    def test_an_operator_is_heard(self) -> None:
        talk = self.handed_off()
        assert talk.operator(" *Hello* {{ x }} ") == ["*Hello* {{ x }}"]
        assert talk.message.by_operator
        assert talk.operator("\0 ") == []

    def test_given_back_it_goes_on(self) -> None:
        talk = self.handed_off()
        assert talk.give_back() == ["Back."]
        assert talk.dialog.status == "completed"

    def test_given_back_to_a_step(self) -> None:
        talk = self.handed_off()
        assert talk.give_back("a") == ["Name?"]
        assert talk.dialog.status == "active"

    def test_given_back_to_a_step_that_is_none_it_goes_on(self) -> None:
        talk = self.handed_off()
        assert talk.give_back("nowhere") == ["Back."]
        assert talk.turn.notes

    def test_its_time_may_run_out(self) -> None:
        talk = self.handed_off()
        assert talk.wait(2 * 3600) == ["Nobody came."]

    def test_a_timer_after_it_was_given_back_does_nothing(self) -> None:
        talk = self.handed_off()
        assert talk.dialog.handoff
        assert talk.dialog.handoff.timer
        number = talk.dialog.handoff.timer.number
        talk.give_back("a")
        assert talk.fire(number) == []

    def test_an_open_question_is_asked_again_and_its_clock_restarted(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        talk.wait(3000)
        assert talk.hand_off("angry") == []
        assert talk.wait(10_000) == []
        assert talk.give_back() == ["Name?"]
        assert talk.wait(3599) == []
        assert talk.wait(1) == ["Well?"]
        assert talk.say("Ann") == ["Wait for us."]

    def test_a_stale_press_meanwhile_is_not_answered(self) -> None:
        document = scenario(choose("a", "x", *YES_NO, next_step="b"), ask("b", "y"))
        talk = Talk(document)
        talk.start()
        talk.press("Yes")
        talk.hand_off()
        assert talk.press("No") == []
        assert talk.give_back() == ["?"]

    def test_work_that_was_under_way_begins_again(self) -> None:
        talk = Talk(scenario(say("a", "One.", wait="1m", next_step="b"), say("b", "Two.")))
        talk.start()
        talk.hand_off()
        assert talk.fire(1) == []
        assert talk.give_back() == []
        assert talk.wait(60) == ["Two."]

    def test_after_the_end_there_is_nothing_to_go_on_with(self) -> None:
        talk = Talk(scenario(say("a", "A"), ask("b", "x", "B?")))
        talk.start()
        talk.hand_off()
        assert talk.say("help") == []
        assert talk.give_back() == []
        assert talk.dialog.status == "completed"
        talk.hand_off()
        assert talk.give_back("b") == ["B?"]
        assert talk.dialog.run == 2

    def test_before_the_first_word_too(self) -> None:
        talk = Talk(scenario(ask("a", "x", "A?")))
        talk.hand_off()
        assert talk.say("hm") == []
        talk.give_back()
        assert talk.dialog.status == "active"
        assert talk.say("hm") == ["A?"]

    def test_given_back_twice_or_never_taken_changes_nothing(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        assert talk.give_back() == []
        talk.hand_off()
        talk.hand_off()
        talk.give_back()
        assert talk.give_back() == []

    def test_its_own_question_is_asked_when_it_is_given_back(self) -> None:
        talk = Talk(scenario(ask("a", "x", "Any more?", handoff={})))
        assert talk.start() == ["Any more?"]
        talk.say("Hello?")
        assert talk.give_back() == ["Any more?"]
        talk.say("No")
        assert talk.variables == {"x": "No"}

    WITHIN_A_COMMAND = scenario(
        ask("a", "x", "Name?", expected_input={"timeout": {"after": "10m", "next_step": "late"}}),
        say("late", "Too late."),
        say("person", "One moment.", handoff={"timeout": "1h"}),
        say("wait", "Let me see.", wait="1m"),
        commands={word: {"next_step": word, "resume": True} for word in ("person", "wait")},
    )

    def test_within_a_command_it_stops_the_clock_of_the_interrupted_question(self) -> None:
        talk = Talk(self.WITHIN_A_COMMAND)
        talk.start()
        talk.say("person")
        assert talk.wait(1800) == []
        assert talk.give_back() == ["Name?"]
        assert talk.wait(599) == []
        assert talk.wait(1) == ["Too late."]

    def test_so_it_does_when_its_time_runs_out(self) -> None:
        talk = Talk(self.WITHIN_A_COMMAND)
        talk.start()
        talk.say("person")
        assert talk.wait(3600) == ["Name?"]
        assert talk.wait(600) == ["Too late."]

    def test_of_a_command_that_was_at_work_the_interrupted_question_has_its_clock_again(self) -> None:
        talk = Talk(self.WITHIN_A_COMMAND)
        talk.start()
        talk.say("wait")
        talk.hand_off()
        assert talk.give_back() == []
        assert talk.wait(60) == ["Name?"]
        assert talk.wait(600) == ["Too late."]

    def test_given_back_to_a_step_out_of_a_call_one_can_go_back_to_the_callers_questions(self) -> None:
        steps = ask("a", "x", "A?", next_step="b"), {"id": "b", "scenario": {"id": CHILD}}, ask("c")
        child = scenario(ask("q1", next_step="q2"), ask("q2"))
        talk = Talk(scenario(*steps, commands={"back": {"back": True}}), called={CHILD: child})
        talk.start()
        talk.say("1")
        talk.say("2")
        talk.hand_off()
        talk.give_back("c")
        assert talk.say("back") == ["A?"]


class TestRunsByApi:
    DOCUMENT = scenario(ask("a", "x", "Hi {{ who }}?"), variables={"who": {"type": "string"}})

    def test_one_begins_with_its_variables(self) -> None:
        talk = Talk(self.DOCUMENT)
        assert talk.run_by_api(who="Ann") == ["Hi Ann?"]

    def test_a_variable_that_the_scenario_does_not_know_is_left_out(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.run_by_api(other="x")
        assert talk.variables == {}
        assert talk.turn.notes

    def test_it_ends_a_hand_off(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        talk.hand_off()
        talk.run_by_api()
        assert talk.dialog.status == "active"
        assert talk.ended == [(1, "abandoned")]

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            ("\ud800x", {"x": "x"}),
            ({"\udfff": ["\ud800"]}, {"x": {"": [""]}}),
            (float("nan"), {}),
            ([float("inf")], {}),
            (10**30, {"x": 10**30}),
            (None, {}),
        ],
    )
    def test_it_takes_any_value_that_can_be_saved(self, value: Any, kept: dict[str, Any]) -> None:
        talk = Talk(scenario(ask("a"), variables={"x": {"type": "any"}}))
        talk.run_by_api(x=value)
        assert talk.variables == kept

    def test_a_name_that_nobody_can_read_is_noted_as_far_as_it_can_be(self) -> None:
        talk = Talk(scenario(ask("a")))
        talk.run_by_api(**{"x\ud800": 1})
        assert talk.turn.notes == ("“x” was not stored: the scenario has no such variable",)

    @pytest.mark.parametrize(("depth", "kept"), [(64, ["x"]), (65, []), (300, [])])
    def test_a_value_is_nested_64_deep_at_most(self, depth: int, kept: list[str]) -> None:
        value: Any = 1
        for _ in range(depth):
            value = {"x": value}
        talk = Talk(scenario(ask("a"), variables={"x": {"type": "any"}}))
        talk.run_by_api(x=value)
        assert list(talk.variables) == kept
        assert len(talk.turn.notes) == 1 - len(kept)
