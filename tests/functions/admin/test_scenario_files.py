"""Scenarios and the files of their bot's library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from functions.admin.scenarios import surroundings
from shared.queueing.envelopes import UploadEnvelope, read_work
from shared.storage.clock import utc_now
from tests.conftest import Aws, Call
from tests.functions.admin.conftest import SCENARIO, Api, Talk, a_file

MEDIA = "/scenario_data/steps/0/message/media/0"
WHATSAPP = {"phone_number_id": "106", "access_token": "t" * 40, "app_secret": "s" * 32}


def showing(*media_ids: str, **fields: Any) -> dict[str, Any]:
    media = [{"media_id": media_id} | fields for media_id in media_ids]
    first = {"id": "first", "message": {"text": "Look", "media": media}, "next_step": "ask_name"}
    return {**SCENARIO, "steps": [first, *SCENARIO["steps"]]}


def saved(api: Api, bot: str, document: dict[str, Any]) -> dict[str, Any]:
    return api.create(f"/api/bots/{bot}/scenarios", {"name": "S", "scenario_data": document})


def uploads_asked_for(aws_account: Aws) -> list[tuple[str, str]]:
    found = []
    while messages := aws_account.sqs.receive_message(QueueUrl=aws_account.tasks).get("Messages"):
        work = read_work(messages[0]["Body"])
        assert isinstance(work, UploadEnvelope)
        found.append((work.platform, work.media_id))
        aws_account.sqs.delete_message(QueueUrl=aws_account.tasks, ReceiptHandle=messages[0]["ReceiptHandle"])
    return found


def test_a_scenario_that_shows_a_file_of_its_library_runs(api: Api, bot: str) -> None:
    scenario = saved(api, bot, showing(a_file(bot), type="image"))

    assert scenario["findings"] == []
    assert api("POST", f"/api/scenarios/{scenario['id']}/activate").status_code == 200


@pytest.mark.parametrize(
    ("what", "code", "place"),
    [
        ("unknown", "unknown_media", "media_id"),
        ("foreign", "unknown_media", "media_id"),
        ("a person's", "unknown_media", "media_id"),
        ("uploading", "media_not_ready", "media_id"),
        ("failed", "media_not_ready", "media_id"),
        ("a sound", "wrong_media_type", "type"),
    ],
)
def test_a_file_that_cannot_be_shown_is_told_at_once_and_refuses_activation(
    api: Api, bot: str, talk: Talk, what: str, code: str, place: str
) -> None:
    makers: dict[str, Callable[[], str]] = {
        "unknown": lambda: str(uuid4()),
        "foreign": lambda: a_file(api.bot()),
        "a person's": lambda: a_file(bot, dialog_id=talk(bot).id),
        "uploading": lambda: a_file(bot, status="uploading", created_at=utc_now()),
        "failed": lambda: a_file(bot, status="failed"),
        "a sound": lambda: a_file(bot, file_type="audio"),
    }
    document = showing(makers[what](), type="image")

    scenario = saved(api, bot, document)
    refused = api("POST", f"/api/scenarios/{scenario['id']}/activate")
    verdict = api("POST", "/api/scenarios/validate", json={"scenario_data": document, "bot_id": bot})
    alone = api("POST", "/api/scenarios/validate", json={"scenario_data": document})

    assert [(found["code"], found["pointer"]) for found in scenario["findings"]] == [
        (code, f"{MEDIA.removeprefix('/scenario_data')}/{place}")
    ]
    assert refused.status_code == 422
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [
        (code, f"{MEDIA}/{place}")
    ]
    assert [found["code"] for found in verdict.json()["findings"]] == [code]
    assert alone.json()["findings"] == []


def test_no_more_files_are_looked_up_than_a_document_may_reasonably_name(
    api: Api, bot: str, aws_calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "MAX_FILES", 2)
    aws_calls.clear()

    findings = saved(api, bot, showing(*(str(uuid4()) for _ in range(5))))["findings"]

    assert [found["code"] for found in findings] == ["unknown_media"] * 2
    read = [call for call in aws_calls if call.params.get("TableName") == "parley-media-files"]
    assert [call.name for call in read] == ["dynamodb:GetItem"] * 2


def test_an_activation_has_files_uploaded_where_messengers_want_them_ahead(
    api: Api, bot: str, aws_account: Aws
) -> None:
    ours, theirs = a_file(bot), a_file(bot)
    called = saved(api, bot, showing(theirs))["id"]
    document = showing(ours, ours)
    document["steps"][0] = document["steps"][0] | {"scenario": {"id": called}}
    scenario = saved(api, bot, document)["id"]

    assert api("POST", f"/api/scenarios/{scenario}/activate").status_code == 200
    assert uploads_asked_for(aws_account) == []

    body = {"platform": "whatsapp", "credentials": WHATSAPP}
    api.create(f"/api/bots/{bot}/platforms", body)
    api("POST", f"/api/scenarios/{scenario}/activate")

    assert sorted(uploads_asked_for(aws_account)) == sorted([("whatsapp", ours), ("whatsapp", theirs)])


def test_an_activation_stands_though_nothing_is_uploaded(api: Api, bot: str, aws_account: Aws) -> None:
    api.create(f"/api/bots/{bot}/platforms", {"platform": "whatsapp", "credentials": WHATSAPP})
    scenario = saved(api, bot, showing(a_file(bot)))["id"]
    aws_account.sqs.delete_queue(QueueUrl=aws_account.tasks)

    assert api("POST", f"/api/scenarios/{scenario}/activate").json()["is_active"] is True
