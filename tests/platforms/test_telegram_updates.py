from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ChatUnblocked,
    ContentType,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.platforms import telegram_updates
from shared.platforms.base import Parsed
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.aiogram_models import model_of, unknown_to_aiogram
from tests.platforms.cases import RECEIVED_AT, Samples, credential, message_in, payload, payload_names

ADAPTER = TelegramAdapter()
CREDENTIAL = credential("telegram")
CHAT = "987654321"
SENT_AT = datetime.fromtimestamp(1793370000, UTC)
PERSON = Person("Иван", "Петров", "ivan_petrov", "ru")


SAMPLES = Samples(ADAPTER, CHAT)
parse, only_event, event_of = SAMPLES.parse, SAMPLES.only_event, SAMPLES.event_of


# ── Contract ─────────────────────────────────────────────────────────────────────────────────────────

INVENTED = {"unheard_of": ["telepathy"], "message_unheard_of": ["message.hologram"]}


@pytest.mark.parametrize("name", payload_names("telegram"))
def test_every_payload_is_one_that_aiogram_knows_too(name: str) -> None:
    update = model_of("Update").model_validate(payload("telegram", name))
    assert unknown_to_aiogram(update) == INVENTED.get(name, [])


HEAD = frozenset(
    """
    author_signature business_connection_id caption caption_entities chat date direct_messages_topic edit_date
    effect_id entities ephemeral_message_id external_reply forward_date forward_from forward_from_chat
    forward_from_message_id forward_origin forward_sender_name forward_signature from_user
    guest_bot_caller_chat guest_bot_caller_user guest_query_id has_media_spoiler has_protected_content
    is_automatic_forward
    is_from_offline is_paid_post is_topic_message link_preview_options media_group_id message_id
    message_thread_id paid_star_count quote receiver_user reply_markup reply_to_checklist_task_id
    reply_to_message reply_to_poll_option_id reply_to_story sender_boost_count sender_business_bot sender_chat
    sender_tag show_caption_above_media suggested_post_info via_bot
    """.split()
)
"""What goes with a message of any kind."""


def test_every_field_of_a_message_is_of_a_kind_that_is_read_or_kept_or_told_by_telegram() -> None:
    """Fails where aiogram, and so the Bot API, has a field that nobody has put anywhere yet."""
    read = {name for name, _ in telegram_updates._CONTENT}
    known = HEAD | telegram_updates._UNREAD | read | telegram_updates._SERVICE
    assert set(model_of("Message").model_fields) <= known
    assert not telegram_updates._SERVICE & (HEAD | telegram_updates._UNREAD | read)
    assert not telegram_updates._UNREAD & (HEAD | read)


def test_every_kind_of_update_is_read_or_ignored_by_its_name() -> None:
    read = {"update_id", "message", "callback_query", "my_chat_member"}
    assert set(model_of("Update").model_fields) - read == telegram_updates._OTHER_UPDATES


# ── Messages ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_a_message_of_its_chat_and_time() -> None:
    assert only_event("text") == MessageReceived(
        id=str(payload("telegram", "text")["update_id"]),
        occurred_at=SENT_AT,
        person=PERSON,
        text="Повар 👨‍🍳",
    )


@pytest.mark.parametrize(
    "name",
    [
        "text_with_entities",
        "text_in_reply",
        "text_via_bot",
        "text_in_topic",
        "text_of_premium",
        "text_of_4096",
        "text_of_a_link",
        "start",
        "start_payload",
        "start_payload_longest",
        "start_at_bot",
        "other_command",
        "forwarded",
    ],
)
def test_every_text_is_a_message_as_it_came_commands_too(name: str) -> None:
    assert message_in(only_event(name)) == ("text", payload("telegram", name)["message"]["text"])


