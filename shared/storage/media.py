"""The records of files over DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from shared.errors import Conflict, NotFound
from shared.media.base import FileType, MediaFile, MediaStatus, PlatformFileId, Variant
from shared.pages import Page, Position
from shared.storage.clock import Clock, utc_now
from shared.storage.conditions import is_refused
from shared.storage.paging import page_of, slice_of
from shared.storage.tables import BotMediaFile, whole

UPLOADS_LAST = timedelta(days=1)
"""What has not arrived by then is gone."""

CHANGEABLE = frozenset(MediaFile.__struct_fields__) - {
    "id",
    "bot_id",
    "dialog_id",
    "created_at",
    "updated_at",
    "platform_file_ids",
}
"""The fields of a file that can be changed once it exists."""

_TEXTS = ("content_type", "storage_path", "link_key", "reason", "dialog_id")


class DynamoMedia:
    """Records of files over DynamoDB; fulfils `MediaRepository`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def create(self, file: MediaFile) -> bool:
        try:
            _item_of(file).save(BotMediaFile.id.does_not_exist())
        except PutError as error:
            if is_refused(error):
                return False
            raise
        return True

    def find(self, media_id: str) -> MediaFile | None:
        item = BotMediaFile.find(media_id)
        return None if item is None or _is_over(item, self._clock()) else _file_of(item)

    def change(self, media_id: str, *, met: MediaStatus | None = None, **fields: Any) -> MediaFile:
        item = BotMediaFile(media_id)
        exists = BotMediaFile.id.exists()
        condition = exists if met is None else exists & (BotMediaFile.status == met)
        if not _update(item, _actions(fields, self._clock()), condition):
            if met is None or BotMediaFile.find(media_id, attributes=["id"]) is None:
                raise NotFound("media")
            raise Conflict("the file has come further meanwhile")
        return _file_of(item)

    def keep_file_id(self, media_id: str, platform: str, known: PlatformFileId) -> None:
        saved = _place_of(platform).set(_json(known))
        _update(BotMediaFile(media_id), [saved], BotMediaFile.id.exists())

    def forget_file_id(self, media_id: str, platform: str, file_id: str) -> None:
        item = BotMediaFile.find(media_id, attributes=["platform_file_ids"])
        kept = item.platform_file_ids.attribute_values.get(platform) if item else None
        if kept is not None and _file_id_of(kept).file_id == file_id:
            place = _place_of(platform)
            _update(BotMediaFile(media_id), [place.remove()], place == kept)

    def of_bot(
        self,
        bot_id: str,
        limit: int,
        start: Position | None = None,
        *,
        file_type: FileType | None = None,
        status: MediaStatus | None = None,
    ) -> Page[MediaFile]:
        conditions: list[Condition] = []
        if file_type is not None:
            conditions.append(BotMediaFile.file_type == file_type)
        if status is not None:
            conditions.append(BotMediaFile.status == status)
        return self._of(owner_of(bot_id, ""), limit, start, conditions)

    def of_dialog(self, dialog_id: str, limit: int, start: Position | None = None) -> Page[MediaFile]:
        return self._of(owner_of("", dialog_id), limit, start, [])

    def delete(self, media_id: str) -> None:
        BotMediaFile(media_id).delete()

    def _of(
        self, owner: str, limit: int, start: Position | None, conditions: list[Condition]
    ) -> Page[MediaFile]:
        current: Condition = BotMediaFile.expires_at.does_not_exist() | (
            BotMediaFile.expires_at > self._clock()
        )
        for condition in conditions:
            current = current & condition
        found = BotMediaFile.by_owner.query(
            owner, filter_condition=current, scan_index_forward=False, **slice_of(limit, start)
        )
        return page_of(found, _file_of)


def owner_of(bot_id: str, dialog_id: str) -> str:
    """Whose list a file stands in: its bot's library, or what a dialog's person sent."""
    return f"dialog#{dialog_id}" if dialog_id else f"bot#{bot_id}"


def expiry_of(status: MediaStatus, created_at: datetime) -> datetime | None:
    """When a record goes by itself: that of an upload that never came."""
    return created_at + UPLOADS_LAST if status == "uploading" else None


def require_changeable(fields: Mapping[str, Any]) -> None:
    """Raises `TypeError` for a field that a change cannot set."""
    if unknown := fields.keys() - CHANGEABLE:
        raise TypeError(f"a file's {', '.join(sorted(unknown))} cannot be changed")


def _update(item: BotMediaFile, actions: list[Action], condition: Condition) -> bool:
    """Whether the condition held."""
    try:
        item.update(actions, condition)
    except UpdateError as error:
        if is_refused(error):
            return False
        raise
    return True


def _actions(fields: dict[str, Any], now: datetime) -> list[Action]:
    require_changeable(fields)
    actions: list[Action] = [BotMediaFile.updated_at.set(now)]
    for name, value in fields.items():
        attribute: Any = BotMediaFile.file_size if name == "size" else getattr(BotMediaFile, name)
        actions.append(attribute.set(_json(value) if name == "variants" else value))
    if fields.get("status", "uploading") != "uploading":
        actions.append(BotMediaFile.expires_at.remove())
    return actions


def _is_over(item: BotMediaFile, now: datetime) -> bool:
    expires_at: datetime | None = item.expires_at
    return expires_at is not None and expires_at <= now


def _place_of(platform: str) -> Any:
    """Where in an item the messenger's id stands, as an expression."""
    return cast("Any", BotMediaFile.platform_file_ids)[platform]


def _json(value: Mapping[str, Variant] | PlatformFileId) -> str:
    return msgspec.json.encode(value).decode()


def _file_id_of(saved: str) -> PlatformFileId:
    return msgspec.json.decode(saved, type=PlatformFileId)


def _item_of(file: MediaFile) -> BotMediaFile:
    return BotMediaFile(
        file.id,
        owner=owner_of(file.bot_id, file.dialog_id),
        bot_id=file.bot_id,
        file_type=file.file_type,
        file_name=file.file_name,
        status=file.status,
        file_size=file.size,
        width=file.width,
        height=file.height,
        duration_seconds=file.duration_seconds,
        platform_file_ids={platform: _json(each) for platform, each in file.platform_file_ids.items()},
        variants=_json(file.variants),
        created_at=file.created_at,
        updated_at=file.updated_at,
        expires_at=expiry_of(file.status, file.created_at),
        **{name: getattr(file, name) for name in _TEXTS},
    )


def _file_of(item: BotMediaFile) -> MediaFile:
    known: dict[str, str] = item.platform_file_ids.attribute_values
    return MediaFile(
        id=item.id,
        bot_id=item.bot_id,
        file_type=cast("FileType", item.file_type),
        file_name=item.file_name,
        status=cast("MediaStatus", item.status),
        size=whole(item.file_size) or 0,
        width=whole(item.width) or 0,
        height=whole(item.height) or 0,
        duration_seconds=item.duration_seconds,
        platform_file_ids={platform: _file_id_of(saved) for platform, saved in known.items()},
        variants=msgspec.json.decode(item.variants, type=dict[str, Variant]),
        created_at=item.created_at,
        updated_at=item.updated_at,
        **{name: getattr(item, name) or "" for name in _TEXTS},
    )
