"""What people send by each messenger, from its stand-in's update to the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

import pytest

from shared.credential import Credential
from shared.dialog.events import MessageReceived
from shared.dialog.processor import Moment
from shared.dialog.turns import made, new_dialog
from shared.errors import Wait
from shared.media.base import MediaFile
from shared.media.fetching import TRIES, Fetcher, NotFetched
from shared.media.sources import sources_of
from shared.outbound_http import OutboundHttp
from shared.platforms import MessengerAddresses, adapter_for
from shared.platforms.base import WebhookRequest
from shared.queueing.envelopes import InboundEnvelope, TaskEnvelope
from shared.storage.memory import MemoryMedia
from shared.tasks.performing import Attempt
from shared.webhook.gateway import Call
from shared.webhook.intake import seal
from tests.media import files
from tests.standins.server import StandIn, Update
from tests.standins.telegram import TelegramStandIn
from tests.standins.viber import ViberStandIn
from tests.standins.whatsapp import WhatsAppStandIn
from tests.webhook.doubles import BOT_ID

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WHATSAPP_VERSION = "v25.0"
PHOTO, MOVIE, VOICE, PAPER = (
    files.image("JPEG"),
    files.movie(),
    b"OggS" + bytes(24) + b"OpusHead" + bytes(20),
    b"%PDF-1.7\n%%EOF",
)
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
UNKNOWN = "application/octet-stream"


@dataclass
class Objects:
    """A store in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def put(self, path: str, body: IO[bytes], content_type: str, *, file_name: str = "") -> None:
        assert content_type
        assert file_name
        self.kept[path] = body.read()

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.kept.pop(path, None)


@dataclass
class Place:
    """A bot on one messenger's stand-in, and where what it is sent is kept."""

    platform: str
    messenger: Any
    settings: dict[str, str]
    send: Callable[[Any, str, bytes, str], Update]
    media: MemoryMedia = field(default_factory=lambda: MemoryMedia(lambda: NOON))
    store: Any = field(default_factory=Objects)

    @property
    def credential(self) -> Credential:
        return Credential("c", BOT_ID, self.platform, is_active=True, settings=self.settings)

    def sent(self, kind: str, content: bytes, name: str = "") -> InboundEnvelope:
        """What the webhook makes of the file that a person sends."""
        update = self.send(self.messenger, kind, content, name)
        parsed = adapter_for(self.platform).parse(json.loads(update.body), self.credential, NOON)
        call = Call(BOT_ID, "trace", "", WebhookRequest("POST", {}, {}, update.body))
        (envelope,), _ = seal(parsed.events, call, self.credential, NOON)
        return envelope

    def fetch(self, envelope: InboundEnvelope, number: int = 1) -> MediaFile | None:
        """Do the task that the dialog's turn asks for; the record then."""
        turn = made(None, new_dialog(envelope, NOON), envelope.event, Moment(NOON, 0.5))
        (task,) = turn.tasks
        dialog = turn.dialog
        work = TaskEnvelope(
            dialog_id=dialog.id,
            epoch=dialog.epoch,
            bot_id=BOT_ID,
            platform=self.platform,
            platform_chat_id=envelope.platform_chat_id,
            task=task,
            trace_id="trace",
        )
        http = OutboundHttp(timeout_seconds=5)
        self._fetcher(http, dialog.epoch).fetch(work, Attempt(number, lambda: 100.0))
        assert isinstance(envelope.event, MessageReceived)
        assert envelope.event.file is not None
        return self.media.find(envelope.event.file.media_id)

    def _fetcher(self, http: OutboundHttp, epoch: str) -> Fetcher:
        url = self.messenger.url
        return Fetcher(
            media=self.media,
            store=self.store,
            http=http,
            sources=sources_of(MessengerAddresses(url, url, WHATSAPP_VERSION, url)),
            credential_of=lambda _bot_id, _platform: self.credential,
            fresh_credential_of=lambda _bot_id, _platform: self.credential,
            epoch_of=lambda _: epoch,
            has_bot=lambda _: True,
            now=lambda: NOON,
        )


def by_telegram(messenger: TelegramStandIn, kind: str, content: bytes, name: str) -> Update:
    file = {"file_id": messenger.receive(kind, content, name), "file_unique_id": "u"}
    if kind == "photo":
        return messenger.person().sent(photo=[{**file, "width": 40, "height": 30}])
    named = {"file_name": name} if name else {}
    also = {"document": file} if kind == "animation" else {}
    return messenger.person().sent(**{kind: {**file, **named}, **also})


def by_whatsapp(messenger: WhatsAppStandIn, kind: str, content: bytes, name: str) -> Update:
    media = {"id": messenger.receive(content, "image/jpeg"), "mime_type": "image/jpeg", "sha256": "x"}
    return messenger.person("").message(kind, **{kind: {**media, **({"filename": name} if name else {})}})


def by_viber(messenger: ViberStandIn, kind: str, content: bytes, name: str) -> Update:
    address = messenger.receive(content, "1")
    return messenger.person().sent({"type": kind, "media": address, "file_name": name, "size": len(content)})


def place_on(platform: str, messenger: Any) -> Place:
    match platform:
        case "telegram":
            return Place(platform, messenger, {"bot_token": messenger.token}, by_telegram)
        case "whatsapp":
            names = ("access_token", "phone_number_id")
            return Place(platform, messenger, {name: getattr(messenger, name) for name in names}, by_whatsapp)
        case _:
            return Place(platform, messenger, {"auth_token": messenger.auth_token}, by_viber)