@pytest.mark.parametrize(
    ("name", "content", "caption"),
    [
        ("photo", "image", "Моя кухня"),
        ("photo_with_spoiler", "image", "Сюрприз 🎁"),
        ("photo_of_album_without_caption", "image", ""),
        ("photo_of_no_sizes", "image", ""),
        ("live_photo", "image", ""),
        ("animation", "video", ""),
        ("animation_with_caption", "video", "ха"),
        ("video", "video", ""),
        ("video_of_album", "video", "И видео"),
        ("video_note", "video", ""),
        ("voice", "voice", ""),
        ("voice_with_caption", "voice", "ответ"),
        ("audio", "audio", ""),
        ("audio_with_tags", "audio", "послушайте"),
        ("document", "file", "My CV"),
        ("document_bare", "file", ""),
        ("document_of_album", "file", ""),
        ("sticker", "sticker", ""),
        ("sticker_animated", "sticker", ""),
        ("sticker_video", "sticker", ""),
        ("location", "location", ""),
        ("live_location", "location", ""),
        ("venue", "location", ""),
        ("venue_of_foursquare", "location", ""),
        ("contact", "contact", ""),
        ("contact_of_another", "contact", ""),
        ("contact_without_account", "contact", ""),
        ("contact_forwarded", "contact", ""),
        ("poll", "unsupported", ""),
        ("dice", "unsupported", ""),
        ("story", "unsupported", ""),
        ("game", "unsupported", ""),
        ("invoice", "unsupported", ""),
        ("paid_media", "unsupported", ""),
        ("giveaway", "unsupported", ""),
        ("checklist", "unsupported", ""),
        ("message_unheard_of", "unsupported", ""),
        ("message_of_nothing", "unsupported", ""),
    ],
)
def test_what_is_not_text_is_a_message_of_its_kind(name: str, content: ContentType, caption: str) -> None:
    assert message_in(only_event(name)) == (content, caption)


UNHEARD_OF = ("message_unheard_of", "message_of_nothing")


@pytest.mark.parametrize("name", UNHEARD_OF)
def test_a_kind_unheard_of_is_a_message_that_is_counted(name: str) -> None:
    assert only_event(name).content == "unsupported"
    assert parse(name).ignored == ("unknown",)


def test_what_a_web_app_hands_over_is_a_text() -> None:
    event = only_event("web_app_data")
    assert (event.content, event.text) == ("text", '{"table": 5}')


VIDEO = ReceivedFile("video", "", "hello.mp4", "video/mp4", 52311)


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("photo", ReceivedFile("image", "AgACAgIAAxkBAAIBx", size=122880)),
        ("live_photo", ReceivedFile("image", "AgACAgIAAxkBAAIBx", size=122880)),
        ("animation", replace(VIDEO, reference="CgACAgIAAxkBAAIC")),
        ("video", replace(VIDEO, reference="BAACAgIAAxkBAAID")),
        ("video_note", ReceivedFile("video", "DQACAgIAAxkBAAIE")),
        ("voice", ReceivedFile("audio", "AwACAgIAAxkBAAIF", content_type="audio/ogg", size=17000)),
        ("audio", ReceivedFile("audio", "CQACAgIAAxkBAAIG", content_type="audio/mpeg")),
        ("document", ReceivedFile("file", "BQACAgIAAxkBAAIH", "cv.pdf", "application/pdf", 88000)),
        ("photo_of_no_sizes", None),
        ("photo_of_album_without_caption", ReceivedFile("image", "AgACAgIAAxkBAAIB3", size=99000)),
        ("document_bare", ReceivedFile("file", "BQACAgIAAxkBAAIDb")),
        ("document_of_album", ReceivedFile("file", "BQACAgIAAxkBAAIDc", "договор № 1.docx", DOCX, 21000)),
        ("audio_with_tags", ReceivedFile("audio", "CQACAgIAAxkBAAIAt", "night.mp3", "audio/mpeg", 5200000)),
        (
            "animation_with_caption",
            ReceivedFile("video", "CgACAgIAAxkBAAICc", "cat.gif.mp4", "video/mp4", 41000),
        ),
        ("paid_media", None),
        ("sticker", None),
        ("poll", None),
        ("text", None),
    ],
)
def test_a_file_is_known_by_its_id_and_what_its_sender_says_of_it(
    name: str, file: ReceivedFile | None
) -> None:
    assert only_event(name).file == file


