"""Deleting bots, scenarios and dialogs by the API, and how everything answers afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from shared.dialog.events import DeletionRequested
from shared.errors import Conflict, NotFound
from shared.queueing.envelopes import BotDeletionEnvelope, read_deletion, read_inbound
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.scenarios import DynamoScenarios, ScenarioInUse
from tests.conftest import Aws, Call
from tests.functions.admin.conftest import ACCOUNT, OTHER_ACCOUNT, SCENARIO, Api, Talk, token_of
from tests.functions.admin.test_access import ROUTES, ask, path_of

OF_A_BOT = [
    route
    for route, entry in ROUTES.items()
    if "id}" in route and "{account_id}" not in route and entry.role != "public"
]
"""Public links go with their files."""


def calling(scenario: str) -> dict[str, Any]:
    """A document that calls the scenario, and ends."""
    step = {"id": "call", "scenario": {"id": scenario}, "next_step": "bye"}
    return {"version": "1.0", "steps": [step, {"id": "bye", "message": {"text": "Bye"}, "end": True}]}


def add(api: Api, bot: str, document: dict[str, Any], name: str = "Other") -> str:
    made = api.create(f"/api/bots/{bot}/scenarios", {"name": name, "scenario_data": document})
    return str(made["id"])


class TestBots:
    def test_a_deleted_bot_is_to_be_removed(
        self, api: Api, bot: str, aws_account: Aws, aws_calls: list[Call]
    ) -> None:
        answer = api("DELETE", f"/api/bots/{bot}")

        assert answer.status_code == 202
        (sent,) = [call.params for call in aws_calls if call.operation == "SendMessage"]
        assert sent["QueueUrl"] == aws_account.deletions
        assert sent["DelaySeconds"] == 180
        assert read_deletion(sent["MessageBody"]) == BotDeletionEnvelope(**answer.json())

    @pytest.mark.parametrize("route", OF_A_BOT)
    def test_nothing_of_it_is_there_by_any_route(self, api: Api, ids: dict[str, str], route: str) -> None:
        assert api("DELETE", f"/api/bots/{ids['bot']}").status_code == 202

        assert ask(api, route, path_of(route, ids), token=token_of("admin")).status_code == 404

    def test_it_is_in_no_list(self, api: Api, bot: str) -> None:
        other = api.bot()
        api("DELETE", f"/api/bots/{bot}")

        listed = api("GET", f"/api/accounts/{ACCOUNT}/bots").json()["items"]
        assert [each["id"] for each in listed] == [other]

    def test_the_removal_is_asked_for_before_it_is_deleted(
        self, api: Api, bot: str, aws_calls: list[Call]
    ) -> None:
        api("DELETE", f"/api/bots/{bot}")

        asked, deleted = (
            call.operation for call in aws_calls if call.operation in {"SendMessage", "PutItem"}
        )
        assert (asked, deleted) == ("SendMessage", "PutItem")

    def test_nothing_is_done_where_the_removal_cannot_be_asked_for(
        self, api: Api, bot: str, aws_account: Aws
    ) -> None:
        aws_account.sqs.delete_queue(QueueUrl=aws_account.deletions)

        answer = api("DELETE", f"/api/bots/{bot}")

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert api("GET", f"/api/bots/{bot}").status_code == 200

    def test_one_that_was_changed_is_not_deleted_by_who_has_not_seen_that(self, api: Api, bot: str) -> None:
        path = f"/api/bots/{bot}"
        seen = {"If-Match": api("GET", path).headers["etag"]}
        api("PUT", path, json={"name": "Another"})

        assert api("DELETE", path, headers=seen).status_code == 412
        assert api("GET", path).status_code == 200

    def test_nobody_deletes_a_foreign_one(self, api: Api, bot: str, aws_calls: list[Call]) -> None:
        stranger = token_of("admin", OTHER_ACCOUNT)

        assert api("DELETE", f"/api/bots/{bot}", token=stranger).status_code == 404
        assert "SendMessage" not in {call.operation for call in aws_calls}


class TestScenarios:
    def test_a_deleted_scenario_is_gone(self, api: Api, bot: str, scenario: str) -> None:
        assert api("DELETE", f"/api/scenarios/{scenario}").status_code == 204

        for path in ("", "/revisions", "/revisions/1"):
            assert api("GET", f"/api/scenarios/{scenario}{path}").status_code == 404
        assert api("GET", f"/api/bots/{bot}/scenarios").json()["items"] == []
        assert api("DELETE", f"/api/scenarios/{scenario}").status_code == 404
        body = {"name": "S", "scenario_data": SCENARIO}
        assert api("PUT", f"/api/scenarios/{scenario}", json=body).status_code == 404
        assert api("POST", f"/api/scenarios/{scenario}/activate").status_code == 404

    def test_runs_that_follow_it_go_on(self, api: Api, scenario: str) -> None:
        api("DELETE", f"/api/scenarios/{scenario}")

        assert DynamoScenarios().document(scenario, 1) == SCENARIO

    def test_the_active_one_stays(self, api: Api, scenario: str) -> None:
        api("POST", f"/api/scenarios/{scenario}/activate")

        answer = api("DELETE", f"/api/scenarios/{scenario}")

        assert answer.status_code == 409
        assert answer.json()["detail"] == "This is the bot's active scenario. Activate another one first."
        assert api("GET", f"/api/scenarios/{scenario}").status_code == 200

    def test_one_that_the_active_one_calls_stays(self, api: Api, bot: str, scenario: str) -> None:
        caller = add(api, bot, calling(scenario), "Reception")
        assert api("POST", f"/api/scenarios/{caller}/activate").status_code == 200

        answer = api("DELETE", f"/api/scenarios/{scenario}")

        assert answer.status_code == 409
        assert f"“Reception” ({caller}) calls this one" in answer.json()["detail"]

    def test_one_that_was_active_once_goes(self, api: Api, bot: str, scenario: str) -> None:
        api("POST", f"/api/scenarios/{scenario}/activate")
        api("POST", f"/api/scenarios/{add(api, bot, SCENARIO)}/activate")

        assert api("DELETE", f"/api/scenarios/{scenario}").status_code == 204

    def test_one_that_was_changed_is_not_deleted_by_who_has_not_seen_that(
        self, api: Api, scenario: str
    ) -> None:
        path = f"/api/scenarios/{scenario}"
        seen = {"If-Match": api("GET", path).headers["etag"]}
        api("PUT", path, json={"name": "S", "scenario_data": SCENARIO})

        assert api("DELETE", path, headers=seen).status_code == 412
        again = {"If-Match": api("GET", path).headers["etag"]}
        assert api("DELETE", path, headers=again).status_code == 204

    @pytest.mark.parametrize("is_called", [False, True])
    def test_one_that_is_deleted_meanwhile_is_not_activated(
        self, api: Api, bot: str, scenario: str, *, is_called: bool
    ) -> None:
        other = add(api, bot, SCENARIO)
        DynamoScenarios().delete(scenario)
        follows, called = (other, {scenario: 1}) if is_called else (scenario, {other: 1})

        with pytest.raises(Conflict):
            DynamoBots().activate(bot, follows, 1, called=called, running="keep")
        assert DynamoBots().active_scenario(bot) is None

    @pytest.mark.parametrize("is_called", [False, True])
    def test_one_that_is_activated_meanwhile_is_not_deleted(
        self, api: Api, bot: str, scenario: str, *, is_called: bool
    ) -> None:
        other = add(api, bot, SCENARIO)
        follows, called = (other, {scenario: 1}) if is_called else (scenario, {other: 1})
        DynamoBots().activate(bot, follows, 1, called=called, running="keep")

        with pytest.raises(ScenarioInUse):
            DynamoScenarios().delete(scenario)
        assert api("GET", f"/api/scenarios/{scenario}").status_code == 200

    def test_one_of_a_deleted_bot_is_not_activated(self, api: Api, bot: str, scenario: str) -> None:
        DynamoBots().delete(bot)

        with pytest.raises(NotFound):
            DynamoBots().activate(bot, scenario, 1, called={}, running="keep")
        assert DynamoBots().deleted_at(bot) is not None

    def test_one_of_another_bot_is_not_activated(self, api: Api, scenario: str) -> None:
        with pytest.raises(Conflict):
            DynamoBots().activate(api.bot(), scenario, 1, called={}, running="keep")


class TestDialogs:
    def test_a_deletion_becomes_an_event_in_the_dialogs_queue(
        self, api: Api, bot: str, talk: Talk, aws_account: Aws
    ) -> None:
        dialog = talk(bot)

        answer = api("DELETE", f"/api/dialogs/{dialog.id}", "editor")

        assert answer.status_code == 202
        (sent,) = aws_account.sqs.receive_message(QueueUrl=aws_account.inbound)["Messages"]
        event = read_inbound(sent["Body"]).event
        assert isinstance(event, DeletionRequested)
        assert (event.epoch, event.id) == (dialog.epoch, answer.json()["trace_id"])
        assert event.by

    def test_the_api_does_not_delete_it_itself(self, api: Api, bot: str, talk: Talk) -> None:
        """The dialog worker alone writes dialogs."""
        dialog = talk(bot)
        api("DELETE", f"/api/dialogs/{dialog.id}")

        assert DynamoDialogs().load(dialog.id) == dialog
