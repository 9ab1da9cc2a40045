"""Scenarios tried out by the API: simulated, tested, and tested once more before they are activated."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from functions.admin.scenarios import routes
from functions.admin.scenarios.trial import Trials
from shared.admin_api.app import Guard, create_app
from shared.storage.bots import DynamoBots
from shared.storage.scenarios import DynamoScenarios
from tests.admin_api.gateway import client_of
from tests.functions.admin.conftest import ACCOUNT, OTHER_ACCOUNT, SCENARIO, Api, token_of

Json = dict[str, Any]

COLOURS: Json = {
    "version": "1",
    "steps": [
        {
            "id": "colour",
            "message": {"text": "Which colour, *{{ bot.name }}* asks?"},
            "buttons": [
                {"text": "Красный 🔴", "value": 1},
                {"text": "More", "url": "https://parley.example/{{ platform }}"},
            ],
            "expected_input": {
                "type": "button",
                "variable": "colour",
                "timeout": {"after": "24h", "remind": "Still there?"},
            },
            "set": {"doubled": "colour * 2"},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "Bye"}, "end": True},
    ],
}
GREETED = {"send": "/start"}
TASK: Json = {"id": "ask_name", "llm": {"prompt": "Greet {{ platform }}"}, "end": True}


def made(api: Api, bot: str, document: Json) -> str:
    """The id of a new scenario of the bot."""
    return str(api.create(f"/api/bots/{bot}/scenarios", {"name": "S", "scenario_data": document})["id"])


def with_tests(*tests: list[Json], document: Json = SCENARIO) -> Json:
    return {**document, "tests": [{"name": f"test {n}", "turns": turns} for n, turns in enumerate(tests)]}


def calling(scenario_id: str, **call: Any) -> Json:
    step = {"id": "call", "scenario": {"id": scenario_id, **call}, "next_step": "bye"}
    return {"version": "1", "steps": [step, {"id": "bye", "message": {"text": "Back"}, "end": True}]}


PASSING: list[Json] = [GREETED, {"send": "Иван"}, {"expect": {"text": "Bye, Иван!", "end": True}}]
FAILING: list[Json] = [GREETED, {"expect": "What's your name?"}, {"expect": "Привет"}]


class TestSimulate:
    def test_tells_what_every_act_brings_about(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, COLOURS)
        acts = [GREETED, {"advance": "24h"}, {"press": 1}]

        answer = api("POST", f"/api/scenarios/{scenario}/simulate", json={"acts": acts, "platform": "viber"})

        assert answer.status_code == 200, answer.text
        start, reminder, end = answer.json()["turns"]
        assert start == {
            "messages": [
                {
                    "text": "Which colour, A bot asks?",
                    "spans": [{"start": 14, "end": 19, "style": "bold"}],
                    "buttons": [
                        {"text": "Красный 🔴", "value": 1},
                        {"text": "More", "url": "https://parley.example/viber"},
                    ],
                }
            ],
            "notes": [],
            "ended_runs": [],
            "step": "colour",
            "status": "active",
            "variables": {},
            "task": None,
            "due": ["2026-01-02T12:00:00Z"],
            "now": "2026-01-01T12:00:00Z",
        }
        assert [message["text"] for message in reminder["messages"]] == ["Still there?"]
        assert (reminder["now"], reminder["due"]) == ("2026-01-02T12:00:00Z", [])
        assert end["variables"] == {"colour": 1, "doubled": 2}
        assert end["ended_runs"] == [
            {"run": 1, "status": "completed", "collected_data": {"colour": 1, "doubled": 2}}
        ]
        assert end["status"] == "completed"

    def test_says_the_same_to_the_same_acts(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, COLOURS)
        body = {"acts": [GREETED, {"press": "красный"}], "now": "2030-02-28T23:59:59+03:00", "random": 0.9}
        first, second = (api("POST", f"/api/scenarios/{scenario}/simulate", json=body) for _ in range(2))
        assert first.json() == second.json()
        assert first.json()["turns"][0]["now"] == "2030-02-28T20:59:59Z"

    def test_takes_a_document_that_is_not_saved(self, api: Api, scenario: str) -> None:
        body = {"scenario_data": COLOURS, "acts": [GREETED]}
        answer = api("POST", f"/api/scenarios/{scenario}/simulate", json=body)
        assert answer.json()["turns"][0]["step"] == "colour"
        assert api("GET", f"/api/scenarios/{scenario}").json()["revision"] == 1

    def test_takes_a_revision_the_latest_unless_it_is_named(self, api: Api, bot: str, scenario: str) -> None:
        api("PUT", f"/api/scenarios/{scenario}", json={"name": "S", "scenario_data": COLOURS})
        steps = [
            api("POST", f"/api/scenarios/{scenario}/simulate", json={"acts": [GREETED], **named}).json()
            for named in ({}, {"revision": 1})
        ]
        assert [each["turns"][0]["step"] for each in steps] == ["colour", "ask_name"]

    def test_task_waits_to_be_answered(self, api: Api, bot: str) -> None:
        document = {"version": "1", "steps": [{**TASK, "llm": {**TASK["llm"], "reply": True}}]}
        scenario = made(api, bot, document)
        acts = [GREETED, {"respond": {"llm": "Hi"}}]
        waiting, done = api("POST", f"/api/scenarios/{scenario}/simulate", json={"acts": acts}).json()[
            "turns"
        ]
        assert waiting["task"]["kind"] == "llm"
        assert waiting["task"]["request"]["prompt"] == "Greet telegram"
        assert [message["text"] for message in done["messages"]] == ["Hi"]

    def test_goes_into_the_bots_other_scenarios(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, calling(made(api, bot, SCENARIO)))
        acts = [GREETED, {"send": "Ann"}]
        turns = api("POST", f"/api/scenarios/{scenario}/simulate", json={"acts": acts}).json()["turns"]
        assert [message["text"] for message in turns[1]["messages"]] == ["Bye, Ann!", "Back"]

    def test_given_variables_are_there_from_the_beginning(self, api: Api, scenario: str) -> None:
        skipping: Json = {**SCENARIO, "steps": [*map(dict, SCENARIO["steps"])]}
        skipping["steps"][0]["expected_input"] = {
            **skipping["steps"][0]["expected_input"],
            "skip_if_set": True,
        }
        body = {"scenario_data": skipping, "given": {"name": "Ёлка"}, "acts": [GREETED]}
        turns = api("POST", f"/api/scenarios/{scenario}/simulate", json=body).json()["turns"]
        assert turns[0]["messages"][0]["text"] == "Bye, Ёлка!"

    @pytest.mark.parametrize("fields", [{}, {"name": "string", "hired": "date"}], ids=["none set", "set"])
    def test_what_is_known_of_the_person_is_given(
        self, api: Api, bot: str, scenario: str, fields: Json
    ) -> None:
        DynamoBots().change(bot, contact_fields=fields)
        words = "{{ contact.name }}, {{ format(contact.hired + days(1), 'D.M.') }}"
        document = {"version": "1", "steps": [{"id": "a", "message": {"text": words}}]}
        given = {"contact": {"name": "Ёлка", "hired": "2026-11-22"}}
        body = {"scenario_data": document, "given": given, "acts": [GREETED]}
        (turn,) = api("POST", f"/api/scenarios/{scenario}/simulate", json=body).json()["turns"]
        assert [message["text"] for message in turn["messages"]] == ["Ёлка, 23.11."]
        assert turn["status"] == "completed"

    def test_what_nobody_knows_of_people_is_not_given(self, api: Api, bot: str, scenario: str) -> None:
        DynamoBots().change(bot, contact_fields={"name": "string"})
        body = {"given": {"contact": {"nmae": "Ann"}}, "acts": [GREETED]}
        answer = api("POST", f"/api/scenarios/{scenario}/simulate", json=body)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["pointer"]) == (422, "/given")
        assert "nmae" in error["message"]

    REFUSED: dict[str, tuple[Json, list[str]]] = {  # noqa: RUF012 (a table)
        "act that cannot happen": ({"acts": [GREETED, {"press": "x"}]}, ["/acts/1"]),
        "expectation": ({"acts": [{"expect": "x"}]}, ["/acts/0"]),
        "unknown act": ({"acts": [{"shout": "x"}]}, ["/acts/0/shout"]),
        "two acts in one": ({"acts": [{"send": "x", "advance": "1h"}]}, ["/acts/0"]),
        "too many acts": ({"acts": [GREETED] * 501}, ["/acts"]),
        "unknown variable": ({"given": {"nmae": 1}}, ["/given"]),
        "revision that is not": ({"revision": 7}, ["/revision"]),
        "revision and document": ({"revision": 1, "scenario_data": SCENARIO}, [""]),
        "no document": ({"scenario_data": {"version": "1"}}, ["/scenario_data/steps"]),
        "no time": ({"now": "yesterday"}, ["/now"]),
        "no chance": ({"random": 1}, ["/random"]),
        "messenger that is none": ({"platform": "icq"}, ["/platform"]),
    }

    @pytest.mark.parametrize(("body", "pointers"), REFUSED.values(), ids=REFUSED.keys())
    def test_of_what_cannot_be_done_says_where(
        self, api: Api, scenario: str, body: Json, pointers: list[str]
    ) -> None:
        answer = api("POST", f"/api/scenarios/{scenario}/simulate", json=body)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers


class TestTest:
    def test_reports_every_test_and_what_they_cover(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, with_tests(PASSING, FAILING))

        report = api("POST", f"/api/scenarios/{scenario}/test").json()

        assert report["passed"] is False
        assert report["tests"] == [
            {"name": "test 0", "passed": True, "failure": None},
            {
                "name": "test 1",
                "passed": False,
                "failure": {
                    "turn": 2,
                    "pointer": "/tests/1/turns/2",
                    "message": "expected the message “Привет”, but this was said: “What's your name?”",
                },
            },
        ]
        assert report["coverage"] == {
            "steps": {"total": 2, "covered": 2, "missed": []},
            "branches": {"total": 2, "covered": 2, "missed": []},
        }

    def test_names_what_was_not_covered(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, with_tests([GREETED]))
        coverage = api("POST", f"/api/scenarios/{scenario}/test").json()["coverage"]
        assert coverage["steps"] == {"total": 2, "covered": 1, "missed": ["bye"]}
        assert coverage["branches"]["missed"] == [
            {"step_id": "ask_name", "way": "next_step", "pointer": "/steps/0/next_step"},
            {"step_id": "bye", "way": "end", "pointer": "/steps/1/end"},
        ]

    def test_takes_a_document_that_is_not_saved(self, api: Api, scenario: str) -> None:
        body = {"scenario_data": with_tests(PASSING)}
        report = api("POST", f"/api/scenarios/{scenario}/test", json=body).json()
        assert (report["passed"], len(report["tests"])) == (True, 1)

    def test_is_of_the_bots_own_name_and_time(self, api: Api) -> None:
        bot = api.bot(name="Юла", timezone="Asia/Kolkata")
        step = {"id": "s", "message": {"text": "{{ bot.name }} {{ now }}"}, "end": True}
        turns: list[Json] = [GREETED, {"expect": {"contains": "Юла"}}, {"expect": {"contains": "17:30"}}]
        scenario = made(api, bot, with_tests(turns, document={"version": "1", "steps": [step]}))
        report = api("POST", f"/api/scenarios/{scenario}/test").json()
        assert report["tests"][0]["failure"] is None


class TestActivation:
    def test_with_passing_tests_is_done(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, with_tests(PASSING))
        assert api("POST", f"/api/scenarios/{scenario}/activate").status_code == 200

    def test_with_failing_tests_is_refused(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, with_tests(FAILING, PASSING, [GREETED, {"press": "x"}]))

        answer = api("POST", f"/api/scenarios/{scenario}/activate")

        assert answer.status_code == 422
        assert answer.json()["detail"] == "The scenario cannot run yet: 2 of its tests fail."
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
            ("/scenario_data/tests/0/turns/2", "test_failed"),
            ("/scenario_data/tests/2/turns/1", "test_failed"),
        ]
        assert DynamoBots().active_scenario(bot) is None

    def test_names_errors_and_failing_tests_together(self, api: Api, bot: str) -> None:
        first, *others = SCENARIO["steps"]
        document = {**SCENARIO, "steps": [{**first, "next_step": "nowhere"}, *others]}
        scenario = made(api, bot, with_tests(FAILING, document=document))

        problem = api("POST", f"/api/scenarios/{scenario}/activate").json()

        pointers = [error["pointer"] for error in problem["errors"]]
        assert pointers == ["/scenario_data/steps/0/next_step", "/scenario_data/tests/0/turns/2"]
        assert {finding["severity"] for finding in problem["findings"]} == {"error", "warning"}

    def test_warns_of_a_model_and_of_secrets_that_the_bot_does_not_have_yet(self, api: Api, bot: str) -> None:
        url = "https://example.com/{{ secret('key') }}"
        look = {"id": "look", "http": {"method": "GET", "url": url}, "next_step": "ask_name"}
        scenario = made(api, bot, {"version": "1", "steps": [look, TASK]})

        activated = api("POST", f"/api/scenarios/{scenario}/activate")
        assert activated.status_code == 200, activated.text
        assert {finding["code"] for finding in activated.json()["findings"]} == {
            "model_unset",
            "secret_unset",
        }

        api("PUT", f"/api/bots/{bot}/llm", json={"provider": "openai", "model": "m", "api_key": "sk-123"})
        api("PUT", f"/api/bots/{bot}/secrets/key", json={"value": "s3cr3t"})
        assert api("GET", f"/api/scenarios/{scenario}").json()["findings"] == []

    def test_of_files_that_the_library_does_not_have_is_refused(self, api: Api, bot: str) -> None:
        first = {"id": "first", "message": {"media": [{"media_id": str(uuid4())}]}, "next_step": "ask_name"}
        scenario = made(api, bot, {**SCENARIO, "steps": [first, *SCENARIO["steps"]]})

        (error,) = api("POST", f"/api/scenarios/{scenario}/activate").json()["errors"]

        pointer = "/scenario_data/steps/0/message/media/0/media_id"
        assert (error["code"], error["pointer"]) == ("unknown_media", pointer)


class TestCalled:
    def test_revisions_of_called_scenarios_are_locked(self, api: Api, bot: str) -> None:
        innermost = made(api, bot, SCENARIO)
        inner = made(api, bot, calling(innermost))
        api("PUT", f"/api/scenarios/{innermost}", json={"name": "S", "scenario_data": SCENARIO})
        scenario = made(api, bot, calling(inner.upper()))

        answer = api("POST", f"/api/scenarios/{scenario}/activate", json={"running": "move"})

        assert answer.status_code == 200, answer.text
        pointer = DynamoBots().active_scenario(bot)
        assert pointer is not None
        assert dict(pointer.called) == {inner: 1, innermost: 2}
        assert pointer.running == "move"

    @pytest.mark.parametrize("account", [None, ACCOUNT, OTHER_ACCOUNT])
    def test_scenario_that_the_bot_does_not_have_is_unknown(
        self, api: Api, bot: str, account: str | None
    ) -> None:
        other = str(uuid4())
        if account:
            token = token_of("admin", account)
            body = {"name": "S", "scenario_data": SCENARIO}
            path = f"/api/bots/{api.bot(account)}/scenarios"
            other = api("POST", path, token=token, json=body).json()["id"]
        document = calling(other)
        scenario = made(api, bot, document)

        answer = api("POST", f"/api/scenarios/{scenario}/activate")

        assert [error["code"] for error in answer.json()["errors"]] == ["unknown_scenario"]
        asked = {"scenario_data": document, "bot_id": bot}
        assert api("POST", "/api/scenarios/validate", json=asked).json()["valid"] is False
        nobodys = {"scenario_data": document}
        assert api("POST", "/api/scenarios/validate", json=nobodys).json()["valid"] is True

    def test_scenario_that_calls_itself_is_refused(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, SCENARIO)
        api("PUT", f"/api/scenarios/{scenario}", json={"name": "S", "scenario_data": calling(scenario)})
        errors = api("POST", f"/api/scenarios/{scenario}/activate").json()["errors"]
        assert "scenario_recursion" in {error["code"] for error in errors}

    def test_findings_of_a_saved_scenario_know_what_it_calls(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, calling(made(api, bot, SCENARIO), outputs={"got": "nmae"}))
        for path in (f"/api/scenarios/{scenario}", f"/api/scenarios/{scenario}/revisions/1"):
            errors = [f for f in api("GET", path).json()["findings"] if f["severity"] == "error"]
            assert [error["pointer"] for error in errors] == ["/steps/0/scenario/outputs/got"]


class TestWithoutTime:
    @pytest.fixture
    def hasty(self, api: Api, guard: Guard) -> Api:
        """The API with no time at all for a trial."""
        collaborators = {
            "bots": DynamoBots(),
            "scenarios": DynamoScenarios(),
            "trials": Trials(seconds=0),
            "tasks": None,
        }
        app = create_app(routes.router, guard, **collaborators)
        return Api(((routes.router, client_of(app)), *api.apps))

    @pytest.mark.parametrize(
        ("act", "pointer"),
        [("simulate", "/acts"), ("test", "/scenario_data/tests"), ("activate", "/scenario_data/tests")],
    )
    def test_trial_is_broken_off(self, hasty: Api, bot: str, act: str, pointer: str) -> None:
        scenario = made(hasty, bot, with_tests(PASSING))

        answer = hasty("POST", f"/api/scenarios/{scenario}/{act}", json={})

        assert answer.status_code == 422
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
            (pointer, "too_slow")
        ]
        assert DynamoBots().active_scenario(bot) is None


class TestMessengers:
    def test_connected_ones_say_what_they_cannot_show(self, api: Api, bot: str) -> None:
        scenario = made(api, bot, LONG_LABEL)
        assert api("GET", f"/api/scenarios/{scenario}").json()["findings"] == []
        api.create(f"/api/bots/{bot}/platforms", {"platform": "whatsapp", "credentials": WHATSAPP})

        findings = api("GET", f"/api/scenarios/{scenario}").json()["findings"]

        assert {finding["severity"] for finding in findings} == {"warning"}
        assert {finding["code"] for finding in findings} == {"cannot_show", "template_missing"}
        activated = api("POST", f"/api/scenarios/{scenario}/activate")
        assert (activated.status_code, activated.json()["findings"]) == (200, findings)
        asked = {"scenario_data": LONG_LABEL, "bot_id": bot}
        assert api("POST", "/api/scenarios/validate", json=asked).json()["findings"] == findings


WHATSAPP = {"phone_number_id": "106540352242922", "access_token": "EAAJB-a-token", "app_secret": "0a1b2c3d"}
LONG_LABEL: Json = {
    "version": "1",
    "steps": [
        {
            "id": "choice",
            "message": {"text": "Well?"},
            "buttons": [{"text": "A label that no button of WhatsApp has room for", "value": 1}],
            "expected_input": {"type": "button", "timeout": {"after": "25h", "remind": "Still there?"}},
        }
    ],
}
