"""Results and exports as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from functions.admin.dialogs.schemas import Platform
from shared.admin_api.fields import Draft, Moment, View
from shared.admin_api.paging import Listing
from shared.dialog.results import RunStatus, Sought
from shared.results.exports import Export, ExportStatus, Format


def _text(given: Any) -> Any:
    if given is not None and not isinstance(given, str):
        raise ValueError("write it as a text")
    return given


Id = Annotated[UUID, BeforeValidator(_text), Field(strict=False)]


class ColumnView(View):
    """One variable of the results; `label` is the question that asks for it, "" where none does."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "date", "list", "map", "any"]
    label: str
    sensitive: bool


class ResultView(View):
    """A run that ended, and what it collected by the names of its variables; sensitive values are masked.

    What it followed and since when is null for runs from before that was kept.
    """

    dialog_id: UUID
    platform: str
    platform_chat_id: str
    run: int
    status: RunStatus
    scenario_id: UUID | None
    revision: int | None
    started_at: datetime | None
    ended_at: datetime
    values: dict[str, Any]


class ResultListing(Listing[ResultView]):
    """A page of results. `columns` are the variables of the bot's active scenario in its order, then what the
    revisions of this page's runs have more.
    """

    columns: list[ColumnView]


class ExportFilters(Draft):
    """Which runs; what is not named lets everything pass."""

    platform: Platform | None = None
    scenario_id: Id | None = None
    status: RunStatus | None = None


class ExportDraft(Draft):
    """A file of the results of runs that ended from `since` on and before `until`, until now at most."""

    format: Format
    since: Moment | None = None
    until: Moment | None = None
    filters: ExportFilters = ExportFilters()

    def sought(self, now: datetime) -> Sought:
        filters = self.filters
        return Sought(
            platform=filters.platform,
            scenario_id=str(filters.scenario_id) if filters.scenario_id else None,
            status=filters.status,
            since=self.since,
            until=min(self.until, now) if self.until else now,
        )


class ExportFiltersView(View):
    platform: str | None
    scenario_id: UUID | None
    status: RunStatus | None


class ExportView(View):
    """An export on its way, or its file.

    `rows` counts what is written so far; `rows_total` is null until it is known. `download_url` is there when
    the `status` is `ready`, and good for a few minutes: read the export again for another. `reason` says why
    one has `failed`. Export and file are gone after `expires_at`.
    """

    id: UUID
    bot_id: UUID
    format: Format
    since: datetime | None
    until: datetime | None
    filters: ExportFiltersView
    status: ExportStatus
    reason: str
    rows: int
    rows_total: int | None
    size: int
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    download_url: str | None

    @classmethod
    def of(cls, export: Export, download_url: str | None = None) -> ExportView:
        named = {name: getattr(export, name) for name in cls.model_fields if hasattr(export, name)}
        sought = export.sought
        return cls(
            **named,
            since=sought.since,
            until=sought.until,
            filters=ExportFiltersView.model_validate(sought),
            download_url=download_url,
        )
