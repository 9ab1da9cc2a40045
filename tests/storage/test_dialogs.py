"""One contract, held by the dialogs in memory and by those in DynamoDB."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from shared.dialog.events import Person
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Button, Message
from shared.dialog.state import (
    Album,
    Ask,
    Choice,
    Detour,
    Dialog,
    Handoff,
    Outbox,
    Pending,
    Remains,
    Task,
    Timer,
    dialog_id_of,
)
from shared.dialog.state import (
    Call as ScenarioCall,
)
from shared.errors import ConcurrentTurn, DialogTooLarge
from shared.storage.dialogs import SHARDS, DynamoDialogs, hour_of, hours_of, shard_of
from shared.storage.memory import MemoryDialogs
from shared.storage.tables import MAX_ITEM_BYTES, BotDialogState
from tests.conftest import Aws, Call, items_of
from tests.storage.pages import pages_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"

Dialogs = MemoryDialogs | DynamoDialogs


@pytest.fixture(params=["memory", "dynamodb"])
def dialogs(request: pytest.FixtureRequest) -> Dialogs:
    if request.param == "memory":
        return MemoryDialogs()
    request.getfixturevalue("aws_account")
    return DynamoDialogs()


def a_dialog(chat: str = "42", platform: str = "telegram", **fields: Any) -> Dialog:
    given: dict[str, Any] = {
        "id": dialog_id_of(BOT, platform, chat),
        "bot_id": BOT,
        "platform": platform,
        "platform_chat_id": chat,
        "epoch": "e1",
        "created_at": NOON,
        "updated_at": NOON,
        "last_interaction_at": NOON,
        "turn": 1,
    }
    return Dialog(**given | fields)


def a_full_dialog() -> Dialog:
    """Every field set, with the values that are hard to keep."""
    dialog_id = dialog_id_of(BOT, "viber", "идентификатор+/==")
    entry = HistoryEntry(
        dialog_id=dialog_id,
        epoch="e1",
        turn=3,
        n=0,
        message_type="user",
        message_data={"event": {"text": "\x00\ud7ff\uffff😀"}},
        timestamp=NOON,
        created_at=NOON,
    )
    return a_dialog(
        "идентификатор+/==",
        "viber",
        id=dialog_id,
        created_at=NOON - timedelta(days=3, microseconds=1),
        turn=3,
        status="handed_off",
        scenario_id=str(uuid4()),
        revision=12,
        bot_name="Кадры",
        run=2,
        current_step="ask_citizenship",
        called={str(uuid4()): 4},
        timezone="Europe/Moscow",
        ask=Ask(
            7,
            "ask_citizenship",
            (Choice("РФ", "РФ", ("RF",), "docs"), Choice("1", 1)),
            attempts=2,
            selected=(1,),
            timer=Timer(9, NOON + timedelta(microseconds=1)),
            reminded=1,
            route="docs",
        ),
        asks=7,
        accepted="a:6:1",
        variables={"float": 0.1, "int": 2**53, "none": None, "no": False, "empty": "", "list": [{"a": []}]},
        kept={"name": "Анна", "seen": [1.0, 1]},
        sensitive=("passport",),
        contact_fields={"hired": "date", "age": "integer"},
        contact={"hired": "2024-05-01"},
        contact_task=12,
        calls=(ScenarioCall("child", "call", {"a": None}, Ask(1, "call"), ("first",)),),
        detour=Detour("help", Ask(2, "name"), (ScenarioCall("other", "call"),), ("name",), enter="first"),
        pending=Pending("llm", 8, "think", Timer(10, NOON), Ask(3, "think"), told_busy=True),
        handoff=Handoff("angry", step_id="call", timer=Timer(11, NOON), ask=Ask(4, "name"), redo="think"),
        trail=("first", "second"),
        album=Album("a1", "photos", 3),
        serial=11,
        silent_turns=3,
        used_conditions=(0, 2),
        person=Person("Анна", "", "anna", "ru"),
        recent_events=("00ff", "11ee"),
        outbox=Outbox(
            "11ee",
            entry,
            (Message("Где?", buttons=(Button("РФ", "a:7:0"),)),),
            (Timer(11, NOON),),
            (Task(8, "llm", {"prompt": "{{ x }}", "n": 1.0}, 20),),
        ),
    )


@pytest.mark.parametrize("dialog", [a_dialog(), a_full_dialog()], ids=["bare", "full"])
def test_a_dialog_is_loaded_as_it_was_committed(dialogs: Dialogs, dialog: Dialog) -> None:
    dialogs.commit(dialog, None)

    loaded = dialogs.load(dialog.id)
    assert loaded == dialog
    assert loaded is not dialog
    assert msgspec.json.encode(loaded) == msgspec.json.encode(dialog)


@pytest.mark.parametrize("dialog_id", [BOT, "", "x" * 3000, "\ud800", "a\x00"], ids=ascii)
def test_what_is_not_there_is_none(dialogs: Dialogs, dialog_id: str) -> None:
    assert dialogs.load(dialog_id) is None


def test_changing_what_was_committed_or_loaded_changes_nothing_kept(dialogs: Dialogs) -> None:
    calls = (ScenarioCall("child", "call", {"list": [1]}),)
    dialog = a_dialog(
        variables={"list": [1], "map": {"a": {}}},
        kept={"list": [1]},
        calls=calls,
        detour=Detour(calls=(ScenarioCall("child", "call", {"list": [1]}),)),
    )
    before = msgspec.json.encode(dialog)
    dialogs.commit(dialog, None)

    for mine in (dialog, dialogs.load(dialog.id)):
        assert mine is not None
        mine.variables["list"].append(2)
        mine.variables["map"]["a"]["b"] = 1
        mine.variables["new"] = True
        mine.kept["list"].append(2)
        mine.called["child"] = 7
        assert mine.detour
        for call in (*mine.calls, *mine.detour.calls):
            call.variables["list"].append(2)
        mine.status = "blocked"

    assert msgspec.json.encode(dialogs.load(dialog.id)) == before


def test_a_commit_over_the_turn_it_met_is_taken(dialogs: Dialogs) -> None:
    dialogs.commit(a_dialog(turn=5), None)

    dialogs.commit(a_dialog(turn=6), 5)

    assert dialogs.load(a_dialog().id) == a_dialog(turn=6)


@pytest.mark.parametrize(
    ("met_turn", "epoch"),
    [(4, "e1"), (6, "e1"), (5, "e2"), (None, "e1"), (None, "e2")],
    ids=[
        "met an earlier turn",
        "met a later turn",
        "a new epoch over an old one",
        "a new dialog over the same epoch",
        "a new dialog over an old one",
    ],
)
def test_a_commit_over_anything_else_is_refused(dialogs: Dialogs, met_turn: int | None, epoch: str) -> None:
    dialogs.commit(a_dialog(turn=5), None)

    with pytest.raises(ConcurrentTurn) as caught:
        dialogs.commit(a_dialog(turn=6, epoch=epoch), met_turn)

    assert caught.value.dialog_id == a_dialog().id
    assert dialogs.load(a_dialog().id) == a_dialog(turn=5)


def test_the_epoch_of_a_dialog_is_that_of_its_last_commit(aws_account: Aws) -> None:
    dialogs = DynamoDialogs()
    dialogs.commit(a_dialog(), None)
    assert dialogs.epoch_of(a_dialog().id) == "e1"
    assert dialogs.epoch_of(a_dialog("43").id) is None


REMAINS = Remains("e1", NOON, ("a1", "b2"))


def test_in_the_place_of_a_deleted_dialog_are_its_remains(dialogs: Dialogs) -> None:
    dialogs.commit(a_dialog(), None)
    dialogs.delete(a_dialog(), REMAINS)

    assert dialogs.load(a_dialog().id) is None
    assert dialogs.find(a_dialog().id) == REMAINS
    assert dialogs.of_bot(BOT, None, 10).items == []


def test_a_turn_that_meets_a_joining_of_dialogs_loads_anew(aws_account: Aws) -> None:
    """DynamoDB refuses a plain write to what is in somebody's transaction by an error of its own."""
    conflict = {"Error": {"Code": "TransactionConflictException", "Message": ""}, "ResponseMetadata": {}}

    def refused(**_: Any) -> Any:
        return AWSResponse("", 400, HTTPHeaders(), None), conflict

    events = aws_account.dynamodb.meta.events
    events.register("before-call.dynamodb.PutItem", refused, unique_id="in-transaction")
    try:
        with pytest.raises(ConcurrentTurn):
            DynamoDialogs().commit(a_dialog(), None)
    finally:
        events.unregister("before-call.dynamodb.PutItem", unique_id="in-transaction")


