from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.dialog.events import Event, GivenBack, HandedOff, OperatorWrote, RunRequested, TaskFinished
from shared.dialog.history import DeliveryRecord, ReceiptRecord
from shared.dialog.sealing import MASK
from shared.dialog.state import Dialog, dialog_id_of
from shared.queueing.envelopes import InboundEnvelope, read_inbound
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import SHARDS
from shared.storage.history import DynamoHistory
from shared.storage.scenarios import DynamoScenarios, Scenario
from tests.backend.tokens import claims
from tests.conftest import Aws, Call
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


def test_platform_of_the_address_is_not_overruled_by_the_query(api: Api, bot: str) -> None:
    answer = api("GET", f"/api/bots/{bot}/platforms/viber/dialogs", params={"platform": "telegram"})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/platform"]


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


NO_MOMENTS = {
    "a day": "2026-11-22",
    "no zone": "2026-11-22T10:00:00",
    "a plus that became a space": "2026-11-22T10:00:00 01:00",
    "seconds": "1763800000",
    "before the calendar begins": "0001-01-01T00:00:00+14:00",
    "after it ends": "9999-12-31T23:59:59-12:00",
    "words": "yesterday",
    "nothing": "",
}


@pytest.mark.parametrize("moment", NO_MOMENTS.values(), ids=NO_MOMENTS)
def test_what_is_no_moment_is_refused_with_how_to_write_one(api: Api, bot: str, moment: str) -> None:
    answer = api("GET", f"/api/bots/{bot}/dialogs", params={"since": moment})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/since"
    assert "2026-11-01T00:00:00Z" in error["message"]


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


@pytest.mark.parametrize("dialogs", [40, 160])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"status": "active"},
        {"since": "2026-11-20T00:00:00Z", "until": "2026-11-21T12:00:00Z", "status": "active"},
        {"platform": "telegram", "until": "2026-11-21T12:00:00Z"},
    ],
    ids=str,
)
def test_a_page_costs_the_same_however_many_dialogs_there_are(
    api: Api, bot: str, talk: Talk, aws_calls: list[Call], dialogs: int, params: dict[str, Any]
) -> None:
    for n in range(dialogs):
        talk(bot, last_interaction_at=NOW - timedelta(hours=n))
    aws_calls.clear()

    found = ids(api, f"/api/bots/{bot}/dialogs", limit=10, **params)

    assert len(found) == 10
    counted = Counter(call.name for call in aws_calls)
    assert set(counted) <= {"dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:GetItem"}
    assert SHARDS <= counted["dynamodb:Query"] <= 3 * SHARDS  # chance says which shards a page ends in
    assert counted["dynamodb:BatchGetItem"] <= 2


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
                "receipt": None,
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


def spoken(dialog: Dialog, turns: int = 7) -> list[str]:
    """A history of so many turns, two entries each; what they say, in order."""
    for turn in range(1, turns + 1):
        at = NOW + timedelta(minutes=turn)
        DynamoHistory().record(entry(dialog, turn, 0, timestamp=at))
        DynamoHistory().record(entry(dialog, turn, 1, timestamp=at))
    return [f"{turn}.{n}" for turn in range(1, turns + 1) for n in (0, 1)]


def history_page(api: Api, dialog: Dialog, **params: Any) -> tuple[list[str], str | None, str | None]:
    """What a page's entries say, and its cursors onward and back."""
    answer = api("GET", f"/api/dialogs/{dialog.id}/history", params=params)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    said = [item["message_data"]["text"] for item in page["items"]]
    return said, page["next_cursor"], page["previous_cursor"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 4, 5, 14, 50])
def test_history_is_walked_to_its_end_and_back(
    api: Api, bot: str, talk: Talk, order: str, limit: int
) -> None:
    dialog = talk(bot)
    texts = spoken(dialog) if order == "asc" else spoken(dialog)[::-1]
    walked: list[list[str]] = []
    cursor, more = None, {"limit": limit, "order": order}
    while walked == [] or cursor:
        said, cursor, back = history_page(api, dialog, **more, **({"cursor": cursor} if cursor else {}))
        walked.append(said)
    assert [text for said in walked for text in said] == texts

    returned = [walked[-1]]
    while back and len(returned) < len(walked):
        said, onward, back = history_page(api, dialog, **more, cursor=back)
        returned.insert(0, said)
        again, _, _ = history_page(api, dialog, **more, cursor=onward)
        assert again == returned[1][:limit]
    assert returned == walked
    assert (back is None) is (order == "asc")


