"""A library as it is filled and emptied: records and bytes, in an order that loses neither."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final
from uuid import uuid4

import msgspec

from shared.errors import Conflict, Invalid, NotFound, Violation
from shared.media.base import FileType, MediaFile, Variant, paths_of
from shared.media.inspection import Inspected, inspect
from shared.media.kinds import Unfit
from shared.media.links import (
    folder_in_library,
    new_link_key,
    path_in_library,
    path_of_upload,
    path_of_variant,
)
from shared.media.names import safe_name
from shared.media.store import S3Store
from shared.platforms import PLATFORMS, adapter_for
from shared.platforms.base import MediaLimits
from shared.storage.clock import Clock, utc_now
from shared.storage.media import DynamoMedia

_IN_MEMORY_BYTES: Final = 8_000_000
_NOT_SHOWN_INLINE: Final[FileType] = "file"
_FAMILIES: Final[Mapping[str, FileType]] = {"image": "image", "video": "video", "audio": "audio"}


def limits_of_images() -> dict[str, MediaLimits]:
    """What images messengers take, by messenger."""
    shown = ((name, adapter_for(name).capabilities.media.get("image")) for name in PLATFORMS)
    return {name: limit for name, limit in shown if limit is not None}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Puts files in and takes them out."""

    records: DynamoMedia
    store: S3Store
    clock: Clock = utc_now
    limits: Mapping[str, MediaLimits] = field(default_factory=limits_of_images)

    def put_in(self, bot_id: str, file_name: str, body: IO[bytes]) -> MediaFile:
        """A file at once: its bytes first, so that no record is without them. Raises `Invalid`."""
        with _told("/file"):
            found = inspect(body, file_name, self.limits)
        media_id, now = str(uuid4()), self.clock()
        fields = self._stored(media_id, found)
        file = MediaFile(id=media_id, bot_id=bot_id, created_at=now, updated_at=now, **fields)
        self.records.create(file)
        return file

    def announce(self, bot_id: str, file_name: str, content_type: str, size: int) -> MediaFile:
        """A file that will come by a link of the store's."""
        media_id, now = str(uuid4()), self.clock()
        file = MediaFile(
            id=media_id,
            bot_id=bot_id,
            file_type=_FAMILIES.get(content_type.partition("/")[0], "file"),
            file_name=safe_name(file_name),
            content_type=content_type,
            size=size,
            status="uploading",
            storage_path=path_of_upload(media_id),
            created_at=now,
            updated_at=now,
        )
        self.records.create(file)
        return file

    def complete(self, file: MediaFile) -> MediaFile:
        """The file once it has arrived; of two that say so at once, both are told the same.

        Raises `Conflict` while it has not, and `Invalid` if the library does not take it.
        """
        if file.status != "uploading":
            return _as_it_stands(file)
        try:
            with self._arrived(file) as body:
                changed = self._taken_in(file, body)
        except (Conflict, NotFound):
            current = self.records.find(file.id)
            if current is None:
                raise NotFound("media") from None
            if current.status == "uploading":
                raise
            return _as_it_stands(current)
        self._clear(changed)
        return _as_it_stands(changed)

    def remove(self, file: MediaFile) -> None:
        """The bytes first: what breaks off can be done again, as long as the record is there.

        And once more, for those that a `complete` has put there meanwhile.
        """
        self._empty(file)
        self.records.delete(file.id)
        self._empty(file)

    def _clear(self, file: MediaFile) -> None:
        """Nothing stays but the file: not the upload, nor what a `complete` that broke off has put there."""
        there = self.store.some_under(folder_in_library(file.id))
        kept = set(paths_of(file))
        self.store.delete([path_of_upload(file.id), *(path for path in there if path not in kept)])

    def _empty(self, file: MediaFile) -> None:
        self.store.delete([*self.store.some_under(folder_in_library(file.id)), path_of_upload(file.id)])

    @contextmanager
    def _arrived(self, file: MediaFile) -> Iterator[IO[bytes]]:
        path = path_of_upload(file.id)
        size = self.store.size(path)
        if size is None:
            raise Conflict("nothing has arrived yet: put the file where upload.url says, then try again")
        if size != file.size:
            raise Conflict(
                f"{size} bytes have arrived, and {file.size} were announced: put the whole file there again, "
                "or announce it anew"
            )
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as body:
            with self.store.open(path) as arriving:
                shutil.copyfileobj(arriving, body)
            yield body

    def _taken_in(self, file: MediaFile, body: IO[bytes]) -> MediaFile:
        try:
            found = inspect(body, file.file_name, self.limits)
        except Unfit as unfit:
            return self.records.change(file.id, met="uploading", status="failed", reason=unfit.words)
        fields = self._stored(file.id, found)
        try:
            return self.records.change(file.id, met="uploading", **fields)
        except (Conflict, NotFound):  # completed by another, or deleted, meanwhile
            self.store.delete(paths_of(msgspec.structs.replace(file, **fields)))
            raise

    def _stored(self, media_id: str, found: Inspected) -> dict[str, Any]:
        """Put its bytes into the store, where nobody else puts any; what its record says of them."""
        link_key = new_link_key()
        path = path_in_library(media_id, link_key, found.file_name)
        name = found.file_name if found.file_type == _NOT_SHOWN_INLINE else ""
        found.body.seek(0)
        self.store.put(path, found.body, found.content_type, file_name=name)
        return {
            "status": "ready",
            "file_type": found.file_type,
            "file_name": found.file_name,
            "content_type": found.content_type,
            "size": found.size,
            "width": found.width,
            "height": found.height,
            "duration_seconds": found.duration_seconds,
            "storage_path": path,
            "link_key": link_key,
            "variants": dict(self._stored_variants(media_id, link_key, found)),
        }

    def _stored_variants(
        self, media_id: str, link_key: str, found: Inspected
    ) -> Iterator[tuple[str, Variant]]:
        for platform, made in found.variants.items():
            path = path_of_variant(media_id, link_key, platform)
            made.body.seek(0)
            self.store.put(path, made.body, made.content_type)
            yield platform, Variant(path, made.content_type, made.size, made.width, made.height)


def _as_it_stands(file: MediaFile) -> MediaFile:
    if file.status == "failed":
        raise Invalid("The library does not take this file.", [Violation("", file.reason, "refused")])
    if file.status != "ready":
        raise Conflict("the file is still being fetched")
    return file


@contextmanager
def _told(pointer: str) -> Iterator[None]:
    try:
        yield
    except Unfit as unfit:
        violation = Violation(pointer, unfit.words, unfit.code)
        raise Invalid("The library does not take this file.", [violation]) from None
