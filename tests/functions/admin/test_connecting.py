"""Webhooks registered through the API, and taken away again."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from shared.connecting.caller import Unanswered
from shared.platforms.base import Response
from tests.functions.admin.conftest import API_URL, SCENARIO, Api, Messenger
from tests.functions.admin.test_platforms import GIVEN, connect

TOKEN = GIVEN["telegram"]["bot_token"]

REGISTERED: dict[str, list[str]] = {
    "telegram": ["getMe", "setWebhook", "deleteMyCommands"],
    "whatsapp": [
        "106540352242922?fields=id,display_phone_number,verified_name",
        "subscribed_apps",
        "106540352242922",
    ],
    "viber": ["get_account_info", "set_webhook"],
    "webchat": [],
}
REMOVED: dict[str, list[str]] = {
    "telegram": ["deleteWebhook"],
    "whatsapp": ["106540352242922"],
    "viber": ["set_webhook"],
    "webchat": [],
}


def refusal(http_status: int, /, **body: Any) -> Response:
    return Response(http_status, json.dumps(body).encode())


UNAUTHORIZED = refusal(401, ok=False, error_code=401, description="Unauthorized")


def register(api: Api, bot: str, platform: str = "telegram") -> Any:
    return api("POST", f"/api/bots/{bot}/platforms/{platform}/connect")


def health(api: Api, bot: str, platform: str = "telegram") -> dict[str, Any]:
    found: dict[str, Any] = api("GET", f"/api/bots/{bot}/platforms/{platform}").json()["health"]
    return found


@pytest.mark.parametrize("platform", GIVEN)
def test_connecting_registers_the_webhook_and_tells_how_that_went(
    api: Api, bot: str, messenger: Messenger, platform: str
) -> None:
    connect(api, bot, platform)
    answer = register(api, bot, platform)

    assert answer.status_code == 200, answer.text
    assert messenger.methods() == REGISTERED[platform]
    told = answer.json()
    assert told["webhook_url"] == f"{API_URL}/api/webhook/{platform}/{bot}"
    assert [step["answered"] for step in told["steps"]] == ["done"] * len(REGISTERED[platform])
    assert told["health"] == health(api, bot, platform)
    assert (
        told["health"].items()
        >= {
            "status": "ok",
            "detail": "",
            "webhook_url": told["webhook_url"],
        }.items()
    )
    assert datetime.fromisoformat(told["health"]["checked_at"]).tzinfo is not None


def test_the_account_is_told(api: Api, bot: str, messenger: Messenger) -> None:
    messenger.account["result"] = {"id": 7, "first_name": "Ann", "username": "ann_bot"}
    connect(api, bot, "telegram")

    assert register(api, bot).json()["account"] == {"id": "7", "name": "Ann", "username": "ann_bot"}


def test_telegram_lists_the_commands_of_the_active_scenario(api: Api, bot: str, messenger: Messenger) -> None:
    commands = {"/help": {"next_step": "bye", "description": "What is this?"}}
    made = api.create(
        f"/api/bots/{bot}/scenarios",
        {"name": "S", "scenario_data": {**SCENARIO, "commands": commands}},
    )
    assert api("POST", f"/api/scenarios/{made['id']}/activate").status_code == 200
    connect(api, bot, "telegram")

    assert register(api, bot).status_code == 200
    assert messenger.methods()[-1] == "setMyCommands"
    assert messenger.calls[-1].json == {"commands": [{"command": "help", "description": "What is this?"}]}


class Refused(NamedTuple):
    """What a messenger answers `at` an address, and what the caller is told."""

    platform: str
    at: str
    answer: Response | Exception
    status: int
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.platform} {self.at} {self.status}"


REFUSALS = [
    Refused("telegram", "getMe", UNAUTHORIZED, 422, "/credentials/bot_token"),
    Refused("telegram", "setWebhook", refusal(400, description="Bad Request: bad webhook"), 409),
    Refused("telegram", "getMe", refusal(429, parameters={"retry_after": 7}), 503),
    Refused("telegram", "getMe", Unanswered("ReadTimeout"), 503),
    Refused("viber", "get_account_info", refusal(200, status=2), 422, "/credentials/auth_token"),
    Refused("viber", "set_webhook", refusal(200, status=1, status_message="invalidUrl"), 409),
    Refused("whatsapp", "fields=", refusal(401, error={"code": 190}), 422, "/credentials/access_token"),
    Refused(
        "whatsapp",
        "subscribed_apps",
        refusal(403, error={"code": 200, "message": "No"}),
        422,
        "/credentials/business_account_id",
    ),
]


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_a_refusal_is_told_and_kept(api: Api, bot: str, messenger: Messenger, case: Refused) -> None:
    connect(api, bot, case.platform)
    messenger.answers[case.at] = case.answer

    told = register(api, bot, case.platform)

    assert told.status_code == case.status
    assert told.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in told.json()["errors"]] == [case.pointer] * (case.status == 422)
    assert ("retry-after" in told.headers) is (case.status == 503)
    kept = health(api, bot, case.platform)
    assert kept["status"] == ("unknown" if case.status == 503 else "bad")
    assert kept["detail"] in told.json()["detail"]
    assert "webhook_url" not in kept


def test_the_wait_that_a_messenger_asks_for_is_passed_on(api: Api, bot: str, messenger: Messenger) -> None:
    connect(api, bot, "telegram")
    messenger.answers["getMe"] = refusal(429, parameters={"retry_after": 7})
    assert register(api, bot).headers["retry-after"] == "7"


def test_a_refusal_names_no_secret(
    api: Api, bot: str, messenger: Messenger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connect(api, bot, "telegram")
    messenger.answers["getMe"] = refusal(401, description=f"Malformed token {TOKEN}{TOKEN} 'x'")

    told = register(api, bot)

    assert TOKEN not in told.text + caplog.text + json.dumps(health(api, bot))
    assert "did not do as asked" in caplog.text


def test_what_is_switched_off_is_not_connected(api: Api, bot: str, messenger: Messenger) -> None:
    connect(api, bot, "telegram")
    api(
        "PUT",
        f"/api/bots/{bot}/platforms/telegram",
        json={"credentials": GIVEN["telegram"], "is_active": False},
    )
    assert "The connection is switched off" in register(api, bot).json()["detail"]

    api("POST", f"/api/bots/{bot}/deactivate")
    answer = register(api, bot)

    assert answer.status_code == 409
    assert "The bot is switched off" in answer.json()["detail"]
    assert messenger.methods() == ["deleteWebhook"]


@pytest.mark.parametrize("platform", GIVEN)
def test_deleting_a_platform_takes_its_webhook_away(
    api: Api, bot: str, messenger: Messenger, platform: str
) -> None:
    connect(api, bot, platform)
    assert api("DELETE", f"/api/bots/{bot}/platforms/{platform}").status_code == 204
    assert messenger.methods() == REMOVED[platform]


ANOTHER: dict[str, dict[str, str]] = {
    "telegram": {"bot_token": "987654321:AAF0-token_of_another"},
    "whatsapp": {"phone_number_id": "206540352242922"},
    "viber": {"auth_token": "5553b6ac12345678-e02c5f1217480589-9db9cbc7a8b2a2ba"},
}


@pytest.mark.parametrize("platform", ANOTHER)
def test_another_account_takes_the_former_one_s_webhook_away(
    api: Api, bot: str, messenger: Messenger, platform: str
) -> None:
    connect(api, bot, platform)
    path = f"/api/bots/{bot}/platforms/{platform}"

    answer = api("PUT", path, json={"credentials": GIVEN[platform] | ANOTHER[platform]})

    assert messenger.methods() == REMOVED[platform]
    (call,) = messenger.calls
    (given,) = ANOTHER[platform].values()
    assert given not in call.url + str(call.headers)
    assert answer.headers["etag"] == api("GET", path).headers["etag"]
    assert answer.json()["health"]["webhook_url"] == ""


def test_a_connection_that_is_switched_off_is_called_by_nobody(
    api: Api, bot: str, messenger: Messenger
) -> None:
    connect(api, bot, "telegram")
    body = {"credentials": GIVEN["telegram"], "is_active": False}
    for _ in range(2):
        assert api("PUT", f"/api/bots/{bot}/platforms/telegram", json=body).status_code == 200
    assert messenger.methods() == ["deleteWebhook"]


@pytest.mark.parametrize("token", ["AAF0-token_of_a_test", "AAF0-a_newer_one"])
def test_the_same_account_stays_connected(api: Api, bot: str, messenger: Messenger, token: str) -> None:
    connect(api, bot, "telegram")
    body = {"credentials": {"bot_token": f"123456789:{token}"}}
    assert api("PUT", f"/api/bots/{bot}/platforms/telegram", json=body).status_code == 200
    assert messenger.calls == []


@pytest.mark.parametrize("answer", [Unanswered("ConnectError"), UNAUTHORIZED], ids=str)
def test_a_platform_can_be_deleted_whatever_its_messenger_says(
    api: Api, bot: str, messenger: Messenger, answer: Response | Exception
) -> None:
    connect(api, bot, "telegram")
    messenger.answers["deleteWebhook"] = answer

    assert api("DELETE", f"/api/bots/{bot}/platforms/telegram").status_code == 204
    assert api("GET", f"/api/bots/{bot}/platforms/telegram").status_code == 404


def test_a_deletion_that_breaks_off_can_be_asked_for_again(api: Api, bot: str, messenger: Messenger) -> None:
    """And nobody else has the account before the messenger has heard of it."""
    connect(api, bot, "telegram")
    path = f"/api/bots/{bot}/platforms/telegram"
    messenger.answers["deleteWebhook"] = MemoryError()
    assert api("DELETE", path).status_code == 500
    assert api("GET", path).status_code == 200

    del messenger.answers["deleteWebhook"]
    assert api("DELETE", path).status_code == 204
    assert messenger.methods()[-1] == "deleteWebhook"


def test_nothing_is_taken_away_where_the_deletion_is_refused(
    api: Api, bot: str, messenger: Messenger
) -> None:
    connect(api, bot, "telegram")
    path = f"/api/bots/{bot}/platforms/telegram"

    assert api("DELETE", path, headers={"If-Match": '"another"'}).status_code == 412
    assert messenger.calls == []


def switch(api: Api, bot: str, *, on: bool, by: str) -> None:
    if by == "its own route":
        answer = api("POST", f"/api/bots/{bot}/{'activate' if on else 'deactivate'}")
    else:
        answer = api("PUT", f"/api/bots/{bot}", json={"name": "A bot", "is_active": on})
    assert answer.status_code == 200


@pytest.mark.parametrize("by", ["its own route", "PUT"])
def test_a_bot_switched_off_is_called_by_nobody_until_it_is_switched_on(
    api: Api, bot: str, messenger: Messenger, by: str
) -> None:
    for platform in ("telegram", "viber"):
        connect(api, bot, platform)
        register(api, bot, platform)
    messenger.calls.clear()

    switch(api, bot, on=False, by=by)
    assert messenger.methods() == ["deleteWebhook", "set_webhook"]
    assert health(api, bot)["webhook_url"] == health(api, bot, "viber")["webhook_url"] == ""
    messenger.calls.clear()

    switch(api, bot, on=True, by=by)
    assert messenger.methods() == ["getMe", "setWebhook", "get_account_info", "set_webhook"]
    assert health(api, bot)["webhook_url"] == f"{API_URL}/api/webhook/telegram/{bot}"


def test_switching_twice_asks_once(api: Api, bot: str, messenger: Messenger) -> None:
    connect(api, bot, "telegram")
    for on in (True, False, False, True, True):
        switch(api, bot, on=on, by="its own route")
    assert messenger.methods() == ["deleteWebhook", "getMe", "setWebhook"]


def test_a_bot_that_was_never_connected_is_not_connected_by_activation(
    api: Api, messenger: Messenger
) -> None:
    bot = api.bot(is_active=False)
    connect(api, bot, "telegram")

    switch(api, bot, on=True, by="its own route")

    assert messenger.calls == []


def test_a_messenger_that_is_down_keeps_no_bot_from_being_switched(
    api: Api, bot: str, messenger: Messenger
) -> None:
    connect(api, bot, "telegram")
    messenger.answers["bot"] = Unanswered("ConnectTimeout")

    switch(api, bot, on=False, by="its own route")

    assert api("GET", f"/api/bots/{bot}").json()["is_active"] is False
    assert health(api, bot)["status"] == "unknown"
    assert health(api, bot)["detail"] == "webhook: no answer (ConnectTimeout)"

    messenger.answers.clear()
    switch(api, bot, on=True, by="its own route")

    assert messenger.methods()[-1] == "setWebhook"
    assert health(api, bot)["status"] == "ok"