@pytest.mark.parametrize("fields", [{"turn": 2}, {"epoch": "e2"}], ids=str)
def test_a_dialog_that_has_gone_on_is_not_deleted(dialogs: Dialogs, fields: dict[str, Any]) -> None:
    dialogs.commit(a_dialog(), None)

    with pytest.raises(ConcurrentTurn):
        dialogs.delete(a_dialog(**fields), REMAINS)
    assert dialogs.load(a_dialog().id) == a_dialog()


def test_a_new_dialog_takes_the_place_of_the_remains_that_it_met(dialogs: Dialogs) -> None:
    dialogs.commit(a_dialog(), None)
    dialogs.delete(a_dialog(), REMAINS)

    dialogs.commit(a_dialog(epoch="e2"), REMAINS)

    assert dialogs.find(a_dialog().id) == a_dialog(epoch="e2")
    assert [found.epoch for found in dialogs.of_bot(BOT, None, 10).items] == ["e2"]


@pytest.mark.parametrize(
    "met",
    [None, 1, Remains("e0", NOON, ()), msgspec.structs.replace(REMAINS, deleted_at=NOON + timedelta(1))],
    ids=["nothing", "the deleted dialog", "remains of another", "remains of a later deletion"],
)
def test_a_commit_over_remains_that_it_has_not_met_is_refused(
    dialogs: Dialogs, met: int | Remains | None
) -> None:
    dialogs.commit(a_dialog(), None)
    dialogs.delete(a_dialog(), REMAINS)

    with pytest.raises(ConcurrentTurn):
        dialogs.commit(a_dialog(turn=2), met)
    assert dialogs.find(a_dialog().id) == REMAINS


