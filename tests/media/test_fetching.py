"""What people send comes into our store: once, whole, and not at all once their dialog is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import IO, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.credential import Credential
from shared.dialog.events import ReceivedFile
from shared.dialog.state import Task
from shared.errors import AddressRefused, NotAnswered, Wait
from shared.media.base import MediaFile, paths_of
from shared.media.fetching import (
    LONGEST_WAIT_SECONDS,
    MAX_BYTES,
    MOST_RECEIVES,
    STORING_SECONDS,
    TRIES,
    Fetcher,
    NotFetched,
)
from shared.media.sources import sources_of
from shared.platforms import MessengerAddresses
from shared.queueing.envelopes import TaskEnvelope
from shared.storage.memory import MemoryMedia
from shared.tasks.performing import Attempt
from tests.media.files import image

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PICTURE = image("JPEG")
API = MessengerAddresses("https://tg.test", "https://wa.test", "v25.0", "https://viber.test")
SETTINGS = {
    "telegram": {"bot_token": "1:secret"},
    "whatsapp": {"access_token": "secret", "phone_number_id": "106"},
    "viber": {"auth_token": "secret"},
}
DOWNLOAD = "https://lookaside.fbsbx.com/file?mid=1"
REFERENCES = {"telegram": "AgAC", "whatsapp": "77", "viber": "https://dl-media.viber.com/1.jpg?Expires=1"}
PATH = "received/b/d/m/image.jpg"


@dataclass
class Given:
    """An answer of somebody's; a fault instead of a part comes while the body is read."""

    status: int = 200
    body: Iterable[bytes | Exception] = (PICTURE,)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> Iterator[bytes]:
        for part in self.body:
            if isinstance(part, Exception):
                raise part
            yield part


def told(value: Any, status: int = 200, **headers: str) -> Given:
    return Given(status, (msgspec.json.encode(value),), headers)


def json_of(value: Any) -> bytes:
    return json.dumps(value).encode()


KEYS = st.sampled_from(["ok", "result", "file_path", "url", "error", "code", "description", "parameters"])
PATH_TOLD = told({"ok": True, "result": {"file_id": "AgAC", "file_path": "photos/file_1.jpg"}})
URL_TOLD = told({"url": DOWNLOAD, "mime_type": "image/jpeg", "id": "77"})
LOCATED = {"telegram": [PATH_TOLD], "whatsapp": [URL_TOLD], "viber": []}


@dataclass
class Web:
    """Answers in the order it was told to, and over again; remembers what it was asked."""

    answers: list[Given | Exception]
    asked: list[tuple[str, Mapping[str, str], bool]] = field(default_factory=list)

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str], *, is_ours: bool, seconds: float) -> Iterator[Given]:
        answer = self.answers[len(self.asked) % len(self.answers)]
        self.asked.append((url, headers, is_ours))
        if isinstance(answer, Exception):
            raise answer
        yield answer

    @property
    def urls(self) -> list[str]:
        return [url for url, *_ in self.asked]


@dataclass
class Shelf:
    """A store of objects."""

    objects: dict[str, tuple[bytes, str, str]] = field(default_factory=dict)
    is_from_disk: bool = False

    def put(self, path: str, body: IO[bytes], content_type: str, *, file_name: str = "") -> None:
        self.is_from_disk = body.fileno() > 0
        self.objects[path] = (body.read(), content_type, file_name)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.objects.pop(path, None)


@dataclass
class Place:
    """A fetcher and all around it; the dialog is in epoch `e` as long as it is there."""

    web: Web
    platform: str = "telegram"
    media: Any = field(default_factory=lambda: MemoryMedia(lambda: NOON))
    store: Any = field(default_factory=Shelf)
    epoch: str | None = "e"
    credentials: list[str] = field(default_factory=list)
    is_connected: bool = True
    is_bot_there: bool = True

    def fetcher(self, watched: Callable[[Any], Any] = lambda it: it) -> Fetcher:
        return Fetcher(
            media=watched(self.media),
            store=watched(self.store),
            http=watched(self.web),
            sources=sources_of(API),
            credential_of=self._credential("kept"),
            fresh_credential_of=self._credential("fresh"),
            epoch_of=watched(self).epoch_of,
            has_bot=lambda _: self.is_bot_there,
            now=lambda: NOON,
        )

    def epoch_of(self, dialog_id: str) -> str | None:
        assert dialog_id == "d"
        return self.epoch

    def _credential(self, how: str) -> Callable[[str, str], Credential | None]:
        def find(bot_id: str, platform: str) -> Credential | None:
            self.credentials.append(how)
            settings = SETTINGS.get(platform, {})
            return (
                Credential("c", bot_id, platform, is_active=True, settings=settings)
                if (self.is_connected)
                else None
            )

        return find

    def work(self, **file: Any) -> TaskEnvelope:
        sent = ReceivedFile(
            **{"type": "image", "reference": REFERENCES[self.platform], "media_id": "m", **file}
        )
        return TaskEnvelope(
            dialog_id="d",
            epoch="e",
            bot_id="b",
            platform=self.platform,
            platform_chat_id="42",
            task=Task(1, "fetch", msgspec.to_builtins(sent), 100),
            trace_id="t",
        )

    def fetch(self, number: int = 1, seconds: float = 100.0, **file: Any) -> MediaFile | None:
        self.fetcher().fetch(self.work(**file), Attempt(number, lambda: seconds))
        return self.record

    @property
    def record(self) -> MediaFile | None:
        found: MediaFile | None = self.media.find("m")
        return found


