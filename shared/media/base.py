"""A file as the library knows it, and what keeps its record and its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from shared.pages import Page, Position

FileType = Literal["image", "video", "audio", "file"]

MediaStatus = Literal["uploading", "fetching", "ready", "failed"]
"""`uploading`: its owner has a link to put it to; `fetching`: it is still the messenger's."""


class PlatformFileId(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a messenger knows a file by, once it has been given it.

    It is good for one `account` only (see `account_of`), and not after `expires_at`.
    """

    file_id: str
    account: str
    expires_at: datetime | None = None


class Variant(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image made small enough for a messenger; `size` is in bytes."""

    storage_path: str
    content_type: str
    size: int
    width: int = 0
    height: int = 0


class MediaFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file: of a bot's library, or, with a `dialog_id`, sent by that dialog's person.

    `storage_path` is its key in the store; `link_key` what makes its public address unguessable (a library
    file's only). `reason` says, for people, why it `failed`. `variants` are by platform. `size` is in bytes.
    """

    id: str
    bot_id: str
    file_type: FileType
    file_name: str
    created_at: datetime
    updated_at: datetime
    status: MediaStatus
    content_type: str = ""
    size: int = 0
    storage_path: str = ""
    link_key: str = ""
    reason: str = ""
    width: int = 0
    height: int = 0
    duration_seconds: float = 0
    dialog_id: str = ""
    platform_file_ids: dict[str, PlatformFileId] = {}
    variants: dict[str, Variant] = {}


class MediaRepository(Protocol):
    """The records of files."""

    def create(self, file: MediaFile) -> bool:
        """Write a new record; False, and nothing written, if there is one of this id."""
        ...

    def find(self, media_id: str) -> MediaFile | None:
        """The record (a consistent read), or None."""
        ...

    def change(self, media_id: str, *, met: MediaStatus | None = None, **fields: Any) -> MediaFile:
        """Write these fields and the time, leaving all others; the record afterwards.

        `met` is the status that the caller has seen. Raises `NotFound`, and `Conflict` if it is another.
        """
        ...

    def keep_file_id(self, media_id: str, platform: str, known: PlatformFileId) -> None:
        """Remember what a messenger knows it by, in place of what was remembered. Nothing, if it is gone."""
        ...

    def forget_file_id(self, media_id: str, platform: str, file_id: str) -> None:
        """Forget it, unless another has taken its place."""
        ...

    def of_bot(
        self,
        bot_id: str,
        limit: int,
        start: Position | None = None,
        *,
        file_type: FileType | None = None,
        status: MediaStatus | None = None,
    ) -> Page[MediaFile]:
        """A page of a bot's library, the latest first, of that type and status only."""
        ...

    def of_dialog(self, dialog_id: str, limit: int, start: Position | None = None) -> Page[MediaFile]:
        """A page of what a dialog's person sent, the latest first."""
        ...

    def delete(self, media_id: str) -> None:
        """Delete the record; nothing, if there is none."""
        ...


class ObjectStore(Protocol):
    """The bytes of files, by path. Any S3-compatible store will do."""

    def put(self, path: str, body: IO[bytes], content_type: str, *, file_name: str = "") -> None:
        """Store the body; `file_name` is what a browser saves it as."""
        ...

    def open(self, path: str) -> IO[bytes]:
        """The object's bytes, as they come in. Raises `NotFound`."""
        ...

    def size(self, path: str) -> int | None:
        """How many bytes there are, or None if there is no such object."""
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Delete the objects, as many as there are of them."""
        ...

    def link_to(self, path: str, seconds: int, *, file_name: str = "") -> str:
        """An address to read the object at for so long; with a `file_name` browsers save it."""
        ...

    def link_for_upload(
        self, path: str, content_type: str, size: int, seconds: int
    ) -> tuple[str, Mapping[str, str]]:
        """An address to PUT exactly so many bytes to, and the headers to send along."""
        ...


def paths_of(file: MediaFile) -> list[str]:
    """All that lies in the store of a file."""
    return [path for path in (file.storage_path, *(v.storage_path for v in file.variants.values())) if path]
