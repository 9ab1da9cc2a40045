"""After all those conversations: no secret lies open anywhere, and nobody may do more than they should."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.commands import ROOT
from infra.local.running import RunInfo
from tests.deployed.admin import Admin
from tests.deployed.conftest import TELEGRAM_SECRET, Messengers
from tests.deployed.test_conversations import _on_telegram

pytestmark = pytest.mark.deployed

FUNCTIONS = sorted("/".join(path.parts[-3:-1]) for path in ROOT.glob("functions/*/*/handler.py"))


MODEL_KEY, NAMED_SECRET = "sk-key-of-a-deployed-test", "a-secret-of-a-deployed-test"


@pytest.fixture(scope="module", autouse=True)
def settings(admin: Admin, bot_id: str) -> None:
    """A model and a secret, each written anew once it is there."""
    model = {"provider": "openai", "model": "gpt-4.1-mini", "base_url": "https://models.example.com/v1"}
    for key in (MODEL_KEY, None):
        admin.put(f"/api/bots/{bot_id}/llm", {**model, "api_key": key})
    for value in ("another-secret", NAMED_SECRET):
        admin.put(f"/api/bots/{bot_id}/secrets/crm_token", {"value": value})


def secrets_of(messengers: Messengers) -> list[str]:
    whatsapp = messengers.whatsapp
    return [
        MODEL_KEY,
        NAMED_SECRET,
        messengers.telegram.token,
        TELEGRAM_SECRET,
        whatsapp.access_token,
        whatsapp.app_secret,
        messengers.viber.auth_token,
    ]


def test_answers_show_which_secrets_are_set_and_no_more(
    admin: Admin, bot_id: str, messengers: Messengers
) -> None:
    paths = ("platforms", "llm", "secrets")
    shown = json.dumps([admin.get(f"/api/bots/{bot_id}/{path}") for path in paths], ensure_ascii=False)
    for secret in secrets_of(messengers):
        assert secret not in shown
        assert f"…{secret[-4:]}" in shown


def test_no_secret_lies_open_in_the_tables(parley: RunInfo, bot_id: str, messengers: Messengers) -> None:
    tables = [parley.outputs()[f"{name}Table"] for name in ("BotPlatformCredential", "BotSettings", "Cache")]
    items = str([parley.client("dynamodb").scan(TableName=table)["Items"] for table in tables])
    assert bot_id in items
    for secret in secrets_of(messengers):
        assert secret not in items


def test_no_secret_and_no_words_are_in_the_logs(
    parley: RunInfo, messengers: Messengers, webhook: dict[str, str]
) -> None:
    person, _ = _on_telegram(messengers, webhook, 90)
    person.next()
    person.say("Rumpelstiltskin")
    person.next()
    logs = "\n".join(parley.logs(function, last=100_000) for function in FUNCTIONS)
    assert "event taken in" in logs, "the logs are really read"
    for word in [*secrets_of(messengers), "Rumpelstiltskin", "Petrov", "Bearer "]:
        assert word not in logs


def test_rights_are_enforced_in_this_run(parley: RunInfo) -> None:
    """Or all the policies of the template would have been tested by nobody."""
    stranger = boto3.client(
        "dynamodb",
        endpoint_url=parley.aws_endpoint_url,
        region_name=parley.region,
        aws_access_key_id="AKIASTRANGER00000000",
        aws_secret_access_key="unknown",
    )
    with pytest.raises(ClientError) as refused:
        stranger.scan(TableName=parley.outputs()["BotPlatformCredentialTable"])
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
