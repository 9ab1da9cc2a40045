"""Files, changed and closed messages, blocked chats: the adapter with the stand-in of Telegram."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from shared.dialog.events import ChatBlocked, ChatUnblocked
from shared.dialog.messages import Button, Media, Message
from shared.platforms.base import Outcome, Request
from tests.platforms.aiogram_models import model_of, unknown_to_aiogram
from tests.platforms.cases import RECEIVED_AT
from tests.platforms.test_against_standins import Meeting, on_telegram
from tests.platforms.test_telegram_limits import with_files
from tests.standins.telegram import TelegramPerson, TelegramStandIn

PICTURE = Media("image", "https://a.io/menu.png")
GONE = Media("image", "https://a.io/gone.png")
PAGE = Media("video", "https://a.io/page")
WEB = {GONE.url: None, PAGE.url: "text/html"}


@pytest.fixture
def meeting() -> Meeting:
    return on_telegram()


@pytest.fixture
def telegram(meeting: Meeting) -> TelegramStandIn:
    assert isinstance(meeting.messenger, TelegramStandIn)
    meeting.messenger.web = dict(WEB)
    return meeting.messenger


@pytest.fixture
def ivan(meeting: Meeting) -> TelegramPerson:
    assert isinstance(meeting.person, TelegramPerson)
    return meeting.person


def delivered(meeting: Meeting, message: Message) -> list[Outcome]:
    """As the sender does it: where a file cannot be had, what goes in its place."""
    rendered = meeting.adapter.render(message, meeting.chat_id, meeting.credential, "d:e:1:1")
    return [outcome for request in rendered.requests for outcome in tried(meeting, request)]


def tried(meeting: Meeting, request: Request) -> list[Outcome]:
    outcome = meeting.made(request).outcome
    if outcome is Outcome.MEDIA_FAILED and request.instead is not None:
        return [outcome, *tried(meeting, request.instead)]
    return [outcome]


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(message=with_files())
def test_no_message_with_files_is_refused_whatever_is_at_their_addresses(message: Message) -> None:
    meeting = on_telegram()
    assert isinstance(meeting.messenger, TelegramStandIn)
    meeting.messenger.web = {"https://a.io/menu.jpg": None}
    outcomes = delivered(meeting, replace(message, replaces=""))
    assert set(outcomes) <= {Outcome.SENT, Outcome.MEDIA_FAILED, Outcome.ALREADY_SO}
    failed = outcomes.count(Outcome.MEDIA_FAILED)
    reasons = [refusal.answer["description"] for refusal in meeting.messenger.refusals]
    closed = [reason for reason in reasons if reason == "Bad Request: message to edit not found"]
    assert len(reasons) == failed + len(closed)
    assert outcomes[-1:] != [Outcome.MEDIA_FAILED]


@pytest.mark.parametrize(
    "media",
    [
        pytest.param((GONE,), id="nothing there"),
        pytest.param((PAGE,), id="a page"),
        pytest.param((PICTURE, GONE), id="one of an album"),
    ],
)
@pytest.mark.usefixtures("telegram")
def test_words_and_buttons_come_without_the_file_that_cannot_be_had(
    meeting: Meeting, ivan: TelegramPerson, media: tuple[Media, ...]
) -> None:
    message = Message("Our menu", media=media, buttons=(Button("Yes", "p:1"),))
    outcomes = delivered(meeting, message)
    assert outcomes.count(Outcome.MEDIA_FAILED) == 1
    text = "\n".join(said.text for said in ivan.heard)
    assert "Our menu" in text
    assert all(file.url in text for file in media)
    assert ivan.heard[-1].labels == ["Yes"]


@pytest.mark.usefixtures("telegram")
@pytest.mark.parametrize("file", [PICTURE, GONE], ids=["shown", "not to be had"])
@pytest.mark.parametrize("text", ["Which?", ""], ids=["words", "no words"])
def test_choices_under_a_file_are_taken_in_place_whether_it_is_shown_or_not(
    meeting: Meeting, ivan: TelegramPerson, file: Media, text: str
) -> None:
    tea, taken = Button("Tea", "p:0"), Button("Tea", "p:0", selected=True)
    message = Message(text, media=(file,), buttons=(tea, Button("Done", "p:1")), several=True)
    delivered(meeting, message)
    pressed = meeting.parsed(ivan.pressed("Tea"))
    again = replace(message, buttons=(taken, Button("Done", "p:1")), replaces=pressed.message_id)
    assert delivered(meeting, again)[-1] is Outcome.SENT
    assert [said.labels for said in ivan.heard] == [["✓ Tea", "Done"]]
    assert text in ivan.heard[0].text
    assert delivered(meeting, again)[-1] is Outcome.ALREADY_SO


MENU = Media("image", "https://cdn.io/m/menu.jpg", "menu", "menu.jpg", "image/jpeg", 80_000)
TOUR = Media("video", "https://cdn.io/m/tour.mp4", "tour", "tour.mp4", "video/mp4", 900_000)


@pytest.mark.parametrize(
    "media",
    [
        pytest.param((MENU,), id="a picture"),
        pytest.param((replace(MENU, size=11_000_000),), id="a picture too large to be one"),
        pytest.param((replace(MENU, content_type="image/gif"),), id="one that moves"),
        pytest.param((TOUR,), id="a video"),
        pytest.param((replace(TOUR, type="file"),), id="a video as a file"),
        pytest.param((replace(TOUR, content_type="video/webm"),), id="a video of another kind"),
        pytest.param((replace(TOUR, type="audio", content_type="audio/mpeg"),), id="a sound"),
        pytest.param((replace(MENU, type="file", content_type=""),), id="a file of no known kind"),
        pytest.param((MENU, TOUR, replace(MENU, media_id="hall")), id="an album"),
    ],
)
def test_a_file_is_carried_once_and_then_known(meeting: Meeting, media: tuple[Media, ...]) -> None:
    carried = tuple(replace(file, storage_path=f"media/{file.media_id}") for file in media)
    (first,) = meeting.deliver(Message("Look", media=carried))
    assert first.outcome is Outcome.SENT
    assert len(first.file_ids) == len(media)
    known = tuple(replace(file, file_id=known) for file, known in zip(media, first.file_ids, strict=True))
    (again,) = meeting.deliver(Message("Look", media=known))
    assert (again.outcome, again.file_ids) == (Outcome.SENT, first.file_ids)


@pytest.mark.usefixtures("telegram")
def test_a_file_that_another_bot_has_carried_is_told_by_its_address(
    meeting: Meeting, ivan: TelegramPerson
) -> None:
    message = Message("Look", media=(replace(MENU, file_id="AgAC777-1"),))
    assert delivered(meeting, message) == [Outcome.MEDIA_FAILED, Outcome.SENT]
    assert ivan.heard[0].text == f"Look\n\n{MENU.url}"


# ── Closed messages ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("media", [(), (PICTURE,)], ids=["a text", "a picture"])
def test_what_was_answered_loses_its_buttons_before_more_is_said(
    meeting: Meeting, ivan: TelegramPerson, media: tuple[Media, ...]
) -> None:
    meeting.send(Message("Tea?", media=media, buttons=(Button("Yes", "p:1"),)))
    event = meeting.parsed(ivan.pressed("Yes"))
    thanks = Message("Thank you", closes=event.message_id)
    assert meeting.send(thanks) == [Outcome.SENT, Outcome.SENT]
    assert [(said.text, said.labels) for said in ivan.heard] == [("Tea?", []), ("Thank you", [])]
    assert meeting.send(thanks) == [Outcome.ALREADY_SO, Outcome.SENT]


def test_what_cannot_be_closed_holds_nothing_up(meeting: Meeting, ivan: TelegramPerson) -> None:
    meeting.send(Message("Where?", buttons=(Button("Here", share="location"),)))
    other_keys = ivan.heard[0].message_id
    assert meeting.send(Message("Hi", closes=other_keys)) == [Outcome.ALREADY_SO, Outcome.SENT]
    ivan.remove(ivan.heard[1])
    removed = ivan.heard[1].message_id
    assert meeting.send(Message("Hi", closes=removed)) == [Outcome.ALREADY_SO, Outcome.SENT]
    assert meeting.send(Message("Hi", closes="999999")) == [Outcome.ALREADY_SO, Outcome.SENT]


# ── Blocked chats ────────────────────────────────────────────────────────────────────────────────────


def test_a_chat_is_blocked_and_opened_again(
    meeting: Meeting, telegram: TelegramStandIn, ivan: TelegramPerson
) -> None:
    ivan.block()
    assert meeting.send(Message("Hi")) == [Outcome.RECIPIENT_GONE]
    ivan.unblock()
    assert meeting.send(Message("Hi")) == [Outcome.SENT]
    kinds = []
    for update in telegram.updates:
        (addressed,) = meeting.adapter.parse(update, meeting.credential, RECEIVED_AT).events
        assert addressed.chat_id == meeting.chat_id
        kinds.append(type(addressed.event))
    assert kinds == [ChatBlocked, ChatUnblocked]


# ── The stand-in itself ──────────────────────────────────────────────────────────────────────────────


def test_every_update_of_the_stand_in_is_one_that_aiogram_knows(
    meeting: Meeting, telegram: TelegramStandIn, ivan: TelegramPerson
) -> None:
    ivan.say("/start")
    meeting.send(Message("Tea?", media=(PICTURE,), buttons=(Button("Yes", "p:1"),)))
    ivan.press("Yes")
    meeting.send(Message("Where?", buttons=(Button("Me", share="phone"), Button("Here", share="location"))))
    ivan.post(ivan.shared("phone"))
    ivan.post(ivan.shared("location"))
    ivan.block()
    ivan.unblock()
    kinds = [next(kind for kind in update if kind != "update_id") for update in telegram.updates]
    assert kinds == ["message", "callback_query", "message", "message", "my_chat_member", "my_chat_member"]
    for update in telegram.updates:
        assert unknown_to_aiogram(model_of("Update").model_validate(update)) == []
