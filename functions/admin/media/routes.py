"""Routes of media."""

# ruff: noqa: FAST003 - paths are read by Reach, which admits to what they name
from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from functions.admin.media.schemas import Announcement, MediaView, Placement, view_of
from functions.admin.media.shelf import Shelf
from functions.admin.media.uses import steps_that_show
from shared.admin_api.access import Public, Reach, bot_in_path, bots_of, canonical, id_in_path
from shared.admin_api.address import base_url_of
from shared.admin_api.collaborators import collaborator
from shared.admin_api.json_route import JsonRoute
from shared.admin_api.paging import Listing, PageAsked
from shared.admin_api.problems import Problem, ProblemError
from shared.admin_api.upload_route import UploadRoute, is_form, read_form, read_json
from shared.backend.accounts import Role
from shared.errors import Conflict, NotFound, Violation
from shared.media.base import FileType, MediaFile, MediaStatus, paths_of
from shared.media.links import addresses_below, folder_in_library, path_of_upload
from shared.storage.bots import Bot
from shared.storage.scenarios import DynamoScenarios

DOWNLOADS_LAST: Final = 600
UPLOADS_LAST: Final = 900
"""Seconds for an upload to begin."""

_MOST_STEPS_NAMED: Final = 50

router = APIRouter(route_class=JsonRoute)


@dataclass(frozen=True, slots=True)
class Owned:
    """A file, and the bot whose it is, or whose dialog's."""

    file: MediaFile
    bot: Bot


@dataclass(frozen=True, slots=True)
class Arriving:
    """A file of a form, or one that is announced."""

    file_name: str
    body: IO[bytes] | None = None
    announced: Announcement | None = None


@dataclass(frozen=True, slots=True)
class Shows:
    """Shows files with addresses to get them at."""

    shelf: Shelf
    media_url: str

    def __call__(self, file: MediaFile, upload: Placement | None = None) -> MediaView:
        is_there = file.status == "ready"
        return view_of(
            file,
            download_url=self._download_url(file) if is_there else None,
            url=self._url(file) if is_there else None,
            upload=upload,
        )

    def _download_url(self, file: MediaFile) -> str:
        return self.shelf.store.link_to(file.storage_path, DOWNLOADS_LAST, file_name=file.file_name)

    def _url(self, file: MediaFile) -> str | None:
        """What persons sent has no public address, and nothing has one where the API's own is unknown."""
        if file.dialog_id or not self.media_url:
            return None
        return addresses_below(self.media_url)(file.storage_path)


_shelf_of: Callable[[Request], Shelf] = collaborator("shelf")
_scenarios_of: Callable[[Request], DynamoScenarios] = collaborator("scenarios")


def _shows_of(request: Request) -> Shows:
    named: str = request.app.state.media_url
    try:
        return Shows(_shelf_of(request), named or base_url_of(request))
    except Conflict:
        return Shows(_shelf_of(request), "")


def _file_in_path(request: Request) -> tuple[str, Owned]:
    file = _shelf_of(request).records.find(id_in_path(request, "id"))
    if file is None:
        raise NotFound("media")
    bot = bots_of(request).get(file.bot_id)
    return bot.account_id, Owned(file, bot)


def _library_file_in_path(request: Request) -> tuple[str, Owned]:
    """One that can be changed: what a person sent goes with their dialog."""
    account_id, owned = _file_in_path(request)
    if owned.file.dialog_id:
        raise NotFound("media")
    return account_id, owned


async def _arriving(request: Request) -> AsyncIterator[Arriving]:
    if not is_form(request):
        announced = await read_json(request, Announcement)
        yield Arriving(announced.file_name, announced=announced)
        return
    async with read_form(request) as file:
        yield Arriving(file.filename or "", body=cast("IO[bytes]", file.file))


OnShelf = Annotated[Shelf, Depends(_shelf_of)]
Scenarios = Annotated[DynamoScenarios, Depends(_scenarios_of)]
Showing = Annotated[Shows, Depends(_shows_of)]
ReadableBot = Annotated[Bot, Depends(Reach(Role.VIEWER, "bot", bot_in_path("bot_id")))]
WritableBot = Annotated[Bot, Depends(Reach(Role.EDITOR, "bot", bot_in_path("bot_id")))]
Readable = Annotated[Owned, Depends(Reach(Role.VIEWER, "media", _file_in_path))]
Writable = Annotated[Owned, Depends(Reach(Role.EDITOR, "media", _library_file_in_path))]
Arrived = Annotated[Arriving, Depends(_arriving)]

