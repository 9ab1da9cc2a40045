from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.dialog.history import DeliveryRecord
from shared.storage.history import DynamoHistory
from tests.functions.admin.conftest import NOW, Api, Talk, entry


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