def test_remains_stay_for_thirty_days_and_have_no_epoch(aws_account: Aws) -> None:
    dialogs = DynamoDialogs()
    dialogs.commit(a_dialog(), None)
    dialogs.delete(a_dialog(), REMAINS)

    (item,) = items_of("DIALOGS_TABLE")
    assert int(item["expires_at"]["N"]) == (NOON + timedelta(days=30)).timestamp()
    assert dialogs.epoch_of(a_dialog().id) is None


def test_dialogs_are_told_and_removed_by_their_bot(aws_account: Aws) -> None:
    dialogs, others = DynamoDialogs(), a_dialog("x", id=str(uuid4()), bot_id=str(uuid4()))
    made = [a_dialog(str(number)) for number in range(30)]
    for dialog in [*made, others]:
        dialogs.commit(dialog, None)
    ids = list(dialogs.ids_of_bot(BOT))
    assert sorted(ids) == sorted(dialog.id for dialog in made)
    assert len(dialogs.read(ids)) == 30

    assert len(list(dialogs.remove(ids))) == 2

    assert list(dialogs.ids_of_bot(BOT)) == []
    assert dialogs.read(ids) == []
    assert dialogs.load(others.id) == others


def test_a_turn_over_a_dialog_that_is_gone_is_refused(dialogs: Dialogs) -> None:
    with pytest.raises(ConcurrentTurn):
        dialogs.commit(a_dialog(turn=6), 5)

    assert dialogs.load(a_dialog().id) is None


