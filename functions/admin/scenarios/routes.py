"""Routes of scenarios."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request, Response

from functions.admin.scenarios.activation import require_runnable
from functions.admin.scenarios.calling import called_by
from functions.admin.scenarios.checking import (
    Findings,
    findings_of_form,
    findings_of_meaning,
    pointing_into_the_body,
    require_form,
)
from functions.admin.scenarios.deleting import why_needed
from functions.admin.scenarios.menus import refresh_menus
from functions.admin.scenarios.preview import Previews
from functions.admin.scenarios.preview_schemas import Preview, PreviewView, preview_view
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
from functions.admin.scenarios.surroundings import library_of
from functions.admin.scenarios.trial import Trials
from functions.admin.scenarios.trial_schemas import (
    ReportView,
    Simulation,
    SimulationView,
    Trial,
    report_view,
    simulation_view,
)
from functions.admin.scenarios.uploads import upload_ahead
from shared.admin_api.access import Reach, SignedIn, admitted_bot, bot_in_path, bots_of, id_in_path
from shared.admin_api.collaborators import collaborator
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.principal import Principal
from shared.admin_api.versions import IfMatchSent, tag
from shared.backend.accounts import Role
from shared.errors import Conflict, Invalid, NotFound, Violation
from shared.queueing.producer import SqsTasks
from shared.scenario.linter import Library
from shared.storage.bots import Bot, DynamoBots
from shared.storage.clock import utc_now
from shared.storage.scenarios import DynamoScenarios, Revision, Scenario, ScenarioInUse

router = APIRouter(route_class=JsonRoute)


@dataclass(frozen=True, slots=True)
class Owned:
    """A scenario, and the bot whose it is."""

    head: Scenario
    bot: Bot


_scenarios_of: Callable[[Request], DynamoScenarios] = collaborator("scenarios")
_trials_of: Callable[[Request], Trials] = collaborator("trials")
_previews_of: Callable[[Request], Previews] = collaborator("previews")
_tasks_of: Callable[[Request], SqsTasks] = collaborator("tasks")


def _scenario_in_path(request: Request) -> tuple[str, Owned]:
    head = _scenarios_of(request).get(id_in_path(request, "id"))
    bot = bots_of(request).get(head.bot_id)
    return bot.account_id, Owned(head, bot)


Bots = Annotated[DynamoBots, Depends(bots_of)]
Scenarios = Annotated[DynamoScenarios, Depends(_scenarios_of)]
Trying = Annotated[Trials, Depends(_trials_of)]
TaskQueue = Annotated[SqsTasks, Depends(_tasks_of)]
Previewing = Annotated[Previews, Depends(_previews_of)]
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
    """Refused is only what is not in the language's form; whatever else is found is in `findings`."""
    require_form(draft.scenario_data)
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
    return _tagged(response, _shown(Owned(head, bot), shown, scenarios))


@router.post("/api/scenarios/validate")
def validate_scenario(
    candidate: Candidate,
    principal: Annotated[Principal, Depends(SignedIn())],
    bots: Bots,
    scenarios: Scenarios,
) -> Verdict:
    """What activation would say of a document; with `bot_id`, of what it needs of that bot too."""
    bot = None
    if candidate.bot_id is not None:
        bot = admitted_bot(principal, bots, candidate.bot_id, Role.VIEWER)
    require_form(candidate.scenario_data)
    return verdict_on(_meaning(candidate.scenario_data, bot, scenarios))


@router.get("/api/scenarios/{id}")
def read_scenario(owned: Readable, scenarios: Scenarios, response: Response) -> ScenarioView:
    return _tagged(response, _latest(owned, scenarios))


@router.put("/api/scenarios/{id}")
def save_revision(
    owned: Writable, change: ScenarioChange, if_match: IfMatchSent, scenarios: Scenarios, response: Response
) -> ScenarioView:
    """Add an immutable revision. Nothing follows it before it is activated."""
    require_form(change.scenario_data)
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
    return _tagged(response, _shown(Owned(head, owned.bot), shown, scenarios))


@router.delete("/api/scenarios/{id}", status_code=204)
def delete_scenario(owned: Writable, if_match: IfMatchSent, scenarios: Scenarios, bots: Bots) -> None:
    """It is gone for everybody but the runs that follow it already: they go on to their end."""
    if if_match:
        if_match.check(_latest(owned, scenarios))
    try:
        with if_match.guard():
            scenarios.delete(owned.head.id, met=owned.head.latest_revision if if_match else None)
    except ScenarioInUse:
        raise Conflict(why_needed(owned.head, bots.get(owned.bot.id), scenarios)) from None


