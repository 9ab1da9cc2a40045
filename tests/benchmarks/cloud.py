"""A small AWS and a Telegram on loopback, for cold starts, with one bot that is connected everywhere.

The AWS is moto's server; it is filled through the same repositories that the Lambdas use.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer

from shared import aws
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.scenarios import DynamoScenarios, Scenario
from shared.storage.tables import TABLES
from tests.backend.tokens import SECRET
from tests.benchmarks.files import ONBOARDING, read_scenario
from tests.benchmarks.pipeline import BOT_ID, BOT_NAME, SCENARIO_ID, SETTINGS
from tests.conftest import ENVIRONMENT
from tests.standins.telegram import TelegramStandIn

ACCOUNT_ID = "b07b07b0-0000-4000-8000-000000000003"
CHAT_ID = 987_654_321
"""A chat that the messenger knows."""

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_QUEUES = [name for name in ENVIRONMENT if name.endswith(("QUEUE_URL", "DLQ_URL"))]
_PUBLIC = {"phone_number_id", "sender_name"}


@contextmanager
def cloud() -> Iterator[tuple[Mapping[str, str], TelegramStandIn]]:
    """Start it and fill it; gives the variables of a deployment in it, and the messenger."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it tells of every request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    aws_url = "http://{}:{}".format(*server.get_host_and_port())
    _forget_all(aws_url)
    try:
        with TelegramStandIn(SETTINGS["telegram"]["bot_token"]) as telegram:
            telegram.person(chat_id=CHAT_ID).has_started = True
            with furnished(_addresses(aws_url, telegram.url)) as known:
                yield known, telegram
    finally:
        _forget_all(aws_url)
        server.stop()


@contextmanager
def furnished(addresses: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """What a deployment consists of, with one bot, in the AWS at `AWS_ENDPOINT_URL`; gives its variables."""
    with _variables({**ENVIRONMENT, **addresses}) as known:
        made = _make_resources()
        _fill(made["CREDENTIALS_KEY_ID"])
        yield known | made


def _forget_all(aws_url: str) -> None:
    """moto has one memory in a process: what tests have left in it, and what would be left to them."""
    with urlopen(Request(f"{aws_url}/moto-api/reset", method="POST")) as answer:
        assert answer.status == HTTPStatus.OK


def _addresses(aws_url: str, telegram_url: str) -> dict[str, str]:
    """No address of a Supabase project: its tokens are then verified by the secret alone."""
    return {"AWS_ENDPOINT_URL": aws_url, "TELEGRAM_API_URL": telegram_url, "SUPABASE_URL": ""}


@contextmanager
def _variables(variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """Set them for this process too, which fills the cloud with the code that will read it."""
    before = dict(os.environ)
    try:
        os.environ.update(variables)
        aws.reset()
        yield variables
    finally:
        os.environ.clear()
        os.environ.update(before)
        aws.reset()


def _make_resources() -> dict[str, str]:
    """Gives the variables that only their making tells."""
    for table in TABLES:
        table.create_table(billing_mode="PAY_PER_REQUEST")
    secret_name = ENVIRONMENT["SUPABASE_JWT_SECRET_NAME"]
    # moto's SSM is slow to wake up, so that the call may be made again by the client
    aws.client("ssm").put_parameter(Name=secret_name, Value=SECRET, Type="SecureString", Overwrite=True)
    aws.client("s3").create_bucket(
        Bucket=ENVIRONMENT["MEDIA_BUCKET"],
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    key = aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    return {"CREDENTIALS_KEY_ID": key} | {name: _make_queue(name) for name in _QUEUES}


def _make_queue(variable: str) -> str:
    name = ENVIRONMENT[variable].rsplit("/", 1)[1]
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    attributes: dict[Any, str] = fifo if name.endswith(".fifo") else {}
    return aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def _fill(key_id: str) -> None:
    """One active bot with a scenario and a credential on every platform."""
    DynamoScenarios().create(
        Scenario(id=SCENARIO_ID, bot_id=BOT_ID, name=BOT_NAME, created_at=_NOW, updated_at=_NOW),
        dict(read_scenario(ONBOARDING)),
    )
    bot = Bot(id=BOT_ID, account_id=ACCOUNT_ID, name=BOT_NAME, created_at=_NOW, updated_at=_NOW)
    DynamoBots().create(replace(bot, active_scenario_id=SCENARIO_ID, active_revision=1))
    credentials = DynamoCredentials(aws.client("kms"), key_id)
    for platform, settings in {**SETTINGS, "webchat": {"token_secret": "benchmark"}}.items():
        credentials.create(BOT_ID, platform, settings, set(settings) - _PUBLIC, True, platform)  # noqa: FBT003
