"""The files of messages, towards messengers that have to be given them first.

WhatsApp is given a file ahead, by the tasks worker, and messages that show it wait. Telegram takes one only
along with a message: the first one that shows it is handed over to the tasks worker, whose it is until it
says so in the record, or until its time is over; other dialogs wait for what it brings back. Nobody waits
for ever: a message whose files are not there in time goes with their addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import msgspec

from shared.credential import Credential
from shared.dialog.history import DeliveryRecord, FilesRecord, delivery_id_of
from shared.dialog.messages import Message
from shared.errors import NotAccepted
from shared.media.base import MediaFile, PlatformFileId
from shared.media.leases import Leases, lease_of_file
from shared.media.library import Library, Resolved, Wanted, account_of, way_of
from shared.platforms.base import Attachment, Capabilities
from shared.queueing.envelopes import FirstSendEnvelope, OutboundEnvelope, UploadEnvelope

WAITED_AT_MOST = timedelta(minutes=2)
"""For its files, from when a message first asked for them. After that no worker begins to carry it either."""

CARRIED_AT_MOST = timedelta(minutes=2)
"""A tasks worker lives no longer than that."""

SURELY_OVER = WAITED_AT_MOST + CARRIED_AT_MOST + timedelta(minutes=1)
"""After that no worker can be at work on what it was handed; the minute is for clocks that differ."""

LONGEST_LOOK_SECONDS = 15.0
"""Between two looks at whether the files are there."""

HAND_OVER_SECONDS = 60.0
"""How long a file is left to the dialog whose message was handed over, until a worker begins to carry it."""

CARRY_SECONDS = CARRIED_AT_MOST.total_seconds()

REFUSED_FOR = timedelta(hours=1)
"""How long a messenger is not given again what it does not want."""


class KeepsNames(Protocol):
    """The records of files, as far as messengers' names of them go."""

    def find(self, media_id: str) -> MediaFile | None: ...

    def keep_file_id(self, media_id: str, platform: str, known: PlatformFileId) -> None: ...

    def forget_file_id(self, media_id: str, platform: str, file_id: str) -> None: ...


class AsksForFiles(Protocol):
    """The queue towards the tasks worker; both raise `NotAccepted`."""

    def upload(self, envelope: UploadEnvelope) -> None: ...

    def first_send(self, envelope: FirstSendEnvelope) -> None: ...