def test_the_largest_size_of_a_photo_is_taken_wherever_it_stands() -> None:
    update = payload("telegram", "photo")
    update["message"]["photo"].reverse()
    assert event_of(update).file.reference == "AgACAgIAAxkBAAIBx"


def test_the_files_of_an_album_tell_which_they_belong_to() -> None:
    assert only_event("photo").album == "13800000000000001"
    assert only_event("video").album == ""


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("location", Place(55.751244, 37.618423)),
        ("venue", Place(55.751244, 37.618423, "Cafe")),
        ("live_location", Place(48.46, 35.04)),
        ("venue_of_foursquare", Place(50.45, 30.52, "Львівська")),
        ("text", None),
    ],
)
def test_a_place_has_the_name_of_its_venue(name: str, place: Place | None) -> None:
    assert only_event(name).place == place


@pytest.mark.parametrize(
    ("changed", "contact"),
    [
        pytest.param({}, SharedContact("+79990000000", "Иван", own=True), id="own"),
        pytest.param({"user_id": 5}, SharedContact("+79990000000", "Иван"), id="of somebody else"),
        pytest.param({"user_id": None}, SharedContact("+79990000000", "Иван"), id="of nobody on Telegram"),
        pytest.param(
            {"last_name": "П"}, SharedContact("+79990000000", "Иван", "П", own=True), id="two names"
        ),
    ],
)
def test_a_contact_is_the_persons_own_if_telegram_says_so(
    changed: dict[str, Any], contact: SharedContact
) -> None:
    update = payload("telegram", "contact")
    update["message"]["contact"] |= changed
    assert event_of(update).contact == contact


def test_a_person_may_have_no_more_than_a_first_name() -> None:
    assert only_event("no_language").person == Person("Иван")


@pytest.mark.parametrize(
    ("name", "message_id"),
    [
        ("press", "122"),
        ("press_inaccessible", ""),
        ("press_inline_message", ""),
        ("press_on_nothing", ""),
        ("press_on_photo", "140"),
        ("press_never_sent", "123"),
    ],
)
def test_a_press_is_an_event_of_its_receipt_and_is_acknowledged(name: str, message_id: str) -> None:
    query = payload("telegram", name)["callback_query"]
    assert only_event(name) == ButtonPressed(
        id=str(payload("telegram", name)["update_id"]),
        occurred_at=RECEIVED_AT,
        person=PERSON,
        data=query["data"],
        message_id=message_id,
    )
    assert parse(name).answer == {"method": "answerCallbackQuery", "callback_query_id": query["id"]}


@pytest.mark.parametrize(("name", "reason"), [("press_in_group", "not_private"), ("press_game", "game")])
def test_a_press_that_is_not_ours_is_acknowledged_and_ignored(name: str, reason: str) -> None:
    parsed = parse(name)
    assert parsed.events == ()
    assert parsed.ignored == (reason,)
    assert parsed.answer is not None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("group", "not_private"),
        ("joined_a_group", "not_private"),
        ("became_a_supergroup", "not_private"),
        ("put_into_a_group", "not_private"),
        ("channel_post", "channel_post"),
        ("business_message", "business_message"),
        ("from_bot", "bot"),
        ("service", "service_message"),
        ("payment_succeeded", "service_message"),
        ("users_shared", "service_message"),
        ("write_access_allowed", "service_message"),
        ("edited_message", "edited_message"),
        ("edited_caption", "edited_message"),
        ("live_location_moved", "edited_message"),
        ("member_as_before", "my_chat_member"),
        ("reaction", "message_reaction"),
        ("reaction_removed", "message_reaction"),
        ("inline_query", "inline_query"),
        ("poll_answer", "poll_answer"),
        ("pre_checkout_query", "pre_checkout_query"),
        ("unheard_of", "unknown"),
    ],
)
def test_what_is_no_word_of_a_person_to_the_bot_is_ignored(name: str, reason: str) -> None:
    assert parse(name) == Parsed(ignored=(reason,))


