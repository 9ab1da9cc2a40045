"""Scenarios as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.admin_api.fields import ONE_LINE, Description, Draft, Name, View
from shared.scenario.linter import Finding
from shared.storage.bots import Bot
from shared.storage.scenarios import Revision, RevisionSummary, Scenario

MAX_REVISION = 10**9

Version = Annotated[str, StringConstraints(max_length=100), ONE_LINE]


class ScenarioDraft(Draft):
    """A new scenario, or a new revision of one; `version` is the document's own unless it is given."""

    name: Name
    description: Description = ""
    version: Version | None = None
    scenario_data: dict[str, Any]

    def label(self) -> str:
        """The author's label of this revision."""
        if self.version is not None:
            return self.version
        return str(self.scenario_data.get("version", ""))


class ScenarioChange(ScenarioDraft):
    """All of a scenario that its author writes."""

    server_fields = frozenset(
        {"id", "bot_id", "is_active", "revision", "active_revision", "findings", "created_at", "updated_at"}
    )


class Activation(Draft):
    """Which revision to run, the latest unless named; dialogs under way stay on theirs."""

    revision: Annotated[int, Field(ge=1, le=MAX_REVISION)] | None = None
    running: Literal["keep", "move", "restart"] = "keep"


class Candidate(Draft):
    """A document to look at without saving it."""

    scenario_data: dict[str, Any]
    bot_id: str | None = None


class FindingView(View):
    """Something to mend; `pointer` leads into `scenario_data`, `path` are steps from the start."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    step_id: str | None
    pointer: str
    path: tuple[str, ...]


class Verdict(View):
    """What activation would say: `valid` if it would not refuse."""

    valid: bool
    findings: list[FindingView]


class ScenarioSummary(View):
    """A scenario in a list. `revision` is the latest, `active_revision` the one that runs, if one does."""

    id: UUID
    bot_id: UUID
    name: str
    description: str
    version: str
    is_active: bool
    revision: int
    active_revision: int | None
    created_at: datetime
    updated_at: datetime


class ScenarioView(ScenarioSummary):
    """A scenario; `revision` is the one that `scenario_data` and `findings` are of."""

    scenario_data: dict[str, Any]
    findings: list[FindingView]


class RevisionSummaryView(View):
    """A revision in a list; `is_active` if it is the one that new runs follow."""

    scenario_id: UUID
    revision: int
    is_active: bool
    created_at: datetime


class RevisionView(RevisionSummaryView):
    """A revision as it was saved."""

    scenario_data: dict[str, Any]
    findings: list[FindingView]


def findings_view(findings: Sequence[Finding]) -> list[FindingView]:
    return [FindingView.model_validate(finding) for finding in findings]


def verdict_on(findings: Sequence[Finding]) -> Verdict:
    is_valid = all(finding.severity != "error" for finding in findings)
    return Verdict(valid=is_valid, findings=findings_view(findings))


def summary_of(scenario: Scenario, bot: Bot) -> ScenarioSummary:
    return ScenarioSummary.model_validate(_head(scenario, bot))


def view_of(scenario: Scenario, bot: Bot, shown: Revision, findings: Sequence[Finding]) -> ScenarioView:
    document = {"scenario_data": shown.document, "findings": findings_view(findings)}
    return ScenarioView.model_validate({**_head(scenario, bot), "revision": shown.revision, **document})


def revision_summary_of(revision: RevisionSummary, bot: Bot) -> RevisionSummaryView:
    return RevisionSummaryView.model_validate(_place(revision, bot))


def revision_view_of(revision: Revision, bot: Bot, findings: Sequence[Finding]) -> RevisionView:
    document = {"scenario_data": revision.document, "findings": findings_view(findings)}
    return RevisionView.model_validate({**_place(revision, bot), **document})


def _active_revision(bot: Bot, scenario_id: str) -> int | None:
    """The scenario's revision that new runs of the bot follow; None if they follow another scenario."""
    return bot.active_revision if bot.active_scenario_id == scenario_id else None


def _place(revision: Revision | RevisionSummary, bot: Bot) -> dict[str, Any]:
    return {
        "scenario_id": revision.scenario_id,
        "revision": revision.revision,
        "is_active": revision.revision == _active_revision(bot, revision.scenario_id),
        "created_at": revision.created_at,
    }


def _head(scenario: Scenario, bot: Bot) -> dict[str, Any]:
    active = _active_revision(bot, scenario.id)
    return {
        "id": scenario.id,
        "bot_id": scenario.bot_id,
        "name": scenario.name,
        "description": scenario.description,
        "version": scenario.version,
        "is_active": active is not None,
        "revision": scenario.latest_revision,
        "active_revision": active,
        "created_at": scenario.created_at,
        "updated_at": scenario.updated_at,
    }
