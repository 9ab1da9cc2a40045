"""A bot with a library before a stand-in messenger: a sender, a tasks worker, and the queues between them.

Both can be killed at any call that leaves their process, before it or after it; what was in their hands is
then delivered again, as SQS would. The clock goes on only where everybody waits.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import IO, Any, cast
from uuid import NAMESPACE_URL, uuid5

import msgspec

from shared.credential import Credential
from shared.delivery.files import Files
from shared.delivery.holds import Hold
from shared.delivery.sender import Sender
from shared.delivery.transport import HttpTransport
from shared.delivery.uploading import Uploads
from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.messages import Media, Message
from shared.errors import NotFound, Wait
from shared.media.base import FileType, MediaFile
from shared.media.library import Library
from shared.platforms import MessengerAddresses, adapter_for
from shared.platforms.base import Request
from shared.platforms.whatsapp_media import WhatsAppUploads
from shared.queueing.envelopes import (
    FirstSendEnvelope,
    OutboundEnvelope,
    UploadEnvelope,
    read_outbound,
    read_work,
)
from shared.storage.memory import MemoryHistory, MemoryLeases, MemoryMedia
from tests.dialog.world import Fate, Killed
from tests.standins.server import StandIn

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BOT_ID = str(uuid5(NAMESPACE_URL, "bot"))
DEDUPLICATED_SECONDS = 300

TYPES: Mapping[FileType, str] = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "file": "application/pdf",
}


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass
class Store:
    """Bytes by path; `largest_read` is the most that was asked for at once."""

    objects: dict[str, bytes] = field(default_factory=dict)
    largest_read: int = 0

    def open(self, path: str) -> IO[bytes]:
        if path not in self.objects:
            raise NotFound("file")
        return _Counting(self, self.objects[path])

    def size(self, path: str) -> int | None:
        return len(self.objects[path]) if path in self.objects else None


class _Counting(io.BytesIO):
    """Can neither be sought nor told, as what comes over a network."""

    def __init__(self, store: Store, content: bytes) -> None:
        super().__init__(content)
        self._store = store

    def read(self, size: int | None = -1) -> bytes:
        read = super().read(size)
        self._store.largest_read = max(self._store.largest_read, len(read))
        return read

    def seekable(self) -> bool:
        return False


@dataclass
class Lying:
    """A message of a queue."""

    group: str
    body: str
    receives: int = 0
    visible_at: datetime = NOW


class Fifo:
    """A FIFO queue: of a group, one thing at a time is in hands. A repeat within minutes is dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[str, deque[Lying]] = {}
        self._taken: set[str] = set()
        self._seen: dict[tuple[str, str], datetime] = {}
        self._lock = RLock()
        self.accepted: list[str] = []

    def put(self, group: str, body: str) -> None:
        with self._lock:
            seen = self._seen.get((group, body))
            if seen and (self._clock() - seen).total_seconds() < DEDUPLICATED_SECONDS:
                return
            self._seen[group, body] = self._clock()
            self._groups.setdefault(group, deque()).append(Lying(group, body, visible_at=self._clock()))
            self.accepted.append(body)

    def take(self) -> Lying | None:
        with self._lock:
            heads = (lying[0] for name, lying in self._groups.items() if lying and name not in self._taken)
            ready = next((head for head in heads if head.visible_at <= self._clock()), None)
            if ready is not None:
                ready.receives += 1
                self._taken.add(ready.group)
            return ready

    def settle(self, lying: Lying, seconds: float | None) -> None:
        """Hide it for so long, or take it out."""
        with self._lock:
            self._taken.discard(lying.group)
            if seconds is None:
                self._groups[lying.group].popleft()
            else:
                lying.visible_at = self._clock() + timedelta(seconds=seconds)

    def next_at(self) -> datetime | None:
        with self._lock:
            return min((lying[0].visible_at for lying in self._groups.values() if lying), default=None)


