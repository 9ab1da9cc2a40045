"""What a message shows of a bot's library, in terms of the messenger that is to show it.

A file is looked up in a record that is up to half a minute old. Only what the messenger has no name of is
looked up afresh, before it is asked for.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal, Protocol

import msgspec

from shared.credential import Credential
from shared.dialog.messages import Media, Message
from shared.media.base import MediaFile, PlatformFileId, Variant
from shared.platforms.base import Capabilities

KNOWN_SECONDS = 30.0
UNKNOWN_SECONDS = 5.0
"""How long it is believed that there is no such file, or that it is not ready yet."""

FRESH_SECONDS = 1.0
"""Old enough not to be believed of what a messenger has no name of."""

RENEWED_BEFORE = timedelta(days=3)
"""So long before its end a messenger is given a file anew."""

UPLOAD_DAYS = 30
"""WhatsApp forgets a file after so long."""

Way = Literal["", "uploaded", "carried"]
"""How a messenger gets a file: by its address; ahead of the message; or only along with one."""

_WAYS: Mapping[str, Way] = {"whatsapp": "uploaded", "telegram": "carried"}

_NOT_YET = "not-uploaded-yet"
"""Stands for the name to come, so that a message is laid out as it will be; it is never sent."""


class FindsFiles(Protocol):
    def find(self, media_id: str) -> MediaFile | None: ...


class Wanted(msgspec.Struct, frozen=True):
    """A file that a message shows, and the name its messenger's own name of it is kept under."""

    file: MediaFile
    slot: str
    file_id: str = ""


class Resolved(msgspec.Struct, frozen=True):
    """A message with its files filled in; `shown` is what of it may be recorded.

    `known` are files that the messenger has a name of, `missing` those it has none of, `ageing` those whose
    name will not last. `is_refused` says that it does not want one of them.
    """

    message: Message
    shown: Message
    known: tuple[Wanted, ...] = ()
    missing: tuple[Wanted, ...] = ()
    ageing: tuple[Wanted, ...] = ()
    is_refused: bool = False


class _Entry(msgspec.Struct, frozen=True):
    file: MediaFile | None
    read_at: float

    @property
    def is_ready(self) -> bool:
        return self.file is not None and self.file.status == "ready"


