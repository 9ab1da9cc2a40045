"""A file that a person sent, from its messenger into our store.

The dialog has named it already (`media_id`) and does not wait. However often this is begun, and wherever it
breaks off, there is one record and one object in the end, and neither once the dialog is gone: the record
tells where the object will lie before there is one, and whether the dialog still exists is looked at after
it was stored. So whoever deletes the dialog, and only then removes its files, finds this one, or is found.

What it is, its content decides. Nothing is refused for what it is (a person has sent it), so a program or a
web page may be among it: it is handed out as something to be saved, never to be opened in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any, Protocol
from urllib.parse import urljoin

import msgspec

from shared.credential import Credential
from shared.dialog.events import ReceivedFile
from shared.errors import AddressRefused, Conflict, GiveUp, NotAnswered, NotFound, Wait
from shared.media.base import FileType, MediaFile, MediaRepository, ObjectStore
from shared.media.kinds import Unfit, kind_of
from shared.media.names import safe_name
from shared.media.sources import Get, NotNow, Source, Unfetchable, origin_of
from shared.observability import count, logger
from shared.platforms.answers import wait_of
from shared.platforms.base import Response
from shared.queueing.backoff import backoff_seconds
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt

MAX_BYTES = 50_000_000

TRIES = 10
"""With a messenger that does not hand a file over; with the waits between, a quarter of an hour."""

LONGEST_WAIT_SECONDS = 300.0

MOST_RECEIVES = 50
"""Whatever it is that hinders; a file that kills its worker is not tried for ever."""

STORING_SECONDS = 25.0
"""What is left for storing a file when it has come in."""

_MAX_ANSWER_BYTES = 100_000
_MAX_REDIRECTS = 3
_LONGEST_NUMBER = 20
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_TOO_LARGE = f"The file is larger than {MAX_BYTES // 1_000_000} MB, which is the most that is kept."
_UNKNOWN = "application/octet-stream"
_NAMES: Mapping[FileType, str] = {
    "image": "image.jpg",
    "video": "video.mp4",
    "audio": "audio.ogg",
    "file": "file",
}
"""For files without a name, as messengers make them."""

CredentialOf = Callable[[str, str], Credential | None]


class Answer(Protocol):
    """An answer, its body still on the way; header names are lower-case. `parts` raises `NotAnswered`."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def parts(self) -> Iterator[bytes]: ...


class Http(Protocol):
    """Gets what is at an address, and follows no redirect; `shared.outbound_http` has one."""

    def get(
        self, url: str, headers: Mapping[str, str], *, is_ours: bool, seconds: float
    ) -> AbstractContextManager[Answer]:
        """The answer, if all of it comes within so many seconds. Raises `AddressRefused`, `NotAnswered`."""
        ...


