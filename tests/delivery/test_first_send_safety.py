"""Kill the sender or the tasks worker at every call on a file's way, and see that nothing is lost or doubled
unsaid.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.credential import Credential
from shared.dialog.history import DeliveryRecord
from shared.dialog.messages import Message
from shared.media.base import MediaFile
from shared.platforms.formatting import MEDIA_AS_LINKS
from tests.delivery.gallery import BOT_ID, Gallery, opened, shows
from tests.dialog.world import Fate
from tests.standins.server import Recorded, StandIn
from tests.standins.telegram import TelegramStandIn
from tests.standins.whatsapp import WhatsAppStandIn

ONE, OTHER = "15550001001", "15550001002"
VISIBILITY_SECONDS = 720.0
"""After which SQS hands out again what a dead worker had."""


@dataclass(frozen=True)
class Life:
    """What two dialogs left behind, of which one shows new files before the other."""

    calls: list[str]
    shown: dict[str, list[str]]
    records: dict[str, list[DeliveryRecord]]
    files: list[MediaFile]

    def doubled(self, chat_id: str) -> list[str]:
        """What the history says may have been shown twice."""
        named = zip(
            ("Look", "album", "Bye") if chat_id == ONE else ("cat",), self.records[chat_id], strict=True
        )
        return [name for name, record in named if record.possibly_doubled]


@pytest.fixture(scope="module")
def messengers() -> Iterator[dict[str, StandIn]]:
    with TelegramStandIn() as telegram, WhatsAppStandIn() as whatsapp:
        for chat_id in (ONE, OTHER):
            telegram.person(chat_id=int(chat_id)).has_started = True
            whatsapp.person("", chat_id).wrote()
        yield {"telegram": telegram, "whatsapp": whatsapp}


def live(messenger: StandIn, fate: Fate, *, hidden_seconds: float = 0.0) -> Life:
    messenger.requests.clear()
    platform, settings = settings_of(messenger)
    credential = Credential("c", BOT_ID, platform, is_active=True, settings=settings)
    with opened(Gallery(platform, messenger, credential, fate, hidden_seconds=hidden_seconds)) as gallery:
        cat, dog = gallery.add("cat.png"), gallery.add("dog.png", "video")
        gallery.say(ONE, Message("Look"), shows(cat, dog, text="album"), Message("Bye"))
        gallery.say(OTHER, shows(cat, text="cat"))
        gallery.settle()
        return Life(
            list(fate.calls),
            {
                chat_id: [shown_in(r) for r in messenger.requests if chat_id in to(r)]
                for chat_id in (ONE, OTHER)
            },
            {chat_id: gallery.records(chat_id) for chat_id in (ONE, OTHER)},
            [gallery.file(cat), gallery.file(dog)],
        )


def settings_of(messenger: StandIn) -> tuple[str, dict[str, str]]:
    if isinstance(messenger, TelegramStandIn):
        return "telegram", {"bot_token": messenger.token}
    assert isinstance(messenger, WhatsAppStandIn)
    return "whatsapp", {
        "phone_number_id": messenger.phone_number_id,
        "access_token": messenger.access_token,
    }


def body_of(request: Recorded) -> dict[str, Any]:
    """The fields of a request that says something; an upload says nothing."""
    if isinstance(request.body, dict):
        return request.body
    return {"raw": request.raw.decode(errors="replace")} if b"chat_id" in request.raw else {}


def to(request: Recorded) -> str:
    body = body_of(request)
    return str(body.get("chat_id") or body.get("to") or body.get("raw", ""))


def shown_in(request: Recorded) -> str:
    """Which of the messages it is, or what of it."""
    said = json.dumps(body_of(request))
    return next(
        (word for word in ("Look", "Bye", "album", "cat") if word in said.replace("cat.png", "")), "picture"
    )


def wrongs(life: Life, untroubled: Life, platform: str) -> list[str]:
    """Everything that a death must not do."""
    found = [wrong for chat_id in (ONE, OTHER) for wrong in _wrongs_of(life, untroubled, chat_id)]
    are_links = any(MEDIA_AS_LINKS in record.degradations for record in life.records[ONE])
    if not (are_links or all(platform in file.platform_file_ids for file in life.files)):
        found.append("a file was shown whose name was not kept")
    return found


def _wrongs_of(life: Life, untroubled: Life, chat_id: str) -> list[str]:
    statuses = [record.status for record in life.records[chat_id]]
    found = [f"statuses: {statuses}"] if set(statuses) != {"sent"} else []
    shown = life.shown[chat_id]
    meant = untroubled.shown[chat_id]
    repeats = [each for n, each in enumerate(shown) if each in shown[:n] and meant.count(each) == 1]
    if len(repeats) > 1:
        found.append(f"one death doubled more than one request: {shown}")
    if list(dict.fromkeys(shown)) != [each for each in dict.fromkeys(meant) if each in shown]:
        found.append(f"out of order: {shown}")
    if missing := {"Look", "album", "Bye", "cat"} & set(meant) - set(shown):
        found.append(f"lost: {missing}")
    known = life.doubled(chat_id)
    unknown = [each for each in repeats if ("album" if each == "picture" else each) not in known]
    return found + [f"doubled, and nobody knows: {each}" for each in unknown]


@pytest.mark.parametrize("platform", ["telegram", "whatsapp"])
def test_a_life_without_faults_is_what_we_compare_with(messengers: dict[str, StandIn], platform: str) -> None:
    life = live(messengers[platform], Fate())
    assert {"find", "take", "send", "record", "keep_file_id", "release"} <= set(life.calls)
    assert (life.shown[ONE][0], life.shown[ONE][-1]) == ("Look", "Bye")
    assert "album" in life.shown[ONE]
    assert (life.doubled(ONE), life.doubled(OTHER)) == ([], [])
    assert wrongs(life, life, platform) == []


def test_the_judge_sees_what_is_wrong(messengers: dict[str, StandIn]) -> None:
    life = live(messengers["telegram"], Fate())
    for shown, wrong in {
        ("Look", "Bye"): "lost",
        ("Look", "Bye", "album"): "out of order",
        ("Look", "album", "album", "Bye"): "nobody knows",
    }.items():
        altered = replace(life, shown={**life.shown, ONE: list(shown)})
        assert wrong in str(wrongs(altered, life, "telegram"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("hidden_seconds", [0.0, VISIBILITY_SECONDS], ids=["back soon", "back late"])
@pytest.mark.parametrize("platform", ["telegram", "whatsapp"])
def test_whoever_is_killed_at_any_call_loses_nothing(
    messengers: dict[str, StandIn], platform: str, hidden_seconds: float, *, after: bool
) -> None:
    untroubled = live(messengers[platform], Fate())
    for number, call in enumerate(untroubled.calls):
        life = live(messengers[platform], Fate(number, after), hidden_seconds=hidden_seconds)
        assert wrongs(life, untroubled, platform) == [], f"killed at call {number}, {call}"