def place(platform: str, *answers: Given | Exception) -> Place:
    return Place(Web([*LOCATED[platform], *(answers or (Given(),))]), platform)


@pytest.mark.parametrize("platform", LOCATED)
def test_a_file_comes_into_the_store_and_its_record_says_so(platform: str) -> None:
    there = place(platform)

    record = there.fetch()

    assert record == MediaFile(
        id="m",
        bot_id="b",
        dialog_id="d",
        file_type="image",
        file_name="image.jpg",
        content_type="image/jpeg",
        size=len(PICTURE),
        storage_path=PATH,
        status="ready",
        created_at=NOON,
        updated_at=NOON,
    )
    assert there.store.objects == {PATH: (PICTURE, "image/jpeg", "image.jpg")}


@pytest.mark.parametrize("platform", LOCATED)
def test_each_messenger_is_asked_as_it_wants_to_be(platform: str) -> None:
    there = place(platform)
    there.fetch()
    bearer = {"authorization": "Bearer secret", "user-agent": "Parley/1"}
    assert (
        there.web.asked
        == {
            "telegram": [
                ("https://tg.test/bot1:secret/getFile?file_id=AgAC", {}, True),
                ("https://tg.test/file/bot1:secret/photos/file_1.jpg", {}, True),
            ],
            "whatsapp": [
                ("https://wa.test/v25.0/77?phone_number_id=106", bearer, True),
                (DOWNLOAD, bearer, False),
            ],
            "viber": [(REFERENCES["viber"], {}, False)],
        }[platform]
    )


def test_while_it_is_on_its_way_the_record_says_so_and_where_it_will_lie() -> None:
    there = place("viber")
    seen: list[MediaFile | None] = []

    def body() -> Iterator[bytes]:
        seen.append(there.record)
        yield PICTURE

    there.web.answers = [Given(body=body())]
    there.fetch()
    (record,) = seen
    assert record is not None
    assert (record.status, record.storage_path, record.size) == ("fetching", PATH, 0)


@pytest.mark.parametrize(
    ("url", "hears"),
    [
        (DOWNLOAD, True),
        ("https://scontent.facebook.com/file", True),
        ("https://wa.test/file", True),
        ("http://lookaside.fbsbx.com/file", False),
        ("https://fbsbx.com.evil.example/file", False),
        ("https://evilfbsbx.com/file", False),
        ("https://wa.test@evil.example/file", False),
        ("https://wa.test:8443/file", False),
        ("https://[broken/file", False),
    ],
)
def test_only_meta_hears_the_token(url: str, *, hears: bool) -> None:
    there = Place(Web([told({"url": url}), Given()]), "whatsapp")
    there.fetch()
    assert ("authorization" in there.web.asked[1][1]) is hears


def test_of_a_redirect_to_another_host_that_host_hears_nothing() -> None:
    away = Given(302, (), {"location": "https://cdn.example/a"})
    there = place("whatsapp", away, Given())

    record = there.fetch()

    assert record is not None
    assert record.status == "ready"
    assert there.web.asked[-1] == ("https://cdn.example/a", {}, False)


def test_a_redirect_within_a_host_is_the_same_conversation() -> None:
    there = place("whatsapp", Given(302, (), {"location": "/b?c=d"}), Given())
    there.fetch()
    assert there.web.asked[-1] == ("https://lookaside.fbsbx.com/b?c=d", there.web.asked[-2][1], False)


NO_FILE = (
    "The file is larger than 50 MB, which is the most that is kept.",
    "Viber leads from one address to another without end.",
    "Viber does not have the file any more (it answers 410).",
)
BIG_PART = bytes(1_000_000)


