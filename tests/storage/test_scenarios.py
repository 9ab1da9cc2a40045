"""One contract, held by the scenarios in memory and by those in DynamoDB."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from shared.errors import Conflict, Invalid, NotFound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.memory import MemoryScenarios
from shared.storage.scenarios import (
    MAX_DOCUMENT_BYTES,
    DynamoScenarios,
    Revision,
    Scenario,
    ScenarioInUse,
    _save_next,
    pack,
    unpack,
)
from shared.storage.tables import MAX_ITEM_BYTES
from tests.conftest import Aws, Call, items_of
from tests.storage.pages import pages_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
BOT = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
SCENARIO = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
DOCUMENT = {"version": "1.0", "steps": [{"id": "a", "message": {"text": "Привет, 😀"}}], "n": [1, 0.5, None]}

Scenarios = MemoryScenarios | DynamoScenarios


@pytest.fixture(params=["memory", "dynamodb"])
def scenarios(request: pytest.FixtureRequest) -> Scenarios:
    if request.param == "memory":
        return MemoryScenarios(lambda: LATER)
    request.getfixturevalue("aws_account")
    return DynamoScenarios(lambda: LATER)


def a_scenario(**fields: Any) -> Scenario:
    given: dict[str, Any] = {
        "id": SCENARIO,
        "bot_id": BOT,
        "name": "Onboarding",
        "version": "1.0",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Scenario(**given | fields)


def noise(size: int) -> str:
    """Text that does not compress to less than half of itself."""
    return random.Random(1).randbytes(size // 2).hex()


def add(scenarios: Scenarios, document: dict[str, Any], met: int | None = None) -> Scenario:
    return scenarios.add_revision(SCENARIO, document, "Onboarding II", "for all", "2.0", met)


def test_a_scenario_begins_with_revision_1(scenarios: Scenarios) -> None:
    scenarios.create(a_scenario(description="x"), DOCUMENT)

    assert scenarios.get(SCENARIO) == a_scenario(description="x", latest_revision=1)
    assert scenarios.revision(SCENARIO, 1) == Revision(SCENARIO, 1, DOCUMENT, NOON)
    assert scenarios.document(SCENARIO, 1) == DOCUMENT


def test_an_id_is_taken_once(scenarios: Scenarios) -> None:
    scenarios.create(a_scenario(), DOCUMENT)

    with pytest.raises(Conflict):
        scenarios.create(a_scenario(name="another"), {})

    assert scenarios.get(SCENARIO) == a_scenario()
    assert scenarios.document(SCENARIO, 1) == DOCUMENT


def test_saving_makes_a_new_revision_and_leaves_the_old_ones(scenarios: Scenarios) -> None:
    scenarios.create(a_scenario(), DOCUMENT)

    head = add(scenarios, {"steps": []})

    assert head == a_scenario(
        name="Onboarding II", description="for all", version="2.0", latest_revision=2, updated_at=LATER
    )
    assert scenarios.get(SCENARIO) == head
    assert scenarios.revision(SCENARIO, 2) == Revision(SCENARIO, 2, {"steps": []}, LATER)
    assert scenarios.document(SCENARIO, 1) == DOCUMENT


def test_a_document_cannot_be_changed_from_outside(scenarios: Scenarios) -> None:
    mine: dict[str, Any] = {"steps": []}
    scenarios.create(a_scenario(), mine)

    mine["steps"].append(1)
    scenarios.document(SCENARIO, 1)["steps"].append(2)

    assert scenarios.document(SCENARIO, 1) == {"steps": []}


def test_saving_over_a_revision_that_was_not_seen_is_refused(scenarios: Scenarios) -> None:
    scenarios.create(a_scenario(), DOCUMENT)
    add(scenarios, {"by": "them"}, met=1)

    with pytest.raises(Conflict):
        add(scenarios, {"by": "me"}, met=1)

    assert scenarios.get(SCENARIO).latest_revision == 2
    assert scenarios.document(SCENARIO, 2) == {"by": "them"}


def test_saves_at_the_same_time_get_numbers_of_their_own(scenarios: Scenarios) -> None:
    scenarios.create(a_scenario(), DOCUMENT)

    with ThreadPoolExecutor(4) as pool:
        heads = list(pool.map(lambda n: add(scenarios, {"n": n}), range(4)))

    assert sorted(head.latest_revision for head in heads) == [2, 3, 4, 5]
    assert sorted(scenarios.document(SCENARIO, n)["n"] for n in range(2, 6)) == [0, 1, 2, 3]
    assert scenarios.get(SCENARIO).latest_revision == 5


def test_what_is_not_there_is_told(scenarios: Scenarios) -> None:
    scenarios.create(a_scenario(), DOCUMENT)

    for scenario_id in (str(uuid4()), "", "x" * 3000):
        with pytest.raises(NotFound, match="scenario"):
            scenarios.get(scenario_id)
    with pytest.raises(NotFound, match="scenario"):
        scenarios.add_revision(str(uuid4()), {}, "", "", "")
    for number in (0, -1, 2, 10**50):
        with pytest.raises(NotFound, match="revision"):
            scenarios.document(SCENARIO, number)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"text": noise(MAX_DOCUMENT_BYTES * 2 + 1000)}, "too_large"),
        ({"text": "\ud800"}, "not_json"),
        ({"text": object()}, "not_json"),
    ],
    ids=["too large when compressed", "half a character", "no JSON at all"],
)
def test_a_document_that_cannot_be_kept_is_refused(
    scenarios: Scenarios, document: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        scenarios.create(a_scenario(), document)
    assert [violation.code for violation in caught.value.violations] == [code]

    scenarios.create(a_scenario(), DOCUMENT)
    with pytest.raises(Invalid):
        add(scenarios, document)
    assert scenarios.get(SCENARIO).latest_revision == 1


def test_a_large_document_that_compresses_well_is_kept(scenarios: Scenarios) -> None:
    large = {"steps": [{"id": str(n), "message": {"text": "Добрый день! " * 100}} for n in range(500)]}
    assert len(msgspec.json.encode(large)) > 1_000_000

    scenarios.create(a_scenario(), large)

    assert scenarios.document(SCENARIO, 1) == large


@pytest.mark.parametrize("limit", [1, 2, 5, 50])
def test_lists_come_page_by_page_the_newest_first(scenarios: Scenarios, limit: int) -> None:
    made = [a_scenario(id=str(uuid4()), created_at=NOON + timedelta(seconds=n)) for n in range(5)]
    for scenario in [*made, a_scenario(bot_id=str(uuid4()))]:
        scenarios.create(scenario, DOCUMENT)
    for _ in range(4):
        add(scenarios, {})

    heads = pages_of(lambda start: scenarios.of_bot(BOT, limit, start))
    revisions = pages_of(lambda start: scenarios.revisions(SCENARIO, limit, start))

    assert [head for page in heads for head in page] == made[::-1]
    assert [(r.revision, r.created_at) for page in revisions for r in page] == [
        (5, LATER),
        (4, LATER),
        (3, LATER),
        (2, LATER),
        (1, NOON),
    ]
    assert all(len(page) == limit for page in heads[:-1])
    assert all(len(page) == limit for page in revisions[:-1])


def test_the_largest_document_fits_an_item() -> None:
    packed = pack({"text": noise(int(MAX_DOCUMENT_BYTES * 1.72))})

    assert MAX_DOCUMENT_BYTES * 0.95 < len(packed) <= MAX_DOCUMENT_BYTES < MAX_ITEM_BYTES
    assert unpack(packed)["text"]


@pytest.mark.usefixtures("aws_account")
def test_a_save_is_a_read_and_a_transaction(aws_calls: list[Call]) -> None:
    scenarios = DynamoScenarios()
    scenarios.create(a_scenario(), DOCUMENT)
    aws_calls.clear()

    add(scenarios, DOCUMENT)
    scenarios.document(SCENARIO, 2)

    assert [call.name for call in aws_calls] == [
        "dynamodb:GetItem",
        "dynamodb:TransactWriteItems",
        "dynamodb:GetItem",
    ]


@pytest.fixture
def stored(aws_account: Aws) -> DynamoScenarios:
    """A scenario of a bot."""
    DynamoBots().create(Bot(id=BOT, account_id="a", name="b", created_at=NOON, updated_at=NOON))
    scenarios = DynamoScenarios(lambda: LATER)
    scenarios.create(a_scenario(), DOCUMENT)
    return scenarios


class TestDeletion:
    def test_a_deleted_scenario_is_not_there_and_its_revisions_are(self, stored: DynamoScenarios) -> None:
        stored.delete(SCENARIO)

        for act in (stored.get, stored.delete):
            with pytest.raises(NotFound):
                act(SCENARIO)
        with pytest.raises(NotFound):
            stored.add_revision(SCENARIO, DOCUMENT, "n", "", "")
        assert stored.of_bot(BOT, 10).items == []
        assert stored.document(SCENARIO, 1) == DOCUMENT

    def test_its_id_stays_taken(self, stored: DynamoScenarios) -> None:
        stored.delete(SCENARIO)

        with pytest.raises(Conflict):
            stored.create(a_scenario(), DOCUMENT)

    def test_a_revision_that_was_under_way_does_not_bring_it_back(self, stored: DynamoScenarios) -> None:
        head = replace(stored.get(SCENARIO), latest_revision=2)
        stored.delete(SCENARIO)

        assert _save_next(head, pack(DOCUMENT)) is False
        with pytest.raises(NotFound):
            stored.get(SCENARIO)

    def test_a_deletion_that_has_not_seen_the_latest_revision_is_refused(
        self, stored: DynamoScenarios
    ) -> None:
        stored.add_revision(SCENARIO, DOCUMENT, "n", "", "")

        with pytest.raises(Conflict):
            stored.delete(SCENARIO, met=1)
        stored.delete(SCENARIO, met=2)

    @pytest.mark.parametrize(
        "pointer",
        [
            {"active_scenario_id": SCENARIO, "active_revision": 1},
            {"active_scenario_id": str(uuid4()), "active_revision": 1, "active_called": {SCENARIO: 1}},
        ],
        ids=["active", "called"],
    )
    def test_one_in_use_stays(self, stored: DynamoScenarios, pointer: dict[str, Any]) -> None:
        DynamoBots().change(BOT, **pointer)

        with pytest.raises(ScenarioInUse):
            stored.delete(SCENARIO)
        assert stored.get(SCENARIO) == a_scenario()

    def test_one_is_deleted_though_its_bot_is_in_another_transaction_just_then(
        self, stored: DynamoScenarios, aws_account: Aws
    ) -> None:
        """A renaming of the bot, say: that is no use of the scenario."""
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        told = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        refusals = [(AWSResponse("", 400, HTTPHeaders(), None), told)]

        def refused_once(**_: Any) -> Any:
            return refusals.pop() if refusals else None

        events = aws_account.dynamodb.meta.events
        events.register("before-call.dynamodb.TransactWriteItems", refused_once, unique_id="once")
        try:
            stored.delete(SCENARIO)
        finally:
            events.unregister("before-call.dynamodb.TransactWriteItems", unique_id="once")

        with pytest.raises(NotFound):
            stored.get(SCENARIO)

    def test_nothing_of_it_is_left_when_its_bot_is_removed(self, stored: DynamoScenarios) -> None:
        for _ in range(30):
            stored.add_revision(SCENARIO, DOCUMENT, "n", "", "")
        stored.delete(SCENARIO)

        assert len(list(stored.remove_of_bot(BOT))) == 3

        assert items_of("SCENARIOS_TABLE") == items_of("REVISIONS_TABLE") == []