@dataclass
class Tasks:
    """Fulfils `AsksForFiles` over a queue."""

    queue: Fifo

    def upload(self, envelope: UploadEnvelope) -> None:
        self.queue.put(f"{envelope.media_id}:{envelope.platform}", msgspec.json.encode(envelope).decode())

    def first_send(self, envelope: FirstSendEnvelope) -> None:
        self.queue.put(envelope.turn.dialog_id, msgspec.json.encode(envelope).decode())


class Mortal:
    """Something outside of the process: fate sees every call of it."""

    def __init__(self, inner: Any, fate: Fate, *is_fatal: str) -> None:
        self._inner = inner
        self._fate = fate
        self._is_fatal = is_fatal

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._inner, name)
        if name not in self._is_fatal:
            return called

        def call(*given: Any, **named: Any) -> Any:
            with self._fate.call(name):
                return called(*given, **named)

        return call


@dataclass
class Told:
    """Findings and holds."""

    clock: Clock
    refused_for: list[str] = field(default_factory=list)
    held: dict[tuple[str, str], Hold] = field(default_factory=dict)

    def get(self, bot_id: str, platform: str) -> Hold | None:
        hold = self.held.get((bot_id, platform))
        return hold if hold and hold.until > self.clock() else None

    def put(self, bot_id: str, platform: str, hold: Hold) -> None:
        self.held[bot_id, platform] = hold

    def gone(self, *_: Any) -> None:
        pass

    def refused(self, _bot_id: str, _platform: str, reason: str, _at: datetime) -> None:
        self.refused_for.append(reason)