@pytest.mark.parametrize(
    ("platform", "answers", "file", "reason"),
    [
        ("viber", [Given(410)], {}, NO_FILE[2]),
        ("viber", [Given(403)], {}, "Viber does not have the file any more (it answers 403)."),
        ("viber", [Given(302, (), {"location": "/"})], {}, NO_FILE[1]),
        ("viber", [Given(302)], {}, "The messenger leads to an address that is none."),
        (
            "viber",
            [Given(302, (), {"location": "http://[x"})],
            {},
            "The messenger leads to an address that is none.",
        ),
        (
            "viber",
            [AddressRefused("the address is not a public one")],
            {},
            "Viber names an address that is not asked: the address is not a public one.",
        ),
        ("viber", [Given()], {"size": MAX_BYTES + 1}, NO_FILE[0]),
        ("viber", [Given(headers={"content-length": str(MAX_BYTES + 1)})], {}, NO_FILE[0]),
        ("viber", [Given(200, chain([BIG_PART] * 51), {"content-length": "5"})], {}, NO_FILE[0]),
        (
            "telegram",
            [told({"ok": False, "error_code": 400, "description": "Bad Request: file is too big"}, 400)],
            {},
            "Telegram hands over files of at most 20 MB.",
        ),
        (
            "telegram",
            [told({"ok": False, "error_code": 400, "description": "Bad Request: invalid file_id"}, 400)],
            {},
            "Telegram does not hand the file over: 400 Bad Request: invalid file_id",
        ),
        (
            "whatsapp",
            [told({"error": {"code": 100, "message": "Object with ID '77' does not exist"}}, 400)],
            {},
            "WhatsApp does not hand the file over: 100 Object with ID … does not exist",
        ),
    ],
)
def test_a_file_that_cannot_be_had_is_failed_with_the_reason(
    platform: str, answers: list[Given], file: dict[str, Any], reason: str
) -> None:
    there = Place(Web([*answers]), platform)

    record = there.fetch(**file)

    assert record is not None
    assert (record.status, record.reason) == ("failed", reason)
    assert there.store.objects == {}