STAND_INS: dict[str, type[StandIn]] = {
    "telegram": TelegramStandIn,
    "whatsapp": WhatsAppStandIn,
    "viber": ViberStandIn,
}


@pytest.fixture
def place(platform: str) -> Iterator[Place]:
    with STAND_INS[platform]() as messenger:
        yield place_on(platform, messenger)


PICTURE_OF = {"telegram": "photo", "whatsapp": "image", "viber": "picture"}
PAPER_OF = {"telegram": "document", "whatsapp": "document", "viber": "file"}


SENT = [
    ("telegram", "photo", PHOTO, "image", "image/jpeg"),
    ("telegram", "video", MOVIE, "video", "video/mp4"),
    ("telegram", "animation", MOVIE, "video", "video/mp4"),
    ("telegram", "video_note", MOVIE, "video", "video/mp4"),
    ("telegram", "voice", VOICE, "audio", "audio/ogg"),
    ("telegram", "audio", files.mp3(), "audio", "audio/mpeg"),
    ("telegram", "document", PAPER, "file", "application/pdf"),
    ("whatsapp", "image", PHOTO, "image", "image/jpeg"),
    ("whatsapp", "video", MOVIE, "video", "video/mp4"),
    ("whatsapp", "audio", VOICE, "audio", "audio/ogg"),
    ("whatsapp", "document", PAPER, "file", "application/pdf"),
    ("viber", "picture", PHOTO, "image", "image/jpeg"),
    ("viber", "video", MOVIE, "video", "video/mp4"),
    ("viber", "file", PAPER, "file", "application/pdf"),
]


@pytest.mark.parametrize(
    ("platform", "kind", "content", "file_type", "content_type"),
    SENT,
    ids=[f"{platform}-{kind}" for platform, kind, *_ in SENT],
)
def test_every_type_of_every_messenger_comes_in(
    place: Place, kind: str, content: bytes, file_type: str, content_type: str
) -> None:
    record = place.fetch(place.sent(kind, content))

    assert record is not None
    assert (record.status, record.reason) == ("ready", "")
    assert (record.file_type, record.content_type, record.size) == (file_type, content_type, len(content))
    assert place.store.kept == {record.storage_path: content}


@pytest.mark.parametrize("platform", STAND_INS)
@pytest.mark.parametrize(
    ("is_picture", "content", "name", "file_type", "content_type"),
    [
        (True, files.image("PNG"), "", "image", "image/png"),
        (True, HTML, "", "file", UNKNOWN),
        (False, files.image("PNG"), "photo.jpg", "file", "image/png"),
        (False, HTML, "photo.png", "file", UNKNOWN),
        (False, files.bomb(), "photo.png", "file", "image/png"),
        (False, files.packed({"mimetype": b"x"}, bomb=("mimetype", 30)), "a.zip", "file", "application/zip"),
        (False, PAPER, "../../media/договор\u202e.pdf", "file", "application/pdf"),
    ],
    ids=[
        "a PNG",
        "a page as a picture",
        "a PNG named .jpg",
        "a page named .png",
        "a bomb",
        "a ZIP",
        "a path",
    ],
)
def test_whatever_it_says_it_is_it_is_kept_as_what_it_is(
    place: Place, *, is_picture: bool, content: bytes, name: str, file_type: str, content_type: str
) -> None:
    kind = (PICTURE_OF if is_picture else PAPER_OF)[place.platform]

    record = place.fetch(place.sent(kind, content, name))

    assert record is not None
    assert (record.status, record.file_type, record.content_type) == ("ready", file_type, content_type)
    assert place.store.kept == {record.storage_path: content}
    folder = f"received/{BOT_ID}/{record.dialog_id}/{record.id}"
    assert record.storage_path.rpartition("/")[0] == folder


@pytest.mark.parametrize("platform", STAND_INS)
def test_delivered_twice_it_is_one_file(place: Place) -> None:
    envelope = place.sent(PICTURE_OF[place.platform], PHOTO)

    first, second = place.fetch(envelope), place.fetch(envelope)

    assert first == second
    assert len(place.store.kept) == 1


@pytest.mark.parametrize("platform", ["whatsapp"])
def test_what_whatsapp_has_forgotten_is_failed_with_the_reason(place: Place) -> None:
    envelope = place.sent("image", PHOTO)
    place.messenger.pass_time(hours=24 * 40)

    record = place.fetch(envelope)

    assert record is not None
    assert (record.status, record.size) == ("failed", 0)
    assert record.reason.startswith("WhatsApp does not hand the file over: ")


@pytest.mark.parametrize("platform", ["telegram", "whatsapp"])
def test_a_token_that_was_replaced_is_waited_for(place: Place) -> None:
    envelope = place.sent(PICTURE_OF[place.platform], PHOTO)
    token = next(iter(place.settings))
    good, place.settings[token] = place.settings[token], "1:withdrawn-0123456789abcdefghijklmnopqrs"

    with pytest.raises(Wait):
        place.fetch(envelope)
    with pytest.raises(NotFetched):
        place.fetch(envelope, TRIES)
    place.settings[token] = good

    record = place.fetch(envelope, 2)
    assert record is not None
    assert record.status == "ready"
