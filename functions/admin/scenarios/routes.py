"""Routes of scenarios."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request, Response

from functions.admin.scenarios.checking import (
    findings_of,
    findings_of_saved,
    pointing_into_the_body,
    require_runnable,
)
from functions.admin.scenarios.schemas import (
    MAX_REVISION,
    Activation,
    Candidate,
    RevisionSummaryView,
    RevisionView,
    ScenarioChange,
    ScenarioDraft,
    ScenarioSummary,
    ScenarioView,
    Verdict,
    revision_summary_of,
    revision_view_of,
    summary_of,
    verdict_on,
    view_of,
)
from shared.admin_api.access import Reach, SignedIn, admitted_bot, bot_in_path, bots_of, id_in_path
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.principal import Principal
from shared.admin_api.versions import IfMatchSent, tag
from shared.backend.accounts import Role
from shared.errors import Invalid, NotFound, Violation
from shared.storage.bots import Bot, DynamoBots
from shared.storage.clock import utc_now
from shared.storage.scenarios import DynamoScenarios, Revision, Scenario

router = APIRouter(route_class=JsonRoute)


@dataclass(frozen=True, slots=True)
class Owned:
    """A scenario, and the bot whose it is."""

    head: Scenario
    bot: Bot


def _scenarios_of(request: Request) -> DynamoScenarios:
    scenarios: DynamoScenarios = request.app.state.scenarios
    return scenarios


def _scenario_in_path(request: Request) -> tuple[str, Owned]:
    head = _scenarios_of(request).get(id_in_path(request, "id"))
    bot = bots_of(request).get(head.bot_id)
    return bot.account_id, Owned(head, bot)


Bots = Annotated[DynamoBots, Depends(bots_of)]
Scenarios = Annotated[DynamoScenarios, Depends(_scenarios_of)]
ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("bot_id")))]
WritableBot = Annotated[Bot, Depends(Reach(Role.EDITOR, "bot", bot_in_path("bot_id")))]
Readable = Annotated[Owned, Depends(Reach(Role.VIEWER, "scenario", _scenario_in_path))]
Writable = Annotated[Owned, Depends(Reach(Role.EDITOR, "scenario", _scenario_in_path))]
Number = Annotated[int, Path(ge=1, le=MAX_REVISION)]


@router.get("/api/bots/{bot_id}/scenarios")
def list_scenarios(bot: ReadableBot, scenarios: Scenarios, page: PageAsked) -> Listing[ScenarioSummary]:
    found = scenarios.of_bot(bot.id, page.limit, page.start)
    return Listing(**page.answer([summary_of(head, bot) for head in found.items], found.next))


@router.post("/api/bots/{bot_id}/scenarios", status_code=201)
def create_scenario(
    bot: WritableBot, draft: ScenarioDraft, scenarios: Scenarios, response: Response
) -> ScenarioView:
    findings = findings_of(draft.scenario_data)
    now = utc_now()
    head = Scenario(
        id=str(uuid4()),
        bot_id=bot.id,
        name=draft.name,
        description=draft.description,
        version=draft.label(),
        created_at=now,
        updated_at=now,
    )
    with pointing_into_the_body():
        scenarios.create(head, draft.scenario_data)
    response.headers["Location"] = f"/api/scenarios/{head.id}"
    shown = Revision(head.id, head.latest_revision, draft.scenario_data, now)
    return _tagged(response, view_of(head, bot, shown, findings))


@router.post("/api/scenarios/validate")
def validate_scenario(
    candidate: Candidate, principal: Annotated[Principal, Depends(SignedIn())], bots: Bots
) -> Verdict:
    if candidate.bot_id is not None:
        admitted_bot(principal, bots, candidate.bot_id, Role.VIEWER)
    return verdict_on(findings_of(candidate.scenario_data))


@router.get("/api/scenarios/{id}")
def read_scenario(owned: Readable, scenarios: Scenarios, response: Response) -> ScenarioView:
    return _tagged(response, _latest(owned, scenarios))


@router.put("/api/scenarios/{id}")
def save_revision(
    owned: Writable, change: ScenarioChange, if_match: IfMatchSent, scenarios: Scenarios, response: Response
) -> ScenarioView:
    findings = findings_of(change.scenario_data)
    if if_match:
        if_match.check(_latest(owned, scenarios))
    with if_match.guard(), pointing_into_the_body():
        head = scenarios.add_revision(
            owned.head.id,
            change.scenario_data,
            change.name,
            change.description,
            change.label(),
            met=owned.head.latest_revision if if_match else None,
        )
    shown = Revision(head.id, head.latest_revision, change.scenario_data, head.updated_at)
    return _tagged(response, view_of(head, owned.bot, shown, findings))


@router.post("/api/scenarios/{id}/activate")
def activate_scenario(
    owned: Writable,
    scenarios: Scenarios,
    bots: Bots,
    asked: Activation | None = None,
) -> ScenarioView:
    activation = asked or Activation()
    _require_keeping(activation)
    chosen = _chosen(owned.head, activation, scenarios)
    findings = findings_of_saved(chosen.document)
    require_runnable(findings)
    bot = bots.change(owned.bot.id, active_scenario_id=chosen.scenario_id, active_revision=chosen.revision)
    return view_of(owned.head, bot, chosen, findings)


@router.get("/api/scenarios/{id}/revisions")
def list_revisions(owned: Readable, scenarios: Scenarios, page: PageAsked) -> Listing[RevisionSummaryView]:
    found = scenarios.revisions(owned.head.id, page.limit, page.start)
    items = [revision_summary_of(revision, owned.bot) for revision in found.items]
    return Listing(**page.answer(items, found.next))


@router.get("/api/scenarios/{id}/revisions/{revision}")
def read_revision(owned: Readable, revision: Number, scenarios: Scenarios) -> RevisionView:
    found = scenarios.revision(owned.head.id, revision)
    return revision_view_of(found, owned.bot, findings_of_saved(found.document))


def _latest(owned: Owned, scenarios: DynamoScenarios) -> ScenarioView:
    shown = scenarios.revision(owned.head.id, owned.head.latest_revision)
    return view_of(owned.head, owned.bot, shown, findings_of_saved(shown.document))


def _chosen(head: Scenario, activation: Activation, scenarios: DynamoScenarios) -> Revision:
    try:
        return scenarios.revision(head.id, activation.revision or head.latest_revision)
    except NotFound:
        words = f"There is no such revision; the latest is {head.latest_revision}."
        raise Invalid(
            "The scenario has no such revision.", [Violation("/revision", words, "unknown")]
        ) from None


def _require_keeping(activation: Activation) -> None:
    if activation.running != "keep":
        words = 'Only "keep" works in this version: dialogs under way end on the revision they began with.'
        violation = Violation("/running", words, "not_supported")
        raise Invalid("Running dialogs cannot be moved or restarted yet.", [violation])


def _tagged(response: Response, view: ScenarioView) -> ScenarioView:
    tag(response, view)
    return view
