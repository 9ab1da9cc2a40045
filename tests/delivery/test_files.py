"""Files of the library on their way to Telegram and WhatsApp, with the stand-ins as judges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.credential import Credential
from shared.delivery.files import REFUSED_FOR, SURELY_OVER, WAITED_AT_MOST
from shared.dialog.messages import Button, Media, Message
from shared.errors import NotAccepted
from shared.media.base import FileType, MediaFile, PlatformFileId, Variant
from shared.media.library import account_of
from shared.platforms import adapter_for
from shared.platforms.formatting import MEDIA_AS_LINKS, MEDIA_GONE
from shared.queueing.envelopes import Resend
from shared.storage.memory import MemoryMedia
from shared.webchat.listing import items_of
from tests.delivery.gallery import BOT_ID, NOW, TYPES, Fifo, Gallery, opened, shows
from tests.standins.server import Recorded, StandIn
from tests.standins.telegram import TelegramStandIn
from tests.standins.viber import ViberStandIn
from tests.standins.whatsapp import WhatsAppStandIn

ONE, OTHER, THIRD = "15550001001", "15550001002", "15550001003"


def forgotten(messenger: StandIn) -> None:
    messenger.requests.clear()
    messenger.refusals.clear()


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as standin:
        for chat_id in (ONE, OTHER, THIRD):
            standin.person(chat_id=int(chat_id)).has_started = True
        yield standin


@pytest.fixture
def on_telegram(telegram: TelegramStandIn) -> Iterator[Gallery]:
    forgotten(telegram)
    telegram.files.clear()
    with opened(Gallery("telegram", telegram, bot_of(telegram))) as gallery:
        yield gallery


def bot_of(telegram: TelegramStandIn, token: str = "") -> Credential:
    settings = {"bot_token": token or telegram.token, "webhook_secret": "s"}
    return Credential("c", BOT_ID, "telegram", is_active=True, settings=settings)


@pytest.fixture(scope="module")
def whatsapp() -> Iterator[WhatsAppStandIn]:
    with WhatsAppStandIn() as standin:
        for number in (ONE, OTHER, THIRD):
            standin.person("", number).wrote()
        yield standin


@pytest.fixture
def on_whatsapp(whatsapp: WhatsAppStandIn) -> Iterator[Gallery]:
    forgotten(whatsapp)
    whatsapp.files.clear()
    settings = {"phone_number_id": whatsapp.phone_number_id, "access_token": whatsapp.access_token}
    credential = Credential("c", BOT_ID, "whatsapp", is_active=True, settings=settings)
    with opened(Gallery("whatsapp", whatsapp, credential)) as gallery:
        yield gallery


@pytest.fixture(params=["telegram", "whatsapp"])
def gallery(request: pytest.FixtureRequest) -> Gallery:
    return request.getfixturevalue(f"on_{request.param}")  # type: ignore[no-any-return]


def carrying(gallery: Gallery) -> list[Recorded]:
    """The requests that brought files along."""
    sent = gallery.messenger.requests
    return [each for each in sent if each.headers.get("content-type", "").startswith("multipart/")]


def said(gallery: Gallery, number: int = -1) -> Any:
    return gallery.messenger.requests[number].body


def refusals(gallery: Gallery) -> list[Any]:
    return [refusal.answer for refusal in gallery.messenger.refusals]


# ── What is given once ───────────────────────────────────────────────────────────────────────────────


def test_a_file_is_given_once_and_shown_by_its_name_then(gallery: Gallery) -> None:
    cat = gallery.add("cat.png")
    for turn, chat_id in enumerate((ONE, ONE, OTHER), 1):
        gallery.say(chat_id, shows(cat, text="A cat"), turn=turn)
        gallery.settle()
        assert gallery.statuses(chat_id, turn) == ["sent"]
    assert len(carrying(gallery)) == 1
    name = gallery.file(cat).platform_file_ids[gallery.platform].file_id
    assert name in str(said(gallery))
    assert refusals(gallery) == []


def test_while_a_file_is_on_its_way_the_person_is_shown_once_that_somebody_types(
    on_telegram: Gallery,
) -> None:
    cat = on_telegram.add("cat.png")
    for turn in (1, 2):
        on_telegram.say(ONE, shows(cat), turn=turn)
        on_telegram.settle()
    assert [hint.json["action"] for hint in on_telegram.hints] == ["typing"]


def test_all_around_a_file_is_said_once_and_in_order(gallery: Gallery) -> None:
    cat = gallery.add("cat.png")
    gallery.say(ONE, Message("Look"), shows(cat), Message("Nice"), Message("Bye"))
    gallery.say(ONE, Message("Later"), turn=2)
    gallery.settle()
    assert gallery.statuses(ONE) == ["sent"] * 4
    assert not any(record.possibly_doubled or record.attempts for record in gallery.records(ONE))
    texts = [str(request.raw) for request in gallery.messenger.requests if b"multipart" not in request.raw]
    order = [
        next(n for n, raw in enumerate(texts) if word in raw) for word in ("Look", "Nice", "Bye", "Later")
    ]
    assert order == sorted(order)


def test_the_history_keeps_the_public_address_and_no_messenger_s_name(gallery: Gallery) -> None:
    cat = gallery.add("cat.png")
    gallery.say(ONE, shows(cat))
    gallery.settle()
    (entry,) = gallery.entries(ONE)
    (media,) = entry.message_data["media"]
    assert media["url"] == f"https://cdn.example.com/media/{cat}/key/cat.png"
    assert not {"file_id", "storage_path"} & set(media)
    assert entry.delivery is not None
    assert entry.delivery.files is None


def test_while_it_waits_its_record_tells_why(gallery: Gallery) -> None:
    gallery.worker_is_down = True
    gallery.say(ONE, shows(gallery.add("cat.png")))
    gallery.settle(until=timedelta(seconds=30))
    (record,) = gallery.records(ONE)
    assert (record.status, record.attempts) == ("queued", 0)
    assert "files are on their way" in record.reason


@pytest.mark.parametrize("hands", [1, 4])
def test_two_that_want_a_new_file_at_once_have_it_given_once(gallery: Gallery, hands: int) -> None:
    cat = gallery.add("cat.png")
    for chat_id in (ONE, OTHER, THIRD):
        gallery.say(chat_id, shows(cat, text="A cat"))
    gallery.settle(hands)
    assert [gallery.statuses(chat_id) for chat_id in (ONE, OTHER, THIRD)] == [["sent"]] * 3
    assert len(carrying(gallery)) == 1
    assert not any(gallery.records(chat_id)[0].possibly_doubled for chat_id in (ONE, OTHER, THIRD))


def test_who_waits_for_a_file_delays_nobody_else(gallery: Gallery) -> None:
    gallery.worker_is_down = True
    gallery.say(ONE, shows(gallery.add("cat.png")))
    gallery.say(OTHER, Message("Hi"))
    gallery.settle(until=timedelta(0))
    assert (gallery.statuses(ONE), gallery.statuses(OTHER)) == (["queued"], ["sent"])


def test_an_album_of_new_files_is_one_first_send(on_telegram: Gallery) -> None:
    pictures = [on_telegram.add(f"{n}.png") for n in range(3)]
    on_telegram.say(ONE, shows(*pictures, text="All of them"))
    on_telegram.settle()
    (request,) = carrying(on_telegram)
    assert request.path.endswith("sendMediaGroup")
    names = [on_telegram.file(each).platform_file_ids["telegram"].file_id for each in pictures]
    assert len(set(names)) == 3
    on_telegram.say(ONE, shows(*pictures), turn=2)
    on_telegram.settle()
    assert [item["media"] for item in said(on_telegram)["media"]] == names


def test_the_worker_is_told_no_more_than_the_message_that_it_sends(on_telegram: Gallery) -> None:
    on_telegram.say(ONE, Message("a secret"), shows(on_telegram.add("cat.png")), Message("another secret"))
    on_telegram.settle()
    (work,) = on_telegram.tasks.accepted
    assert "secret" not in work
    assert on_telegram.statuses(ONE) == ["sent"] * 3


def test_of_an_album_only_the_new_file_is_carried(on_telegram: Gallery) -> None:
    old, new = on_telegram.add("old.png"), on_telegram.add("new.png")
    on_telegram.say(ONE, shows(old))
    on_telegram.say(ONE, shows(old, new), turn=2)
    on_telegram.settle()
    first, second = carrying(on_telegram)
    assert (first.raw.count(b"filename="), second.raw.count(b"filename=")) == (1, 1)
    names = {media: on_telegram.file(media).platform_file_ids["telegram"].file_id for media in (old, new)}
    on_telegram.say(ONE, shows(new), turn=3)
    on_telegram.settle()
    assert said(on_telegram)["photo"] == names[new] != names[old]


def test_a_picture_shown_as_a_file_has_another_name_there(on_telegram: Gallery) -> None:
    cat = on_telegram.add("cat.png")
    for turn, kind in enumerate(("image", "file", "image", "file"), 1):
        on_telegram.say(ONE, shows(cat, as_type=kind), turn=turn)  # type: ignore[arg-type]
    on_telegram.settle()
    assert len(carrying(on_telegram)) == 2
    assert set(on_telegram.file(cat).platform_file_ids) == {"telegram", "telegram_file"}
    assert refusals(on_telegram) == []


def test_a_messenger_is_given_its_own_smaller_version(gallery: Gallery) -> None:
    gallery.store.objects["small.jpg"] = b"small"
    variant = Variant("small.jpg", "image/jpeg", 5)
    cat = gallery.add("cat.png", content=b"too large", variants={gallery.platform: variant})
    gallery.say(ONE, shows(cat))
    gallery.settle()
    (request,) = carrying(gallery)
    assert b"small" in request.raw
    assert b"too large" not in request.raw
    assert gallery.entries(ONE)[0].message_data["media"][0]["url"].endswith("small.jpg")


# ── Every type on every messenger ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", list(TYPES))
@pytest.mark.parametrize(
    "extra", [{}, {"text": "Look at this"}, {"text": "Nice?", "buttons": (Button("Yes", "p:1"),)}]
)
def test_every_type_is_shown_as_what_it_is(gallery: Gallery, kind: FileType, extra: dict[str, Any]) -> None:
    end = TYPES[kind].rpartition("/")[2]
    media_id = gallery.add(f"name.{end}", kind)
    for turn in (1, 2):
        gallery.say(ONE, shows(media_id, as_type=kind, **extra), turn=turn)
    gallery.settle()
    assert refusals(gallery) == []
    assert (gallery.statuses(ONE), gallery.statuses(ONE, 2)) == (["sent"], ["sent"])
    assert gallery.records(ONE, 2)[0].degradations in {(), ("caption_apart",)}
    assert len(carrying(gallery)) == 1


@pytest.mark.parametrize(
    ("platform", "kind", "called"),
    [
        ("telegram", "image", ["sendPhoto", "sendDocument"]),
        ("whatsapp", "image", ["image", "document"]),
        ("whatsapp", "video", ["video", "document"]),
        ("whatsapp", "audio", ["audio", "document"]),
    ],
)
def test_just_over_a_limit_a_file_is_a_document(
    request: pytest.FixtureRequest, platform: str, kind: FileType, called: list[str]
) -> None:
    gallery: Gallery = request.getfixturevalue(f"on_{platform}")
    most = adapter_for(platform).capabilities.media[kind].max_bytes
    for turn, size in enumerate((most, most + 1), 1):
        gallery.say(ONE, shows(gallery.add(str(size), kind, size=size), as_type=kind), turn=turn)
        gallery.settle()
    sent = [each for each in gallery.messenger.requests if each.path.rpartition("/")[2] != "media"]
    names = [each.path.rpartition("/")[2] for each in sent]
    shown = names if platform == "telegram" else [each.body.get("type") for each in sent]
    assert [name for name in shown if name in called] == called
    assert refusals(gallery) == []


@pytest.mark.parametrize("kind", list(TYPES))
def test_viber_is_told_every_file_s_address(kind: FileType) -> None:
    with ViberStandIn() as viber:
        person = viber.person("")
        person.is_subscribed = True
        settings = {"auth_token": viber.auth_token, "sender_name": "Bot"}
        credential = Credential("c", BOT_ID, "viber", is_active=True, settings=settings)
        with opened(Gallery("viber", viber, credential)) as gallery:
            end = {"image": "png", "video": "mp4", "audio": "mp3", "file": "pdf"}[kind]
            media_id = gallery.add(f"name.{end}", kind, duration_seconds=5)
            gallery.say(person.user["id"], shows(media_id, as_type=kind, text="Look"))
            gallery.settle()
            assert gallery.statuses(person.user["id"]) == ["sent"]
            assert viber.refusals == []
            assert f"https://cdn.example.com/media/{media_id}/key/name.{end}" in str(
                [request.body for request in viber.requests]
            )


def test_the_web_chat_s_list_has_a_file_s_address() -> None:
    credential = Credential("c", BOT_ID, "webchat", is_active=True, settings={"token_secret": "s"})
    with opened(Gallery("webchat", TelegramStandIn(), credential)) as gallery:
        cat = gallery.add("cat.png")
        gallery.say(ONE, shows(cat, text="Look"))
        gallery.settle()
        (item,) = items_of(gallery.entries(ONE))
    (media,) = item["media"]
    assert (media["type"], media["url"]) == ("image", f"https://cdn.example.com/media/{cat}/key/cat.png")


# ── Files that are not there ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "more",
    [{"bot_id": "another"}, {"status": "failed"}, {"status": "uploading"}, {"dialog_id": "somebody's"}],
    ids=["another bot's", "failed", "not there yet", "a person's own"],
)
def test_what_is_no_file_of_the_bot_s_library_is_gone(gallery: Gallery, more: dict[str, Any]) -> None:
    gallery.say(ONE, shows(gallery.add("cat.png", **more), text="Look"))
    gallery.settle()
    (record,) = gallery.records(ONE)
    assert (record.status, record.degradations) == ("sent", (MEDIA_GONE,))
    assert "cdn.example.com" not in str(gallery.messenger.requests)
    assert carrying(gallery) == []


def test_a_file_deleted_while_it_is_waited_for_is_gone(gallery: Gallery) -> None:
    gallery.worker_is_down = True
    cat = gallery.add("cat.png")
    gallery.say(ONE, shows(cat, text="Look"))
    gallery.settle(until=timedelta(seconds=5))
    gallery.files.delete(cat)
    gallery.worker_is_down = False
    gallery.settle()
    (record,) = gallery.records(ONE)
    assert (record.status, record.degradations) == ("sent", (MEDIA_GONE,))


def test_a_file_whose_bytes_are_gone_is_told_by_its_address(gallery: Gallery) -> None:
    cat = gallery.add("cat.png")
    gallery.store.objects.clear()
    gallery.say(ONE, shows(cat, text="Look"))
    gallery.settle()
    (record,) = gallery.records(ONE)
    assert (record.status, record.degradations) == ("sent", (MEDIA_AS_LINKS,))


# ── Names that are none ──────────────────────────────────────────────────────────────────────────────


def known(gallery: Gallery, file_id: str, account: str = "", **more: Any) -> str:
    """A file that the messenger is thought to know."""
    media_id, account = gallery.add("cat.png"), account or account_of(gallery.credential)
    gallery.files.keep_file_id(media_id, gallery.platform, PlatformFileId(file_id, account, **more))
    return media_id


DEAD_NAMES = {"telegram": "AgAC123456789-99", "whatsapp": "999999999999999"}


def test_a_name_that_the_messenger_does_not_know_is_asked_for_anew(gallery: Gallery) -> None:
    cat = known(gallery, DEAD_NAMES[gallery.platform])
    gallery.say(ONE, shows(cat, text="Look"))
    gallery.settle()
    (record,) = gallery.records(ONE)
    assert (record.status, record.degradations, record.attempts) == ("sent", (), 0)
    assert not record.possibly_doubled
    assert len(carrying(gallery)) == 1
    assert gallery.file(cat).platform_file_ids[gallery.platform].file_id != DEAD_NAMES[gallery.platform]


def test_a_complaint_forgets_no_name_that_has_come_since(gallery: Gallery) -> None:
    cat = known(gallery, DEAD_NAMES[gallery.platform])
    gallery.say(ONE, shows(cat))
    gallery.say(OTHER, shows(cat))
    gallery.settle()
    assert gallery.statuses(ONE) == gallery.statuses(OTHER) == ["sent"]
    assert len(carrying(gallery)) == 1


class Stubborn(MemoryMedia):
    """Whatever a messenger is given, it never knows it by this name."""

    name = PlatformFileId("", "")

    def find(self, media_id: str) -> MediaFile | None:
        file = super().find(media_id)
        return file and msgspec.structs.replace(
            file, platform_file_ids=dict.fromkeys(("telegram", "whatsapp"), self.name)
        )


def test_a_complaint_about_the_new_name_too_is_answered_by_the_address(gallery: Gallery) -> None:
    gallery.files = stubborn = Stubborn(gallery.clock)
    gallery.start()
    cat = known(gallery, DEAD_NAMES[gallery.platform])
    stubborn.name = PlatformFileId(DEAD_NAMES[gallery.platform], account_of(gallery.credential))
    gallery.say(ONE, shows(cat, text="Look"))
    gallery.settle()
    (record,) = gallery.records(ONE)
    assert (record.status, record.degradations) == ("sent", (MEDIA_AS_LINKS,))
    assert f"/media/{cat}/" in str(said(gallery))


@pytest.mark.parametrize(
    ("token", "uploads"),
    [("123456789:AAEanother-token_0123456789abcdefgh", 0), ("987:AAEanother-bot_0123456789abcdefgh", 1)],
    ids=["the same bot's", "another bot's"],
)
def test_names_outlive_a_token_and_not_a_bot(token: str, uploads: int) -> None:
    with TelegramStandIn(token) as telegram:
        telegram.person(chat_id=int(ONE)).has_started = True
        with opened(Gallery("telegram", telegram, bot_of(telegram))) as gallery:
            cat = known(gallery, "AgAC123456789-0", account="123456789")
            telegram._new_file("photo")
            gallery.say(ONE, shows(cat))
            gallery.settle()
            assert gallery.statuses(ONE) == ["sent"]
            assert len(carrying(gallery)) == uploads
            assert gallery.file(cat).platform_file_ids["telegram"].account == token.partition(":")[0]


def test_a_name_that_has_run_out_is_not_used(on_whatsapp: Gallery) -> None:
    cat = known(on_whatsapp, "1003383421387256", expires_at=NOW)
    on_whatsapp.say(ONE, shows(cat))
    on_whatsapp.settle()
    assert on_whatsapp.statuses(ONE) == ["sent"]
    assert len(carrying(on_whatsapp)) == 1
    assert refusals(on_whatsapp) == []


def test_a_name_that_will_not_last_is_used_and_renewed(
    on_whatsapp: Gallery, whatsapp: WhatsAppStandIn
) -> None:
    old = whatsapp.receive(b"content", "image/png")
    cat = known(on_whatsapp, old, expires_at=NOW + timedelta(days=2))
    on_whatsapp.say(ONE, shows(cat), shows(cat))
    on_whatsapp.settle(until=timedelta(0))
    sent = [request.body["image"]["id"] for request in whatsapp.requests if request.body]
    assert sent == [old, old]
    assert len(on_whatsapp.tasks.accepted) == len(carrying(on_whatsapp)) == 1
    new = on_whatsapp.file(cat).platform_file_ids["whatsapp"]
    assert new.file_id != old
    assert new.expires_at == NOW + timedelta(days=30)


def test_a_renewal_that_nobody_hears_of_costs_no_message(
    on_whatsapp: Gallery, whatsapp: WhatsAppStandIn
) -> None:
    cat = known(on_whatsapp, whatsapp.receive(b"", "image/png"), expires_at=NOW + timedelta(days=2))

    class Closed(Fifo):
        def put(self, *_: str) -> None:
            raise NotAccepted("tasks", ["ServiceUnavailable"])

    on_whatsapp.tasks = Closed(on_whatsapp.clock)
    on_whatsapp.start()
    on_whatsapp.say(ONE, shows(cat))
    on_whatsapp.settle()
    assert on_whatsapp.statuses(ONE) == ["sent"]


# ── What a messenger does not want ───────────────────────────────────────────────────────────────────


def test_a_file_that_turns_out_bad_afterwards_goes_as_its_address_and_is_not_waited_for(
    on_whatsapp: Gallery,
) -> None:
    cat = on_whatsapp.add("cat.png")
    on_whatsapp.say(ONE, shows(cat, text="A cat"))
    on_whatsapp.settle()
    (sent,) = on_whatsapp.records(ONE)
    known = on_whatsapp.file(cat).platform_file_ids["whatsapp"]
    on_whatsapp.files.forget_file_id(cat, "whatsapp", known.file_id)
    on_whatsapp.start()
    again = Resend(1, "links", sent.message_ids[0], "131053")
    on_whatsapp.say(ONE, shows(cat, text="A cat"), reemitted=True, resend=again)
    on_whatsapp.settle(until=timedelta(0))
    (record,) = on_whatsapp.records(ONE)
    assert (record.status, record.degradations) == ("sent", ("media_as_links",))
    assert len(record.message_ids) == 1
    assert record.message_ids != sent.message_ids
    assert "https://cdn.example.com/media/" in said(on_whatsapp)["text"]["body"]
    assert refusals(on_whatsapp) == []


def test_a_file_that_turned_out_bad_afterwards_is_not_shown_to_the_next_ones_for_a_while(
    on_whatsapp: Gallery,
) -> None:
    """What is wrong with its content is wrong for everybody, and would be told each of them too late."""
    cat, dog = on_whatsapp.add("cat.png"), on_whatsapp.add("dog.png")
    both = shows(cat, dog, text="Two")
    on_whatsapp.say(ONE, both)
    on_whatsapp.settle()
    (sent,) = on_whatsapp.records(ONE)
    on_whatsapp.say(ONE, both, reemitted=True, resend=Resend(1, "links", sent.message_ids[1], "131053"))
    on_whatsapp.settle(until=timedelta(0))
    on_whatsapp.start()
    on_whatsapp.say(OTHER, shows(dog))
    on_whatsapp.say(OTHER, shows(cat), turn=2)
    on_whatsapp.settle()
    degraded = [on_whatsapp.records(OTHER, turn)[0].degradations for turn in (1, 2)]
    assert degraded == [(MEDIA_AS_LINKS,), ()]
    assert len(carrying(on_whatsapp)) == 2


def refused_file(gallery: Gallery) -> str:
    """Telegram takes no empty file, WhatsApp no archive."""
    content = b"" if gallery.platform == "telegram" else b"content"
    return gallery.add("cat.zip", "file", content, content_type="application/zip")


def test_a_file_that_is_refused_goes_as_its_address_and_is_not_offered_again_for_a_while(
    gallery: Gallery,
) -> None:
    file = refused_file(gallery)
    gallery.say(ONE, shows(file, as_type="file", text="Look"))
    gallery.settle()
    tried = len(carrying(gallery))
    gallery.say(OTHER, shows(file, as_type="file", text="Look"))
    gallery.settle()
    for chat_id in (ONE, OTHER):
        (record,) = gallery.records(chat_id)
        assert (record.status, record.degradations) == ("sent", (MEDIA_AS_LINKS,))
    assert len(carrying(gallery)) == tried == 1

    gallery.clock.now += REFUSED_FOR
    gallery.say(OTHER, shows(file, as_type="file"), turn=2)
    gallery.settle()
    assert len(carrying(gallery)) == 2


def test_what_is_not_there_in_time_goes_as_its_address(gallery: Gallery) -> None:
    gallery.worker_is_down = True
    gallery.say(ONE, Message("Look"), shows(gallery.add("cat.png"), text="A cat"))
    gallery.settle()
    assert gallery.statuses(ONE) == ["sent", "sent"]
    record = gallery.records(ONE)[1]
    assert (record.degradations, record.possibly_doubled) == ((MEDIA_AS_LINKS,), False)
    bound = {"telegram": SURELY_OVER, "whatsapp": WAITED_AT_MOST}[gallery.platform]
    waited = gallery.entries(ONE)[1].timestamp - NOW
    assert bound <= waited <= bound + timedelta(seconds=20)

    sent = len(gallery.messenger.requests)
    gallery.worker_is_down = False
    gallery.settle()
    shown = [request for request in gallery.messenger.requests[sent:] if "/media" not in request.path]
    assert shown == [], "a worker that comes too late shows nothing"


def test_the_bound_outlives_the_sender(gallery: Gallery) -> None:
    gallery.worker_is_down = True
    gallery.say(ONE, shows(gallery.add("cat.png")))
    for _ in range(40):
        gallery.settle(until=timedelta(seconds=10))
        gallery.start()
    assert gallery.statuses(ONE) == ["sent"]


# ── Troubles on the way ──────────────────────────────────────────────────────────────────────────────

LIMITED: dict[str, Any] = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 7"}


def test_a_limit_met_by_the_worker_is_waited_out_and_the_file_carried_then(
    on_telegram: Gallery, telegram: TelegramStandIn
) -> None:
    telegram.fail_next(429, {**LIMITED, "parameters": {"retry_after": 7}})
    on_telegram.say(ONE, shows(on_telegram.add("cat.png")), Message("Bye"))
    on_telegram.settle()
    assert on_telegram.statuses(ONE) == ["sent", "sent"]
    assert on_telegram.records(ONE)[0].attempts == 0
    assert len(carrying(on_telegram)) == 2
    assert on_telegram.entries(ONE)[0].timestamp - NOW >= timedelta(seconds=7)


def test_while_one_that_has_the_lease_waits_another_carries_the_file(
    on_telegram: Gallery, telegram: TelegramStandIn
) -> None:
    telegram.fail_next(429, {**LIMITED, "parameters": {"retry_after": 100}})
    cat = on_telegram.add("cat.png")
    on_telegram.say(ONE, shows(cat))
    on_telegram.say(OTHER, shows(cat))
    on_telegram.settle()
    assert on_telegram.statuses(ONE) == on_telegram.statuses(OTHER) == ["sent"]
    assert on_telegram.entries(OTHER)[0].timestamp - NOW < timedelta(seconds=10)
    assert len(carrying(on_telegram)) == 2


def test_an_answer_that_is_lost_doubles_the_first_send_and_says_so(
    on_telegram: Gallery, telegram: TelegramStandIn
) -> None:
    telegram.drop_answer_next()
    on_telegram.say(ONE, shows(on_telegram.add("cat.png")), Message("Bye"))
    on_telegram.settle()
    assert on_telegram.statuses(ONE) == ["sent", "sent"]
    assert [record.possibly_doubled for record in on_telegram.records(ONE)] == [True, False]
    assert len(carrying(on_telegram)) == 2


def test_the_worker_s_failures_count_as_the_sender_s(on_telegram: Gallery, telegram: TelegramStandIn) -> None:
    telegram.fail_next(500, {"ok": False}, times=2)
    on_telegram.say(ONE, shows(on_telegram.add("cat.png")))
    on_telegram.settle()
    (record,) = on_telegram.records(ONE)
    assert (record.status, record.attempts) == ("sent", 2)


def test_somebody_gone_fails_the_first_send_and_what_follows(
    on_telegram: Gallery, telegram: TelegramStandIn
) -> None:
    on_telegram.say("404404", shows(on_telegram.add("cat.png")), Message("Bye"))
    on_telegram.settle()
    assert on_telegram.statuses("404404") == ["failed", "failed"]


def test_a_bot_switched_off_meanwhile_fails_the_message(gallery: Gallery) -> None:
    gallery.worker_is_down = True
    gallery.say(ONE, shows(gallery.add("cat.png")))
    gallery.settle(until=timedelta(seconds=5))
    known = gallery.credential
    gallery.credential = Credential("c", BOT_ID, known.platform, is_active=False, settings=known.settings)
    gallery.worker_is_down = False
    gallery.settle()
    assert gallery.statuses(ONE) == ["failed"]
    assert gallery.messenger.requests == []


def test_a_refused_token_is_told_of_once_and_not_tried_on(gallery: Gallery) -> None:
    settings = {**gallery.credential.settings, "bot_token": "1:wrong", "access_token": "wrong"}
    gallery.credential = Credential("c", BOT_ID, gallery.platform, is_active=True, settings=settings)
    cat = gallery.add("cat.png")
    gallery.say(ONE, shows(cat))
    gallery.say(OTHER, shows(cat))
    gallery.settle(until=timedelta(seconds=30))
    assert len(gallery.messenger.requests) == 1
    assert len(gallery.told.refused_for) == 1


def test_a_message_due_later_is_carried_then(gallery: Gallery) -> None:
    gallery.say(ONE, Message("Look"), shows(gallery.add("cat.png"), delay=60), Message("Bye"))
    gallery.settle()
    assert gallery.statuses(ONE) == ["sent"] * 3
    assert gallery.entries(ONE)[1].timestamp - NOW >= timedelta(seconds=60)
    assert not any(record.possibly_doubled for record in gallery.records(ONE))


@pytest.mark.parametrize(
    "copy", [{"reemitted": True}, {"failure": "given up"}], ids=["reemitted", "redriven"]
)
def test_a_copy_of_the_turn_is_not_sent_beside_the_worker(gallery: Gallery, copy: dict[str, Any]) -> None:
    gallery.worker_is_down = True
    cat = gallery.add("cat.png")
    gallery.say(ONE, shows(cat), Message("Bye"))
    gallery.say(ONE, shows(cat), Message("Bye"), **copy)
    gallery.settle(until=timedelta(seconds=3))
    gallery.worker_is_down = False
    gallery.settle()
    assert gallery.statuses(ONE) == ["sent", "sent"]
    shown = [request for request in gallery.messenger.requests if not request.path.endswith("/media")]
    assert len(shown) == 2
    assert not any(record.possibly_doubled for record in gallery.records(ONE))


def test_a_redriven_message_asks_for_its_files_again(on_telegram: Gallery, telegram: TelegramStandIn) -> None:
    telegram.fail_next(400, {"ok": False, "description": "Bad Request: it is a bad day"}, times=2)
    message = shows(on_telegram.add("cat.png"))
    on_telegram.say(ONE, message)
    on_telegram.settle()
    assert on_telegram.statuses(ONE) == ["failed"]
    on_telegram.say(ONE, message, failure="given up")
    on_telegram.settle()
    assert on_telegram.statuses(ONE) == ["sent"]
    assert len(carrying(on_telegram)) == 2


def test_files_of_others_are_left_to_the_messenger(gallery: Gallery) -> None:
    elsewhere = Media("image", url="https://example.com/dog.png")
    gallery.say(ONE, Message("", media=(elsewhere,)))
    gallery.settle()
    assert gallery.statuses(ONE) == ["sent"]
    assert "https://example.com/dog.png" in str(said(gallery))
    assert carrying(gallery) == []
