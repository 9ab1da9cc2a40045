"""Routes of what a bot's runs came to: page by page, and as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request, Response

from functions.admin.dialogs.result_schemas import (
    ColumnView,
    ExportDraft,
    ExportView,
    ResultListing,
    ResultView,
)
from functions.admin.dialogs.schemas import Platform
from shared.admin_api.access import Reach, bot_in_path, bots_of, id_in_path
from shared.admin_api.collaborators import collaborator, handed_to
from shared.admin_api.fields import Moment
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import PageAsked
from shared.backend.accounts import Role
from shared.dialog.results import RunStatus, Sought
from shared.errors import NotFound
from shared.media.base import ObjectStore
from shared.queueing.envelopes import ExportEnvelope
from shared.queueing.producer import SqsExports
from shared.results.columns import ResultColumns
from shared.results.exports import Export
from shared.storage.bots import Bot
from shared.storage.clock import utc_now
from shared.storage.exports import DynamoExports
from shared.storage.results import DynamoResults

LINK_SECONDS: Final = 300

router = APIRouter(route_class=JsonRoute)


def _sought(
    platform: Platform | None = None,
    scenario_id: UUID | None = None,
    status: RunStatus | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Sought:
    followed = str(scenario_id) if scenario_id else None
    return Sought(platform=platform, scenario_id=followed, status=status, since=since, until=until)


_results_of: Callable[[Request], DynamoResults] = collaborator("results")
_columns_of: Callable[[Request], ResultColumns] = collaborator("columns")
_exports_of: Callable[[Request], DynamoExports] = collaborator("exports")
_queue_of: Callable[[Request], SqsExports] = collaborator("export_queue")
_files_of: Callable[[Request], ObjectStore] = collaborator("export_files")


def _export_in_path(request: Request) -> tuple[str, Export]:
    export = _exports_of(request).find(id_in_path(request, "id"))
    if export is None:
        raise NotFound("export")
    return bots_of(request).get(export.bot_id).account_id, export


ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("bot_id")))]
ReadableExport = Annotated[Export, Depends(Reach(Role.VIEWER, "export", _export_in_path))]
Results = Annotated[DynamoResults, Depends(_results_of)]
Columns = Annotated[ResultColumns, Depends(_columns_of)]


@router.get("/api/bots/{bot_id}/results")
def list_results(
    bot: ReadableBot,
    sought: Annotated[Sought, Depends(_sought)],
    results: Results,
    columns: Columns,
    page: PageAsked,
) -> ResultListing:
    """One result for each run that ended, the latest first; runs under way are in the list of dialogs."""
    found = results.of_bot(bot.id, sought, page.limit, page.start)
    active = columns.of(bot.active_scenario_id, bot.active_revision)
    return ResultListing(
        **page.answer([ResultView.model_validate(result) for result in found.items], found.next),
        columns=[ColumnView.model_validate(column) for column in columns.covering(found.items, active)],
    )


@router.post("/api/bots/{bot_id}/exports", status_code=202)
def export_results(
    bot: ReadableBot,
    draft: ExportDraft,
    exports: Annotated[DynamoExports, Depends(_exports_of)],
    queue: Annotated[SqsExports, Depends(_queue_of)],
    response: Response,
) -> ExportView:
    """Make a file of results in the background; read the export to see how far it is."""
    now = utc_now()
    export = Export(
        id=str(uuid4()), bot_id=bot.id, format=draft.format, sought=draft.sought(now), created_at=now
    )
    exports.create(export)
    with handed_to("the queue of exports"):
        queue.send(ExportEnvelope(export_id=export.id, bot_id=bot.id, trace_id=str(uuid4())))
    response.headers["Location"] = f"/api/exports/{export.id}"
    return ExportView.of(export)


@router.get("/api/exports/{id}")
def read_export(export: ReadableExport, files: Annotated[ObjectStore, Depends(_files_of)]) -> ExportView:
    """How far it is and, once it is ready, where to download its file."""
    if export.status != "ready":
        return ExportView.of(export)
    name = f"results-{export.created_at:%Y-%m-%d}.{export.format}"
    return ExportView.of(export, files.link_to(export.path, LINK_SECONDS, file_name=name))
