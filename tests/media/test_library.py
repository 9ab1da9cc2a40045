"""What messages show of a library: by whose name, how old a record may be, and what is asked of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.credential import Credential
from shared.dialog.messages import Media, Message
from shared.media.base import MediaFile, PlatformFileId, Variant
from shared.media.library import (
    KNOWN_SECONDS,
    UNKNOWN_SECONDS,
    Library,
    Resolved,
    account_of,
)
from shared.platforms import adapter_for

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SETTINGS = {
    "telegram": {"bot_token": "123:secret"},
    "whatsapp": {"phone_number_id": "456", "access_token": "t"},
    "viber": {"auth_token": "t"},
    "webchat": {"token_secret": "t"},
}


def a_file(media_id: str = "m", **more: Any) -> MediaFile:
    given: dict[str, Any] = {
        "file_type": "image",
        "file_name": "cat.png",
        "content_type": "image/png",
        "size": 1000,
        "status": "ready",
        "storage_path": f"media/{media_id}/key/cat.png",
    }
    return MediaFile(id=media_id, bot_id="b", created_at=NOW, updated_at=NOW, **{**given, **more})


@dataclass
class Shelf:
    """A library with a clock; `reads` counts."""

    files: dict[str, MediaFile | None] = field(default_factory=lambda: {"m": a_file()})
    reads: int = 0
    seconds: float = 1000.0
    capacity: int = 512

    def __post_init__(self) -> None:
        now = lambda: NOW + timedelta(seconds=self.seconds - 1000)  # noqa: E731
        self.library = Library(
            self, "https://cdn/{}".format, now, capacity=self.capacity, clock=lambda: self.seconds
        )

    def find(self, media_id: str) -> MediaFile | None:
        self.reads += 1
        return self.files.get(media_id)

    def show(self, *media: Media, platform: str = "viber", afresh: bool = False) -> Resolved:
        credential = Credential("c", "b", platform, is_active=True, settings=SETTINGS[platform])
        limits = adapter_for(platform).capabilities
        message = Message("Hi", media=media or (Media("image", media_id="m"),))
        return self.library.resolve(message, credential, limits, afresh=afresh)


def known(**names: str) -> dict[str, PlatformFileId]:
    accounts = {"telegram": "123", "whatsapp": "456", "telegram_file": "123"}
    return {name: PlatformFileId(file_id, accounts[name]) for name, file_id in names.items()}


def test_a_message_without_files_of_the_library_reads_nothing() -> None:
    shelf = Shelf()
    elsewhere = Media("image", url="https://example.com/cat.png")
    assert shelf.show(elsewhere).message.media == (elsewhere,)
    assert shelf.reads == 0


@pytest.mark.parametrize("platform", ["viber", "webchat"])
def test_where_an_address_is_all_there_is_it_is_filled_in(platform: str) -> None:
    resolved = Shelf().show(platform=platform)
    (media,) = resolved.message.media
    assert media.url == "https://cdn/media/m/key/cat.png"
    assert (media.file_name, media.content_type, media.size) == ("cat.png", "image/png", 1000)
    assert (media.file_id, media.storage_path, resolved.missing) == ("", "", ())


def test_a_known_file_costs_one_read_in_half_a_minute() -> None:
    shelf = Shelf({"m": a_file(platform_file_ids=known(telegram="AgAC"))})
    for _ in range(5):
        assert shelf.show(platform="telegram").message.media[0].file_id == "AgAC"
    assert shelf.reads == 1
    shelf.seconds += KNOWN_SECONDS
    shelf.show(platform="telegram")
    assert shelf.reads == 2


def test_what_a_messenger_has_no_name_of_is_looked_up_afresh() -> None:
    shelf = Shelf()
    assert shelf.show(platform="telegram").missing
    shelf.files["m"] = a_file(platform_file_ids=known(telegram="AgAC"))
    shelf.seconds += 2
    assert not shelf.show(platform="telegram").missing


def test_what_a_messenger_has_complained_of_is_looked_up_at_once() -> None:
    shelf = Shelf({"m": a_file(platform_file_ids=known(whatsapp="1"))})
    shelf.show(platform="whatsapp")
    shelf.files["m"] = a_file(platform_file_ids=known(whatsapp="2"))
    assert shelf.show(platform="whatsapp").message.media[0].file_id == "1"
    assert shelf.show(platform="whatsapp", afresh=True).message.media[0].file_id == "2"


@pytest.mark.parametrize("file", [None, a_file(status="uploading")], ids=["none", "not ready"])
def test_a_file_that_is_not_there_yet_is_looked_for_again_soon(file: MediaFile | None) -> None:
    shelf = Shelf({"m": file})
    assert shelf.show().message.media == (Media("image", media_id="m"),)
    shelf.files["m"] = a_file()
    assert not shelf.show().message.media[0].url
    shelf.seconds += UNKNOWN_SECONDS
    assert shelf.show().message.media[0].url


def test_no_more_records_are_kept_than_there_is_room_for() -> None:
    shelf = Shelf({name: a_file(name) for name in "mno"}, capacity=2)
    for media_id in ("m", "n", "m", "o", "m", "n"):
        shelf.show(Media("image", media_id=media_id))
    assert shelf.reads == 4


def test_the_store_is_never_told_to_whoever_reads_the_history() -> None:
    shelf = Shelf({"m": a_file(), "n": a_file("n", platform_file_ids=known(telegram="AgAC"))})
    resolved = shelf.show(Media("image", media_id="m"), Media("image", media_id="n"), platform="telegram")
    assert [(media.storage_path, media.file_id) for media in resolved.message.media] == [
        ("media/m/key/cat.png", ""),
        ("", "AgAC"),
    ]
    assert not any(media.storage_path or media.file_id for media in resolved.shown.media)
    assert all(media.url for media in resolved.shown.media)


@pytest.mark.parametrize(
    ("given", "file_type", "shown", "slot"),
    [
        ("image", "image", "image", "telegram"),
        ("file", "image", "file", "telegram_file"),
        ("image", "video", "video", "telegram"),
        ("file", "file", "file", "telegram"),
    ],
)
def test_a_file_is_shown_as_what_it_is_unless_the_author_wants_it_as_a_file(
    given: Any, file_type: Any, shown: str, slot: str
) -> None:
    types = {"image": "image/png", "video": "video/mp4", "file": "application/pdf"}
    shelf = Shelf({"m": a_file(file_type=file_type, content_type=types[file_type])})
    resolved = shelf.show(Media(given, media_id="m"), platform="telegram")
    assert resolved.message.media[0].type == shown
    assert [wanted.slot for wanted in resolved.missing] == [slot]


def test_what_no_messenger_shows_is_never_asked_for() -> None:
    shelf = Shelf({"m": a_file(size=60_000_000, file_type="file")})
    resolved = shelf.show(Media("file", media_id="m"), platform="telegram")
    assert (resolved.missing, resolved.message.media[0].storage_path) == ((), "")
    assert resolved.message.media[0].url


def test_a_smaller_version_is_what_its_messenger_gets() -> None:
    variant = Variant("media/m/key/telegram.jpg", "image/jpeg", 10, 4, 3)
    shelf = Shelf({"m": a_file(size=60_000_000, width=12_000, height=9_000, variants={"telegram": variant})})
    (media,) = shelf.show(platform="telegram").message.media
    assert (media.storage_path, media.url, media.size) == (
        "media/m/key/telegram.jpg",
        "https://cdn/media/m/key/telegram.jpg",
        10,
    )
    assert (media.width, media.height) == (4, 3)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (PlatformFileId("1", "456", NOW + 20 * DAY), "known"),
        (PlatformFileId("1", "456", NOW + 2 * DAY), "known, ageing"),
        (PlatformFileId("1", "456", NOW), "missing"),
        (PlatformFileId("1", "457", NOW + 20 * DAY), "missing"),
        (PlatformFileId("", "456", NOW + DAY), "refused"),
        (PlatformFileId("", "456", NOW), "missing"),
        (PlatformFileId("", "457", NOW + DAY), "missing"),
    ],
    ids=["good", "near its end", "over", "another's", "refused", "refused long ago", "refused to another"],
)
def test_a_name_is_good_for_its_account_and_its_time(name: PlatformFileId, expected: str) -> None:
    resolved = Shelf({"m": a_file(platform_file_ids={"whatsapp": name})}).show(platform="whatsapp")
    found = [kind for kind in ("known", "missing", "ageing") if getattr(resolved, kind)]
    assert ", ".join([*found, *["refused"] * resolved.is_refused]) == expected


def test_what_ages_is_told_of_once_for_each_look() -> None:
    shelf = Shelf({"m": a_file(platform_file_ids={"whatsapp": PlatformFileId("1", "456", NOW + DAY)})})
    assert [bool(shelf.show(platform="whatsapp").ageing) for _ in range(3)] == [True, False, False]
    shelf.seconds += KNOWN_SECONDS
    assert shelf.show(platform="whatsapp").ageing


@pytest.mark.parametrize(
    ("platform", "settings", "account"),
    [
        ("telegram", {"bot_token": "123:secret"}, "123"),
        ("telegram", {"bot_token": "123:another"}, "123"),
        ("whatsapp", {"phone_number_id": "456", "access_token": "another"}, "456"),
        ("viber", {"auth_token": "t"}, ""),
        ("telegram", {}, ""),
    ],
)
def test_an_account_outlives_its_token(platform: str, settings: dict[str, str], account: str) -> None:
    assert account_of(Credential("c", "b", platform, is_active=True, settings=settings)) == account