@dataclass
class Gallery:
    """`credential` may be replaced while it runs; `worker_is_down` lets the tasks queue lie.

    What a process that died had in its hands is hidden for `hidden_seconds`.
    """

    platform: str
    messenger: StandIn
    credential: Credential
    fate: Fate = field(default_factory=Fate)
    worker_is_down: bool = False
    hidden_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.history = MemoryHistory()
        self.files = MemoryMedia(self.clock)
        self.leases = MemoryLeases(self.clock)
        self.store = Store()
        self.outbound = Fifo(self.clock)
        self.tasks = Fifo(self.clock)
        self.told = Told(self.clock)
        self.transport = HttpTransport(5.0, store=self.store)
        self.hints: list[Request] = []
        self.start()

    def close(self) -> None:
        self.transport.close()

    def start(self) -> None:
        """Fresh processes: nothing is left in memory."""
        names = Mortal(self.files, self.fate, "find", "keep_file_id", "forget_file_id")
        leases = Mortal(self.leases, self.fate, "take", "release")
        tasks = Mortal(Tasks(self.tasks), self.fate, "upload", "first_send")
        transport = Mortal(self.transport, self.fate, "send")
        history = Mortal(self.history, self.fate, "record", "of_turn")
        self.sender = self._sender(history, names, tasks, leases, transport)
        self.uploads = Uploads(
            self._sender(history, names, tasks, leases, transport), WhatsAppUploads(self.messenger.url)
        )

    def _sender(self, history: Any, names: Any, tasks: Any, leases: Any, transport: Any) -> Sender:
        url = self.messenger.url
        addresses = MessengerAddresses(telegram_api_url=url, whatsapp_api_url=url, viber_api_url=url)
        adapter = adapter_for(self.platform, addresses)
        library = Library(
            names, lambda path: f"https://cdn.example.com/{path}", self.clock, clock=self.clock.seconds
        )
        return Sender(
            history=history,
            credential_of=lambda *_: self.credential,
            adapter_of=lambda _: adapter,
            transport=transport,
            now=self.clock,
            seconds_left=lambda: 120.0,
            fresh_credential_of=lambda *_: self.credential,
            holds=self.told,
            findings=self.told,
            files=Files(library, names, tasks, leases, self.clock),
            hint=self.hints.append,
        )

    # --- what happens to it ------------------------------------------------------------------------

    def add(self, name: str, file_type: FileType = "image", content: bytes = b"content", **more: Any) -> str:
        """A file of the bot's library; its id."""
        media_id = str(uuid5(NAMESPACE_URL, name))
        path = f"media/{media_id}/key/{name}"
        self.store.objects[path] = content
        known: dict[str, Any] = {
            "bot_id": BOT_ID,
            "content_type": TYPES[file_type],
            "size": len(content),
            "status": "ready",
            "link_key": "key",
        }
        self.files.create(
            MediaFile(
                id=media_id,
                file_type=file_type,
                file_name=name,
                created_at=NOW,
                updated_at=NOW,
                storage_path=path,
                **{**known, **more},
            )
        )
        return media_id

    def say(self, chat_id: str, *messages: Message, turn: int = 1, **more: Any) -> None:
        """A turn of somebody's dialog lies in the outbound queue."""
        envelope = OutboundEnvelope(
            dialog_id=dialog_of(chat_id),
            epoch="e",
            turn=turn,
            bot_id=BOT_ID,
            platform=self.platform,
            platform_chat_id=chat_id,
            messages=messages,
            trace_id=f"trace-{chat_id}-{turn}",
            **more,
        )
        self.outbound.put(envelope.dialog_id, msgspec.json.encode(envelope).decode())

    # --- what it does about it ---------------------------------------------------------------------

    def settle(self, hands: int = 1, *, until: timedelta = timedelta(hours=1)) -> None:
        """Work until nothing is left, or so much time has gone by."""
        end = self.clock() + until
        while True:
            if hands == 1:
                self._work()
            else:
                with ThreadPoolExecutor(hands) as pool:
                    list(pool.map(lambda _: self._work(), range(hands)))
            queues = (self.outbound,) if self.worker_is_down else (self.outbound, self.tasks)
            next_at = min(filter(None, (queue.next_at() for queue in queues)), default=None)
            if next_at is None or next_at > end:
                self.clock.now = end if next_at else self.clock()
                return
            self.clock.now = max(self.clock.now, next_at)

    def _work(self) -> None:
        """Until all that is left is hidden."""
        while self._handle_one():
            pass

    def _handle_one(self) -> bool:
        if not self.worker_is_down and (work := self.tasks.take()):
            self._handle(self.tasks, work, self._perform)
            return True
        if turn := self.outbound.take():
            self._handle(self.outbound, turn, self._deliver)
            return True
        return False

    def _handle(self, queue: Fifo, lying: Lying, handle: Callable[[Lying], None]) -> None:
        seconds: float | None = None
        try:
            handle(lying)
        except Wait as wait:
            seconds = wait.seconds
        except Killed:
            seconds = self.hidden_seconds
            self.start()
        queue.settle(lying, seconds)

    def _deliver(self, lying: Lying) -> None:
        self.sender.deliver(read_outbound(lying.body), is_repeat=lying.receives > 1)

    def _perform(self, lying: Lying) -> None:
        match read_work(lying.body):
            case FirstSendEnvelope() as work:
                self.uploads.sender.carry(work)
            case UploadEnvelope() as work:
                self.uploads.upload(work, lying.receives)

    # --- what came of it ---------------------------------------------------------------------------

    def entries(self, chat_id: str, turn: int = 1) -> list[HistoryEntry]:
        return self.history.of_turn(dialog_of(chat_id), "e", turn)

    def records(self, chat_id: str, turn: int = 1) -> list[DeliveryRecord]:
        return [entry.delivery for entry in self.entries(chat_id, turn) if entry.delivery]

    def statuses(self, chat_id: str, turn: int = 1) -> list[str]:
        return [record.status for record in self.records(chat_id, turn)]

    def file(self, media_id: str) -> MediaFile:
        return cast("MediaFile", self.files.find(media_id))


@contextmanager
def opened(gallery: Gallery) -> Iterator[Gallery]:
    try:
        yield gallery
    finally:
        gallery.close()


def shows(*media_ids: str, text: str = "", as_type: FileType = "image", **more: Any) -> Message:
    return Message(text, media=tuple(Media(as_type, media_id=media_id) for media_id in media_ids), **more)


def dialog_of(chat_id: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"dialog {chat_id}"))
