"""The admin API in this process: the four apps over an AWS in memory, and members of every role."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Match

from functions.admin.bots import connections
from functions.admin.bots import routes as bots
from functions.admin.bots.deleting import Deleting
from functions.admin.bots.main_systems import MainSystems
from functions.admin.dialogs import routes as dialogs
from functions.admin.media import routes as media
from functions.admin.media.shelf import Shelf
from functions.admin.platforms import connecting
from functions.admin.platforms import routes as platforms
from functions.admin.scenarios import routes as scenarios
from functions.admin.scenarios.preview import Previews
from functions.admin.scenarios.trial import Trials
from shared import aws
from shared import guard as addresses
from shared.admin_api.app import Guard, create_app
from shared.admin_api.outside import Outside
from shared.backend.accounts import ClaimedMemberships
from shared.backend.kept import Kept
from shared.backend.keys import SharedSecret
from shared.backend.tokens import TokenVerifier
from shared.connecting.base import Call
from shared.connecting.registrar import Registrar
from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.state import Dialog, dialog_id_of
from shared.media.base import MediaFile
from shared.media.library import Library
from shared.media.links import addresses_below
from shared.media.store import S3Store
from shared.platforms import MessengerAddresses
from shared.platforms.base import Response
from shared.queueing.producer import SqsDeletions, SqsExports, SqsInbound, SqsSyncs, SqsTasks
from shared.results.columns import ResultColumns
from shared.storage.bot_settings import DynamoBotSettings
from shared.storage.bots import DynamoBots
from shared.storage.clock import utc_now
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.exports import DynamoExports
from shared.storage.history import DynamoHistory
from shared.storage.media import DynamoMedia
from shared.storage.refusals import DynamoRefusals
from shared.storage.results import DynamoResults
from shared.storage.scenarios import DynamoScenarios
from shared.storage.sealing import KmsSealer
from shared.storage.usage import DynamoUsage
from tests.admin_api.gateway import client_of
from tests.backend.tokens import SECRET, claims, signed
from tests.conftest import ENVIRONMENT, Aws

ACCOUNT = "7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a001"
OTHER_ACCOUNT = "7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a002"
ROUTERS: tuple[APIRouter, ...] = (
    bots.router,
    platforms.router,
    scenarios.router,
    dialogs.router,
    media.router,
)
API_URL = "https://chat.example.com"
MEDIA_URL = "https://cdn.example.com"
TELEGRAM = {"bot_token": "123456789:AAF0-token_of_a_test"}
MODEL = {"provider": "openai", "model": "gpt-4.1-mini", "api_key": "sk-proj-key-of-a-test"}
SYNC: dict[str, Any] = {
    "sink": {"type": "webhook", "url": "https://crm.example.com/runs"},
    "mapping": {"name": "name", "run.id": "run"},
}
NAMED_SECRET = "secret-value-of-a-test"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

SCENARIO: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "ask_name",
            "message": {"text": "What's your name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "Bye, {{ name }}!"}, "end": True},
    ],
}
BROKEN_SCENARIO: dict[str, Any] = {
    **SCENARIO,
    "steps": [{"id": "ask_name", "message": {"text": "Hello"}, "next_step": "nowhere"}],
}


def token_of(role: str, account: str = ACCOUNT) -> str:
    return signed(claims({account: role}))


@dataclass(frozen=True)
class Api:
    """All the apps behind one address; a request goes where API Gateway would send it."""

    apps: tuple[tuple[APIRouter, httpx.Client], ...]

    def __call__(
        self, method: str, path: str, role: str | None = "admin", *, token: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        bearer = token or (token_of(role) if role else None)
        if bearer is not None:
            headers.setdefault("Authorization", f"Bearer {bearer}")
        return self.client_for(path).request(method, path, headers=headers, **more)

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a POST that succeeds answers."""
        answer = self("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def bot(self, account: str = ACCOUNT, **fields: Any) -> str:
        """The id of a new bot."""
        path = f"/api/accounts/{account}/bots"
        answer = self("POST", path, token=token_of("admin", account), json={"name": "A bot"} | fields)
        return str(answer.json()["id"])

    def client_for(self, path: str) -> httpx.Client:
        scope = {"type": "http", "method": "GET", "path": path.partition("?")[0], "root_path": ""}
        for router, client in self.apps:
            if any(route.matches(scope)[0] is not Match.NONE for route in router.routes):
                return client
        return self.apps[0][1]


@pytest.fixture
def guard() -> Guard:
    verifier = TokenVerifier({"HS256": SharedSecret(Kept("the secret", SECRET.encode))})
    return Guard(verifier, ClaimedMemberships(), lambda: b"a key of tests")


@dataclass
class Messenger:
    """Whoever is called by HTTP: does as asked, in every messenger's words, unless `answers` has others."""

    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Response | Exception] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)

    def __call__(self, call: Call) -> Response:
        self.calls.append(call)
        answer = next((each for part, each in self.answers.items() if part in call.url), None)
        if isinstance(answer, Exception):
            raise answer
        done = {"ok": True, "result": True, "success": True, "status": 0, **self.account}
        return answer or Response(200, json.dumps(done).encode())

    def methods(self) -> list[str]:
        """The last part of each address that was called."""
        return [call.url.rpartition("/")[2] for call in self.calls]


@pytest.fixture
def messenger() -> Messenger:
    return Messenger()


