"""Giving WhatsApp a file ahead: what can come of that, and what it means for others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.credential import Credential
from shared.delivery.files import REFUSED_FOR
from shared.delivery.holds import Hold, mark_of
from shared.delivery.uploading import TRIES
from shared.errors import Wait
from shared.media.base import PlatformFileId, Variant
from shared.media.leases import lease_of_file
from shared.queueing.envelopes import UploadEnvelope
from tests.delivery.gallery import BOT_ID, NOW, Gallery, opened
from tests.standins.server import Answer, Incoming, answer_json
from tests.standins.whatsapp import WhatsAppStandIn


class Moody(WhatsAppStandIn):
    """Answers the next uploads like this."""

    mood: Answer | None = None

    def answer(self, request: Incoming) -> Answer:
        return self.mood or super().answer(request)


@pytest.fixture(scope="module")
def messenger() -> Iterator[Moody]:
    with Moody() as standin:
        yield standin


@pytest.fixture
def gallery(messenger: Moody) -> Iterator[Gallery]:
    messenger.mood = None
    messenger.files.clear()
    messenger.requests.clear()
    settings = {"phone_number_id": messenger.phone_number_id, "access_token": messenger.access_token}
    credential = Credential("c", BOT_ID, "whatsapp", is_active=True, settings=settings)
    with opened(Gallery("whatsapp", messenger, credential)) as made:
        yield made


def upload(gallery: Gallery, media_id: str, *, attempt: int = 1, **more: str) -> None:
    given = {"bot_id": BOT_ID, "platform": "whatsapp", "trace_id": "t", **more}
    gallery.uploads.upload(UploadEnvelope(media_id=media_id, **given), attempt)


def name_of(gallery: Gallery, media_id: str) -> PlatformFileId | None:
    return gallery.file(media_id).platform_file_ids.get("whatsapp")


def change(gallery: Gallery, **fields: Any) -> None:
    """Let the worker have another time or another credential."""
    gallery.uploads = replace(gallery.uploads, sender=replace(gallery.uploads.sender, **fields))


def waits(gallery: Gallery, media_id: str, **more: Any) -> Wait:
    with pytest.raises(Wait) as wait:
        upload(gallery, media_id, **more)
    return wait.value


def error(code: int, status: int = 400, **more: Any) -> Answer:
    return answer_json({"error": {"code": code, "message": f"(#{code}) No"}}, status, **more)


def test_a_file_is_given_with_its_type_and_its_name_is_kept_for_30_days(
    gallery: Gallery, messenger: Moody
) -> None:
    cat = gallery.add("cat.png")
    upload(gallery, cat)
    ((file_id, kept),) = messenger.files.items()
    assert (kept.content, kept.content_type) == (b"content", "image/png")
    expected = PlatformFileId(file_id, messenger.phone_number_id, NOW + timedelta(days=30))
    assert name_of(gallery, cat) == expected


def test_what_the_messenger_has_is_not_given_again(gallery: Gallery, messenger: Moody) -> None:
    cat = gallery.add("cat.png")
    upload(gallery, cat)
    upload(gallery, cat)
    assert len(messenger.requests) == 1
    gallery.clock.now += timedelta(days=28)
    upload(gallery, cat)
    assert len(messenger.requests) == 2


@pytest.mark.parametrize(
    "more",
    [{"bot_id": "another"}, {"status": "failed"}, {"dialog_id": "d"}],
    ids=["another bot's", "not ready", "a person's own"],
)
def test_what_is_not_the_bot_s_own_is_given_to_nobody(
    gallery: Gallery, messenger: Moody, more: dict[str, Any]
) -> None:
    upload(gallery, gallery.add("cat.png", **more))
    upload(gallery, "no such file")
    assert messenger.requests == []


@pytest.mark.parametrize("platform", ["telegram", "viber", "webchat"])
def test_other_messengers_are_given_nothing_ahead(gallery: Gallery, messenger: Moody, platform: str) -> None:
    upload(gallery, gallery.add("cat.png"), platform=platform)
    assert messenger.requests == []


def test_a_bot_that_is_switched_off_gives_nothing(gallery: Gallery, messenger: Moody) -> None:
    settings = gallery.credential.settings
    gallery.credential = Credential("c", BOT_ID, "whatsapp", is_active=False, settings=settings)
    upload(gallery, gallery.add("cat.png"))
    assert messenger.requests == []


def test_while_another_has_it_in_hand_it_is_waited_for(gallery: Gallery, messenger: Moody) -> None:
    cat = gallery.add("cat.png")
    name = lease_of_file(cat, "whatsapp", messenger.phone_number_id)
    gallery.leases.take(name, "another", 60)
    waits(gallery, cat)
    assert messenger.requests == []
    gallery.clock.now += timedelta(seconds=60)
    upload(gallery, cat)
    assert gallery.leases.take(name, "another", 60), "released"


@pytest.mark.parametrize(
    "mood", [error(100), error(131053), error(131009)], ids=["type", "media error", "parameter"]
)
def test_a_file_that_is_refused_is_left_alone_for_a_while(
    gallery: Gallery, messenger: Moody, mood: Answer
) -> None:
    cat = gallery.add("cat.png")
    messenger.mood = mood
    upload(gallery, cat)
    upload(gallery, cat)
    assert len(messenger.requests) == 1
    assert name_of(gallery, cat) == PlatformFileId("", messenger.phone_number_id, NOW + REFUSED_FOR)


def test_a_limit_holds_the_bot_and_the_upload_waits(gallery: Gallery, messenger: Moody) -> None:
    cat = gallery.add("cat.png")
    messenger.mood = error(130429, 429, **{"retry-after": "17"})
    assert waits(gallery, cat).seconds == 17
    assert gallery.told.held[BOT_ID, "whatsapp"].until == NOW + timedelta(seconds=17)
    messenger.mood = None
    assert waits(gallery, cat).seconds == 17
    assert len(messenger.requests) == 1
    gallery.clock.now += timedelta(seconds=17)
    upload(gallery, cat)


@pytest.mark.parametrize(
    "mood", [error(131000, 500), Answer(502, b"<html>")], ids=["their fault", "a proxy's"]
)
def test_a_messenger_that_fails_is_tried_again_so_often(
    gallery: Gallery, messenger: Moody, mood: Answer
) -> None:
    cat = gallery.add("cat.png")
    messenger.mood = mood
    first, later = waits(gallery, cat).seconds, waits(gallery, cat, attempt=5).seconds
    assert 1 <= first < later
    upload(gallery, cat, attempt=TRIES)
    assert name_of(gallery, cat) is None
    name = lease_of_file(cat, "whatsapp", messenger.phone_number_id)
    assert gallery.leases.take(name, "another", 60), "released"


def test_a_refused_token_is_told_of_and_not_tried_on(gallery: Gallery, messenger: Moody) -> None:
    messenger.mood = error(190, 401)
    for name in ("cat.png", "dog.png"):
        upload(gallery, gallery.add(name))
    assert len(messenger.requests) == 1
    assert len(gallery.told.refused_for) == 1


def test_a_token_replaced_meanwhile_is_taken_for_the_next_try(gallery: Gallery, messenger: Moody) -> None:
    cat, fresh = gallery.add("cat.png"), gallery.credential
    stale = Credential(
        "c", BOT_ID, "whatsapp", is_active=True, settings={**fresh.settings, "access_token": "old"}
    )
    tokens = iter([stale, fresh])
    change(gallery, credential_of=lambda *_: next(tokens))
    waits(gallery, cat)
    upload(gallery, cat)
    assert name_of(gallery, cat) is not None
    assert gallery.told.refused_for == []


def test_a_hold_on_a_refused_token_is_no_wait(gallery: Gallery, messenger: Moody) -> None:
    hold = Hold(NOW + timedelta(seconds=60), "401", refused=mark_of(gallery.credential))
    gallery.told.put(BOT_ID, "whatsapp", hold)
    upload(gallery, gallery.add("cat.png"))
    assert messenger.requests == []


def test_nothing_is_begun_that_there_is_no_time_for(gallery: Gallery, messenger: Moody) -> None:
    change(gallery, seconds_left=lambda: 30.0)
    assert waits(gallery, gallery.add("cat.png")).seconds == 0
    assert messenger.requests == []


def test_an_image_goes_as_its_smaller_version(gallery: Gallery, messenger: Moody) -> None:
    gallery.store.objects["small.jpg"] = b"small"
    upload(gallery, gallery.add("cat.png", variants={"whatsapp": Variant("small.jpg", "image/jpeg", 5)}))
    ((_, kept),) = messenger.files.items()
    assert (kept.content, kept.content_type) == (b"small", "image/jpeg")