class NotFetched(GiveUp):
    """Tried often enough; says why not, for people."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that a person sent: what its task says of it, and whose it is."""

    of: TaskEnvelope
    file: ReceivedFile

    @classmethod
    def told_by(cls, work: TaskEnvelope) -> Sent:
        return cls(work, msgspec.convert(work.task.request, ReceivedFile))

    @property
    def path(self) -> str:
        return f"received/{self.of.bot_id}/{self.of.dialog_id}/{self.file.media_id}/{self.name}"

    @property
    def name(self) -> str:
        return safe_name(self.file.file_name or _NAMES[self.file.type])

    def record(self, now: datetime) -> MediaFile:
        return MediaFile(
            id=self.file.media_id,
            bot_id=self.of.bot_id,
            dialog_id=self.of.dialog_id,
            file_type=self.file.type,
            file_name=self.name,
            storage_path=self.path,
            status="fetching",
            created_at=now,
            updated_at=now,
        )


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Brings files in; one for a process.

    `epoch_of` tells the epoch of a dialog, None once it is gone; `has_bot` whether a bot is there.
    """

    media: MediaRepository
    store: ObjectStore
    http: Http
    sources: Mapping[str, Source]
    credential_of: CredentialOf
    fresh_credential_of: CredentialOf
    epoch_of: Callable[[str], str | None]
    has_bot: Callable[[str], bool]
    now: Callable[[], datetime]

    def fetch(self, work: TaskEnvelope, attempt: Attempt) -> None:
        """Bring the file in, unless it is there. Raises `Wait`, and `NotFetched` in the end."""
        sent = Sent.told_by(work)
        if attempt.number > MOST_RECEIVES:
            raise NotFetched("It was tried too often.")
        if not self._is_wanted(sent):
            return
        try:
            self._bring_in(sent, attempt)
        except Unfetchable as why:
            self._fail(sent, str(why))
        except NotNow as why:
            raise _once_more(why, attempt) from None

    def give_up(self, work: TaskEnvelope, reason: str) -> None:
        """Say in the record that there will be no file."""
        self._fail(Sent.told_by(work), reason)

    def _is_wanted(self, sent: Sent) -> bool:
        """Whether the file is still to be brought in; it has a record then."""
        if self._is_gone(sent):
            self._leave_nothing(sent)
            return False
        if self.media.create(sent.record(self.now())):
            return True
        known = self.media.find(sent.file.media_id)
        return known is None or known.status != "ready"

    def _bring_in(self, sent: Sent, attempt: Attempt) -> None:
        """Raises `Unfetchable`, `NotNow`."""
        with TemporaryFile() as body:
            self._download(sent, attempt, body)
            size = body.seek(0, 2)
            file_type, content_type = what_it_is(body, sent.file)
            body.seek(0)
            self.store.put(sent.path, body, content_type, file_name=sent.name)
        self._settle(sent, file_type=file_type, content_type=content_type, size=size)

    def _settle(self, sent: Sent, **found: Any) -> None:
        """The file is there; and so that it is not left behind, the dialog is looked for once more."""
        if self._is_gone(sent):
            self._leave_nothing(sent)
            return
        try:
            self.media.change(sent.file.media_id, status="ready", reason="", **found)
        except NotFound:
            self._leave_nothing(sent)
            return
        logger.info("file brought in", extra=_about(sent) | {"size": found["size"]})

    def _fail(self, sent: Sent, reason: str) -> None:
        logger.warning("file not brought in", extra=_about(sent) | {"reason": reason})
        count("failed_fetches", bot_id=sent.of.bot_id, platform=sent.of.platform)
        if self._is_gone(sent):
            self._leave_nothing(sent)
            return
        with suppress(NotFound, Conflict):  # it is gone, or it is there after all
            self.media.change(sent.file.media_id, met="fetching", status="failed", reason=reason)

    def _is_gone(self, sent: Sent) -> bool:
        """Whether the dialog was deleted, or its bot, of which nothing that comes later is found any more."""
        of = sent.of
        if self.credential_of(of.bot_id, of.platform) is None and not self.has_bot(of.bot_id):
            return True
        return self.epoch_of(of.dialog_id) != of.epoch

    def _leave_nothing(self, sent: Sent) -> None:
        """The record last: as long as it is there, whoever deletes the dialog finds the object."""
        self.store.delete([sent.path])
        self.media.delete(sent.file.media_id)

    def _download(self, sent: Sent, attempt: Attempt, into: IO[bytes]) -> None:
        source = self.sources.get(sent.of.platform)
        find = self.credential_of if attempt.number == 1 else self.fresh_credential_of
        credential = find(sent.of.bot_id, sent.of.platform)
        if source is None or credential is None:
            raise Unfetchable("The bot is not connected to the messenger any more.")
        if sent.file.size > MAX_BYTES:
            raise Unfetchable(_TOO_LARGE)
        download = Download(self.http, source, lambda: attempt.seconds_left() - STORING_SECONDS)
        download.run(sent.file.reference, credential, into)


@dataclass(frozen=True, slots=True)
class Download:
    """Follows a file to where it is, and takes it in, as long as there is time."""

    http: Http
    source: Source
    seconds_left: Callable[[], float]

    def run(self, reference: str, credential: Credential, into: IO[bytes]) -> None:
        """Raises `Unfetchable`, `NotNow`."""
        get = self.source.locate(reference, credential, self._ask)
        for _ in range(_MAX_REDIRECTS + 1):
            with self._opened(get) as answer:
                if answer.status not in _REDIRECTS:
                    self._require_file(answer)
                    self._take_in(answer, into)
                    return
                get = _onward(get, answer)
        raise Unfetchable(f"{self.source.name} leads from one address to another without end.")

    def _ask(self, get: Get) -> Response:
        body = BytesIO()
        with self._opened(get) as answer:
            self._take_in(answer, body, _MAX_ANSWER_BYTES)
        return Response(answer.status, body.getvalue(), answer.headers)

    @contextmanager
    def _opened(self, get: Get) -> Iterator[Answer]:
        name = self.source.name
        try:
            with self.http.get(
                get.url, get.headers, is_ours=get.is_ours, seconds=self.seconds_left()
            ) as answer:
                yield answer
        except AddressRefused as why:
            raise Unfetchable(f"{name} names an address that is not asked: {why}.") from None
        except NotAnswered as why:
            raise NotNow(f"{name} does not answer ({why}).") from None

    def _require_file(self, answer: Answer) -> None:
        """Raises `Unfetchable`, `NotNow` for an answer that is none."""
        status, name = answer.status, self.source.name
        if status != HTTPStatus.OK:
            is_final = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            if is_final and self.source.keeps_address and status not in _PASSING:
                raise Unfetchable(f"{name} does not have the file any more (it answers {status}).")
            seconds = wait_of(Response(status, b"", answer.headers))
            raise NotNow(f"{name} does not hand the file over (it answers {status}).", seconds)
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise NotNow(f"{name} hands the file over in a packing that nobody asked for.")
        if _number(answer.headers.get("content-length", "")) > MAX_BYTES:
            raise Unfetchable(_TOO_LARGE)

    def _take_in(self, answer: Answer, into: IO[bytes], most: int = MAX_BYTES) -> None:
        for part in answer.parts:
            into.write(part)
            if into.tell() > most:
                raise Unfetchable(_TOO_LARGE)
            if self.seconds_left() < 0:
                raise NotNow(f"{self.source.name} takes too long.")


def what_it_is(body: IO[bytes], claimed: ReceivedFile) -> tuple[FileType, str]:
    """The type that it is kept as, and that of its content: what is not what it claims is any file."""
    try:
        kind = kind_of(body, claimed.file_name)
    except Unfit:
        return "file", _UNKNOWN
    return (claimed.type if kind.file_type == claimed.type else "file"), kind.content_type


def _once_more(why: NotNow, attempt: Attempt) -> Wait | NotFetched:
    if attempt.number >= TRIES:
        return NotFetched(str(why))
    asked = min(why.seconds or 0, LONGEST_WAIT_SECONDS)
    return Wait(max(asked, backoff_seconds(attempt.number, longest=LONGEST_WAIT_SECONDS)), str(why))


def _onward(get: Get, answer: Answer) -> Get:
    """Where it is redirected to. Another host hears nothing of what the first was told."""
    try:
        url = urljoin(get.url, answer.headers["location"])
    except (KeyError, ValueError):
        raise Unfetchable("The messenger leads to an address that is none.") from None
    is_same = origin_of(url) == origin_of(get.url)
    return Get(url, get.headers, is_ours=get.is_ours) if is_same else Get(url)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else 0


def _about(sent: Sent) -> dict[str, str]:
    of = sent.of
    return {
        "trace_id": of.trace_id,
        "bot_id": of.bot_id,
        "dialog_id": of.dialog_id,
        "platform": of.platform,
        "media_id": sent.file.media_id,
    }