@pytest.fixture
def api(aws_account: Aws, guard: Guard, messenger: Messenger) -> Api:
    credentials, saved = DynamoCredentials(aws_account.kms), DynamoScenarios()
    registrar = Registrar(MessengerAddresses(), credentials, messenger)
    sealer = KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])
    settings, syncs = DynamoBotSettings(sealer), SqsSyncs(aws_account.sqs, aws_account.syncs)
    outside = Outside(addresses.Guard("127.0.0.1:11434, db.internal:5432"))
    collaborators: dict[str, object] = {
        "bots": DynamoBots(),
        "credentials": credentials,
        "connections": connecting.Connections(credentials, saved, registrar),
        "switching": connections.Connections(credentials, registrar),
        "deleting": Deleting(DynamoBots(), SqsDeletions(aws_account.sqs, aws_account.deletions)),
        "public_url": API_URL,
        "settings": settings,
        "main_systems": MainSystems(settings, DynamoBots(), saved, syncs, outside),
        "refusals": DynamoRefusals(sealer),
        "usage": DynamoUsage(),
        "outside": outside,
        "shelf": Shelf(DynamoMedia(), S3Store(lambda: aws_account.s3, aws_account.bucket)),
        "media_url": MEDIA_URL,
        "scenarios": saved,
        "trials": Trials(),
        "previews": Previews(Trials(), Library(DynamoMedia(), addresses_below(MEDIA_URL), utc_now)),
        "dialogs": DynamoDialogs(),
        "history": DynamoHistory(),
        "inbound": SqsInbound(aws_account.sqs, aws_account.inbound),
        "tasks": SqsTasks(aws_account.sqs, aws_account.tasks),
        "syncs": syncs,
        "results": DynamoResults(),
        "columns": ResultColumns(saved),
        "exports": DynamoExports(),
        "export_queue": SqsExports(aws_account.sqs, aws_account.exports),
        "export_files": S3Store(partial(aws.store_client, "", "", None), aws_account.bucket),
    }
    apps: tuple[FastAPI, ...] = tuple(create_app(router, guard, **collaborators) for router in ROUTERS)
    return Api(tuple((router, client_of(app)) for router, app in zip(ROUTERS, apps, strict=True)))


@pytest.fixture
def bot(api: Api) -> str:
    return api.bot()


@pytest.fixture
def scenario(api: Api, bot: str) -> str:
    body = {"name": "Onboarding", "scenario_data": SCENARIO}
    return str(api.create(f"/api/bots/{bot}/scenarios", body)["id"])


Talk = Callable[..., Dialog]


@pytest.fixture
def talk(aws_account: Aws) -> Talk:
    """Makes a dialog of a bot as the dialog worker would have left it."""

    def make(bot: str, **fields: Any) -> Dialog:
        platform, chat = fields.pop("platform", "telegram"), fields.pop("chat", str(uuid4()))
        usual: dict[str, Any] = {
            "epoch": "e1",
            "created_at": NOW,
            "updated_at": NOW,
            "last_interaction_at": NOW,
            "run": 1,
            "current_step": "ask_name",
            "variables": {"name": "Иван"},
            "recent_events": ("hash-of-an-event",),
        }
        place = {"id": dialog_id_of(bot, platform, chat), "bot_id": bot}
        dialog = Dialog(**(usual | place | {"platform": platform, "platform_chat_id": chat} | fields))
        DynamoDialogs().commit(dialog, None)
        return dialog

    return make


def a_file(bot: str, **fields: Any) -> str:
    """The id of a file of the bot's library, or of what a dialog's person sent; its bytes are not there."""
    media_id = fields.pop("id", str(uuid4()))
    usual: dict[str, Any] = {
        "bot_id": bot,
        "file_type": "image",
        "file_name": "a.png",
        "status": "ready",
        "content_type": "image/png",
        "size": 3,
        "storage_path": f"media/{media_id}/k/a.png",
        "link_key": "k",
        "created_at": NOW,
        "updated_at": NOW,
    }
    DynamoMedia().create(MediaFile(id=media_id, **(usual | fields)))
    return str(media_id)


@pytest.fixture
def ids(api: Api, bot: str, scenario: str, talk: Talk) -> dict[str, str]:
    """What the places in a route's path stand for, by the kind of thing that has the id."""
    api.create(f"/api/bots/{bot}/platforms", {"platform": "telegram", "credentials": TELEGRAM})
    api("PUT", f"/api/bots/{bot}/llm", json=MODEL)
    api("PUT", f"/api/bots/{bot}/secrets/crm_token", json={"value": NAMED_SECRET})
    DynamoBots().change(bot, active_scenario_id=scenario, active_revision=1)
    api("PUT", f"/api/bots/{bot}/sync", json=SYNC)
    export = api("POST", f"/api/bots/{bot}/exports", json={"format": "csv"}).json()["id"]
    places = {"account": ACCOUNT, "bot": bot, "scenario": scenario, "export": export}
    return places | {"dialog": talk(bot).id} | {"media": a_file(bot)}


def entry(dialog: Dialog, turn: int, n: int, **fields: Any) -> HistoryEntry:
    """A row of a dialog's history: the person's for n = 0, else the bot's."""
    usual: dict[str, Any] = {
        "message_type": "bot" if n else "user",
        "message_data": {"text": f"{turn}.{n}"},
        "timestamp": NOW,
        "created_at": NOW,
        "delivery": DeliveryRecord("sent", ("m1",)) if n else None,
    }
    return HistoryEntry(dialog_id=dialog.id, epoch=dialog.epoch, turn=turn, n=n, **(usual | fields))