class Library:
    """Fills in what messages show, for one process; shared by threads.

    `address_of` makes a path in the store the public address of what lies there.
    """

    def __init__(
        self,
        files: FindsFiles,
        address_of: Callable[[str], str],
        now: Callable[[], datetime],
        *,
        capacity: int = 512,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` goes on while the Lambda is frozen."""
        self._files = files
        self._address_of = address_of
        self._now = now
        self._capacity = capacity
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()

    def resolve(
        self, message: Message, credential: Credential, capabilities: Capabilities, *, afresh: bool = False
    ) -> Resolved:
        """Fill in the message; `afresh` where what was known a moment ago is no good any more."""
        if not any(media.media_id for media in message.media):
            return Resolved(message, message)
        shows = _Shows(credential, capabilities, self._now(), self._address_of)
        for media in message.media:
            shows.add(media, *self._file_of(media, shows, 0.0 if afresh else KNOWN_SECONDS))
        return shows.resolved(message)

    def filled(self, message: Message, credential: Credential, capabilities: Capabilities) -> Message:
        """The message with its files as they are now, where nobody waits for more."""
        return self.resolve(message, credential, capabilities).message

    def _file_of(self, media: Media, shows: _Shows, max_age: float) -> tuple[MediaFile | None, bool]:
        """The file, and whether it was read just now, as it is where the messenger has no name of it yet."""
        if not media.media_id:
            return None, False
        file, is_news = self._find(media.media_id, max_age)
        if file and not is_news and shows.is_missing(media, file):
            return self._find(media.media_id, FRESH_SECONDS)
        return file, is_news

    def _find(self, media_id: str, max_age: float) -> tuple[MediaFile | None, bool]:
        with self._lock:
            entry = self._entries.get(media_id)
            if entry is not None:
                self._entries.move_to_end(media_id)
        if entry is not None and self._clock() - entry.read_at < _lifetime(entry, max_age):
            return entry.file, False
        entry = _Entry(self._files.find(media_id), self._clock())
        self._remember(media_id, entry)
        return entry.file, True

    def _remember(self, media_id: str, entry: _Entry) -> None:
        with self._lock:
            self._entries[media_id] = entry
            self._entries.move_to_end(media_id)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)


def _lifetime(entry: _Entry, max_age: float) -> float:
    return max_age if entry.is_ready else min(max_age, UNKNOWN_SECONDS)


class _Shows:
    """The files of one message, as they are filled in one by one."""

    def __init__(
        self,
        credential: Credential,
        capabilities: Capabilities,
        now: datetime,
        address_of: Callable[[str], str],
    ) -> None:
        self._credential = credential
        self._capabilities = capabilities
        self._now = now
        self._address_of = address_of
        self._media: list[Media] = []
        self._known: list[Wanted] = []
        self._missing: list[Wanted] = []
        self._ageing: list[Wanted] = []
        self._is_refused = False

    def add(self, media: Media, file: MediaFile | None, is_news: bool) -> None:  # noqa: FBT001 (as found)
        """A file that is not the bot's own, or not there yet, stays without an address: it is gone.

        What ages is told of once for each time that its record is read.
        """
        if file is None or not self._is_ours(file):
            self._media.append(media)
            return
        filled = self._filled(media, file)
        if self._is_by_name(filled):
            filled = self._named(filled, file, is_news=is_news)
        self._media.append(filled)

    def resolved(self, message: Message) -> Resolved:
        shown = tuple(msgspec.structs.replace(media, file_id="", storage_path="") for media in self._media)
        return Resolved(
            message=msgspec.structs.replace(message, media=tuple(self._media)),
            shown=msgspec.structs.replace(message, media=shown),
            known=tuple(self._known),
            missing=tuple(self._missing),
            ageing=tuple(self._ageing),
            is_refused=self._is_refused,
        )

    def is_missing(self, media: Media, file: MediaFile) -> bool:
        is_shown = self._is_ours(file) and self._is_by_name(self._filled(media, file))
        return is_shown and self._name_of(_slot(self._credential.platform, media, file), file) is None

    def _is_ours(self, file: MediaFile) -> bool:
        return file.bot_id == self._credential.bot_id and file.status == "ready" and not file.dialog_id

    def _filled(self, media: Media, file: MediaFile) -> Media:
        version = version_for(file, self._credential.platform)
        return msgspec.structs.replace(
            media,
            type=media.type if media.type == "file" else file.file_type,
            url=self._address_of(version.storage_path),
            file_name=file.file_name,
            content_type=version.content_type,
            size=version.size,
            width=version.width,
            height=version.height,
            duration_seconds=file.duration_seconds,
        )

    def _is_by_name(self, media: Media) -> bool:
        """Whether the messenger goes by names of its own, and shows such a file at all."""
        is_shown = self._capabilities.shown_as(
            media.type, media.content_type, media.size, media.width, media.height
        )
        return bool(way_of(self._credential.platform) and is_shown)

    def _named(self, media: Media, file: MediaFile, *, is_news: bool) -> Media:
        wanted = Wanted(file, _slot(self._credential.platform, media, file))
        name = self._name_of(wanted.slot, file)
        if name is not None and name.file_id:
            known = msgspec.structs.replace(wanted, file_id=name.file_id)
            self._known.append(known)
            if is_news and name.expires_at and name.expires_at - self._now < RENEWED_BEFORE:
                self._ageing.append(known)
            return msgspec.structs.replace(media, file_id=name.file_id)
        if name is None:
            self._missing.append(wanted)
        self._is_refused = self._is_refused or name is not None
        if way_of(self._credential.platform) == "uploaded":
            return msgspec.structs.replace(media, file_id=_NOT_YET)
        return msgspec.structs.replace(
            media, storage_path=version_for(file, self._credential.platform).storage_path
        )

    def _name_of(self, slot: str, file: MediaFile) -> PlatformFileId | None:
        """What the messenger told this account, while it is good; an empty one is a refusal."""
        return name_of(file, slot, account_of(self._credential), self._now)


def name_of(file: MediaFile, slot: str, account: str, now: datetime) -> PlatformFileId | None:
    """What the account knows the file by, if that is good still."""
    known = file.platform_file_ids.get(slot)
    is_good = known and known.account == account and (known.expires_at is None or known.expires_at > now)
    return known if is_good else None


def way_of(platform: str) -> Way:
    return _WAYS.get(platform, "")


def account_of(credential: Credential) -> str:
    """What a messenger's names of files are bound to. A new token of the same bot keeps them."""
    match credential.platform:
        case "telegram":
            return credential.settings.get("bot_token", "").partition(":")[0]
        case "whatsapp":
            return credential.settings.get("phone_number_id", "")
        case _:
            return ""


def version_for(file: MediaFile, platform: str) -> Variant:
    """The file as the messenger is given it: made smaller, where it had to be."""
    original = Variant(file.storage_path, file.content_type, file.size, file.width, file.height)
    return file.variants.get(platform, original)


def _slot(platform: str, media: Media, file: MediaFile) -> str:
    """Telegram's names tell what a file is shown as: a picture's is none of a document."""
    is_disguised = media.type == "file" != file.file_type and way_of(platform) == "carried"
    return f"{platform}_file" if is_disguised else platform
