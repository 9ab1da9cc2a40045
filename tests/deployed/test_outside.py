"""A dialog that works with a language model, another service and a database, none of which is ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.local.running import RunInfo
from shared.dialog.state import dialog_id_of
from tests.deployed.admin import Admin, eventually
from tests.deployed.conftest import ORDERS_TOKEN, Outside
from tests.deployed.webchat import WebchatPerson

pytestmark = pytest.mark.deployed

CARD = "4111 1111 1111 1111"
BOOKINGS = """
    CREATE TABLE bookings (
        run text PRIMARY KEY, name text, guests integer, order_status jsonb, ended timestamptz
    );
    GRANT ALL ON bookings TO parley
"""


def ask(step_id: str, text: str, next_step: str, **expected: Any) -> dict[str, Any]:
    return {
        "id": step_id,
        "message": {"text": text},
        "expected_input": {"type": "text", "variable": step_id, **expected},
        "next_step": next_step,
    }


def scenario(orders_url: str) -> dict[str, Any]:
    url = f"{orders_url}/orders/{{{{ guests }}}}"
    headers = {"Authorization": "Bearer {{ secret('orders_token') }}"}
    return {
        "version": "1.0",
        "variables": {"card": {"type": "string", "sensitive": True}},
        "steps": [
            ask("wish", "What can we do?", "name", understand={"fill": ["name", "guests"]}),
            ask("name", "Your name?", "guests", skip_if_set=True),
            ask("guests", "How many?", "card", skip_if_set=True, type="integer"),
            ask("card", "Your card?", "judge"),
            {
                "id": "judge",
                "llm": {
                    "prompt": "{{ wish }} Card: {{ card }}",
                    "reply": True,
                    "routes": {"look": {"step": "look", "when": "asks for a table"}},
                    "on_error": "sorry",
                },
                "next_step": "sorry",
            },
            {
                "id": "look",
                "http": {
                    "method": "GET",
                    "url": url,
                    "headers": headers,
                    "variable": "found",
                    "on_error": "sorry",
                },
                "next_step": "done",
            },
            {
                "id": "done",
                "message": {
                    "text": "{{ name }}, {{ guests }}: {{ found.body.status }} {{ found.body.heard }}"
                },
                "end": True,
            },
            {"id": "sorry", "message": {"text": "Sorry."}, "end": True},
        ],
    }


@dataclass(frozen=True)
class WellConnected:
    """A bot with all that it needs outside."""

    bot_id: str
    webhook_url: str
    database: str


@pytest.fixture(scope="module")
def setup(parley: RunInfo, admin: Admin, outside: Outside) -> Iterator[WellConnected]:
    bot = admin.post(f"/api/accounts/{parley.account_id}/bots", {"name": "Well connected"})["id"]
    admin.post(f"/api/bots/{bot}/platforms", {"platform": "webchat", "credentials": {}})
    model = {"provider": "openai", "model": "gpt-test", "api_key": outside.models.key}
    admin.put(f"/api/bots/{bot}/llm", model | {"base_url": outside.models.base_url})
    admin.put(f"/api/bots/{bot}/secrets/orders_token", {"value": ORDERS_TOKEN})
    body = {"name": "Booking", "scenario_data": scenario(outside.orders.url)}
    made = admin.post(f"/api/bots/{bot}/scenarios", body)
    assert made["findings"] == []
    admin.post(f"/api/scenarios/{made['id']}/activate", {})
    admin.post(f"/api/bots/{bot}/activate")
    with outside.postgres.database() as database:
        with outside.postgres.connected(database) as connection:
            connection.execute(BOOKINGS)
        admin.put(f"/api/bots/{bot}/sync", sync(outside, database))
        yield WellConnected(bot, f"{parley.api_url}/api/webhook/webchat/{bot}", database)


def sync(outside: Outside, database: str) -> dict[str, Any]:
    postgres = outside.postgres
    sink = {
        "type": "postgresql",
        "host": postgres.host,
        "port": postgres.port,
        "database": database,
        "user": postgres.user,
        "password": postgres.password,
        "ca_certificate": postgres.ca_certificate,
        "table": "public.bookings",
        "key": ["run"],
    }
    mapping = {
        "run.id": "run",
        "name": "name",
        "guests": "guests",
        "found": "order_status",
        "run.ended_at": "ended",
    }
    return {"sink": sink, "mapping": mapping}


def test_what_a_run_asks_of_others_comes_back_and_what_it_collected_arrives(
    parley: RunInfo, admin: Admin, outside: Outside, setup: WellConnected
) -> None:
    health = eventually(lambda: _checked(admin.get(f"/api/bots/{setup.bot_id}/sync")["health"]))
    assert (health["status"], health["problems"]) == ("ok", [])

    person = WebchatPerson(setup.webhook_url)
    person.start()
    person.next()
    outside.models.say({"name": "Zoë", "guests": 2}, {"text": "I will look.", "route": "look"})
    person.say("A table for two, I am Zoë")
    assert person.next(60).text == "Your card?"
    person.say(CARD)
    assert person.next(60).text == "I will look."
    assert person.next(60).text == "Zoë, 2: free Bearer ***"

    row = eventually(lambda: _row(outside, setup.database))
    dialog_id = dialog_id_of(setup.bot_id, "webchat", person.chat_id)
    assert row[0].startswith(f"{dialog_id}:")
    assert row[1:4] == ("Zoë", 2, "free")
    _expect_tokens_counted(admin, setup.bot_id, dialog_id)
    assert CARD not in str([outside.models.asked, outside.orders.requests])


def test_a_run_of_the_demo_s_staff_list_reaches_its_main_system(parley: RunInfo) -> None:
    (bot,) = [bot for bot in parley.bots if bot.name == "Staff list"]
    person = WebchatPerson(f"{parley.api_url}/api/webhook/webchat/{bot.bot_id}")
    person.start()
    person.next()
    for answer in ("2718", "Olga Kim", "+49 151 12345678", "Cook", "1.9.2020", "Yes"):
        person.next(60)
        person.say(answer)
    shown = eventually(lambda: _page_with(parley.main_system_url, "completed"))
    for cell in ("2718", "Olga Kim", "+4915112345678", "cook", "2020-09-01"):
        assert f"<td>{cell}</td>" in shown


def test_no_secret_of_theirs_lies_open(parley: RunInfo, outside: Outside, setup: WellConnected) -> None:
    """In any table or log."""
    tables = [name for output, name in parley.outputs().items() if output.endswith("Table")]
    items = str([parley.client("dynamodb").scan(TableName=table)["Items"] for table in tables])
    functions = ("workers/tasks", "workers/syncs", "workers/dialog", "admin/bots", "admin/scenarios")
    logs = "\n".join(parley.logs(function, last=100_000) for function in functions)
    assert setup.bot_id in items
    assert setup.bot_id in logs
    for secret in (outside.models.key, ORDERS_TOKEN, outside.postgres.password):
        assert secret not in items
        assert secret not in logs
    for word in ("Zoë", CARD):
        assert word not in logs


def _checked(health: dict[str, Any]) -> dict[str, Any] | None:
    return None if health["status"] == "checking" else health


def _row(outside: Outside, database: str) -> tuple[Any, ...] | None:
    with outside.postgres.connected(database) as connection:
        query = (
            "SELECT run, name, guests, order_status->'body'->>'status' FROM bookings WHERE ended IS NOT NULL"
        )
        return connection.execute(query).fetchone()


def _page_with(url: str, word: str) -> str:
    page = httpx.get(url).text
    return page if word in page else ""


def _expect_tokens_counted(admin: Admin, bot_id: str, dialog_id: str) -> None:
    total = admin.get(f"/api/bots/{bot_id}/usage")["total"]
    assert total["calls"] == 2
    assert total["prompt_tokens"] > 0
    entries = admin.history(dialog_id)
    assert sum("prompt_tokens" in str(entry) for entry in entries) == 2