def test_the_newest_page_leads_to_what_is_said_since(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    spoken(dialog, 3)
    newest, _, since = history_page(api, dialog, order="desc", limit=2)
    assert newest == ["3.1", "3.0"]

    nothing, _, still = history_page(api, dialog, order="desc", limit=2, cursor=since)
    assert (nothing, still) == ([], since)
    spoken(dialog, 4)

    said, onward, _ = history_page(api, dialog, order="desc", limit=2, cursor=still)
    assert said == ["4.1", "4.0"]
    assert history_page(api, dialog, order="desc", limit=2, cursor=onward)[0] == newest


@pytest.mark.parametrize(
    ("params", "texts"),
    [
        ({"message_type": "bot"}, ["1.1", "2.1", "3.1"]),
        ({"message_type": ["bot", "user"], "order": "desc"}, ["3.1", "3.0", "2.1", "2.0", "1.1", "1.0"]),
        ({"message_type": "operator"}, []),
        ({"since": "2026-11-22T10:02:00Z", "message_type": "user"}, ["2.0", "3.0"]),
        ({"until": "2026-11-22T10:02:00Z"}, ["1.0", "1.1"]),
        ({"since": "2026-11-22T10:02:00Z", "until": "2026-11-22T10:03:00Z"}, ["2.0", "2.1"]),
    ],
    ids=str,
)
def test_history_is_filtered(
    api: Api, bot: str, talk: Talk, params: dict[str, Any], texts: list[str]
) -> None:
    dialog = talk(bot)
    spoken(dialog, 3)
    for limit in (1, 50):
        walked: list[str] = []
        cursor: str | None = None
        while cursor or not walked:
            said, cursor, _ = history_page(
                api, dialog, limit=limit, **params, **({"cursor": cursor} if cursor else {})
            )
            walked += said
            if cursor is None:
                break
        assert walked == texts


def test_a_delivery_shows_what_its_messenger_told(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    DynamoHistory().record(entry(dialog, 1, 1))
    DynamoHistory().receive(dialog.id, entry(dialog, 1, 1).key, ReceiptRecord("read", NOW))

    (said,) = api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"]

    assert said["delivery"]["status"] == "read"
    assert said["delivery"]["receipt"] == {"status": "read", "at": "2026-11-22T10:00:00Z", "reason": ""}


def test_an_entry_tells_what_a_model_took(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    usage = {"model": "gpt-4.1-mini", "prompt_tokens": 12, "completion_tokens": 3, "cached": False}
    finished = TaskFinished(
        id="t", occurred_at=NOW, epoch="e1", task=1, result={"text": "Hello", "usage": usage}
    )
    data = {"event": msgspec.to_builtins(finished)}
    DynamoHistory().record(entry(dialog, 1, 0, message_type="system", message_data=data))

    (told,) = api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"]

    assert told["message_data"]["event"]["result"] == {"text": "Hello", "usage": usage}


def test_history_of_an_earlier_life_of_the_dialog_is_not_shown(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot)
    earlier = msgspec.structs.replace(dialog, epoch="e0")
    DynamoHistory().record(entry(earlier, 1, 0))

    assert api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"] == []


def test_what_is_sensitive_is_masked(api: Api, bot: str, talk: Talk) -> None:
    dialog = talk(bot, variables={"name": "Иван", "passport": "4510 123456"}, sensitive=("passport", "pin"))
    DynamoHistory().record(entry(dialog, 1, 0, message_data={"event": {"text": MASK}, "sealed": "c2VjcmV0"}))
    spans = [{"start": 3, "end": 7, "style": "bold"}]
    DynamoHistory().record(
        entry(
            dialog,
            1,
            1,
            message_data={
                "text": "So 4510 it is.",
                "masked": f"So {MASK} it is.",
                "spans": spans,
                "template": {"name": "so", "language": "en", "parameters": ["4510"]},
            },
        )
    )

    read = api("GET", f"/api/dialogs/{dialog.id}").json()
    listed = api("GET", f"/api/bots/{bot}/dialogs").json()["items"]
    said, answered = api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"]

    assert read["collected_data"] == {"name": "Иван", "passport": MASK}
    assert listed == [read]
    assert said["message_data"] == {"event": {"text": MASK}}
    template = {"name": "so", "language": "en"}
    assert answered["message_data"] == {"text": f"So {MASK} it is.", "template": template}


def test_history_names_a_file_by_its_record_and_not_where_its_messenger_keeps_it(
    api: Api, bot: str, talk: Talk
) -> None:
    dialog, file = talk(bot), {"type": "image", "media_id": "m", "size": 3}
    event = {"type": "message_received", "file": {**file, "reference": "https://dl.viber.example/?secret"}}
    DynamoHistory().record(entry(dialog, 1, 0, message_data={"event": event}))

    (said,) = api("GET", f"/api/dialogs/{dialog.id}/history").json()["items"]

    assert said["message_data"] == {"event": {"type": "message_received", "file": file}}


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
        ("restart", {"variables": {"name": None}}, partial(RunRequested, variables={"name": None})),
        ("restart", None, RunRequested),
    ],
    ids=str,
)
def test_an_act_becomes_an_event_in_the_dialogs_queue(
    api: Api, talk: Talk, aws_account: Aws, act: str, body: Any, expected: Callable[..., Event]
) -> None:
    dialog = talk(activated(api), platform="webchat")
    more = {} if body is None else {"json": body}

    answer = api("POST", f"/api/dialogs/{dialog.id}/{act}", "editor", **more)

    assert answer.status_code == 202, answer.text
    (envelope,) = queued(aws_account)
    assert answer.json() == {"dialog_id": dialog.id, "trace_id": envelope.trace_id}
    assert (envelope.dialog_id, envelope.platform_chat_id) == (dialog.id, dialog.platform_chat_id)
    event = envelope.event
    assert event == expected(id=event.id, occurred_at=event.occurred_at, by=claims({})["sub"])


def test_an_act_goes_to_the_dialog_it_names_whoever_had_its_number_before(
    api: Api, talk: Talk, aws_account: Aws
) -> None:
    bot = activated(api)
    talk(bot, platform="webchat", chat="4915123456789")
    later = talk(bot, platform="webchat", platform_chat_id="4915123456789")

    assert api("POST", f"/api/dialogs/{later.id}/handoff", "editor").status_code == 202

    (envelope,) = queued(aws_account)
    assert (envelope.dialog_id, envelope.platform_chat_id) == (later.id, "4915123456789")


KEEPING: dict[str, Any] = {
    "version": "1.0",
    "variables": {
        "score": {"type": "integer"},
        "price": {"type": "number"},
        "born": {"type": "date"},
        "is_vip": {"type": "boolean"},
        "tags": {"type": "list"},
        "order": {"type": "string"},
    },
    "steps": [
        {
            "id": "ask_name",
            "message": {"text": "What's your name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "set": {"greeting": "'Hello, ' + name"},
        }
    ],
}


def activated(api: Api, platform: str | None = "webchat") -> str:
    """A new bot that runs a scenario, and is connected to the platform."""
    bot, scenario_id = api.bot(), str(uuid4())
    head = Scenario(id=scenario_id, bot_id=bot, name="s", created_at=NOW, updated_at=NOW)
    DynamoScenarios().create(head, KEEPING)
    DynamoBots().change(bot, active_scenario_id=scenario_id, active_revision=1)
    if platform:
        api.create(f"/api/bots/{bot}/platforms", {"platform": platform, "credentials": CREDENTIALS[platform]})
    return bot


CREDENTIALS: dict[str, dict[str, str]] = {
    "webchat": {},
    "whatsapp": {"phone_number_id": "106540352242922", "access_token": "EAAG-token", "app_secret": "secret"},
}


def test_two_clicks_are_two_acts(api: Api, talk: Talk, aws_account: Aws) -> None:
    dialog = talk(activated(api), platform="webchat")
    for _ in range(2):
        api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"})

    first, second = queued(aws_account)
    assert first.event.id != second.event.id


def test_a_dialog_is_begun_by_the_api(api: Api, aws_account: Aws) -> None:
    bot = activated(api)
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
def test_a_dialog_that_could_not_go_on_is_not_begun(
    api: Api, talk: Talk, aws_account: Aws, lacks: str
) -> None:
    bot = api.bot() if lacks == "scenario" else activated(api, None)
    if lacks != "platform":
        is_active = lacks != "switch of the platform"
        body = {"platform": "webchat", "credentials": {}, "is_active": is_active}
        api.create(f"/api/bots/{bot}/platforms", body)
    if lacks == "switch":
        api("POST", f"/api/bots/{bot}/deactivate")

    start = {"platform": "webchat", "platform_chat_id": "42"}
    dialog = talk(bot, platform="webchat")
    answers = [
        api("POST", f"/api/bots/{bot}/dialogs", json=start),
        api("POST", f"/api/dialogs/{dialog.id}/restart"),
    ]
    if lacks != "scenario":
        answers.append(api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"}))

    assert {answer.status_code for answer in answers} == {409}
    told = {"platform": "not connected", "scenario": "no active scenario", "switch": "switched off"}
    assert all(told.get(lacks, "switched off") in answer.json()["detail"] for answer in answers)
    assert queued(aws_account) == []


@pytest.mark.parametrize(
    ("variables", "wrong"),
    [
        ({"score": 5, "price": 5, "born": "1990-05-01", "is_vip": True, "tags": [], "order": "A-7"}, {}),
        ({"name": "Anna", "greeting": 7, "start_payload": "ref"}, {}),
        ({"score": None, "born": None}, {}),
        ({"score": "5"}, {"/variables/score": ("wrong_type", "This has to be an integer.")}),
        ({"score": 5.5}, {"/variables/score": ("wrong_type", "This has to be an integer.")}),
        ({"is_vip": 1}, {"/variables/is_vip": ("wrong_type", "This has to be a boolean.")}),
        ({"born": "tomorrow"}, {"/variables/born": ("wrong_type", "This has to be a date.")}),
        ({"name": 5}, {"/variables/name": ("wrong_type", "This has to be a string.")}),
        (
            {"order": [], "colour": "red", "score": 1},
            {
                "/variables/order": ("wrong_type", "This has to be a string."),
                "/variables/colour": (
                    "unknown_variable",
                    "The active scenario has no such variable.",
                ),
            },
        ),
    ],
    ids=str,
)
def test_variables_are_those_of_the_active_scenario_and_of_their_types(
    api: Api, talk: Talk, aws_account: Aws, variables: dict[str, Any], wrong: dict[str, tuple[str, str]]
) -> None:
    bot = activated(api)
    start = {"platform": "webchat", "platform_chat_id": "42", "variables": variables}
    restart = f"/api/dialogs/{talk(bot, platform='webchat').id}/restart"
    for answer in (
        api("POST", f"/api/bots/{bot}/dialogs", json=start),
        api("POST", restart, json={"variables": variables}),
    ):
        assert answer.status_code == (422 if wrong else 202), answer.text
        errors = answer.json().get("errors", [])
        assert {each["pointer"]: (each["code"], each["message"]) for each in errors} == wrong
    assert len(queued(aws_account)) == (0 if wrong else 2)


def test_nothing_is_written_to_somebody_who_has_blocked_the_bot(
    api: Api, talk: Talk, aws_account: Aws
) -> None:
    dialog = talk(activated(api), platform="webchat", status="blocked", blocked="active")

    answer = api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"})

    assert answer.status_code == 409
    assert "blocked the bot" in answer.json()["detail"]
    assert queued(aws_account) == []


@pytest.mark.parametrize(
    ("platform", "said", "status"),
    [
        ("whatsapp", {"ago": timedelta(hours=23)}, 202),
        ("whatsapp", {"ago": timedelta(hours=24, minutes=4)}, 202),
        ("whatsapp", {"ago": timedelta(hours=24, minutes=6)}, 409),
        ("whatsapp", {"ago": timedelta(0), "never_wrote": True}, 409),
        ("webchat", {"ago": timedelta(days=9)}, 202),
    ],
    ids=str,
)
def test_a_message_beyond_a_messengers_window_is_refused(
    api: Api, talk: Talk, platform: str, said: dict[str, Any], status: int
) -> None:
    fields = {name: value for name, value in said.items() if name != "ago"}
    said_at = datetime.now(UTC) - said["ago"]
    dialog = talk(activated(api, platform), platform=platform, last_interaction_at=said_at, **fields)

    answer = api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"})

    assert answer.status_code == status
    assert status == 202 or "24 hours" in answer.json()["detail"]


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
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert queued(aws_account) == []


def test_nobody_acts_on_a_foreign_dialog(api: Api, bot: str, talk: Talk, aws_account: Aws) -> None:
    dialog, stranger = talk(bot), token_of("admin", OTHER_ACCOUNT)
    for act in ("messages", "handoff", "resume", "restart"):
        answer = api("POST", f"/api/dialogs/{dialog.id}/{act}", token=stranger, json={"text": "Hello"})
        assert answer.status_code in {404, 422}
    assert queued(aws_account) == []


def test_an_act_that_the_queue_does_not_take_may_be_tried_again(
    api: Api, talk: Talk, aws_account: Aws
) -> None:
    dialog = talk(activated(api), platform="webchat")
    aws_account.sqs.delete_queue(QueueUrl=aws_account.inbound)

    answer = api("POST", f"/api/dialogs/{dialog.id}/messages", json={"text": "Hello"})

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