@pytest.mark.parametrize("met_turn", [None, 1], ids=["the first turn", "a later turn"])
def test_of_many_commits_of_the_same_turn_one_wins(dialogs: Dialogs, met_turn: int | None) -> None:
    if met_turn is not None:
        dialogs.commit(a_dialog(turn=met_turn), None)
    at_once = Barrier(20, timeout=30)

    def commit(n: int) -> int | None:
        mine = a_dialog(turn=2, variables={"winner": n})
        at_once.wait()
        try:
            dialogs.commit(mine, met_turn)
        except ConcurrentTurn:
            return None
        return n

    with ThreadPoolExecutor(20) as pool:
        winners = [n for n in pool.map(commit, range(20)) if n is not None]

    kept = dialogs.load(a_dialog().id)
    assert kept is not None
    assert winners == [kept.variables["winner"]]


def committed(dialogs: Dialogs, *, hours: int, per_hour: int) -> list[Dialog]:
    """Dialogs on two platforms, some in every hour, some of another bot; ours, the newest hour first."""
    made = []
    for n in range(hours * per_hour):
        moment = NOON - timedelta(hours=n // per_hour, minutes=n % per_hour)
        platform = "telegram" if n % 3 else "viber"
        made.append(a_dialog(str(n), platform, last_interaction_at=moment))
        dialogs.commit(made[-1], None)
    dialogs.commit(a_dialog("x", bot_id=str(uuid4()), id=str(uuid4())), None)
    return made


@pytest.mark.parametrize("limit", [1, 7, 40, 200])
@pytest.mark.parametrize("platform", [None, "viber", "whatsapp"])
def test_a_bots_dialogs_come_page_by_page_the_newest_hour_first(
    dialogs: Dialogs, platform: str | None, limit: int
) -> None:
    made = committed(dialogs, hours=4, per_hour=10)

    pages = pages_of(lambda start: dialogs.of_bot(BOT, platform, limit, start))

    listed = [dialog for page in pages for dialog in page]
    expected = {d.id for d in made if platform in {None, d.platform}}
    assert sorted(d.id for d in listed) == sorted(expected)
    hours = [hour_of(d.last_interaction_at) for d in listed]
    assert hours == sorted(hours, reverse=True)
    assert all(len(page) <= limit for page in pages)
    if platform is None:
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (None, None, ["12", "11", "10", "09", "08"]),
        (1, None, ["12", "11"]),
        (None, 2, ["10", "09", "08"]),
        (2, 1, ["11", "10"]),
        (0, 3, []),
        (-5, None, []),
    ],
)
def test_dialogs_are_listed_by_the_hours_that_are_asked_for(
    dialogs: Dialogs, since: int | None, until: int | None, hours: list[str]
) -> None:
    made = committed(dialogs, hours=4, per_hour=3)
    moments = [None if n is None else NOON - timedelta(hours=n) for n in (since, until)]

    pages = pages_of(lambda start: dialogs.of_bot(BOT, None, 4, start, hours_of(*moments)))

    listed = [hour_of(dialog.last_interaction_at)[-2:] for page in pages for dialog in page]
    of_made = Counter(hour_of(dialog.last_interaction_at)[-2:] for dialog in made)
    assert listed == [hour for hour in hours for _ in range(of_made[hour])]


def test_a_dialog_that_goes_on_is_not_listed_twice_further_down(dialogs: Dialogs) -> None:
    made = committed(dialogs, hours=2, per_hour=4)
    first = dialogs.of_bot(BOT, None, 3)
    going_on = next(d for d in made if d.id == first.items[0].id)
    dialogs.commit(
        msgspec.structs.replace(going_on, turn=2, last_interaction_at=NOON + timedelta(hours=3)), 1
    )

    rest = dialogs.of_bot(BOT, None, 100, first.next)

    assert going_on.id not in {d.id for d in rest.items}
    assert len(first.items) + len(rest.items) == len(made)


def test_a_bot_without_dialogs_has_an_empty_list(dialogs: Dialogs) -> None:
    page = dialogs.of_bot(str(uuid4()), None, 50)

    assert (page.items, page.next) == ([], None)


