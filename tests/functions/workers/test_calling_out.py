"""Tasks that call somebody of the account's, in the worker as Lambda calls it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from shared.dialog.events import TaskFinished
from shared.queueing.envelopes import TaskEnvelope, read_inbound
from shared.storage.bot_settings import SYNC, VALUE, DynamoBotSettings, name_of_secret
from shared.storage.sealing import KmsSealer
from tests.conftest import ENVIRONMENT, Aws
from tests.functions.workers.test_tasks import MODULE, Context, a_task, batch, of_a_dialog, received
from tests.standins.postgrest import PostgRestServer, Table

SECRET = "a-service-key-that-is-nobodys-business"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgRestServer]:
    """The account's own, listed by the deployment as somewhere private."""
    with PostgRestServer(SECRET) as server:
        monkeypatch.setenv("PRIVATE_HOSTS", server.url.removeprefix("http://"))
        server.tables["staff"] = Table({"chat": "text", "name": "text"}, [{"chat": "42", "name": "Ann"}])
        yield server


@pytest.fixture
def stored(aws_account: Aws) -> DynamoBotSettings:
    return DynamoBotSettings(KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"]))


def finished(aws_account: Aws, work: TaskEnvelope, monkeypatch: pytest.MonkeyPatch) -> TaskFinished:
    """What the dialog hears of its task from a worker that has just started."""
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    assert import_module(MODULE).lambda_handler(batch(work), Context()) == {"batchItemFailures": []}
    monkeypatch.delitem(sys.modules, MODULE)
    (told,) = received(aws_account, aws_account.inbound)
    event = read_inbound(told).event
    assert isinstance(event, TaskFinished)
    return event


def an_http_task(url: str) -> TaskEnvelope:
    request: dict[str, Any] = {
        "method": "GET",
        "url": f"{url}/rest/v1/staff",
        "headers": {"apikey": "", "Authorization": "Bearer "},
        "body": None,
        "secrets": [
            {"at": "/headers/apikey", "offset": 0, "name": "key"},
            {"at": "/headers/Authorization", "offset": 7, "name": "key"},
        ],
        "schema": {"type": "array"},
    }
    return of_a_dialog(a_task("http", **request))


def test_an_http_step_is_performed_with_the_bots_secret_which_is_nowhere_else(
    aws_account: Aws,
    stored: DynamoBotSettings,
    server: PostgRestServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work = an_http_task(server.url)
    stored.put(work.bot_id, name_of_secret("key"), {}, {VALUE: SECRET})
    with caplog.at_level(logging.DEBUG, "parley"):
        event = finished(aws_account, work, monkeypatch)
    assert event.error == ""
    assert event.result["body"] == [{"chat": "42", "name": "Ann"}]
    assert SECRET not in caplog.text + str(capsys.readouterr()) + repr(event)


def test_an_http_step_without_its_secret_says_which(
    aws_account: Aws, server: PostgRestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = finished(aws_account, an_http_task(server.url), monkeypatch)
    assert (event.error, event.result) == ("the bot has no secret “key”", {})
    assert server.requests == []


def test_what_no_deployment_has_listed_is_not_called(
    aws_account: Aws, stored: DynamoBotSettings, server: PostgRestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRIVATE_HOSTS")
    work = an_http_task(server.url.replace("http:", "https:"))
    stored.put(work.bot_id, name_of_secret("key"), {}, {VALUE: SECRET})
    assert finished(aws_account, work, monkeypatch).error == "the address is not a public one"
    assert server.requests == []


def test_a_persons_record_is_looked_up_where_the_sync_says(
    aws_account: Aws, stored: DynamoBotSettings, server: PostgRestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = of_a_dialog(a_task("contact", username="", variables={}))
    public = {
        "sink": {"type": "supabase", "url": server.url, "table": "staff", "key": ["chat"]},
        "mapping": {},
        "contact": {"table": "staff", "match": {"chat": "platform_chat_id"}, "fields": {"name": "string"}},
    }
    stored.put(work.bot_id, SYNC, public, {"service_key": SECRET})
    event = finished(aws_account, work, monkeypatch)
    assert (event.error, event.result) == ("", {"contact": {"name": "Ann"}})
