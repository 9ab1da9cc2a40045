"""Scenarios: a head that can be renamed, and revisions that never change once written."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import And, Condition, Not, Or

from shared.errors import Conflict, Invalid, NotFound, Refused, Violation
from shared.pages import Page, Position
from shared.storage.batches import AT_ONCE, deleting
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import refused_writes, unmet_conditions
from shared.storage.paging import page_of, slice_of
from shared.storage.tables import BotInstance, BotScenario, ScenarioRevision

MAX_DOCUMENT_BYTES = 350 * 1024
"""What a scenario document may take when compressed."""

_TRIES = 5
"""How often a new revision gives way to another that took its number."""


_DELETED = "deleted#"
"""Before the bot's id in the head of a deleted scenario, which so stands in no list but that of its kind."""


class ScenarioInUse(Refused):
    """The bot's new runs follow the scenario, or call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The head of a scenario; `version` is the author's own label of the latest revision."""

    id: str
    bot_id: str
    name: str
    description: str = ""
    version: str = ""
    latest_revision: int = 1
    created_at: datetime
    updated_at: datetime


class Revision(msgspec.Struct, frozen=True):
    """One revision of a scenario, with its document."""

    scenario_id: str
    revision: int
    document: dict[str, Any]
    created_at: datetime


class RevisionSummary(msgspec.Struct, frozen=True):
    """One revision in a list, without its document."""

    scenario_id: str
    revision: int
    created_at: datetime


class DynamoScenarios:
    """Scenarios over DynamoDB; fulfils `ports.RevisionRepository`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def create(self, scenario: Scenario, document: dict[str, Any]) -> None:
        """Keep a new scenario, its document being revision 1, in one transaction.

        Raises `Conflict` if the id is taken, `Invalid` if the document is too large.
        """
        first = _revision_item(scenario.id, 1, pack(document), scenario.created_at)
        try:
            with BotScenario.transaction() as transaction:
                transaction.save(_item_of(scenario), BotScenario.id.does_not_exist())
                transaction.save(first, ScenarioRevision.scenario_id.does_not_exist())
        except TransactWriteError as error:
            if refused_writes(error):
                raise Conflict("a scenario with this id exists already") from None
            raise

    def add_revision(
        self,
        scenario_id: str,
        document: dict[str, Any],
        name: str,
        description: str,
        version: str,
        met: int | None = None,
    ) -> Scenario:
        """Save the document as the next revision, and rename the head, in one transaction.

        `met` is the `latest_revision` that the caller has seen. Raises `NotFound`, `Invalid` if the
        document is too large, and `Conflict` if somebody else has saved since.
        """
        packed = pack(document)
        for _ in range(_TRIES):
            head = self.get(scenario_id)
            if met not in {None, head.latest_revision}:
                break
            following = Scenario(
                id=head.id,
                bot_id=head.bot_id,
                name=name,
                description=description,
                version=version,
                latest_revision=head.latest_revision + 1,
                created_at=head.created_at,
                updated_at=self._clock(),
            )
            if _save_next(following, packed):
                return following
        raise Conflict("the scenario was changed by somebody else")

    def delete(self, scenario_id: str, *, met: int | None = None) -> None:
        """Let the scenario be found no more; its revisions stay for the runs that follow them.

        `met` is as in `add_revision`. Raises `NotFound`, `Conflict`, and `ScenarioInUse`.
        """
        for _ in range(_TRIES):
            head = self.get(scenario_id)
            if met not in {None, head.latest_revision}:
                break
            if _delete_head(head, self._clock()):
                return
        raise Conflict("the scenario was changed by somebody else")

    def remove_of_bot(self, bot_id: str) -> Iterator[None]:
        """Delete all scenarios of the bot, with those that were deleted before, step by step."""
        for owner in (bot_id, _DELETED + bot_id):
            for head in BotScenario.by_bot.query(owner, page_size=AT_ONCE):
                keys = ["scenario_id", "revision"]
                yield from deleting(ScenarioRevision, ScenarioRevision.query(head.id, attributes_to_get=keys))
                BotScenario(head.id).delete()
                yield

    def get(self, scenario_id: str) -> Scenario:
        """The head as last changed (a consistent read). Raises `NotFound`."""
        item = BotScenario.find(scenario_id)
        if item is None or item.bot_id.startswith(_DELETED):
            raise NotFound("scenario")
        return _scenario_of(item)

    def of_bot(self, bot_id: str, limit: int, start: Position | None = None) -> Page[Scenario]:
        """The bot's scenarios, the newest first."""
        found = BotScenario.by_bot.query(bot_id, scan_index_forward=False, **slice_of(limit, start))
        return page_of(found, _scenario_of)

    def revision(self, scenario_id: str, n: int) -> Revision:
        """One revision with its document (a consistent read). Raises `NotFound`."""
        item = ScenarioRevision.find(scenario_id, n)
        if item is None:
            raise NotFound("revision")
        return Revision(scenario_id, n, unpack(item.document), item.created_at)

    def revisions(self, scenario_id: str, limit: int, start: Position | None = None) -> Page[RevisionSummary]:
        """The scenario's revisions, the newest first, without their documents."""
        found = ScenarioRevision.query(
            scenario_id,
            scan_index_forward=False,
            attributes_to_get=["scenario_id", "revision", "created_at"],
            **slice_of(limit, start),
        )
        return page_of(found, _summary_of)

    def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
        """The scenario document as saved. Raises `NotFound`."""
        return self.revision(scenario_id, revision).document