# ── Blocked and not ──────────────────────────────────────────────────────────────────────────────────


def test_who_blocks_the_bot_is_told_of() -> None:
    assert only_event("blocked") == ChatBlocked(
        id=str(payload("telegram", "blocked")["update_id"]),
        occurred_at=SENT_AT,
        person=PERSON,
        reason="the person has blocked the bot",
    )


def test_who_lets_the_bot_write_again_is_told_of() -> None:
    assert only_event("unblocked") == ChatUnblocked(
        id=str(payload("telegram", "unblocked")["update_id"]), occurred_at=SENT_AT, person=PERSON
    )


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("member", "kicked", ChatBlocked),
        ("member", "left", ChatBlocked),
        ("kicked", "member", ChatUnblocked),
        ("left", "member", ChatUnblocked),
        ("kicked", "left", None),
        ("member", "administrator", None),
        ("member", "enlightened", None),
        ("enlightened", "kicked", ChatBlocked),
    ],
)
def test_only_what_changes_whether_the_bot_may_write_counts(old: str, new: str, kind: type | None) -> None:
    update = payload("telegram", "blocked")
    update["my_chat_member"]["old_chat_member"]["status"] = old
    update["my_chat_member"]["new_chat_member"]["status"] = new
    parsed = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT)
    assert [type(addressed.event) for addressed in parsed.events] == ([kind] if kind else [])
    assert parsed.ignored == (() if kind else ("my_chat_member",))


# ── Whatever else ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", payload_names("telegram"))
def test_every_payload_is_either_an_event_or_ignored(name: str) -> None:
    parsed = parse(name)
    assert len(parsed.events) + len(parsed.ignored) - (name in UNHEARD_OF) == 1


def changed(name: str, **content: Any) -> Any:
    update = payload("telegram", name)
    update["message"] |= content
    return update


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param([], id="not an object"),
        pytest.param({}, id="no update_id"),
        pytest.param({"update_id": 1, "message": {}}, id="a message without a chat"),
        pytest.param({"update_id": 1, "message": "hello"}, id="a message that is text"),
        pytest.param(
            {"update_id": 1, "message": {"date": 1, "chat": {"id": 1, "type": "private"}, "text": 5}},
            id="a text that is a number",
        ),
        pytest.param({"update_id": 1, "callback_query": {"id": "1", "data": "x"}}, id="a press by nobody"),
        pytest.param(changed("photo", photo=[{"width": 9}]), id="a photo without an id"),
        pytest.param(changed("video", video="a"), id="a video that is text"),
        pytest.param(changed("web_app_data", web_app_data={}), id="a web app that hands over nothing"),
        pytest.param(
            {"update_id": 1, "my_chat_member": {"chat": {"id": 1, "type": "private"}, "date": 1}},
            id="a membership of nobody",
        ),
        pytest.param(changed("contact", contact={"first_name": "A"}), id="a contact without a number"),
        pytest.param(changed("location", location={"latitude": 91.0, "longitude": 0}), id="beyond the pole"),
    ],
)
def test_a_known_kind_in_another_shape_is_not_guessed_at(broken: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        ADAPTER.parse(broken, CREDENTIAL, RECEIVED_AT)


def test_a_date_beyond_the_calendar_is_not_guessed_at() -> None:
    update = payload("telegram", "text")
    update["message"]["date"] = 10**15
    with pytest.raises((ValueError, OverflowError, OSError)):
        ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT)