UNAVAILABLE = "Bad Request: wrong file_id or the file is temporarily unavailable"
PASSING: dict[str, tuple[str, list[Given | Exception], float | None]] = {
    "nobody there": ("viber", [NotAnswered("ConnectError")], None),
    "half of it": ("viber", [Given(body=(b"half", NotAnswered("ReadTimeout")))], None),
    "a fault of theirs": ("viber", [Given(503)], None),
    "too often": ("viber", [Given(429, (), {"retry-after": "40"})], 40),
    "far too often": ("viber", [Given(429, (), {"retry-after": "86400"})], LONGEST_WAIT_SECONDS),
    "packed": ("viber", [Given(headers={"content-encoding": "gzip"})], None),
    "an address that is over": ("whatsapp", [URL_TOLD, Given(404)], None),
    "a path that is over": ("telegram", [PATH_TOLD, Given(404)], None),
    "an answer without an address": ("whatsapp", [told({"id": "77"})], None),
    "an answer that is none": ("telegram", [Given(body=(b"<html>",))], None),
    "a token that is not known": ("telegram", [told({"ok": False, "error_code": 401}, 401)], None),
    "a token that is over": ("whatsapp", [told({"error": {"code": 190, "message": "expired"}}, 401)], None),
    "limited": ("telegram", [told({"ok": False, "parameters": {"retry_after": 17}}, 429)], 17),
    "not there yet": ("telegram", [told({"ok": False, "description": UNAVAILABLE}, 400)], None),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_tried_again_a_number_of_times(name: str) -> None:
    platform, answers, seconds = PASSING[name]
    there = Place(Web(answers), platform)

    with pytest.raises(Wait) as wait:
        there.fetch()
    assert wait.value.seconds == seconds if seconds else 1 <= wait.value.seconds <= 2
    assert there.record is not None
    assert there.record.status == "fetching"

    there.web.asked.clear()
    with pytest.raises(NotFetched) as given_up:
        there.fetch(TRIES)
    assert "secret" not in str(given_up.value)
    there.fetcher().give_up(there.work(), str(given_up.value))
    assert (there.record.status, there.record.reason) == ("failed", str(given_up.value))
    assert there.store.objects == {}


def test_another_try_takes_a_new_address_and_a_credential_read_afresh() -> None:
    there = Place(Web([URL_TOLD, Given(404), told({"url": DOWNLOAD + "&new"}), Given()]), "whatsapp")

    with pytest.raises(Wait):
        there.fetch()
    record = there.fetch(2)

    assert record is not None
    assert record.status == "ready"
    assert there.web.urls[-1] == DOWNLOAD + "&new"
    assert [how for how in there.credentials if how == "fresh"] == ["fresh"]
    assert there.credentials[-2:] == ["fresh", "kept"]


def test_a_messenger_that_takes_its_time_is_left_in_time() -> None:
    there = place("viber", Given(body=(PICTURE, PICTURE)))
    with pytest.raises(Wait, match="takes too long"):
        there.fetch(seconds=STORING_SECONDS - 1)


def test_a_file_that_kills_its_worker_is_not_tried_for_ever() -> None:
    there = place("viber")
    with pytest.raises(NotFetched):
        there.fetch(MOST_RECEIVES + 1)
    assert there.web.asked == []


@pytest.mark.parametrize("platform", ["viber", "webchat"])
def test_a_bot_that_is_not_connected_any_more_fetches_nothing(platform: str) -> None:
    there = place("viber")
    there.is_connected = False
    there.fetch()
    assert there.record is not None
    assert there.record.reason == "The bot is not connected to the messenger any more."


EXE = b"MZ" + bytes(200)
HTML = b"<!DOCTYPE html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("claimed", "name", "body", "kept_as", "content_type"),
    [
        ("image", "a.png", image("PNG"), "image", "image/png"),
        ("image", "a.jpg", image("PNG"), "image", "image/png"),
        ("image", "a.png", HTML, "file", "application/octet-stream"),
        ("image", "a.jpg", b"%PDF-1.7", "file", "application/pdf"),
        ("video", "a.mp4", image("JPEG"), "file", "image/jpeg"),
        ("file", "a.jpg", image("JPEG"), "file", "image/jpeg"),
        ("file", "a.exe", EXE, "file", "application/octet-stream"),
        ("file", "page.html", HTML, "file", "application/octet-stream"),
        ("file", "empty", b"", "file", "application/octet-stream"),
        ("file", "a.txt", b"hello", "file", "text/plain"),
    ],
)
def test_whatever_a_person_sent_is_kept_as_what_it_is(
    claimed: str, name: str, body: bytes, kept_as: str, content_type: str
) -> None:
    there = place("viber", Given(body=(body,)))

    record = there.fetch(type=claimed, file_name=name)

    assert record is not None
    assert (record.status, record.file_type, record.content_type) == ("ready", kept_as, content_type)
    assert there.store.objects[record.storage_path] == (body, content_type, name)


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("../../media/x.jpg", "image", "x.jpg"),
        ("a\x00b\u202egpj.exe", "file", "abgpj.exe"),
        ("договор № 1.docx", "file", "договор № 1.docx"),
        ("..", "file", "file"),
        ("", "audio", "audio.ogg"),
        ("", "video", "video.mp4"),
    ],
)
def test_no_name_leads_out_of_the_folder_of_its_file(name: str, kind: str, kept: str) -> None:
    there = place("viber")
    there.fetch(file_name=name, type=kind)
    assert list(there.store.objects) == [f"received/b/d/m/{kept}"]


def test_what_is_there_is_not_fetched_again() -> None:
    there = place("viber")
    there.fetch()
    record = there.fetch(2)
    assert len(there.web.asked) == 1
    assert record is not None
    assert record.status == "ready"


def test_a_redriven_fetch_mends_what_had_failed() -> None:
    there = Place(Web([Given(410), Given()]), "viber")
    assert (failed := there.fetch()) is not None
    assert failed.status == "failed"
    assert (mended := there.fetch()) is not None
    assert (mended.status, mended.reason) == ("ready", "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(DOWNLOAD),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS | st.text(), inner, max_size=3),
    max_leaves=6,
)
ANSWERS = st.builds(
    Given,
    st.sampled_from([200, 200, 204, 301, 400, 401, 403, 404, 429, 500, 503]),
    st.builds(lambda body: (body,), JSON.map(json_of) | st.binary()),
    st.dictionaries(
        st.sampled_from(["location", "content-length", "content-encoding", "retry-after"]), st.text()
    ),
)


@given(st.sampled_from(list(LOCATED)), st.lists(ANSWERS, min_size=1, max_size=5), st.integers(1, TRIES))
@settings(max_examples=80)
def test_whatever_is_answered_there_is_an_end_to_it(platform: str, answers: list[Given], number: int) -> None:
    there = Place(Web([*answers]), platform)
    try:
        record = there.fetch(number)
    except (Wait, NotFetched):
        assert there.store.objects == {}
        return
    assert record is not None
    assert (record.status == "ready") is (list(there.store.objects) == [PATH])
    assert (record.status == "failed") is bool(record.reason)


