"""A bot's main system: set, tried, shown without its secret, known to turns; and what it has refused."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, get_args

import httpx
import pytest
from moto.backends import get_backend

from functions.admin.bots.sync_schemas import FieldType
from shared.backend.sync.settings import PostgresSink, SupabaseSink, WebhookSink, settings_of
from shared.dialog.state import Task
from shared.queueing.envelopes import TaskEnvelope
from shared.scenario.variables import DECLARED_TYPES
from shared.storage.bot_settings import SYNC, DynamoBotSettings
from shared.storage.bots import DynamoBots
from shared.storage.refusals import DynamoRefusals
from shared.storage.sealing import KmsSealer
from shared.tasks.sync_records import Refusal
from tests.certificates import Authority
from tests.conftest import ENVIRONMENT, Aws
from tests.functions.admin.conftest import NOW, SCENARIO, Api

POSTGRES: dict[str, Any] = {
    "type": "postgresql",
    "host": "db.example.com",
    "database": "hr",
    "user": "parley",
    "password": "a password of a test",
    "table": 'hr."Staff"',
    "key": ["telegram_id"],
}
SUPABASE: dict[str, Any] = {
    "type": "supabase",
    "url": "https://abc.supabase.co",
    "service_key": "eyJ-service-key-of-a-test",
    "table": "staff",
    "key": ["telegram_id"],
}
WEBHOOK: dict[str, Any] = {
    "type": "webhook",
    "url": "https://crm.example.com/runs",
    "signing_secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
SINKS = {sink["type"]: sink for sink in (POSTGRES, SUPABASE, WEBHOOK)}
SECRETS = {"postgresql": "password", "supabase": "service_key", "webhook": "signing_secret"}
MAPPING = {"dialog.platform_chat_id": "telegram_id", "name": "full_name"}
CONTACT = {
    "table": "hr.staff",
    "match": {"telegram_id": "platform_chat_id"},
    "fields": {"full_name": "string", "hired_on": "date"},
}


def body_of(sink: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"sink": sink, "mapping": MAPPING, **more}


def put(api: Api, bot: str, body: Any, **more: Any) -> httpx.Response:
    return api("PUT", f"/api/bots/{bot}/sync", json=body, **more)


def read(api: Api, bot: str) -> Any:
    return api("GET", f"/api/bots/{bot}/sync", "viewer").json()


def errors(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


def sealer(account: Aws) -> KmsSealer:
    return KmsSealer(lambda: account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])


def kept(account: Aws, bot: str) -> PostgresSink | SupabaseSink | WebhookSink:
    """The sink as the tasks worker reads it."""
    found = DynamoBotSettings(sealer(account)).reveal(bot, SYNC)
    assert found is not None
    return settings_of(found.public, found.secrets).sink


def asked_for(account: Aws) -> list[dict[str, Any]]:
    """What lies in the queue of syncs; taken out."""
    queue = get_backend("sqs")["123456789012"]["eu-central-1"].queues[account.syncs.rsplit("/", 1)[1]]
    bodies = [json.loads(message.body) for message in queue._messages]
    queue._messages.clear()
    return bodies


@pytest.mark.parametrize("kind", SINKS)
def test_sync_is_shown_as_it_was_set_but_for_its_secret(api: Api, bot: str, kind: str) -> None:
    sink = SINKS[kind]
    made = put(api, bot, body_of(sink))
    shown = read(api, bot)

    defaults = {"port": 5432, "tls": "verify-full"} if kind == "postgresql" else {}
    assert (made.status_code, made.headers["location"]) == (201, f"/api/bots/{bot}/sync")
    assert made.json() == shown
    assert shown["sink"] == {**defaults, **sink, SECRETS[kind]: "…" + sink[SECRETS[kind]][-4:]}
    assert (shown["mapping"], shown["contact"]) == (MAPPING, None)
    assert shown["health"] == {"status": "checking", "problems": []}


@pytest.mark.parametrize("kind", SINKS)
def test_worker_finds_the_sink_as_it_was_given(api: Api, aws_account: Aws, bot: str, kind: str) -> None:
    put(api, bot, body_of(SINKS[kind]))

    sink = kept(aws_account, bot)
    given = {name: tuple(value) if name == "key" else value for name, value in SINKS[kind].items()}
    assert {name: getattr(sink, name) for name in given if name != "type"} == {
        name: value for name, value in given.items() if name != "type"
    }


def test_main_system_is_tried_when_it_is_set_and_when_somebody_asks(
    api: Api, aws_account: Aws, bot: str
) -> None:
    put(api, bot, body_of(POSTGRES))
    asked = api("POST", f"/api/bots/{bot}/sync/test")

    assert (asked.status_code, asked.json()["health"]["status"]) == (202, "checking")
    assert [(each["type"], each["bot_id"]) for each in asked_for(aws_account)] == [("sync_check.v1", bot)] * 2


def test_turns_of_the_bot_know_of_the_sync_and_of_people_s_fields(api: Api, bot: str) -> None:
    put(api, bot, body_of(POSTGRES, contact=CONTACT))
    set_up = DynamoBots().get(bot)
    put(api, bot, body_of({**POSTGRES, "password": None}))
    changed = DynamoBots().get(bot)
    api("DELETE", f"/api/bots/{bot}/sync")
    forgotten = DynamoBots().get(bot)

    assert (set_up.has_sync, set_up.contact_fields) == (True, CONTACT["fields"])
    assert (changed.has_sync, changed.contact_fields) == (True, {})
    assert (forgotten.has_sync, forgotten.contact_fields) == (False, {})
    assert api("GET", f"/api/bots/{bot}/sync").status_code == 404


def test_what_was_read_can_be_sent_back(api: Api, aws_account: Aws, bot: str) -> None:
    put(api, bot, body_of(POSTGRES, contact=CONTACT))
    shown = api("GET", f"/api/bots/{bot}/sync")

    again = put(api, bot, shown.json(), headers={"If-Match": shown.headers["etag"]})

    unstamped = {"updated_at": ""}
    assert again.json() | unstamped == shown.json() | unstamped
    sink = kept(aws_account, bot)
    assert isinstance(sink, PostgresSink)
    assert sink.password == POSTGRES["password"]


def test_signing_secret_that_the_server_makes_is_shown_once(api: Api, aws_account: Aws, bot: str) -> None:
    sink = {**WEBHOOK, "signing_secret": None}
    made = put(api, bot, body_of(sink)).json()["sink"]["signing_secret"]
    again = put(api, bot, body_of({**sink, "url": "https://other.example.com"})).json()["sink"]

    assert len(b64decode(made.removeprefix("whsec_"))) == 32
    assert again["signing_secret"] == read(api, bot)["sink"]["signing_secret"] == f"…{made[-4:]}"
    secret = kept(aws_account, bot)
    assert isinstance(secret, WebhookSink)
    assert secret.signing_secret == made


@pytest.mark.parametrize(
    ("sink", "elsewhere"),
    [
        (POSTGRES, {"host": "elsewhere.example.com"}),
        (POSTGRES, {"port": 5433}),
        (POSTGRES, {"tls": "require"}),
        (SUPABASE, {"url": "https://elsewhere.example.com"}),
        (POSTGRES, SUPABASE),
    ],
    ids=["host", "port", "less proof of who it is", "url", "another kind"],
)
def test_kept_secret_goes_nowhere_else(
    api: Api, bot: str, sink: dict[str, Any], elsewhere: dict[str, Any]
) -> None:
    put(api, bot, body_of(sink))
    moved = {**sink, **elsewhere}
    name = SECRETS[moved["type"]]
    fields = {each: value for each, value in moved.items() if each not in SECRETS.values()}
    fields = fields if moved["type"] == sink["type"] else {**SUPABASE}

    assert errors(put(api, bot, body_of({**fields, name: None}))) == [f"/sink/{name}"]


AUTHORITY = Authority()

WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no sink": ({"sink": None}, ["/sink"]),
    "another sink": ({"sink": {"type": "mysql"}}, ["/sink"]),
    "no password": ({"sink": {**POSTGRES, "password": None}}, ["/sink/password"]),
    "a private address": ({"sink": {**POSTGRES, "host": "10.0.0.5"}}, ["/sink/host"]),
    "a port that is not listed": ({"sink": {**POSTGRES, "host": "db.internal", "port": 1}}, ["/sink/host"]),
    "no TLS": ({"sink": {**WEBHOOK, "url": "http://crm.example.com"}}, ["/sink/url"]),
    "metadata": ({"sink": {**SUPABASE, "url": "https://169.254.169.254"}}, ["/sink/url"]),
    "a short signing secret": (
        {"sink": {**WEBHOOK, "signing_secret": "whsec_YWJj"}},
        ["/sink/signing_secret"],
    ),
    "no signing secret": ({"sink": {**WEBHOOK, "signing_secret": "a secret"}}, ["/sink/signing_secret"]),
    "no certificate": ({"sink": {**POSTGRES, "ca_certificate": "-----BEGIN"}}, ["/sink/ca_certificate"]),
    "a certificate in other letters": (
        {"sink": {**POSTGRES, "ca_certificate": f"# für uns\n{AUTHORITY.certificate}"}},
        ["/sink/ca_certificate"],
    ),
    "a name too long": ({"sink": {**POSTGRES, "table": "x" * 64}}, ["/sink/table"]),
    "a schema alone": ({"sink": {**POSTGRES, "table": "hr."}}, ["/sink/table"]),
    "no key": ({"sink": {**POSTGRES, "key": []}}, ["/sink/key"]),
    "a key that gets no value": ({"sink": {**POSTGRES, "key": ["telegram_id", "n"]}}, ["/sink/key/1"]),
    "nothing mapped": ({"mapping": {}}, ["/mapping"]),
    "no variable": ({"mapping": {**MAPPING, "a b": "x"}}, ["/mapping/a b"]),
    "a fact that there is not": ({"mapping": {**MAPPING, "run.color": "x"}}, ["/mapping/run.color"]),
    "two in one column": (
        {"mapping": {**MAPPING, "run.number": "full_name"}},
        ["/mapping/name", "/mapping/run.number"],
    ),
    "a column without a name": ({"mapping": {**MAPPING, "run.number": ""}}, ["/mapping/run.number"]),
    "a webhook that knows people": ({"sink": WEBHOOK, "contact": CONTACT}, ["/contact"]),
    "a field of no type": ({"contact": {**CONTACT, "fields": {"a": "text"}}}, ["/contact/fields/a"]),
    "a field that no scenario can say": (
        {"contact": {**CONTACT, "fields": {"a-b": "string"}}},
        ["/contact/fields/a-b"],
    ),
    "a field that is a word of the language": (
        {"contact": {**CONTACT, "fields": {"in": "string", "null": "string"}}},
        ["/contact/fields/in", "/contact/fields/null"],
    ),
    "nobody to look for": ({"contact": {**CONTACT, "match": {}}}, ["/contact/match"]),
}


@pytest.mark.parametrize(("fields", "pointers"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_where_it_is(
    api: Api, bot: str, fields: dict[str, Any], pointers: list[str]
) -> None:
    assert errors(put(api, bot, body_of(POSTGRES) | fields)) == pointers
    assert api("GET", f"/api/bots/{bot}/sync").status_code == 404
    assert DynamoBots().get(bot).has_sync is False


def test_variables_are_those_of_the_active_scenario(api: Api, bot: str) -> None:
    unknown = body_of(
        POSTGRES,
        mapping={**MAPPING, "nickname": "nick", "start_payload": "came_by"},
        contact={**CONTACT, "match": {"email": "email", "name": "name", "user": "username"}},
    )
    assert put(api, bot, unknown).status_code == 201, "before the first activation nobody knows better"
    scenario = api.create(f"/api/bots/{bot}/scenarios", {"name": "S", "scenario_data": SCENARIO})["id"]
    assert api("POST", f"/api/scenarios/{scenario}/activate").status_code == 200

    assert errors(put(api, bot, unknown)) == ["/mapping/nickname", "/contact/match/email"]


def test_certificate_of_an_authority_is_taken(api: Api, aws_account: Aws, bot: str) -> None:
    sink = {**POSTGRES, "host": "db.internal", "ca_certificate": AUTHORITY.certificate}

    assert put(api, bot, body_of(sink)).status_code == 201
    found = kept(aws_account, bot)
    assert isinstance(found, PostgresSink)
    assert found.ca_certificate == AUTHORITY.certificate


def test_types_of_fields_are_those_of_variables() -> None:
    assert set(get_args(FieldType)) == set(DECLARED_TYPES)


def test_change_of_a_version_that_is_no_more_is_refused(api: Api, bot: str) -> None:
    seen = put(api, bot, body_of(POSTGRES)).headers["etag"]
    current = put(api, bot, body_of(WEBHOOK)).headers["etag"]

    stale = {"If-Match": seen}
    assert put(api, bot, body_of(POSTGRES), headers=stale).status_code == 412
    assert api("DELETE", f"/api/bots/{bot}/sync", headers=stale).status_code == 412
    assert api("GET", f"/api/bots/{bot}/sync").headers["etag"] == current
    assert DynamoBots().get(bot).has_sync is True


def refuse(account: Aws, bot: str, run: int) -> Refusal:
    """One that the worker keeps."""
    refusal = Refusal(
        id=f"2026-11-22T10:00:{run:02}Z/d:e:{run}",
        bot_id=bot,
        dialog_id="0b0c5b9c-3c5f-4d0e-9d53-2f4f6f1a7c11",
        platform="telegram",
        run=run,
        status="completed",
        reasons=("the column “age” takes whole numbers",),
        refused_at=NOW + timedelta(seconds=run),
    )
    request = {"collected_data": {"name": "Rumpelstiltskin"}}
    task = Task(number=run, kind="sync_run", request=request, timeout=30)
    work = TaskEnvelope(
        dialog_id=refusal.dialog_id,
        epoch="e",
        bot_id=bot,
        platform="telegram",
        platform_chat_id="42",
        task=task,
        trace_id="t",
    )
    DynamoRefusals(sealer(account)).put(refusal, work)
    return refusal


def test_refused_runs_are_listed_with_reasons_and_without_what_was_collected(
    api: Api, aws_account: Aws, bot: str
) -> None:
    for run in range(3):
        refuse(aws_account, bot, run)
    refuse(aws_account, api.bot(), 9)

    page = api("GET", f"/api/bots/{bot}/sync/refused?limit=2", "viewer").json()
    rest = api("GET", f"/api/bots/{bot}/sync/refused?limit=2&cursor={page['next_cursor']}", "viewer")

    assert [each["run"] for each in page["items"] + rest.json()["items"]] == [2, 1, 0]
    assert page["items"][0]["reasons"] == ["the column “age” takes whole numbers"]
    assert "Rumpelstiltskin" not in json.dumps(page)


def test_refused_runs_are_sent_anew_by_the_worker(api: Api, aws_account: Aws, bot: str) -> None:
    assert api("POST", f"/api/bots/{bot}/sync/refused/redrive").status_code == 404
    put(api, bot, body_of(WEBHOOK))
    asked_for(aws_account)

    answer = api("POST", f"/api/bots/{bot}/sync/refused/redrive")

    (envelope,) = asked_for(aws_account)
    assert answer.status_code == 202
    assert answer.json() == {name: envelope[name] for name in ("bot_id", "asked_at", "trace_id")}
    assert envelope["type"] == "sync_redrive.v1"


def test_a_queue_that_takes_nothing_hinders_no_change_and_says_so(
    api: Api, aws_account: Aws, bot: str
) -> None:
    aws_account.sqs.delete_queue(QueueUrl=aws_account.syncs)

    made = put(api, bot, body_of({**WEBHOOK, "signing_secret": None}))

    assert made.status_code == 201
    assert made.json()["sink"]["signing_secret"].startswith("whsec_")
    assert read(api, bot)["health"] == made.json()["health"]
    assert "sync/test" in made.json()["health"]["problems"][0]
    assert api("POST", f"/api/bots/{bot}/sync/test").status_code == 503
    assert read(api, bot)["health"] == made.json()["health"]


def test_turns_hear_of_the_sync_although_others_change_the_bot(api: Api, aws_account: Aws, bot: str) -> None:
    """Each time between our reading of the bot and our writing."""
    others = iter(range(20))

    def overtake() -> None:
        DynamoBots().change(bot, description=str(next(others)))

    with before_updates(aws_account, overtake):
        answer = put(api, bot, body_of({**WEBHOOK, "signing_secret": None}))

    assert answer.status_code == 201
    assert answer.json()["sink"]["signing_secret"].startswith("whsec_")
    assert DynamoBots().get(bot).has_sync is True


@pytest.mark.parametrize("kind", ["forgotten", "others"])
def test_of_two_who_set_a_sync_at_once_turns_hear_what_holds(
    api: Api, aws_account: Aws, bot: str, kind: str
) -> None:
    settings = DynamoBotSettings(sealer(aws_account))
    waiting = [kind]

    def overtake() -> None:
        if waiting:
            waiting.clear()
            settings.delete(bot, SYNC)
            if kind == "others":
                contact = {**CONTACT, "fields": {"boss": "string"}}
                settings.put(bot, SYNC, body_of(POSTGRES, contact=contact), {"password": "p"})
            DynamoBots().change(bot, has_sync=kind == "others", contact_fields={"boss": "string"})

    with before_updates(aws_account, overtake):
        put(api, bot, body_of(POSTGRES, contact=CONTACT))

    found = DynamoBots().get(bot)
    fields = {"boss": "string"} if kind == "others" else {}
    assert (found.has_sync, found.contact_fields) == (kind == "others", fields)


@contextmanager
def before_updates(account: Aws, act: Callable[[], None]) -> Iterator[None]:
    """Act before each update of an item, but for those of the acting."""

    def overtake(**_: Any) -> None:
        events.unregister(event, overtake)
        act()
        events.register(event, overtake)

    event, events = "before-call.dynamodb.UpdateItem", account.dynamodb.meta.events
    events.register(event, overtake)
    try:
        yield
    finally:
        events.unregister(event, overtake)