class Files(msgspec.Struct, frozen=True):
    """Fills files into messages, asks for those that are missing, and keeps what they are known by."""

    library: Library
    names: KeepsNames
    tasks: AsksForFiles
    leases: Leases
    now: Callable[[], datetime]

    def resolve(
        self, message: Message, credential: Credential, capabilities: Capabilities, *, afresh: bool
    ) -> Resolved:
        """The message with its files; what ages is asked for anew ahead of its end."""
        resolved = self.library.resolve(message, credential, capabilities, afresh=afresh)
        for wanted in resolved.ageing:
            with suppress(NotAccepted):  # the next one asks: no message waits for that
                self._ask_for(wanted, credential, f"{wanted.file.id}/renewal")
        return resolved

    def ask(
        self, envelope: OutboundEnvelope, n: int, credential: Credential, resolved: Resolved, at: FilesRecord
    ) -> FilesRecord:
        """Ask for what is missing; the record to be kept before `hand_over` is called with it."""
        if way_of(credential.platform) == "uploaded":
            for wanted in resolved.missing:
                self._ask_for(wanted, credential, envelope.trace_id if at.is_asked_anew else wanted.file.id)
            return at
        owner = delivery_id_of(envelope.dialog_id, envelope.epoch, envelope.turn, n)
        is_first = self.lease(resolved.missing, credential, owner, HAND_OVER_SECONDS)
        return msgspec.structs.replace(at, handed_over_at=self.now() if is_first else None)

    def hand_over(self, envelope: OutboundEnvelope, n: int, at: FilesRecord) -> None:
        """Have the tasks worker send the message; called again, it is asked once."""
        turn = _with_only(n, envelope)
        self.tasks.first_send(FirstSendEnvelope(turn=turn, n=n, handed_over_at=at.handed_over_at))

    def lease(
        self, missing: Sequence[Wanted], credential: Credential, owner: str, seconds: float = CARRY_SECONDS
    ) -> bool:
        """Whether it is up to this owner to bring all of them."""
        names = _leases_of(missing, credential)
        for place, name in enumerate(names):
            if not self.leases.take(name, owner, seconds):
                self._release(names[:place], owner)
                return False
        return True

    def release(self, missing: Sequence[Wanted], credential: Credential, owner: str) -> None:
        self._release(_leases_of(missing, credential), owner)

    def keep(
        self,
        wanted: Sequence[Wanted],
        attachments: Sequence[Attachment],
        file_ids: Sequence[str],
        credential: Credential,
    ) -> None:
        """Keep what the messenger calls the files that it was just given."""
        for attachment in attachments:
            file_id = file_ids[attachment.place] if attachment.place < len(file_ids) else ""
            for each in wanted:
                if file_id and each.file.id == attachment.media_id:
                    known = PlatformFileId(file_id, account_of(credential))
                    self.names.keep_file_id(each.file.id, each.slot, known)

    def keep_refusal(self, wanted: Sequence[Wanted], credential: Credential) -> None:
        """Let the messenger not be given them for a while; their addresses are told instead."""
        refused = PlatformFileId("", account_of(credential), self.now() + REFUSED_FOR)
        for each in wanted:
            self.names.keep_file_id(each.file.id, each.slot, refused)

    def forget(self, known: Sequence[Wanted]) -> None:
        """Names that turned out to be none."""
        for each in known:
            self.names.forget_file_id(each.file.id, each.slot, each.file_id)

    def _ask_for(self, wanted: Wanted, credential: Credential, trace_id: str) -> None:
        """All that ask under the same name within minutes are one."""
        self.tasks.upload(
            UploadEnvelope(
                bot_id=credential.bot_id,
                platform=credential.platform,
                media_id=wanted.file.id,
                trace_id=trace_id,
            )
        )

    def _release(self, names: Sequence[str], owner: str) -> None:
        for name in names:
            self.leases.release(name, owner)


class _NoLibrary:
    """Knows no file, so it is never asked for more."""

    def find(self, media_id: str) -> MediaFile | None:  # noqa: ARG002
        return None

    def keep_file_id(self, media_id: str, platform: str, known: PlatformFileId) -> None:
        pass

    def forget_file_id(self, media_id: str, platform: str, file_id: str) -> None:
        pass

    def upload(self, envelope: UploadEnvelope) -> None:
        pass

    def first_send(self, envelope: FirstSendEnvelope) -> None:
        pass

    def take(self, name: str, owner: str, seconds: float) -> bool:  # noqa: ARG002
        return True

    def release(self, name: str, owner: str) -> None:
        pass


_NOTHING = _NoLibrary()
_NOW = partial(datetime.now, UTC)
NO_FILES = Files(Library(_NOTHING, str, _NOW), _NOTHING, _NOTHING, _NOTHING, _NOW)
"""For a sender that knows no library: its files are gone."""


def look_again_in(waited: timedelta) -> float:
    """The seconds until another look: one at first, then as long as was waited so far."""
    return min(max(waited.total_seconds(), 1.0), LONGEST_LOOK_SECONDS)


def goes_as_links(record: DeliveryRecord, resolved: Resolved, now: datetime) -> bool:
    """Whether the files are waited for no longer."""
    waited = now - record.files.since if record.files else timedelta()
    return resolved.is_refused or (bool(resolved.missing) and waited >= WAITED_AT_MOST)


def is_handed_over(record: DeliveryRecord | None, now: datetime) -> bool:
    """Whether the message is the tasks worker's."""
    at = record.files.handed_over_at if record and record.files else None
    return at is not None and now - at < SURELY_OVER


def _with_only(n: int, envelope: OutboundEnvelope) -> OutboundEnvelope:
    """The turn with the one message: of the others it has the places."""
    messages = [message if at == n else Message("") for at, message in enumerate(envelope.messages, start=1)]
    return msgspec.structs.replace(envelope, messages=tuple(messages))


def _leases_of(missing: Sequence[Wanted], credential: Credential) -> list[str]:
    """In the same order for all, so that no two have half of what they need."""
    account, platform = account_of(credential), credential.platform
    return sorted({lease_of_file(each.file.id, platform, account) for each in missing})
