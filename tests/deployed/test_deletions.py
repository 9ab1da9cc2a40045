"""Deleting on the real template, with IAM enforced: gone at once, removed to the last item, and new again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from infra.local.deployment import STACK
from infra.local.running import RunInfo
from tests.deployed.admin import Admin, eventually
from tests.deployed.webchat import WebchatPerson

pytestmark = pytest.mark.deployed

OF_BOTS = ("BotPlatformCredentialTable", "BotSettingsTable", "BotUsageTable", "SyncRefusalTable")
ASKING: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "name",
            "message": {"text": "Name?"},
            "expected_input": {
                "type": "text",
                "variable": "name",
                "timeout": {"after": "3h", "remind": "Are you there?"},
            },
            "next_step": "town",
        },
        {
            "id": "town",
            "message": {"text": "Town?"},
            "expected_input": {"type": "text", "variable": "town"},
            "next_step": "name",
        },
    ],
}


@pytest.fixture
def bot(parley: RunInfo, admin: Admin) -> str:
    """A bot of its own in the web chat, with an active scenario and one that it does not need, a model and
    a secret.
    """
    bot_id: str = admin.post(f"/api/accounts/{parley.account_id}/bots", {"name": "To be deleted"})["id"]
    admin.post(f"/api/bots/{bot_id}/platforms", {"platform": "webchat", "credentials": {}})
    for name in ("Spare", "Active"):
        body = {"name": name, "scenario_data": ASKING}
        scenario = admin.post(f"/api/bots/{bot_id}/scenarios", body)["id"]
    admin.post(f"/api/scenarios/{scenario}/activate")
    model = {"provider": "openai", "model": "gpt-4.1-mini", "api_key": "sk-key-of-a-test"}
    admin.put(f"/api/bots/{bot_id}/llm", model)
    admin.put(f"/api/bots/{bot_id}/secrets/crm_token", {"value": "a-secret-of-a-test"})
    return bot_id


@pytest.fixture
def person(parley: RunInfo, bot: str) -> WebchatPerson:
    """Somebody in the midst of the conversation."""
    person = WebchatPerson(f"{parley.api_url}/api/webhook/webchat/{bot}")
    person.start()
    assert person.next().text == "Name?"
    person.say("Ada")
    assert person.next().text == "Town?"
    return person


def items_of(parley: RunInfo, output: str, **query: Any) -> list[dict[str, Any]]:
    """What a query of a table finds."""
    outputs = parley.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    table = next(each["OutputValue"] for each in outputs if each["OutputKey"] == output)
    found: list[dict[str, Any]] = parley.client("dynamodb").query(TableName=table, **query)["Items"]
    return found


def history_of(parley: RunInfo, dialog_id: str) -> list[dict[str, Any]]:
    return items_of(
        parley,
        "BotDialogHistoryTable",
        KeyConditionExpression="dialog_id = :id",
        ExpressionAttributeValues={":id": {"S": dialog_id}},
    )


def delete(parley: RunInfo, path: str) -> int:
    headers = {"Authorization": f"Bearer {parley.admin_token}"}
    return httpx.delete(parley.api_url + path, headers=headers, timeout=60).status_code


def test_a_deleted_dialog_leaves_nothing_and_begins_anew(
    parley: RunInfo, admin: Admin, bot: str, person: WebchatPerson
) -> None:
    dialog = admin.dialog_of(bot, "webchat", person.chat_id)
    assert dialog is not None
    assert history_of(parley, dialog["id"])

    assert delete(parley, f"/api/dialogs/{dialog['id']}") == 202
    eventually(lambda: not history_of(parley, dialog["id"]))
    assert delete(parley, f"/api/dialogs/{dialog['id']}") == 404
    assert person.unread() == []

    person.say("Hello again")
    assert person.next().text == "Name?"


def test_a_scenario_in_use_stays_and_a_spare_one_goes(parley: RunInfo, admin: Admin, bot: str) -> None:
    listed = admin.get(f"/api/bots/{bot}/scenarios")["items"]
    statuses = {each["name"]: delete(parley, f"/api/scenarios/{each['id']}") for each in listed}

    assert statuses == {"Active": 409, "Spare": 204}
    assert [each["name"] for each in admin.get(f"/api/bots/{bot}/scenarios")["items"]] == ["Active"]


def test_what_a_bot_was_set_up_with_is_forgotten_on_demand(parley: RunInfo, admin: Admin, bot: str) -> None:
    admin.put(f"/api/bots/{bot}/llm", {**admin.get(f"/api/bots/{bot}/llm"), "model": "another"})
    assert [each["value"] for each in admin.get(f"/api/bots/{bot}/secrets")["items"]] == ["…test"]
    assert admin.get(f"/api/bots/{bot}/usage")["budget"]["used"] == 0

    for path in ("llm", "secrets/crm_token"):
        assert delete(parley, f"/api/bots/{bot}/{path}") == 204
    assert _of_bot(parley, "BotSettingsTable", bot) == []


def test_a_deleted_bot_is_gone_and_its_things_are_removed(
    parley: RunInfo, admin: Admin, bot: str, person: WebchatPerson
) -> None:
    dialog = admin.dialog_of(bot, "webchat", person.chat_id)
    assert dialog is not None

    assert delete(parley, f"/api/bots/{bot}") == 202

    assert delete(parley, f"/api/bots/{bot}") == 404
    _remove_now(parley, bot)
    eventually(lambda: not history_of(parley, dialog["id"]))
    eventually(lambda: not any(_of_bot(parley, table, bot) for table in OF_BOTS))
    eventually(lambda: person.say("Hello?").status == 404, seconds=60)


def _remove_now(parley: RunInfo, bot: str) -> None:
    """What the API has asked for comes out in three minutes: ask once more."""
    outputs = parley.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    queue = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "DeletionsQueueUrl")
    body = json.dumps({"type": "bot.v1", "bot_id": bot, "trace_id": "test"})
    parley.client("sqs").send_message(QueueUrl=queue, MessageBody=body)


def _of_bot(parley: RunInfo, table: str, bot: str) -> list[dict[str, Any]]:
    condition, values = "bot_id = :id", {":id": {"S": bot}}
    return items_of(parley, table, KeyConditionExpression=condition, ExpressionAttributeValues=values)
