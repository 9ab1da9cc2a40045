"""Time, in the deployment: delays between messages, waits, reminders, and timers of more than 15 minutes.

And a sensitive answer, which the dialog worker encrypts with a key that nobody here may decrypt with.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.running import RunInfo
from shared.dialog.sealing import MASK
from tests.deployed.admin import Admin, eventually
from tests.deployed.webchat import WebchatPerson

pytestmark = pytest.mark.deployed

REMINDED_AFTER = timedelta(seconds=5)
SCENARIO: dict[str, Any] = {
    "version": "1",
    "variables": {"name": {"type": "string", "sensitive": True}},
    "steps": [
        {
            "id": "name",
            "message": [{"text": "One"}, {"text": "Two", "delay": "2s"}, {"text": "Name?"}],
            "expected_input": {
                "type": "text",
                "variable": "name",
                "timeout": {"after": "5s", "remind": "Still there?"},
            },
            "next_step": "think",
        },
        {"id": "think", "message": {"text": "Let me think."}, "wait": "2s", "next_step": "town"},
        {
            "id": "town",
            "message": {"text": "And your town, {{ name }}?"},
            "expected_input": {
                "type": "text",
                "variable": "town",
                "timeout": {"after": "20m", "next_step": "late"},
            },
            "next_step": "late",
        },
        {"id": "late", "message": {"text": "Too late."}, "end": True},
    ],
}


@pytest.fixture(scope="module")
def slow_bot(parley: RunInfo, admin: Admin) -> str:
    """A bot of its own, in the web chat."""
    bot_id = admin.post(f"/api/accounts/{parley.account_id}/bots", {"name": "Slow"})["id"]
    admin.post(f"/api/bots/{bot_id}/platforms", {"platform": "webchat", "credentials": {}})
    scenario = admin.post(f"/api/bots/{bot_id}/scenarios", {"name": "Slow", "scenario_data": SCENARIO})
    admin.post(f"/api/scenarios/{scenario['id']}/activate", {})
    admin.post(f"/api/bots/{bot_id}/activate")
    return str(bot_id)


@pytest.fixture
def patient(parley: RunInfo, slow_bot: str) -> WebchatPerson:
    """Somebody who has just begun to talk to the slow bot."""
    person = WebchatPerson(f"{parley.api_url}/api/webhook/webchat/{slow_bot}")
    assert person.start().status == 200
    return person


def said_at(person: WebchatPerson, text: str) -> datetime:
    """When the bot said what it has to say next."""
    said = person.next()
    assert said.text == text
    return datetime.fromisoformat(said.body["at"])


def events_of(admin: Admin, dialog_id: str, kind: str) -> list[dict[str, Any]]:
    entries = (entry["message_data"] for entry in admin.history(dialog_id))
    return [data["event"] for data in entries if data.get("event", {}).get("type") == kind]


def test_a_reminder_and_a_delay_come_when_they_should_and_in_order(
    patient: WebchatPerson, slow_bot: str, admin: Admin
) -> None:
    one, two, question = (said_at(patient, text) for text in ("One", "Two", "Name?"))
    assert timedelta(seconds=2) <= two - one < timedelta(seconds=5)
    assert question >= two
    assert said_at(patient, "Still there?") - one >= REMINDED_AFTER - timedelta(seconds=1)
    patient.say("Ann")
    assert patient.next().text == "Let me think."
    _sealed(admin, slow_bot, patient)


def _sealed(admin: Admin, bot_id: str, patient: WebchatPerson) -> None:
    dialog = admin.dialog_of(bot_id, "webchat", patient.chat_id)
    assert dialog is not None
    (answer,) = events_of(admin, dialog["id"], "message_received")
    assert answer["text"] == MASK
    assert "Ann" not in f"{dialog['collected_data']} {answer}"


def test_who_answers_in_time_is_not_reminded_and_a_wait_goes_on_by_itself(
    parley: RunInfo, patient: WebchatPerson, slow_bot: str, admin: Admin
) -> None:
    for text in ("One", "Two", "Name?"):
        said_at(patient, text)
    patient.say("Ann")
    thinking = said_at(patient, "Let me think.")
    assert said_at(patient, "And your town, Ann?") - thinking >= timedelta(seconds=1.5)

    dialog = admin.dialog_of(slow_bot, "webchat", patient.chat_id)
    assert dialog is not None
    eventually(lambda: len(events_of(admin, dialog["id"], "timer_fired")) == 2)
    assert patient.unread() == []
    _fires_late(parley, patient, dialog["id"])


def _fires_late(parley: RunInfo, patient: WebchatPerson, dialog_id: str) -> None:
    """A timer beyond 15 minutes is a schedule; its like, due now, reaches the dialog."""
    scheduler, group = parley.client("scheduler"), parley.outputs()["ScheduleGroup"]
    (name,) = [
        schedule["Name"]
        for schedule in scheduler.list_schedules(GroupName=group)["Schedules"]
        if schedule["Name"].startswith(dialog_id)
    ]
    made = scheduler.get_schedule(GroupName=group, Name=name)
    due = datetime.strptime(made["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
    assert timedelta(minutes=18) < due - datetime.now(UTC) < timedelta(minutes=21)
    assert made["Target"]["SqsParameters"] == {"MessageGroupId": dialog_id}

    like = {key: made[key] for key in ("FlexibleTimeWindow", "Target", "ActionAfterCompletion", "GroupName")}
    now = f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})"
    scheduler.create_schedule(Name=f"{name}-now", ScheduleExpression=now, **like)
    assert patient.next().text == "Too late."