# ── Killed, and overtaken by a deletion, anywhere ──────────────────────────────────────────────────


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Calls:
    """Does something at one of the calls that leave the process, before or after it."""

    number: int = -1
    is_after: bool = False
    do: Callable[[], None] = lambda: None
    names: list[str] = field(default_factory=list)

    def watched(self, it: Any) -> Any:
        calls = self

        class Watched:
            def __getattr__(self, name: str) -> Any:
                return lambda *given, **named: calls.made(name, getattr(it, name), *given, **named)

        return Watched()

    def made(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        number = len(self.names)
        self.names.append(name)
        if number == self.number and not self.is_after:
            self.do()
        result = function(*given, **named)
        if number == self.number and self.is_after:
            self.do()
        return result


TOO_BIG = told({"ok": False, "error_code": 400, "description": "Bad Request: file is too big"}, 400)
FATES: dict[str, tuple[list[Given | Exception], list[str]]] = {
    "there": ([PATH_TOLD, Given()], ["epoch_of", "create", "get", "get", "put", "epoch_of", "change"]),
    "not there": ([TOO_BIG], ["epoch_of", "create", "get", "epoch_of", "change"]),
}
"""What is answered, and the calls that are made then."""

POINTS = [
    pytest.param(fate, number, is_after, id=f"{fate}-{number}-{'after' if is_after else 'before'}-{name}")
    for fate, (_, calls) in FATES.items()
    for number, name in enumerate(calls)
    for is_after in (False, True)
]


@pytest.mark.parametrize("fate", FATES)
def test_a_fetch_makes_these_calls_and_no_others(fate: str) -> None:
    answers, expected = FATES[fate]
    there, calls = Place(Web(answers)), Calls()
    there.fetcher(calls.watched).fetch(there.work(), Attempt(1, lambda: 100))
    assert calls.names == expected


@pytest.mark.parametrize(("fate", "number", "is_after"), POINTS)
def test_killed_anywhere_there_is_one_record_and_what_it_says_in_the_end(
    fate: str, number: int, *, is_after: bool
) -> None:
    def die() -> None:
        raise Killed

    there = Place(Web(FATES[fate][0]))
    with pytest.raises(Killed):
        there.fetcher(Calls(number, is_after, die).watched).fetch(there.work(), Attempt(1, lambda: 100))
    there.web.asked.clear()
    record = there.fetch(2)

    assert record is not None
    assert (record.status, list(there.store.objects)) == (
        ("ready", [PATH]) if fate == "there" else ("failed", [])
    )
    assert [file.id for file in there.media.of_dialog("d", 9, None).items] == ["m"]


@pytest.mark.parametrize("is_killed", [False, True], ids=["lives", "is killed"])
@pytest.mark.parametrize(("fate", "number", "is_after"), POINTS)
def test_a_dialog_that_is_deleted_meanwhile_leaves_nothing_behind(
    fate: str, number: int, *, is_after: bool, is_killed: bool
) -> None:
    """The dialog goes first, and then what is found of it; if the worker dies, its message comes again."""
    there = Place(Web(FATES[fate][0]))

    def delete_dialog() -> None:
        there.epoch = None
        for file in there.media.of_dialog("d", 9, None).items:
            there.store.delete(paths_of(file))
            there.media.delete(file.id)
        if is_killed:
            raise Killed

    fetcher = there.fetcher(Calls(number, is_after, delete_dialog).watched)
    if is_killed:
        with pytest.raises(Killed):
            fetcher.fetch(there.work(), Attempt(1, lambda: 100))
        there.fetch(2)
    else:
        fetcher.fetch(there.work(), Attempt(1, lambda: 100))

    assert there.record is None
    assert there.store.objects == {}


def test_a_bot_that_is_deleted_leaves_no_record_of_what_comes_in_later() -> None:
    there = place("viber")
    there.is_connected = there.is_bot_there = False
    assert there.fetch() is None
    assert there.web.asked == []


def test_a_dialog_begun_anew_is_another_one() -> None:
    there = place("viber")
    there.epoch = "e2"
    assert there.fetch() is None
    assert there.web.asked == []


def test_what_is_there_is_not_given_up() -> None:
    there = place("viber")
    there.fetch()
    there.fetcher().give_up(there.work(), "It was tried too often.")
    assert there.record is not None
    assert (there.record.status, there.record.reason) == ("ready", "")


def test_giving_up_what_is_gone_is_nothing() -> None:
    there = place("viber")
    there.fetcher().give_up(there.work(), "It was tried too often.")
    assert there.record is None


def test_a_file_waits_on_disk_and_not_in_memory() -> None:
    there = place("viber")
    there.fetch()
    assert there.store.is_from_disk
