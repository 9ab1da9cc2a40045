"""One contract, held by the records of files in memory and by those in DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import Conflict, NotFound
from shared.media.base import MediaFile, MediaRepository, PlatformFileId, Variant
from shared.storage.media import DynamoMedia
from shared.storage.memory import MemoryMedia
from tests.conftest import Call
from tests.storage.pages import pages_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1, microseconds=7)
BOT = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
OTHER_BOT = "6f9619ff-8b86-4d11-b42d-00c04fc96400"
DIALOG = "0b9619ff-8b86-4d11-b42d-00c04fc964ff"
FILE = "1c9619ff-8b86-4d11-b42d-00c04fc964ff"


class Time:
    now = LATER

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "dynamodb"])
def media(request: pytest.FixtureRequest, time: Time) -> MediaRepository:
    if request.param == "memory":
        return MemoryMedia(time)
    request.getfixturevalue("aws_account")
    return DynamoMedia(time)


def a_file(**fields: Any) -> MediaFile:
    usual: dict[str, Any] = {
        "id": FILE,
        "bot_id": BOT,
        "file_type": "image",
        "file_name": "схема.png",
        "created_at": NOON,
        "updated_at": NOON,
        "status": "ready",
    }
    return MediaFile(**(usual | fields))


KNOWN = PlatformFileId("AgAC", "123", NOON)
FULL = a_file(
    content_type="image/png",
    size=12,
    storage_path="media/1/k/схема.png",
    link_key="k",
    reason="none",
    width=3,
    height=4,
    duration_seconds=1.5,
    dialog_id=DIALOG,
    platform_file_ids={"telegram": KNOWN, "whatsapp": PlatformFileId("1", "2")},
    variants={"viber": Variant("media/1/k/viber.jpg", "image/jpeg", 9, 1, 2)},
)


@pytest.mark.parametrize("file", [a_file(), FULL], ids=["bare", "full"])
def test_a_file_is_found_as_it_was_created(media: MediaRepository, file: MediaFile) -> None:
    assert media.create(file)

    assert media.find(FILE) == file


def test_an_id_is_taken_once(media: MediaRepository) -> None:
    media.create(a_file())

    assert not media.create(a_file(file_name="another"))

    assert media.find(FILE) == a_file()


def test_what_is_not_there_is_not_made_by_a_change(media: MediaRepository) -> None:
    with pytest.raises(NotFound):
        media.change(FILE, status="ready")
    with pytest.raises(NotFound):
        media.change(FILE, met="uploading", status="ready")
    media.keep_file_id(FILE, "telegram", KNOWN)
    media.forget_file_id(FILE, "telegram", "AgAC")
    media.delete(FILE)

    assert media.find(FILE) is None


def test_a_change_sets_what_it_names_and_the_time(media: MediaRepository) -> None:
    media.create(FULL)
    variants = {"telegram": Variant("p", "image/jpeg", 1)}

    changed = media.change(FILE, status="failed", reason="", size=13, variants=variants)

    expected = a_file(
        **{name: getattr(FULL, name) for name in FULL.__struct_fields__}
        | {"status": "failed", "reason": "", "size": 13, "variants": variants, "updated_at": LATER}
    )
    assert changed == expected == media.find(FILE)


def test_a_file_that_came_further_is_not_changed(media: MediaRepository) -> None:
    media.create(a_file())

    with pytest.raises(Conflict):
        media.change(FILE, met="uploading", status="failed")

    assert media.find(FILE) == a_file()


@pytest.mark.parametrize("field", ["id", "bot_id", "dialog_id", "created_at", "platform_file_ids", "colour"])
def test_other_fields_cannot_be_changed(media: MediaRepository, field: str) -> None:
    media.create(a_file())
    fields: dict[str, Any] = {field: "x"}

    with pytest.raises(TypeError, match=field):
        media.change(FILE, **fields)


def test_messengers_ids_are_kept_each_on_its_own(media: MediaRepository) -> None:
    media.create(a_file())
    theirs = PlatformFileId("77", "999")

    media.keep_file_id(FILE, "telegram", PlatformFileId("old", "123"))
    media.keep_file_id(FILE, "whatsapp", theirs)
    media.keep_file_id(FILE, "telegram", KNOWN)

    assert media.find(FILE) == a_file(platform_file_ids={"telegram": KNOWN, "whatsapp": theirs})


def test_only_the_id_that_failed_is_forgotten(media: MediaRepository) -> None:
    media.create(FULL)

    media.forget_file_id(FILE, "telegram", "another")
    assert media.find(FILE) == FULL

    media.forget_file_id(FILE, "telegram", "AgAC")
    found = media.find(FILE)
    assert found is not None
    assert set(found.platform_file_ids) == {"whatsapp"}


def test_a_deleted_file_is_gone(media: MediaRepository) -> None:
    media.create(a_file())

    media.delete(FILE)

    assert media.find(FILE) is None
    assert media.of_bot(BOT, 5).items == []


def test_a_library_comes_page_by_page_latest_first_without_what_persons_sent(media: MediaRepository) -> None:
    for n in range(5):
        media.create(a_file(id=f"f{n}", created_at=NOON + timedelta(seconds=n)))
    media.create(a_file(id="theirs", bot_id=OTHER_BOT))
    media.create(a_file(id="sent", dialog_id=DIALOG))

    pages = pages_of(lambda start: media.of_bot(BOT, 2, start))
    sent = pages_of(lambda start: media.of_dialog(DIALOG, 2, start))

    assert [[file.id for file in page] for page in pages] == [["f4", "f3"], ["f2", "f1"], ["f0"]]
    assert [[file.id for file in page] for page in sent] == [["sent"]]


def test_a_library_is_filtered(media: MediaRepository) -> None:
    for n in range(6):
        kind, status = ("image", "audio")[n % 2], ("ready", "failed")[n // 3]
        at = NOON + timedelta(seconds=n)
        media.create(a_file(id=f"f{n}", file_type=kind, status=status, created_at=at))

    def ids(**chosen: Any) -> list[str]:
        pages = pages_of(lambda start: media.of_bot(BOT, 2, start, **chosen))
        return [file.id for page in pages for file in page]

    assert ids(file_type="image") == ["f4", "f2", "f0"]
    assert ids(status="failed") == ["f5", "f4", "f3"]
    assert ids(file_type="audio", status="ready") == ["f1"]


def test_an_upload_that_never_came_is_gone_after_a_day(media: MediaRepository, time: Time) -> None:
    media.create(a_file(id="never", status="uploading"))
    media.create(a_file(id="arrived", status="uploading"))
    media.change("arrived", met="uploading", status="ready")

    time.now = NOON + timedelta(days=1)

    assert media.find("never") is None
    assert [file.id for file in media.of_bot(BOT, 5).items] == ["arrived"]


def test_every_act_is_one_call_and_none_is_a_scan(media: MediaRepository, aws_calls: list[Call]) -> None:
    media.create(a_file())
    media.change(FILE, size=2)
    media.keep_file_id(FILE, "telegram", KNOWN)
    media.find(FILE)
    media.of_bot(BOT, 50, file_type="image")
    media.delete(FILE)

    made = [call.name.removeprefix("dynamodb:") for call in aws_calls]
    assert made in ([], ["PutItem", "UpdateItem", "UpdateItem", "GetItem", "Query", "DeleteItem"])
