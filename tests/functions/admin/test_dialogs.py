from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from shared.dialog.events import Event, GivenBack, HandedOff, OperatorWrote, RunRequested
from shared.dialog.history import DeliveryRecord
from shared.dialog.sealing import MASK
from shared.dialog.state import dialog_id_of
from shared.queueing.envelopes import InboundEnvelope, read_inbound
from shared.storage.bots import DynamoBots
from shared.storage.history import DynamoHistory
from tests.backend.tokens import claims
from tests.conftest import Aws
from tests.functions.admin.conftest import NOW, OTHER_ACCOUNT, Api, Talk, entry, token_of


def test_dialog_shows_the_fields_of_the_contract_and_no_others(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot, chat="42", scenario_id="7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff", revision=3)

    assert api("GET", f"/api/dialogs/{dialog.id}").json() == {
        "id": dialog.id,
        "bot_id": bot,
        "platform": "telegram",
        "platform_chat_id": "42",
        "status": "active",
        "run": 1,
        "scenario_id": "7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff",
        "revision": 3,
        "current_step": "ask_name",
        "collected_data": {"name": "Иван"},
        "last_interaction_at": "2026-11-22T10:00:00Z",
        "created_at": "2026-11-22T10:00:00Z",
        "updated_at": "2026-11-22T10:00:00Z",
    }


