"""What lies in the media bucket by bot, and has no record that would lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.media.store import S3Store
from shared.platforms import PLATFORMS


@dataclass(frozen=True, slots=True)
class Folders:
    """`store` keeps the files; `bucket` is the deployment's own, with exports, and updates that nobody could
    read.
    """

    store: S3Store
    bucket: S3Store

    def remove_of_bot(self, bot_id: str) -> Iterator[None]:
        """What persons sent, exports, and unread updates, step by step."""
        yield from _emptied(self.store, f"received/{bot_id}/")
        for folder in ("exports", *(f"unparsed/{platform}" for platform in PLATFORMS)):
            yield from _emptied(self.bucket, f"{folder}/{bot_id}/")


def _emptied(store: S3Store, folder: str) -> Iterator[None]:
    while paths := store.some_under(folder):
        store.delete(paths)
        yield