_BODIES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, up to 4 MB, or what announces one of up to 50 MB.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/json": {"schema": Announcement.model_json_schema()},
        },
    }
}


@router.get("/api/bots/{bot_id}/media")
def list_media(
    bot: ReadableBot,
    shelf: OnShelf,
    show: Showing,
    page: PageAsked,
    file_type: FileType | None = None,
    status: MediaStatus | None = None,
) -> Listing[MediaView]:
    found = shelf.records.of_bot(bot.id, page.limit, page.start, file_type=file_type, status=status)
    return Listing(**page.answer([show(file) for file in found.items], found.next))


def add_media(
    bot: WritableBot, arrived: Arrived, shelf: OnShelf, show: Showing, response: Response
) -> MediaView:
    upload = None
    if arrived.body is not None:
        file = shelf.put_in(bot.id, arrived.file_name, arrived.body)
    else:
        file, upload = _announced(cast("Announcement", arrived.announced), bot, shelf)
    response.headers["Location"] = f"/api/media/{file.id}"
    return show(file, upload)


router.add_api_route(
    "/api/bots/{bot_id}/media",
    add_media,
    methods=["POST"],
    status_code=201,
    openapi_extra=_BODIES,
    route_class_override=UploadRoute,
)


@router.get("/api/media/{id}")
def read_media(owned: Readable, show: Showing) -> MediaView:
    return show(owned.file)


@router.post("/api/media/{id}/complete")
def complete_media(owned: Writable, shelf: OnShelf, show: Showing) -> MediaView:
    """Take in a file that was put where `upload` said. Again, it answers the same."""
    return show(shelf.complete(owned.file))


@router.delete("/api/media/{id}", status_code=204)
def delete_media(owned: Writable, shelf: OnShelf, scenarios: Scenarios) -> None:
    """Refused, with the steps, while the active scenario shows it."""
    if steps := steps_that_show(owned.file.id, owned.bot, scenarios):
        raise _in_use(steps)
    shelf.remove(owned.file)


@router.get("/media/{media_id}/{key}/{file_name}", status_code=302, dependencies=[Depends(Public())])
def follow_public_link(media_id: str, key: str, file_name: str, shelf: OnShelf) -> RedirectResponse:
    """Where CloudFront does not: to the object, for a while."""
    file = shelf.records.find(canonical(media_id))
    if file is None or not hmac.compare_digest(key.encode(), file.link_key.encode()) or not file.link_key:
        raise NotFound("file")
    path = f"{folder_in_library(file.id)}{file.link_key}/{file_name}"
    if path not in paths_of(file):
        raise NotFound("file")
    return RedirectResponse(shelf.store.link_to(path, DOWNLOADS_LAST), status_code=302)


def _announced(announced: Announcement, bot: Bot, shelf: Shelf) -> tuple[MediaFile, Placement]:
    file = shelf.announce(bot.id, announced.file_name, announced.content_type, announced.size)
    expires_at = shelf.clock() + timedelta(seconds=UPLOADS_LAST)
    url, headers = shelf.store.link_for_upload(
        path_of_upload(file.id), file.content_type, file.size, UPLOADS_LAST
    )
    complete = f"/api/media/{file.id}/complete"
    return file, Placement(url=url, headers=headers, expires_at=expires_at, complete=complete)


def _in_use(steps: list[tuple[str, str]]) -> ProblemError:
    named = ", ".join(f"“{step}”" for _, step in steps[:_MOST_STEPS_NAMED])
    detail = f"The active scenario shows this file, in {named}. Take it out there first."
    errors = [
        Violation("", f"The step “{step}” of scenario {id_} shows it.", "in_use") for id_, step in steps
    ]
    more = {"steps": [{"scenario_id": id_, "step_id": step} for id_, step in steps[:_MOST_STEPS_NAMED]]}
    return ProblemError(Problem("conflict", detail, errors, more=more))
