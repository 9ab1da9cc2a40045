"""Files that nobody may have any more: their records and all that lies in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.media.base import MediaFile, MediaRepository, ObjectStore, paths_of
from shared.pages import Page, Position

_AT_ONCE = 50

List = Callable[[str, int, Position | None], Page[MediaFile]]


@dataclass(frozen=True, slots=True)
class Files:
    """`media` and `objects` are the records and the bytes."""

    media: MediaRepository
    objects: ObjectStore

    def remove_library(self, bot_id: str) -> Iterator[None]:
        """All of a bot's library, step by step."""
        return self._remove(self.media.of_bot, bot_id, None)

    def remove_received(self, dialog_id: str, until: datetime | None) -> Iterator[None]:
        """What a dialog's person has sent until then, or ever, step by step."""
        return self._remove(self.media.of_dialog, dialog_id, until)

    def _remove(self, files_of: List, owner_id: str, until: datetime | None) -> Iterator[None]:
        start: Position | None = None
        while True:
            page = files_of(owner_id, _AT_ONCE, start)
            self._remove_all([file for file in page.items if until is None or file.created_at <= until])
            if page.next is None:
                return
            start = page.next
            yield

    def _remove_all(self, files: list[MediaFile]) -> None:
        """The bytes first: without its record nobody would find them."""
        self.objects.delete([path for file in files for path in paths_of(file)])
        for file in files:
            self.media.delete(file.id)