@router.post("/api/scenarios/{id}/activate")
def activate_scenario(
    owned: Writable,
    scenarios: Scenarios,
    bots: Bots,
    trials: Trying,
    tasks: TaskQueue,
    asked: Activation | None = None,
) -> ScenarioView:
    """Have new runs follow a revision. Refused with every finding that the linter or a test has."""
    activation = asked or Activation()
    chosen = _chosen(owned.head, activation.revision, scenarios)
    called, findings = require_runnable(chosen, owned.bot, scenarios, trials)
    bot = bots.activate(
        owned.bot.id, chosen.scenario_id, chosen.revision, called=called.numbers, running=activation.running
    )
    refresh_menus(owned.bot, chosen, scenarios, tasks)
    upload_ahead(bot, [chosen.document, *called.documents.values()], tasks)
    return view_of(owned.head, bot, chosen, findings)


@router.post("/api/scenarios/{id}/simulate")
def simulate_scenario(
    owned: Readable, scenarios: Scenarios, trials: Trying, asked: Simulation
) -> SimulationView:
    """Talk to it as a person would; nothing is kept, and nobody is written to."""
    document = _tried(owned, asked, scenarios)
    called = called_by(document, owned.bot, scenarios).documents
    return simulation_view(*trials.simulated(document, called, asked.opening(owned.bot), asked.acts))


@router.post("/api/scenarios/{id}/test")
def run_tests_of_scenario(
    owned: Readable, scenarios: Scenarios, trials: Trying, asked: Trial | None = None
) -> ReportView:
    """Run the tests inside it, and tell what they cover."""
    document = _tried(owned, asked or Trial(), scenarios)
    called = called_by(document, owned.bot, scenarios).documents
    return report_view(trials.tested(document, called, owned.bot))


@router.post("/api/scenarios/{id}/preview")
def preview_step(owned: Readable, scenarios: Scenarios, previews: Previewing, asked: Preview) -> PreviewView:
    """Show a step as each messenger would be asked to, and what it cannot show as written."""
    document = _tried(owned, asked, scenarios)
    called = called_by(document, owned.bot, scenarios).documents
    previewed = previews.of(owned.bot.id, document, called, asked.step, asked.openings(owned.bot))
    return preview_view(asked.step, previewed)


@router.get("/api/scenarios/{id}/revisions")
def list_revisions(owned: Readable, scenarios: Scenarios, page: PageAsked) -> Listing[RevisionSummaryView]:
    found = scenarios.revisions(owned.head.id, page.limit, page.start)
    items = [revision_summary_of(revision, owned.bot) for revision in found.items]
    return Listing(**page.answer(items, found.next))


@router.get("/api/scenarios/{id}/revisions/{revision}")
def read_revision(owned: Readable, revision: Number, scenarios: Scenarios) -> RevisionView:
    found = scenarios.revision(owned.head.id, revision)
    return revision_view_of(found, owned.bot, _findings(found, owned.bot, scenarios))


def _latest(owned: Owned, scenarios: DynamoScenarios) -> ScenarioView:
    shown = scenarios.revision(owned.head.id, owned.head.latest_revision)
    return _shown(owned, shown, scenarios)


def _shown(owned: Owned, shown: Revision, scenarios: DynamoScenarios) -> ScenarioView:
    return view_of(owned.head, owned.bot, shown, _findings(shown, owned.bot, scenarios))


def _findings(shown: Revision, bot: Bot, scenarios: DynamoScenarios) -> Findings:
    """All findings of a revision, whatever the language was when it was saved."""
    wrong = findings_of_form(shown.document)
    return wrong or _meaning(shown.document, bot, scenarios, shown.scenario_id)


def _meaning(
    document: dict[str, Any], bot: Bot | None, scenarios: DynamoScenarios, scenario_id: str = ""
) -> Findings:
    """The findings of a document whose form is right; what is around it is known where its bot is."""
    if bot is None:
        return findings_of_meaning(document, Library())
    called = called_by(document, bot, scenarios)
    return findings_of_meaning(document, library_of(bot, document, called, scenario_id))


def _chosen(head: Scenario, revision: int | None, scenarios: DynamoScenarios) -> Revision:
    try:
        return scenarios.revision(head.id, revision or head.latest_revision)
    except NotFound:
        words = f"There is no such revision; the latest is {head.latest_revision}."
        raise Invalid(
            "The scenario has no such revision.", [Violation("/revision", words, "unknown")]
        ) from None


def _tried(owned: Owned, trial: Trial, scenarios: DynamoScenarios) -> dict[str, Any]:
    """The document that is to be tried out."""
    document = trial.scenario_data
    if document is None:
        document = _chosen(owned.head, trial.revision, scenarios).document
    require_form(document)
    return document


def _tagged(response: Response, view: ScenarioView) -> ScenarioView:
    tag(response, view)
    return view
