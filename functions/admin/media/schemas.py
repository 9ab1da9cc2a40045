"""Files as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.admin_api.fields import ONE_LINE, Draft, View
from shared.media.base import FileType, MediaFile, MediaStatus
from shared.media.inspection import MAX_BYTES


class Announcement(Draft):
    """A file that its owner will put into the store; its name and type are those that it claims."""

    file_name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), ONE_LINE
    ]
    content_type: Annotated[
        str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}$", to_lower=True)
    ] = "application/octet-stream"
    size: Annotated[int, Field(ge=1, le=MAX_BYTES)]


class Placement(View):
    """How to put an announced file into the store: this request, with the file as its body.

    Then `POST` to `complete`; until then, and for a day at most, the file's status is `uploading`.
    """

    method: Literal["PUT"] = "PUT"
    url: str
    headers: Mapping[str, str]
    expires_at: datetime
    complete: str


class PlatformFileIdView(View):
    """What a messenger knows the file by; `account` is whose it is there."""

    file_id: str
    account: str
    expires_at: datetime | None


class MediaView(View):
    """A file. `download_url` is good for ten minutes; `url`, of a library's file, as long as it is there.

    `reason` says why it has failed.
    """

    id: UUID
    bot_id: UUID
    dialog_id: UUID | None
    file_type: FileType
    file_name: str
    status: MediaStatus
    reason: str | None
    content_type: str
    size: int
    width: int | None
    height: int | None
    duration_seconds: float | None
    storage_path: str
    platform_file_ids: dict[str, PlatformFileIdView]
    download_url: str | None
    url: str | None
    upload: Placement | None = None
    created_at: datetime
    updated_at: datetime


def view_of(
    file: MediaFile, *, download_url: str | None, url: str | None, upload: Placement | None = None
) -> MediaView:
    known = file.platform_file_ids.items()
    return MediaView(
        id=UUID(file.id),
        bot_id=UUID(file.bot_id),
        dialog_id=UUID(file.dialog_id) if file.dialog_id else None,
        file_type=file.file_type,
        file_name=file.file_name,
        status=file.status,
        reason=file.reason or None,
        content_type=file.content_type,
        size=file.size,
        width=file.width or None,
        height=file.height or None,
        duration_seconds=file.duration_seconds or None,
        storage_path=file.storage_path,
        platform_file_ids={name: PlatformFileIdView.model_validate(each) for name, each in known},
        download_url=download_url,
        url=url,
        upload=upload,
        created_at=file.created_at,
        updated_at=file.updated_at,
    )