def pack(document: dict[str, Any]) -> bytes:
    """The document as it is stored. Raises `Invalid` if that is too large, or if it is not JSON."""
    try:
        packed = zlib.compress(msgspec.json.encode(document))
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise Invalid("the scenario is not JSON", [Violation("", "is not JSON", "not_json")]) from None
    if len(packed) > MAX_DOCUMENT_BYTES:
        message = f"is {len(packed)} bytes long when compressed; {MAX_DOCUMENT_BYTES} are the most"
        raise Invalid("the scenario is too large", [Violation("", message, "too_large")])
    return packed


def unpack(packed: bytes) -> dict[str, Any]:
    return msgspec.json.decode(zlib.decompress(packed), type=dict[str, Any])


def _save_next(head: Scenario, packed: bytes) -> bool:
    """Write the revision that the head says is the latest; False if its number is taken."""
    revision = _revision_item(head.id, head.latest_revision, packed, head.updated_at)
    try:
        with BotScenario.transaction() as transaction:
            transaction.save(revision, ScenarioRevision.scenario_id.does_not_exist())
            transaction.save(_item_of(head), _unchanged(head, head.latest_revision - 1))
    except TransactWriteError as error:
        if refused_writes(error):
            return False
        raise
    return True


def _delete_head(head: Scenario, now: datetime) -> bool:
    """Give the head to nobody; False if it was changed meanwhile. Raises `ScenarioInUse`."""
    nobody = _DELETED + head.bot_id
    deleted = replace(head, bot_id=nobody, name="", description="", version="", updated_at=now)
    try:
        with BotScenario.transaction() as transaction:
            transaction.condition_check(BotInstance, head.bot_id, condition=_runs_without(head.id))
            transaction.save(_item_of(deleted), _unchanged(head, head.latest_revision))
    except TransactWriteError as error:
        if 0 in unmet_conditions(error):
            raise ScenarioInUse from None
        if refused_writes(error):
            return False
        raise
    return True


def _runs_without(scenario_id: str) -> Condition:
    """That the bot's new runs neither follow the scenario nor call it."""
    active, called = BotInstance.active_scenario_id, BotInstance.active_called
    follows_another = Or(active.does_not_exist(), active != scenario_id)
    return And(follows_another, Or(called.does_not_exist(), Not(called.contains(scenario_id))))


def _unchanged(head: Scenario, latest_revision: int) -> Condition:
    return And(BotScenario.latest_revision == latest_revision, BotScenario.bot_id == head.bot_id)


def _revision_item(scenario_id: str, n: int, packed: bytes, created_at: datetime) -> ScenarioRevision:
    return ScenarioRevision(scenario_id, n, document=packed, created_at=created_at)


def _item_of(scenario: Scenario) -> BotScenario:
    return BotScenario(
        scenario.id,
        bot_id=scenario.bot_id,
        name=scenario.name,
        description=scenario.description,
        version=scenario.version,
        latest_revision=scenario.latest_revision,
        created_at=scenario.created_at,
        updated_at=scenario.updated_at,
    )


def _scenario_of(item: BotScenario) -> Scenario:
    return Scenario(
        id=item.id,
        bot_id=item.bot_id,
        name=item.name,
        description=item.description,
        version=item.version,
        latest_revision=int(item.latest_revision),
        created_at=item.created_at,
        updated_at=item.updated_at,
    )


def _summary_of(item: ScenarioRevision) -> RevisionSummary:
    return RevisionSummary(item.scenario_id, int(item.revision), item.created_at)