def ids(api: Api, path: str, **params: Any) -> list[str]:
    answer = api("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_list_holds_the_dialogs_of_the_bot_the_latest_first(api: Api, bot: str, talk: Talk) -> None:
    hours = [talk(bot, last_interaction_at=NOW - timedelta(hours=n)).id for n in range(5)]
    talk(api.bot())

    assert ids(api, f"/api/bots/{bot}/dialogs") == hours


def test_list_is_walked_page_by_page(api: Api, bot: str, talk: Talk) -> None:
    made = {talk(bot, last_interaction_at=NOW - timedelta(hours=n % 3)).id for n in range(11)}
    path, found, cursor = f"/api/bots/{bot}/dialogs", [], None
    while True:
        page = api("GET", path, params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(found) == len(made)
    assert set(found) == made


def test_list_of_a_platform_holds_its_dialogs_only(api: Api, bot: str, talk: Talk) -> None:
    viber = talk(bot, platform="viber").id
    talk(bot, platform="telegram")

    assert ids(api, f"/api/bots/{bot}/platforms/viber/dialogs") == [viber]
    assert ids(api, f"/api/bots/{bot}/dialogs", platform="viber") == [viber]
    assert ids(api, f"/api/bots/{bot}/platforms/whatsapp/dialogs") == []
    assert api("GET", f"/api/bots/{bot}/platforms/icq/dialogs").status_code == 404
    assert api("GET", f"/api/bots/{bot}/dialogs", params={"platform": "icq"}).status_code == 422


def test_platform_of_the_address_is_not_overruled_by_the_query(api: Api, bot: str, talk: Talk) -> None:
    talk(bot, platform="telegram")

    assert ids(api, f"/api/bots/{bot}/platforms/viber/dialogs", platform="telegram") == []


def test_list_is_filtered_by_status(api: Api, bot: str, talk: Talk) -> None:
    done = talk(bot, status="completed").id
    talk(bot)

    assert ids(api, f"/api/bots/{bot}/dialogs", status="completed") == [done]
    assert api("GET", f"/api/bots/{bot}/dialogs", params={"status": "done"}).status_code == 422


def test_list_is_filtered_by_time_with_its_end_left_out(api: Api, bot: str, talk: Talk) -> None:
    made = [talk(bot, last_interaction_at=NOW + timedelta(minutes=minutes)).id for minutes in (0, 90, 600)]
    path = f"/api/bots/{bot}/dialogs"

    assert ids(api, path, since="2026-11-22T11:30:00Z") == [made[2], made[1]]
    assert ids(api, path, until="2026-11-22T11:30:00Z") == [made[0]]
    assert ids(api, path, since="2026-11-22T13:00:00+02:00", until="2026-11-22T20:00:00Z") == [made[1]]


@pytest.mark.parametrize("moment", ["2026-11-22", "2026-11-22T10:00:00", "yesterday", ""])
def test_time_without_a_zone_is_refused(api: Api, bot: str, moment: str) -> None:
    answer = api("GET", f"/api/bots/{bot}/dialogs", params={"since": moment})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/since"]


def test_rare_dialogs_are_found_behind_many_others(api: Api, bot: str, talk: Talk) -> None:
    rare = talk(bot, status="blocked", last_interaction_at=NOW - timedelta(days=1)).id
    for _ in range(30):
        talk(bot)
    path, found, cursor, pages = f"/api/bots/{bot}/dialogs", [], None, 0
    while pages == 0 or cursor is not None:
        params = {"limit": 1, "status": "blocked"} | ({"cursor": cursor} if cursor else {})
        page = api("GET", path, params=params).json()
        found += [item["id"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1

    assert found == [rare]
    assert 1 < pages < 10


def test_cursor_of_one_filter_does_not_fit_another(api: Api, bot: str, talk: Talk) -> None:
    for _ in range(3):
        talk(bot)
    path = f"/api/bots/{bot}/dialogs"
    cursor = api("GET", path, params={"limit": 1, "status": "active"}).json()["next_cursor"]

    assert api("GET", path, params={"cursor": cursor, "status": "active"}).status_code == 200
    assert api("GET", path, params={"cursor": cursor}).status_code == 422
    assert api("GET", f"/api/bots/{api.bot()}/dialogs", params={"cursor": cursor}).status_code == 422


def test_history_entry_shows_the_fields_of_the_contract(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    said, answered = entry(dialog, 1, 0), entry(dialog, 1, 1)
    for row in (said, answered):
        DynamoHistory().record(row)

    shown = api("GET", f"/api/dialogs/{dialog.id}/history").json()

    assert shown["next_cursor"] is None
    assert shown["items"] == [
        {
            "id": said.id,
            "dialog_state_id": dialog.id,
            "message_type": "user",
            "message_data": {"text": "1.0"},
            "timestamp": "2026-11-22T10:00:00Z",
            "created_at": "2026-11-22T10:00:00Z",
            "delivery": None,
        },
        {
            "id": answered.id,
            "dialog_state_id": dialog.id,
            "message_type": "bot",
            "message_data": {"text": "1.1"},
            "timestamp": "2026-11-22T10:00:00Z",
            "created_at": "2026-11-22T10:00:00Z",
            "delivery": {
                "status": "sent",
                "message_ids": ["m1"],
                "attempts": 0,
                "in_doubt": False,
                "possibly_doubled": False,
                "reason": "",
                "degradations": [],
            },
        },
    ]


def test_history_is_walked_in_order(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    for turn in range(1, 8):
        DynamoHistory().record(entry(dialog, turn, 0))
        DynamoHistory().record(entry(dialog, turn, 1, delivery=DeliveryRecord("read", ("m",))))
    path, found, cursor = f"/api/dialogs/{dialog.id}/history", [], None
    while True:
        page = api("GET", path, params={"limit": 5} | ({"cursor": cursor} if cursor else {})).json()
        found += [item["message_data"]["text"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == [f"{turn}.{n}" for turn in range(1, 8) for n in (0, 1)]


def test_history_of_an_earlier_life_of_the_dialog_is_not_shown(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    earlier = msgspec.structs.replace(dialog, epoch="e0")
    DynamoHistory().record(entry(earlier, 1, 0))

    assert api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"] == []


def test_what_is_sensitive_is_masked(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot, variables={"name": "Иван", "passport": "4510 123456"}, sensitive=("passport", "pin"))
    DynamoHistory().record(entry(dialog, 1, 0, message_data={"event": {"text": MASK}, "sealed": "c2VjcmV0"}))

    read = api("GET", f"/api/dialogs/{dialog.id}").json()
    listed = api("GET", f"/api/bots/{bot}/dialogs").json()["items"]
    (said,) = api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"]

    assert read["collected_data"] == {"name": "Иван", "passport": MASK}
    assert listed == [read]
    assert said["message_data"] == {"event": {"text": MASK}}


@pytest.mark.parametrize("status", ["active", "busy", "handed_off", "completed", "blocked"])
def test_every_status_is_shown_and_filtered_by(api: Api, bot: str, talk: Talk, status: str) -> None:
    dialog = talk(bot, status=status)

    assert ids(api, f"/api/bots/{bot}/dialogs", status=status) == [dialog.id]
    assert api("GET", f"/api/dialogs/{dialog.id}").json()["status"] == status


def queued(aws: Aws) -> list[InboundEnvelope]:
    """What is in the queue of the dialog worker."""
    answer = aws.sqs.receive_message(QueueUrl=aws.inbound, MaxNumberOfMessages=10)
    return [read_inbound(message["Body"]) for message in answer.get("Messages", [])]


@pytest.mark.parametrize(
    ("act", "body", "expected"),
    [
        ("messages", {"text": " Hello\nyou "}, partial(OperatorWrote, text="Hello\nyou")),
        ("handoff", {"reason": "wants a person"}, partial(HandedOff, reason="wants a person")),
        ("handoff", None, HandedOff),
        ("resume", {"step": "ask_name"}, partial(GivenBack, step_id="ask_name")),
        ("resume", {}, GivenBack),
        ("restart", {"variables": {"score": 5}}, partial(RunRequested, variables={"score": 5})),
        ("restart", None, RunRequested),
    ],
    ids=str,
)
def test_an_act_becomes_an_event_in_the_dialogs_queue(
    api: Api, talk: Talk, aws_account: Aws, act: str, body: Any, expected: Callable[..., Event]
) -> None:
    dialog = talk(activated(api))
    more = {} if body is None else {"json": body}

    answer = api("POST", f"/api/dialogs/{dialog.id}/{act}", "editor", **more)

    assert answer.status_code == 202, answer.text
    (envelope,) = queued(aws_account)
    assert answer.json() == {"dialog_id": dialog.id, "trace_id": envelope.trace_id}
    assert (envelope.dialog_id, envelope.platform_chat_id) == (dialog.id, dialog.platform_chat_id)
    event = envelope.event
    assert event == expected(id=event.id, occurred_at=event.occurred_at, by=claims({})["sub"])


def activated(api: Api) -> str:
    """A new bot that runs a scenario."""
    bot = api.bot()
    DynamoBots().change(bot, active_scenario_id="7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff", active_revision=1)
    return bot


def test_two_clicks_are_two_acts(api: Api, bot: str, talk: Talk, aws_account: Aws) -> None:
    dialog = talk(bot)
    for _ in range(2):
        api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"})

    first, second = queued(aws_account)
    assert first.event.id != second.event.id


def test_a_dialog_is_begun_by_the_api(api: Api, aws_account: Aws) -> None:
    bot = activated(api)
    api.create(f"/api/bots/{bot}/platforms", {"platform": "webchat", "credentials": {}})
    draft = {"platform": "webchat", "platform_chat_id": "42", "variables": {"order": "A-7"}}

    answer = api("POST", f"/api/bots/{bot}/dialogs", json=draft)

    dialog_id = dialog_id_of(bot, "webchat", "42")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/dialogs/{dialog_id}"
    (envelope,) = queued(aws_account)
    assert (envelope.dialog_id, envelope.platform, envelope.bot_id) == (dialog_id, "webchat", bot)
    assert isinstance(envelope.event, RunRequested)
    assert envelope.event.variables == {"order": "A-7"}


@pytest.mark.parametrize("lacks", ["platform", "scenario", "switch", "switch of the platform"])
def test_a_dialog_that_could_not_go_on_is_not_begun(api: Api, aws_account: Aws, lacks: str) -> None:
    bot = api.bot() if lacks == "scenario" else activated(api)
    if lacks != "platform":
        is_active = lacks != "switch of the platform"
        body = {"platform": "webchat", "credentials": {}, "is_active": is_active}
        api.create(f"/api/bots/{bot}/platforms", body)
    if lacks == "switch":
        api("POST", f"/api/bots/{bot}/deactivate")

    answer = api("POST", f"/api/bots/{bot}/dialogs", json={"platform": "webchat", "platform_chat_id": "42"})

    assert answer.status_code == 409
    assert queued(aws_account) == []


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("dialogs/{dialog}/messages", {"text": " \n"}, "/text"),
        ("dialogs/{dialog}/messages", {"text": "x" * 4001}, "/text"),
        ("dialogs/{dialog}/messages", {}, "/text"),
        ("dialogs/{dialog}/messages", {"text": "a", "media": []}, "/media"),
        ("dialogs/{dialog}/resume", {"step": "no step"}, "/step"),
        ("dialogs/{dialog}/handoff", {"reason": "x" * 501}, "/reason"),
        ("dialogs/{dialog}/restart", {"variables": {"a b": 1}}, "/variables/a b"),
        ("dialogs/{dialog}/restart", {"variables": {"a": "x" * 33_000}}, "/variables"),
        ("bots/{bot}/dialogs", {"platform": "icq", "platform_chat_id": "1"}, "/platform"),
        ("bots/{bot}/dialogs", {"platform": "viber", "platform_chat_id": ""}, "/platform_chat_id"),
        ("bots/{bot}/dialogs", {"platform": "viber", "platform_chat_id": "a\x00"}, "/platform_chat_id"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_act_that_makes_no_sense_is_refused(
    api: Api, talk: Talk, aws_account: Aws, path: str, body: Any, pointer: str
) -> None:
    bot = activated(api)
    answer = api("POST", "/api/" + path.format(bot=bot, dialog=talk(bot).id), json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert queued(aws_account) == []


def test_nobody_acts_on_a_foreign_dialog(api: Api, bot: str, talk: Talk, aws_account: Aws) -> None:
    dialog, stranger = talk(bot), token_of("admin", OTHER_ACCOUNT)
    for act in ("messages", "handoff", "resume", "restart"):
        answer = api("POST", f"/api/dialogs/{dialog.id}/{act}", token=stranger, json={"text": "Hello"})
        assert answer.status_code in {404, 422}
    assert queued(aws_account) == []


def test_an_act_that_the_queue_does_not_take_may_be_tried_again(
    api: Api, bot: str, talk: Talk, aws_account: Aws
) -> None:
    dialog = talk(bot)
    aws_account.sqs.delete_queue(QueueUrl=aws_account.inbound)

    answer = api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"})

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