@pytest.mark.usefixtures("aws_account")
class TestItem:
    """What is particular to DynamoDB."""

    def test_a_turn_is_a_read_and_a_write(self, aws_calls: list[Call]) -> None:
        dialogs = DynamoDialogs()
        dialogs.commit(a_dialog(), None)
        aws_calls.clear()

        dialog = dialogs.load(a_dialog().id)
        assert dialog is not None
        dialog.turn += 1
        dialogs.commit(dialog, 1)

        assert [call.name for call in aws_calls] == ["dynamodb:GetItem", "dynamodb:PutItem"]
        assert aws_calls[0].params["ConsistentRead"] is True

    def test_a_list_is_made_of_queries_and_batches_of_reads(self, aws_calls: list[Call]) -> None:
        dialogs = DynamoDialogs()
        committed(dialogs, hours=1, per_hour=5)
        aws_calls.clear()

        dialogs.of_bot(BOT, None, 50)

        assert {call.name for call in aws_calls} == {"dynamodb:Query", "dynamodb:BatchGetItem"}
        assert len(aws_calls) == SHARDS + 1

    def test_a_rare_platform_does_not_make_one_page_read_everything(self, aws_calls: list[Call]) -> None:
        dialogs = DynamoDialogs()
        committed(dialogs, hours=52, per_hour=10)
        dialogs.commit(a_dialog("1", "whatsapp", last_interaction_at=NOON - timedelta(days=9)), None)
        aws_calls.clear()

        first = dialogs.of_bot(BOT, "whatsapp", 50)
        second = dialogs.of_bot(BOT, "whatsapp", 50, first.next)

        assert first.items == []
        assert len([call for call in aws_calls if call.operation == "BatchGetItem"]) == 6
        assert [dialog.platform for dialog in second.items] == ["whatsapp"]
        assert second.next is None

    def test_a_person_at_the_console_finds_the_fields_by_name(self, aws_account: Aws) -> None:
        dialog = a_full_dialog()
        DynamoDialogs().commit(dialog, None)

        key = {"id": {"S": dialog.id}}
        item = aws_account.dynamodb.get_item(TableName=BotDialogState.Meta.table_name, Key=key)["Item"]

        shown = {name: str(next(iter(value.values()))) for name, value in item.items()}
        assert shown.pop("state").startswith('{"id":')
        assert shown == {
            "id": dialog.id,
            "bot_id": BOT,
            "platform": "viber",
            "platform_chat_id": "идентификатор+/==",
            "status": "handed_off",
            "current_step": "ask_citizenship",
            "run": "2",
            "scenario_id": dialog.scenario_id,
            "revision": "12",
            "turn": "3",
            "epoch": "e1",
            "created_at": "2026-11-19T11:59:59.999999+0000",
            "updated_at": "2026-11-22T12:00:00.000000+0000",
            "last_interaction_at": "2026-11-22T12:00:00.000000+0000",
            "listing_shard": shard_of(dialog),
            "last_active_hour": "2026-11-22T12",
        }

    def test_dialogs_are_spread_over_all_shards(self) -> None:
        shards = {shard_of(a_dialog(str(n))) for n in range(200)}

        assert shards == {f"{BOT}#{n}" for n in range(SHARDS)}

    @pytest.mark.parametrize("text", ["a", "я", "😀", "\x00"], ids=ascii)
    def test_a_dialog_too_large_for_an_item_is_refused_by_name(
        self, aws_calls: list[Call], text: str
    ) -> None:
        size = len(msgspec.json.encode(text)) - 2
        dialog = a_dialog(variables={"long": text * (MAX_ITEM_BYTES // size)}, turn=9)

        with pytest.raises(DialogTooLarge, match=f"more than {MAX_ITEM_BYTES}") as caught:
            DynamoDialogs().commit(dialog, 8)

        assert (caught.value.dialog_id, caught.value.turn) == (dialog.id, 8)
        assert not aws_calls

    def test_a_dialog_of_the_largest_size_is_kept(self) -> None:
        dialog = a_dialog(variables={"long": "я" * (MAX_ITEM_BYTES // 2 - 1000)})

        DynamoDialogs().commit(dialog, None)

        assert DynamoDialogs().load(dialog.id) == dialog
