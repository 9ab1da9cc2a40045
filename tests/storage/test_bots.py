"""One contract, held by the bots in memory and by those in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.dialog.ports import ActiveScenario
from shared.errors import Conflict, NoSuchBot, NotFound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.memory import MemoryBots
from tests.conftest import Call
from tests.storage.pages import pages_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1, microseconds=7)
BOT = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
ACCOUNT = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
SCENARIO = "7d444840-9dc0-41d1-b245-5ffdce74fad2"

Bots = MemoryBots | DynamoBots


@pytest.fixture(params=["memory", "dynamodb"])
def bots(request: pytest.FixtureRequest) -> Bots:
    if request.param == "memory":
        return MemoryBots(lambda: LATER)
    request.getfixturevalue("aws_account")
    return DynamoBots(lambda: LATER)


def a_bot(**fields: Any) -> Bot:
    given: dict[str, Any] = {
        "id": BOT,
        "account_id": ACCOUNT,
        "name": "Кадры",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Bot(**given | fields)


FULL = a_bot(
    description="For new colleagues",
    timezone="Europe/Moscow",
    is_active=False,
    active_scenario_id=SCENARIO,
    active_revision=3,
    active_called={ACCOUNT: 7},
    active_running="move",
    has_sync=True,
    contact_fields={"first_name": "string", "hired": "date"},
)


@pytest.mark.parametrize("bot", [a_bot(), FULL], ids=["bare", "full"])
def test_a_bot_is_read_as_it_was_created(bots: Bots, bot: Bot) -> None:
    bots.create(bot)

    assert bots.get(BOT) == bot


def test_an_id_is_taken_once(bots: Bots) -> None:
    bots.create(a_bot())

    with pytest.raises(Conflict):
        bots.create(a_bot(name="another"))

    assert bots.get(BOT) == a_bot()


@pytest.mark.parametrize("bot_id", [BOT, "", "x" * 3000, "\ud800"], ids=["free", "empty", "long", "no text"])
def test_what_is_not_there_is_told(bots: Bots, bot_id: str) -> None:
    with pytest.raises(NotFound, match="bot not found"):
        bots.get(bot_id)
    with pytest.raises(NoSuchBot):
        bots.active_scenario(bot_id)
    assert bots.is_active(bot_id) is None
    assert bots.deleted_at(bot_id) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Новое", "description": ""},
        {"is_active": True, "timezone": "Asia/Tokyo"},
        {"active_scenario_id": ACCOUNT, "active_revision": 8},
        {"active_called": {ACCOUNT: 8, SCENARIO: 1}, "active_running": "restart"},
        {"active_called": {}, "active_running": "keep"},
        {"active_scenario_id": None, "active_revision": None},
        {"has_sync": False, "contact_fields": {}},
        {"contact_fields": {"phone": "string"}},
        {},
    ],
    ids=str,
)
def test_a_change_sets_what_it_names_and_the_time(bots: Bots, fields: dict[str, Any]) -> None:
    bots.create(FULL)

    changed = bots.change(BOT, **fields)

    expected = a_bot(
        **{
            "description": FULL.description,
            "timezone": FULL.timezone,
            "is_active": FULL.is_active,
            "active_scenario_id": SCENARIO,
            "active_revision": 3,
            "active_called": {ACCOUNT: 7},
            "active_running": "move",
            "has_sync": True,
            "contact_fields": dict(FULL.contact_fields),
            "updated_at": LATER,
            **fields,
        }
    )
    assert changed == expected
    assert bots.get(BOT) == expected


def test_a_bot_that_is_not_there_is_not_made_by_a_change(bots: Bots) -> None:
    with pytest.raises(NotFound):
        bots.change(BOT, name="new")
    with pytest.raises(NotFound):
        bots.get(BOT)


def test_a_change_of_what_was_changed_meanwhile_is_refused(bots: Bots) -> None:
    bots.create(a_bot())
    bots.change(BOT, met=NOON, name="theirs")

    with pytest.raises(Conflict):
        bots.change(BOT, met=NOON, name="mine")
    with pytest.raises(NotFound):
        bots.change(str(uuid4()), met=NOON, name="mine")

    assert bots.get(BOT).name == "theirs"


@pytest.mark.parametrize("field", ["id", "account_id", "created_at", "updated_at", "colour"])
def test_other_fields_cannot_be_changed(bots: Bots, field: str) -> None:
    bots.create(a_bot())

    with pytest.raises(TypeError, match=field):
        bots.change(BOT, met=None, **{field: "x"})


def test_a_run_starts_with_what_is_active_now(bots: Bots) -> None:
    bots.create(a_bot(timezone="Europe/Moscow"))
    before = bots.active_scenario(BOT)
    bots.change(BOT, active_scenario_id=SCENARIO, active_revision=2)
    activated = bots.active_scenario(BOT)
    bots.change(BOT, active_called={ACCOUNT: 4}, active_running="move")

    assert before is None
    assert activated == ActiveScenario("Кадры", "Europe/Moscow", SCENARIO, 2)
    assert bots.active_scenario(BOT) == ActiveScenario(
        "Кадры", "Europe/Moscow", SCENARIO, 2, called={ACCOUNT: 4}, running="move"
    )


def test_a_bot_can_be_switched_off(bots: Bots) -> None:
    bots.create(a_bot())
    before = bots.is_active(BOT)
    bots.change(BOT, is_active=False)

    assert (before, bots.is_active(BOT)) == (True, False)


DONE_TO_A_BOT: dict[str, Callable[[Bots], object]] = {
    "read": lambda bots: bots.get(BOT),
    "changed": lambda bots: bots.change(BOT, is_active=True),
    "activated": lambda bots: bots.change(BOT, active_scenario_id=SCENARIO, active_revision=1),
    "changed by who has seen it": lambda bots: bots.change(BOT, met=FULL.updated_at, name="new"),
    "followed": lambda bots: bots.active_scenario(BOT),
    "deleted again": lambda bots: bots.delete(BOT),
}


@pytest.mark.parametrize("act", DONE_TO_A_BOT.values(), ids=DONE_TO_A_BOT)
def test_a_deleted_bot_is_as_if_it_had_never_been(bots: Bots, act: Callable[[Bots], object]) -> None:
    bots.create(FULL)
    bots.delete(BOT)

    with pytest.raises(NoSuchBot):
        act(bots)
    assert bots.is_active(BOT) is None
    assert bots.of_account(ACCOUNT, 50).items == []
    assert bots.deleted_at(BOT) == LATER


def test_the_id_of_a_deleted_bot_stays_taken(bots: Bots) -> None:
    bots.create(a_bot())
    bots.delete(BOT)

    with pytest.raises(Conflict):
        bots.create(a_bot())


def test_a_bot_that_was_changed_meanwhile_is_not_deleted(bots: Bots) -> None:
    bots.create(a_bot())
    bots.change(BOT, name="theirs")

    with pytest.raises(Conflict):
        bots.delete(BOT, met=NOON)
    bots.delete(BOT, met=LATER)

    assert bots.deleted_at(BOT) == LATER


@pytest.mark.usefixtures("aws_account")
def test_nothing_stays_of_a_deleted_bot_but_when_that_was(aws_calls: list[Call]) -> None:
    bots = DynamoBots(lambda: LATER)
    bots.create(FULL)
    aws_calls.clear()

    bots.delete(BOT)

    (call,) = aws_calls
    assert call.name == "dynamodb:PutItem"
    assert set(call.params["Item"]) == {"id", "deleted_at"}


@pytest.mark.parametrize("limit", [1, 3, 6, 200])
def test_an_accounts_bots_come_page_by_page_the_newest_first(bots: Bots, limit: int) -> None:
    made = [a_bot(id=str(uuid4()), created_at=NOON + timedelta(seconds=n)) for n in range(6)]
    for bot in [*made, a_bot(account_id=str(uuid4()))]:
        bots.create(bot)

    pages = pages_of(lambda start: bots.of_account(ACCOUNT, limit, start))

    assert [bot for page in pages for bot in page] == made[::-1]
    assert all(len(page) == limit for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= limit


def test_an_account_without_bots_has_an_empty_list(bots: Bots) -> None:
    page = bots.of_account(ACCOUNT, 50)

    assert (page.items, page.next) == ([], None)


@pytest.mark.usefixtures("aws_account")
def test_the_pointer_is_one_consistent_read_and_a_change_one_write(aws_calls: list[Call]) -> None:
    bots = DynamoBots()
    bots.create(FULL)
    aws_calls.clear()

    bots.active_scenario(BOT)
    bots.change(BOT, name="new")

    assert [call.name for call in aws_calls] == ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    assert aws_calls[0].params["ConsistentRead"] is True
