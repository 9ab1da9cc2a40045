"""Messengers told of the bot's webhooks by the deployment itself; two of them call back meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from infra.local.commands import ROOT
from infra.local.running import RunInfo
from tests.deployed.admin import Admin
from tests.deployed.conftest import Messengers

pytestmark = pytest.mark.deployed


def _registered(messengers: Messengers, platform: str) -> str:
    return {
        "telegram": messengers.telegram.webhook,
        "whatsapp": messengers.whatsapp.callback,
        "viber": messengers.viber.webhook,
        "webchat": "",
    }[platform]


@pytest.mark.parametrize("platform", ["telegram", "whatsapp", "viber", "webchat"])
def test_a_connected_messenger_knows_the_webhook(
    admin: Admin, parley: RunInfo, messengers: Messengers, bot_id: str, platform: str
) -> None:
    address = f"{parley.api_url}/api/webhook/{platform}/{bot_id}"

    told = admin.post(f"/api/bots/{bot_id}/platforms/{platform}/connect")

    assert told["webhook_url"] == address
    assert told["health"] == admin.get(f"/api/bots/{bot_id}/platforms/{platform}")["health"]
    assert told["health"]["status"] == "ok"
    assert _registered(messengers, platform) in {address, ""}
    assert bool(_registered(messengers, platform)) is (platform != "webchat")


def test_somebody_is_answered_by_way_of_the_address_that_telegram_was_told(
    admin: Admin, messengers: Messengers, bot_id: str
) -> None:
    admin.post(f"/api/bots/{bot_id}/platforms/telegram/connect")

    person = messengers.telegram.person(chat_id=5_000_000_900, first_name="Anna")

    assert person.start().status == 200
    assert person.next(30).text


def test_switching_a_bot_off_and_on_is_kept_with_its_connections(admin: Admin, parley: RunInfo) -> None:
    bot = admin.post(f"/api/accounts/{parley.account_id}/bots", {"name": "Switched"})["id"]
    admin.post(f"/api/bots/{bot}/platforms", {"platform": "webchat", "credentials": {}})

    admin.post(f"/api/bots/{bot}/deactivate")
    assert admin.get(f"/api/bots/{bot}/platforms/webchat")["health"]["webhook_url"] == ""

    admin.post(f"/api/bots/{bot}/activate")
    known = admin.get(f"/api/bots/{bot}/platforms/webchat")["health"]["webhook_url"]
    assert known == f"{parley.api_url}/api/webhook/webchat/{bot}"


def test_one_command_registers_all_of_them_anew(parley: RunInfo, messengers: Messengers, bot_id: str) -> None:
    messengers.viber.webhook = ""
    aws = {
        "AWS_ENDPOINT_URL": parley.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": parley.region,
    }

    done = subprocess.run(
        [sys.executable, "-m", "infra.register", "--again"],
        cwd=ROOT,
        env={**os.environ, **aws},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert f"{bot_id} viber: registered" in lines
    assert messengers.viber.webhook == f"{parley.api_url}/api/webhook/viber/{bot_id}"
    assert not [line for line in lines if "webchat" in line]
